"""Looking at data: lists, facts, grids, points and histograms, from Python and from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, InputError, KindError, UnknownName
from leadline.core.kind import Freedom, Kind
from leadline.core.sample import Entry, Sample
from leadline.flows.data.collection import Collection
from leadline.flows.data.listing import DataInfoRequest, describe_layout, describe_place
from leadline.flows.data.preview import PreviewRequest, draw_preview
from leadline.flows.data.scatter import scatter_sheet
from leadline.flows.data.sheet import Sheet
from leadline.flows.data.stats import histogram_sheet, measure
from leadline.io.terminal import as_text, way_of
from leadline.ops.colormaps import UNKNOWN
from leadline.plugins.specs import DatasetSpec
from leadline.testing.layouts import folder as plain
from leadline.testing.layouts import nyu
from leadline.testing.scenes import noise_photo


class Rooms:
    """Samples of chosen values."""

    def __init__(self, kind: Kind, values: list[np.ndarray], *, broken: int = -1) -> None:
        self.kind, self.values, self.broken = kind, values, broken
        self.entries = [Entry(f"room {k}", f"s{k}", "train") for k in range(len(values))]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> Sample:
        if index == self.broken:
            raise DatasetError("'7.png' is cut short", hint="copy it again")
        values = self.values[index]
        camera = Camera.assumed(values.shape[1], values.shape[0])
        truth = DepthMap(values, self.kind, camera=camera)
        entry = self.entries[index]
        return Sample(entry.id, noise_photo(*values.shape, seed=index), truth, entry.scene, entry.split)

    def __iter__(self) -> Iterator[Sample]:
        return (self[k] for k in range(len(self)))


def rooms(kind: Kind | None = None, *, broken: int = -1, count: int = 4) -> Collection:
    rng = np.random.default_rng(3)
    values = [rng.uniform(1 + k, 3 + k, (30, 40)).astype(np.float32) for k in range(count)]
    values[0][:10] = np.nan
    values[1][:, :5] = np.inf
    spec = DatasetSpec("rooms", "none:None", "rooms in memory")
    return Collection(Rooms(kind or Kind(), values, broken=broken), spec=spec)


def test_a_grid_has_a_photo_and_a_depth_for_each_sample() -> None:
    sheet = draw_preview(rooms(), count=4, columns=2, width=80)
    assert sheet.rgb_HW3.shape[1] == 2 * (160 + 8) + 8
    assert sheet.broken == ()
    small = np.asarray(PilImage.fromarray(rooms()[0].image.rgb_HW3).resize((80, 60), PilImage.Resampling.BOX))
    flat = sheet.rgb_HW3
    top = next(row for row in range(len(flat) - 60) if np.array_equal(flat[row : row + 60, 8:88], small))
    unknown = flat[top + 2 : top + 18, 90:166].reshape(-1, 3)
    assert {tuple(map(int, colour)) for colour in unknown} <= {tuple(map(int, grey)) for grey in UNKNOWN}


def test_metric_samples_share_a_range_and_others_say_that_they_do_not() -> None:
    """Depth of 1 to 3 m and of 4 to 6 m: with one range the first is all near colours, the last all far ones."""
    sheet = draw_preview(rooms(), count=4, columns=1, width=80).rgb_HW3
    relative = draw_preview(rooms(Kind(freedom=Freedom.SCALE)), count=4, columns=1, width=80).rgb_HW3
    assert len(relative) > len(sheet)

    def green(picture: np.ndarray, tile: int) -> float:
        tall = 60 + round(1.7 * 11)
        top = round(1.7 * 14) + tile * (tall + 8)
        return float(picture[top + 25 : top + 55, 100:160, 1].mean())

    assert green(sheet, 0) > green(sheet, 3) + 60
    assert abs(green(relative, 0) - green(relative, 3)) < 25


def test_a_broken_sample_is_a_tile_that_says_so() -> None:
    sheet = draw_preview(rooms(broken=2), count=4, columns=2, width=160)
    assert sheet.broken == ("'7.png' is cut short; copy it again",)


def test_sparse_depth_stays_visible() -> None:
    values = np.full((400, 600), np.nan, np.float32)
    values[::20, ::20] = 5.0
    spec = DatasetSpec("sparse", "none:None", "few points")
    collection = Collection(Rooms(Kind(), [values, values * 2]), spec=spec)
    sheet = draw_preview(collection, count=2, columns=1, width=100).rgb_HW3
    tile = sheet[30:90, 110:200].reshape(-1, 3)
    coloured = (tile.max(1).astype(int) - tile.min(1)) > 30
    assert coloured.mean() > 0.05


def test_points_are_drawn_up_side_up(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    sheet = scatter_sheet(rooms()[2])
    assert sheet.rgb_HW3.shape[2] == 3
    assert float((sheet.rgb_HW3 < 250).mean()) > 0.02
    assert sheet.save(tmp_path / "a.png").is_file()
    with pytest.raises(KindError):
        scatter_sheet(rooms(Kind(freedom=Freedom.AFFINE))[2])
    empty = Rooms(Kind(), [np.full((3, 4), np.nan, np.float32)])[0]
    with pytest.raises(InputError, match="has no known pixel"):
        scatter_sheet(empty)


def test_a_sheet_shows_and_saves_itself(tmp_path: Path) -> None:
    sheet = Sheet(np.zeros((4, 6, 3), np.uint8))
    assert sheet._repr_png_().startswith(b"\x89PNG")
    assert repr(sheet) == "Sheet of 6x4 pixels"
    with PilImage.open(sheet.save(tmp_path / "a.jpg")) as saved:
        assert saved.size == (6, 4)
    with pytest.raises(InputError, match="is no name of a picture"):
        sheet.save(tmp_path / "a.gif")


def test_figures_are_those_of_all_pixels_pooled() -> None:
    collection = rooms()
    found = measure(collection)
    pooled = np.concatenate([s.truth.values[s.truth.valid] for s in collection]).astype(np.float64)
    assert found.samples == 4
    assert found.least == pooled.min()
    assert found.largest == pooled.max()
    assert found.mean == pytest.approx(pooled.mean(), rel=1e-9)
    for share, value in found.percentiles.items():
        assert value == pytest.approx(np.percentile(pooled, share), rel=0.006)
    assert found.counts.sum() == len(pooled)
    assert found.valid_mean == pytest.approx(np.mean([s.truth.valid.mean() for s in collection]))
    assert found.valid_least == (pytest.approx(2 / 3), "room 0")
    assert found.infinite_mean == pytest.approx(5 / 40 / 4)
    assert (found.scenes, found.splits, found.cameras) == (4, {"train": 4}, 1)
    edges, counts = found.coarse(10)
    assert counts.sum() == len(pooled)
    assert len(edges) == len(counts) + 1
    text = str(found)
    assert "rooms: 4 samples, 4 scenes, splits train (4)" in text
    assert "least 66.7% (room 0)" in text
    json.dumps(found.to_dict())


def test_few_levels_are_counted_and_broken_samples_skipped() -> None:
    values = [np.tile(np.arange(1, 6, dtype=np.float32), (4, 3)) for _ in range(3)]
    spec = DatasetSpec("steps", "none:None", "few levels")
    found = measure(Collection(Rooms(Kind(), values, broken=1), spec=spec), on_error="skip")
    assert (found.levels, found.samples) == (5, 2)
    assert [item.id for item in found.skipped] == ["room 1"]
    assert "1 could not be read" in str(found)
    with pytest.raises(DatasetError):
        measure(Collection(Rooms(Kind(), values, broken=1), spec=spec))
    relative = measure(Collection(Rooms(Kind(freedom=Freedom.AFFINE), values), spec=spec))
    assert relative.percentiles == {}
    assert histogram_sheet(found).rgb_HW3.shape[2] == 3


def test_nothing_known_at_all_is_no_fault() -> None:
    spec = DatasetSpec("void", "none:None", "nothing")
    found = measure(Collection(Rooms(Kind(), [np.full((3, 4), np.nan, np.float32)]), spec=spec))
    assert (found.valid_mean, found.percentiles) == (0.0, {})
    assert found.coarse(4)[1].sum() == 0


def test_what_a_place_holds(tmp_path: Path) -> None:
    place, _ = nyu.write_sync(tmp_path)
    found = describe_place(DataInfoRequest(place))
    assert (found.name, found.samples, found.scenes, found.size) == ("nyu", 3, 2, "640x480")
    assert found.why == "rgb_*.jpg beside sync_depth_*.png"
    assert any("metres" in line for line in found.lines())
    text = "\n".join(describe_layout("nyu"))
    assert "sync_depth_00000.png" in text
    assert "--option truth=…" in text
    with pytest.raises(UnknownName):
        describe_layout("nyuu")


@pytest.mark.parametrize(
    ("environment", "is_terminal", "way"),
    [
        ({"KITTY_WINDOW_ID": "1"}, True, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, True, "iterm"),
        ({"COLORTERM": "truecolor"}, True, "blocks"),
        ({"COLORTERM": "truecolor"}, False, ""),
        ({"COLORTERM": "truecolor", "TERM": "dumb"}, True, ""),
        ({}, True, ""),
    ],
)
def test_terminals_are_known_by_their_environment(
    environment: dict[str, str], is_terminal: bool, way: str
) -> None:
    assert way_of(environment, is_terminal=is_terminal) == way


def test_pictures_for_terminals() -> None:
    import base64
    import io
    import re

    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:20] = (255, 0, 0)
    blocks = as_text(picture, way="blocks", columns=20)
    assert blocks.count("▀") == 20 * 5
    assert blocks.startswith("\x1b[38;2;255;0;0;48;2;255;0;0m▀")
    noise = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    parts = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", as_text(noise, way="kitty", columns=20))
    assert parts[0][0].startswith("a=T,f=100,")
    assert [part[0][-1] for part in parts] == ["1"] * (len(parts) - 1) + ["0"]
    data = base64.b64decode("".join(part[1] for part in parts))
    assert np.array_equal(np.asarray(PilImage.open(io.BytesIO(data))), noise)
    assert "1337;File=inline=1" in as_text(noise, way="iterm", columns=20)
    assert as_text(noise, way="") == ""


def test_from_the_command_line(command: Callable[..., Any], tmp_path: Path) -> None:
    place, _ = plain.write(tmp_path / "source")
    place = f"folder:{place}"
    common = ("--option", "encoding=mm", "--option", "camera=52,53,31,22")
    listed = command("data", "list")
    assert listed.status == 0
    assert "hypersim" in listed.out
    assert json.loads(command("data", "list", "--json").out.splitlines()[0])["name"] == "leadline"
    assert "--option photos=…" in command("data", "info", "folder").out
    facts = json.loads(command("data", "info", place, *common, "--json").out)
    assert (facts["samples"], facts["name"]) == (3, "folder")
    assert "3 samples" in command("data", "info", place, *common).out
    out = tmp_path / "grid.png"
    ended = command("data", "preview", place, *common, "-o", out, "--width", "64", "--show", "always")
    assert (ended.status, ended.err) == (0, "")
    assert "▀" in ended.out
    assert out.is_file()
    ended = command(
        "data", "preview", place, *common, "-o", tmp_path / "p.png", "--scatter", "rgb/room_1_color"
    )
    assert ended.status == 0
    ended = command("data", "preview", place, *common, "--id", "rgb/room_9_color", "-o", out)
    assert ended.status == 5
    assert "did you mean 'rgb/room_" in ended.err
    ended = command("data", "preview", place, *common, "-o", out, "--range", "0.5,9", "--first", "2")
    assert ended.status == 0
    ended = command("data", "stats", place, *common, "-o", tmp_path / "h.png", "--spread", "2")
    assert "folder: 2 samples" in ended.out
    assert (tmp_path / "h.png").is_file()
    assert json.loads(command("data", "stats", place, *common, "--json").out)["samples"] == 3
    (tmp_path / "source/depth/room_1_depth.png").write_bytes(b"no")
    ended = command("data", "preview", place, *common, "-o", out, "--width", "64")
    assert ended.status == 1
    assert "room_1_depth.png" in ended.err
    assert command("data", "stats", place, *common, "--on-error", "skip").status == 1
    assert command("data", "stats", place, *common).status == 9
    assert command("data", "info", tmp_path / "nowhere").status == 9
    assert command("data", "info", "").status == 3


def test_ranges_are_words_or_two_numbers() -> None:
    assert PreviewRequest("x", range="1,5").colour.range == (1.0, 5.0)
    with pytest.raises(InputError):
        _ = PreviewRequest("x", range="1,x").colour


def test_a_collection_looks_at_itself() -> None:
    assert rooms().preview(count=2, width=40).rgb_HW3.shape[2] == 3
    assert rooms().stats().samples == 4
    assert rooms().scatter(2, max_points=100).rgb_HW3.shape[2] == 3
