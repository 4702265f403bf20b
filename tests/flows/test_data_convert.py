"""Converting: what is read back is what was there, bit for bit; runs go on; damage is found."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, OutputError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.sample import Entry, Sample
from leadline.flows.data import convert as module
from leadline.flows.data.collection import Collection
from leadline.flows.data.convert import ConvertRequest, convert, convert_collection
from leadline.flows.data.opening import open_dataset
from leadline.plugins.specs import DatasetSpec
from leadline.testing.layouts import folder as plain
from leadline.testing.layouts import nyu, posed, sunrgbd
from leadline.testing.scenes import noise_photo


def said(options: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in options.items())


def same(first: Sample, second: Sample) -> None:
    assert (first.id, first.scene, first.split) == (second.id, second.scene, second.split)
    assert np.array_equal(first.image.rgb_HW3, second.image.rgb_HW3)
    assert first.image.camera == second.image.camera
    assert first.truth.kind == second.truth.kind
    assert first.truth.camera == second.truth.camera
    assert first.truth.scale_uncertain == second.truth.scale_uncertain
    assert first.truth.values.tobytes() == second.truth.values.tobytes()
    assert np.array_equal(first.truth.valid, second.truth.valid)
    assert np.array_equal(first.truth.infinite, second.truth.infinite)
    poses = (first.T_world_camera, second.T_world_camera)
    assert (poses[0] is None) == (poses[1] is None)
    if poses[0] is not None and poses[1] is not None:
        assert np.array_equal(poses[0], poses[1])


class Odd:
    """Truths that are hard to keep: sky, holes, relative kinds, negative values, a truth smaller than its photo."""

    def __init__(self, kind: Kind, *, broken: int = -1) -> None:
        self.kind, self.broken = kind, broken
        self.entries = [Entry(f"room/{k}", f"scene {k // 2}", "train" if k else "test") for k in range(4)]

    def __len__(self) -> int:
        return 4

    def __iter__(self) -> Iterator[Sample]:
        return (self[k] for k in range(4))

    def __getitem__(self, index: int) -> Sample:
        if index == self.broken:
            raise DatasetError("'x.png' is cut short", hint="copy it again")
        rng = np.random.default_rng(index)
        values = rng.uniform(0.1, 70, (12, 16)) - (5 if self.kind.freedom is Freedom.AFFINE else 0)
        valid = rng.random((12, 16)) > 0.3
        infinite = ~valid & (rng.random((12, 16)) > 0.5)
        camera = Camera(20.0, 21.0, 15.0, 11.0, 32, 24)
        truth = DepthMap(
            values.astype(np.float32), self.kind, valid, infinite, camera.resized(16, 12), index == 3
        )
        entry = self.entries[index]
        image = replace(noise_photo(24, 32, seed=index), camera=camera)
        pose = np.eye(4) * 0.1 if index == 2 else None
        return Sample(entry.id, image, truth, entry.scene, entry.split, pose)


def odd(kind: str = "metric-depth", *, broken: int = -1) -> Collection:
    return Collection(
        Odd(Kind.parse(kind), broken=broken), spec=DatasetSpec("odd", "none:None", "odd truths")
    )


FORMS = [("folder", "npy"), ("folder", "png"), ("shards", "npy"), ("shards", "png")]


@pytest.mark.parametrize(("form", "depth"), FORMS)
@pytest.mark.parametrize("layout", [plain, sunrgbd, posed, nyu])
def test_layouts_read_back_equal(layout: Any, form: str, depth: str, tmp_path: Path) -> None:
    place, options = layout.write(tmp_path / "source")if layout is not nyu else (layout.write_mirrored(tmp_path / "source"))  # fmt: skip
    source = open_dataset(place, options=options)
    request = ConvertRequest(
        place, tmp_path / "out", option=said(options), form=form, depth=depth, shard_size=2, verify=True
    )
    report = convert(request)
    assert (report.samples, report.written, report.verified) == (3, 3, True)
    back = open_dataset(tmp_path / "out")
    assert back.spec.name == "leadline"
    for first, second in zip(source, back, strict=True):
        same(first, second)


@pytest.mark.parametrize("form", ["folder", "shards"])
@pytest.mark.parametrize(
    "kind", ["metric-depth", "metric-depth-ray", "metric-inverse-depth", "affine-invariant-inverse-depth", "affine-invariant-depth"]
)  # fmt: skip
def test_every_kind_reads_back_equal(kind: str, form: str, tmp_path: Path) -> None:
    source = odd(kind)
    convert_collection(source, request=ConvertRequest("odd", tmp_path / "out", form=form, verify=True))
    back = open_dataset(tmp_path / "out", options={"verify": "sha256"})
    assert back.kind == Kind.parse(kind)
    for first, second in zip(source, back, strict=True):
        same(first, second)


def test_millimetres_are_kept_as_integers_and_photos_as_they_were(tmp_path: Path) -> None:
    place, options = plain.write(tmp_path / "source")
    convert(ConvertRequest(place, tmp_path / "out", option=said(options)))
    line = json.loads((tmp_path / "out/manifest.jsonl").read_text().splitlines()[0])
    assert line["depth"]["steps_per_unit"] == 1000
    stored = np.load(tmp_path / "out" / line["depth"]["file"])
    assert stored.dtype == np.uint16
    original = (tmp_path / "source/rgb/room_0_color.png").read_bytes()
    assert (tmp_path / "out" / line["photo"]["file"]).read_bytes() == original


def test_jpeg_photos_are_small_and_near(tmp_path: Path) -> None:
    place, options = plain.write(tmp_path / "source")
    convert(ConvertRequest(place, tmp_path / "out", option=said(options), photo="jpeg"))
    first, second = open_dataset(place, options=options)[0], open_dataset(tmp_path / "out")[0]
    difference = np.abs(first.image.rgb_HW3.astype(int) - second.image.rgb_HW3)
    assert 0 < difference.mean() < 2


@pytest.mark.parametrize("form", ["folder", "shards"])
def test_a_run_that_stopped_goes_on(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = ConvertRequest("odd", tmp_path / "out", form=form, shard_size=2, workers=1)
    calls: list[int] = []

    def stop(done: int, total: int) -> None:
        assert total == 4
        calls.append(done)
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_collection(odd(), request=request, step=stop)
    assert calls == [1, 2, 3]
    with pytest.raises(DatasetError, match="is an unfinished conversion; run the same"):
        open_dataset(tmp_path / "out")
    with open(tmp_path / "out/manifest.jsonl", "a") as file:
        file.write('{"id": "room/3", "pho')
    packed: list[int] = []
    pack = module._packed

    def counting(collection: Collection, position: int, asked: ConvertRequest) -> Any:
        packed.append(position)
        return pack(collection, position, asked)

    monkeypatch.setattr(module, "_packed", counting)
    report = convert_collection(odd(), request=request)
    assert sorted(packed) == ([3] if form == "folder" else [2, 3])
    assert report.samples == 4
    for first, second in zip(odd(), open_dataset(tmp_path / "out"), strict=True):
        same(first, second)
    packed.clear()
    assert convert_collection(odd(), request=request).written == 0
    assert packed == []


def test_the_same_samples_make_the_same_bytes(tmp_path: Path) -> None:
    for name, workers in (("a", 1), ("b", 4)):
        request = ConvertRequest("odd", tmp_path / name, form="shards", shard_size=3, workers=workers)
        convert_collection(odd(), request=request)
    for file in ("shard-000000.tar", "shard-000001.tar", "manifest.jsonl", "leadline.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # webdataset leaves files open
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_shards_are_plain_tars_that_webdataset_reads(tmp_path: Path) -> None:
    import webdataset

    convert_collection(odd(), request=ConvertRequest("odd", tmp_path / "out", form="shards", shard_size=3))
    with tarfile.open(tmp_path / "out/shard-000000.tar") as tar:
        assert tar.getnames()[:3] == ["000000.png", "000000.depth.npy", "000000.json"]
    urls = [str(path) for path in sorted((tmp_path / "out").glob("*.tar"))]
    found = list(webdataset.WebDataset(urls, shardshuffle=False, empty_check=False))
    assert [item["__key__"] for item in found] == ["000000", "000001", "000002", "000003"]
    for item, sample in zip(found, odd(), strict=True):
        stored = np.load(io.BytesIO(item["depth.npy"]))
        assert np.array_equal(stored[sample.truth.valid], sample.truth.values[sample.truth.valid])
        assert json.loads(item["json"])["id"] == sample.id


def test_a_broken_sample_ends_it_or_is_counted(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"'x\.png' is cut short"):
        convert_collection(odd(broken=2), request=ConvertRequest("odd", tmp_path / "a"))
    for form in ("folder", "shards"):
        request = ConvertRequest(
            "odd", tmp_path / form, form=form, on_error="skip", verify=True, shard_size=2
        )
        report = convert_collection(odd(broken=2), request=request)
        assert [item.id for item in report.skipped] == ["room/2"]
        assert [s.id for s in open_dataset(tmp_path / form)] == ["room/0", "room/1", "room/3"]


def test_another_conversion_and_a_users_folder_are_left_alone(tmp_path: Path) -> None:
    convert_collection(odd(), request=ConvertRequest("odd", tmp_path / "out"))
    with pytest.raises(OutputError, match="holds another conversion: form is 'folder', not 'shards'"):
        convert_collection(odd(), request=ConvertRequest("odd", tmp_path / "out", form="shards"))
    with pytest.raises(OutputError, match="holds another conversion: kind is"):
        convert_collection(odd("metric-inverse-depth"), request=ConvertRequest("odd", tmp_path / "out"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("")
    with pytest.raises(OutputError, match="is not empty; name a new folder"):
        convert_collection(odd(), request=ConvertRequest("odd", tmp_path / "mine"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        convert_collection(odd(), request=ConvertRequest("odd", tmp_path / "file/out"))
    (tmp_path / "out/leadline.json").write_text("{")
    with pytest.raises(OutputError, match="cannot be read"):
        convert_collection(odd(), request=ConvertRequest("odd", tmp_path / "out"))


def edit(file: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def harm(out: Path) -> None:
        lines = (out / file).read_text().splitlines()
        whole = json.loads("\n".join(lines)) if file == "leadline.json" else json.loads(lines[0])
        change(whole)
        text = json.dumps(whole)
        (out / file).write_text(text if file == "leadline.json" else "\n".join([text, *lines[1:]]) + "\n")

    return harm


def flip(out: Path) -> None:
    data = bytearray((out / "depth/000000.npy").read_bytes())
    data[-1] ^= 1
    (out / "depth/000000.npy").write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (flip, "is not what was written: the checksum of sample 'room/0' differs"),
        (lambda out: (out / "depth/000000.npy").write_bytes(b"abc"), "has 3 of .* bytes of sample 'room/0'"),
        (lambda out: (out / "photos/000000.png").unlink(), r"000000\.png' is not there"),
        (edit("leadline.json", lambda h: h.update(leadline_dataset=99)), "newer than this leadline"),
        (edit("leadline.json", lambda h: h.pop("samples")), "is no header of a converted set"),
        (edit("leadline.json", lambda h: h.update(samples="many")), "is no header of a converted set"),
        (edit("leadline.json", lambda h: h.update(samples=7)), "has 4 of 7 samples"),
        (edit("leadline.json", lambda h: h.update(kind="depthy")), "says no kind"),
        (edit("manifest.jsonl", lambda line: line.pop("photo")), "line 1 is damaged"),
        (edit("manifest.jsonl", lambda line: line.update(camera=None)), "has no camera"),
    ],
)
def test_damage_is_found(harm: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    convert_collection(odd(), request=ConvertRequest("odd", tmp_path / "out"))
    harm(tmp_path / "out")
    with pytest.raises(DatasetError, match=message):
        open_dataset(tmp_path / "out", name="leadline", options={"verify": "sha256"})[0]


def test_depth_that_is_none_is_named(tmp_path: Path) -> None:
    convert_collection(odd(), request=ConvertRequest("odd", tmp_path / "out"))
    for stored, message in ((np.zeros((2, 2, 2), np.float32), "not depth"), (np.zeros((12, 16), np.uint16), "no known step")):  # fmt: skip
        stream = io.BytesIO()
        np.save(stream, stored)
        (tmp_path / "out/depth/000000.npy").write_bytes(stream.getvalue())
        size = len(stream.getvalue())
        edit("manifest.jsonl", lambda line, size=size: line["depth"].update(bytes=size))(tmp_path / "out")
        with pytest.raises(DatasetError, match=message):
            open_dataset(tmp_path / "out")[0]


def test_what_cannot_be_read_back_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "pack_depth", lambda depth, form: replace(_other(), data=_other().data))
    with pytest.raises(DatasetError, match="reads back otherwise than it was"):
        convert_collection(odd(), request=ConvertRequest("odd", tmp_path / "out", verify=True))


def _other() -> Any:
    from leadline.io.plain_form import pack_depth

    return pack_depth(DepthMap(np.full((12, 16), 2.0, np.float32), Kind(Quantity.DEPTH)))


def test_from_the_command_line(command: Callable[..., Any], tmp_path: Path) -> None:
    place, _ = plain.write(tmp_path / "source")
    arguments = ("data", "convert", f"folder:{place}", tmp_path / "out", "--option", "encoding=mm")
    more = ("--option", "camera=52,53,31,22", "--verify")
    ended = command(*arguments, *more)
    assert (ended.status, ended.err) == (0, "")
    assert "3 samples" in ended.out
    assert "all read back equal" in ended.out
    assert open_dataset(tmp_path / "out")[0].image.camera.fx == 52
    again = command(*arguments, *more, "--json")
    assert json.loads(again.out)["written"] == 0
    (tmp_path / "source/depth/room_1_depth.png").write_bytes(b"no")
    ended = command("data", "convert", f"folder:{place}", tmp_path / "b", "--option", "encoding=mm", "--on-error", "skip")  # fmt: skip
    assert ended.status == 1
    assert "skipped rgb/room_1_color" in ended.err
    assert "1 could not be read" in ended.out
    assert command("data", "convert", place, tmp_path / "c", "--option", "encoding").status == 3


def test_a_collection_converts_itself_and_reads_back_equal(tmp_path: Path) -> None:
    rooms = open_dataset("synthetic", options={"frames": 3, "width": 64, "height": 48})
    told: list[tuple[int, int]] = []
    done = rooms.convert(tmp_path / "plain", verify=True, step=lambda k, n: told.append((k, n)))
    assert (done.samples, done.written, done.verified) == (3, 3, True)
    assert told == [(1, 3), (2, 3), (3, 3)]
    again = open_dataset(tmp_path / "plain")
    for first, second in zip(rooms, again, strict=True):
        assert np.array_equal(first.truth.values, second.truth.values, equal_nan=True)
        assert np.array_equal(first.image.rgb_HW3, second.image.rgb_HW3)
    assert rooms.convert(tmp_path / "plain").written == 0


def test_a_frame_that_could_be_read_only_later_is_verified_too(tmp_path: Path) -> None:
    from leadline.testing.layouts import folder as plain

    place, options = plain.write(tmp_path / "source")
    rooms = open_dataset(place, name="folder", options=options)
    path = sorted((tmp_path / "source/depth").iterdir())[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:40])
    assert len(rooms.convert(tmp_path / "plain", on_error="skip").skipped) == 1
    path.write_bytes(whole)
    done = rooms.convert(tmp_path / "plain", verify=True)
    assert (done.written, done.samples) == (1, len(rooms))
