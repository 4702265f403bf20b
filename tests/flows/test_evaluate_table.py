from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from leadline.core.results import ModelRecord
from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.records import Comparison, Evaluation, Row
from leadline.flows.evaluate.summary import compare, summarise
from leadline.flows.evaluate.table import table_of
from leadline.flows.evaluate.wording import changes_of, decimals_for, heading, shown, verdict
from leadline.ops.metrics import METRICS, Scores

PROTOCOL = Protocol("mine", "", "", ("rmse", "delta1", "psnr"), 0.0, 10.0)


def _row(model: str, sample: str, rmse: float, **more: object) -> Row:
    scores = Scores(pixels=100, known=100, coverage=1.0, rmse=rmse, delta1=1 - rmse / 10, psnr=20 / rmse)
    return replace(Row(model, sample, "", {"protocol": scores}), **more)


def _rows() -> list[Row]:
    rows = [_row("a", str(n), 1.0 + n / 10) for n in range(5)]
    return rows + [_row("a-longer-name", str(n), 2.0 + n / 10) for n in range(5)]


def _table(rows: list[Row], protocol: Protocol = PROTOCOL) -> str:
    models = tuple(ModelRecord(name) for name in dict.fromkeys(row.model for row in rows))
    summaries, comparisons = summarise(rows, protocol), compare(rows, protocol)
    return table_of(
        Evaluation(Path("out"), protocol, "nyu:rooms", models, tuple(rows), summaries, comparisons)
    )


def test_columns_stand_under_their_headings() -> None:
    lines = _table(_rows()).splitlines()
    assert lines[0] == "mine on nyu:rooms"
    assert (
        lines[1] == "intervals: 95 % of the mean, bootstrapped over 5 images: so few that they are too narrow"
    )
    block = lines[3:10]
    for name in ("mean*", "95 % interval", "median", "pooled", "images"):
        end = block[0].index(name) + len(name)
        assert all(line[end - 1] != " " for line in block[1:]), name
    assert block[1].startswith("RMSE (m) ↓   a               1.200  ")
    assert block[2].startswith("             a-longer-name   2.200  ")
    assert block[3].startswith("δ1 ↑         a              0.8800  ")
    assert block[5].startswith("PSNR (dB) ↑  a               16.90  ")
    assert lines[10] == "* what this protocol reports"
    assert all(line == line.rstrip() for line in lines)


def test_twenty_images_are_enough_for_an_interval_without_a_warning() -> None:
    text = _table([_row("a", str(n), 1.0 + n / 10) for n in range(20)])
    assert "bootstrapped over 20 images\n" in text


def test_the_number_that_the_protocol_reports_is_marked() -> None:
    text = _table(_rows(), replace(PROTOCOL, aggregate="pooled"))
    assert "pooled*" in text
    assert "mean*" not in text


def test_the_ladder_stands_beside_where_there_is_one() -> None:
    rows = _rows()
    assert "nearer to the truth" not in _table(rows)
    scaled = Scores(pixels=100, known=100, coverage=1.0, rmse=0.5)
    rows[0] = replace(rows[0], scores={**rows[0].scores, "scale": scaled})
    block = _table(rows).split("\n\n")[2].splitlines()
    assert block[0] == "the same predictions brought nearer to the truth (mean):"
    assert block[1].split() == ["metric", "model", "protocol", "scale"]
    assert block[2].split() == ["RMSE", "(m)", "↓", "a", "1.200", "0.500"]
    assert block[3].split() == ["a-longer-name", "2.200", "–"]
    assert len(block) == 4


def test_pairs_are_told_with_wins_and_who_is_better() -> None:
    block = next(part for part in _table(_rows()).split("\n\n") if "minus" in part).splitlines()
    assert block[0] == "a minus a-longer-name, on the images of both:"
    assert block[2].split() == ["RMSE", "(m)", "↓", "-1.000", "-1.000", "to", "-1.000", "5", "0", "0", "a"]
    assert block[3].split()[-4:] == ["5", "0", "0", "a"]


def test_one_image_has_no_interval() -> None:
    lines = _table([_row("a", "0", 1.5)]).splitlines()
    assert lines[1] == "no intervals: they need two images at least"
    assert lines[4].split() == ["RMSE", "(m)", "↓", "a", "1.500", "–", "1.500", "1.500", "1"]


def test_what_was_skipped_is_counted_and_named() -> None:
    rows = _rows() + [Row("a", f"lost-{n}", "", {}, skipped="no valid truth") for n in range(6)]
    rows += [
        Row("a", "torn", "", {}, skipped="cut short"),
        _row("a", "x", 1.0, remarks=("resized from 4x3",)),
    ]
    rows.append(_row("a", "y", 1.0, remarks=("resized from 40x30",)))
    rows.append(Row("a-longer-name", "torn", "", {}, skipped="cut short"))
    last = _table(rows).split("\n\n")[-1].splitlines()
    assert last == [
        "a: 6 not scored: no valid truth (lost-0, lost-1, lost-2, and 3 more)",
        "a: 1 not scored: cut short (torn)",
        "a-longer-name: 1 not scored: cut short (torn)",
        "a: 2 scored, but resized from 4x3 (numbers differ)",
    ]


def _comparison(low: float, high: float, metric: str = "rmse") -> Comparison:
    return Comparison(metric, "one", "two", (low + high) / 2, low, high, 3, 2, 0)


@pytest.mark.parametrize(
    ("low", "high", "metric", "words"),
    [
        (-0.2, -0.1, "rmse", "one"),
        (0.1, 0.2, "rmse", "two"),
        (0.1, 0.2, "delta1", "one"),
        (-0.2, -0.1, "delta1", "two"),
        (-0.1, 0.2, "rmse", "not shown"),
        (0.0, 0.2, "rmse", "not shown"),
        (math.nan, math.nan, "rmse", "too few images"),
    ],
)
def test_a_model_is_better_where_the_interval_leaves_zero_out(
    low: float, high: float, metric: str, words: str
) -> None:
    assert verdict(_comparison(low, high, metric)) == words


def test_numbers_have_four_digits_of_the_largest() -> None:
    assert [decimals_for([x]) for x in (0.0, 0.99, 1.0, 9.9, 10.0, 99.0, 100.0, 1e9)] == [
        4,
        4,
        3,
        3,
        2,
        2,
        1,
        1,
    ]
    assert decimals_for([math.nan, math.inf, 0.5]) == 4
    assert decimals_for([-20.0, 0.5]) == 2
    assert [shown(x, 2) for x in (1.005, math.nan, math.inf, -math.inf)] == ["1.00", "–", "∞", "-∞"]


def test_every_metric_has_a_heading_with_its_direction() -> None:
    for name, metric in METRICS.items():
        said = heading(name, PROTOCOL)
        assert said.startswith(metric.words)
        assert said.endswith({"lower": "↓", "higher": "↑"}[metric.better])
    assert heading("rmse", replace(PROTOCOL, eight_bit=True)) == "RMSE (grey levels) ↓"
    assert heading("psnr", replace(PROTOCOL, eight_bit=True)) == "PSNR (dB) ↑"


def test_changes_are_those_in_the_name() -> None:
    changed = PROTOCOL.changed({"far_m": 5, "metrics": "rmse,mae", "clamp": "false"})
    assert changes_of(changed) == {"clamp": "false", "far_m": "5", "metrics": "rmse,mae"}
    assert changes_of(PROTOCOL) == {}
