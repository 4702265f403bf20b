"""Pooling is measuring all pixels of all images at once."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Kind
from leadline.ops.metrics import METRICS, MeasureOptions, Pooling, Scores, measure, pool

OPTIONS = MeasureOptions(data_range_m=10.0)
POOLED = [name for name, metric in METRICS.items() if metric.pooling is not Pooling.NONE]
FIELDS = [*POOLED, "log_mean", "log_spread", "pixels", "known", "coverage"]

images = st.lists(
    st.integers(1, 12).flatmap(
        lambda n: hnp.arrays(np.float32, (2, n), elements=st.floats(0.125, 16, width=32))
    ),
    min_size=1,
    max_size=5,
)


def scores(pairs: np.ndarray) -> Scores:
    """Of one row of predictions and one of truth."""
    p, g = (DepthMap(row[None], Kind()) for row in pairs)
    return measure(p, g, names=POOLED, options=OPTIONS)


def same(one: Scores, other: Scores) -> None:
    for name in FIELDS:
        expected = pytest.approx(getattr(other, name), rel=1e-9, abs=1e-12)
        assert getattr(one, name) == expected, name


@given(images)
def test_pooled_is_measured_together(pairs: list[np.ndarray]) -> None:
    same(pool([scores(pair) for pair in pairs]), scores(np.concatenate(pairs, axis=1)))


def test_large_images_of_unequal_size_and_coverage_pool_exactly() -> None:
    rng = np.random.default_rng(1)
    pairs = []
    for size, factor in ((30_000, 1.5), (700, 0.3), (9_600, 1.0)):
        truth = rng.uniform(0.3, 9, size)
        pair = np.array([truth * factor * rng.normal(1, 0.1, size), truth]).astype(np.float32)
        pair[0, :: int(10 / factor)] = np.nan
        pair[1, ::7] = 0
        pairs.append(pair)
    one_by_one = [scores(pair) for pair in pairs]
    together = scores(np.concatenate(pairs, axis=1))
    same(pool(one_by_one), together)
    assert pool(one_by_one).rmse != pytest.approx(np.mean([one.rmse for one in one_by_one]), rel=0.03)
    same(pool([pool(one_by_one[:2]), one_by_one[2]]), together)


def test_perfect_images_pool_to_no_error_at_all() -> None:
    row = np.full((2, 5), 2.0, np.float32)
    assert pool([scores(row), scores(row)]).psnr == math.inf


def test_what_was_not_asked_for_or_cannot_be_pooled_is_not_there() -> None:
    g = DepthMap(np.linspace(1, 5, 400).reshape(20, 20), Kind())
    p = DepthMap(np.linspace(1.1, 6, 400).reshape(20, 20), Kind())
    found = pool([measure(p, g, names=["rmse", "ssim", "whdr"], options=OPTIONS)] * 2)
    assert found.rmse > 0
    assert all(
        math.isnan(value) for value in (found.ssim, found.whdr, found.mae, found.silog, found.log_mean)
    )
    logs = pool([measure(p, g, names=["silog"])] * 2)
    assert logs.silog > 0
    assert math.isnan(logs.silog_085)
    one = scores(np.ones((2, 3), np.float32))
    assert math.isnan(pool([one, replace(one, rmse=math.nan)]).rmse)


def test_nothing_cannot_be_pooled() -> None:
    with pytest.raises(InputError, match="no scores to pool"):
        pool([])
