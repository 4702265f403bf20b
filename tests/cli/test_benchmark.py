"""What ``leadline benchmark`` prints: a table in step with its rows, JSON, and one line for what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from leadline.cli.benchmark import table
from leadline.core.errors import OutputError
from leadline.flows.benchmark import Step
from leadline.flows.measuring.report import BenchmarkReport, BenchmarkRow
from leadline.io.machine import Machine
from leadline.io.measurements import measurements_file, read_measurements
from leadline.plugins.specs import ModelSpec

Command = Callable[..., Any]
QUICK = ("brightness-test", "--engine", "onnxruntime", "--rounds", "1", "--seconds", "0", "--size", "16x12")

ROWS = (
    BenchmarkRow(
        "brightness-test",
        "onnxruntime",
        "fp32",
        "auto",
        "cpu",
        0,
        1,
        start_s=(0.512,),
        ms=((10.0, 11.0), (12.0,)),
        photos_per_s=(40.04, 50.0),
        ratios=(1.5, 1.5),
        memory_bytes=161_000_000,
    ),
    BenchmarkRow(
        "brightness-test",
        "torch",
        "bf16",
        "yes",
        "cuda",
        0,
        16,
        start_s=(11.0,),
        ms=((0.123,),),
        photos_per_s=(1234.5,),
        memory_bytes=2_100_000_000,
        gpu_memory_bytes=900_000_000,
        remarks=("torch runs the network as it is",),
    ),
    BenchmarkRow(
        "brightness-test", "openvino", "int8", "no", "cpu", 0, 1, "engine 'openvino' needs 'openvino'"
    ),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_table_is_aligned_and_reasons_stand_below_their_rows() -> None:
    lines = table(ROWS)
    assert lines == [
        "model            engine       precision  compile  batch  start    ms a photo        photos/s          memory               "
        "times pipeline",
        "brightness-test  onnxruntime  fp32       auto     1      0.51 s   11.0 (10.2–11.8)  45.0 (41.0–49.0)  161 MB               "
        "1.50 (1.50–1.50)",
        "brightness-test  torch        bf16       yes      16     11.00 s  0.12 (0.12–0.12)  1234 (1234–1234)  2100 MB, GPU 900 MB  "
        "–",
        "  torch runs the network as it is",
        "brightness-test  openvino     int8       no       1      –        –                 –                 –                    "
        "–",
        "  engine 'openvino' needs 'openvino'",
    ]
    assert table(ROWS[1:])[0].endswith("memory")


def test_a_run_says_where_with_what_and_how_long(known: ModelSpec, command: Command, tmp_path: Path) -> None:
    out = tmp_path / "here.json"
    ended = command("benchmark", *QUICK, "-o", out)
    assert ended.status == 0, ended.err
    lines = ended.out.splitlines()
    assert " processors" in lines[0]
    assert lines[1].startswith("Python 3.")
    assert "onnxruntime " in lines[1]
    assert lines[2] == "photos: the photo that ships, 16x12; 1 rounds of 0 s"
    assert any(line.startswith("brightness-test  onnxruntime  ") for line in lines)
    assert lines[-1].startswith("ms a photo: median")
    data = json.loads(out.read_text())
    assert data["rows"][0]["ran"] == "onnxruntime (CPU)"
    assert data["rows"][0]["time_ms"]["median"] > 0
    assert read_measurements().rows[0].ms == data["rows"][0]["time_ms"]["median"]


def test_json_is_one_object(known: ModelSpec, command: Command) -> None:
    data = json.loads(command("benchmark", *QUICK, "--json").out)
    assert data["leadline_benchmark"] == 1
    assert [row["engine"] for row in data["rows"]] == ["onnxruntime"]


def test_where_nothing_could_be_measured_the_status_says_so(known: ModelSpec, command: Command) -> None:
    ended = command("benchmark", *QUICK, "--precision", "int8")
    assert ended.status == 1
    assert "has no precision 'int8'" in ended.out
    assert not measurements_file().exists()


def test_a_damaged_store_is_said_and_made_anew(known: ModelSpec, command: Command, cache: Path) -> None:
    cache.mkdir()
    measurements_file().write_text('{"leadline_measurements": 1, "ro')
    ended = command("benchmark", *QUICK)
    assert ended.status == 0
    assert ended.err.startswith("leadline: the measurements in ")
    assert "measurements.damaged.json" in ended.err
    assert len(read_measurements().rows) == 1


def test_a_full_disk_shows_the_figures_and_then_says_so(
    known: ModelSpec, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OutputError("'x' cannot be written: the disk is full", hint="free some space")

    monkeypatch.setattr(import_module("leadline.cli.benchmark"), "save", full)
    ended = command("benchmark", *QUICK)
    assert ended.status == 10
    assert "brightness-test  onnxruntime  " in ended.out
    assert ended.err == "leadline: 'x' cannot be written: the disk is full; free some space\n"


def test_a_store_that_may_not_grow_is_one_line(
    known: ModelSpec,
    command: Command,
    small_files: Callable[[], AbstractContextManager[None]],
    tmp_path: Path,
    measurement: Callable[..., Any],
) -> None:
    from leadline.io.measurements import keep

    keep([measurement(batch=number) for number in range(1, 40)])
    before = measurements_file().read_bytes()
    assert len(before) > 20_000
    with small_files():
        ended = command("benchmark", *QUICK)
    assert ended.status == 10
    assert "cannot be written" in ended.err
    assert "Traceback" not in ended.err
    assert measurements_file().read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("brightnes-test",), 5, "did you mean 'brightness-test'?"),
        (("brightness-test", "--engine", "onnxrutime"), 5, "did you mean 'onnxruntime'?"),
        (("brightness-test", "--precision", "fp33"), 5, "did you mean 'fp32'"),
        (("brightness-test", "--photos", "none.jpg"), 3, "none.jpg"),
        (("brightness-test", "--batch", "many"), 3, "batch 'many' is not a whole number of 1 to 256"),
        (("replicate-midas",), 3, "runs elsewhere"),
    ],
)
def test_bad_input_is_one_line(
    known: ModelSpec, command: Command, arguments: tuple[str, ...], status: int, words: str
) -> None:
    ended = command("benchmark", *arguments)
    assert ended.status == status
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1
    assert ended.out == ""


def test_an_interrupted_run_shows_and_keeps_what_there_is(
    known: ModelSpec, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine("CPU", 2, 0, (), "Linux")
    report = BenchmarkReport("2026-01-01", machine, "3.11", "p", "8x6", 5, 1.0, 9.0, False, ROWS)
    monkeypatch.setattr(import_module("leadline.cli.benchmark"), "run", lambda *_, **__: report)
    ended = command("benchmark", "brightness-test")
    assert ended.status == 130
    assert "The machine was busy at the start (load 9.0 on 2 processors)" in ended.out
    assert ended.err == "leadline: interrupted; what was measured until then is kept\n"
    assert [row.engine for row in read_measurements().rows] == ["onnxruntime", "torch"]


def test_a_bar_moves_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = import_module("leadline.cli.benchmark")
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: True, raising=False)
    with module._Bar() as bar:
        bar(Step(0, 4, "one"))
        bar(Step(3, 4, "two"))
        assert (bar._bar.n, bar._bar.total, bar._bar.desc) == (3, 4, "two: ")
    with module._Bar() as quiet:
        monkeypatch.setattr(module.sys.stderr, "isatty", lambda: False, raising=False)
        quiet(Step(0, 4, "one"))
        assert quiet._bar is None
