from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PilImage
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.kind import Kind
from leadline.flows.data.opening import open_dataset
from leadline.ops.eight_bit import eight_bit_prediction, eight_bit_truth, measure_eight_bit

METRES, DPT, MARIGOLD = (
    Kind.parse(name) for name in ("metric-depth", "affine-invariant-inverse-depth", "affine-invariant-depth")
)


def tutorial_truth(stored: NDArray[np.integer]) -> NDArray[np.uint8]:
    """The tutorial's line on the integers of a file (it had them as 32-bit; as 16-bit they would overflow)."""
    whole = stored.astype(np.int32)
    return (whole * 255 / np.max(whole)).astype("uint8")


def tutorial_dpt(output: NDArray[np.float32]) -> NDArray[np.uint8]:
    return (255 - output * 255 / np.max(output)).astype("uint8")


def tutorial_marigold(grey_picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rgb = np.repeat(grey_picture[..., None], 3, -1)
    return (255 - rgb[:, :, 0]).astype("uint8")


def tutorial_scores(truth: NDArray[np.uint8], made: NDArray[np.uint8]) -> tuple[float, float, float]:
    return (
        float(np.sqrt(mean_squared_error(truth, made))),
        float(peak_signal_noise_ratio(truth, made)),
        float(structural_similarity(truth, made)),
    )


def bumps(seed: int, shape: tuple[int, int] = (48, 64)) -> NDArray[np.float32]:
    """Positive and smooth, with noise on top."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]] / 16
    return (3 + np.sin(x + seed) * np.cos(y) + 0.2 * rng.random(shape)).astype(np.float32)


def as_truth(stored_mm: NDArray[np.integer]) -> DepthMap:
    return DepthMap(stored_mm.astype(np.float32) / np.float32(1000), METRES)


@pytest.mark.parametrize("seed", range(5))
def test_the_truth_is_the_tutorials_picture_to_the_last_level(seed: int) -> None:
    stored = np.random.default_rng(seed).integers(0, 8191, (120, 160))
    stored[:5] = 0
    stored[60:65] = np.arange(160) * 51  # whole quotients, which float32 metres miss by a rounding
    stored[0, 0] = 8160
    np.testing.assert_array_equal(eight_bit_truth(as_truth(stored)), tutorial_truth(stored))
    rotated = (stored << 3 | stored >> 13) & 0xFFFF
    np.testing.assert_array_equal(eight_bit_truth(as_truth(stored)), tutorial_truth(rotated))


def test_whole_quotients_are_missed_without_care() -> None:
    """That the care taken is needed: cutting the float32 metres themselves gives other levels."""
    stored = np.arange(1, 8161).reshape(-1, 80)
    metres = as_truth(stored).values
    careless = (metres * 255 / metres.max()).astype("uint8")
    assert (careless != tutorial_truth(stored)).any()
    np.testing.assert_array_equal(eight_bit_truth(as_truth(stored)), tutorial_truth(stored))


def test_far_depth_of_sun_rgbd_wraps_where_its_numbers_are_taken_as_they_lie() -> None:
    stored = np.random.default_rng(1).integers(500, 10_000, (40, 50))
    rotated = (stored << 3 | stored >> 13) & 0xFFFF
    made = eight_bit_truth(as_truth(stored), stored="sunrgbd")
    np.testing.assert_array_equal(made, tutorial_truth(rotated))
    assert (made != tutorial_truth(stored)).any()


@pytest.mark.parametrize("seed", range(3))
def test_dpt_is_turned_round_as_in_the_tutorial(seed: int) -> None:
    output = bumps(seed) * np.float32(741.5)
    np.testing.assert_array_equal(eight_bit_prediction(DepthMap(output, DPT)), tutorial_dpt(output))


def test_marigold_is_turned_round_after_it_was_a_grey_picture() -> None:
    output = bumps(3) - 1.5
    output /= output.max()
    grey = (output * 255).astype("uint8")
    made = eight_bit_prediction(DepthMap(output, MARIGOLD))
    np.testing.assert_array_equal(made, tutorial_marigold(grey))
    assert (made != tutorial_dpt(output)).any(), "the two cut in another order"


@pytest.mark.parametrize("kind", ["metric-depth", "scale-invariant-depth"])
def test_depth_without_a_shift_is_made_as_the_truth_is(kind: str) -> None:
    stored = np.random.default_rng(2).integers(1, 8000, (30, 40))
    depth = DepthMap(as_truth(stored).values, Kind.parse(kind))
    off = eight_bit_prediction(depth).astype(int) - tutorial_truth(stored)
    assert np.abs(off).max() <= 1


def test_negative_values_wrap_as_they_do_in_numpy() -> None:
    output = np.array([[-1.0, 0.5], [0.25, 1.0]], np.float32)
    assert eight_bit_prediction(DepthMap(output, DPT)).tolist() == [[510 - 256, 127], [191, 0]]


@pytest.mark.parametrize("kind", [DPT, MARIGOLD, METRES])
@pytest.mark.parametrize("seed", range(3))
def test_the_scores_are_scikit_images(kind: Kind, seed: int) -> None:
    stored = (bumps(seed + 10) * 1000).astype(np.int64)
    stored[5:12, 20:40] = 0
    output = bumps(seed)
    found = measure_eight_bit(DepthMap(output, kind), as_truth(stored))
    made = eight_bit_prediction(DepthMap(output, kind))
    expected = tutorial_scores(tutorial_truth(stored), made)
    np.testing.assert_allclose((found.rmse, found.psnr, found.ssim), expected, rtol=1e-9)
    assert math.isnan(found.abs_rel)
    assert (found.pixels, found.known, found.coverage) == (stored.size, stored.size, 1.0)


def test_like_pictures_and_very_small_ones() -> None:
    depth = DepthMap(np.array([[1.0, 2.0], [3.0, 4.0]]), METRES)
    found = measure_eight_bit(depth, depth)
    assert (found.rmse, found.psnr) == (0.0, math.inf)
    assert math.isnan(found.ssim)


def test_what_is_not_known_counts_as_zero() -> None:
    holes = DepthMap(np.array([[np.nan, np.inf], [2.0, 4.0]]), METRES)
    assert eight_bit_truth(holes).tolist() == [[0, 0], [127, 255]]
    assert eight_bit_prediction(DepthMap(np.array([[np.nan, 4.0]]), DPT)).tolist() == [[255, 0]]


def test_real_frames_of_sun_rgbd(shared_data: Path) -> None:
    """The tutorial's own lines on the file as it lies, against ours on what the reader makes of it."""
    root = shared_data / "sunrgbd"
    frames = open_dataset(f"sunrgbd:{root}", options={"truth": "filled"})
    for sample, entry in zip(frames, frames.entries, strict=True):
        stored = np.array(PilImage.open(root / entry.files[1]))
        so = tutorial_truth(stored)
        np.testing.assert_array_equal(eight_bit_truth(sample.truth, stored="sunrgbd"), so)
        output = bumps(0, sample.truth.shape)
        found = measure_eight_bit(DepthMap(output, DPT), sample.truth, stored="sunrgbd")
        expected = tutorial_scores(so, tutorial_dpt(output))
        np.testing.assert_allclose((found.rmse, found.psnr, found.ssim), expected, rtol=1e-9)


def test_bad_input_is_refused() -> None:
    depth = DepthMap(np.ones((4, 4)), METRES)
    with pytest.raises(InputError, match="does not fit truth"):
        measure_eight_bit(DepthMap(np.ones((4, 5)), METRES), depth)
    with pytest.raises(KindError, match="not metres"):
        measure_eight_bit(depth, DepthMap(np.ones((4, 4)), DPT))
    with pytest.raises(InputError, match="the truth has no positive value"):
        eight_bit_truth(DepthMap(np.zeros((4, 4)), METRES))
    with pytest.raises(InputError, match="the prediction has no positive value"):
        eight_bit_prediction(DepthMap(-np.ones((4, 4)), DPT))
