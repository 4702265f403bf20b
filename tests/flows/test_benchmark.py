"""The benchmark with runners whose clock is a script: order of turns, figures, ratios, failures, interruption, the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from leadline.core.errors import EngineError, InputError, OutputError, UnknownName
from leadline.flows import benchmark
from leadline.flows.benchmark import BenchmarkRequest, Step, run, save
from leadline.flows.measuring.keeping import check_out
from leadline.flows.measuring.order import Begun, Memory, Order
from leadline.flows.measuring.report import BenchmarkReport
from leadline.io.machine import this_machine
from leadline.io.measurements import Measurement, keep, measurements_file, read_measurements
from leadline.io.weights import fingerprint
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import ModelSpec, Weights

SIZE = "8x6"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def known(known: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> ModelSpec:
    """The closed-form model with two engines, however many could run it."""
    spec = replace(known, engines=("onnxruntime", "torch"))
    monkeypatch.setitem(MODELS._entries, spec.name, spec)
    return spec


class Scripted:
    """A runner whose figures are written down: ``ms`` a photo, photos a second doubling every round."""

    def __init__(self, stage: Stage, order: Order) -> None:
        variant = order.variant
        self.name = f"{variant.spec.name}/{variant.engine}/{variant.options.precision}/{variant.batch}"
        self.stage, self.order, self.rounds = stage, order, 0
        stage.said.append(f"start {self.name}")
        if variant.engine in stage.refuses:
            raise EngineError("it cannot", hint="try another")
        self.ms = stage.ms[variant.engine]
        self.begun = Begun(f"{variant.engine} (CPU)", stage.starts_s.pop(0), 0.3, 0.1, ("so",))

    def time(self, seconds: float) -> list[float]:
        self.stage.said.append(f"time {self.name}")
        if self.stage.stop_after is not None and len(self.stage.turns) > self.stage.stop_after:
            raise KeyboardInterrupt
        if self.name in self.stage.fails and self.rounds == 1:
            raise EngineError("it broke")
        return [self.ms / 1000, 2 * self.ms / 1000, 3 * self.ms / 1000]

    def files(self, photos: int) -> float:
        self.stage.files.append(photos)
        self.rounds += 1
        return 1000 / self.ms * 2.0**self.rounds

    def memory(self) -> Memory:
        return Memory(100_000_000 + self.rounds, None)

    def close(self) -> None:
        self.stage.said.append(f"close {self.name}")


class Stage:
    """What runners play on, and what they did."""

    def __init__(self) -> None:
        self.ms = {"onnxruntime": 10.0, "torch": 20.0, "openvino": 5.0, "pipeline": 40.0}
        self.refuses: set[str] = set()
        self.fails: set[str] = set()
        self.stop_after: int | None = None
        self.said: list[str] = []
        self.files: list[int] = []
        self.starts_s = [7.5, 0.5] * 20

    @property
    def turns(self) -> list[str]:
        return [word.partition(" ")[2] for word in self.said if word.startswith("time")]

    def begin(self, order: Order) -> Scripted:
        return Scripted(self, order)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def _run(stage: Stage, **said: object) -> BenchmarkReport:
    request = BenchmarkRequest(**{"models": ("brightness-test",), "size": SIZE, "rounds": 2, **said})  # type: ignore[arg-type]
    return run(request, begin=stage.begin)


def test_turns_are_interleaved_and_who_is_first_changes(known: ModelSpec, stage: Stage) -> None:
    _run(stage, rounds=3, against="pipeline")
    own = [f"brightness-test/{name}/fp32/1" for name in ("onnxruntime", "torch", "pipeline")]
    assert stage.turns == [*own, own[1], own[2], own[0], own[2], own[0], own[1]]
    assert [said for said in stage.said if said.startswith("start")] == [
        f"start {own[k // 2]}" for k in range(6)
    ]
    assert stage.said[-3:] == [f"close {name}" for name in own]


def test_every_engine_precision_way_and_batch_is_a_row(known: ModelSpec, stage: Stage) -> None:
    report = _run(
        stage,
        precisions=("fp32", "bf16"),
        compiles=("no", "yes"),
        batches=("1", "4"),
        engines=("torch", "auto"),
    )
    rows = [(row.engine, row.precision, row.compile, row.batch) for row in report.rows]
    assert len(rows) == len(set(rows)) == 2 * 2 * 2 * 2
    assert rows[0] == ("torch", "fp32", "no", 1)
    assert {row[0] for row in rows} == {"onnxruntime", "torch"}


def test_photos_to_calibrate_on_go_to_int8_alone(known: ModelSpec, stage: Stage) -> None:
    asked: dict[str, tuple[str, ...]] = {}

    def begin(order: Order) -> Scripted:
        options = order.variant.options
        asked[options.precision] = tuple(options.int8_photos)
        return stage.begin(order)

    request = BenchmarkRequest(
        ("brightness-test",),
        size=SIZE,
        rounds=1,
        engines=("torch",),
        precisions=("fp32", "int8"),
        int8_photos=("rooms",),
    )
    run(request, begin=begin)
    assert asked == {"fp32": (), "int8": ("rooms",)}


@pytest.mark.skipif(bool(this_machine().gpus), reason="with a GPU, auto may mean another precision")
def test_auto_and_what_it_means_here_are_one_variant(known: ModelSpec, stage: Stage) -> None:
    report = _run(stage, precisions=("auto", "fp32"), engines=("torch",))
    assert [row.precision for row in report.rows] == ["fp32"]


def test_figures_are_the_medians_of_all_rounds_and_ratios_are_paired(known: ModelSpec, stage: Stage) -> None:
    report = _run(stage, rounds=3, against="pipeline")
    first, second, pipeline = report.rows
    assert first.time_ms is not None
    assert (first.time_ms.median, first.time_ms.low, first.time_ms.high) == (20.0, 10.0, 30.0)
    assert first.time_ms.count == 9
    assert first.photos_per_s == (200.0, 400.0, 800.0)
    # The pipeline speeds up from round to round as the others do: pairs show none of it.
    assert first.ratio is not None
    assert (first.ratio.low, first.ratio.median, first.ratio.high) == (4.0, 4.0, 4.0)
    assert second.ratios == (2.0, 2.0, 2.0)
    assert pipeline.ratios == ()
    assert (first.start_s, first.open_s, first.first_s) == ((0.5,), (0.3,), (0.1,))
    assert first.first_start_s == 7.5
    assert first.memory_bytes == 100_000_003
    assert first.remarks == ("so",)
    assert pipeline.ran == "pipeline (CPU)"
    assert pipeline.versions["transformers"]


def test_a_turn_goes_through_as_many_files_as_its_seconds_hold(known: ModelSpec, stage: Stage) -> None:
    _run(stage, rounds=1, seconds=0.2, batches=("1", "8"), engines=("onnxruntime",))
    assert stage.files == [20, 16]


def test_cold_starts_are_processes_of_their_own(known: ModelSpec, stage: Stage) -> None:
    report = _run(stage, rounds=1, starts=3, engines=("torch",))
    name = "brightness-test/torch/fp32/1"
    assert stage.said[:7] == [f"start {name}", f"close {name}"] * 3 + [f"start {name}"]
    assert report.rows[0].start_s == (0.5, 7.5, 0.5)


def test_what_cannot_be_run_is_a_row_with_the_reason(known: ModelSpec, stage: Stage) -> None:
    stage.refuses, stage.fails = {"torch"}, {"brightness-test/onnxruntime/fp32/4"}
    steps: list[Step] = []
    request = BenchmarkRequest(("brightness-test",), size=SIZE, rounds=3, batches=("1", "4"))
    report = run(request, begin=stage.begin, on_step=steps.append)
    rows = {(row.engine, row.batch): row for row in report.rows}
    assert rows["torch", 1].reason == "it cannot; try another"
    assert rows["torch", 1].ms == ()
    assert rows["onnxruntime", 1].reason == ""
    assert len(rows["onnxruntime", 1].ms) == 3
    assert rows["onnxruntime", 4].reason == "it broke"
    assert len(rows["onnxruntime", 4].ms) == 1
    assert report.complete
    assert {step.total for step in steps} == {12}
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[0].what == "brightness-test onnxruntime: starting"


def test_weights_that_are_not_there_are_a_reason(known: ModelSpec, stage: Stage) -> None:
    MODELS.add("lost", replace(known, name="lost", weights=Weights("file:lost.onnx")))
    report = _run(stage, models=("lost", "brightness-test"), rounds=1)
    assert [bool(row.reason) for row in report.rows] == [True, True, False, False]
    assert "weights of 'lost' are not at 'lost.onnx'" in report.rows[0].reason
    assert not any("lost" in said for said in stage.said)


def test_packages_that_are_missing_are_left_to_the_variant_to_say(known: ModelSpec, stage: Stage) -> None:
    MODELS.add("needy", replace(known, name="needy", weights=Weights("code:no:no"), packages=("nopackage",)))
    stage.refuses = {"torch"}
    report = _run(stage, models=("needy",), engines=("torch",), rounds=1)
    assert report.rows[0].reason == "it cannot; try another"


@pytest.mark.parametrize("stop_after", [1, 3])
def test_an_interruption_keeps_what_was_measured(known: ModelSpec, stage: Stage, stop_after: int) -> None:
    stage.stop_after = stop_after
    report = _run(stage, rounds=5)
    assert not report.complete
    assert [len(row.ms) for row in report.rows] == ([1, 0] if stop_after == 1 else [1, 2])[: len(report.rows)]
    assert [said for said in stage.said if said.startswith("close")]
    save(report)
    assert len(read_measurements().rows) == (1 if stop_after == 1 else 2)


def test_what_was_measured_is_kept_for_lists_and_for_auto(known: ModelSpec, stage: Stage) -> None:
    report = _run(stage, rounds=1, against="pipeline", threads=1)
    assert save(report) == ""
    rows = {row.engine: row for row in read_measurements().rows}
    assert set(rows) == {"onnxruntime", "torch"}
    row = rows["torch"]
    assert (row.ms, row.ms_low, row.ms_high, row.start_s, row.memory_bytes) == (
        40.0,
        24.0,
        56.0,
        0.5,
        100_000_001,
    )
    assert (row.threads, row.batch, row.size, row.compile) == (1, 1, SIZE, "auto")
    assert row.weights_sha256 == fingerprint(Path(known.weights.source.removeprefix("file:")))
    assert row.machine == this_machine().key
    assert row.measured == report.began


def test_a_damaged_store_is_said_moved_aside_and_begun_anew_with_what_can_be_read(
    known: ModelSpec, stage: Stage, measurement: Callable[..., Measurement]
) -> None:
    path = keep([measurement(model="x"), measurement(model="y")])
    data = json.loads(path.read_text())
    data["rows"][0]["ms"] = "fast"
    path.write_text(json.dumps(data))
    told = save(_run(stage, rounds=1, engines=("torch",)))
    assert "are damaged" in told
    assert str(path.with_suffix(".damaged.json")) in told
    assert [row.model for row in read_measurements().rows] == ["y", "brightness-test"]
    assert read_measurements().problem == ""


def test_nothing_measured_leaves_the_store_alone(known: ModelSpec, stage: Stage) -> None:
    stage.refuses = {"torch"}
    save(_run(stage, engines=("torch",)))
    assert not measurements_file().exists()


def test_results_are_written_in_the_documented_form(known: ModelSpec, stage: Stage, tmp_path: Path) -> None:
    out = tmp_path / "new" / "results.json"
    report = _run(stage, against="pipeline", out=out)
    save(report, out=out)
    data = json.loads(out.read_text())
    assert data == json.loads(json.dumps(report.to_dict()))
    assert data["rows"][0]["source"] == "file:brightness.onnx"
    assert str(tmp_path.parent) not in out.read_text()
    assert {row.source for row in read_measurements().rows} == {known.weights.source}
    page = (Path(__file__).parents[2] / "benchmarks" / "README.md").read_text()
    assert next(iter(data)) == "leadline_benchmark"
    for name in (*data, *data["rows"][0], *data["machine"], *data["rows"][0]["time_ms"]):
        assert f"`{name}`" in page, f"{name} is not in benchmarks/README.md"


@pytest.mark.parametrize("text", ["", '{"leadline_benchmark": 1, "rows": [', '{\n "leadline_benchmark": 1}'])
def test_older_results_are_written_over_even_where_they_are_cut_short(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    check_out(tmp_path / "a.json")
    check_out(tmp_path / "none.json")


def test_what_is_no_result_is_not_written_over(known: ModelSpec, stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("my notes")
    with pytest.raises(OutputError, match="holds something else than results of a benchmark; move it away"):
        _run(stage, out=tmp_path / "mine.txt")
    with pytest.raises(OutputError, match="cannot be written over"):
        _run(stage, out=tmp_path)
    assert stage.said == []


def test_a_busy_machine_is_noted(known: ModelSpec, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for load, busy in ((0.4, False), (0.6, True), (None, False)):
        value = None if load is None else load * this_machine().processors
        monkeypatch.setattr(benchmark, "load_average", lambda value=value: value)
        report = _run(stage, rounds=1, engines=("torch",))
        assert report.busy is busy
        save(report)
        assert read_measurements().rows[-1].busy is busy


def test_all_models_that_are_here_are_measured_by_default(known: ModelSpec, stage: Stage) -> None:
    MODELS.add("far", replace(known, name="far", weights=Weights("https://127.0.0.1:9/x.onnx", "a" * 64)))
    report = _run(stage, models=(), rounds=1)
    assert [row.model for row in report.rows][-2:] == ["brightness-test", "brightness-test"]
    assert {row.model for row in report.rows} == {"leadline-indoor-small", "brightness-test"}


def test_bad_requests_are_refused_before_anything_starts(
    known: ModelSpec, stage: Stage, tmp_path: Path
) -> None:
    MODELS.add("far", replace(known, name="far", weights=Weights("remote:x"), engines=("replicate",)))
    cases: list[tuple[dict[str, object], type[Exception], str]] = [
        ({"models": ("brightnes-test",)}, UnknownName, "did you mean 'brightness-test'"),
        ({"engines": ("onnxrutime",)}, UnknownName, "did you mean 'onnxruntime'"),
        ({"engines": ("replicate",)}, InputError, "engine 'replicate' runs models elsewhere"),
        ({"models": ("far",)}, InputError, "'far' runs elsewhere: timing it would cost money"),
        ({"precisions": ("fp31",)}, UnknownName, "did you mean 'fp32'"),
        ({"compiles": ("ye",)}, UnknownName, "did you mean 'yes'"),
        ({"batches": ("0",)}, InputError, "batch '0' is not a whole number of 1 to 256"),
        ({"batches": ("two",)}, InputError, "batch 'two'"),
        ({"batches": ()}, InputError, "batches is empty"),
        ({"size": "640"}, InputError, "size '640' is not WIDTHxHEIGHT"),
        ({"size": "0x5"}, InputError, "size '0x5'"),
        ({"photos": (str(tmp_path / "none.jpg"),)}, InputError, "none.jpg"),
        ({"photos": (str(tmp_path),)}, InputError, "holds no photo"),
        ({"against": "keras"}, InputError, "against = 'keras'"),
        ({"rounds": 0}, InputError, "rounds = 0 is out of range"),
    ]
    for said, error, words in cases:
        with pytest.raises(error, match=words):
            _run(stage, **said)
    assert stage.said == []
