"""The house as a machine sees it: floors, lint, format and types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

CHECKS = {
    "lint": ["-m", "ruff", "check", "--no-cache", "."],
    "format": [
        "-m",
        "ruff",
        "format",
        "--no-cache",
        "--check",
        "src",
        "tests",
        "docs",
        "benchmarks",
        "examples",
    ],
    "types": ["-m", "mypy"],
    "floors": [
        "-c",
        "import sys; from importlinter.cli import lint_imports_command as c; sys.argv[1:] = ['--no-cache']; c()",
    ],
}


@pytest.mark.parametrize("check", list(CHECKS))
def test_house_is_in_order(check: str) -> None:
    done = subprocess.run(
        [sys.executable, *CHECKS[check]], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_room_is_a_lumber_room() -> None:
    banned = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    found = [p for p in (ROOT / "src").rglob("*") if p.stem in banned]
    assert not found
