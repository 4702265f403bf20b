"""The report: what stands in it, that it needs nothing else, and that its pictures are of what they say."""

from __future__ import annotations

import io
import math
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, OutputError
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.results import ModelRecord
from leadline.core.sample import Sample
from leadline.flows.evaluate.page import Page, Panel
from leadline.flows.evaluate.profiles import profile_of
from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.records import Evaluation, Judged, Profile, Row
from leadline.flows.evaluate.report import page_of, write_report
from leadline.flows.evaluate.summary import compare, summarise
from leadline.ops.colormaps import SKY, UNKNOWN, colormap_table
from leadline.ops.metrics import measure

METRICS = ("abs_rel", "rmse", "delta1", "psnr")
PROTOCOL = Protocol(
    "nyu-eigen-filled",
    "a room at a time",
    "Eigen et al. 2014",
    METRICS,
    0.1,
    10.0,
    dataset="synthetic",
    notes="Read this <first>.",
    doubts="Mind the window.",
)
SMALL = ModelRecord("small", "3", "ab" * 32, "Apache-2.0", "yes", "onnxruntime (CPU)")
ODD = ModelRecord('<script>alert("x")</script>', licence="CC-BY-NC-4.0", commercial="no")
HEIGHT, WIDTH = 48, 64


def _truth(seed: int) -> DepthMap:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    metres = 1.0 + 4.0 * rows / HEIGHT + 0.5 * np.sin(columns / (5 + seed))
    metres[:4, :6] = 0.0
    return DepthMap(metres, Kind())


class Made:
    """An evaluation of known depths, and the samples that its cases are read from."""

    def __init__(self, factors: dict[str, list[float]], protocol: Protocol = PROTOCOL) -> None:
        self.judged: dict[tuple[str, str], Judged] = {}
        records = {record.name: record for record in (SMALL, ODD)}
        rows = []
        for model, errors in factors.items():
            for number, factor in enumerate(errors):
                judged = self._judged(records[model], number, factor, protocol)
                self.judged[model, judged.row.sample] = judged
                rows.append(judged.row)
        self.evaluation = _evaluation(rows, [records[model] for model in factors], protocol)

    @staticmethod
    def _judged(record: ModelRecord, number: int, factor: float, protocol: Protocol) -> Judged:
        truth = _truth(number)
        rgb = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        sample = Sample(f"room-{number}", Image.from_array(rgb), truth)
        depth = DepthMap(np.nan_to_num(truth.values, nan=1.0) * np.float32(factor), Kind())
        counted = DepthMap(truth.values, truth.kind, truth.valid & (truth.values < protocol.far_m))
        scores = {
            rung: measure(depth, counted, names=("abs_rel", "rmse", "delta1"))
            for rung in ("protocol", "scale")
        }
        profile = profile_of(depth, depth, counted, protocol)
        row = Row(record.name, sample.id, "", scores, 0.02, profile)
        return Judged(sample, record, depth, depth, row)

    def read(self, row: Row) -> Judged | None:
        return self.judged.get((row.model, row.sample))

    def page(self) -> Page:
        return page_of(self.evaluation, cases=self.read)

    def html(self, folder: Path) -> str:
        write_report(self.evaluation, cases=self.read, path=folder / "report.html")
        assert [path.name for path in folder.iterdir()] == ["report.html"]
        return (folder / "report.html").read_text("utf-8")


def _evaluation(rows: list[Row], records: list[ModelRecord], protocol: Protocol = PROTOCOL) -> Evaluation:
    return Evaluation(
        Path("out"),
        protocol,
        "nyu:/home/ann/secret/rooms",
        tuple(records),
        tuple(rows),
        summarise(rows, protocol),
        compare(rows, protocol),
    )


@pytest.fixture(scope="module")
def made() -> Made:
    return Made({SMALL.name: [1.1, 1.0, 1.3, 0.9, 1.5], ODD.name: [1.2, 1.05, 1.4, 0.8, 1.6]})


class Reader(HTMLParser):
    """Checks that what is opened is closed, and collects text and addresses."""

    VOID = ("meta", "link", "img", "br", "hr", "input")
    ALONE = ("line", "circle", "rect", "polyline")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.ALONE

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def html(made: Made, tmp_path_factory: pytest.TempPathFactory) -> str:
    return made.html(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def read(html: str) -> Reader:
    return Reader(html)


def test_it_needs_no_other_file_and_no_network(html: str, read: Reader) -> None:
    assert read.addresses
    assert all(address.startswith("data:image/jpeg;base64,") for address in read.addresses)
    assert not re.search(r"https?://|@import|url\(", html)
    assert read.tags.count("script") == read.tags.count("style") == 1
    assert "link" not in read.tags
    assert html.startswith("<!doctype html>")


def test_names_are_text_and_never_markup(html: str, read: Reader) -> None:
    assert ODD.name not in html
    assert ODD.name in read.text
    assert "Read this <first>." in read.text


def test_it_says_who_was_scored_on_what_and_how(read: Reader) -> None:
    for words in (
        PROTOCOL.name,
        PROTOCOL.summary,
        PROTOCOL.source,
        PROTOCOL.doubts,
        "nyu:rooms",
        "Apache-2.0",
        "onnxruntime (CPU)",
        SMALL.weights_sha256,
        "CC-BY-NC-4.0",
        "5 of 5",
        "processors",
        "leadline ",
    ):
        assert words in read.text
    assert "secret" not in read.text


def test_every_field_of_the_protocol_is_there(made: Made, read: Reader) -> None:
    apart = {"name", "summary", "source", "notes", "doubts"}
    settings = made.page().settings
    assert {setting.field for setting in settings} == {item.name for item in fields(Protocol)} - apart
    assert all(f"{setting.field} {setting.value}" in read.text for setting in settings)


def test_a_field_changed_by_hand_is_marked(tmp_path: Path) -> None:
    protocol = PROTOCOL.changed({"far_m": 4.0, "clamp": "no"})
    made = Made({SMALL.name: [1.1, 1.2]}, protocol)
    text = Reader(made.html(tmp_path)).text
    assert "far_m 4 (changed)" in text
    assert "clamp no (changed)" in text
    assert text.count("(changed)") == 2
    assert "nyu-eigen-filled+clamp=false+far_m=4" in text


def test_the_tables_hold_the_figures(made: Made, read: Reader) -> None:
    for model in (SMALL.name, ODD.name):
        figure = made.evaluation.figure(model, "abs_rel")
        line = f"{model} {figure.mean:.4f} {figure.low:.4f} to {figure.high:.4f} {figure.median:.4f} {figure.pooled:.4f} 5"
        assert line in read.text
    assert "AbsRel ↓ mean |e| / g" in read.text
    assert "RMSE (m) ↓" in read.text


def test_only_the_best_of_several_is_bold(made: Made) -> None:
    tables = {table.heading: [line.best for line in table.lines] for table in made.page().figures}
    assert tables["AbsRel ↓"] == [True, False]
    assert tables["δ1 ↑"] == [True, False]
    assert tables["PSNR (dB) ↑"] == [False, False]
    alone = Made({SMALL.name: [1.1, 1.2]}).page().figures
    assert not any(line.best for table in alone for line in table.lines)


def test_intervals_are_drawn_on_one_axis(made: Made) -> None:
    lines = made.page().figures[0].lines
    figures = [made.evaluation.figure(line.model, "abs_rel") for line in lines]
    low, high = min(f.low for f in figures), max(f.high for f in figures)
    for line, figure in zip(lines, figures, strict=True):
        assert line.span is not None
        assert line.span.mean == pytest.approx((figure.mean - low) / (high - low))
    assert min(line.span.low for line in lines if line.span) == 0
    assert max(line.span.high for line in lines if line.span) == 1


def test_the_ladder_has_what_was_measured_on_other_rungs(made: Made, read: Reader) -> None:
    page = made.page()
    assert [rung for rung, _ in page.rungs] == ["protocol", "scale"]
    assert [table.heading for table in page.ladder] == ["AbsRel ↓", "RMSE (m) ↓", "δ1 ↑"]
    assert "The ladder" in read.text
    rows = [replace(row, scores={"protocol": row.scores["protocol"]}) for row in made.evaluation.rows]
    assert page_of(_evaluation(rows, [SMALL, ODD]), cases=made.read).ladder == ()


def test_pairs_say_who_wins_on_how_many(made: Made, read: Reader) -> None:
    (pair,) = made.page().pairs
    line = pair.lines[0]
    found = made.evaluation.comparisons[0]
    assert line.counts == (found.first_wins, found.ties, found.second_wins) == (5, 0, 0)
    assert line.verdict == SMALL.name
    assert f"AbsRel ↓ {line.values[0]} {line.values[1]} 5 0 0 {SMALL.name}" in read.text


def test_no_pair_and_no_ladder_leave_no_heading(tmp_path: Path) -> None:
    made = Made({SMALL.name: [1.1, 1.2]})
    rows = [replace(row, scores={"protocol": row.scores["protocol"]}) for row in made.evaluation.rows]
    made.evaluation = _evaluation(rows, [SMALL])
    text = Reader(made.html(tmp_path)).text
    assert "Models compared" not in text
    assert "The ladder" not in text


def _profile(**changed: object) -> Profile:
    profile = Profile(
        np.array([0.0, 2.0, 4.0, 6.0]),
        np.array([10.0, 40.0, 0.0]),
        np.array([100, 200, 0]),
        np.full((6, 8), 1.0),
        np.full((6, 8), 10, np.int64),
        1.0,
    )
    return replace(profile, **changed)


def _page_of_profiles(*profiles: Profile | None) -> Page:
    scores = Made({SMALL.name: [1.1]}).evaluation.rows[0].scores
    rows = [Row(SMALL.name, str(n), "", scores, profile=profile) for n, profile in enumerate(profiles)]
    return page_of(_evaluation(rows, [SMALL]), cases=lambda row: None)


def test_error_against_depth_is_pooled_over_pixels() -> None:
    other = _profile(depth_abs_rel=np.array([30.0, 0.0, 9.0]), depth_pixels=np.array([100, 0, 100]))
    chart = _page_of_profiles(_profile(), other).depth
    assert chart is not None
    (curve,) = chart.curves
    ticks = {float(tick.label): tick.share for tick in chart.y.ticks}
    percent = max(ticks) / ticks[max(ticks)]
    assert [across for across, _ in curve.points] == pytest.approx([1 / 6, 3 / 6, 5 / 6])
    assert [up * percent for _, up in curve.points] == pytest.approx([20.0, 20.0, 9.0], rel=1e-6)
    assert [bar.height for bar in chart.bars] == pytest.approx([1.0, 1.0, 0.5])
    assert [(tick.label, tick.share) for tick in chart.x.ticks][-1] == ("6", 1.0)


def test_a_bin_with_next_to_no_pixels_has_no_point() -> None:
    chart = _page_of_profiles(_profile()).depth
    assert chart is not None
    assert len(chart.curves[0].points) == 2


def test_error_against_place_is_coloured_from_none_to_the_largest() -> None:
    sums, pixels = np.full((6, 8), 1.0), np.full((6, 8), 10, np.int64)
    sums[0, 0], sums[5, 7], pixels[2, 3] = 4.0, 0.0, 0
    page = _page_of_profiles(_profile(place_abs_rel=sums, place_pixels=pixels))
    rows = page.places[0].rows
    table = ["#" + "".join(f"{part:02x}" for part in colour) for colour in colormap_table("magma").tolist()]
    assert (len(rows), len(rows[0])) == (6, 8)
    assert (rows[0][0].label, rows[0][0].fill, rows[0][0].ink) == ("40.0", table[0], "#ffffff")
    assert (rows[5][7].label, rows[5][7].fill, rows[5][7].ink) == ("0.0", table[255], "#1a1a1a")
    assert (rows[2][3].label, rows[2][3].fill) == ("–", "none")
    assert page.place_legend is not None
    assert [tick.label for tick in page.place_legend.ticks] == ["0", "10", "20", "30", "40"]


def test_calibration_counts_images_around_one() -> None:
    page = _page_of_profiles(*(_profile(scale=scale) for scale in (1.0, 1.05, 1.05, 2.0, math.nan)), None)
    (scale,) = page.scales
    assert scale.words == "median 1.050; 75% of 4 images within a tenth of 1"
    assert scale.one == pytest.approx(math.log(1 / 0.8) / math.log(2.0 / 0.8))
    counts = [round(bar.height * scale.most) for bar in scale.bars]
    assert sum(counts) == 4
    assert counts[-1] == 1
    held = next(n for n, bar in enumerate(scale.bars) if bar.left <= scale.one < bar.right)
    assert sum(counts[held : held + 3]) == 3
    at = {tick.label: tick.share for tick in scale.axis.ticks}
    assert at["1"] == pytest.approx(scale.one)
    assert at["2"] == pytest.approx(1.0)


def test_a_wide_spread_of_scales_has_few_ticks_and_one_among_them() -> None:
    (scale,) = _page_of_profiles(*(_profile(scale=scale) for scale in (1e-3, 1.0, 4e3))).scales
    assert 3 <= len(scale.axis.ticks) <= 8
    assert "1" in [tick.label for tick in scale.axis.ticks]


def test_without_profiles_there_are_no_charts(tmp_path: Path) -> None:
    page = _page_of_profiles(None, None)
    assert (page.depth, page.places, page.place_legend, page.scales) == (None, (), None, ())
    affine = _page_of_profiles(_profile(scale=math.nan))
    assert affine.depth is not None
    assert affine.scales == ()


def test_a_perfect_model_has_charts_without_error() -> None:
    page = _page_of_profiles(_profile(depth_abs_rel=np.zeros(3), place_abs_rel=np.zeros((6, 8))))
    assert page.depth is not None
    assert {up for _, up in page.depth.curves[0].points} == {0.0}
    assert page.places == ()


def test_profiles_of_other_bins_are_refused() -> None:
    with pytest.raises(InputError, match=r"bins of depth up to 9 m and up to 6 m .* in one go"):
        _page_of_profiles(_profile(), _profile(depth_edges_m=np.array([0.0, 3.0, 6.0, 9.0])))


def _cases(made: Made, model: int = 0) -> list[tuple[str, str]]:
    return [(case.rank, case.sample) for case in made.page().cases[model].cases]


def test_cases_are_the_best_the_middle_and_the_worst() -> None:
    made = Made({SMALL.name: [1.5, 1.0, 1.3, 1.1, 1.4, 1.2, 1.7, 1.6, 1.8]})
    assert _cases(made) == [
        ("best", "room-1"),
        ("best", "room-3"),
        ("median", "room-4"),
        ("median", "room-0"),
        ("worst", "room-6"),
        ("worst", "room-8"),
    ]


def test_where_higher_is_better_the_highest_is_best() -> None:
    protocol = replace(PROTOCOL, metrics=("delta1", "abs_rel"))
    made = Made({SMALL.name: [1.5, 1.0, 1.26]}, protocol)
    assert _cases(made)[0] == ("best", "room-1")
    assert made.page().ranked_by == "δ1 ↑"


@pytest.mark.parametrize(
    ("factors", "ranks"),
    [([1.1], ["best"]), ([1.1, 1.0], ["best", "worst"]), ([1.1, 1.0, 1.2], ["best", "median", "worst"])],
)
def test_few_images_are_shown_once_each(factors: list[float], ranks: list[str]) -> None:
    found = _cases(Made({SMALL.name: factors}))
    assert [rank for rank, _ in found] == ranks
    assert len({sample for _, sample in found}) == len(found)


def _pixels(panel: Panel) -> np.ndarray:
    data = b64decode(panel.source.removeprefix("data:image/jpeg;base64,"))
    picture = PilImage.open(io.BytesIO(data))
    assert picture.size == panel.size
    return np.asarray(picture.convert("RGB")).astype(int)


def _panels(factor: float) -> tuple[Panel, ...]:
    return Made({SMALL.name: [factor]}).page().cases[0].cases[0].panels


def _near(pixels: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return np.abs(pixels - colour).max(-1) < 40


def test_truth_and_prediction_share_colours_and_the_error_has_its_own() -> None:
    photo, truth, prediction, error = _panels(1.0)
    assert [panel.caption for panel in (photo, truth, prediction, error)] == [
        "photo",
        "truth",
        "prediction",
        "error",
    ]
    assert photo.legend is None
    assert truth.legend == prediction.legend
    assert truth.legend is not None
    assert error.legend is not None
    assert truth.legend.title == "depth (m)"
    assert error.legend.title == "|error| / truth (%)"
    for legend, name in ((truth.legend, "viridis"), (error.legend, "magma")):
        ends = [f"#{''.join(f'{part:02x}' for part in colormap_table(name)[place])}" for place in (255, 0)]
        assert [legend.colours[0], legend.colours[-1]] == ends
    known = np.ones((HEIGHT, WIDTH), bool)
    known[:8, :10] = False
    assert np.abs(_pixels(truth) - _pixels(prediction))[known].mean() < 4
    assert _near(_pixels(error), colormap_table("magma")[255])[known].mean() > 0.95


def test_a_prediction_too_near_looks_nearer_and_wrong() -> None:
    _, truth, prediction, error = _panels(0.3)
    known = np.ones((HEIGHT, WIDTH), bool)
    known[:8, :10] = False
    assert _near(_pixels(prediction), colormap_table("viridis")[255])[known].mean() > 0.6
    assert _near(_pixels(truth), colormap_table("viridis")[255])[known].mean() < 0.3
    usual = _pixels(error)[known].mean(0)
    # Every pixel is 70 % off, which is three tenths from the dark end of a range up to 100 %.
    assert np.abs(usual - colormap_table("magma")[round(255 * 0.3)]).max() < 25


def test_the_error_map_shows_only_what_counts() -> None:
    protocol = replace(PROTOCOL, far_m=3.0)
    error = Made({SMALL.name: [1.1]}, protocol).page().cases[0].cases[0].panels[3]
    pixels = _pixels(error)
    grey = np.ptp(pixels, axis=-1) < 30
    far = _truth(0).values > 3.3
    assert grey[far].mean() > 0.9
    assert grey[8:15].mean() < 0.1


def test_the_error_map_shows_only_the_window_that_counts() -> None:
    error = Made({SMALL.name: [1.1]}, replace(PROTOCOL, crop="nyu-eigen")).page().cases[0].cases[0].panels[3]
    grey = np.ptp(_pixels(error), axis=-1) < 30
    # Rows 45 to 471 of 480 and columns 41 to 601 of 640, at a tenth of that.
    assert grey[:, :3].mean() > 0.9
    assert grey[:, 61:].mean() > 0.9
    assert grey[8:46, 6:58].mean() < 0.1


def test_the_photo_is_the_photo(made: Made) -> None:
    case = made.page().cases[0].cases[0]
    rgb = made.judged[SMALL.name, case.sample].sample.image.rgb_HW3.astype(int)
    pixels = _pixels(case.panels[0])
    assert np.abs(pixels - rgb).mean() < 20
    assert np.abs(pixels[:, ::-1] - rgb).mean() > 60


def test_the_error_map_is_clipped_as_the_scores_are() -> None:
    clipped = Made({SMALL.name: [9.0]}, replace(PROTOCOL, far_m=6.0))
    bare = Made({SMALL.name: [9.0]}, replace(PROTOCOL, far_m=6.0, clamp=False))
    low, high = (_pixels(m.page().cases[0].cases[0].panels[3])[-8:].mean() for m in (clipped, bare))
    assert low > high + 50


def test_a_flat_truth_has_a_range_of_colours_too() -> None:
    made = Made({SMALL.name: [1.0]})
    ((key, judged),) = made.judged.items()
    flat = DepthMap(np.full((HEIGHT, WIDTH), 2.0), Kind())
    made.judged[key] = replace(judged, sample=replace(judged.sample, truth=flat), depth=flat)
    legend = made.page().cases[0].cases[0].panels[1].legend
    assert legend is not None
    assert [tick.label for tick in legend.ticks] == ["1.90", "1.95", "2.00", "2.05", "2.10"]


def test_what_is_not_metres_has_a_range_of_its_own_and_no_error_map(tmp_path: Path) -> None:
    made = Made({SMALL.name: [1.0]})
    ((key, judged),) = made.judged.items()
    grey = DepthMap(np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH), Kind(Quantity.INVERSE, Freedom.AFFINE))
    made.judged[key] = replace(judged, depth=grey)
    panels = made.page().cases[0].cases[0].panels
    assert [panel.caption for panel in panels] == ["photo", "truth", "prediction"]
    legend = panels[2].legend
    assert legend is not None
    assert legend.title == "inverse depth, scale and shift unknown: near to far, own range"
    assert legend.ticks == ()
    assert "own range" in made.html(tmp_path)


def test_a_large_photo_becomes_a_small_picture_and_a_wide_one_stands_two_in_a_row() -> None:
    made = Made({SMALL.name: [1.0]})
    ((key, judged),) = made.judged.items()
    wide = DepthMap(np.full((150, 500), 2.0), Kind())
    photo = Image.from_array(np.full((300, 1000, 3), 200, np.uint8))
    made.judged[key] = replace(judged, sample=Sample("wide", photo, wide), depth=wide)
    (case,) = made.page().cases[0].cases
    assert case.wide
    assert {panel.size for panel in case.panels} == {(360, 108)}
    assert not Made({SMALL.name: [1.0]}).page().cases[0].cases[0].wide


def test_a_case_that_cannot_be_read_again_is_still_named(made: Made, tmp_path: Path) -> None:
    write_report(made.evaluation, cases=lambda row: None, path=tmp_path / "report.html")
    text = Reader((tmp_path / "report.html").read_text("utf-8")).text
    assert "best: room-1 AbsRel ↓ 0.0000" in text
    assert "could not be read again" in text


def test_skipped_images_and_remarks_are_told_with_their_reasons(made: Made, tmp_path: Path) -> None:
    rows = [
        replace(row, remarks=("resized",)) if row.sample == "room-2" else row for row in made.evaluation.rows
    ]
    rows += [Row(SMALL.name, f"lost-{n:02}", "", {}, skipped="no pixel of known truth") for n in range(15)]
    rows.append(Row(ODD.name, "torn", "", {}, skipped="cut short"))
    evaluation = _evaluation(rows, [SMALL, ODD])
    write_report(evaluation, cases=made.read, path=tmp_path / "report.html")
    text = Reader((tmp_path / "report.html").read_text("utf-8")).text
    assert f"{SMALL.name} 15 no pixel of known truth lost-00, lost-01" in text
    assert "and 3 more lost-12, lost-13, lost-14" in text
    assert f"{ODD.name} 1 cut short torn" in text
    assert f"{SMALL.name} 1 resized room-2" in text
    assert "5 of 20" in text


def test_a_model_that_was_scored_nowhere_has_no_case(tmp_path: Path) -> None:
    made = Made({SMALL.name: [1.1, 1.2]})
    rows = [*made.evaluation.rows, Row(ODD.name, "room-0", "", {}, skipped="no file")]
    made.evaluation = _evaluation(rows, [SMALL, ODD])
    text = Reader(made.html(tmp_path)).text
    assert "No image of this model was scored." in text
    assert "0 of 1" in text


@pytest.mark.parametrize(
    ("scenes", "words"),
    [
        (["", ""], "2 images were drawn"),
        (["hall", "attic"], "2 scenes were drawn"),
        ([""], "There is no interval: it needs two images at least."),
    ],
)
def test_it_says_what_intervals_rest_on(scenes: list[str], words: str, tmp_path: Path) -> None:
    made = Made({SMALL.name: [1.1, 1.2][: len(scenes)]})
    rows = [replace(row, scene=scene) for row, scene in zip(made.evaluation.rows, scenes, strict=True)]
    made.evaluation = _evaluation(rows, [SMALL])
    assert words in Reader(made.html(tmp_path)).text


def test_every_image_has_its_line_and_very_many_are_cut(
    made: Made, read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = made.evaluation.rows[2].scores["protocol"]
    assert f"small room-2 {row.abs_rel:.4f} {row.rmse:.4f} {row.delta1:.4f} – 0.769" in read.text
    monkeypatch.setattr("leadline.flows.evaluate.page_tables._MOST_IMAGES", 3)
    table = made.page().images
    assert (len(table.lines), table.more) == (3, 7)


def test_a_protocol_that_scores_pictures_measures_in_grey_levels() -> None:
    rows = [replace(row, profile=None) for row in Made({SMALL.name: [1.1]}).evaluation.rows]
    evaluation = _evaluation(rows, [SMALL], replace(PROTOCOL, eight_bit=True))
    assert page_of(evaluation, cases=lambda row: None).figures[1].heading == "RMSE (grey levels) ↓"


def test_a_name_that_is_no_utf8_is_written_all_the_same(tmp_path: Path) -> None:
    made = Made({SMALL.name: [1.1]})
    rows = [replace(row, sample="caf\udce9.jpg") for row in made.evaluation.rows]
    made.evaluation = _evaluation(rows, [SMALL])
    assert "caf\\udce9.jpg" in made.html(tmp_path)


def test_it_appears_whole_or_not_at_all(
    made: Made, tmp_path: Path, small_files: Callable[[], object]
) -> None:
    with pytest.raises(OutputError, match=r"report\.html' cannot be written"), small_files():
        write_report(made.evaluation, cases=made.read, path=tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_colours_of_unknown_pixels_are_no_colours_of_errors() -> None:
    table = colormap_table("magma").astype(int)
    for colour in (*UNKNOWN, SKY):
        assert np.abs(table - np.array(colour)).max(-1).min() > 20
