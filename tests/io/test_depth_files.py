"""Depth files that leadline writes, read back by it and by others."""

from __future__ import annotations

import json
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
from leadline.core.errors import InputError
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.core.record import Encoding, Record
from leadline.core.results import ModelRecord
from leadline.io.depth_files import DEPTH_SUFFIXES, read_depth, write_depth

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
    seen, uncertain = draw(st.sampled_from([None, camera])), draw(st.booleans())
    return DepthMap(values, kind, state == 0, state == 2, seen, uncertain)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("depth")


def assert_same_meaning(got: DepthMap, depth: DepthMap) -> None:
    assert got.kind == depth.kind
    assert got.camera == depth.camera
    assert got.scale_uncertain == depth.scale_uncertain
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
    assert (
        record
        == written
        == Record(depth.kind, Encoding(), depth.camera, MODEL, "a b.jpg", depth.scale_uncertain)
    )


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


def test_a_bare_array_is_refused_by_the_writer(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ndarray is no depth map"):
        write_depth(tmp_path / "a.npz", np.ones((2, 2)))  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
