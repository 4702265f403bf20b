"""Runs that end half-way: Ctrl-C, a request to end, a full disk. What is finished is whole, and nothing half remains."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadline.io.depth_files import read_depth

MODEL = ("-m", "brightness-test", "-f", "npz")
PHOTOS, FEW = 200, 8


def _hear() -> None:
    """In a process that was begun: takes Ctrl-C, also where the tests run in the background of a shell, which mutes it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _start(arguments: list[str | Path], environment: dict[str, str], **more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "leadline", "predict", *map(str, arguments), *MODEL]
    more.setdefault("preexec_fn", _hear)
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def _wait_for_files(out: Path, number: int, process: subprocess.Popen[str]) -> None:
    for _ in range(3000):
        if len(list(out.glob("*_depth.npz"))) >= number:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    raise AssertionError("no file appeared")


def _all_whole(out: Path) -> int:
    files = [path for path in out.rglob("*") if path.is_file()]
    assert not [path for path in files if path.name.startswith(".")], "a half file remains"
    for path in files:
        assert read_depth(path)[0].shape == (480, 640)
    return len(files)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_an_interrupted_run_leaves_whole_files_and_can_be_gone_on_with(
    plugged: dict[str, str], many: Callable[[int], Path], tmp_path: Path, sign: signal.Signals
) -> None:
    photos, out = many(PHOTOS), tmp_path / "out"
    process = _start([photos, "-o", out], plugged)
    _wait_for_files(out, 3, process)
    process.send_signal(sign)
    _told, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert (
        f"of {PHOTOS} photos; the files in {out} are whole, and --skip-existing goes on from there" in errors
    )
    assert errors.rstrip().endswith("leadline: interrupted")
    made = _all_whole(out)
    assert 3 <= made < PHOTOS
    again = _start([photos, "-o", out, "--skip-existing"], plugged)
    told, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert f"{PHOTOS - made} photos done" in told
    assert f"{made} there already" in told
    assert _all_whole(out) == PHOTOS


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 18 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=18m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk is not permitted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_full_ends_the_run_and_finished_files_stay(
    plugged: dict[str, str], many: Callable[[int], Path], small_disk: Path
) -> None:
    (small_disk / "ballast").write_bytes(os.urandom(13_000_000))
    process = _start([many(FEW), "-o", small_disk / "out"], plugged)
    told, errors = process.communicate(timeout=60)
    assert process.returncode == 10
    assert "the disk is full; free some space or choose another folder" in errors
    assert "Traceback" not in errors
    made = _all_whole(small_disk / "out")
    assert made < FEW
    (small_disk / "ballast").unlink()
    again = _start([small_disk.parent / "many", "-o", small_disk / "out", "--skip-existing"], plugged)
    told, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert f"{FEW - made} photos done" in told
    assert _all_whole(small_disk / "out") == FEW


def test_a_file_that_may_not_grow_is_an_output_error(
    plugged: dict[str, str], many: Callable[[int], Path], tmp_path: Path
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    process = _start([many(2), "-o", tmp_path / "out"], plugged, preexec_fn=limit)
    _told, errors = process.communicate(timeout=60)
    assert process.returncode == 10
    assert "cannot be written" in errors
    assert _all_whole(tmp_path / "out") == 0


def test_a_small_file_before_the_disk_is_full_is_kept(
    plugged: dict[str, str], many: Callable[[int], Path], tmp_path: Path
) -> None:
    """The quick look at a run that cannot end well: what was there before is still there."""
    photos, out = many(2), tmp_path / "out"
    first = _start([photos / "0000.bmp", "-o", out], plugged)
    assert first.wait(60) == 0
    first.communicate()
    before = (out / "0000_depth.npz").read_bytes()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    second = _start([photos, "-o", out], plugged, preexec_fn=limit)
    second.communicate(timeout=60)
    assert second.returncode == 10
    assert (out / "0000_depth.npz").read_bytes() == before


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="sees processes as Linux shows them")
def test_an_interrupted_benchmark_keeps_what_was_measured_and_leaves_no_process(
    plugged: dict[str, str], tmp_path: Path
) -> None:
    scratch, out = tmp_path / "scratch", tmp_path / "results.json"
    scratch.mkdir()
    line = [
        "benchmark",
        "brightness-test",
        "--engine",
        "onnxruntime",
        "--rounds",
        "1000",
        "--seconds",
        "0.05",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "leadline", *line, "--size", "16x12", "-o", str(out)],
        env={**plugged, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_hear,
    )
    for _ in range(6000):
        if list(scratch.glob("leadline-benchmark-*/made-*/*_depth.png")):
            break
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all that it started
    told, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "leadline: interrupted; what was measured until then is kept\n"
    assert "brightness-test  onnxruntime  " in told
    results = json.loads(out.read_text())
    assert results["complete"] is False
    assert results["rows"][0]["reason"] == ""
    assert 1 <= len(results["rows"][0]["ms"]) < 1000
    kept = json.loads((tmp_path / "cache" / "measurements.json").read_text())
    assert kept["rows"][0]["ms"] == results["rows"][0]["time_ms"]["median"]
    assert children
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert list(scratch.iterdir()) == []
