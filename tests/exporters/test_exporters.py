"""What every built-in exporter does, whatever it writes."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, OutputError
from leadline.core.image import Image
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.core.record import Record
from leadline.core.results import ModelRecord, Prediction
from leadline.io.depth_files import read_depth
from leadline.io.describe import describe_file
from leadline.plugins.builtins import EXPORTERS as INDEX
from leadline.plugins.ports import Comparing, Exporter, ExportOptions
from leadline.plugins.registry import EXPORTERS, load
from leadline.plugins.specs import ExporterSpec

Limit = Callable[[], AbstractContextManager[None]]
NAMES = list(INDEX)
DEPTH_FILES = ["png16", "npz", "tiff", "pfm", "exr"]
CLOUDS = ["ply", "glb"]
KINDS = [Kind(q, f, a) for q in Quantity for f in Freedom for a in Along]
SUFFIXES = {
    "png16": "_depth.png",
    "colour": "_colour.png",
    "side-by-side": "_side.jpg",
    "uncertainty": "_uncertainty.png",
    "npz": "_depth.npz",
    "tiff": "_depth.tiff",
    "pfm": "_depth.pfm",
    "exr": "_depth.exr",
    "ply": "_cloud.ply",
    "glb": "_cloud.glb",
}
MODEL = ModelRecord("indoor-small", "1", "ab" * 32, "Apache-2.0", "unclear", "onnxruntime (CPU)")


def prediction(
    kind: Kind | None = None, *, height: int = 24, width: int = 32, camera: bool = True
) -> Prediction:
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (height, width, 3), np.uint8)
    image = Image.from_array(rgb, source="/photos/ann/trip/a b.jpg")
    values = rng.uniform(1, 9, (height, width)).astype(np.float32)
    values[0, 0] = np.nan
    depth = DepthMap(values, kind or Kind(), camera=image.camera if camera else None)
    return Prediction(image, depth, MODEL, uncertainty=spread_of(depth))


def spread_of(depth: DepthMap) -> NDArray[np.float32]:
    spread = np.random.default_rng(1).uniform(0, 1, depth.shape).astype(np.float32)
    return np.where(depth.valid, spread, np.float32(np.nan))


def exporter(name: str) -> tuple[ExporterSpec, Any]:
    spec = EXPORTERS.get(name)
    return spec, load(spec.adapter)()


def test_the_names_and_suffixes_are_those_that_outputs_are_known_by() -> None:
    assert {name: EXPORTERS.get(name).suffix for name in NAMES} == SUFFIXES


@pytest.mark.parametrize("name", NAMES)
def test_an_exporter_fulfils_its_port_and_needs_no_extra(name: str) -> None:
    spec, made = exporter(name)
    assert isinstance(made, Exporter)
    assert isinstance(made, Comparing) == (name == "side-by-side")
    assert spec.summary
    assert spec.extra == ""


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_carries_its_record_and_not_the_folders_of_its_maker(
    tmp_path: Path, name: str
) -> None:
    spec, made = exporter(name)
    path = tmp_path / "deep" / f"a{spec.suffix}"
    shown = prediction()
    made.check(shown.depth.kind)
    made.write(shown, path, options=ExportOptions())
    record = describe_file(path).record
    assert record is not None
    assert (record.kind, record.camera, record.model) == (Kind(), shown.depth.camera, MODEL)
    assert record.source == "a b.jpg"
    assert b"/photos/ann" not in path.read_bytes()
    extra = [f"a{spec.suffix}.json"] if name == "pfm" else []
    assert sorted(os.listdir(path.parent)) == sorted([path.name, *extra])


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_check_refuses_exactly_what_write_refuses(tmp_path: Path, name: str, kind: Kind) -> None:
    spec, made = exporter(name)
    path = tmp_path / f"a{spec.suffix}"
    refused = name in CLOUDS and (kind.quantity is Quantity.INVERSE or kind.freedom is Freedom.AFFINE)
    if not refused:
        made.check(kind)
        made.write(prediction(kind), path, options=ExportOptions())
        described = describe_file(path).record
        assert described is not None
        assert described.kind == kind
        return
    with pytest.raises(KindError, match=r"cannot become a point cloud: .*; (align it|invert it)"):
        made.check(kind)
    with pytest.raises(KindError, match="cannot become a point cloud"):
        made.write(prediction(kind), path, options=ExportOptions())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", DEPTH_FILES)
def test_depth_files_hold_the_depth(tmp_path: Path, name: str) -> None:
    spec, made = exporter(name)
    shown = prediction()
    made.write(shown, tmp_path / f"a{spec.suffix}", options=ExportOptions())
    depth, record = read_depth(tmp_path / f"a{spec.suffix}")
    np.testing.assert_array_equal(depth.valid, shown.depth.valid)
    bound = 0.0005 + 1e-6 if name == "png16" else 0
    assert np.abs(depth.values - shown.depth.values)[depth.valid].max() <= bound
    assert isinstance(record, Record)


@pytest.mark.parametrize("name", NAMES)
def test_a_map_without_a_valid_pixel(tmp_path: Path, name: str) -> None:
    spec, made = exporter(name)
    shown = prediction()
    empty = DepthMap(np.full((24, 32), np.nan), Kind(), camera=shown.depth.camera)
    nothing = Prediction(shown.image, empty, MODEL, uncertainty=spread_of(empty))
    path = tmp_path / f"a{spec.suffix}"
    if name in CLOUDS:
        with pytest.raises(
            InputError, match="without points cannot be written; the depth has no valid pixel"
        ):
            made.write(nothing, path, options=ExportOptions())
        assert os.listdir(tmp_path) == []
    else:
        made.write(nothing, path, options=ExportOptions())
        assert path.stat().st_size > 0


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_needs_a_camera(tmp_path: Path, name: str) -> None:
    spec, made = exporter(name)
    with pytest.raises(InputError, match="camera"):
        made.write(prediction(camera=False), tmp_path / f"a{spec.suffix}", options=ExportOptions())


@pytest.mark.parametrize("name", NAMES)
def test_a_write_that_stops_half_way_leaves_no_half_file(
    tmp_path: Path, name: str, small_files: Limit
) -> None:
    spec, made = exporter(name)
    big = prediction(height=200, width=300)
    with small_files(), pytest.raises(OutputError, match=rf"a{spec.suffix}.*' cannot be written"):
        made.write(big, tmp_path / f"a{spec.suffix}", options=ExportOptions())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 5)])
def test_the_smallest_and_thinnest_photos(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    spec, made = exporter(name)
    height, width = size
    image = Image.from_array(np.full((height, width, 3), 9, np.uint8))
    depth = DepthMap(np.full(size, 2.5), Kind(), camera=Camera.assumed(width, height))
    path = tmp_path / f"a{spec.suffix}"
    made.write(Prediction(image, depth, MODEL, uncertainty=spread_of(depth)), path, options=ExportOptions())
    assert describe_file(path).record is not None
