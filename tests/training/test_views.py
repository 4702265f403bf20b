"""Views: drawn first, taken second; pixels, depth and camera change together."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.image import Image
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.core.sample import Sample
from leadline.training.recipe_files import load_recipe
from leadline.training.views import Draw, Frame, draw_shape, draw_view, pack, take_view

VIEWS = load_recipe("embedded-indoor").views
CANONICAL = 200.0
PLAIN = Draw((0.0, 0.0, 64.0, 48.0), (48, 64), False, 1.0, (1.0, 1.0, 1.0), 1.0, 0.0, 0.0, 0)


def frame(*, depth_m: float = 2.0, f_px: float = 50.0) -> Frame:
    column = np.arange(64, dtype=np.uint8)[None].repeat(48, 0)
    rgb = np.stack([column * 3, column * 2, 255 - column], 2)
    mm = np.zeros((48, 64), np.uint16)
    mm[4:44, 6:60] = round(depth_m * 1000)
    return Frame(rgb, mm, Camera.centred(f_px, 64, 48), (6, 4, 60, 44))


def packed_photo(camera: Camera) -> Image:
    return Image(np.zeros((camera.height, camera.width, 3), np.uint8), camera)


def test_packing_keeps_metres_to_the_millimetre_and_marks_the_unknown() -> None:
    values = np.array([[1.2344, 7.0, 80.0]], np.float32)
    camera = Camera.assumed(3, 1)
    truth = DepthMap(values, Kind(), valid=np.array([[True, False, True]]), camera=camera)
    packed = pack(Sample("a", packed_photo(camera), truth))
    assert (packed.depth_mm.tolist(), packed.steps_per_m) == ([[123, 0, 8000]], 100)
    room = DepthMap(np.array([[1.2344, 7.0, 65.0]], np.float32), Kind(), valid=truth.valid, camera=camera)
    packed = pack(Sample("a", packed_photo(camera), room))
    assert (packed.depth_mm.tolist(), packed.steps_per_m, packed.id) == ([[1234, 0, 65000]], 1000, "a")
    assert packed.known == (0, 0, 3, 1)
    near = pack(Sample("a", packed_photo(camera), truth), far_m=5.0)
    assert near.depth_mm.tolist() == [[1234, 0, 0]]
    assert near.known == (0, 0, 1, 1)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (DepthMap(np.ones((1, 1)), Kind(freedom=Freedom.SCALE)), "not metres"),
        (DepthMap(np.ones((1, 2)), Kind()), "photo of 1x1 and a depth of 2x1, which are not of one shape"),
        (DepthMap(np.ones((1, 1)), Kind(), valid=np.zeros((1, 1), bool)), "no pixel of known depth"),
    ],
)
def test_truth_that_cannot_be_learned_from_is_refused(truth: DepthMap, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        pack(Sample("a", Image.from_array(np.zeros((1, 1, 3), np.uint8)), truth))


def test_other_metric_kinds_and_sizes_are_brought_to_metres_of_the_photo() -> None:
    camera = Camera.centred(4.0, 4, 2)
    inverse = DepthMap(np.full((2, 4), 0.5, np.float32), Kind(Quantity.INVERSE), camera=camera)
    assert (pack(Sample("a", packed_photo(camera), inverse)).depth_mm == 2000).all()
    ray = DepthMap(np.full((2, 4), 2.0, np.float32), Kind(along=Along.RAY), camera=camera)
    along_axis = 2 / math.sqrt(1 + (1.5**2 + 0.5**2) / 4**2)
    assert pack(Sample("a", packed_photo(camera), ray)).depth_mm[0, 0] == round(1000 * along_axis)
    small = DepthMap(np.full((1, 2), 3.0, np.float32), Kind(), camera=Camera.centred(2.0, 2, 1))
    packed = pack(Sample("a", packed_photo(camera), small))
    assert packed.depth_mm.tolist() == [[3000] * 4] * 2


def test_centimetres_are_taken_back_to_metres() -> None:
    far = replace(frame(depth_m=2.0), depth_mm=np.full((48, 64), 8123, np.uint16), steps_per_m=100)
    view = take_view(far, draw=PLAIN, canonical_f_px=None, output_stride=1)
    assert np.allclose(view.depth_m, 81.23)


def test_without_a_canonical_camera_depth_stays_as_it_is() -> None:
    view = take_view(frame(), draw=PLAIN, canonical_f_px=None, output_stride=2)
    as_seen = take_view(frame(), draw=PLAIN, canonical_f_px=view.f_px, output_stride=2)
    assert np.allclose(view.depth_m, as_seen.depth_m)
    assert view.depth_m.max() > 0


def test_a_plain_whole_view_is_the_frame_with_depth_for_the_canonical_camera() -> None:
    view = take_view(frame(), draw=PLAIN, canonical_f_px=CANONICAL, output_stride=2)
    assert np.array_equal(view.rgb_HW3, frame().rgb_HW3)
    assert view.f_px == 50.0
    known = view.depth_m[view.depth_m > 0]
    assert known == pytest.approx(2.0 * CANONICAL / 50)
    assert np.array_equal(view.depth_m > 0, frame().depth_mm[1::2, 1::2] > 0)


@given(st.floats(0.3, 1.0), st.floats(0, 1), st.floats(0, 1))
def test_zooming_in_is_a_longer_lens(zoom: float, across: float, down: float) -> None:
    columns, rows = 54 * zoom, 40 * zoom
    window = (6 + across * (54 - columns), 4 + down * (40 - rows), columns, rows)
    view = take_view(frame(), draw=replace(PLAIN, window=window), canonical_f_px=CANONICAL, output_stride=2)
    assert view.f_px == pytest.approx(50 * math.sqrt(64 / columns * 48 / rows))
    metres = view.depth_m * view.f_px / CANONICAL  # what the model file does on the way back
    assert metres[metres > 0] == pytest.approx(2.0, rel=1e-5)
    assert (metres > 0).mean() > 0.9


def test_a_flip_mirrors_pixels_and_depth() -> None:
    source = frame()
    source.depth_mm[:, 6:30] = 1000
    plain, flipped = (
        take_view(source, draw=replace(PLAIN, flip=f), canonical_f_px=CANONICAL, output_stride=2)
        for f in (False, True)
    )
    assert np.array_equal(flipped.rgb_HW3, plain.rgb_HW3[:, ::-1])
    assert np.array_equal(flipped.depth_m, plain.depth_m[:, ::-1])


def test_colours_change_as_drawn_and_depth_does_not() -> None:
    grey = Frame(np.full((48, 64, 3), 128, np.uint8), frame().depth_mm, frame().camera, frame().known)
    draw = replace(PLAIN, gains=(1.2, 1.0, 0.5), gamma=1.0)
    view = take_view(grey, draw=draw, canonical_f_px=CANONICAL, output_stride=2)
    assert view.rgb_HW3[0, 0].tolist() == [154, 128, 64]
    dull = take_view(grey, draw=replace(draw, saturation=0.0), canonical_f_px=CANONICAL, output_stride=2)
    assert len(set(dull.rgb_HW3[0, 0].tolist())) == 1
    darker = take_view(grey, draw=replace(PLAIN, gamma=2.0), canonical_f_px=CANONICAL, output_stride=2)
    assert darker.rgb_HW3[0, 0, 0] == round(255 * (128 / 255) ** 2)
    assert np.array_equal(view.depth_m, darker.depth_m)


def test_noise_and_blur_do_what_they_say() -> None:
    grey = Frame(np.full((48, 64, 3), 128, np.uint8), frame().depth_mm, frame().camera, frame().known)
    noisy = take_view(grey, draw=replace(PLAIN, noise=6.0, noise_seed=3), canonical_f_px=1.0, output_stride=2)
    assert noisy.rgb_HW3.std() == pytest.approx(6.0, rel=0.05)
    assert noisy.rgb_HW3.mean() == pytest.approx(128, abs=0.3)
    board = (np.indices((48, 64)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    sharp = Frame(board, frame().depth_mm, frame().camera, frame().known)
    soft = take_view(sharp, draw=replace(PLAIN, blur_px=2.0), canonical_f_px=1.0, output_stride=2)
    assert soft.rgb_HW3[8:-8, 8:-8].std() < 5


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_draws_repeat_and_windows_stay_inside(seed: int) -> None:
    shape = draw_shape(np.random.default_rng(seed), recipe=VIEWS)
    assert (*shape,) in {s[:2] for s in VIEWS.shapes}
    first, second = (
        draw_view(np.random.default_rng(seed), frame=frame(), shape=shape, recipe=VIEWS) for _ in range(2)
    )
    assert first == second
    left, top, columns, rows = first.window
    whole = first.window == (0.0, 0.0, 64.0, 48.0)
    assert whole or (
        left >= 6 - 1e-9 and top >= 4 - 1e-9 and left + columns <= 60 + 1e-9 and top + rows <= 44 + 1e-9
    )
    assert abs(math.log(columns / rows * shape[0] / shape[1])) <= VIEWS.aspect_jitter + 1e-9
    one, two = (
        take_view(frame(), draw=d, canonical_f_px=CANONICAL, output_stride=2) for d in (first, second)
    )
    assert np.array_equal(one.rgb_HW3, two.rgb_HW3)
    assert one.rgb_HW3.shape == (*shape, 3)
    assert one.depth_m.shape == (shape[0] // 2, shape[1] // 2)


def test_chances_and_shapes_come_as_often_as_the_recipe_says() -> None:
    rng = np.random.default_rng(0)
    shapes = [draw_shape(rng, recipe=VIEWS) for _ in range(2000)]
    total = sum(s[2] for s in VIEWS.shapes)
    for rows, columns, weight in VIEWS.shapes:
        assert shapes.count((rows, columns)) / 2000 == pytest.approx(weight / total, abs=0.04)
    draws = [draw_view(rng, frame=frame(), shape=(192, 256), recipe=VIEWS) for _ in range(2000)]
    assert np.mean([d.flip for d in draws]) == pytest.approx(VIEWS.flip_chance, abs=0.04)
    assert np.mean([d.blur_px > 0 for d in draws]) == pytest.approx(VIEWS.blur_chance, abs=0.03)
    assert np.mean([d.noise > 0 for d in draws]) == pytest.approx(VIEWS.noise_chance, abs=0.03)
    whole = np.mean([d.window == (0.0, 0.0, 64.0, 48.0) for d in draws])
    assert whole == pytest.approx(VIEWS.whole_frame_chance, abs=0.04)
