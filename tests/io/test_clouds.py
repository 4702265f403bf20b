from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.cloud import PointCloud
from leadline.core.errors import InputError, OutputError
from leadline.core.kind import Kind
from leadline.core.record import Record
from leadline.io import clouds
from leadline.io.clouds import cloud_record, write_cloud, write_glb, write_ply

RECORD = Record(Kind(), camera=Camera.assumed(4, 3), source="größe.jpg")
POINTS = np.array([[1.0, 2.0, 3.0], [-0.5, 0.25, 8.0], [0.0, -1.5, 0.125]], np.float32)
COLOURS = np.array([[255, 0, 0], [0, 128, 255], [10, 20, 30]], np.uint8)


def load(path: Path) -> Any:
    import trimesh

    return trimesh.load(path)


def light(rgb: Any) -> Any:
    """Linear light of sRGB levels (IEC 61966-2-1)."""
    level = rgb / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


def glb_colours(path: Path) -> Any:
    """COLOR_0 of the only primitive, read with numpy alone."""
    data = path.read_bytes()
    size = int.from_bytes(data[12:16], "little")
    tree = json.loads(data[20 : 20 + size])
    accessor = tree["accessors"][tree["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]]
    assert (accessor["componentType"], accessor["type"]) == (5126, "VEC3")
    view = tree["bufferViews"][accessor["bufferView"]]
    assert view["byteOffset"] % 4 == 0
    count = accessor["count"] * 3
    return np.frombuffer(data, "<f4", count, 20 + size + 8 + view["byteOffset"]).reshape(-1, 3)


def test_a_ply_of_several_blocks_is_one_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clouds, "_CHUNK", 7)
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 3)).astype(np.float32)
    colours = rng.integers(0, 256, (40, 3), np.uint8)
    write_ply(tmp_path / "a.ply", PointCloud(points, colours), record=RECORD)
    cloud = load(tmp_path / "a.ply")
    np.testing.assert_array_equal(cloud.vertices, points)
    np.testing.assert_array_equal(cloud.colors[:, :3], colours)


def test_ply_comes_back_with_points_colours_and_record(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    write_ply(path, PointCloud(POINTS, COLOURS), record=RECORD)
    cloud = load(path)
    np.testing.assert_array_equal(cloud.vertices, POINTS)
    np.testing.assert_array_equal(cloud.colors[:, :3], COLOURS)
    header = path.read_bytes().split(b"end_header")[0].decode("ascii")
    assert header.startswith("ply\nformat binary_little_endian 1.0\ncomment leadline {")
    assert "comment unit m; axes x right, y down, z forward\n" in header
    text = cloud_record(path)
    assert text is not None
    assert Record.from_json(text) == RECORD


def test_the_ply_layout_is_the_one_the_format_describes(tmp_path: Path) -> None:
    """The body is read with numpy alone: three floats and three bytes a point."""
    path = tmp_path / "a.ply"
    write_ply(path, PointCloud(POINTS, COLOURS), record=RECORD)
    body = path.read_bytes().split(b"end_header\n", 1)[1]
    rows = np.frombuffer(body, [("xyz", "<f4", 3), ("rgb", "u1", 3)])
    np.testing.assert_array_equal(rows["xyz"], POINTS)
    np.testing.assert_array_equal(rows["rgb"], COLOURS)


def test_glb_has_gltfs_axes_and_linear_colours(tmp_path: Path) -> None:
    """OpenCV (x, y, z) is glTF (x, -y, -z); colours by the transfer function of IEC 61966-2-1."""
    path = tmp_path / "a.glb"
    write_glb(path, PointCloud(POINTS, COLOURS, "arbitrary"), record=RECORD)
    scene = load(path)
    (cloud,) = scene.geometry.values()
    np.testing.assert_array_equal(cloud.vertices, POINTS * [1, -1, -1])
    np.testing.assert_allclose(glb_colours(path), light(COLOURS), rtol=1e-6)
    assert scene.metadata["leadline"] == RECORD.to_dict()
    assert scene.metadata["unit"] == "arbitrary"
    text = cloud_record(path)
    assert text is not None
    assert Record.from_json(text) == RECORD


def test_a_glb_keeps_every_level_of_grey_apart(tmp_path: Path) -> None:
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    write_glb(tmp_path / "a.glb", PointCloud(np.ones((256, 3), np.float32), greys), record=RECORD)
    share = glb_colours(tmp_path / "a.glb")
    assert (np.diff(share[:, 0]) > 0).all()
    back = np.where(share <= 0.0031308, share * 12.92, 1.055 * share ** (1 / 2.4) - 0.055)
    np.testing.assert_array_equal(np.rint(back * 255), greys)


def test_trimesh_reads_the_colours_of_a_glb_as_linear_light(tmp_path: Path) -> None:
    write_glb(tmp_path / "a.glb", PointCloud(POINTS, COLOURS), record=RECORD)
    (cloud,) = load(tmp_path / "a.glb").geometry.values()
    assert np.abs(cloud.colors[:, :3] / 255 - light(COLOURS)).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(("suffix", "write"), [(".ply", write_ply), (".glb", write_glb)])
def test_clouds_without_colours_and_without_points(tmp_path: Path, suffix: str, write: Any) -> None:
    write(tmp_path / f"a{suffix}", PointCloud(POINTS), record=RECORD)
    loaded = load(tmp_path / f"a{suffix}")
    cloud = loaded if suffix == ".ply" else next(iter(loaded.geometry.values()))
    assert len(cloud.vertices) == 3
    with pytest.raises(InputError, match="a point cloud without points cannot be written"):
        write(tmp_path / f"b{suffix}", PointCloud(np.zeros((0, 3), np.float32)), record=RECORD)
    (tmp_path / f"c{suffix}").mkdir()
    with pytest.raises(OutputError, match="a folder has that name"):
        write(tmp_path / f"c{suffix}", PointCloud(POINTS), record=RECORD)
    assert sorted(os.listdir(tmp_path)) == [f"a{suffix}", f"c{suffix}"]


def test_clouds_of_others_have_no_record(tmp_path: Path) -> None:
    import trimesh

    cloud = trimesh.PointCloud(POINTS)
    for suffix in ("ply", "glb"):
        path = tmp_path / f"a.{suffix}"
        path.write_bytes((cloud if suffix == "ply" else trimesh.Scene(cloud)).export(file_type=suffix))
        assert cloud_record(path) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"ply\nformat ascii 1.0\n", b"solid x", b"glTF" + b"\0" * 4, b"glTF" + b"\0" * 30]
    + [b"glTF\2\0\0\0\x40\0\0\0\x08\0\0\0JSON" + text for text in (b'{"a":1} ', b"{broken ", b'{"scenes')],
)
def test_damaged_clouds_are_told(tmp_path: Path, data: bytes) -> None:
    for suffix in (".ply", ".glb"):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(data)
        with pytest.raises(InputError, match=rf"a{suffix}' is not a whole {suffix[1:].upper()} file"):
            cloud_record(path)


def test_the_glb_is_what_the_specification_asks(tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    write_glb(path, PointCloud(POINTS, COLOURS), record=RECORD)
    data = path.read_bytes()
    assert data[:4] == b"glTF"
    assert int.from_bytes(data[8:12], "little") == len(data)
    size = int.from_bytes(data[12:16], "little")
    tree = json.loads(data[20 : 20 + size])
    (primitive,) = tree["meshes"][0]["primitives"]
    assert primitive["mode"] == 0
    position = tree["accessors"][primitive["attributes"]["POSITION"]]
    np.testing.assert_allclose(position["max"], (POINTS * [1, -1, -1]).max(0))


@pytest.mark.parametrize("suffix", [".ply", ".glb"])
@pytest.mark.parametrize("unit", ["m", "arbitrary"])
def test_a_cloud_is_written_by_its_suffix_and_says_what_it_knows(
    tmp_path: Path, suffix: str, unit: str
) -> None:
    cloud = PointCloud(np.ones((3, 3), np.float32), unit=unit, scale_uncertain=unit == "m")
    write_cloud(tmp_path / f"a{suffix}", cloud)
    text = cloud_record(tmp_path / f"a{suffix}")
    assert text is not None
    record = Record.from_json(text)
    assert record.kind.unit == unit
    assert record.scale_uncertain == (unit == "m")


def test_a_cloud_of_no_known_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.ply, \.glb"):
        write_cloud(tmp_path / "a.xyz", PointCloud(np.ones((3, 3), np.float32)))
