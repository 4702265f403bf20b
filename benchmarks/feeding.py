"""Measures how fast a network is fed, beside the usual way: Hugging Face ``datasets``, Pillow and albumentations.

    python benchmarks/feeding.py DATA       # DATA: a folder of 640x480 photos with 16-bit depth, as leadline opens it

Both ways read the same files, draw from the same recipe with the same chances, and give batches of the same shapes and
types: pixel_values (N, 3, 448, 576) float32 from 0 to 1, labels (N, 448, 576) float32 metres. The usual way is the Hugging
Face guide to depth estimation, with a ``DataLoader``. Epochs alternate, in one run, so that whatever else the machine
does falls on all alike. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import albumentations as A  # noqa: N812 - its users' own name for it
import numpy as np
import torch
from PIL import Image as PilImage
from torch.utils.data import DataLoader

import datasets
import leadline

HERE = Path(__file__).resolve().parent
PAIRS, BATCH, WORKERS, ROUNDS = 832, 8, 2, 9
PACKAGES = ("leadline", "numpy", "pillow", "opencv-python-headless", "torch", "albumentations", "datasets")


def prepare(source: str, folder: Path) -> None:
    """``PAIRS`` different pairs in the layout of Redwood: real frames, shifted sideways where there are too few."""
    frames = leadline.open_dataset(source)
    for name in ("color", "depth"):
        (folder / name).mkdir(parents=True)
    for k in range(PAIRS):
        sample = frames[k % len(frames)]
        shift = k // len(frames) * 7
        rgb = np.roll(sample.image.rgb_HW3, shift, 1)
        known = np.where(sample.truth.valid, sample.truth.values, 0)
        mm = np.roll(np.rint(known * 1000), shift, 1).astype(np.uint16)
        if mm.shape != (480, 640) or rgb.shape != (480, 640, 3):
            raise SystemExit(f"{source} holds frames of {rgb.shape[1]}x{rgb.shape[0]}, not 640x480")
        PilImage.fromarray(rgb).save(folder / "color" / f"{k:05}.jpg", quality=90)
        PilImage.fromarray(mm).save(folder / "depth" / f"{k:05}.png")


def usual(folder: Path) -> Iterable[Any]:
    """The guide's way."""
    photos, depths = (sorted(map(str, (folder / name).iterdir())) for name in ("color", "depth"))
    rows = datasets.Dataset.from_dict({"image": photos, "depth_map": depths})
    rows = rows.cast_column("image", datasets.Image()).cast_column("depth_map", datasets.Image())
    recipe = A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.RandomCrop(448, 576),
            A.RandomBrightnessContrast(),
            A.RandomGamma(),
            A.HueSaturationValue(),
        ],
        additional_targets={"depth": "mask"},
    )

    def transform(examples: dict[str, list[Any]]) -> dict[str, list[torch.Tensor]]:
        pixels, labels = [], []
        for image, depth in zip(examples["image"], examples["depth_map"], strict=True):
            metres = np.array(depth).astype(np.float32) / 1000
            done = recipe(image=np.array(image), depth=metres)
            pixels.append(torch.from_numpy(done["image"]).permute(2, 0, 1).contiguous().float().div(255))
            labels.append(torch.from_numpy(done["depth"]))
        return {"pixel_values": pixels, "labels": labels}

    rows.set_transform(transform)
    return DataLoader(rows, batch_size=BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True)


def ours(place: str) -> Iterable[Any]:
    """leadline's way: the default recipe is the same."""
    return leadline.open_dataset(place).augmented().loader(batch_size=BATCH, workers=WORKERS)


def converted(folder: Path, target: Path) -> str:
    """The same data as ``leadline data convert`` writes it."""
    command = [sys.executable, "-m", "leadline", "data", "convert", f"redwood:{folder}", str(target)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return f"leadline:{target}"


def epoch(loader: Iterable[Any]) -> float:
    """Images a second over one pass; shapes and types of every batch are looked at."""
    start, count = time.perf_counter(), 0
    for batch in loader:
        pixels, labels = batch["pixel_values"], batch["labels"]
        assert pixels.shape[1:] == (3, 448, 576), pixels.shape
        assert pixels.dtype == labels.dtype == torch.float32
        assert labels.shape[1:] == (448, 576), labels.shape
        count += len(labels)
    assert count == PAIRS, count
    return count / (time.perf_counter() - start)


def measure(ways: dict[str, Iterable[Any]]) -> dict[str, Any]:
    """All ways in turn, one epoch each, ``ROUNDS`` times after one that is not counted."""
    for loader in ways.values():
        epoch(loader)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    loads = []
    for _ in range(ROUNDS):
        for name, loader in ways.items():
            rates[name].append(epoch(loader))
        loads.append(os.getloadavg()[0])
    results: dict[str, Any] = {
        name: {"images_per_s": _spread(values), "all": [round(value, 1) for value in values]}
        for name, values in rates.items()
    }
    for name in rates:
        pairs = [mine / theirs for mine, theirs in zip(rates[name], rates["usual"], strict=True)]
        results[name]["times_the_usual_way"] = _spread(pairs)
    results["load_average"] = [round(load, 2) for load in loads]
    return results


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
    }


def _machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "cpu": model or platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "pairs": PAIRS,
        "batch": BATCH,
        "workers": WORKERS,
        "size": "640x480",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", help="dataset of 640x480 frames, as leadline opens it")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "feeding.json")
    arguments = parser.parse_args()
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "frames"
        prepare(arguments.data, folder)
        makers: dict[str, Callable[[], Iterable[Any]]] = {
            "usual": lambda: usual(folder),
            "same files": lambda: ours(f"redwood:{folder}"),
            "converted": lambda: ours(converted(folder, Path(name) / "converted")),
        }
        results = {"machine": _machine(), **measure({way: make() for way, make in makers.items()})}
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
