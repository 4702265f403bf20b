"""The example package for Depth Anything 3, built and installed from its folder, as one who has it uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image as PilImage

from leadline.plugins.need import has

PACKAGE = Path(__file__).resolve().parents[2] / "examples" / "leadline-depth-anything-3"
LINE = "pip install --no-deps depth-anything-3==0.1.1"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that has the package, which pip installed without a network."""
    target = tmp_path_factory.mktemp("site")
    flags = ["--no-index", "--no-build-isolation", "--no-deps", "--disable-pip-version-check", "--quiet"]
    pip = [sys.executable, "-m", "pip", "install", *flags, "--target", str(target), str(PACKAGE)]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    places = [str(target), *filter(None, [os.environ.get("PYTHONPATH")])]
    cache = tmp_path_factory.mktemp("cache")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places), "LEADLINE_CACHE": str(cache)}


def _python(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)


def _leadline(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return _python(environment, "-m", "leadline", *arguments)


def test_its_models_are_listed_with_what_they_predict(installed: dict[str, str]) -> None:
    done = _leadline(installed, "models", "--json")
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    ours = {name: row for name, row in rows.items() if row["origin"] == "leadline-depth-anything-3"}
    assert {name: (row["kind"], row["commercial"]) for name, row in ours.items()} == {
        "depth-anything-3-metric-large": ("metric-depth", "yes"),
        "depth-anything-3-mono-large": ("affine-invariant-depth", "yes"),
        "depth-anything-3-small": ("scale-invariant-depth", "yes"),
        "depth-anything-3-base": ("scale-invariant-depth", "yes"),
        "depth-anything-3-large": ("scale-invariant-depth", "no"),
    }


def test_listing_them_loads_nothing_heavy(installed: dict[str, str]) -> None:
    code = "import sys, leadline; leadline.list_models(); print(' '.join(sys.modules))"
    loaded = set(_python(installed, "-c", code).stdout.split())
    assert "leadline_depth_anything_3.spec" in loaded
    assert loaded.isdisjoint({"torch", "depth_anything_3", "safetensors", "leadline_depth_anything_3.net"})


def test_doctor_finds_nothing_wrong_with_it(installed: dict[str, str]) -> None:
    done = _leadline(installed, "doctor")
    assert "plugin     model 'depth-anything-3-tiny' of leadline-depth-anything-3" in done.stdout
    assert "way to name a model 'da3' of leadline-depth-anything-3" in done.stdout
    assert done.stdout.endswith("all is well\n"), done.stdout


def test_a_checkpoint_is_known_by_its_folder_and_by_its_place_on_the_hub(
    installed: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"model_name": "da3metric-large"}')
    for model in (str(tmp_path), f"da3:{tmp_path}", "hf:depth-anything/DA3METRIC-LARGE"):
        done = _leadline(installed, "models", "show", model)
        assert "name         depth-anything-3-metric-large" in done.stdout, done.stderr
        assert "predicts     metric-depth (metres)" in done.stdout


def test_without_its_networks_one_line_says_what_to_type(installed: dict[str, str], tmp_path: Path) -> None:
    if has("depth_anything_3"):
        pytest.skip("depth-anything-3 is installed here")
    photo = tmp_path / "photo.png"
    PilImage.new("RGB", (8, 6)).save(photo)
    done = _leadline(installed, "predict", photo, "-m", "depth-anything-3-tiny", "-o", tmp_path / "out")
    assert done.returncode == 6
    assert done.stderr == f"leadline: model 'depth-anything-3-tiny' needs 'depth_anything_3': {LINE}\n"
    assert LINE in _leadline(installed, "models", "show", "depth-anything-3-small").stdout


def test_it_keeps_the_contract(installed: dict[str, str]) -> None:
    if not has("depth_anything_3"):
        pytest.skip(f"its networks are not here ({LINE}): its contract is not run")
    done = _python(installed, "-m", "pytest", "-q", PACKAGE)
    assert done.returncode == 0, done.stdout + done.stderr
