"""Measures what the quick path costs: start-up, one photo, a folder, 24-megapixel photos, installed size.

    python benchmarks/first_light.py                 # all, into benchmarks/results/first_light.json
    python benchmarks/first_light.py start network   # some

Nothing else should run meanwhile. Ratios are measured side by side in one run.
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
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PilImage

import leadline
from leadline.engines.threads import physical_cores
from leadline.flows.predict import PredictRequest, run
from leadline.plugins.ports import ExportOptions
from leadline.plugins.registry import EXPORTERS, load

HERE = Path(__file__).resolve().parent
PHOTO = Path(leadline.__file__).parent / "data" / "photos" / "astronaut.jpg"
THREADS = 2
BASE = ("numpy", "pillow", "onnxruntime", "click", "tqdm", "platformdirs", "trimesh", "OpenEXR", "cmap")


def _wall_s(command: list[str], *, runs: int, cwd: Path) -> list[float]:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return times


def _spread(times: list[float], unit: float = 1.0) -> dict[str, float]:
    return {
        "median": round(statistics.median(times) * unit, 4),
        "min": round(min(times) * unit, 4),
        "max": round(max(times) * unit, 4),
        "runs": len(times),
    }


def _photo_of(width: int, height: int, seed: int) -> PilImage.Image:
    """The bundled photo at another size with a little noise, so that no two files are alike."""
    noise = np.random.default_rng(seed).normal(0, 2, (height // 8 + 1, width // 8 + 1, 3))
    base = np.asarray(PilImage.open(PHOTO).resize((width, height), PilImage.Resampling.BICUBIC), np.float32)
    grown = np.kron(noise, np.ones((8, 8, 1)))[:height, :width]
    return PilImage.fromarray(np.clip(base + grown, 0, 255).astype(np.uint8))


def start() -> dict[str, Any]:
    """Imports, help, and a whole cold process."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        python = [sys.executable]
        exe = [sys.executable, "-m", "leadline"]
        imports = []
        for _ in range(9):
            pair = [
                _wall_s([*python, "-c", f"import {name}"], runs=1, cwd=here)[0]
                for name in ("numpy", "numpy, leadline")
            ]
            imports.append(pair[1] - pair[0])
        trace = subprocess.run(
            [*python, "-X", "importtime", "-c", "import leadline"],
            capture_output=True,
            text=True,
            cwd=here,
            check=True,
        )
        rows = [line.split("|") for line in trace.stderr.splitlines() if line.count("|") == 2]
        cumulative_us = {row[2].strip(): int(row[1]) for row in rows if row[1].strip().isdigit()}
        own_us = cumulative_us["leadline"] - cumulative_us.get("numpy", 0)
        shutil.copy(PHOTO, here / "photo.jpg")
        return {
            "import_over_numpy_ms": _spread(imports, 1000),
            "importtime_over_numpy_ms": own_us / 1000,
            "help_s": _spread(_wall_s([*exe, "--help"], runs=9, cwd=here)),
            "predict_cold_s": _spread(_wall_s([*exe, "predict", "photo.jpg"], runs=9, cwd=here)),
        }


def network() -> dict[str, Any]:
    """The embedded model with its pre- and post-processing, 640x480 in and out, two threads."""
    images = [leadline.Image.from_array(np.asarray(_photo_of(640, 480, k))) for k in range(8)]
    times = []
    with leadline.open_model("leadline-indoor-small", threads=THREADS) as model:
        for image in images:
            model.infer([image])
        for k in range(80):
            begin = time.perf_counter()
            model.infer([images[k % len(images)]])
            times.append(time.perf_counter() - begin)
    return {"ms_per_image": _spread(times, 1000), "threads": THREADS, "size": "640x480"}


def folder() -> dict[str, Any]:
    """200 photos: the whole against its slowest stage alone and against CPU time over cores."""
    with tempfile.TemporaryDirectory() as name:
        photos, out = Path(name) / "photos", Path(name) / "out"
        photos.mkdir()
        for k in range(200):
            _photo_of(640, 480, k).save(photos / f"{k:03}.jpg", quality=92)
        results = [_folder_once(photos, out, repeat) for repeat in range(3)]
    results.sort(key=lambda r: r["ratio"])
    return {"median_of_3": results[1], "all": results}


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _folder_once(photos: Path, out: Path, repeat: int) -> dict[str, Any]:
    files = sorted(photos.iterdir())
    before_s, begin = _cpu_s(), time.perf_counter()
    report = run(PredictRequest((str(photos),), out=out / f"run{repeat}"))
    wall_s, cpu_s = time.perf_counter() - begin, _cpu_s() - before_s
    assert len(report.done) == len(files), report
    begin = time.perf_counter()
    images = [leadline.read_image(file) for file in files]
    decode_s = time.perf_counter() - begin
    with leadline.open_model("leadline-indoor-small") as model:
        begin = time.perf_counter()
        predictions = [model.predict(image) for image in images]
        infer_s = time.perf_counter() - begin
    writers = [(EXPORTERS.get(fmt), load(EXPORTERS.get(fmt).adapter)()) for fmt in ("png16", "colour")]
    begin = time.perf_counter()
    for file, prediction in zip(files, predictions, strict=True):
        for spec, writer in writers:
            writer.write(
                prediction, out / f"alone{repeat}" / f"{file.stem}{spec.suffix}", options=ExportOptions()
            )
    encode_s = time.perf_counter() - begin
    bound_s = max(decode_s, infer_s, encode_s, cpu_s / physical_cores())
    return {
        "photos": len(files),
        "wall_s": round(wall_s, 3),
        "photos_per_s": round(len(files) / wall_s, 1),
        "stage_alone_s": {
            "decode": round(decode_s, 3),
            "infer": round(infer_s, 3),
            "encode": round(encode_s, 3),
        },
        "cpu_s_over_cores": round(cpu_s / physical_cores(), 3),
        "ratio": round(wall_s / bound_s, 3),
    }


def large() -> dict[str, Any]:
    """100 photos of 24 megapixels in one process: peak memory, and whether it grows."""
    with tempfile.TemporaryDirectory() as name:
        photos = Path(name) / "photos"
        photos.mkdir()
        for k in range(5):
            _photo_of(6000, 4000, k).save(photos / f"{k:03}.jpg", quality=90)
        for k in range(5, 100):
            os.link(photos / f"{k % 5:03}.jpg", photos / f"{k:03}.jpg")
        code = (
            "import resource, sys\n"
            "def peak_kb():\n"
            "    try:\n"
            "        lines = open('/proc/self/status').read().splitlines()\n"
            "        return int(next(line for line in lines if line.startswith('VmHWM')).split()[1])\n"
            "    except OSError:  # not Linux; there ru_maxrss does not count what the parent held\n"
            "        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "from leadline.flows.predict import PredictRequest, run\n"
            "from pathlib import Path\n"
            "peaks = []\n"
            "def tell(event):\n"
            "    peaks.append(peak_kb())\n"
            "report = run(PredictRequest((sys.argv[1],), out=Path(sys.argv[2])), on_event=tell)\n"
            "print(len(report.done), report.time_s, *peaks)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(photos), str(Path(name) / "out")],
            capture_output=True,
            text=True,
            check=True,
        )
    count, seconds, *peaks = done.stdout.split()
    peak_mb = [int(value) / 1e6 * 1024 for value in peaks]
    return {
        "photos": int(count),
        "seconds": float(seconds),
        "peak_mb": round(peak_mb[-1]),
        "peak_mb_after": {str(k): round(peak_mb[min(k, len(peak_mb) - 1)]) for k in (5, 10, 25, 50, 100)},
    }


def size() -> dict[str, Any]:
    """Bytes on disk of leadline and of every package that the base install brings."""
    seen: dict[str, int] = {}
    queue = ["leadline"]
    while queue:
        name = queue.pop()
        if name.lower() in seen:
            continue
        dist = distribution(name)
        files = [Path(str(dist.locate_file(file))) for file in dist.files or []]
        total = sum(file.stat().st_size for file in files if file.is_file())
        if name == "leadline":
            total = sum(
                file.stat().st_size
                for file in Path(leadline.__file__).parent.rglob("*")
                if "__pycache__" not in file.parts and file.is_file()
            )
        seen[name.lower()] = total
        queue += [
            r.split(";")[0].split("[")[0].strip(" <>=!~().0123456789,")
            for r in dist.requires or []
            if "extra" not in r and _wanted(r)
        ]
    return {
        "total_mb": round(sum(seen.values()) / 1e6, 1),
        "mb": {k: round(v / 1e6, 1) for k, v in sorted(seen.items())},
    }


def _wanted(requirement: str) -> bool:
    from packaging.requirements import Requirement

    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate()


MEASURES: dict[str, Callable[[], dict[str, Any]]] = {
    f.__name__: f for f in (start, network, folder, large, size)
}


def _machine() -> dict[str, Any]:
    model = ""
    if Path("/proc/cpuinfo").exists():
        model = next(
            (
                line.split(":")[1].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")
            ),
            "",
        )
    return {
        "cpu": model or platform.processor(),
        "cores": physical_cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("leadline", *BASE)},
    }


def main(names: list[str]) -> None:
    path = HERE / "results" / "first_light.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    results["machine"] = _machine()
    for name in names or list(MEASURES):
        results[name] = MEASURES[name]()
        print(name, json.dumps(results[name], indent=2), flush=True)
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
