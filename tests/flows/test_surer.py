"""Surer: models whose answers to mirrored and resized photos are known, so that mean and spread are too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from leadline.core.camera import Camera, Origin
from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, UnknownName
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.results import Answer
from leadline.flows.model import Model, open_model
from leadline.flows.surer import SurerSession, looks_of
from leadline.plugins.need import has
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import ModelSpec
from leadline.testing.contracts.models import MODEL_CHECKS
from leadline.testing.graphs import brightness_depth
from leadline.testing.scenes import noise_photo

INVERSE_AFFINE = Kind(Quantity.INVERSE, Freedom.AFFINE)
Answering = Callable[[Image], Answer]


class _Answers:
    """A session that answers by a rule and keeps what it was shown."""

    def __init__(self, rule: Answering) -> None:
        self.rule = rule
        self.description = "rule"
        self.shown: list[Image] = []
        self.prompts: list[DepthMap] = []
        self.closed = False

    def run(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> list[Answer]:
        self.shown += images
        self.prompts += prompts
        return [self.rule(image) for image in images]

    def close(self) -> None:
        self.closed = True


def _red(image: Image) -> NDArray[np.float32]:
    return 1 + image.rgb_HW3[..., 0].astype(np.float32) / 255


def _ask(
    rule: Answering, photo: Image, *looks: str, kind: Kind | None = None
) -> tuple[Answer, _Answers, SurerSession]:
    inner = _Answers(rule)
    session = SurerSession(inner, kind or Kind(), looks=looks)
    (answer,) = session.run([photo])
    return answer, inner, session


def _grey(height: int, width: int, *, f_px: float = 50.0) -> Image:
    return Image.from_array(
        np.full((height, width, 3), 51, np.uint8), camera=Camera.centred(f_px, width, height)
    )


def test_a_model_that_does_not_care_is_the_same_and_sure() -> None:
    photo = noise_photo(12, 17)
    answer, _, _ = _ask(lambda image: Answer(_red(image)), photo, "flip")
    np.testing.assert_allclose(answer.values, _red(photo), rtol=1e-6)
    assert answer.uncertainty is not None
    np.testing.assert_allclose(answer.uncertainty, 0, atol=1e-6)


def test_a_model_that_leans_to_one_side_is_set_upright_and_its_lean_is_the_uncertainty() -> None:
    """It adds a slope from left to right: the mean of photo and mirror image is half of it everywhere."""
    photo = noise_photo(6, 11)
    slope = np.linspace(0, 1, 11, dtype=np.float32)[None]
    answer, _, _ = _ask(lambda image: Answer(_red(image) + slope), photo, "flip")
    np.testing.assert_allclose(answer.values, _red(photo) + 0.5, rtol=1e-6)
    assert answer.uncertainty is not None
    expected = np.broadcast_to(np.abs(2 * slope - 1) / np.sqrt(2), (6, 11))
    np.testing.assert_allclose(answer.uncertainty, expected, atol=1e-6)


def test_looks_of_unknown_scale_and_shift_are_fitted_to_the_first_where_they_agree() -> None:
    """The photo's look is 0.5 off on its left edge, its mirror image's 1.5 on the right one, after a scale and a shift."""
    photo = noise_photo(6, 40)

    def rule(image: Image) -> Answer:
        free = _red(image)
        free[:, :4] += 0.5 if image is photo else 1.5
        return Answer(free if image is photo else 7 * free - 2)

    answer, _, _ = _ask(rule, photo, "flip", kind=INVERSE_AFFINE)
    off = np.zeros((6, 40))
    off[:, :4], off[:, 36:] = 0.5, 1.5
    assert answer.uncertainty is not None
    np.testing.assert_allclose(answer.values, _red(photo) + off / 2, atol=1e-4)
    np.testing.assert_allclose(answer.uncertainty, off / np.sqrt(2), atol=1e-4)


def test_the_camera_goes_with_the_photo() -> None:
    camera = Camera(50.0, 52.0, 3.0, 5.5, 16, 12)
    photo = Image.from_array(noise_photo(12, 16).rgb_HW3, camera=camera)
    _, inner, session = _ask(lambda image: Answer(_red(image)), photo, "flip", "scales")
    own, mirrored, smaller, larger = inner.shown
    assert own is photo
    assert mirrored.camera == camera.flipped()
    np.testing.assert_array_equal(mirrored.rgb_HW3, photo.rgb_HW3[:, ::-1])
    assert smaller.camera == camera.resized(12, 9)
    assert larger.camera == camera.resized(20, 15)
    assert session.description == "rule, 4 looks (flip, scales)"


def test_metres_that_rest_on_the_field_of_view_are_the_same_at_every_size() -> None:
    """Its metres are red times focal length over width: what a camera model that is right does."""
    photo = _grey(40, 60)
    answer, _, _ = _ask(
        lambda image: Answer(_red(image) * np.float32(image.camera.fx / image.width)), photo, "scales"
    )
    np.testing.assert_allclose(answer.values, 1.2 * 50 / 60, rtol=1e-6)
    assert answer.uncertainty is not None
    np.testing.assert_allclose(answer.uncertainty, 0, atol=1e-6)


def test_a_model_that_takes_size_for_distance_is_unsure_by_as_much(brightness: ModelSpec) -> None:
    """Its metres grow with the focal length in pixels: three quarters, one and five quarters of the depth."""
    photo = _grey(40, 60, f_px=500.0)
    with open_model(brightness, tta=("scales",)) as model:
        made = model.predict(photo)
    np.testing.assert_allclose(made.depth.values, brightness_depth(photo), rtol=1e-5)
    assert made.uncertainty is not None
    np.testing.assert_allclose(made.uncertainty, 0.25 * brightness_depth(photo), rtol=1e-4)


def test_a_tilted_plane_comes_back_from_other_sizes_where_it_was() -> None:
    """Answers at three quarters and five quarters of the size are brought back to the photo's pixels."""

    def rule(image: Image) -> Answer:
        columns = (np.arange(image.width) + 0.5) / image.width
        return Answer(np.tile((1 / (0.2 + 0.5 * columns)).astype(np.float32), (image.height, 1)))

    photo = _grey(40, 80)
    answer, _, _ = _ask(rule, photo, "scales")
    inside = slice(2, -2)
    np.testing.assert_allclose(answer.values[inside, inside], rule(photo).values[inside, inside], rtol=1e-3)
    assert answer.uncertainty is not None
    assert answer.uncertainty[inside, inside].max() < 3e-3


def test_photos_of_one_pixel_have_one_look_only() -> None:
    answer, inner, _ = _ask(lambda image: Answer(_red(image)), _grey(1, 1), "flip", "scales")
    assert len(inner.shown) == 1
    assert answer.uncertainty is not None
    assert np.isnan(answer.uncertainty).all()
    np.testing.assert_allclose(answer.values, 1.2, rtol=1e-6)


def test_what_a_model_says_besides_depth_is_kept() -> None:
    photo = noise_photo(4, 6)
    camera = Camera.centred(9.0, 6, 4, origin=Origin.ESTIMATED)
    sky = np.zeros((4, 6), bool)
    sky[0] = True

    def rule(image: Image) -> Answer:
        own = np.full((4, 6), 3.0, np.float32)
        values = np.where(sky, np.float32(np.inf), 2.0 if image is photo else 10.0).astype(np.float32)
        return Answer(values, replace(camera), Kind(Quantity.DEPTH), sky, own)

    answer, _, _ = _ask(rule, photo, "flip", kind=INVERSE_AFFINE)
    assert (answer.camera, answer.kind) == (camera, Kind())
    np.testing.assert_array_equal(answer.infinite, sky)
    np.testing.assert_array_equal(answer.values[0], np.inf)
    np.testing.assert_allclose(answer.values[1:], 6.0)
    assert answer.uncertainty is not None
    np.testing.assert_allclose(answer.uncertainty[1:], np.hypot(8 / np.sqrt(2), 3), rtol=1e-6)
    np.testing.assert_allclose(answer.uncertainty[0], 3.0)


def test_where_a_model_is_unsure_only_of_some_the_looks_say_it_of_the_others() -> None:
    own = np.full((4, 6), np.nan, np.float32)
    photo = noise_photo(4, 6)
    answer, _, _ = _ask(
        lambda image: Answer(np.full((4, 6), 2.0 if image is photo else 4.0, np.float32), uncertainty=own),
        photo,
        "flip",
    )
    np.testing.assert_allclose(answer.uncertainty, np.full((4, 6), np.sqrt(2)), rtol=1e-6)


def test_prompts_are_mirrored_with_their_photos() -> None:
    inner = _Answers(lambda image: Answer(_red(image)))
    prompt = DepthMap(np.array([[1.0, 2.0]]), Kind())
    SurerSession(inner, Kind(), looks=("flip", "scales")).run([noise_photo(8, 8)], prompts=[prompt])
    assert [p.values.tolist() for p in inner.prompts] == [[[1, 2]], [[2, 1]], [[1, 2]], [[1, 2]]]


def test_an_engine_that_answers_at_another_size_is_told_of() -> None:
    with pytest.raises(EngineError, match=r"\(2, 2\)"):
        _ask(lambda image: Answer(np.ones((2, 2), np.float32)), noise_photo(4, 6), "flip")


def test_closing_closes_the_session_inside() -> None:
    inner = _Answers(lambda image: Answer(_red(image)))
    SurerSession(inner, Kind(), looks=("flip",)).close()
    assert inner.closed


def test_looks_are_read_from_words_and_unknown_ones_refused() -> None:
    assert looks_of("") == ()
    assert looks_of(["scales", "flip", "flip"]) == ("flip", "scales")
    with pytest.raises(UnknownName, match="flop"):
        looks_of("flop")


@pytest.fixture(scope="module", params=["brightness-test", "dpt-tiny", "marigold-tiny"])
def surer(request: pytest.FixtureRequest, brightness: ModelSpec) -> Model:
    spec = brightness if request.param == "brightness-test" else MODELS.get(request.param)
    if not all(has(package) for package in (*spec.packages, "torch")):
        pytest.skip(f"{spec.name} needs {spec.extra}")
    return open_model(spec, tta="flip,scales", threads=1)


@pytest.mark.parametrize("check", MODEL_CHECKS, ids=lambda check: check.__name__)
def test_every_contract_of_models_holds_with_more_looks(check: Callable[[Model], None], surer: Model) -> None:
    check(surer)


def test_a_prediction_has_its_uncertainty_in_its_own_unit(surer: Model) -> None:
    made = surer.predict(noise_photo(24, 32))
    assert made.uncertainty is not None
    assert made.uncertainty.shape == made.depth.shape
    assert (made.uncertainty >= 0).all()
    assert not made.uncertainty.flags.writeable
    assert "4 looks" in made.model.engine
