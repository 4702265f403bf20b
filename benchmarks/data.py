"""Times of reading, making and drawing data: a set end to end, made-up rooms, and one 3D scatter beside a loop of points.

python benchmarks/data.py NYU_FOLDER
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import leadline
from leadline.io.plots import draw_points
from leadline.ops.geometry import unproject

HERE = Path(__file__).resolve().parent
PEAK = """
import sys, leadline
found = []
for _ in range(3):
    for sample in leadline.open_dataset(sys.argv[1]).read(workers=2): pass
    found.append(next(int(l.split()[1]) // 1024 for l in open("/proc/self/status") if l.startswith("VmHWM")))
print(*found)
"""


def timed(act: Callable[[], Any]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def drain(collection: Any, *, workers: int = 2) -> int:
    return sum(1 for _ in collection.read(workers=workers))


def reading(place: str) -> dict[str, Any]:
    """Opening a set, and decoding all of it."""
    opened = [timed(lambda: leadline.open_dataset(place)) for _ in range(3)]
    collection = leadline.open_dataset(place)
    decoded = [timed(lambda: drain(collection)) for _ in range(2)]
    done = subprocess.run([sys.executable, "-c", PEAK, place], capture_output=True, text=True, check=True)
    peaks = [int(word) for word in done.stdout.split()]
    return {
        "frames": len(collection),
        "open_s": opened,
        "decode_s": decoded,
        "peak_mb_after_each_of_3_passes": peaks,
    }


def making(count: int = 120) -> dict[str, Any]:
    """Made-up rooms at 320x240, read by two threads."""
    rates = []
    for seed in range(3):
        rooms = leadline.open_dataset("synthetic", options={"seed": seed}).select(first=count)
        rates.append(count / timed(lambda rooms=rooms: drain(rooms)))
    return {"frames": count, "frames_per_s": rates}


def point_by_point(points: np.ndarray) -> None:
    """The public tutorial's way: one call of scatter a point."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 6.5), dpi=110)
    canvas = FigureCanvasAgg(figure)
    axes: Any = figure.add_subplot(projection="3d")
    for x, y, z in points:
        axes.scatter(x, z, -y)
    canvas.draw()


def scattering() -> dict[str, Any]:
    """Every third pixel of a 96x72 room, drawn in one call and point by point."""
    sample = leadline.open_dataset("synthetic", options={"width": 96, "height": 72})[4]
    part = np.zeros(sample.truth.shape, bool)
    part[::3, ::3] = True
    thin = leadline.DepthMap(sample.truth.values, sample.truth.kind, valid=part, camera=sample.truth.camera)
    points = unproject(thin).points_N3
    draw_points(points, colours_N3=None, title="", unit="m")
    pairs = [
        (
            timed(lambda: draw_points(points, colours_N3=None, title="", unit="m")),
            timed(lambda: point_by_point(points)),
        )
        for _ in range(3)
    ]
    ratios = [slow / fast for fast, slow in pairs]
    return {"points": len(points), "one_call_s": [a for a, _ in pairs], "point_by_point_s": [b for _, b in pairs], "ratio": statistics.median(ratios)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nyu", help="folder of mirrored 8-bit NYU frames")
    parser.add_argument("--out", type=Path, default=HERE / "results/data.json")
    arguments = parser.parse_args()
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "")  # fmt: skip
    results = {
        "machine": {"cpu": cpu, "system": platform.platform(), "python": platform.python_version()},
        "leadline": leadline.__version__,
        "reading": reading(arguments.nyu),
        "making": making(),
        "scattering": scattering(),
    }
    arguments.out.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
