"""The data doctor: every fault is planted and found, and sound sets are left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.flows.data.doctor import DoctorRequest, examine, examine_place
from leadline.flows.data.doctor_checks import CHECKS
from leadline.flows.data.doctor_look import look
from leadline.flows.data.doctor_pairs import _turned
from leadline.flows.data.doctor_units import guessed
from leadline.flows.data.findings import Finding, Report
from leadline.flows.data.opening import open_dataset
from leadline.testing.layouts import folder as plain
from leadline.testing.layouts import tum
from leadline.testing.layouts.pairs import pairs, save_picture


def room(seed: int, *, holes: bool = True) -> Sample:
    """A made-up room: boxes of other colours before a wall over a floor, with the holes of a depth camera."""
    rng = np.random.default_rng(seed)
    height, width = 240, 320
    v, u = np.mgrid[:height, :width]
    z = np.minimum(5.0 + 0.002 * u, 260.0 / np.maximum(v - 90, 1))
    rgb = np.stack([110 + 0.1 * u, 100 + 0.2 * v, np.full_like(u, 90.0)], -1)
    for _ in range(9):
        top, left = rng.integers(0, height - 60), rng.integers(0, width - 70)
        part = np.s_[top : top + rng.integers(25, 60), left : left + rng.integers(25, 70)]
        z[part] = rng.uniform(1.2, 3.5)
        rgb[part] = rng.integers(20, 235, 3)
    rgb += rng.normal(0, 4, rgb.shape)
    z += rng.normal(0, 0.004, z.shape)
    valid = np.ones((height, width), bool)
    if holes:
        valid[:, :8] = False
        valid[rng.random((height, width)) < 0.02] = False
    camera = Camera.centred(260.0, width, height)
    image = Image(np.clip(rgb, 0, 255).astype(np.uint8), camera, "room")
    return Sample(
        f"room{seed:02}",
        image,
        DepthMap(z.astype(np.float32), Kind(), valid=valid, camera=camera),
        f"r{seed}",
    )


ROOMS = [room(seed) for seed in range(12)]


def found(samples: Sequence[Sample], *, entries: Sequence[Entry] = ()) -> dict[str, Finding]:
    looked = [look(sample) for sample in samples]
    entries = entries or [Entry(s.id, s.scene, s.split) for s in samples]
    abstained: list[str] = []
    findings = [finding for check in CHECKS for finding in check(looked, entries, abstained)]
    return {finding.code: finding for finding in findings}


def with_depth(sample: Sample, change: Callable[[np.ndarray], np.ndarray]) -> Sample:
    truth = sample.truth
    values = change(np.nan_to_num(truth.values, nan=1.0).copy())
    return replace(
        sample, truth=DepthMap(values.astype(np.float32), Kind(), valid=truth.valid & np.isfinite(values))
    )


def mirrored(sample: Sample) -> Sample:
    return replace(sample, image=Image(sample.image.rgb_HW3[:, ::-1].copy(), sample.image.camera, "mirrored"))


def test_sound_rooms_are_left_alone() -> None:
    assert found(ROOMS) == {}


def test_one_mirrored_pair_among_many_is_named() -> None:
    for position in (0, 7):
        samples = [mirrored(s) if k == position else s for k, s in enumerate(ROOMS)]
        finding = found(samples)["mirrored"]
        assert finding.ids == (f"room{position:02}",)
        assert finding.severity == "fault"
        assert finding.picture is not None


def test_a_set_mirrored_throughout_is_one_finding() -> None:
    finding = found([mirrored(sample) for sample in ROOMS])["mirrored"]
    assert "throughout" in finding.what


def test_a_turned_pair_is_named() -> None:
    turned = replace(
        ROOMS[3], image=Image(ROOMS[3].image.rgb_HW3[::-1, ::-1].copy(), ROOMS[3].image.camera, "t")
    )
    assert found([*ROOMS[:3], turned, *ROOMS[4:]])["turned"].ids == ("room03",)


def test_depth_that_lies_beside_the_photo() -> None:
    moved = [with_depth(s, lambda z: np.roll(z, (4, 8), (0, 1))) for s in ROOMS]
    finding = found(moved)["not registered"]
    # Depth was moved 8 px to the right and 4 down, so that it must go back.
    assert "-8 px to the right, -4 px down" in finding.evidence.replace("−", "-")


def test_eight_bits() -> None:
    stepped = [with_depth(s, lambda z: np.rint(z * 25.5) / 25.5) for s in ROOMS]
    finding = found(stepped)["8-bit quantised"]
    assert "3.9 cm" in finding.what
    kinect = [with_depth(s, lambda z: 351.3 / np.rint(351.3 / z)) for s in ROOMS]
    assert "8-bit quantised" not in found(kinect)


@pytest.mark.parametrize(("factor", "words"), [(1000.0, "millimetres read as metres"), (0.001, "metres read as millimetres"), (8 * 8.0, "")])  # fmt: skip
def test_wrong_units(factor: float, words: str) -> None:
    finding = found([with_depth(s, lambda z: z * factor) for s in ROOMS])["wrong unit"]
    assert words in finding.evidence


def test_inverse_depth_posing_as_depth() -> None:
    assert "inverse depth" in found([with_depth(s, lambda z: 2.5 / z) for s in ROOMS])


def test_a_disparity_with_an_unknown_shift_is_inverse_depth_too() -> None:
    assert "inverse depth" in found([with_depth(s, lambda z: 1.5 / z + 0.8) for s in ROOMS[:2]])


def test_too_few_flat_things_are_not_judged() -> None:
    rough = with_depth(ROOMS[0], lambda z: np.random.default_rng(0).uniform(1, 4, z.shape))
    abstained: list[str] = []
    for check in CHECKS:
        check([look(rough)], [], abstained)
    assert any(words.startswith("inverse depth: 0 flat") for words in abstained)


@pytest.mark.parametrize("name", ["redwood", "hololens_video", "nyu_train795", "eth3d_two_view", "middlebury_motorcycle"])  # fmt: skip
def test_real_truths_are_depth_and_their_inverses_are_not(name: str, shared_data: Path) -> None:
    samples = list(open_dataset(shared_data / name).spread(16))
    assert "inverse depth" not in found(samples)
    assert "inverse depth" in found([with_depth(s, lambda z: 2 / np.maximum(z, 0.05)) for s in samples])


def test_filled_depth() -> None:
    assert found([room(seed, holes=False) for seed in range(8)])["filled"].severity == "warning"


def test_marks_that_count_as_depth() -> None:
    def mark(z: np.ndarray) -> np.ndarray:
        z[:20] = 65.535
        return z

    finding = found([with_depth(s, mark) for s in ROOMS])["undeclared mark"]
    assert "65.535 m" in finding.what


def test_sizes_lenses_and_empty_frames() -> None:
    half = replace(ROOMS[0], truth=DepthMap(ROOMS[0].truth.values[:120], Kind()))
    assert found([half, *ROOMS[1:]])["sizes differ"].ids == ("room00",)
    camera = Camera(1000.0, 1000.0, 640.0, 480.0, 320, 240)
    other = [replace(s, image=replace(s.image, camera=camera)) for s in ROOMS]
    assert "of another resolution" in found(other)["intrinsics do not fit"].advice
    empty = replace(ROOMS[0], truth=DepthMap(np.full((240, 320), np.nan), Kind()))
    assert found([empty, *ROOMS[1:]])["no depth"].ids == ("room00",)


def test_doubles_and_leaks() -> None:
    split = [replace(s, split="train" if k < 9 else "test") for k, s in enumerate(ROOMS)]
    assert found(split) == {}
    leaking = [replace(s, scene="hall") for s in split]
    assert found(leaking)["scenes leak"].ids == ("hall",)
    twice = [*ROOMS, replace(ROOMS[2], id="again")]
    assert found(twice)["duplicate frames"].severity == "warning"
    across = [*split, replace(split[2], id="again", split="test")]
    assert found(across)["duplicate frames"].severity == "fault"
    darker = Image((split[2].image.rgb_HW3 * 0.97).astype(np.uint8), split[2].image.camera, "d")
    near = [*split, replace(split[2], id="near", split="test", image=darker)]
    assert found(near)["near duplicates across splits"].ids == ("room02", "near")


def test_sparse_depth_is_not_judged() -> None:
    def thin(sample: Sample) -> Sample:
        valid = np.zeros(sample.truth.shape, bool)
        valid[::7, ::5] = True
        return replace(sample, truth=DepthMap(sample.truth.values, Kind(), valid=valid & sample.truth.valid))

    looked = [look(thin(sample)) for sample in ROOMS]
    abstained: list[str] = []
    assert [f for check in CHECKS for f in check(looked, [], abstained)] == []
    assert any(words.startswith("mirrored") for words in abstained)


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        (np.arange(700, 1500, dtype=np.uint16), "mm"),
        (np.arange(4000, 9000, 5, dtype=np.uint16), "tum"),
        (np.arange(4000, 30000, 8, dtype=np.uint16), "sun"),
        (np.minimum(np.arange(500, 2100, dtype=np.uint16), 2047), "kinect"),
        (np.arange(9000, 60000, 7, dtype=np.uint16), "kitti"),
        (np.arange(1, 200, dtype=np.uint8), "8bit-10m"),
        (np.linspace(1, 2, 9, dtype=np.float32), ""),
        (np.zeros(4, np.uint16), "mm"),
    ],
)
def test_units_seen_from_numbers(numbers: np.ndarray, name: str) -> None:
    assert guessed(numbers[None]) == name


def test_reports_tell_and_order() -> None:
    note, fault = (Finding(code, severity, "w", "e", "a", ("1",) * 7) for code, severity in (("n", "note"), ("f", "fault")))  # fmt: skip
    report = Report("place", "nyu", 3, 2, (fault, note), ("this",))
    assert [f.code for f in report.at_least("warning")] == ["f"]
    assert "note: n" not in str(report)
    assert "note: n" in report.text(notes=True)
    assert "not judged: this" in report.text(notes=True)
    assert report.to_dict()["findings"][0]["code"] == "f"
    assert "nothing wrong" in str(Report("place", "", 0, 0))


def _plain_folder(at: Path, stored: np.ndarray, *, suffix: str = "png", frames: int = 3) -> str:
    """The same depth in some frames; the photos differ."""
    for k in range(frames):
        save_picture(
            at / f"rgb/{k}.png", np.random.default_rng(k).integers(0, 255, (*stored.shape, 3), np.uint8)
        )
        if suffix == "png":
            save_picture(at / f"depth/{k}.png", stored)
        else:
            (at / "depth").mkdir(exist_ok=True, parents=True)
            np.save(at / f"depth/{k}.npy", stored)
    return str(at)


def _of(code: str, report: Report) -> Finding:
    return next(finding for finding in report.findings if finding.code == code)


@pytest.mark.parametrize("mark", [0.0, np.nan, np.inf, -1.0])
def test_how_holes_of_floats_are_marked(tmp_path: Path, mark: float) -> None:
    stored = np.random.default_rng(0).uniform(1, 4, (60, 80)).astype(np.float32)
    stored[:12] = mark
    finding = _of("holes", examine(_plain_folder(tmp_path, stored, suffix="npy")))
    words = {0.0: "0", -1.0: "negative numbers"}.get(mark, "inf" if mark > 0 else "NaN")
    assert (finding.severity, finding.what) == ("note", f"holes are marked by {words}, and read as unknown")
    assert finding.evidence == f"20% of the pixels of 3 frames hold {words}"


def test_a_mark_that_counts_as_depth_in_the_encoding_that_was_said(tmp_path: Path) -> None:
    stored = np.random.default_rng(0).integers(800, 4000, (60, 80)).astype(np.uint16)
    stored[:12] = 65535
    place = _plain_folder(tmp_path, stored)
    report = examine(f"folder:{place}", options={"encoding": "cm"})
    assert _of("holes count as depth", report).severity == "fault"
    assert _of("holes", examine(place)).what.startswith("holes are marked by 65535")


@pytest.mark.parametrize(
    ("frame", "said", "seen"),
    [("SUN", "mm", "sun"), ("TUM", "mm", "tum"), ("TUM", "kitti", "tum"), ("SUN", "tum", "sun")],
)
def test_real_files_opened_in_another_encoding(frame: str, said: str, seen: str, shared_data: Path, tmp_path: Path) -> None:  # fmt: skip
    (tmp_path / "rgb").mkdir()
    (tmp_path / "depth").mkdir()
    for part in ("color", "depth"):
        (source,) = (shared_data / "single_frames").glob(f"{frame}_{part}.*")
        folder = "rgb" if part == "color" else "depth"
        (tmp_path / folder / f"a{source.suffix}").write_bytes(source.read_bytes())
    finding = _of("wrong unit", examine(f"folder:{tmp_path}", options={"encoding": said}))
    assert finding.advice == f"open it with --option encoding={seen}"
    right = examine(f"folder:{tmp_path}", options={"encoding": seen})
    assert "wrong unit" not in {f.code for f in right.findings}


def test_real_millimetres_opened_as_rotated_bits(shared_data: Path) -> None:
    place = f"folder:{shared_data / 'redwood/RGBD'}"
    finding = _of("wrong unit", examine(place, options={"encoding": "sun"}))
    assert "look like 'mm'" in finding.what


def test_real_driving_depth_without_a_word(shared_data: Path) -> None:
    for path in sorted((shared_data / "kitti_and_nyu_png/kitti_demo/depth").iterdir()):
        with PilImage.open(path) as picture:
            assert guessed(np.asarray(picture)) == "kitti"


def test_pictures_in_other_folders_are_told(shared_data: Path) -> None:
    report = examine(str(shared_data / "kitti_and_nyu_png"))
    told = _of("other pictures", report)
    assert told.severity == "note"
    assert "kitti_demo/depth" in told.evidence


def test_every_finding_can_be_drawn(tmp_path: Path) -> None:
    stored = np.random.default_rng(0).integers(800, 4000, (60, 80)).astype(np.uint16)
    place = _plain_folder(tmp_path / "set", stored)
    report = examine_place(DoctorRequest(place, pictures=tmp_path / "found"))
    drawn = sorted(path.name for path in (tmp_path / "found").iterdir())
    assert len(drawn) == len(report.findings) > 0


def test_missing_and_broken_files(tmp_path: Path) -> None:
    tum.write(tmp_path)
    place = tmp_path / "rgbd_dataset_freiburg3_made"
    (place / "depth/1.110000.png").unlink()
    report = examine(str(place))
    assert [f.code for f in report.at_least("fault")][:1] == ["incomplete"]
    assert report.looked_at == 2
    (place / "depth/2.110000.png").write_bytes(b"no")
    assert "unreadable" in {f.code for f in examine(str(place)).findings}
    (place / "depth/0.110000.png").unlink()
    (place / "rgb/0.100000.png").unlink()
    (place / "rgb/2.100000.png").unlink()
    assert examine(str(place)).looked_at == 0
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="looks like no layout that is known"):
        examine(str(tmp_path / "empty"))


def test_bare_pairs_of_several_units(tmp_path: Path) -> None:
    made = list(pairs(plain.CAMERA))
    for k, (rgb, depth) in enumerate(made):
        save_picture(tmp_path / f"a{k}_color.png", rgb)
        scale = (1000, 5000, 1000)[k]
        stored = np.rint(depth.values * 1000).astype(np.uint16) * np.uint16(scale // 1000)
        save_picture(tmp_path / f"a{k}_depth.png", stored)
    (tmp_path / "a2_depth.png").unlink()
    report = examine(str(tmp_path))
    codes = {f.code: f for f in report.findings}
    assert "a2_color" in codes["incomplete"].what
    assert "mm (1), tum (1)" in codes["unit not said"].evidence
    assert report.looked_at == 2


def test_from_the_command_line(command: Callable[..., Any], tmp_path: Path) -> None:
    place, _ = plain.write(tmp_path / "source")
    said = ("--option", "encoding=tum", "--option", "camera=52,53,31,22")
    ended = command("data", "doctor", f"folder:{place}", *said, "--json")
    assert ended.status == 0
    ended = command(
        "data", "doctor", f"folder:{place}", "--option", "step=1", "--pictures", tmp_path / "found"
    )
    assert ended.status == 1
    assert "fault: wrong unit" in ended.out
    (tmp_path / "source/extra.txt").write_text("")
    save_picture(tmp_path / "source/depth/other.png", np.zeros((4, 4), np.uint16))
    ended = command("data", "doctor", f"folder:{place}", *said, "--option", "missing=skip", "--notes")
    assert "extra files" in ended.out
    assert command("data", "doctor", tmp_path / "nowhere").status == 9


SILENT = ["redwood", "kitti_raw", "eth3d_two_view", "middlebury_motorcycle"]


@pytest.mark.parametrize("name", SILENT)
def test_silent_on_sound_sets(name: str, shared_data: Path) -> None:
    report = examine(str(shared_data / name))
    assert report.at_least("warning") == ()
    assert report.looked_at == report.samples > 0


def test_what_is_known_to_be_wrong_is_found(shared_data: Path, tmp_path: Path) -> None:
    nyu = examine_place(DoctorRequest(str(shared_data / "nyu_train795"), frames=24, pictures=tmp_path))
    assert {"8-bit quantised", "filled"} <= {f.code for f in nyu.at_least("warning")}
    assert list(tmp_path.glob("*-8-bit-quantised.png"))
    single = examine(str(shared_data / "single_frames"))
    assert [(f.code, f.ids) for f in single.at_least("warning")] == [("not registered", ("NYU_color",))]
    lists = examine(str(shared_data / "tum_style_lists"))
    assert "incomplete" in {f.code for f in lists.at_least("fault")}


def test_a_real_pair_that_was_mirrored_is_found(shared_data: Path, tmp_path: Path) -> None:
    """Real frames of one set, of which one photo, or one depth, is mirrored on disk."""
    source = shared_data / "redwood/RGBD"
    for number, side in ((1, "color"), (3, "depth")):
        at = tmp_path / side
        for part, end in (("color", "jpg"), ("depth", "png")):
            (at / part).mkdir(parents=True)
            for k in range(5):
                data = (source / part / f"{k:05}.{end}").read_bytes()
                (at / part / f"{k:05}.{end}").write_bytes(data)
        path = at / side / f"{number:05}.{'jpg' if side == 'color' else 'png'}"
        with PilImage.open(path) as picture:
            turned = np.asarray(picture)[:, ::-1]
        PilImage.fromarray(turned).save(path)
        report = examine(f"redwood:{at}")
        assert [(f.code, f.ids) for f in report.at_least("fault")] == [("mirrored", (f"color/{number:05}",))]


def _mirrored_at(positions: set[int], samples: Sequence[Sample]) -> Iterator[Sample]:
    return (mirrored(s) if k in positions else s for k, s in enumerate(samples))


def test_real_rooms_mirrored_one_by_one_are_mostly_found_and_none_falsely(shared_data: Path) -> None:
    samples = list(open_dataset(shared_data / "nyu_train795").spread(24))
    named = found(samples)
    assert "mirrored" not in named
    hits = 0
    looked = [look(sample) for sample in samples]
    for k in range(0, 24, 2):
        planted = [*looked[:k], look(mirrored(samples[k])), *looked[k + 1 :]]
        hits += any(f.ids == (samples[k].id,) for f in _turned(planted, [], []))
    assert hits >= 10
