"""A plane of known depth, shown to sessions that see it well but in other units tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from leadline.core.camera import Camera, Origin
from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, InputError
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.results import Answer
from leadline.flows.model import open_model
from leadline.flows.tiled import TiledSession, side_of
from leadline.ops.processing import Processing
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import ModelSpec

HEIGHT, WIDTH, SIDE = 300, 480, 128
AFFINE = Kind(Quantity.INVERSE, Freedom.AFFINE)


def _at(camera: Camera) -> np.ndarray:
    """The plane z = 1 / (0.3 + 0.2 u + 0.1 v) along the rays of a camera, with u = (x - cx) / fx: the same metres in any crop."""
    u = (np.arange(camera.width) - camera.cx) / camera.fx
    v = (np.arange(camera.height) - camera.cy) / camera.fy
    return (0.3 + 0.2 * u[None] + 0.1 * v[:, None]).astype(np.float32)


@dataclass
class Seer:
    """Sees the plane exactly; each look at a part of the photo has a factor, and a shift, of its own."""

    kind: Kind
    wrong: bool = True
    description: str = "seer"
    batch: int = 1
    seen: list[list[tuple[int, int]]] = field(default_factory=list)
    answer: Callable[[Answer, Image], Answer] = lambda answer, image: answer

    def run(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> list[Answer]:
        self.seen.append([(image.width, image.height) for image in images])
        return [self.answer(Answer(self._values(image)), image) for image in images]

    def _values(self, image: Image) -> np.ndarray:
        inverse = _at(image.camera)
        values = 1 / inverse if self.kind.quantity is Quantity.DEPTH else inverse
        if max(image.width, image.height) == SIDE and image.camera.fx < 300:
            return values  # the whole, small
        lots = np.random.default_rng(abs(int(image.camera.cx * 7 + image.camera.cy * 13)))
        factor = lots.uniform(0.4, 2.5) if self.wrong else 1.0
        shift = lots.uniform(-1, 1) if self.wrong and self.kind.freedom is Freedom.AFFINE else 0.0
        return (values * factor + shift).astype(np.float32)

    def close(self) -> None:
        self.description = "closed"


def photo(width: int = WIDTH, height: int = HEIGHT) -> Image:
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.from_array(rgb, camera=Camera.centred(500.0, width, height, origin=Origin.GIVEN))


@pytest.mark.parametrize("kind", [Kind(), Kind(freedom=Freedom.SCALE), AFFINE, Kind(Quantity.INVERSE)])
def test_a_plane_comes_out_whole_though_every_tile_has_units_of_its_own(kind: Kind) -> None:
    image, seer = photo(), Seer(kind)
    (answer,) = TiledSession(seer, kind, side=SIDE).run([image])
    truth = _at(image.camera)
    truth = 1 / truth if kind.quantity is Quantity.DEPTH else truth
    assert answer.values.dtype == np.float32
    assert np.abs(answer.values / truth - 1).max() < 4e-3
    steps = (
        np.abs(np.diff(answer.values / truth, axis=1)).max(),
        np.abs(np.diff(answer.values / truth, axis=0)).max(),
    )
    assert max(steps) < 2e-3, "there is a seam"
    assert {size for sizes in seer.seen for size in sizes} == {(SIDE, SIDE), (SIDE, 80)}


def test_without_the_fit_there_would_be_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test above can see: units of the tiles' own leave steps of several parts in a hundred."""
    from leadline.flows import tiled
    from leadline.ops.tiles import Fitted

    monkeypatch.setattr(tiled, "fit_to_whole", lambda *_, **__: Fitted(1.0, 0.0))
    image = photo()
    (answer,) = TiledSession(Seer(Kind()), Kind(), side=SIDE).run([image])
    assert np.abs(np.diff(answer.values * _at(image.camera), axis=1)).max() > 0.02


def test_metres_that_need_the_camera_stay_metres() -> None:
    """The seer finds depth by the camera of each crop: a camera that was not cut with it would give another plane."""
    image = photo()
    (answer,) = TiledSession(Seer(Kind(), wrong=False), Kind(), side=SIDE).run([image])
    assert np.abs(answer.values * _at(image.camera) - 1).max() < 2e-3


def test_photos_no_larger_than_a_tile_are_shown_as_they_are_and_together() -> None:
    seer = Seer(Kind(), wrong=False)
    small, large = photo(100, 120), photo()
    answers = TiledSession(seer, Kind(), side=SIDE).run([small, large, small])
    assert seer.seen[0] == [(100, 120), (100, 120)]
    assert [answer.values.shape for answer in answers] == [(120, 100), (HEIGHT, WIDTH), (120, 100)]


def test_tiles_go_in_batches_that_are_asked_for() -> None:
    seer = Seer(Kind())
    TiledSession(seer, Kind(), side=SIDE, batch=3).run([photo()])
    assert max(map(len, seer.seen)) == 3
    assert all(len(sizes) <= 3 for sizes in seer.seen)


def test_a_tile_with_nothing_to_hold_on_to_takes_the_whole() -> None:
    def flat(answer: Answer, image: Image) -> Answer:
        return replace(answer, values=np.full_like(answer.values, 7)) if image.camera.fx > 300 else answer

    image = photo()
    (answer,) = TiledSession(Seer(AFFINE, answer=flat), AFFINE, side=SIDE).run([image])
    assert np.abs(answer.values / _at(image.camera) - 1).max() < 3e-2


def test_sky_uncertainty_and_camera_go_with_the_tiles() -> None:
    def more(answer: Answer, image: Image) -> Answer:
        rows = (np.arange(image.height) - image.camera.cy) / image.camera.fy
        sky = np.repeat((rows < -0.2)[:, None], image.width, 1)
        spread = np.abs(answer.values) * np.float32(0.1)
        return replace(answer, infinite=sky, uncertainty=spread, camera=image.camera)

    image = photo()
    (answer,) = TiledSession(Seer(Kind(), answer=more), Kind(), side=SIDE).run([image])
    assert answer.infinite is not None
    assert answer.uncertainty is not None
    assert answer.camera is not None
    rows = (np.arange(HEIGHT) - image.camera.cy) / image.camera.fy
    assert np.array_equal(answer.infinite[:, 0], rows < -0.2)
    below = ~answer.infinite
    np.testing.assert_allclose(answer.uncertainty[below], 0.1 * answer.values[below], rtol=1e-2)
    assert np.isnan(answer.values[answer.infinite]).all()
    assert (answer.camera.width, answer.camera.height) == (WIDTH, HEIGHT)
    assert answer.camera.fx == pytest.approx(500.0, rel=0.01)


def test_it_says_what_runs_and_closes() -> None:
    seer = Seer(Kind())
    session = TiledSession(seer, Kind(), side=SIDE)
    assert session.description == "seer, tiles of 128"
    session.close()
    assert seer.description == "closed"


def test_an_answer_of_another_size_is_refused() -> None:
    def cut(answer: Answer, image: Image) -> Answer:
        return replace(answer, values=answer.values[1:])

    with pytest.raises(EngineError, match=r"gave depth of \(79, 128\)"):
        TiledSession(Seer(Kind(), answer=cut), Kind(), side=SIDE).run([photo()])


def test_the_side_is_twice_what_the_network_sees() -> None:
    spec = MODELS.get("leadline-indoor-small")
    bare: Any = object()
    assert side_of("auto", spec, bare) == 512
    assert side_of(700, spec, bare) == 700
    assert side_of("auto", replace(spec, native_px=0), bare) == 1024
    assert side_of("auto", replace(spec, native_px=0, processing=Processing(192, 256)), bare) == 512


def test_a_side_that_was_chosen_grows_with_the_photo() -> None:
    """64 pixels are less than a fifth of 480, and a tile of 96 is not."""
    for chosen, longest in ((False, 64), (True, 96)):
        seer = Seer(Kind())
        TiledSession(seer, Kind(), side=64, chosen=chosen).run([photo()])
        assert max(max(size) for sizes in seer.seen for size in sizes) == longest
    assert TiledSession(Seer(Kind()), Kind(), side=64, chosen=True).description == "seer, tiles of 64 or more"


def test_prompted_models_are_not_tiled() -> None:
    prompted = replace(MODELS.get("leadline-indoor-small"), prompted=True)
    with pytest.raises(InputError, match="prompts are not cut into tiles"):
        side_of("auto", prompted, object())  # type: ignore[arg-type]


def test_through_the_command_line_and_from_python(
    tmp_path: Path, command: Callable[..., Any], known: ModelSpec
) -> None:
    Pil.fromarray(photo(400, 300).rgb_HW3).save(tmp_path / "a.png")
    ended = command(
        "predict", tmp_path / "a.png", "-o", tmp_path / "out", "-m", known.name, "--tile", "200", "--json"
    )
    assert ended.status == 0, ended.err
    assert "tiles of 200" in ended.out
    with open_model(known, tile=200) as model:
        assert model.predict(tmp_path / "a.png").depth.shape == (300, 400)
    assert command("predict", tmp_path / "a.png", "--tile", "nine").status == InputError.exit_status


def test_a_model_that_runs_elsewhere_is_sent_no_tiles() -> None:
    with pytest.raises(InputError, match="every tile would be sent there and charged"):
        side_of("auto", MODELS.get("replicate-midas"), Seer(AFFINE))


def test_sky_has_no_depth_though_a_tile_saw_some() -> None:
    def with_sky(answer: Answer, image: Image) -> Answer:
        sky = np.zeros(answer.values.shape, bool)
        sky[: image.height // 3] = True
        return replace(answer, infinite=sky)

    (answer,) = TiledSession(Seer(Kind(), answer=with_sky), Kind(), side=SIDE).run([photo()])
    assert answer.infinite is not None
    assert answer.infinite.any()
    assert np.isnan(answer.values[answer.infinite]).all()


def test_a_tile_that_fits_nothing_has_the_doubt_of_the_whole() -> None:
    def doubtful(answer: Answer, image: Image) -> Answer:
        tile = max(image.width, image.height) == SIDE and image.camera.fx > 300
        values = np.full_like(answer.values, np.nan) if tile else answer.values
        return replace(
            answer, values=values, uncertainty=np.full(values.shape, 7.0 if tile else 0.5, np.float32)
        )

    (answer,) = TiledSession(Seer(Kind(), answer=doubtful), Kind(), side=SIDE).run([photo()])
    assert answer.uncertainty is not None
    np.testing.assert_allclose(answer.uncertainty, 0.5, rtol=1e-5)
