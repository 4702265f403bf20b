"""Prompt Depth Anything against transformers' own processor, network and post-processing, with the same weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PilImage

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.image import Image
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.flows.model import Model, open_model
from leadline.flows.naming import resolve_model
from leadline.io.depth_files import read_depth
from leadline.io.weights import locate
from leadline.models.prompt_depth_anything.prompt import whole_prompt
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import Stated

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

NAME = "prompt-depth-anything-tiny"
SIZES = [(37, 53), (64, 64), (101, 77), (120, 160), (40, 160), (160, 40), (75, 248), (33, 40), (97, 211)]
TOLERANCE = 1e-3


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with open_model(NAME) as opened:
        yield opened


@pytest.fixture(scope="module")
def reference() -> Callable[[NDArray[np.uint8], NDArray[np.uint16]], tuple[Any, Any]]:
    """The checkpoint's own processor and network, fed as transformers' documentation feeds them."""
    folder = locate(MODELS.get(NAME).weights, name=NAME)
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    net = transformers.AutoModelForDepthEstimation.from_pretrained(folder).eval()

    def run(rgb: NDArray[np.uint8], prompt_mm: NDArray[np.uint16]) -> tuple[Any, Any]:
        with torch.no_grad():
            outputs = net(
                **processor(
                    images=PilImage.fromarray(rgb),
                    prompt_depth=PilImage.fromarray(prompt_mm),
                    return_tensors="pt",
                )
            )
        (done,) = processor.post_process_depth_estimation(outputs, [rgb.shape[:2]])
        return done["predicted_depth"].numpy(), outputs.predicted_depth.numpy()

    return run


def scene(height: int, width: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """A photo, and depth in millimetres at a quarter of its size."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [
        127 + 90 * np.sin(rows / rng.uniform(4, 30) + columns / rng.uniform(4, 30) + k) for k in range(3)
    ]
    rgb = np.clip(np.stack(waves, -1) + rng.normal(0, 12, (height, width, 3)), 0, 255).astype(np.uint8)
    rows, columns = np.mgrid[: max(2, height // 4), : max(2, width // 4)]
    return rgb, (1500 + 40 * rows + 300 * np.sin(columns / 3)).astype(np.uint16)


def metres(prompt_mm: NDArray[np.uint16], kind: Kind = Kind()) -> DepthMap:  # noqa: B008 - a frozen value
    return DepthMap(prompt_mm.astype(np.float32) / 1000, kind)


def test_the_numbers_are_those_of_transformers(model: Model, reference: Any) -> None:
    for seed, size in enumerate(SIZES):
        rgb, prompt_mm = scene(*size, seed)
        due, raw = reference(rgb, prompt_mm)
        assert due.std() / np.abs(due).max() > 0.01
        ours = model.predict(rgb, prompt=metres(prompt_mm)).depth.values
        within = np.clip(due, raw.min(), raw.max())
        assert np.abs(ours - within).max() <= TOLERANCE * np.abs(due).max(), size


def test_it_sees_photo_and_prompt(model: Model) -> None:
    rgb, prompt_mm = scene(64, 64, 1)
    depth = model.predict(rgb, prompt=metres(prompt_mm)).depth.values
    other_photo = model.predict(rgb[::-1].copy(), prompt=metres(prompt_mm)).depth.values
    other_prompt = model.predict(rgb, prompt=metres(prompt_mm[:, ::-1].copy())).depth.values
    for other in (other_photo, other_prompt):
        assert np.abs(other - depth).max() > 0.01


@pytest.mark.parametrize("freedom", list(Freedom))
def test_the_answer_is_what_the_prompt_is(model: Model, freedom: Freedom) -> None:
    """Twice the prompt and one more: twice the answer and one more; and of its kind."""
    rgb, prompt_mm = scene(37, 53, 2)
    kind = Kind(Quantity.DEPTH, freedom)
    prompt = metres(prompt_mm, kind)
    one = model.predict(rgb, prompt=prompt).depth
    two = model.predict(rgb, prompt=DepthMap(2 * prompt.values + 1, kind)).depth
    assert one.kind == two.kind == kind
    np.testing.assert_allclose(two.values, 2 * one.values + 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Kind(Quantity.INVERSE), r"the prompt is metric-inverse-depth, .* turn it round first: leadline.to_depth"),
        (Kind(Quantity.INVERSE, Freedom.AFFINE), "taught with depth; align it first"),
        (Kind(along=Along.RAY), r"taught with depth along the axis; .*to_axis\(prompt\)"),
    ],
)  # fmt: skip
def test_prompts_of_another_kind_are_refused(model: Model, kind: Kind, message: str) -> None:
    rgb, prompt_mm = scene(37, 53, 2)
    with pytest.raises(KindError, match=message):
        model.predict(rgb, prompt=metres(prompt_mm, kind))


def test_prompts_that_cannot_be_used_are_refused(model: Model) -> None:
    rgb, prompt_mm = scene(40, 80, 2)
    with pytest.raises(
        InputError, match="the prompt is 10x20 and the photo 80x40: they do not show the same view"
    ):
        model.predict(rgb, prompt=metres(prompt_mm.T.copy()))
    with pytest.raises(InputError, match="the prompt for a photo of 80x40 knows no pixel"):
        model.predict(rgb, prompt=DepthMap(np.full((10, 20), np.nan), Kind()))
    with pytest.raises(InputError, match="was given 0 prompts for 1 photos; give a low-resolution depth map"):
        model.predict(rgb)
    network = model._session._network  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="prompt-depth-anything was given 0 prompts for 1 photos"):
        network.prepare([Image.from_array(rgb)])


def test_holes_get_what_is_known_around_them(model: Model) -> None:
    rgb, prompt_mm = scene(64, 64, 3)
    whole = metres(prompt_mm)
    known = np.ones(whole.shape, bool)
    known[4:9, 5:11] = False
    sky = np.zeros(whole.shape, bool)
    sky[0, :6] = True
    holed = DepthMap(np.where(known & ~sky, whole.values, np.nan), Kind(), infinite=sky)
    image = Image.from_array(rgb)
    filled = whole_prompt(holed, image, shape=(64, 64))
    assert np.array_equal(filled[holed.valid], whole.values[holed.valid])
    assert np.isfinite(filled).all()
    assert filled.min() >= whole.values.min()
    assert filled.max() <= whole.values.max()
    assert np.abs(filled - whole.values)[~known].max() < 0.4
    depth = model.predict(rgb, prompt=holed).depth
    assert depth.valid.all()
    assert np.abs(depth.values - model.predict(rgb, prompt=whole).depth.values).mean() < 0.1


def test_one_known_pixel_is_known_everywhere() -> None:
    values = np.full((5, 7), np.nan, np.float32)
    values[3, 2] = 2.5
    image = Image.from_array(np.zeros((10, 14, 3), np.uint8))
    filled = whole_prompt(DepthMap(values, Kind()), image, shape=(10, 14))
    assert filled == pytest.approx(np.full((5, 7), 2.5))


@pytest.mark.parametrize("far_m", [2.0, 40.0])
def test_a_prompt_that_is_the_same_everywhere(model: Model, far_m: float) -> None:
    """A wall: the network divides by the prompt's span, which is nothing; at 40 m transformers' answer is not a number."""
    rgb, _ = scene(64, 64, 3)
    depth = model.predict(rgb, prompt=DepthMap(np.full((16, 16), far_m), Kind())).depth
    assert depth.valid.all()
    assert depth.values == pytest.approx(np.full((64, 64), far_m), rel=1e-4)


def test_slender_photos_take_their_prompts_with_them(model: Model) -> None:
    thin, _ = scene(6, 200, 5)
    prompt = np.linspace(1, 3, 3 * 100, dtype=np.float32).reshape(3, 100)
    ours = model.predict(thin, prompt=DepthMap(prompt, Kind())).depth
    padded = np.pad(thin, ((0, 19), (0, 0), (0, 0)), "edge")
    taller = np.pad(prompt, ((0, 9), (0, 0)), "edge")
    due = model.predict(padded, prompt=DepthMap(taller, Kind())).depth
    assert ours.shape == (6, 200)
    assert np.array_equal(ours.values, due.values[:6])


def test_prompts_of_several_sizes_go_with_photos_of_one(model: Model) -> None:
    rgb, prompt_mm = scene(64, 64, 6)
    small, large = metres(prompt_mm), metres(np.repeat(np.repeat(prompt_mm, 2, 0), 2, 1))
    both = model.predict_batch([rgb, rgb, rgb], prompts=[small, large, large])
    for prediction, prompt in zip(both, (small, large, large), strict=True):
        alone = model.predict(rgb, prompt=prompt).depth.values
        np.testing.assert_allclose(prediction.depth.values, alone, rtol=1e-5)


def test_a_checkpoint_by_reference_is_prompted_too() -> None:
    folder = locate(MODELS.get(NAME).weights, name=NAME)
    spec = resolve_model(f"hf:{folder}")
    assert (spec.kind, spec.prompted) == (Kind(), True)
    with pytest.raises(InputError, match="cannot be told to be"):
        resolve_model(str(folder), stated=Stated(kind=Kind(Quantity.INVERSE)))
    rgb, prompt_mm = scene(37, 53, 2)
    with open_model(str(folder)) as model:
        assert model.predict(rgb, prompt=metres(prompt_mm)).depth.unit == "m"


def test_a_phones_photo_and_lidar(shared_data: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    """The pair that the model's own repository shows, from the command line; its 16-bit file says nothing of itself."""
    place = shared_data / "iphone_arkit"
    call = ("predict", place / "image.jpg", "-o", tmp_path, "-m", NAME, "-f", "npz")
    ended = command(*call, "--prompt", place / "arkit_depth.png", "--prompt-scale", "0.001")
    assert (ended.status, ended.err) == (0, "")
    depth, _ = read_depth(tmp_path / "image_depth.npz")
    lidar = np.asarray(PilImage.open(place / "arkit_depth.png")) / 1000
    assert (depth.shape, depth.kind) == ((1440, 1920), Kind())
    assert lidar[lidar > 0].min() * 0.999 <= depth.values.min() < depth.values.max() <= lidar.max() * 1.001
    bare = command(*call, "--prompt", place / "arkit_depth.png")
    assert bare.status == 4
    assert "does not say what its numbers mean; say it: --prompt-scale 0.001 for millimetres" in bare.err
    assert "Traceback" not in bare.err
