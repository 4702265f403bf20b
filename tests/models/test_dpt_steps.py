"""The steps of DPT's image processor without transformers, against transformers' own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.io.weights import locate
from leadline.plugins.registry import MODELS

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from leadline.models.dpt.steps import plain_steps  # noqa: E402

PUBLISHED: dict[str, Any] = {
    "image_processor_type": "DPTImageProcessor",
    "do_resize": True,
    "do_rescale": True,
    "do_normalize": True,
    "do_pad": False,
    "ensure_multiple_of": 14,
    "keep_aspect_ratio": True,
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "size": {"height": 98, "width": 98},
}
SIZES = [(37, 53), (98, 98), (101, 77), (90, 108), (140, 40), (203, 311), (98, 140)]


def written(folder: Path, **changes: Any) -> Path:
    told = {key: value for key, value in (PUBLISHED | changes).items() if value is not None}
    (folder / "preprocessor_config.json").write_text(json.dumps(told))
    return folder


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"keep_aspect_ratio": False},
        {"resample": 2, "ensure_multiple_of": 32},
        {"ensure_multiple_of": None, "keep_aspect_ratio": None, "size": None, "rescale_factor": None},
    ],
    ids=["published", "square", "bilinear", "defaults"],
)
def test_photos_and_depth_are_those_of_transformers_to_the_bit(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    steps = plain_steps(written(tmp_path, **changes))
    assert steps is not None
    theirs = transformers.AutoImageProcessor.from_pretrained(tmp_path)
    rng = np.random.default_rng(5)
    for height, width in SIZES:
        photos = [PilImage.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)) for _ in range(2)]
        ours = steps(images=photos)["pixel_values"]
        assert torch.equal(ours, theirs(images=photos, return_tensors="pt")["pixel_values"])
        depth = type("Outputs", (), {"predicted_depth": torch.rand(2, 28, 42)})
        sizes = [(height, width), (width + 1, height + 1)]
        for mine, other in zip(
            steps.post_process_depth_estimation(depth, sizes),
            theirs.post_process_depth_estimation(depth, sizes),
            strict=True,
        ):
            assert torch.equal(mine["predicted_depth"], other["predicted_depth"])


@pytest.mark.parametrize(
    "changes",
    [
        {"image_processor_type": "ZoeDepthImageProcessor"},
        {"do_pad": True},
        {"do_normalize": False},
        {"resample": 1},
        {"size": {"shortest_edge": 98}},
        {"size": {"height": "98", "width": 98}},
        {"image_mean": 0.5},
        {"image_std": [0.5]},
        {"rescale_factor": "1/255"},
        {"ensure_multiple_of": 14.5},
        {"ensure_multiple_of": 0},
        {"rescale_factor": 0.0},
        {"resample": [3]},
    ],
    ids=[
        "other",
        "pads",
        "unnormalised",
        "lanczos",
        "edge",
        "text for a side",
        "one mean",
        "one deviation",
        "text for a factor",
        "half a pixel",
        "no pixel",
        "no factor",
        "a list of filters",
    ],
)
def test_what_is_more_than_plain_is_left_to_transformers(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert plain_steps(written(tmp_path, **changes)) is None


def test_a_damaged_or_missing_configuration_is_left_to_transformers(tmp_path: Path) -> None:
    assert plain_steps(tmp_path) is None
    (tmp_path / "preprocessor_config.json").write_text("[1")
    assert plain_steps(tmp_path) is None
    (tmp_path / "preprocessor_config.json").write_text("[1]")
    assert plain_steps(tmp_path) is None


def test_preparing_and_restoring_loads_neither_transformers_nor_the_network() -> None:
    folder = locate(MODELS.get("depth-anything-tiny").weights, name="depth-anything-tiny")
    code = (
        "import sys, numpy, torch; from pathlib import Path; from leadline.core.image import Image\n"
        "from leadline.models.depth_anything.net import network\n"
        f"net = network(Path({str(folder)!r})); image = Image.from_array(numpy.zeros((40, 50, 3), 'uint8'))\n"
        "shape = net.prepare([image])['pixel_values'].shape\n"
        "(answer,) = net.restore({'predicted_depth': torch.rand(1, *shape[2:])}, [image])\n"
        "assert answer.values.shape == (40, 50)\n"
        "print('transformers' in sys.modules, 'module' in vars(net)); net.module; print('transformers' in sys.modules)\n"
        "print(net.module is net.module)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["False", "False", "True", "True"], run.stderr


def test_on_a_device_of_its_own_transformers_prepares() -> None:
    from leadline.models.depth_anything.net import network
    from leadline.models.dpt.steps import DptSteps

    net = network(locate(MODELS.get("depth-anything-tiny").weights, name="depth-anything-tiny"))
    assert isinstance(net.processor, DptSteps)
    net.place("cpu")
    assert type(net.processor).__name__.startswith("DPTImageProcessor")
