"""Depth files that are damaged, not there, too large or cannot be written."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pil

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, OutputError
from leadline.core.kind import Kind
from leadline.io.depth_files import read_depth, read_stored, recorded_depth, write_depth

FORMATS = [".png", ".tiff", ".tif", ".npz", ".pfm", ".exr"]
Limit = Callable[[], AbstractContextManager[None]]
Bare = Callable[[Path, NDArray[Any]], Path]


@pytest.mark.parametrize("suffix", FORMATS)
def test_missing_empty_and_unreadable_files(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"depth{suffix}"
    with pytest.raises(InputError, match=rf"there is no '.*depth{suffix}'"):
        read_depth(path)
    path.touch()
    with pytest.raises(InputError, match=r"is empty \(0 bytes\)"):
        read_depth(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="is a folder; name a depth file in it"):
        read_depth(path)

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", denied)
    monkeypatch.setattr(Path, "is_dir", lambda _: False)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        read_depth(path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_cut_in_half_is_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    rng = np.random.default_rng(0)
    write_depth(path, DepthMap(rng.uniform(1, 9, (60, 80)), Kind()))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"cut short|not a whole|damaged"):
        read_depth(path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_damage_anywhere_is_a_map_or_an_input_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_depth(
        path,
        DepthMap(np.random.default_rng(0).uniform(1, 9, (12, 10)), Kind(), camera=Camera.assumed(10, 12)),
    )
    data = path.read_bytes()
    draw = random.Random(suffix)
    refused = 0
    for _ in range(80):
        broken = bytearray(data[: draw.choice([len(data), draw.randrange(1, len(data))])])
        for _ in range(draw.randrange(1, 8)):
            broken[draw.randrange(len(broken))] = draw.randrange(256)
        path.write_bytes(broken)
        try:
            assert read_depth(path, max_pixels=10**6)[0].shape
        except (InputError, KindError):
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("suffix", FORMATS)
def test_too_large_a_map_is_refused_before_it_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_depth(path, DepthMap(np.ones((10, 11)), Kind()))
    with pytest.raises(InputError, match=r"has 110 pixels \(11x10\); the limit is 100; .*--max-pixels 110"):
        read_depth(path, max_pixels=100)


def test_pfm_headers_and_sizes(tmp_path: Path) -> None:
    path = tmp_path / "a.pfm"
    path.write_bytes(b"P6\n1 1\n255\n\0\0\0")
    with pytest.raises(InputError, match="does not begin like a PFM file"):
        read_depth(path)
    path.write_bytes(b"Pf\n0 0\n-1.0\n")
    with pytest.raises(InputError, match="cut short or damaged: 0x0 floats"):
        read_depth(path)
    path.write_bytes(b"Pf 1 1\n-0.003922\r\n" + np.float32(2.5).tobytes())
    assert read_depth(path, kind="disparity")[0].range() == (2.5, 2.5)
    path.write_bytes(b"Pf\n1 1\n-1.0\n" + b"\0" * 5)
    with pytest.raises(InputError, match=r"takes? 4 bytes, it has 5"):
        read_depth(path)


def test_a_pfm_record_is_not_lent_to_another_file(tmp_path: Path, bare: Bare) -> None:
    path = tmp_path / "a.pfm"
    write_depth(path, DepthMap(np.ones((2, 2)), Kind()))
    bare(path, np.full((2, 2), 7.0, np.float32))
    with pytest.raises(
        InputError, match=r"a.pfm.json' belongs to another file than 'a.pfm': the checksum differs"
    ):
        read_depth(path)
    (tmp_path / "a.pfm.json").write_text("{}")
    with pytest.raises(InputError, match=r"a.pfm.json' is damaged .*; delete it"):
        read_depth(path)
    (tmp_path / "a.pfm.json").unlink()
    assert read_depth(path, kind="metric")[0].range() == (7, 7)


@pytest.mark.parametrize("text", ['{"scene": 7}', "[1]", "", "no JSON", "\xff"])
def test_a_pfm_record_does_not_replace_a_file_of_somebody_else(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.pfm"
    (tmp_path / "a.pfm.json").write_text(text, "latin-1")
    with pytest.raises(OutputError, match=r"a.pfm.json', which is not leadline's; move that file"):
        write_depth(path, DepthMap(np.ones((2, 2)), Kind()))
    assert [p.name for p in tmp_path.iterdir()] == ["a.pfm.json"]
    assert (tmp_path / "a.pfm.json").read_text("latin-1") == text


@pytest.mark.parametrize("before", [None, 1.0])
def test_a_stop_between_a_pfm_and_its_record_leaves_it_bare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: float | None
) -> None:
    """The process is killed as it moves the second file into its place."""
    path = tmp_path / "a.pfm"
    if before is not None:
        write_depth(path, DepthMap(np.full((2, 2), before), Kind()))
    moves: list[str] = []
    real = os.replace

    def killed(source: Any, target: Any) -> None:
        moves.append(Path(target).name)
        if len(moves) == 2:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_depth(path, DepthMap(np.full((2, 2), 3.0), Kind()))
    assert moves == ["a.pfm", "a.pfm.json"]
    with pytest.raises(KindError, match="does not say what its numbers mean"):
        read_depth(path)
    assert read_depth(path, kind="metric")[0].range() == (3, 3)


def test_a_file_that_was_resized_elsewhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_depth(path, DepthMap(np.ones((4, 6)), Kind(), camera=Camera.assumed(6, 4)))
    from PIL.PngImagePlugin import PngInfo

    with Pil.open(path) as picture:
        info = PngInfo()
        info.add_text("leadline", picture.text["leadline"])  # type: ignore[attr-defined]
        picture.resize((3, 2)).save(tmp_path / "b.png", pnginfo=info)
    with pytest.raises(InputError, match="is 3x2, but its record speaks of 6x4: it was resized or cropped"):
        read_depth(tmp_path / "b.png")


@pytest.mark.parametrize("text", ["{", "[]", '{"leadline": 99}', '{"leadline": 1, "kind": 3}'])
def test_a_damaged_record_names_its_file(tmp_path: Path, text: str) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("leadline", text)
    Pil.fromarray(np.ones((2, 2), np.uint16)).save(tmp_path / "a.png", pnginfo=info)
    with pytest.raises(
        InputError, match=r"'.*a.png': (the depth record is damaged|depth record of format 99)"
    ):
        read_depth(tmp_path / "a.png")


def test_members_that_do_not_fit_together(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_depth(path, DepthMap(np.ones((2, 2)), Kind()))
    with np.load(path) as archive:
        members = dict(archive)
    for name, other in {"valid": np.ones((3, 2), bool), "values": np.ones((2, 2))}.items():
        np.savez(path, **{**members, name: other})
        with pytest.raises(InputError, match="members that do not fit together"):
            read_depth(path)
    np.savez(path, **{**members, "infinite": np.ones(4, bool)})
    with pytest.raises(InputError, match=r"array 'infinite' of '.*' has shape \(4,\)"):
        read_depth(path)
    np.savez(path, **{name: members[name] for name in ("leadline", "values", "valid")})
    with pytest.raises(InputError, match="not a whole NPZ archive"):
        read_depth(path)


def test_an_array_format_of_the_future_is_told(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("depth.npy", b"\x93NUMPY\x03\x00" + b"\0" * 60)
    with pytest.raises(InputError, match=r"'depth' of '.*' is in NPY version \(3, 0\)"):
        read_depth(tmp_path / "a.npz", kind="metric")


def test_stored_numbers_without_a_record_have_no_meaning(tmp_path: Path, bare: Bare) -> None:
    path = bare(tmp_path / "a.png", np.ones((2, 2), np.uint16))
    with pytest.raises(InputError, match="the depth record is damaged"):
        recorded_depth(read_stored(path), str(path))


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_write_that_stops_half_way_leaves_the_old_file_and_no_half_one(
    tmp_path: Path, suffix: str, small_files: Limit
) -> None:
    path = tmp_path / f"a{suffix}"
    write_depth(path, DepthMap(np.ones((4, 4)), Kind()))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    big = DepthMap(np.random.default_rng(0).uniform(1, 60, (200, 200)), Kind())
    with (
        small_files(),
        pytest.raises(OutputError, match=rf"a{suffix}.*' cannot be written: .*; choose another"),
    ):
        write_depth(path, big)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 64 kB, where this machine lets us mount one."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a tiny disk cannot be mounted here (needs root)")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_disk_that_is_really_full(tiny_disk: Path, suffix: str) -> None:
    big = DepthMap(np.random.default_rng(0).uniform(1, 60, (300, 300)), Kind())
    with pytest.raises(OutputError, match="the disk is full; free some space or choose another folder"):
        write_depth(tiny_disk / f"a{suffix}", big)
    assert list(tiny_disk.iterdir()) == []
