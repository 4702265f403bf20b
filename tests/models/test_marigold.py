"""Marigold against diffusers' own pipeline: the same seed, the same numbers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("diffusers")

import torch
from diffusers import MarigoldDepthPipeline
from PIL import Image as Pil

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, InputError, UnknownName, WeightsError
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.flows.model import Model, open_model
from leadline.models.marigold.net import network, quiet
from leadline.models.marigold.reference import resolve
from leadline.models.marigold.spec import TINY
from leadline.ops.colour import ColourOptions, colourise
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import ModelSpec, Stated, Weights
from leadline.testing.scenes import noise_photo
from leadline.testing.tiny_marigold import checkpoint, checkpoint_lcm

SIZES = ((37, 53), (64, 64), (101, 77), (120, 160), (33, 200), (200, 33), (94, 310), (5, 7))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("ddim"))


@pytest.fixture(scope="module")
def lcm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint_lcm(tmp_path_factory.mktemp("lcm"))


@pytest.fixture(scope="module")
def reference(folder: Path) -> Callable[..., Any]:
    return _reference(folder)


@pytest.fixture(scope="module")
def model(folder: Path) -> Iterator[Model]:
    with _opened(folder) as opened:
        yield opened


def _reference(folder: Path) -> Callable[..., Any]:
    """The pipeline as its users call it: one Pillow photo, a generator of one seed."""
    with quiet():
        pipeline = MarigoldDepthPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)

    def run(photo: Image, *, seed: int = 0, **choices: Any) -> Any:
        generator = torch.Generator().manual_seed(seed)
        return pipeline(Pil.fromarray(photo.rgb_HW3), generator=generator, **choices)

    return run


def _opened(folder: Path, **inputs: Any) -> Model:
    spec = ModelSpec(
        name="marigold-here",
        kind=TINY.kind,
        summary="a folder",
        weights=Weights(f"folder:{folder}"),
        licence="none",
        engines=("torch",),
        network=TINY.network,
        options=TINY.options,
    )
    return open_model(spec, device="cpu", threads=1, inputs=inputs)


def _same(made: Any, expected: Any, *, within: float = 2e-5) -> None:
    """The pipeline's numbers: an engine may add up in another order, and another seed is off by a tenth or more."""
    np.testing.assert_allclose(made, expected, rtol=0, atol=within)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_same_seed_gives_the_pipelines_numbers(
    size: tuple[int, int], model: Model, reference: Callable[..., Any]
) -> None:
    photo = noise_photo(*size)
    expected = reference(photo).prediction[0, :, :, 0]
    assert expected.std() / expected.mean() > 0.2
    _same(model.predict(photo).depth.values, expected)


@pytest.mark.parametrize(
    "choices",
    [
        {"steps": 1, "seed": 3},
        {"steps": 5, "seed": 4, "processing_resolution": 64},
        {"processing_resolution": 0, "seed": -1},
        {"ensemble": 2},
        {"ensemble": 4, "seed": 11},
    ],
    ids=str,
)
def test_every_choice_is_the_pipelines(
    choices: dict[str, int], folder: Path, reference: Callable[..., Any]
) -> None:
    photo = noise_photo(45, 60, seed=2)
    theirs = {"num_inference_steps": choices.get("steps"), "ensemble_size": choices.get("ensemble", 1)}
    with quiet():
        expected = reference(
            photo,
            seed=choices.get("seed", 0),
            processing_resolution=choices.get("processing_resolution"),
            output_uncertainty=choices.get("ensemble", 1) > 2,
            **theirs,
        )
    with _opened(folder, **choices) as model:
        made = model.predict(photo)
    # Draws are aligned by a search whose end moves with the last bit of what it is given.
    _same(made.depth.values, expected.prediction[0, :, :, 0], within=5e-3 if "ensemble" in choices else 2e-5)
    if choices.get("ensemble", 1) > 2:
        assert made.uncertainty is not None
        np.testing.assert_allclose(
            made.uncertainty, 1.4826 * expected.uncertainty[0, :, :, 0], rtol=0, atol=5e-3
        )
        assert made.uncertainty.max() > 0.01
    else:
        assert made.uncertainty is None


def test_the_distilled_scheduler_draws_its_noise_from_the_same_seed(lcm_folder: Path) -> None:
    photo = noise_photo(45, 60)
    expected = _reference(lcm_folder)(photo, seed=9, num_inference_steps=4).prediction[0, :, :, 0]
    with _opened(lcm_folder, seed=9, steps=4) as model:
        _same(model.predict(photo).depth.values, expected)
        _same(model.predict(photo).depth.values, expected)
        other = model.predict(noise_photo(45, 60, seed=5)).depth.values
        both = model.predict_batch([noise_photo(45, 60, seed=5), photo])
    _same(both[0].depth.values, other)
    _same(both[1].depth.values, expected)


def test_another_seed_is_another_draw(folder: Path, model: Model) -> None:
    photo = noise_photo(37, 53)
    with _opened(folder, seed=1) as other:
        assert np.abs(model.predict(photo).depth.values - other.predict(photo).depth.values).max() > 0.05


def test_a_photo_too_slender_for_the_pipeline_is_widened_and_cut_again(
    model: Model, reference: Callable[..., Any]
) -> None:
    photo = noise_photo(1, 400)
    with pytest.raises(ValueError, match="aspect ratio"):
        reference(photo)
    wide = Image.from_array(np.repeat(photo.rgb_HW3, 13, axis=0))
    expected = reference(wide).prediction[0, :1, :, 0]
    _same(model.predict(photo).depth.values, expected)


def test_its_coloured_picture_is_one_of_leadlines(model: Model, reference: Callable[..., Any]) -> None:
    """``--colormap Spectral_r --range 0,1``; leadline draws 256 colours, diffusers blends between eleven."""
    photo = noise_photo(60, 80)
    output = reference(photo).prediction
    from diffusers.pipelines.marigold.marigold_image_processing import MarigoldImageProcessor

    expected = np.asarray(MarigoldImageProcessor.visualize_depth(output)[0]).astype(int)
    drawn = colourise(model.predict(photo).depth, options=ColourOptions("Spectral_r", (0.0, 1.0)))
    assert np.abs(drawn.astype(int) - expected).max() <= 3
    assert np.ptp(expected) > 200


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"ensemble": 0}, "ensemble = 0"),
        ({"processing_resolution": 33}, "multiple of 2"),
        ({"processing_resolution": -2}, "processing_resolution = -2"),
        ({"steps": -3}, "steps = -3"),
        ({"steps": 2000}, "steps = 2000 cannot be run by DDIMScheduler"),
        ({"steps": "many"}, "steps = 'many' is not a number"),
    ],
    ids=str,
)
def test_choices_out_of_range_are_refused(choices: dict[str, Any], message: str, folder: Path) -> None:
    with pytest.raises(InputError, match=message):
        _opened(folder, **choices)


def test_a_checkpoint_that_recommends_nothing_must_be_told(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    _rewrite(copy, default_denoising_steps=None, default_processing_resolution=None)
    with pytest.raises(InputError, match="processing_resolution = None"):
        network(copy)
    with pytest.raises(InputError, match="recommends none"):
        network(copy, processing_resolution=32)
    assert network(copy, processing_resolution=32, steps=1).module is not None


def test_an_unknown_choice_is_refused(folder: Path) -> None:
    with pytest.raises(UnknownName, match="ensembel"):
        _opened(folder, ensembel=3)


def _rewrite(folder: Path, **change: Any) -> None:
    path = folder / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _halved(folder: Path) -> None:
    path = folder / "unet/diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


def _of_fewer_weights(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "unet/diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    weights.pop("conv_in.weight")
    save_file(weights, path, metadata={"format": "pt"})


def _of_other_shapes(folder: Path) -> None:
    path = folder / "unet/config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"in_channels": 4}))


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (_without("model_index.json"), WeightsError, "model_index.json.*is not there or is damaged"),
        (lambda folder: (folder / "model_index.json").write_text("{"), WeightsError, "is damaged"),
        (lambda folder: (folder / "model_index.json").write_text("[]"), EngineError, "without a pipeline"),
        (lambda folder: _rewrite(folder, _class_name="StableDiffusionPipeline"), EngineError, "StableDiff"),
        (_without("unet/diffusion_pytorch_model.safetensors"), EngineError, "torch cannot load"),
        (_without("scheduler/scheduler_config.json"), EngineError, "torch cannot load"),
        (_halved, WeightsError, "unet.*damaged or cut short"),
        (_of_fewer_weights, WeightsError, "lacks 1 of its weights, such as 'conv_in.weight'"),
        (_of_other_shapes, EngineError, "torch cannot load"),
    ],
    ids=str,
)
def test_damaged_checkpoints_are_told_in_a_line(
    damage: Callable[[Path], None], error: type[Exception], message: str, folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    damage(copy)
    with pytest.raises(error, match=message):
        _opened(copy)


def test_it_says_nothing_on_its_own(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = checkpoint(tmp_path)
    with _opened(home, ensemble=2) as model:
        model.predict(noise_photo(8, 8))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, Kind(Quantity.DEPTH, Freedom.AFFINE)),
        ({"prediction_type": "disparity"}, Kind(Quantity.INVERSE, Freedom.AFFINE)),
        ({"shift_invariant": False}, Kind(Quantity.DEPTH, Freedom.SCALE)),
        ({"shift_invariant": False, "scale_invariant": False}, Kind()),
    ],
    ids=str,
)
def test_a_checkpoints_kind_is_what_it_says(change: dict[str, Any], kind: Kind, folder: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text()) | change
    spec = resolve(index, name="mine", weights=Weights(f"folder:{folder}"), stated=Stated())
    assert (spec.kind, spec.name, spec.network) == (kind, "mine", TINY.network)
    other = Kind(kind.quantity, Freedom.NONE if kind.freedom else Freedom.SCALE)
    with pytest.raises(InputError, match="cannot be told to be"):
        resolve(index, name="mine", weights=spec.weights, stated=Stated(kind=other))


def test_a_checkpoint_that_does_not_say_its_kind_must_be_told() -> None:
    index = {"_class_name": "MarigoldPipeline"}
    weights = Weights("hf:some/marigold")
    with pytest.raises(InputError, match="does not say whether"):
        resolve(index, name="mine", weights=weights, stated=Stated())
    told = Kind(Quantity.DEPTH, Freedom.AFFINE)
    assert resolve(index, name="mine", weights=weights, stated=Stated(kind=told)).kind == told


def test_a_folder_is_opened_by_its_path_and_says_its_kind(
    folder: Path, reference: Callable[..., Any]
) -> None:
    photo = noise_photo(20, 30)
    for name in (str(folder), f"hf:{folder}"):
        with open_model(name, device="cpu", inputs={"seed": 3}) as model:
            made = model.predict(photo)
            assert model.spec.name == folder.name
        assert made.depth.kind == TINY.kind
        _same(made.depth.values, reference(photo, seed=3).prediction[0, :, :, 0])
    with pytest.raises(InputError, match="cannot be told to be"):
        open_model(str(folder), kind="metric-depth")


def test_another_pipeline_is_refused() -> None:
    with pytest.raises(InputError, match="MarigoldNormalsPipeline"):
        resolve(
            {"_class_name": "MarigoldNormalsPipeline"},
            name="normals",
            weights=Weights("hf:some/normals"),
            stated=Stated(),
        )


def test_the_listed_ones_are_affine_invariant_depth() -> None:
    for name in ("marigold-v1-0", "marigold-lcm-v1-0", "marigold-depth-v1-1", "marigold-tiny"):
        assert str(MODELS.get(name).kind) == "affine-invariant-depth"


def test_its_depth_is_a_depth_map(model: Model) -> None:
    depth = model.predict(noise_photo(8, 8)).depth
    assert isinstance(depth, DepthMap)
    assert depth.unit == "arbitrary"
