from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from leadline.core.errors import InputError
from leadline.ops.bootstrap import bootstrap_intervals, bootstrap_means

MANY = 20_000


def _skewed(count: int, columns: int = 1) -> np.ndarray:
    return np.random.default_rng(3).gamma(2.0, 0.05, (count, columns))


def test_interval_is_scipys() -> None:
    values = _skewed(80, 3)
    ours = bootstrap_intervals(values, resamples=MANY)
    theirs = stats.bootstrap(
        (values,), np.mean, axis=0, n_resamples=MANY, method="percentile", rng=np.random.default_rng(1)
    )
    # A 2.5 % quantile of 20,000 draws is known to about 2 % of the standard error.
    error = values.std(0) / math.sqrt(80)
    for end, name in enumerate(("low", "high")):
        assert np.all(np.abs(ours[:, end] - getattr(theirs.confidence_interval, name)) < 0.1 * error)


def test_interval_over_groups_is_scipys_of_sums_and_numbers() -> None:
    values = _skewed(90)
    groups = np.repeat(np.arange(18), [3, 7] * 9)
    values += 0.3 * np.random.default_rng(5).random(18)[groups, None]
    ours = bootstrap_intervals(values, groups_N=groups, resamples=MANY)[0]
    sums, numbers = np.bincount(groups, values[:, 0]), np.bincount(groups)
    theirs = stats.bootstrap(
        (sums, numbers),
        lambda s, n, axis: s.sum(axis) / n.sum(axis),
        paired=True,
        n_resamples=MANY,
        method="percentile",
        rng=np.random.default_rng(1),
    )
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert np.allclose(ours, theirs.confidence_interval, atol=0.03 * width)
    alone = bootstrap_intervals(values, resamples=MANY)[0]
    assert np.ptp(ours) > 1.3 * np.ptp(alone)


def test_spread_of_means_is_the_standard_error() -> None:
    values = _skewed(200)
    means = bootstrap_means(values, resamples=MANY)
    assert float(means.std()) == pytest.approx(float(values.std()) / math.sqrt(200), rel=0.02)
    assert float(means.mean()) == pytest.approx(float(values.mean()), rel=0.005)


def test_two_rows_have_three_means_in_binomial_shares() -> None:
    means = bootstrap_means(np.array([[1.0], [3.0]]), resamples=MANY)[:, 0]
    shares = [float((means == value).mean()) for value in (1.0, 2.0, 3.0)]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.02)


def test_all_columns_are_of_the_same_draws() -> None:
    values = _skewed(30)
    means = bootstrap_means(np.hstack([values, 2 * values + 1]), resamples=50)
    assert np.allclose(means[:, 1], 2 * means[:, 0] + 1)


def test_draws_in_bands_are_the_draws_of_one_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    values = _skewed(40)
    whole = bootstrap_means(values, resamples=101, seed=4)
    monkeypatch.setattr("leadline.ops.bootstrap._BAND", 400)
    assert np.allclose(bootstrap_means(values, resamples=101, seed=4), whole, rtol=1e-12)
    assert not np.allclose(bootstrap_means(values, resamples=101, seed=5), whole)


def test_a_level_is_that_share_of_the_means() -> None:
    values = _skewed(60)
    low, high = bootstrap_intervals(values, level=0.8, resamples=MANY)[0]
    means = bootstrap_means(values, resamples=MANY)
    assert float(((means >= low) & (means <= high)).mean()) == pytest.approx(0.8, abs=0.001)


def test_what_is_not_defined_is_left_out() -> None:
    values = _skewed(50, 2)
    values[10:, 1] = math.nan
    ends = bootstrap_intervals(values, resamples=MANY)
    alone = bootstrap_intervals(values[:10, 1:], resamples=MANY)[0]
    assert np.allclose(ends[1], alone, atol=0.1 * np.ptp(alone))
    assert np.isfinite(ends).all()


def test_one_row_or_one_group_has_no_interval() -> None:
    assert np.isnan(bootstrap_intervals(np.array([[0.5]]))).all()
    assert np.isnan(bootstrap_intervals(_skewed(9), groups_N=np.zeros(9, np.int64))).all()
    one_defined = np.array([[0.5, 1.0], [math.nan, 2.0]])
    assert np.isnan(bootstrap_intervals(one_defined)).tolist() == [[True, True], [False, False]]


def test_an_infinite_value_makes_only_the_means_infinite_that_hold_it() -> None:
    values = np.array([[30.0, -math.inf], [math.inf, math.inf], [34.0, 1.0]])
    means = bootstrap_means(values, resamples=MANY)
    assert float(np.isfinite(means[:, 0]).mean()) == pytest.approx((2 / 3) ** 3, abs=0.02)
    assert not np.isnan(means[:, 0]).any()
    assert np.isnan(means[:, 1]).any()
    low, high = bootstrap_intervals(values, resamples=MANY)[0]
    assert (low, high) == (30.0, math.inf)


def test_rows_and_groups_are_checked() -> None:
    with pytest.raises(InputError, match=r"shape \(0, 3\) has no rows"):
        bootstrap_means(np.zeros((0, 3)))
    with pytest.raises(InputError, match=r"shape \(3,\) has no rows"):
        bootstrap_means(np.zeros(3))
    with pytest.raises(InputError, match=r"groups of shape \(2,\) are not one for each of 3 rows"):
        bootstrap_intervals(np.zeros((3, 1)), groups_N=np.zeros(2, np.int64))


@pytest.mark.parametrize(("count", "held"), [(5, 0.81), (10, 0.88), (100, 0.94)])
def test_an_interval_holds_the_true_mean_as_often_as_the_documents_say(count: int, held: float) -> None:
    values = np.random.default_rng(11).gamma(2.0, 0.05, (count, 1000))
    low, high = bootstrap_intervals(values).T
    assert float(((low <= 0.1) & (high >= 0.1)).mean()) == pytest.approx(held, abs=0.03)
