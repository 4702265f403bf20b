"""What a user downloads."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_wheel_holds_model_photo_and_types(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert "leadline/py.typed" in names
    assert any(n.startswith("leadline/data/photos/") and n.endswith(".jpg") for n in names)
    assert any(n.startswith("leadline/data/recipes/") and n.endswith(".toml") for n in names)
    model = wheel.getinfo("leadline/data/weights/leadline-indoor-small.onnx")
    assert model.file_size <= 10_000_000


def test_wheel_is_small_and_holds_only_the_package(wheel: zipfile.ZipFile) -> None:
    assert sum(i.compress_size for i in wheel.infolist()) < 12_000_000
    assert {n.split("/")[0].split("-")[0] for n in wheel.namelist()} == {"leadline"}
