"""The parts of a benchmark: figures, photos, and the process that runs a variant."""

from __future__ import annotations

import errno
import io
import json
import pickle
import signal
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leadline.core.errors import EngineError, InputError, OutputError
from leadline.flows.benchmark import BenchmarkRequest, run
from leadline.flows.measuring import photos as photos_module
from leadline.flows.measuring import process, worker
from leadline.flows.measuring.order import Order, Variant
from leadline.flows.measuring.photos import PHOTOS, fill_album
from leadline.flows.measuring.process import begin
from leadline.flows.measuring.report import Spread
from leadline.io.depth_files import read_depth
from leadline.plugins.ports import EngineOptions
from leadline.plugins.specs import ModelSpec, Weights


def _size(file: Path) -> tuple[int, int]:
    with Image.open(file) as picture:
        return picture.size


@pytest.mark.parametrize("count", [2, 7, 40])
def test_a_spread_is_that_of_another_library(count: int) -> None:
    figures = list(np.random.default_rng(count).lognormal(size=count))
    spread = Spread.of(figures)
    assert spread is not None
    tenths = statistics.quantiles(figures, n=10, method="inclusive")
    assert (spread.low, spread.median, spread.high) == pytest.approx(
        (tenths[0], statistics.median(figures), tenths[8]), abs=1e-6
    )
    assert spread.count == count
    assert Spread.of([]) is None


def test_the_shipped_photo_is_brought_to_size_and_no_two_files_are_alike(tmp_path: Path) -> None:
    album = fill_album(tmp_path, sources=(), size=(64, 48), least=40)
    assert (len(album.files), album.size, album.source) == (40, "64x48", "the photo that ships")
    assert len({file.read_bytes() for file in album.files}) == 40
    assert {_size(file) for file in album.files} == {(64, 48)}


def test_own_photos_stay_as_they_are_and_come_round_again(album: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    sources = (str(album / "1.png"), str(album / "3.png"))
    made = fill_album(tmp_path / "a", sources=sources, size=None)
    assert (len(made.files), made.size, made.source) == (PHOTOS, "mixed", "2 of 2 that were given")
    assert made.files[4].read_bytes() == (album / "1.png").read_bytes()
    assert made.files[5].read_bytes() == (album / "3.png").read_bytes()
    (tmp_path / "b").mkdir()
    brought = fill_album(tmp_path / "b", sources=sources, size=(32, 24))
    assert brought.size == "32x24"
    assert {_size(file) for file in brought.files} == {(32, 24)}


def test_photos_on_another_disk_are_copied(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def far(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(photos_module.os, "link", far)
    (tmp_path / "a").mkdir()
    made = fill_album(tmp_path / "a", sources=(str(album / "2.png"),), size=None)
    assert made.files[31].read_bytes() == (album / "2.png").read_bytes()
    assert made.size == "16x12"


def test_a_disk_with_no_room_for_the_photos_is_an_output_error(
    known: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OutputError, match="the disk is full"):
        run(BenchmarkRequest((known.name,)))


@pytest.fixture
def order(brightness: ModelSpec, tmp_path: Path) -> Order:
    folder = tmp_path / "photos"
    folder.mkdir()
    album = fill_album(folder, sources=(), size=(32, 24))
    return Order(Variant(brightness, "onnxruntime", EngineOptions(1), 2), album.files)


def test_a_process_runs_a_variant(order: Order) -> None:
    running = begin(order)
    try:
        begun = running.begun
        assert begun.ran == "onnxruntime (CPU)"
        assert 0 < begun.first_s + begun.open_s < begun.start_s
        times = running.time(0.0)
        assert len(times) == 1
        assert times[0] > 0
        assert len(running.time(0.05)) > 1
        assert running.files(4) > 0
        memory = running.memory()
        assert memory.main_bytes is not None
        assert memory.main_bytes > 20_000_000
        assert memory.gpu_bytes is None
    finally:
        running.close()
    assert running._process.returncode == 0
    running.close()


def test_a_variant_that_cannot_be_run_says_why(order: Order) -> None:
    bad = replace(order, variant=replace(order.variant, options=EngineOptions(1, precision="int8")))
    with pytest.raises(EngineError, match="has no precision 'int8' on cpu"):
        begin(bad)


def test_a_process_that_dies_says_so(order: Order) -> None:
    running = begin(order)
    running._process.send_signal(signal.SIGKILL)
    with pytest.raises(EngineError, match="ended by signal 9; signal 9 often means that memory ran out"):
        running.time(0.0)
    running.close()
    spec = replace(order.variant.spec, weights=Weights("code:nowhere:make"))
    bad = replace(order, variant=replace(order.variant, spec=spec))
    with pytest.raises(
        EngineError, match="its process ended with status 1: ModuleNotFoundError: No module named 'nowhere'"
    ):
        begin(bad)


def test_a_process_that_does_not_end_by_itself_is_ended(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_GRACE_S", 0.1)
    running = begin(order)
    running._process.send_signal(signal.SIGSTOP)
    running.close()
    assert running._process.returncode == -signal.SIGKILL


class Clock:
    """Time that passes only where the subject lets it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def perf_counter(self) -> float:
        return self.now_s


class Slow:
    """A subject that takes a tenth of a second a photo, and as long again for files."""

    ran, remarks = "clockwork", ("it ticks",)

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.seen: list[str] = []

    def show(self, photos: Any) -> float:
        self.seen += [photo.name for photo in photos]
        self.clock.now_s += 0.1 * len(photos)
        return 0.1 * len(photos)

    def write(self, photos: Any, out: Path) -> float:
        assert out.is_dir()
        return 0.2 * len(photos)


def _talk(monkeypatch: pytest.MonkeyPatch, order: Order, subject: Any, *asked: dict[str, Any]) -> list[Any]:
    """What the worker answers, in this process: its pipes are files."""
    lines = b"".join(json.dumps(one).encode() + b"\n" for one in asked)
    told = io.StringIO()
    told.close = lambda: None  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pickle.dumps(order) + lines)))
    monkeypatch.setattr(worker.os, "fdopen", lambda *_, **__: told)
    monkeypatch.setattr(worker.os, "dup", lambda number: number)
    monkeypatch.setattr(worker.os, "dup2", lambda *_: None)
    monkeypatch.setattr(worker, "_subject", subject)
    worker.main()
    return [json.loads(line) for line in told.getvalue().splitlines()]


def test_the_worker_times_by_its_subject_and_counts_no_first_call(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(worker.time, "perf_counter", clock.perf_counter)
    subject = Slow(clock)
    begun, times, files, memory = _talk(
        monkeypatch,
        order,
        lambda _: subject,
        {"do": "time", "seconds": 0.55},
        {"do": "files", "photos": 4},
        {"do": "memory"},
    )
    assert begun == {
        "ran": "clockwork",
        "remarks": ["it ticks"],
        "open_s": 0.0,
        "first_s": pytest.approx(0.1),
    }
    # Two photos a call, 0.2 s: three calls are the first to pass 0.55 s, and one more was not counted.
    assert times["times_s"] == pytest.approx([0.1, 0.1, 0.1])
    assert subject.seen == ["0000.jpg", *(f"{k:04d}.jpg" for k in range(8))]
    assert files["photos_per_s"] == pytest.approx(5.0)
    assert memory["main_bytes"] > 0


def test_the_worker_says_what_went_wrong(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Order) -> Any:
        raise EngineError("no such thing", hint="look elsewhere")

    assert _talk(monkeypatch, order, fail) == [{"error": "no such thing; look elsewhere"}]

    def burst(_: Order) -> Any:
        raise MemoryError

    assert _talk(monkeypatch, order, burst) == [
        {"error": "out of memory; try smaller photos or a smaller batch"}
    ]


def test_leadlines_own_way_writes_files_and_refuses_photos_that_fail(order: Order, tmp_path: Path) -> None:
    own = worker.OwnSubject(order.variant, order.photos)
    assert own.show(order.photos[:2]) > 0
    assert own.write(order.photos[:3], tmp_path / "out") > 0
    assert len(list((tmp_path / "out").glob("*_depth.png"))) == 3
    (tmp_path / "bad.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        own.write([order.photos[0], tmp_path / "bad.jpg"], tmp_path / "out")


def test_prompted_models_are_given_a_floor(order: Order, tmp_path: Path) -> None:
    variant = replace(order.variant, spec=replace(order.variant.spec, prompted=True))
    own = worker.OwnSubject(variant, order.photos)
    assert own.show(order.photos[:2]) > 0
    assert own.write(order.photos[:3], tmp_path / "out") > 0
    (folder,) = order.photos[0].parent.glob("prompts-*")
    floor, _ = read_depth(folder / "0031_depth.npz")
    assert floor.shape == (192, 256)
    assert floor.kind == variant.spec.kind
    assert (floor.values[0, 0], floor.values[-1, -1]) == (3, 1)


def test_transformers_pipeline_writes_what_it_predicts(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from leadline.bridges.torch_memory import peak_gpu_bytes
    from leadline.io.weights import locate
    from leadline.plugins.registry import MODELS

    spec = MODELS.get("depth-anything-tiny")
    folder = tmp_path / "photos"
    folder.mkdir()
    files = fill_album(folder, sources=(), size=(80, 60)).files
    subject: Any = worker._subject(Order(Variant(spec, "pipeline", EngineOptions(1, "cpu"), 1), files))
    assert subject.ran.startswith("transformers")
    assert subject.show(files[:2]) > 0
    assert subject.write(files[:2], tmp_path) > 0
    with Image.open(tmp_path / "0000.png") as picture:
        stored = np.asarray(picture).astype(np.float64)
    assert (stored.shape, stored.min(), stored.max()) == ((60, 80), 0, 65535)
    import leadline

    with leadline.open_model("depth-anything-tiny", engine="torch", device="cpu") as model:
        values = model.predict(files[0]).depth.values.astype(np.float64)
    share = (values - values.min()) / (values.max() - values.min())
    assert np.abs(stored / 65535 - share).max() < 1e-3
    if not __import__("torch").cuda.is_available():
        assert peak_gpu_bytes() is None
        assert worker._gpu_bytes() is None
    with pytest.raises(EngineError, match="no pipeline to pair it with"):
        worker._subject(
            Order(Variant(MODELS.get("leadline-indoor-small"), "pipeline", EngineOptions(), 1), files)
        )
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text('{"model_type": "nothing"}')
    from leadline.bridges.transformers_pipeline import DepthPipeline

    with pytest.raises(EngineError, match="transformers' pipeline cannot run it"):
        DepthPipeline(broken, device="cpu")
    assert locate(spec.weights, name=spec.name).is_dir()


def test_a_benchmark_loads_nothing_heavy_in_the_process_that_starts_it() -> None:
    code = "import sys, leadline.flows.benchmark; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert not {"torch", "onnxruntime", "transformers", "PIL"} & set(done.stdout.split())
