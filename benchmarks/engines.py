"""Measures what the torch engine, the corridor and the tiles are worth, into benchmarks/results/engines.json.

    python benchmarks/engines.py             # everything
    python benchmarks/engines.py pipeline    # one part of: pipeline where folder png start tiles

Ratios are of paired runs: both ways do the same photos turn by turn in one process. Two CPU threads. Nothing else should run
meanwhile. ``pipeline``, ``where`` and ``start`` need ``leadline[transformers]``; a checkpoint of Depth Anything V2-small is made
with random weights, whose time does not depend on what they are.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pil

import leadline
from leadline.flows.predict import run
from leadline.flows.predict_request import PredictRequest

RESULTS = Path(__file__).resolve().parent / "results" / "engines.json"
THREADS, ROUNDS, PHOTOS, STARTS = 2, 7, 6, 4
KIND = "affine-invariant-inverse-depth"
PACKAGES = ("leadline", "numpy", "pillow", "onnxruntime", "isal", "torch", "transformers")


def photos(folder: Path, *, count: int, width: int, height: int) -> Path:
    """JPEG photos of one size, no two alike."""
    from skimage import data

    folder.mkdir(parents=True)
    whole = Pil.fromarray(data.stereo_motorcycle()[0]).resize((width, height))
    for k in range(count):
        Pil.fromarray(np.roll(np.asarray(whole), 7 * k, 1)).save(folder / f"{k:04}.jpg", quality=92)
    return folder


def pipeline() -> dict[str, Any]:
    """A 741x500 photo, file to 16-bit PNG: images a second beside a plain loop over transformers' pipeline."""
    from leadline.engines.torch.compiling import why_not
    from leadline.engines.torch.precision import precisions_on
    from leadline.testing.full_size import depth_anything_v2_small

    with tempfile.TemporaryDirectory() as name:
        model = depth_anything_v2_small(Path(name))
        shown = photos(Path(name) / "photos", count=PHOTOS, width=741, height=500)
        theirs = beside(model, shown, Path(name) / "theirs")

        def ours(precision: str, compile: str) -> Callable[[], float]:
            request = PredictRequest(
                (str(shown),),
                out=Path(name) / f"{precision}-{compile}",
                formats=("png16",),
                models=(str(model),),
                kind=KIND,
                threads=THREADS,
                device="cpu",
                precision=precision,
                compile=compile,
            )
            return lambda: run(request).photos_per_s

        ways = {"pipeline": theirs, "fp32": ours("fp32", "no")}
        if "bf16" in precisions_on("cpu"):
            ways["bf16"] = ours("bf16", "no")
        if not why_not("cpu"):
            ways["fp32 compiled"] = ours("fp32", "yes")
        speeds = in_turn(ways)
    medians = {way: statistics.median(values) for way, values in speeds.items()}
    ratios = {
        way: [mine / other for mine, other in zip(values, speeds["pipeline"], strict=True)]
        for way, values in speeds.items()
    }
    return {
        "photos_per_s": {way: round(value, 3) for way, value in medians.items()},
        "times_pipeline": {way: round(statistics.median(values), 3) for way, values in ratios.items()},
        "times_pipeline_rounds": {
            way: [round(value, 3) for value in values] for way, values in ratios.items()
        },
    }


def beside(model: Path, shown: Path, out: Path) -> Callable[[], float]:
    """Photos a second of a plain loop over transformers' pipeline, file to 16-bit PNG."""
    from leadline.bridges.transformers_pipeline import DepthPipeline

    out.mkdir()
    theirs, files = DepthPipeline(model, threads=THREADS, device="cpu"), sorted(shown.iterdir())
    return lambda: len(files) / theirs.write(files, out)


def in_turn(ways: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Each way once a round; who is first changes. The first round is not counted."""
    names = list(ways)
    speeds: dict[str, list[float]] = {name: [] for name in names}
    for k in range(ROUNDS + 1):
        for name in names[k % len(names) :] + names[: k % len(names)]:
            speed = ways[name]()
            if k:
                speeds[name].append(speed)
    return speeds


def where() -> dict[str, Any]:
    """Where the network's time goes, by operator, as transformers runs it and as the engine does."""
    import torch

    from leadline.core.image import Image
    from leadline.flows.model import open_model

    def shares(call: Callable[[], object]) -> dict[str, float]:
        call()
        with torch.profiler.profile() as profiler:
            call()
        rows = {row.key: row.self_cpu_time_total for row in profiler.key_averages()}
        total = sum(rows.values())
        top = sorted(rows.items(), key=lambda row: -row[1])[:12]
        return {"total_ms": round(total / 1e3), **{key: round(value / total, 3) for key, value in top}}

    from skimage import data
    from transformers import AutoModelForDepthEstimation

    from leadline.testing.full_size import depth_anything_v2_small

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        model = depth_anything_v2_small(Path(name))
        module = AutoModelForDepthEstimation.from_pretrained(model).eval()
        pixels = torch.randn(1, 3, 518, 770)
        with torch.inference_mode():
            plain = shares(lambda: module(pixels))
        photo = Image.from_array(data.stereo_motorcycle()[0])
        with open_model(str(model), kind=KIND, threads=1, device="cpu") as opened:
            engine = shares(lambda: opened.infer([photo]))
    return {"transformers": plain, "leadline": engine}


def folder() -> dict[str, Any]:
    """The embedded model, 640x480, photo files to 16-bit PNG and picture: photos a second over a folder of 200."""
    with tempfile.TemporaryDirectory() as name:
        shown = photos(Path(name) / "photos", count=200, width=640, height=480)
        speeds: dict[str, list[float]] = {}
        for _ in range(5):
            for formats in (("png16", "colour"), ("png16",), ("npz",)):
                out = Path(name) / "out"
                shutil.rmtree(out, ignore_errors=True)
                report = run(PredictRequest((str(shown),), out=out, formats=formats, threads=THREADS))
                speeds.setdefault("+".join(formats), []).append(report.photos_per_s)
    return {
        formats: {
            "photos_per_s": round(statistics.median(values), 1),
            "rounds": [round(v, 1) for v in values],
        }
        for formats, values in speeds.items()
    }


def png() -> dict[str, Any]:
    """Milliseconds (CPU) and kilobytes a PNG of a 640x480 prediction: ISA-L, zlib in the same writer, Pillow."""
    from skimage import data

    from leadline.flows.model import open_model
    from leadline.io import png as writer
    from leadline.io.depth_files import write_depth
    from leadline.ops.colour import picture

    rgb = np.asarray(Pil.fromarray(data.stereo_motorcycle()[0]).resize((640, 480)))
    with tempfile.TemporaryDirectory() as name, open_model(threads=THREADS) as model:
        prediction = model.predict(rgb)
        write_depth(Path(name) / "a.png", prediction)
        arrays = {
            "depth": np.asarray(Pil.open(Path(name) / "a.png")).astype(np.uint16),
            "colour": picture(prediction.depth),
        }
        path = Path(name) / "b.png"
        found: dict[str, Any] = {}
        for what, array in arrays.items():
            ways: dict[str, Callable[[], object]] = {
                "isal": lambda array=array: writer.write_png(path, array, texts={}),
                "pillow level 1": lambda array=array: Pil.fromarray(array).save(path, compress_level=1),
                "pillow level 6": lambda array=array: Pil.fromarray(array).save(path, compress_level=6),
            }
            for way, write in ways.items():
                found[f"{what}, {way}"] = _cpu_ms(write) | {"kB": round(path.stat().st_size / 1e3)}
            there, writer.has = writer.has, lambda package: False
            found[f"{what}, zlib"] = _cpu_ms(ways["isal"]) | {"kB": round(path.stat().st_size / 1e3)}
            writer.has = there
    return found


def _cpu_ms(call: Callable[[], object]) -> dict[str, float]:
    spent = []
    for _ in range(15):
        start_s = time.thread_time()
        call()
        spent.append(1e3 * (time.thread_time() - start_s))
    return {"ms": round(statistics.median(spent), 2)}


def start() -> dict[str, Any]:
    """Seconds of a first and of a second ``leadline predict`` of one photo in an empty cache, whole process."""
    from leadline.testing.full_size import depth_anything_v2_small

    with tempfile.TemporaryDirectory() as name:
        model = depth_anything_v2_small(Path(name))
        shown = photos(Path(name) / "photos", count=1, width=741, height=500)
        return {
            f"compile {compile}": first_and_second(
                [str(shown), "-m", str(model), "--compile", compile], cache=Path(name) / f"cache-{compile}"
            )
            for compile in ("no", "yes")
        }


def first_and_second(arguments: list[str], *, cache: Path) -> dict[str, float]:
    """Seconds of a first ``leadline predict`` with an empty cache, and the median of those that follow."""
    line = [sys.executable, "-m", "leadline", "predict", *arguments, "--kind", KIND]
    line += ["--threads", str(THREADS), "-f", "png16", "-o", str(cache.with_name("out"))]
    seconds = []
    for _ in range(STARTS):
        start_s = time.perf_counter()
        environment = {**os.environ, "LEADLINE_CACHE": str(cache)}
        subprocess.run(line, check=True, env=environment, capture_output=True)
        seconds.append(time.perf_counter() - start_s)
    first, second = seconds[0], statistics.median(seconds[1:])
    return {"first_s": round(first, 2), "second_s": round(second, 2), "ratio": round(second / first, 3)}


def tiles() -> dict[str, Any]:
    """A photo of 12,000x9,000 through tiles of the embedded model: seconds and peak memory of the whole process."""
    with tempfile.TemporaryDirectory() as name:
        shown = photos(Path(name) / "photos", count=1, width=12_000, height=9_000)
        start_s = time.perf_counter()
        command = [sys.executable, "-m", "leadline", "predict", str(shown), "--tile", "auto"]
        command += ["--threads", str(THREADS), "-o", str(Path(name) / "out")]
        subprocess.run(
            command,
            check=True,
            capture_output=True,
        )
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (
            1 if sys.platform == "darwin" else 1024
        )
        return {"seconds": round(time.perf_counter() - start_s, 1), "peak_mb": round(peak / 1e6)}


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    part.__name__: part for part in (tiles, png, folder, start, pipeline, where)
}
"""Tiles first: the largest child so far is what the system tells of."""


def _machine() -> dict[str, Any]:
    from leadline.io.machine import this_machine
    from leadline.plugins.need import has

    there = [name for name in PACKAGES if has("PIL" if name == "pillow" else name)]
    return {
        **this_machine().to_dict(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in there},
    }


def main(names: list[str]) -> None:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    results["machine"] = _machine()
    for name in names or list(PARTS):
        results[name] = PARTS[name]()
        print(name, json.dumps(results[name], indent=2), flush=True)
        RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    print(f"leadline {leadline.__version__}, {THREADS} threads")
    main(sys.argv[1:])
