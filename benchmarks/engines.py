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
THREADS, ROUNDS, PHOTOS = 2, 7, 6
KIND = "affine-invariant-inverse-depth"
PACKAGES = ("leadline", "numpy", "pillow", "onnxruntime", "isal", "torch", "transformers")


def checkpoint(folder: Path) -> Path:
    """Depth Anything V2-small as published, but for its weights."""
    import torch
    from transformers import (
        DepthAnythingConfig,
        DepthAnythingForDepthEstimation,
        Dinov2Config,
        DPTImageProcessor,
    )

    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=6,
        image_size=518,
        patch_size=14,
        out_indices=[3, 6, 9, 12],
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=384,
        neck_hidden_sizes=[48, 96, 192, 384],
        fusion_hidden_size=64,
        head_hidden_size=32,
    )
    DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    DPTImageProcessor(
        size={"height": 518, "width": 518}, keep_aspect_ratio=True, ensure_multiple_of=14
    ).save_pretrained(folder)
    return folder


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
    import torch
    from transformers import pipeline as made_pipeline

    from leadline.engines.torch.compiling import why_not
    from leadline.engines.torch.precision import precisions_on

    with tempfile.TemporaryDirectory() as name:
        model = checkpoint(Path(name) / "depth-anything-v2-small-random")
        shown = photos(Path(name) / "photos", count=PHOTOS, width=741, height=500)
        torch.set_num_threads(THREADS)
        theirs = made_pipeline("depth-estimation", model=str(model), device="cpu")
        out = Path(name) / "theirs"
        out.mkdir()

        def plain() -> float:
            start_s = time.perf_counter()
            for photo in sorted(shown.iterdir()):
                depth = theirs(Pil.open(photo))["predicted_depth"].squeeze().numpy()
                low, high = float(depth.min()), float(depth.max())
                stored = np.rint((depth - low) / (high - low) * 65535).astype(np.uint16)
                Pil.fromarray(stored).save(out / f"{photo.stem}.png")
            return PHOTOS / (time.perf_counter() - start_s)

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

        ways = {"pipeline": plain, "fp32": ours("fp32", "no")}
        if "bf16" in precisions_on("cpu"):
            ways["bf16"] = ours("bf16", "no")
        if not why_not("cpu"):
            ways["fp32 compiled"] = ours("fp32", "yes")
        speeds = _in_turn(ways)
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


def _in_turn(ways: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
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

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        model = checkpoint(Path(name) / "depth-anything-v2-small-random")
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
    with tempfile.TemporaryDirectory() as name:
        model = checkpoint(Path(name) / "depth-anything-v2-small-random")
        shown = photos(Path(name) / "photos", count=1, width=741, height=500)
        found: dict[str, Any] = {}
        for compile in ("no", "yes"):
            environment = {**os.environ, "LEADLINE_CACHE": str(Path(name) / f"cache-{compile}")}
            command = [
                sys.executable,
                "-m",
                "leadline",
                "predict",
                str(shown),
                "-m",
                str(model),
                "--kind",
                KIND,
            ]
            command += [
                "--threads",
                str(THREADS),
                "--compile",
                compile,
                "-f",
                "png16",
                "-o",
                str(Path(name) / "o"),
            ]
            seconds = []
            for _ in range(3):
                start_s = time.perf_counter()
                subprocess.run(command, check=True, env=environment, capture_output=True)
                seconds.append(time.perf_counter() - start_s)
            found[f"compile {compile}"] = {
                "first_s": round(seconds[0], 2),
                "second_s": round(min(seconds[1:]), 2),
                "ratio": round(min(seconds[1:]) / seconds[0], 3),
            }
    return found


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
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "cpu": model or platform.processor(),
        "processors": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES if _is_here(name)},
    }


def _is_here(package: str) -> bool:
    from leadline.plugins.need import has

    return has("PIL" if package == "pillow" else package)


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
