"""Measures what OpenVINO is worth, in fp32, bf16 and int8, into benchmarks/results/engines_int8.json.

    python benchmarks/engines_int8.py             # everything
    python benchmarks/engines_int8.py pipeline    # one part of: pipeline where start accuracy

Two CPU threads; nothing else should run meanwhile. ``pipeline``: a 741x500 photo, file to 16-bit PNG, images a second beside a plain
loop over transformers' pipeline, turn by turn in one process, with a checkpoint of Depth Anything V2-small of random weights.
``where``: where OpenVINO's time goes. ``start``: a first and a second ``leadline predict``. ``accuracy``: what int8 costs in AbsRel
on NYU frames; it needs the folders NYU and PEERS named in the environment (``LEADLINE_NYU``, ``LEADLINE_PEERS``).
"""

from __future__ import annotations

import collections
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from PIL import Image as Pil

from engines import KIND, PHOTOS, THREADS, beside, first_and_second, in_turn, photos
from leadline.flows.predict import run
from leadline.flows.predict_request import PredictRequest

RESULTS = Path(__file__).resolve().parent / "results" / "engines_int8.json"
WAYS = (("openvino", "fp32", 1), ("openvino", "bf16", 1), ("openvino", "int8", 1), ("openvino", "int8", 2))


def rooms(folder: Path) -> Path:
    """Made-up rooms to calibrate on."""
    from leadline.datasets.synthetic import Synthetic

    folder.mkdir(parents=True)
    made = Synthetic(seed=3, width=741, height=500)
    for place in range(16):
        Pil.fromarray(made[place].image.rgb_HW3).save(folder / f"{place:02}.jpg", quality=92)
    return folder


def pipeline() -> dict[str, Any]:
    """Images a second beside a plain loop over transformers' pipeline."""
    from leadline.testing.full_size import depth_anything_v2_small

    with tempfile.TemporaryDirectory() as name:
        os.environ["LEADLINE_CACHE"] = f"{name}/cache"
        model = depth_anything_v2_small(Path(name))
        shown = photos(Path(name) / "photos", count=PHOTOS, width=741, height=500)
        calibrate = rooms(Path(name) / "rooms")
        theirs = beside(model, shown, Path(name) / "theirs")

        def ours(engine: str, precision: str, batch: int) -> Callable[[], float]:
            from leadline.flows.model import open_model

            given = (str(calibrate),) if precision == "int8" else ()
            opened = open_model(
                str(model),
                kind=KIND,
                engine=engine,
                threads=THREADS,
                precision=precision,
                int8_photos=given,
            )
            request = PredictRequest(
                (str(shown),),
                out=Path(name) / f"{engine}-{precision}-{batch}",
                formats=("png16",),
                models=(str(model),),
                kind=KIND,
                batch=batch,
            )

            def once() -> float:
                return run(request, opened=[opened]).photos_per_s

            return once

        ways: dict[str, Callable[[], float]] = {"pipeline": theirs}
        ways |= {
            f"{engine} {precision} batch {batch}": ours(engine, precision, batch)
            for engine, precision, batch in WAYS
        }
        return _paired(ways)


def _paired(ways: dict[str, Callable[[], float]]) -> dict[str, Any]:
    rounds = in_turn(ways)
    ratios = {
        name: statistics.median(a / b for a, b in zip(values, rounds["pipeline"], strict=True))
        for name, values in rounds.items()
    }
    return {
        name: {"photos_per_s": statistics.median(values), "rounds": values, "times_pipeline": ratios[name]}
        for name, values in rounds.items()
    }


def where() -> dict[str, Any]:
    """Milliseconds by sort of layer, as OpenVINO counts them, for one photo on two threads."""
    import torch

    from leadline.engines.openvino.faces import TorchFace
    from leadline.engines.openvino.quantising import photos_to_calibrate_on, quantised
    from leadline.engines.openvino.runtime import runtime
    from leadline.io.images import read_image
    from leadline.models.depth_anything.net import network
    from leadline.plugins.registry import MODELS
    from leadline.testing.full_size import depth_anything_v2_small

    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        made = network(depth_anything_v2_small(Path(name)))
        made.module.eval().requires_grad_(False)
        torch.set_num_threads(THREADS)
        shown = read_image(str(next(photos(Path(name) / "photos", count=1, width=741, height=500).iterdir())))
        face = TorchFace(made, MODELS.get("depth-anything-v2-small"))
        plain = face.graph(shown, ())
        feeds = [
            face.feed(face.like(photo, shown), ())
            for photo in photos_to_calibrate_on([str(rooms(Path(name) / "rooms"))])
        ]
        graphs = {"fp32": (plain, "f32"), "int8": (quantised(plain, feeds, name="x"), None)}
        core = runtime().Core()
        for precision, (graph, hint) in graphs.items():
            config: dict[str, Any] = {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": THREADS,
                "PERF_COUNT": True,
            }
            config |= {"INFERENCE_PRECISION_HINT": hint} if hint else {}
            request = core.compile_model(graph, "CPU", config).create_infer_request()
            for _ in range(5):
                request.infer(feeds[0])
            spent: collections.Counter[str] = collections.Counter()
            for layer in request.profiling_info:
                attention = "scaled_dot_product" in layer.node_name
                spent["attention" if attention else layer.node_type] += layer.real_time.total_seconds() * 1000
            result[precision] = dict(spent.most_common(8))
    return result


def start() -> dict[str, Any]:
    """Seconds of a whole ``leadline predict`` of one photo: the first of a model, and those that follow."""
    from leadline.testing.full_size import depth_anything_v2_small

    with tempfile.TemporaryDirectory() as name:
        model = depth_anything_v2_small(Path(name))
        shown = photos(Path(name) / "photos", count=1, width=741, height=500)
        line = [str(shown), "-m", str(model), "--engine", "openvino", "--precision"]
        calibrated = ["int8", "--int8-photos", str(rooms(Path(name) / "rooms"))]
        return {
            given[0]: first_and_second([*line, *given], cache=Path(name) / f"cache-{given[0]}")
            for given in (["fp32"], calibrated)
        }


def accuracy() -> dict[str, Any]:
    """AbsRel on 160 frames of NYU, in fp32 and in int8 calibrated on 32 others."""
    frames, peers = os.environ.get("LEADLINE_NYU", ""), os.environ.get("LEADLINE_PEERS", "")
    if not frames:
        return {"skipped": "set LEADLINE_NYU (and LEADLINE_PEERS)"}
    models = ["leadline-indoor-small", *map(str, sorted(Path(peers).glob("*.onnx")) if peers else [])]
    photographs = sorted(Path(frames, "image").glob("*.jpg"))[7::24]
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        listed = Path(name) / "photos.txt"
        listed.write_text("\n".join(map(str, photographs)))
        for model in models:
            found = {}
            for precision in ("fp32", "int8"):
                more = ["--int8-photos", f"@{listed}"] if precision == "int8" else []
                out = f"{name}/{Path(model).stem}-{precision}"
                line = [sys.executable, "-m", "leadline", "evaluate", "-d", f"nyu:{frames}", "-m", model]
                line += ["--engine", "openvino", "--precision", precision, *more]
                line += ["--spread", "160", "-o", out, "--no-report", "--no-cache"]
                environment = {**os.environ, "LEADLINE_CACHE": f"{name}/cache"}
                subprocess.run(line, check=True, capture_output=True, env=environment)
                found[precision] = _abs_rel(Path(out) / "rows.csv")
            result[Path(model).stem] = {**found, "cost": found["int8"] - found["fp32"]}
    return result


def _abs_rel(rows: Path) -> float:
    import csv

    with open(rows, newline="") as stream:
        table = list(csv.DictReader(stream))
    (column,) = [name for name in table[0] if name.lower().replace("_", "") == "absrel"]
    return statistics.fmean(float(row[column]) for row in table if row[column])


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "pipeline": pipeline,
    "where": where,
    "start": start,
    "accuracy": accuracy,
}


def main(names: list[str]) -> None:
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for name in names or list(PARTS):
        kept[name] = PARTS[name]()
        print(name, json.dumps(kept[name], indent=2))
    packages = ("leadline", "openvino", "nncf", "torch", "transformers")
    kept["versions"] = {package: version(package) for package in packages}
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
