"""Times and memory of a whole evaluation: decoding, the embedded model, alignments, metrics, rows, report.

    python benchmarks/evaluate.py nyu:FRAMES [--images 654]

Each run is a process of its own with an empty cache of predictions; the second goes on in a finished folder. Memory is the
peak of the process (VmHWM). Nothing else should run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import leadline

HERE = Path(__file__).resolve().parent
RUN = """
import sys
from pathlib import Path
from leadline.flows.evaluate.request import EvaluateRequest
from leadline.flows.evaluate.run import run
place, count, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
found = run(EvaluateRequest(place, protocol="nyu-eigen-filled", first=count, out=out))
figure = found.figure("leadline-indoor-small", "abs_rel")
peak = next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(len(found.rows), figure.mean, peak)
"""


def measured(place: str, count: int, out: Path, cache: Path) -> dict[str, Any]:
    """One process: seconds from start to end, peak memory, and the figure it printed."""
    env = os.environ | {"LEADLINE_CACHE": str(cache)}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", RUN, place, str(count), str(out)],
        capture_output=True,
        text=True,
        check=True,
        env=env,
    )
    images, abs_rel, peak = done.stdout.split()
    return {
        "images": int(images),
        "wall_s": round(time.perf_counter() - start, 2),
        "peak_mb": int(peak),
        "abs_rel": float(abs_rel),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("place", help="NYU frames, as NAME:PATH")
    parser.add_argument("--images", type=int, default=654)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        results = {
            "fewer": measured(asked.place, asked.images // 6, at / "fewer", at / "one"),
            "all": measured(asked.place, asked.images, at / "all", at / "two"),
            "again, in the finished folder": measured(asked.place, asked.images, at / "all", at / "two"),
            "another folder, predictions kept": measured(asked.place, asked.images, at / "other", at / "two"),
        }
    report = {
        "leadline": leadline.__version__,
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} logical cores",
        "python": platform.python_version(),
        "results": results,
    }
    (HERE / "results" / "evaluate.json").write_text(json.dumps(report, indent=1) + "\n")
    for name, row in results.items():
        print(
            f"{name:34} {row['images']:4} images  {row['wall_s']:6.1f} s  {row['peak_mb']:5} MB  AbsRel {row['abs_rel']:.6f}"
        )


if __name__ == "__main__":
    main()
