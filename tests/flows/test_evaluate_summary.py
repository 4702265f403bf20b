from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.records import Comparison, Figure, Row, Rung
from leadline.flows.evaluate.summary import compare, drawn_units, summarise
from leadline.ops.metrics import Scores, pool

METRICS = ("rmse", "delta1", "ssim")
PROTOCOL = Protocol("test", "a test", "here", METRICS, 0.0, 10.0)


def _scores(rmse: float, delta1: float, ssim: float = 0.5, pixels: int = 100) -> Scores:
    return Scores(pixels=pixels, known=pixels, coverage=1.0, rmse=rmse, delta1=delta1, ssim=ssim)


def _row(
    sample: str, scores: Scores | None, *, model: str = "a", scene: str = "", rung: Rung = "protocol"
) -> Row:
    held = {} if scores is None else {rung: scores}
    return Row(model, sample, scene, held, skipped="" if scores else "no valid truth")


def _rows(model: str, count: int, seed: int, *, scenes: int = 0) -> list[Row]:
    random = np.random.default_rng(seed)
    return [
        _row(
            f"{n:03}",
            _scores(
                float(random.gamma(2, 0.2)), float(random.random()), pixels=int(random.integers(10, 999))
            ),
            model=model,
            scene=f"scene-{n % scenes}" if scenes else "",
        )
        for n in range(count)
    ]


def _values(rows: Sequence[Row], metric: str) -> np.ndarray:
    return np.array([getattr(row.scores["protocol"], metric) for row in rows])


def _figure(rows: Sequence[Row], metric: str = "rmse") -> Figure:
    (summary,) = summarise(rows, PROTOCOL)
    return summary.figures[metric]


def test_a_figure_is_mean_median_and_pooled_of_the_images() -> None:
    rows = _rows("a", 41, seed=1)
    figure, values = _figure(rows), _values(rows, "rmse")
    pixels = np.array([row.scores["protocol"].pixels for row in rows])
    assert figure.mean == pytest.approx(values.mean(), rel=1e-12)
    assert figure.median == sorted(values)[20]
    assert figure.pooled == pytest.approx(math.sqrt((pixels * values**2).sum() / pixels.sum()), rel=1e-12)
    assert figure.images == 41
    assert figure.low < figure.mean < figure.high


def test_an_interval_is_scipys() -> None:
    rows = _rows("a", 120, seed=2)
    values = _values(rows, "rmse")
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(7)
    ).confidence_interval
    # 2,000 draws know their 2.5 % quantile to about 6 % of the standard error.
    error = values.std() / math.sqrt(120)
    figure = _figure(rows)
    assert figure.low == pytest.approx(theirs.low, abs=0.2 * error)
    assert figure.high == pytest.approx(theirs.high, abs=0.2 * error)


def test_images_of_one_scene_are_drawn_together() -> None:
    rows = [
        _row(f"{n:03}", _scores(1.0 if n < 20 else 3.0, 0.5), scene="hall" if n < 20 else "attic")
        for n in range(40)
    ]
    figure = _figure(rows)
    assert (figure.mean, figure.low, figure.high) == (2.0, 1.0, 3.0)
    assert drawn_units(rows) == ("scenes", 2)


@pytest.mark.parametrize("scene", ["", "hall"])
def test_one_scene_or_an_unknown_one_draws_images(scene: str) -> None:
    rows = [_row(f"{n:03}", _scores(1.0 if n < 20 else 3.0, 0.5), scene="hall") for n in range(39)]
    rows.append(_row("039", _scores(3.0, 0.5), scene=scene))
    figure = _figure(rows)
    assert 1.5 < figure.low < 2.0 < figure.high < 2.5
    assert drawn_units(rows) == ("images", 40)


def test_one_image_has_no_interval() -> None:
    figure = _figure([_row("0", _scores(0.5, 0.9))])
    assert (figure.mean, figure.median, figure.pooled, figure.images) == (0.5, 0.5, 0.5, 1)
    assert math.isnan(figure.low)
    assert math.isnan(figure.high)


def test_images_without_a_metric_are_left_out_and_counted() -> None:
    rows = [_row(str(n), _scores(float(n), 0.5, math.nan if n < 3 else 0.1 * n)) for n in range(1, 7)]
    assert _figure(rows).images == 6
    figure = _figure(rows, "ssim")
    assert figure.images == 4
    assert figure.mean == pytest.approx(0.45)
    assert math.isnan(figure.pooled)
    assert 0.3 <= figure.low < 0.45 < figure.high <= 0.6


def test_what_some_images_lack_is_pooled_over_the_others() -> None:
    scores = [_scores(1.0, 0.5, pixels=10), _scores(math.nan, 0.7, pixels=30), _scores(3.0, 0.9, pixels=20)]
    rows = [_row(str(n), one) for n, one in enumerate(scores)]
    assert _figure(rows).pooled == pool([scores[0], scores[2]]).rmse == pytest.approx(math.sqrt(19 / 3))
    assert _figure(rows, "delta1").pooled == pytest.approx(44 / 60)


def test_a_metric_that_no_image_has_is_nan_of_none() -> None:
    figure = _figure([_row(str(n), _scores(1.0, 0.5, math.nan)) for n in range(4)], "ssim")
    assert figure.images == 0
    assert all(math.isnan(x) for x in (figure.mean, figure.low, figure.high, figure.median, figure.pooled))


def test_a_perfect_image_makes_psnr_infinite_without_a_warning() -> None:
    protocol = Protocol("test", "", "", ("psnr",), 0.0, 10.0)
    psnr = [30.0, math.inf, 34.0, 33.0, 31.0]
    rows = [_row(str(n), Scores(pixels=9, known=9, coverage=1.0, psnr=value)) for n, value in enumerate(psnr)]
    figure = summarise(rows, protocol)[0].figures["psnr"]
    assert (figure.mean, figure.median, figure.high) == (math.inf, 33.0, math.inf)
    assert math.isfinite(figure.low)
    assert math.isfinite(figure.pooled)
    again = [_row(row.sample, row.scores["protocol"], model="b") for row in rows]
    (comparison,) = compare([*rows, *again], protocol)
    assert (comparison.difference, comparison.ties) == (0.0, 5)


def test_models_keep_their_order_and_the_protocols_rung_comes_first() -> None:
    rows = [*_rows("b", 5, seed=1), *_rows("a", 5, seed=2)]
    laddered = [
        Row(r.model, r.sample, r.scene, {"scale": _scores(9.0, 0.1), **r.scores}) if r.model == "a" else r
        for r in rows
    ]
    summaries = summarise(laddered, PROTOCOL)
    assert [(s.model, s.rung) for s in summaries] == [("b", "protocol"), ("a", "protocol"), ("a", "scale")]
    assert [list(s.figures) for s in summaries] == [list(METRICS)] * 3
    assert summaries[2].figures["rmse"].mean == 9.0


def test_a_model_that_was_scored_nowhere_is_still_told() -> None:
    rows = [_row("0", None), _row("1", None)]
    (summary,) = summarise(rows, PROTOCOL)
    assert (summary.model, summary.figures["rmse"].images) == ("a", 0)
    assert drawn_units(rows) == ("images", 0)


def test_figures_are_the_same_with_the_same_seed() -> None:
    rows = [*_rows("a", 30, seed=5), *_rows("b", 30, seed=6)]
    for made in (summarise, compare):
        assert made(rows, PROTOCOL, seed=1) == made(rows, PROTOCOL, seed=1) != made(rows, PROTOCOL, seed=2)


def _comparison(rows: Sequence[Row], metric: str = "rmse") -> Comparison:
    return next(c for c in compare(rows, PROTOCOL) if c.metric == metric)


def test_differences_are_taken_on_the_images_that_both_have() -> None:
    one, other = _rows("a", 60, seed=1), _rows("b", 60, seed=2)
    found = _comparison([*one[5:], *other[:50], _row("055", None, model="b")])
    off = _values(one[5:50], "rmse") - _values(other[5:50], "rmse")
    assert found.difference == pytest.approx(off.mean(), rel=1e-12)
    assert (found.first_wins, found.second_wins, found.ties) == ((off < 0).sum(), (off > 0).sum(), 0)
    theirs = stats.bootstrap(
        (off,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(7)
    ).confidence_interval
    error = off.std() / math.sqrt(45)
    assert found.low == pytest.approx(theirs.low, abs=0.2 * error)
    assert found.high == pytest.approx(theirs.high, abs=0.2 * error)


def test_who_wins_depends_on_which_direction_is_better() -> None:
    first = [_row("0", _scores(1.0, 0.9)), _row("1", _scores(1.0, 0.9)), _row("2", _scores(1.0, 0.9))]
    second = [
        _row("0", _scores(2.0, 0.5), model="b"),
        _row("1", _scores(2.0, 0.95), model="b"),
        _row("2", _scores(1.0, 0.5), model="b"),
    ]
    rmse, delta1 = (_comparison([*first, *second], metric) for metric in ("rmse", "delta1"))
    assert (rmse.first_wins, rmse.second_wins, rmse.ties) == (2, 0, 1)
    assert (delta1.first_wins, delta1.second_wins, delta1.ties) == (2, 1, 0)
    assert rmse.difference == pytest.approx(-2 / 3)
    assert delta1.difference == pytest.approx(0.25)


def test_a_steady_difference_is_seen_where_the_means_overlap() -> None:
    one = _rows("a", 50, seed=1)
    other = [_row(r.sample, _scores(r.scores["protocol"].rmse + 0.01, 0.5), model="b") for r in one]
    a, b = (summary.figures["rmse"] for summary in summarise([*one, *other], PROTOCOL))
    assert a.high > b.low
    found = _comparison([*one, *other])
    assert found.high < 0
    assert found.low == pytest.approx(-0.01)


def test_every_pair_is_compared_by_every_metric_in_order() -> None:
    rows = [*_rows("c", 4, seed=1), *_rows("a", 4, seed=2), *_rows("b", 4, seed=3)]
    found = [(c.first, c.second, c.metric) for c in compare(rows, PROTOCOL)]
    assert found == [(x, y, m) for x, y in (("c", "a"), ("c", "b"), ("a", "b")) for m in METRICS]


def test_a_pair_without_a_common_image_has_no_difference() -> None:
    found = _comparison([_row("0", _scores(1.0, 0.5)), _row("1", _scores(1.0, 0.5), model="b")])
    assert math.isnan(found.difference)
    assert (found.first_wins, found.second_wins, found.ties) == (0, 0, 0)


def test_paired_differences_are_drawn_by_scene() -> None:
    pairs = [(1.0, 2.0, "hall")] * 10 + [(3.0, 2.0, "attic")] * 10
    rows = [_row(str(n), _scores(x, 0.5), scene=s) for n, (x, _, s) in enumerate(pairs)]
    rows += [_row(str(n), _scores(y, 0.5), scene=s, model="b") for n, (_, y, s) in enumerate(pairs)]
    found = _comparison(rows)
    assert (found.difference, found.low, found.high) == (0.0, -1.0, 1.0)
