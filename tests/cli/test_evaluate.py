"""What ``leadline evaluate`` and ``leadline protocols`` print, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.cli.evaluate import Watch
from leadline.core.errors import InputError
from leadline.flows.evaluate.protocol_files import list_protocols
from leadline.flows.evaluate.records import Row
from leadline.flows.evaluate.run import Begun, Noted
from leadline.plugins.specs import ModelSpec

Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def asked(tmp_path: Path) -> list[str]:
    """Six photos with millimetres of depth, and how they are scored."""
    for number in range(6):
        for part in ("rgb", "depth"):
            (tmp_path / "data" / part).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (24, 32, 3), np.uint8)
        PilImage.fromarray(pixels).save(tmp_path / "data" / "rgb" / f"{number}.png")
        depth = np.random.default_rng(number).integers(50, 300, (24, 32)).astype(np.uint16)
        PilImage.fromarray(depth).save(tmp_path / "data" / "depth" / f"{number}.png")
    return [
        *(
            "evaluate",
            "-d",
            f"folder:{tmp_path / 'data'}",
            "-m",
            "brightness-test",
            "-o",
            str(tmp_path / "out"),
        ),
        *("--option", "encoding=mm", "--option", "camera=40,40,15.5,11.5"),
        *("-p", "nyu-eigen-filled", "--set", "dataset=any", "--no-report"),
    ]


def test_a_table_says_protocol_figures_and_where_all_is(
    known: ModelSpec, command: Command, asked: list[str], tmp_path: Path
) -> None:
    ended = command(*asked)
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith("nyu-eigen-filled+dataset=any on folder:")
    assert any(line.startswith("AbsRel ↓") and "brightness-test" in line for line in lines)
    assert lines[-1] == f"rows, tables and report: {tmp_path / 'out'}"
    again = command(*asked)
    assert again.err == "brightness-test: 6 of 6 are scored already\n"
    assert again.out == ended.out


def test_json_is_a_row_a_line(known: ModelSpec, command: Command, asked: list[str]) -> None:
    ended = command(*asked, "--json")
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert [row["event"] for row in rows] == ["row"] * 6
    assert {row["sample"] for row in rows} == {f"rgb/{number}" for number in range(6)}


def test_skipped_images_are_named_and_the_run_ends_with_one(
    known: ModelSpec, command: Command, asked: list[str], tmp_path: Path
) -> None:
    (tmp_path / "data" / "depth" / "3.png").write_bytes(b"")
    ended = command(*asked)
    assert ended.status == 1
    assert "1 not scored" in ended.out
    told = command(*asked, "--json")
    assert told.status == 1
    assert "leadline: brightness-test: rgb/3 was not scored: " in told.err


def test_ctrl_c_says_that_the_same_line_goes_on(
    known: ModelSpec, command: Command, asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("leadline.cli.evaluate.run", stop)
    ended = command(*asked)
    assert ended.status == 130
    assert f"what is scored stays in {tmp_path / 'out'}, and the same line goes on" in ended.err


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        (["-p", "nyu-eigen-filed"], 5, "did you mean 'nyu-eigen-filled'"),
        (["-m", "depth-anything-v2-small"], 4, "score it under zero-shot-affine-inverse-depth"),
        (["-d", "folder:nowhere"], 9, "there is nothing at 'nowhere'"),
        (["--set", "cap=3"], 5, "no field of protocol nyu-eigen-filled is called 'cap'"),
        (["--predictions", "nowhere"], 3, "'nowhere' is no folder that is here"),
    ],
)
def test_bad_input_is_one_line(
    known: ModelSpec, command: Command, asked: list[str], more: list[str], status: int, said: str
) -> None:
    ended = command(*asked, *more)
    assert ended.status == status
    assert said in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert "Traceback" not in ended.err


def test_a_bar_moves_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    watch = Watch(as_json=False)
    watch(Begun("a", 4, 2))
    watch(Row("a", "1", "", {}, skipped="why"))
    watch(Noted("two files belong to no sample"))
    assert watch._bar is not None
    assert (watch._bar.n, watch._bar.total) == (3, 4)
    watch(Begun("b", 4, 0))
    assert watch._bar.n == 0
    watch.close()
    assert watch._bar is None
    told = capsys.readouterr().err
    assert "a: 2 of 4 are scored already" in told
    assert "leadline: two files belong to no sample" in told


def test_many_skipped_images_are_cut_short(
    known: ModelSpec, command: Command, asked: list[str], tmp_path: Path
) -> None:
    ended = command(*asked, "--set", "near_m=9.9")
    assert ended.status == InputError.exit_status
    assert "not one of 6 images could be scored" in ended.err


def test_protocols_are_listed_and_shown(command: Command) -> None:
    listed = command("protocols").out
    for protocol in list_protocols():
        assert f"{protocol.name} " in listed
    shown = command("protocols", "nyu-eigen-raw").out
    assert "window nyu-eigen" in shown
    assert "truth=raw" in shown
    assert "any kind, as pictures" in command("protocols", "fiftyone-tutorial").out
    assert command("protocols", "nyu-eigen-rau").status == 5


def test_protocols_speak_json(command: Command) -> None:
    listed = json.loads(command("protocols", "--json").out)
    assert [one["name"] for one in listed] == [protocol.name for protocol in list_protocols()]
    one = json.loads(command("protocols", "median-scaled/nyu", "--json").out)
    assert (one["name"], one["far_m"]) == ("median-scaled/nyu", 10.0)
