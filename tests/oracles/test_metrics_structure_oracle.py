"""SSIM against scikit-image, order and boundaries against loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from leadline.core.depth_map import DepthMap
from leadline.core.kind import Kind
from leadline.ops.metrics import METRICS, Family, MeasureOptions, Scores, measure
from leadline.ops.metrics_order import draw_pairs


def names(*families: Family) -> list[str]:
    return [name for name, metric in METRICS.items() if metric.family in families]


def look(p: np.ndarray, g: np.ndarray, *families: Family, **rules: object) -> Scores:
    truth = DepthMap(np.asarray(g, np.float32), Kind())
    options = MeasureOptions(10.0, **rules)  # type: ignore[arg-type]
    return measure(
        DepthMap(np.asarray(p, np.float32), Kind()), truth, names=names(*families), options=options
    )


def room(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Smooth with a few steps, so that windows differ."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    plane = 3 + np.sin(rows / 5) + np.cos(columns / 7) + 2 * ((rows // 9 + columns // 11) % 2)
    return (plane * rng.normal(1, 0.03, shape)).astype(np.float32)


def with_holes(plane: np.ndarray, seed: int, share: float = 0.01) -> np.ndarray:
    holed = plane.copy()
    holed[np.random.default_rng(seed).random(plane.shape) < share] = np.nan
    return holed


def masked_similarity(p: np.ndarray, g: np.ndarray, *, gaussian: bool) -> float:
    """scikit-image's map, and of it the windows that touch no hole."""
    both = np.isfinite(p) & np.isfinite(g)
    x, y = (np.where(both, plane, 0).astype(np.float64) for plane in (p, g))
    rest = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False} if gaussian else {}
    _, full = structural_similarity(x, y, data_range=10.0, full=True, **rest)
    size = 11 if gaussian else 7
    free = np.lib.stride_tricks.sliding_window_view(both, (size, size)).all(axis=(2, 3))
    edge = size // 2
    return float(full[edge:-edge, edge:-edge][free].mean()) if free.any() else math.nan


@pytest.mark.parametrize("window", ["uniform", "gaussian"])
@pytest.mark.parametrize("shape", [(11, 11), (12, 17), (75, 64), (32 + 10, 200), (131, 97)])
def test_ssim_is_that_of_scikit_image_where_no_hole_is_touched(shape: tuple[int, int], window: str) -> None:
    p, g = room(shape, 1), room(shape, 2)
    for share in (0.0, 0.004):
        holed_p, holed_g = with_holes(p, 3, share), with_holes(g, 4, share)
        expected = masked_similarity(holed_p, holed_g, gaussian=window == "gaussian")
        found = look(holed_p, holed_g, Family.STRUCTURE, ssim_window=window).ssim
        assert found == pytest.approx(expected, rel=1e-6, nan_ok=True)


def test_ssim_of_real_frames_is_that_of_scikit_image(
    real_pairs: dict[str, tuple[DepthMap, DepthMap]],
) -> None:
    for p, g in real_pairs.values():
        found = measure(p, g, names=["ssim"], options=MeasureOptions(10.0))
        assert found.ssim == pytest.approx(masked_similarity(p.values, g.values, gaussian=False), rel=1e-6)


@pytest.mark.filterwarnings("error")
def test_ssim_of_huge_ranges_is_the_formula_window_by_window() -> None:
    p, g = (10 ** np.random.default_rng(seed).uniform(-6, 6, (9, 10)) for seed in (1, 2))
    p, g = p.astype(np.float32), g.astype(np.float32)
    values = []
    for row in range(3):
        for column in range(4):
            x, y = (plane[row : row + 7, column : column + 7].astype(np.longdouble) for plane in (p, g))
            ux, uy, c1, c2 = x.mean(), y.mean(), 0.1**2, 0.3**2
            vx, vy = x.var(ddof=1), y.var(ddof=1)
            vxy = ((x - ux) * (y - uy)).sum() / 48
            values.append((2 * ux * uy + c1) * (2 * vxy + c2) / ((ux**2 + uy**2 + c1) * (vx + vy + c2)))
    assert look(p, g, Family.STRUCTURE).ssim == pytest.approx(float(np.mean(values)), rel=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (6, 50), (50, 6)])
def test_ssim_of_pictures_smaller_than_its_window_is_not_defined(shape: tuple[int, int]) -> None:
    assert math.isnan(look(room(shape, 1), room(shape, 2), Family.STRUCTURE).ssim)


def test_ssim_where_every_window_has_a_hole_is_not_defined() -> None:
    g = room((30, 30), 1)
    g[::6, ::6] = np.nan
    assert math.isnan(look(room((30, 30), 2), g, Family.STRUCTURE).ssim)


def drawn(pixels: int, pairs: int, seed: int) -> list[tuple[int, int]]:
    """SplitMix64 in plain integers."""
    whole, state, numbers = 2**64, seed, []
    for _ in range(2 * pairs):
        state = (state + 0x9E3779B97F4A7C15) % whole
        z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % whole
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % whole
        numbers.append(z ^ (z >> 31))
    found = []
    for a, b in zip(numbers[0::2], numbers[1::2], strict=True):
        found.append((a % pixels, (a % pixels + 1 + b % (pixels - 1)) % pixels))
    return found


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_pairs_are_drawn_by_splitmix64_and_differ(seed: int) -> None:
    found = draw_pairs(7, 500, seed=seed)
    assert list(map(tuple, found.T.tolist())) == drawn(7, 500, seed)
    assert (found[0] != found[1]).all()
    assert set(found.ravel().tolist()) == set(range(7))


def test_order_is_counted_pair_by_pair() -> None:
    p, g = with_holes(room((20, 21), 5), 6, 0.1), with_holes(room((20, 21), 7), 8, 0.1)
    counting = np.flatnonzero(np.isfinite(g))
    wrong = asked = 0
    for a, b in drawn(len(counting), 3000, seed=4):
        orders = []
        for plane in (p, g):
            ratio = float(plane.flat[counting[a]]) / float(plane.flat[counting[b]])
            orders.append(0 if math.isnan(ratio) else 1 if ratio >= 1.03 else -1 if ratio <= 1 / 1.03 else 2)
        if orders[0]:
            asked += 1
            wrong += orders[0] != orders[1]
    found = look(p, g, Family.ORDER, order_pairs=3000, order_seed=4).whdr
    assert 0 < wrong < asked < 3000
    assert found == pytest.approx(wrong / asked, rel=1e-12)


def test_order_without_a_pair_is_not_defined() -> None:
    assert math.isnan(look([[1.0]], [[2.0]], Family.ORDER).whdr)
    assert math.isnan(look([[1.0, np.nan]], [[2.0, 3.0]], Family.ORDER).whdr)


def boundaries(p: np.ndarray, g: np.ndarray) -> tuple[float, float, float]:
    """Depth Pro's definition, on inverse depth, one threshold and one direction after the other."""
    thresholds = np.linspace(1.05, 1.25, 10)
    rows = []
    for t in thresholds:
        precision, recall = [], []
        for step in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            said = true = shared = 0
            for row, column in np.ndindex(p.shape):
                r, c = row + step[0], column + step[1]
                if not (0 <= r < p.shape[0] and 0 <= c < p.shape[1]):
                    continue
                ends = [float(plane[at]) for plane in (p, g) for at in ((row, column), (r, c))]
                if any(map(math.isnan, ends)):
                    continue
                is_said, is_true = (1 / ends[0]) / (1 / ends[1]) > t, (1 / ends[2]) / (1 / ends[3]) > t
                said, true, shared = said + is_said, true + is_true, shared + (is_said and is_true)
            precision.append(shared / max(said, 1))
            recall.append(shared / max(true, 1))
        a, b = np.mean(precision), np.mean(recall)
        rows.append((a, b, 2 * a * b / (a + b) if a + b else 0.0))
    return tuple(np.average(rows, axis=0, weights=thresholds))


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_boundaries_are_those_of_depth_pro(share: float) -> None:
    p, g = with_holes(room((22, 23), 1), 2, share), with_holes(room((22, 23), 3), 4, share)
    found = look(p, g, Family.BOUNDARY)
    expected = boundaries(p, g)
    assert 0.05 < expected[2] < 0.95
    assert (found.boundary_precision, found.boundary_recall, found.boundary_f1) == pytest.approx(
        expected, rel=1e-9
    )


def test_boundaries_of_a_truth_without_any_are_not_defined() -> None:
    found = look(room((9, 9), 1), np.full((9, 9), 2.0), Family.BOUNDARY)
    assert math.isnan(found.boundary_precision)
    assert math.isnan(found.boundary_f1)


def test_a_prediction_without_boundaries_has_none_right() -> None:
    found = look(np.full((9, 9), 2.0), room((9, 9), 1), Family.BOUNDARY)
    assert (found.boundary_precision, found.boundary_recall, found.boundary_f1) == (0.0, 0.0, 0.0)
