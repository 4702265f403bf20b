"""What must not be loaded before it is needed, seen from a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "PIL",
    "onnxruntime",
    "torch",
    "torchvision",
    "timm",
    "lightning",
    "scipy",
    "trimesh",
    "OpenEXR",
    "onnx",
    "jinja2",
    "replicate",
    "httpx",
    "openvino",
    "nncf",
)
ALSO_NOT_AT_IMPORT = ("numpy", "click", "tqdm", "platformdirs", "importlib.metadata", "urllib.request")

QUIET = "import sys, io, contextlib\nout = io.StringIO()\n"
HELP = QUIET + (
    "from leadline.cli.main import cli\n"
    "with contextlib.redirect_stdout(out):\n"
    "    cli.main({line}, prog_name='leadline', standalone_mode=False)\n"
    "assert 'leadline' in out.getvalue()\n"
)


def _loaded(code: str) -> set[str]:
    code += "\nprint(' '.join(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import sys, leadline",
        "import sys, leadline; leadline.DepthMap, leadline.Kind, leadline.Camera, leadline.align, leadline.unproject",
        "import sys, leadline; leadline.list_models()",
        HELP.format(line=["--help"]),
        HELP.format(line=["predict", "--help"]),
        HELP.format(line=["models"]),
        HELP.format(line=["--version"]),
    ],
    ids=["import", "values", "list_models", "help", "predict-help", "models", "version"],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    assert not _loaded(code) & set(HEAVY)


def test_import_loads_next_to_nothing() -> None:
    assert not _loaded("import sys, leadline") & {*HEAVY, *ALSO_NOT_AT_IMPORT}


def test_help_loads_no_command() -> None:
    loaded = _loaded(HELP.format(line=["--help"]))
    assert "leadline.cli.predict" not in loaded
    assert "leadline.flows.predict" not in loaded
    assert "numpy" not in loaded


@pytest.mark.parametrize(
    "options",
    ["", "engine='openvino'", "engine='openvino', precision='int8', int8_photos=['@photos.txt']"],
    ids=["onnxruntime", "openvino", "int8"],
)
def test_predicting_leaves_no_telemetry_behind(tmp_path: Path, photo: Path, options: str) -> None:
    if "openvino" in options:
        pytest.importorskip("openvino", reason="the extra openvino is not installed")
    home = tmp_path / "home"
    home.mkdir()
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    code = f"import leadline; leadline.open_model({options}).predict({str(photo)!r})"
    environment = {**keep, "HOME": str(home), "LEADLINE_CACHE": str(tmp_path / "cache")}
    _write_photos(tmp_path)
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True, timeout=120)
    assert [path for path in home.rglob("*") if path.is_file()] == []


def _write_photos(folder: Path) -> None:
    """A list of four small photos, to calibrate on."""
    import numpy as np
    from PIL import Image

    names = [f"{place}.png" for place in range(4)]
    for place, name in enumerate(names):
        pixels = np.random.default_rng(place).integers(0, 256, (24, 32, 3), np.uint8)
        Image.fromarray(pixels).resize((320, 240)).save(folder / name)
    (folder / "photos.txt").write_text("\n".join(names))


def test_a_slip_in_a_recipe_is_told_before_the_training_packages_are_loaded() -> None:
    code = (
        "import sys; from leadline.core.errors import InputError, UnknownName\n"
        "from leadline.flows.train import TrainRequest, train\n"
        "for request in (TrainRequest(recipe='nosuch'), TrainRequest(recipe='synthetic-quickstart', changes=('optimiser.epoch=1',))):\n"
        "    try:\n        train(request)\n    except (UnknownName, InputError) as error:\n        print('told')\n"
        "print(*sorted({'torch', 'lightning', 'timm', 'onnx'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["told", "told"]
