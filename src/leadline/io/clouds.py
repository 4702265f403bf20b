"""Point clouds with the record inside: PLY files, written in blocks, and GLB files, through trimesh.

trimesh holds coordinates in 64 bits and a file several times over: 2.2 GB for a PLY of 24 million points, where the
blocks here take a few megabytes.
"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from leadline.core.cloud import PointCloud
from leadline.core.errors import InputError
from leadline.core.kind import Freedom, Kind
from leadline.core.record import RECORD_KEY, Record
from leadline.io.atomic import write_whole

__all__ = ["CLOUD_SUFFIXES", "cloud_record", "write_cloud", "write_glb", "write_ply"]

CLOUD_SUFFIXES = (".ply", ".glb")
"""File name endings of point clouds."""

_PLY_COMMENT = f"comment {RECORD_KEY} "
_CHUNK = 2**18
_HEAD_BYTES = 2**16
_FLOAT = 5126
"""glTF's name of 32-bit floats."""

_GLTF_FROM_OPENCV = np.array([1.0, -1.0, -1.0], np.float32)


def write_cloud(path: str | os.PathLike[str], cloud: PointCloud, *, record: Record | None = None) -> None:
    """Writes a point cloud, whole or not at all. The suffix says the format.

    Args:
        path: A .ply or .glb file.
        cloud: The points.
        record: Kind, camera and maker of the depth they came from; by default what the cloud itself knows.

    Raises:
        InputError: No format has that suffix, or the cloud has no points.
        OutputError: The file cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.ply"
        >>> write_cloud(path, PointCloud(np.zeros((2, 3), np.float32)))
        >>> path.read_bytes()[:3]
        b'ply'
    """
    path = Path(path)
    writers = {".ply": write_ply, ".glb": write_glb}
    if path.suffix.lower() not in writers:
        raise InputError(
            f"{str(path)!r} does not end like a point cloud", hint=f"use one of {', '.join(writers)}"
        )
    freedom = Freedom.NONE if cloud.unit == "m" else Freedom.SCALE
    known = record or Record(Kind(freedom=freedom), scale_uncertain=cloud.scale_uncertain)
    writers[path.suffix.lower()](path, cloud, record=known)


def write_ply(path: Path, cloud: PointCloud, *, record: Record) -> None:
    """Writes a binary little-endian PLY file, whole or not at all, with the record in a comment.

    Convention:
        Axes as in the cloud: x right, y down, z forward (OpenCV). Colours are sRGB, as PLY viewers take them.

    Args:
        path: The file.
        cloud: The points.
        record: Kind, camera and maker of the depth they came from.

    Raises:
        OutputError: The file cannot be written.
    """
    _refuse_empty(cloud)
    rows = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 0 if cloud.rgb_N3 is None else 3)])
    with write_whole(path) as part, open(part, "wb") as stream:
        stream.write(_ply_header(cloud, record).encode("ascii"))
        for first in range(0, len(cloud), _CHUNK):
            block = slice(first, first + _CHUNK)
            body = np.empty(len(cloud.points_N3[block]), rows)
            body["xyz"] = cloud.points_N3[block]
            if cloud.rgb_N3 is not None:
                body["rgb"] = cloud.rgb_N3[block]
            stream.write(body.tobytes())


def _ply_header(cloud: PointCloud, record: Record) -> str:
    colours = () if cloud.rgb_N3 is None else ("red", "green", "blue")
    lines = (
        "ply",
        "format binary_little_endian 1.0",
        f"{_PLY_COMMENT}{record.to_json()}",
        f"comment unit {cloud.unit}; axes x right, y down, z forward",
        f"element vertex {len(cloud)}",
        *(f"property float {axis}" for axis in "xyz"),
        *(f"property uchar {colour}" for colour in colours),
        "end_header",
    )
    return "".join(f"{line}\n" for line in lines)


def write_glb(path: Path, cloud: PointCloud, *, record: Record) -> None:
    """Writes a binary glTF 2.0 scene, whole or not at all, with the record in the scene's extras.

    Convention:
        glTF's axes: x right, y up, z backward, so (x, y, z) becomes (x, -y, -z) and the camera looks along -z.
        glTF's vertex colours are linear, so sRGB is converted (glTF 2.0, section 3.9.2), to floats, which keep all
        256 levels apart; 8 bits would keep 183.

    Args:
        path: The file.
        cloud: The points.
        record: Kind, camera and maker of the depth they came from.

    Raises:
        OutputError: The file cannot be written.
    """
    import trimesh

    _refuse_empty(cloud)
    told = {RECORD_KEY: record.to_dict(), "unit": cloud.unit, "axes": "x right, y up, z backward"}
    scene: Any = trimesh.Scene(metadata=told)
    scene.add_geometry(trimesh.PointCloud(cloud.points_N3 * _GLTF_FROM_OPENCV), geom_name="cloud")

    def add_colours(buffers: dict[Any, bytes], tree: dict[str, Any]) -> None:
        if cloud.rgb_N3 is not None:
            _add_colours(cloud.rgb_N3, buffers, tree)

    data: bytes = scene.export(file_type="glb", buffer_postprocessor=add_colours)
    with write_whole(path) as part:
        part.write_bytes(data)


def _add_colours(rgb_N3: NDArray[np.uint8], buffers: dict[Any, bytes], tree: dict[str, Any]) -> None:
    """Adds linear colours as floats: trimesh writes 8 bits, and reads 16-bit integers wrongly."""
    buffers["colours"] = _linear()[rgb_N3].tobytes()
    tree["accessors"]["colours"] = {
        "componentType": _FLOAT,
        "type": "VEC3",
        "count": len(rgb_N3),
        "bufferView": len(buffers) - 1,
        "byteOffset": 0,
    }
    tree["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"] = len(tree["accessors"]) - 1


def _refuse_empty(cloud: PointCloud) -> None:
    if len(cloud) == 0:
        raise InputError(
            "a point cloud without points cannot be written", hint="the depth has no valid pixel"
        )


def _linear() -> NDArray[np.float32]:
    """Linear light of sRGB for all 256 levels (IEC 61966-2-1)."""
    level = np.arange(256) / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return linear.astype("<f4")


def cloud_record(path: Path) -> str | None:
    """The record in a point cloud's header, without reading the points.

    Args:
        path: A .ply or .glb file.

    Returns:
        The record as JSON, or None where there is none.

    Raises:
        InputError: It is not such a file, or damaged.
    """
    with open(path, "rb") as stream:
        try:
            return _ply_record(stream) if path.suffix.lower() == ".ply" else _glb_record(stream)
        except (ValueError, LookupError, TypeError, struct.error) as error:
            raise InputError(
                f"{str(path)!r} is not a whole {path.suffix.lower()[1:].upper()} file ({error})",
                hint="write it again",
            ) from error


def _ply_record(stream: BinaryIO) -> str | None:
    head = stream.read(_HEAD_BYTES).partition(b"end_header\n")
    if not head[0].startswith(b"ply") or not head[1]:
        raise ValueError("no PLY header")
    lines = head[0].decode("ascii", "replace").splitlines()
    return next((line[len(_PLY_COMMENT) :] for line in lines if line.startswith(_PLY_COMMENT)), None)


def _glb_record(stream: BinaryIO) -> str | None:
    magic, _, _, size, chunk = struct.unpack("<4sIII4s", stream.read(20))
    if magic != b"glTF" or chunk != b"JSON":
        raise ValueError("no glTF header")
    scene = json.loads(stream.read(size))["scenes"][0]
    told = scene.get("extras", {}).get(RECORD_KEY)
    return None if told is None else json.dumps(told)
