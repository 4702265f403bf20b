from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from leadline import __version__
from leadline.cli.errors import tell_error
from leadline.core import errors
from leadline.core.errors import InputError

Command = Callable[..., Any]


def test_help_lists_every_command(command: Command) -> None:
    ended = command("--help")
    assert ended.status == 0
    for name in ("predict", "models", "info", "doctor", "demo", "train", "completion", "version"):
        assert name in ended.out


def test_version_is_said_both_ways(command: Command) -> None:
    assert command("version").out == f"{__version__}\n"
    assert command("--version").out == f"leadline {__version__}\n"


def test_a_line_that_cannot_be_parsed_ends_with_two(command: Command) -> None:
    for line in (
        ["predikt"],
        ["predict"],
        ["predict", "a.jpg", "--nope"],
        ["predict", "a.jpg", "--batch", "-1"],
    ):
        ended = command(*line)
        assert ended.status == 2
        assert "Usage:" in ended.err
        assert "Traceback" not in ended.err


def test_a_command_that_is_unknown_gets_near_matches(command: Command) -> None:
    assert "no command is called 'preditc'; did you mean 'predict'?" in command("preditc", "a.jpg").err
    assert "No such command 'xyz'" in command("xyz").err


def test_every_error_of_the_tree_is_one_line_with_its_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    made: list[errors.LeadlineError] = [
        errors.UnknownName("model", "x", known=["xy"]),
        errors.MissingExtra("model 'x'", "torch", extra="torch"),
    ]
    plain = ("InputError", "KindError", "WeightsError", "EngineError", "DatasetError", "OutputError")
    made += [getattr(errors, name)("it is wrong", hint="mend it") for name in plain]
    for error in made:
        assert tell_error(error) == error.exit_status
        told = capsys.readouterr()
        assert told.err == f"leadline: {error}\n"
        assert told.out == ""


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (MemoryError(), 70, "out of memory"),
        (click.Abort(), 130, "interrupted"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (RuntimeError("odd"), 70, "a fault of leadline itself: RuntimeError: odd"),
    ],
)
def test_other_ends_are_one_line_too(
    error: BaseException, status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell_error(error) == status
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


def _fail(error: BaseException) -> Callable[..., None]:
    def run(*_: object, **__: object) -> None:
        raise error

    return run


def test_a_traceback_is_shown_only_when_asked_for(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("leadline.cli.predict"), "run", _fail(InputError("it is wrong")))
    assert command("predict", "a.jpg").err == "leadline: it is wrong\n"
    monkeypatch.setenv("LEADLINE_DEBUG", "1")
    assert "Traceback" in command("predict", "a.jpg").err


def test_a_fault_of_our_own_shows_no_traceback(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("leadline.cli.predict"), "run", _fail(ZeroDivisionError("oh")))
    ended = command("predict", "a.jpg")
    assert ended.status == 70
    assert ended.err.startswith(
        "leadline: a fault of leadline itself: ZeroDivisionError: oh; set LEADLINE_DEBUG=1"
    )


def test_sigterm_is_met_like_ctrl_c(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(import_module("leadline.cli.predict"), "run", run)
    ended = command("predict", "a.jpg")
    assert ended.status == 130
    assert ended.err.strip() == "leadline: interrupted"


def test_a_reader_that_closes_the_pipe_is_no_fault(tmp_path: Path) -> None:
    line = f"'{sys.executable}' -m leadline doctor --json | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1)
    assert done.stderr == ""


def test_a_reader_that_leaves_in_the_middle_is_no_fault(
    plugged: dict[str, str], photo: Path, tmp_path: Path
) -> None:
    line = (
        f"'{sys.executable}' -m leadline predict '{photo}' -m brightness-test -f npz --json -o '{tmp_path / 'o'}' "
        "| head -c 1 > /dev/null; exit ${PIPESTATUS[0]}"
    )
    done = subprocess.run(
        ["bash", "-c", line], env=plugged, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode in (0, 1)
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_names_that_no_encoding_knows_can_be_told(
    plugged: dict[str, str], photo: Path, tmp_path: Path
) -> None:
    odd = os.fsencode(tmp_path) + b"/r\xf6m \xe2\x86\x92.jpg"
    Path(os.fsdecode(odd)).write_bytes(photo.read_bytes())
    command = [sys.executable, "-m", "leadline", "predict", os.fsdecode(odd), "-m", "brightness-test"]
    done = subprocess.run(
        [*command, "-f", "npz,png16,colour", "-o", str(tmp_path / "o")],
        env={**plugged, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        text=True,
        encoding="cp1252",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "\\udcf6" in done.stdout
    assert len(list((tmp_path / "o").iterdir())) == 3


@pytest.mark.parametrize(
    ("shell", "sign"), [("bash", "complete -o"), ("zsh", "compdef"), ("fish", "complete --no-files")]
)
def test_completion_scripts(command: Command, shell: str, sign: str) -> None:
    ended = command("completion", shell)
    assert ended.status == 0
    assert "_LEADLINE_COMPLETE" in ended.out
    assert sign in ended.out


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("leadline pre", {"predict"}),
        ("leadline predict --format pn", {"png16"}),
        ("leadline predict --format colour,pn", {"colour,png16"}),
        ("leadline predict --model leadline-indoor-s", {"leadline-indoor-small"}),
        ("leadline predict --colormap magm", {"magma", "magma_r"}),
        ("leadline predict --engine onnx", {"onnxruntime"}),
    ],
)
def test_completion_knows_names(words: str, offered: set[str], tmp_path: Path) -> None:
    parts = words.split()
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(parts) - 1), "_LEADLINE_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", "from leadline.cli.main import main; main()"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == offered
