"""Measures how long scoring takes, beside a straightforward numpy and scikit-image implementation in the same run.

    python benchmarks/metrics.py                  # a made-up room
    python benchmarks/metrics.py nyu:NYU_FOLDER   # the first frames of a set

One 640x480 pair after another on one thread, both ways in turn, so that whatever else the machine does falls on both alike. The
straightforward way is what evaluation scripts do: it takes the valid pixels out once, writes each formula down as one line of
numpy in the same precision, and calls scikit-image for PSNR and SSIM. Both give the same numbers, which is looked at first.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import minimum_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import leadline
from leadline.ops.metrics import METRICS, Family, MeasureOptions, measure
from leadline.ops.resize import resize

HERE = Path(__file__).resolve().parent
LIMITS_M = (1e-3, 10.0)
PAIRS, ROUNDS = 8, 15
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
OPTIONS = MeasureOptions(data_range_m=10.0)
DEPTH = [name for name, metric in METRICS.items() if metric.family is Family.PIXELS and name != "psnr"]
SETS = {"per-pixel depth metrics": DEPTH, "with PSNR and SSIM": [*DEPTH, "psnr", "ssim"]}
Pair = tuple[leadline.DepthMap, leadline.DepthMap]


def pairs_of(place: str) -> list[Pair]:
    """Predictions with an error that varies slowly, of real or made-up truth at 640x480."""
    options = {"width": 640, "height": 480} if place == "synthetic" else {}
    frames = leadline.open_dataset(place, options=options)
    rng = np.random.default_rng(0)
    pairs = []
    for k in range(min(PAIRS, len(frames))):
        truth = resize(frames[k].truth, width=640, height=480)
        slow = np.kron(rng.normal(1, 0.1, (15, 20)), np.ones((32, 32))) * rng.normal(1, 0.01, truth.shape)
        known = np.where(truth.valid, truth.values, 2.5)
        pairs.append((leadline.DepthMap(np.maximum(known * slow, 0.01), truth.kind), truth))
    return pairs


def ours(pair: Pair, names: list[str]) -> dict[str, float]:
    """leadline's way."""
    found = measure(*pair, names=names, limits_m=LIMITS_M, clamp_m=LIMITS_M, options=OPTIONS)
    return {name: getattr(found, name) for name in names}


def straightforward(pair: Pair, names: list[str]) -> dict[str, float]:
    """The usual way: one line a metric."""
    prediction, truth = pair[0].values.astype(np.float64), pair[1].values.astype(np.float64)
    mask = (truth > LIMITS_M[0]) & (truth < LIMITS_M[1]) & np.isfinite(prediction)
    prediction = np.clip(prediction, *LIMITS_M)
    p, g = prediction[mask], truth[mask]
    d = np.log(p) - np.log(g)
    thresh = np.maximum(p / g, g / p)
    found = {
        "abs_rel": np.mean(np.abs(p - g) / g),
        "sq_rel": np.mean((p - g) ** 2 / g),
        "sq_rel_squared": np.mean((p - g) ** 2 / g**2),
        "rmse": np.sqrt(np.mean((p - g) ** 2)),
        "mae": np.mean(np.abs(p - g)),
        "rmse_log": np.sqrt(np.mean(d**2)),
        "log10": np.mean(np.abs(np.log10(p) - np.log10(g))),
        "silog": np.sqrt(np.mean(d**2) - np.mean(d) ** 2),
        "silog_100": np.sqrt(np.mean(d**2) - np.mean(d) ** 2) * 100,
        "silog_085": np.sqrt(np.mean(d**2) - 0.85 * np.mean(d) ** 2) * 10,
        "silog_050": np.mean(d**2) - 0.5 * np.mean(d) ** 2,
        "irmse": np.sqrt(np.mean((1 / p - 1 / g) ** 2)) * 1000,
        "imae": np.mean(np.abs(1 / p - 1 / g)) * 1000,
        "delta1": np.mean(thresh < 1.25),
        "delta2": np.mean(thresh < 1.25**2),
        "delta3": np.mean(thresh < 1.25**3),
    }
    if "ssim" in names:
        found["psnr"] = peak_signal_noise_ratio(g, p, data_range=10.0)
        x, y = np.where(mask, prediction, 0), np.where(mask, truth, 0)
        _, full = structural_similarity(x, y, data_range=10.0, full=True)
        free = minimum_filter(mask, 7)
        found["ssim"] = full[3:-3, 3:-3][free[3:-3, 3:-3]].mean()
    return {name: float(found[name]) for name in names}


def timed_ms(act: Callable[[], Any]) -> float:
    start = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - start)


def compared(pairs: list[Pair], names: list[str]) -> dict[str, Any]:
    """Both ways in turn over all pairs, after both were seen to give the same."""
    for pair in pairs:
        mine, theirs = ours(pair, names), straightforward(pair, names)
        assert all(math.isclose(mine[name], theirs[name], rel_tol=1e-6) for name in names), (mine, theirs)
    times = [
        (timed_ms(lambda: ours(pair, names)), timed_ms(lambda: straightforward(pair, names)))  # noqa: B023 - called at once
        for _ in range(ROUNDS)
        for pair in pairs
    ]
    fast, slow = zip(*times, strict=True)
    return {
        "leadline_ms": _spread(fast),
        "straightforward_ms": _spread(slow),
        "ratio": _spread([theirs / mine for mine, theirs in times]),
        "metrics": len(names),
    }


def others(pair: Pair) -> dict[str, Any]:
    """The rest of the families, which have no usual way beside them."""
    seen = (pair[0], pair[1].with_camera(leadline.Camera(518.9, 519.5, 325.6, 253.7, 640, 480)))
    found = {}
    for family in (Family.ORDER, Family.BOUNDARY, Family.NORMALS, Family.CLOUD):
        names = [name for name, metric in METRICS.items() if metric.family is family]
        times = [timed_ms(lambda: ours(seen, names)) for _ in range(3)]  # noqa: B023 - called at once
        found[family.value] = _spread(times)
    return found


def _spread(values: Any) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
        "runs": len(values),
    }


def _machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "cpu": model or platform.processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("leadline", "numpy", "scipy", "scikit-image")},
        "threads": 1,
        "size": "640x480",
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", nargs="?", default="synthetic", help="a dataset, as leadline opens it")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "metrics.json")
    arguments = parser.parse_args()
    pairs = pairs_of(arguments.data)
    results = {
        "machine": _machine(),
        "holes": round(1 - float(np.mean([truth.valid.mean() for _, truth in pairs])), 4),
        **{title: compared(pairs, names) for title, names in SETS.items()},
        "others_ms": others(pairs[0]),
    }
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
