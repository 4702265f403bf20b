from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from leadline.core.camera import Camera
from leadline.core.cloud import PointCloud
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.record import Record
from leadline.core.results import ModelRecord
from leadline.io.clouds import write_glb, write_ply
from leadline.io.depth_files import write_depth
from leadline.io.describe import describe_file
from leadline.io.pictures import write_picture

CAMERA = Camera.assumed(4, 2)
MODEL = ModelRecord("indoor", "1.2", "", "CC BY 4.0", "no")


def test_a_depth_file_is_told_in_words(tmp_path: Path) -> None:
    values = np.array([[0.9, 2.0, 6.3, np.nan], [1.0, 1.0, 1.0, np.inf]])
    path = tmp_path / "a_depth.png"
    depth = DepthMap(values, Kind(), camera=CAMERA, scale_uncertain=True)
    write_depth(path, depth, model=MODEL, source="a.jpg")
    told = describe_file(path)
    assert told.role == "depth"
    assert told.form == "16-bit PNG"
    assert told.lines() == [
        f"{path}: DepthMap 2x4, metres (scale uncertain), 0.9 to 6.3, 75% valid, with sky, camera assumed 63°",
        "  kind: metric-depth (metres)",
        "  valid: 75% of pixels",
        "  known sky: 12.5% of pixels",
        "  stored as: value = number x 0.001 + 0",
        "  camera: 3.2 px focal length, 63.3° across the longer side, assumed",
        "  made by: indoor 1.2, licence CC BY 4.0 (commercial use: no)",
        "  from: a.jpg",
        "  may be made a point cloud in metres",
    ]
    assert json.loads(json.dumps(told.to_dict()))["record"]["kind"] == "metric-depth"


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        (Kind(freedom=Freedom.AFFINE), "not inverted, no point cloud"),
        (Kind(Quantity.INVERSE), "larger is nearer; invert it"),
        (Kind(freedom=Freedom.SCALE), "a point cloud in arbitrary units, once a camera is given"),
        (Kind(), "a point cloud in metres, once a camera is given"),
    ],
)
@pytest.mark.parametrize("suffix", [".tiff", ".npz", ".pfm", ".exr"])
def test_what_may_be_done_with_it_is_told(tmp_path: Path, suffix: str, kind: Kind, allowed: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_depth(path, DepthMap(np.ones((2, 3)), kind))
    assert allowed in describe_file(path).facts[-1]


def test_bare_numbers_are_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Pil.fromarray(np.array([[0, 500], [1000, 65535]], np.uint16)).save(path)
    told = describe_file(path)
    assert told.role == "bare"
    assert told.summary == "16-bit PNG, 2x2, without a record: what its numbers mean is not known"
    assert told.facts[:2] == ("stored numbers: 0 to 65535", "stored 0: 25% of pixels")
    assert "--kind metric-depth" in told.facts[2]
    assert told.to_dict()["record"] is None
    np.savez(tmp_path / "b.npz", depth=np.full((2, 2), np.inf))
    assert "no finite number" in describe_file(tmp_path / "b.npz").facts[0]


def test_pictures_and_clouds_are_told(tmp_path: Path) -> None:
    record = Record(Kind(), camera=CAMERA, model=MODEL, source="a.jpg")
    for suffix in (".png", ".jpg"):
        write_picture(tmp_path / f"a{suffix}", np.zeros((3, 5, 3), np.uint8), record=record)
        told = describe_file(tmp_path / f"a{suffix}")
        assert told.role == "picture"
        assert "picture, 5x3, that shows depth; its colours are not depth values" in told.summary
        assert told.facts[0] == "it shows: metres"
        assert told.record == record
    cloud = PointCloud(np.ones((2, 3), np.float32), None, "arbitrary")
    scaled = Record(Kind(freedom=Freedom.SCALE))
    write_ply(tmp_path / "a.ply", cloud, record=scaled)
    write_glb(tmp_path / "a.glb", cloud, record=record)
    assert describe_file(tmp_path / "a.ply").summary == "PLY point cloud in arbitrary units"
    assert describe_file(tmp_path / "a.glb").summary == "GLB point cloud in metres"
    (tmp_path / "b.ply").write_bytes(b"ply\nformat ascii 1.0\nelement vertex 0\nend_header\n")
    assert describe_file(tmp_path / "b.ply").summary == "PLY file without a record"


def test_other_files_are_refused(tmp_path: Path) -> None:
    Pil.new("RGB", (4, 4)).save(tmp_path / "photo.jpg")
    with pytest.raises(
        InputError, match=r"is no depth file, nor a picture or cloud that leadline wrote; depth files"
    ):
        describe_file(tmp_path / "photo.jpg")
    Pil.new("RGB", (4, 4)).save(tmp_path / "photo.png")
    with pytest.raises(InputError, match="is a picture in RGB"):
        describe_file(tmp_path / "photo.png")
    with pytest.raises(InputError, match=r"there is no '.*fhoto.jpg'; did you mean"):
        describe_file(tmp_path / "fhoto.jpg")
    text = tmp_path / "page.jpg"
    text.write_text('{"leadline": 1}')
    with pytest.raises(InputError, match="looks like plain text"):
        describe_file(text)
    Pil.new("RGB", (4, 4)).save(tmp_path / "odd.jpg", comment=b'my "leadline": notes')
    with pytest.raises(InputError, match=r"odd.jpg': the depth record is damaged"):
        describe_file(tmp_path / "odd.jpg")


@pytest.mark.parametrize("integers", [True, False])
def test_a_bare_file_is_not_called_millimetres_unless_it_may_be(tmp_path: Path, integers: bool) -> None:
    path = tmp_path / ("a.png" if integers else "a.npz")
    numbers = np.array([[7, 60], [9, 12]], np.uint16 if integers else np.float32)
    if integers:
        Pil.fromarray(numbers).save(path)
    else:
        np.savez(path, numbers)
    told = " ".join(describe_file(path).facts)
    assert ("0.001" in told) == integers
    assert ("disparity" in told) != integers
