"""A real second package, built and installed from its folder, used through the command line of a new process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.io.images import read_image
from leadline.testing.graphs import brightness_depth

PACKAGE = Path(__file__).parent / "third_party"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that has the package, which pip installed without a network."""
    target = tmp_path_factory.mktemp("site")
    flags = ["--no-index", "--no-build-isolation", "--no-deps", "--disable-pip-version-check", "--quiet"]
    pip = [sys.executable, "-m", "pip", "install", *flags, "--target", str(target), str(PACKAGE)]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    cache = tmp_path_factory.mktemp("cache")
    return {**os.environ, "PYTHONPATH": str(target), "LEADLINE_CACHE": str(cache)}


def _leadline(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "leadline", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_its_model_and_its_exporter_work_like_built_ins(installed: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    PilImage.fromarray(np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)).save(path)
    out = tmp_path / "out"
    done = _leadline(installed, "predict", path, "-m", "acme-brightness", "-f", "acme-csv,npz", "-o", out)
    assert done.returncode == 0, done.stderr
    text = (out / "p_depth.csv").read_text().splitlines()
    assert text[0] == "# metric-depth"
    metres = np.array([[float(cell) for cell in line.split(",")] for line in text[1:]])
    np.testing.assert_allclose(metres, brightness_depth(read_image(path)), atol=5.1e-5)
    assert "acme-brightness is good for showing how a plugin is made." in done.stdout


def test_it_is_listed(installed: dict[str, str]) -> None:
    done = _leadline(installed, "models", "--all", "--json")
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert rows["acme-brightness"]["origin"] == "acme-depth"
    assert rows["leadline-indoor-small"]["origin"] == "leadline"


def test_what_is_wrong_with_it_is_shown_by_doctor_and_takes_nothing_away(installed: dict[str, str]) -> None:
    done = _leadline(installed, "doctor")
    assert done.returncode == 1
    assert "plugin     model 'acme-brightness' of acme-depth" in done.stdout
    assert "plugin     format 'acme-csv' of acme-depth" in done.stdout
    assert "model name 'leadline-indoor-small' of acme-depth is taken by leadline" in done.stdout
    assert "model 'acme-broken' of acme-depth is a str, not a ModelSpec" in done.stdout


def test_near_matches_know_it(installed: dict[str, str], tmp_path: Path) -> None:
    done = _leadline(installed, "predict", tmp_path, "-m", "acme-brightnes")
    assert done.returncode == 5
    assert "did you mean 'acme-brightness'" in done.stderr
