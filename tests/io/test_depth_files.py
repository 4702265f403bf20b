from __future__ import annotations

import json
import os
import random
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pil

from leadline.core.camera import Camera, Origin
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, OutputError
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.core.record import Encoding, Record
from leadline.core.results import ModelRecord
from leadline.io.depth_files import DEPTH_SUFFIXES, read_depth, read_stored, recorded_depth, write_depth

FORMATS = [".png", ".tiff", ".tif", ".npz", ".pfm", ".exr"]
EXACT = [suffix for suffix in FORMATS if suffix != ".png"]
MODEL = ModelRecord("indoor", "1.0", "ab" * 32, "CC BY 4.0", "no", "onnxruntime (CPU)")


@st.composite
def depth_maps(draw: st.DrawFn) -> DepthMap:
    """Maps of any kind and shape, with holes, sky and a camera, at any magnitude that float32 holds."""
    kind = Kind(draw(st.sampled_from(Quantity)), draw(st.sampled_from(Freedom)), draw(st.sampled_from(Along)))
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values: NDArray[Any] = rng.uniform(0.01, 1, (height, width)) * 10.0 ** draw(st.integers(-30, 30))
    if kind.freedom is Freedom.AFFINE:
        values = values - draw(st.sampled_from([0.0, 0.5])) * values.max()
    state = rng.choice(
        3, (height, width), p=draw(st.sampled_from([(1, 0, 0), (0.6, 0.2, 0.2), (0, 0.5, 0.5)]))
    )
    camera = Camera(30.5, 31, 2.25, -1, width, height, draw(st.sampled_from(Origin)))
    return DepthMap(values, kind, state == 0, state == 2, draw(st.sampled_from([None, camera])))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("depth")


def assert_same_meaning(got: DepthMap, depth: DepthMap) -> None:
    assert got.kind == depth.kind
    assert got.camera == depth.camera
    np.testing.assert_array_equal(got.valid, depth.valid)
    np.testing.assert_array_equal(got.infinite, depth.infinite)


@pytest.mark.parametrize("suffix", EXACT)
@given(depth=depth_maps())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_float_formats_bring_everything_back_exactly(folder: Path, suffix: str, depth: DepthMap) -> None:
    path = folder / f"exact{suffix}"
    written = write_depth(path, depth, model=MODEL, source="a b.jpg")
    got, record = read_depth(path)
    assert_same_meaning(got, depth)
    np.testing.assert_array_equal(got.values, depth.values)
    assert record == written == Record(depth.kind, Encoding(), depth.camera, MODEL, "a b.jpg")


@given(depth=depth_maps())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_16_bit_png_brings_everything_back_to_half_a_step(folder: Path, depth: DepthMap) -> None:
    path = folder / "steps.png"
    written = write_depth(path, depth, model=MODEL)
    got, record = read_depth(path)
    assert_same_meaning(got, depth)
    assert record == written
    valid = depth.valid
    before, after = depth.values[valid].astype(np.float64), got.values[valid].astype(np.float64)
    step = record.encoding.scale
    bound = np.where((depth.kind.freedom < Freedom.AFFINE) & (before < step / 2), step, step / 2)
    rounding = 2 * np.spacing(np.maximum(np.abs(before), np.abs(after)).astype(np.float32))
    assert (np.abs(after - before) <= bound * (1 + 1e-9) + rounding).all()
    if valid.any():
        low, high = before.min(), before.max()
        metric = depth.kind.quantity is Quantity.DEPTH and depth.kind.freedom is Freedom.NONE
        fits = step == 0.001 if metric and high < 65 else step <= max(high - low, abs(high)) / 65000
        assert fits


def test_millimetres_under_65_m_as_every_other_tool_reads_them(tmp_path: Path) -> None:
    """Pillow alone reads the stored integers."""
    values = np.array([[0.0004, 0.5, 1.2344, 64.99], [np.nan, np.inf, 0.0012, 10.0]])
    record = write_depth(tmp_path / "a.png", DepthMap(values, Kind()))
    assert record.encoding == Encoding(0.001, 0.0, 0, 65535)
    with Pil.open(tmp_path / "a.png") as picture:
        assert picture.mode == "I;16"
        stored = np.asarray(picture)
        text = json.loads(picture.text["leadline"])  # type: ignore[attr-defined]
    np.testing.assert_array_equal(stored, [[1, 500, 1234, 64990], [0, 65535, 1, 10000]])
    assert text["kind"] == "metric-depth"
    assert text["unit"] == "m"
    assert text["encoding"] == {"scale": 0.001, "offset": 0.0, "invalid": 0, "infinite": 65535}
    far = write_depth(tmp_path / "b.png", DepthMap(values * 2, Kind()))
    assert far.encoding.scale == pytest.approx(2 * 64.99 / 65534)


@pytest.mark.parametrize("suffix", EXACT)
def test_float_files_as_other_tools_read_them(tmp_path: Path, suffix: str) -> None:
    values = np.array([[1.5, np.nan, 3.25], [np.inf, 5.0, 6.0]], np.float32)
    path = tmp_path / f"a{suffix}"
    write_depth(path, DepthMap(values, Kind()))
    np.testing.assert_array_equal(read_elsewhere(path), values)


def read_elsewhere(path: Path) -> NDArray[Any]:
    if path.suffix in (".tif", ".tiff"):
        return np.asarray(pytest.importorskip("tifffile").imread(path))
    if path.suffix == ".npz":
        return np.asarray(np.load(path)["values"])
    if path.suffix == ".pfm":
        with open(path, "rb") as stream:
            assert stream.readline() == b"Pf\n"
            width, height = map(int, stream.readline().split())
            assert float(stream.readline()) < 0
            return np.flipud(np.fromfile(stream, "<f4").reshape(height, width))
    import OpenEXR

    with OpenEXR.File(str(path)) as file:
        return np.array(file.channels()["Z"].pixels)


def test_npz_holds_both_masks_for_numpy_alone(tmp_path: Path) -> None:
    depth = DepthMap(np.array([[1.0, np.nan, np.inf]]), Kind())
    write_depth(tmp_path / "a.npz", depth)
    with np.load(tmp_path / "a.npz") as archive:
        np.testing.assert_array_equal(archive["valid"], [[True, False, False]])
        np.testing.assert_array_equal(archive["infinite"], [[False, False, True]])
        assert json.loads(str(archive["leadline"]))["kind"] == "metric-depth"


def test_sky_of_inverse_depth_is_told_from_a_valid_zero(tmp_path: Path) -> None:
    kind = Kind(Quantity.INVERSE, Freedom.AFFINE)
    depth = DepthMap(
        np.array([[0.0, 0.0, -1.0]]), kind, np.array([[True, False, True]]), np.array([[False, True, False]])
    )
    for suffix in FORMATS:
        write_depth(tmp_path / f"a{suffix}", depth)
        assert_same_meaning(read_depth(tmp_path / f"a{suffix}")[0], depth)


def test_a_constant_affine_map_and_an_empty_one_come_back(tmp_path: Path) -> None:
    for value in (0.0, -3.5, 7e20):
        depth = DepthMap(np.full((2, 2), value), Kind(freedom=Freedom.AFFINE))
        write_depth(tmp_path / "a.png", depth)
        np.testing.assert_allclose(read_depth(tmp_path / "a.png")[0].values, value, rtol=1e-6)
    nothing = DepthMap(np.full((2, 2), np.nan), Kind(Quantity.INVERSE))
    write_depth(tmp_path / "b.png", nothing)
    assert not read_depth(tmp_path / "b.png")[0].valid.any()


def test_an_encoding_of_ones_own(tmp_path: Path) -> None:
    """KITTI's: metres x 256, 0 unknown, no sky."""
    depth = DepthMap(np.array([[1.0, 80.5, np.nan]]), Kind())
    record = write_depth(tmp_path / "a.png", depth, encoding=Encoding(1 / 256, 0.0, 0))
    with Pil.open(tmp_path / "a.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), [[256, 20608, 0]])
    assert_same_meaning(read_depth(tmp_path / "a.png")[0], depth)
    assert record.encoding.scale == 1 / 256
    whole = DepthMap(np.array([[0.001, 65.535]]), Kind())
    write_depth(tmp_path / "b.png", whole, encoding=Encoding(0.001))
    np.testing.assert_allclose(read_depth(tmp_path / "b.png")[0].values, whole.values, rtol=1e-6)


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        (Encoding(0.001, 0.0, 0, 65535), r"do not fit 16 bits with scale 0.001 .* reach from 0.0 to 65.534"),
        (Encoding(1.0, 20.0, 0, 65535), "do not fit 16 bits"),
        (Encoding(1.0, -1.0, 0, 65535), r"offset -1.0 would make metric-depth negative"),
        (Encoding(-1.0, 0.0, 0, 65535), r"scale -1.0 and offset 0.0 are not usable"),
        (Encoding(1.0, 0.0, 7, 65535), "mark 7 for invalid pixels lies among the values"),
        (Encoding(1.0, 0.0, 0, 0), "share the mark 0"),
        (Encoding(1.0, 0.0, None, 65535), "has no mark for them; set encoding.invalid"),
        (Encoding(1.0, 0.0, 0, None), "has no mark for them"),
    ],
)
def test_encodings_that_do_not_fit_are_refused(tmp_path: Path, encoding: Encoding, told: str) -> None:
    depth = DepthMap(np.array([[1.0, 80.0, np.nan, np.inf]]), Kind())
    with pytest.raises(InputError, match=told):
        write_depth(tmp_path / "a.png", depth, encoding=encoding)
    assert not list(tmp_path.iterdir())


def test_only_png_takes_an_encoding_and_only_known_suffixes_a_depth(tmp_path: Path) -> None:
    depth = DepthMap(np.ones((2, 2)), Kind())
    with pytest.raises(InputError, match=r".tiff files hold values as they are"):
        write_depth(tmp_path / "a.tiff", depth, encoding=Encoding(0.001))
    with pytest.raises(InputError, match=r"does not end like a depth file; use one of .png, .tiff, .tif"):
        write_depth(tmp_path / "a.jpg", depth)
    with pytest.raises(InputError, match="does not end like a depth file"):
        read_depth(tmp_path / "a.jpg")
    assert set(DEPTH_SUFFIXES) == set(FORMATS)


# Bare files


def bare(path: Path, array: NDArray[Any]) -> Path:
    """Files as others write them."""
    if path.suffix in (".png", ".tif", ".tiff"):
        Pil.fromarray(array).save(path)
    elif path.suffix == ".npz":
        np.savez(path, depth=array)
    elif path.suffix == ".pfm":
        head = f"Pf\n{array.shape[1]} {array.shape[0]}\n1.0\n".encode()
        path.write_bytes(head + np.flipud(array).astype(">f4").tobytes())
    else:
        import OpenEXR

        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        with OpenEXR.File(header, {"Y": array}) as file:
            file.write(str(path))
    return path


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_bare_file_is_refused_unless_its_kind_is_said(tmp_path: Path, suffix: str) -> None:
    array = np.array([[1000, 2000], [0, 4000]], np.uint16 if suffix == ".png" else np.float32)
    path = bare(tmp_path / f"a{suffix}", array)
    with pytest.raises(
        KindError,
        match=r"does not say what its numbers mean; say it: kind=\"metric-depth\", scale=0.001 \(--kind metric-depth",
    ):
        read_depth(path)
    depth, record = read_depth(path, kind="metric-depth", scale=0.001, camera=Camera.assumed(2, 2))
    np.testing.assert_allclose(depth.values, [[1, 2], [np.nan, 4]], rtol=1e-6)
    assert depth.kind == Kind()
    assert depth.camera == record.camera == Camera.assumed(2, 2)
    assert record.model is None


def test_bare_integers_need_their_unit(tmp_path: Path) -> None:
    path = bare(tmp_path / "a.png", np.array([[1, 65535, 0]], np.uint16))
    with pytest.raises(
        InputError, match=r"holds integers, and their unit is not said; say scale=0.001 \(--scale\)"
    ):
        read_depth(path, kind="metric-depth")
    with pytest.raises(InputError, match="scale -1 is not positive"):
        read_depth(path, kind="metric-depth", scale=-1)
    with pytest.raises(InputError, match="scale nan is not positive"):
        read_depth(path, kind="metric-depth", scale=float("nan"))
    with pytest.raises(InputError, match="'meters' is not a kind of depth"):
        read_depth(path, kind="meters")
    depth, _ = read_depth(path, kind=Kind(Quantity.INVERSE, Freedom.SCALE))
    np.testing.assert_array_equal(depth.values, [[1, 65535, np.nan]])
    both, _ = read_depth(path, kind="metric-depth", scale=0.001, invalid=(0, 65535))
    np.testing.assert_array_equal(both.valid, [[True, False, False]])
    every, _ = read_depth(path, kind="affine-depth", scale=0.5, offset=3.0, invalid=())
    np.testing.assert_array_equal(every.values, [[3.5, 32770.5, 3.0]])


def test_infinity_in_a_bare_file_is_unknown_and_never_sky(tmp_path: Path) -> None:
    path = bare(tmp_path / "a.pfm", np.array([[1.0, np.inf], [np.nan, -np.inf]], np.float32))
    depth, _ = read_depth(path, kind="disparity")
    np.testing.assert_array_equal(depth.valid, [[True, False], [False, False]])
    assert not depth.infinite.any()


def test_a_float_zero_is_a_value_where_the_shift_is_unknown(tmp_path: Path) -> None:
    path = bare(tmp_path / "a.tiff", np.array([[0.0, -2.0]], np.float32))
    assert read_depth(path, kind="affine-depth")[0].valid.all()
    assert not read_depth(path, kind="metric-depth")[0].valid.any()


@pytest.mark.parametrize(
    "said", [{"kind": "affine-depth"}, {"scale": 0.001}, {"camera": Camera.assumed(2, 2)}]
)
def test_a_record_is_not_overruled(tmp_path: Path, said: dict[str, Any]) -> None:
    write_depth(tmp_path / "a.png", DepthMap(np.ones((2, 2)), Kind()))
    with pytest.raises(KindError, match=r"carries its own record .*; leave kind, scale and camera out"):
        read_depth(tmp_path / "a.png", **said)
    assert read_depth(tmp_path / "a.png", kind="metric")[0].kind == Kind()


def test_archives_and_channels_with_several_arrays(tmp_path: Path) -> None:
    plane = np.ones((2, 3), np.float32)
    np.savez(tmp_path / "a.npz", near=plane, far=plane * 2, words=np.array("x"))
    with pytest.raises(
        InputError, match=r"holds 2 arrays that could be depth \(near \(2, 3\), .*\); name one with array="
    ):
        read_depth(tmp_path / "a.npz", kind="metric")
    with pytest.raises(InputError, match="holds no array 'depth'; it holds near, far, words"):
        read_depth(tmp_path / "a.npz", kind="metric", array="depth")
    assert read_depth(tmp_path / "a.npz", kind="metric", array="far")[0].range() == (2, 2)
    with pytest.raises(InputError, match="holds 0 arrays that could be depth"):
        read_depth(tmp_path / "a.npz", kind="metric", array="words")
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"near": plane, "far": plane * 2}) as file:
        file.write(str(tmp_path / "a.exr"))
    with pytest.raises(
        InputError, match=r"no channel 'Z' of plain numbers; it has far, near: name one with array="
    ):
        read_depth(tmp_path / "a.exr", kind="metric")
    assert read_depth(tmp_path / "a.exr", kind="metric", array="far")[0].range() == (2, 2)


def test_pictures_are_not_depth(tmp_path: Path) -> None:
    Pil.new("RGB", (4, 4)).save(tmp_path / "rgb.png")
    with pytest.raises(InputError, match="is a picture in RGB, not one channel of depth"):
        read_depth(tmp_path / "rgb.png", kind="metric", scale=1)
    pages = [Pil.new("F", (4, 4), 1.0)] * 3
    pages[0].save(tmp_path / "pages.tiff", save_all=True, append_images=pages[1:])
    with pytest.raises(InputError, match="has 3 pages; save the depth page"):
        read_depth(tmp_path / "pages.tiff", kind="metric")
    (tmp_path / "colour.pfm").write_bytes(b"PF\n1 1\n-1.0\n" + b"\0" * 12)
    with pytest.raises(InputError, match="PFM file in colour"):
        read_depth(tmp_path / "colour.pfm", kind="metric")


# Damage


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


def test_a_pfm_record_is_not_lent_to_another_file(tmp_path: Path) -> None:
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


def test_stored_numbers_without_a_record_have_no_meaning(tmp_path: Path) -> None:
    path = bare(tmp_path / "a.png", np.ones((2, 2), np.uint16))
    with pytest.raises(InputError, match="the depth record is damaged"):
        recorded_depth(read_stored(path), str(path))


# Disks


@pytest.fixture
def small_files() -> Iterator[None]:
    """Lets the kernel refuse every file over 20 kB in the middle of a write, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.usefixtures("small_files")
def test_a_write_that_stops_half_way_leaves_the_old_file_and_no_half_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_depth(path, DepthMap(np.ones((4, 4)), Kind()))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    big = DepthMap(np.random.default_rng(0).uniform(1, 60, (200, 200)), Kind())
    with pytest.raises(OutputError, match=rf"a{suffix}.*' cannot be written: .*; choose another"):
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


# Real files


def expected_of(shared_data: Path, folder: str, name: str) -> dict[str, Any]:
    with open(shared_data / "expected.json", encoding="utf-8") as stream:
        entry: dict[str, Any] = json.load(stream)[folder][name]
    return entry


def assert_as_expected(depth: DepthMap, expected: dict[str, Any]) -> None:
    assert [depth.width, depth.height] == expected["size"]
    assert float(depth.valid.mean()) == pytest.approx(expected["valid"], abs=6e-5)
    assert float(np.median(depth.values[depth.valid])) == pytest.approx(expected["median_m"], abs=6e-4)


@pytest.mark.parametrize(
    ("folder", "name", "pattern", "scale"),
    [
        ("redwood", "redwood_0", "*depth/00000.png", 1 / 1000),
        ("single_frames", "o3d_TUM", "*TUM_depth.png", 1 / 5000),
        ("kitti_and_nyu_png", "m3d_nyu_00000", "nyu_demo/depth/sync_depth_00000.png", 1 / 1000),
        ("kitti_and_nyu_png", "m3d_kitti_0000000050", "kitti_demo/depth/0000000050.png", 1 / 256),
        ("hololens_video", "holo_00003", "depth/00003.png", 1 / 1000),
        ("iphone_arkit", "promptda", "*depth*.png", 1 / 1000),
        ("arkitscenes", "arkitscenes", "gt.png", 1 / 1000),
    ],
)
def test_real_16_bit_pngs(shared_data: Path, folder: str, name: str, pattern: str, scale: float) -> None:
    path = next((shared_data / folder).rglob(pattern))
    with pytest.raises(KindError):
        read_depth(path)
    depth, _ = read_depth(path, kind="metric-depth", scale=scale)
    assert_as_expected(depth, expected_of(shared_data, folder, name))


@pytest.mark.parametrize("scene", ["playground", "terrace"])
def test_real_pfm_disparity(shared_data: Path, scene: str) -> None:
    folder = shared_data / "eth3d_two_view" / scene
    calib = dict(line.split("=") for line in (folder / "calib.txt").read_text().split("\n") if "=" in line)
    disparity, _ = read_depth(folder / "disp0.pfm", kind="disparity")
    assert disparity.kind == Kind(Quantity.INVERSE, Freedom.SCALE)
    f_px = float(calib["cam0"].strip("[]").split()[0])
    z_m = f_px * float(calib["baseline"]) / 1000 / (disparity.values + float(calib.get("doffs", 0)))
    metres = DepthMap(z_m, Kind(), disparity.valid)
    assert_as_expected(metres, expected_of(shared_data, "eth3d_two_view", f"eth3d_{scene}"))


def test_real_npz(shared_data: Path) -> None:
    path = next((shared_data / "middlebury_motorcycle").rglob("*.npz"))
    disparity, _ = read_depth(path, kind="disparity")
    metres = DepthMap(994.978 * 0.193001 / (disparity.values + 31.086), Kind(), disparity.valid)
    assert_as_expected(metres, expected_of(shared_data, "middlebury_motorcycle", "motorcycle"))
    lidar = sorted((shared_data / "kitti_raw").rglob("*.npz"))
    expected = expected_of(shared_data, "kitti_raw", "kt_image_02_0")
    depths = [read_depth(path, kind="metric-depth", array="velodyne_depth")[0] for path in lidar]
    medians = [float(np.median(depth.values[depth.valid])) for depth in depths]
    assert any(median == pytest.approx(expected["median_m"], abs=6e-4) for median in medians)
