"""Every family of transformers against transformers' own pipeline and post-processing, with the same weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PilImage

from leadline.core.camera import Camera, Origin
from leadline.core.errors import EngineError, WeightsError
from leadline.core.image import Image
from leadline.flows.model import Model, open_model
from leadline.io.weights import locate
from leadline.plugins.registry import MODELS

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

FAMILIES = [
    "dpt-tiny",
    "dpt-hybrid-tiny",
    "dpt-beit-tiny",
    "dpt-swin-tiny",
    "glpn-tiny",
    "zoedepth-tiny",
    "zoedepth-two-tiny",
    "depth-anything-tiny",
    "depth-anything-metric-tiny",
    "depth-pro-tiny",
    "tipsv2-dpt-tiny",
]
CUT = {"glpn-tiny", "zoedepth-tiny", "zoedepth-two-tiny", "depth-anything-metric-tiny", "tipsv2-dpt-tiny"}
"""Metric families, whose depth stays within what the network said before it was enlarged."""

SIZES = [(37, 53), (64, 64), (101, 77), (120, 160), (40, 160), (160, 40), (75, 248), (33, 40), (97, 211)]
TOLERANCE = 1e-3
LEAST_VARIATION = 0.01
"""Spread of the reference over its size: where it hardly varied, any two would agree."""


def photo(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Smooth shapes and some noise, as photos have."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [
        127 + 90 * np.sin(rows / rng.uniform(4, 30) + columns / rng.uniform(4, 30) + k) for k in range(3)
    ]
    return np.clip(np.stack(waves, -1) + rng.normal(0, 12, (height, width, 3)), 0, 255).astype(np.uint8)


PHOTOS = [photo(*size, seed) for seed, size in enumerate(SIZES)]


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Iterator[tuple[str, Path, Model]]:
    name = str(request.param)
    folder = locate(MODELS.get(name).weights, name=name)
    with open_model(name) as model:
        yield name, folder, model


def difference(ours: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    assert np.isfinite(
        ours
    ).all()  # the largest of numbers and of what is none would be none, and below any bound
    return float(np.abs(ours - reference).max() / np.abs(reference).max())


def by_hand(folder: Path, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Any]:
    """The reference: the checkpoint's own processor and network, step by step; and what the network said."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    net = transformers.AutoModelForDepthEstimation.from_pretrained(folder).eval()
    with torch.no_grad():
        outputs = net(**processor(images=PilImage.fromarray(rgb), return_tensors="pt"))
    (done,) = processor.post_process_depth_estimation(outputs, [rgb.shape[:2]])
    return done["predicted_depth"].squeeze().numpy(), outputs


def test_the_numbers_are_those_of_the_pipeline(family: tuple[str, Path, Model]) -> None:
    name, folder, model = family
    pipeline = transformers.pipeline("depth-estimation", model=str(folder))
    worst = 0.0
    for rgb in PHOTOS:
        reference = pipeline(PilImage.fromarray(rgb))["predicted_depth"].squeeze().numpy()
        assert reference.std() / np.abs(reference).max() > LEAST_VARIATION, f"{name} hardly varies"
        ours = model.predict(rgb).depth.values
        if name in CUT:
            raw = by_hand(folder, rgb)[1].predicted_depth
            reference = reference.clip(float(raw.min()), float(raw.max()))
        worst = max(worst, difference(ours, reference))
    assert worst <= TOLERANCE, f"{name} differs by {worst:.1e}"


def test_the_numbers_are_those_of_post_processing_by_hand(family: tuple[str, Path, Model]) -> None:
    name, folder, model = family
    for rgb in PHOTOS[:3]:
        reference, outputs = by_hand(folder, rgb)
        if name in CUT:
            raw = outputs.predicted_depth
            reference = reference.clip(float(raw.min()), float(raw.max()))
        assert difference(model.predict(rgb).depth.values, reference) <= TOLERANCE


@pytest.mark.parametrize("name", sorted(CUT))
def test_where_families_differ_from_the_pipeline_on_purpose(name: str) -> None:
    """Enlarging overshoots; no metre is beyond what the network said, and the rest is as it was."""
    folder = locate(MODELS.get(name).weights, name=name)
    with open_model(name) as model:
        for rgb in PHOTOS[:4]:
            reference, outputs = by_hand(folder, rgb)
            low, high = float(outputs.predicted_depth.min()), float(outputs.predicted_depth.max())
            ours = model.predict(rgb).depth.values
            assert ours.min() >= low * (1 - 1e-5)
            assert ours.max() <= high * (1 + 1e-5)
            within = (reference >= low) & (reference <= high)
            assert np.abs(ours - reference)[within].max() <= TOLERANCE * np.abs(reference).max()


def test_very_slender_photos_get_more_of_their_last_row() -> None:
    for name in ("depth-anything-tiny", "zoedepth-tiny", "glpn-tiny"):
        with open_model(name) as model:
            thin = photo(3, 200, 5)
            whole = np.pad(
                thin, ((0, max(25, 32 if name == "glpn-tiny" else 25) - 3), (0, 0), (0, 0)), "edge"
            )
            ours, reference = model.predict(thin).depth, model.predict(whole).depth
            assert ours.shape == (3, 200)
            assert np.array_equal(ours.values, reference.values[:3])


def test_depth_pro_keeps_the_lens_it_sees() -> None:
    folder = locate(MODELS.get("depth-pro-tiny").weights, name="depth-pro-tiny")
    rgb = PHOTOS[2]
    fov_deg = float(by_hand(folder, rgb)[1].field_of_view[0])
    with open_model("depth-pro-tiny") as model:
        depth = model.predict(rgb).depth
        assert depth.camera is not None
        assert depth.camera.origin is Origin.ESTIMATED
        assert depth.camera.fov_deg == pytest.approx(fov_deg, rel=1e-4)
        assert not depth.scale_uncertain
        known = model.predict(Image(rgb, Camera.centred(130.0, 77, 101))).depth
        assert known.camera == Camera.centred(130.0, 77, 101)
        # metres are f / (W C): another lens, the same canonical inverse depth
        ratio = known.values / depth.values
        assert np.allclose(ratio, 130.0 / depth.camera.fx, rtol=1e-3)


def test_depth_pro_without_an_estimate_says_that_its_scale_is_uncertain(tmp_path: Path) -> None:
    source = locate(MODELS.get("depth-pro-tiny").weights, name="depth-pro-tiny")
    config = transformers.AutoConfig.from_pretrained(source)
    config.use_fov_model = False
    net = transformers.DepthProForDepthEstimation.from_pretrained(source, config=config)
    net.save_pretrained(tmp_path)
    transformers.AutoImageProcessor.from_pretrained(source).save_pretrained(tmp_path)
    with open_model(str(tmp_path)) as model:
        depth = model.predict(PHOTOS[0]).depth
        assert depth.camera is not None
        assert depth.camera.origin is Origin.ASSUMED
        assert depth.scale_uncertain


def test_depth_pro_refuses_a_lens_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_model("depth-pro-tiny") as model:
        network = model._session._network  # type: ignore[attr-defined]
        with torch.no_grad():
            network.module.fov_model.head.layers[-1].bias.fill_(-30.0)
        with pytest.raises(
            EngineError, match=r"° across a photo of 53x37, which no lens shows; say the lens: --fov"
        ):
            model.predict(PHOTOS[0])
        assert model.predict(Image(PHOTOS[0], Camera.centred(50.0, 53, 37))).depth.shape == (37, 53)


def _copy(name: str, to: Path) -> Path:
    source = locate(MODELS.get(name).weights, name=name)
    to.mkdir()
    for file in source.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


@pytest.mark.parametrize("name", ["dpt-tiny", "dpt-hybrid-tiny"])
def test_a_dpt_that_takes_squares_alone_gets_squares(name: str, tmp_path: Path) -> None:
    """A processor that keeps the photo's shape makes transformers' own pipeline fail on these backbones."""
    folder = _copy(name, tmp_path / name)
    config = (folder / "preprocessor_config.json").read_text()
    (folder / "preprocessor_config.json").write_text(
        config.replace('"keep_aspect_ratio": false', '"keep_aspect_ratio": true')
    )
    with pytest.raises((RuntimeError, ValueError)):
        transformers.pipeline("depth-estimation", model=str(folder))(PilImage.fromarray(PHOTOS[0]))
    with open_model(name) as square, open_model(str(folder), kind="affine-inverse") as kept:
        for rgb in PHOTOS[:2]:
            assert np.array_equal(kept.predict(rgb).depth.values, square.predict(rgb).depth.values)


@pytest.mark.parametrize("name", ["dpt-beit-tiny", "dpt-swin-tiny"])
def test_a_dpt_that_takes_other_shapes_gets_them(name: str, tmp_path: Path) -> None:
    folder = _copy(name, tmp_path / name)
    config = (folder / "preprocessor_config.json").read_text()
    (folder / "preprocessor_config.json").write_text(
        config.replace('"keep_aspect_ratio": false', '"keep_aspect_ratio": true')
    )
    pipeline = transformers.pipeline("depth-estimation", model=str(folder))
    with open_model(str(folder), kind="affine-inverse") as kept, open_model(name) as square:
        for rgb in (PHOTOS[0], PHOTOS[2], PHOTOS[3], PHOTOS[8]):
            reference = pipeline(PilImage.fromarray(rgb))["predicted_depth"].numpy()
            ours = kept.predict(rgb).depth.values
            assert difference(ours, reference) <= TOLERANCE
            assert difference(square.predict(rgb).depth.values, reference) > 0.01


def test_checkpoints_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    half = _copy("dpt-tiny", tmp_path / "half")
    path = half / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises((EngineError, WeightsError), match="half"):
        open_model(str(half), kind="affine-invariant-inverse-depth")
    without = _copy("dpt-tiny", tmp_path / "without")
    (without / "preprocessor_config.json").unlink()
    with pytest.raises((EngineError, WeightsError), match="without"):
        open_model(str(without), kind="affine-invariant-inverse-depth")
    wider = _copy("dpt-tiny", tmp_path / "wider")
    config = (
        (wider / "config.json").read_text().replace('"fusion_hidden_size": 16', '"fusion_hidden_size": 24')
    )
    (wider / "config.json").write_text(config)
    with pytest.raises((EngineError, WeightsError), match="wider"):
        open_model(str(wider), kind="affine-invariant-inverse-depth")
    lacking = _copy("dpt-tiny", tmp_path / "lacking")
    from safetensors.torch import load_file, save_file

    tensors = load_file(lacking / "model.safetensors")
    save_file(dict(list(tensors.items())[3:]), lacking / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"lacks 3 of its weights, such as"):
        open_model(str(lacking), kind="affine-invariant-inverse-depth")
