"""Calibration files: what is written is read, what is damaged is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, OutputError
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.io.calibrations import calibration_dict, read_calibration, write_calibration
from leadline.ops.calibrate import calibrate
from leadline.ops.calibration import Calibration
from leadline.ops.known_points import KnownPoints
from leadline.testing.scenes import prediction_of

KINDS = [Kind(Quantity.INVERSE, Freedom.AFFINE), Kind(), Kind(Quantity.DEPTH, Freedom.SCALE, Along.RAY)]


def made(kind: Kind = KINDS[0], *, bare: bool = False) -> Calibration:
    values = np.array([[4.0, 3.0], [2.0, 1.0]])
    known = KnownPoints(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([3.9, 2.1, 1.0]), kind.along)
    if kind.quantity is Quantity.INVERSE:
        values = 1 / values
    depth = DepthMap(values, kind, camera=None if bare else Camera.assumed(2, 2))
    return calibrate(depth if bare else prediction_of(depth), known, window=1)


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_is_written_is_read(kind: Kind, bare: bool, tmp_path: Path) -> None:
    calibration = made(kind, bare=bare)
    path = write_calibration(tmp_path / "new" / "c.json", calibration)
    assert read_calibration(path) == calibration
    assert json.loads(path.read_text("utf-8")) == calibration_dict(calibration)
    assert write_calibration(path, calibration) == path


def test_points_without_a_distance_are_kept_as_such(tmp_path: Path) -> None:
    data = calibration_dict(made())
    data["points"][0]["found_m"] = None
    (tmp_path / "c.json").write_text(json.dumps(data))
    found = read_calibration(tmp_path / "c.json")
    assert np.isnan(found.points[0].found_m)
    assert calibration_dict(found) == data


def test_files_that_are_no_calibration_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    for content, words in (
        (b"{", "is no calibration: it is not JSON"),
        (b"\xff\xfe", "is no calibration: it is not JSON"),
        (b"[" * 100_000, "is no calibration: it is not JSON"),
        (b"[1]", "is no calibration: it does not say so"),
        (b'{"leadline": 1}', "is no calibration: it does not say so"),
        (b'{"leadline_calibration": 99}', "was written by a newer leadline"),
        (b" " * 1_000_001, "is no calibration: it is far too large"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=words):
            read_calibration(path)
    with pytest.raises(InputError, match=r"there is no '.*b\.json'; did you mean"):
        read_calibration(tmp_path / "b.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_calibration(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", 0.0),
        ("scale", -1.0),
        ("scale", float("nan")),
        ("scale", "a"),
        ("shift", float("inf")),
        ("space", "depth"),
        ("method", "magic"),
        ("fitted", "none"),
        ("fitted", "scale"),
        ("fitted", "all"),
        ("kind", "metres"),
        ("kind", 3),
        ("along", "up"),
        ("model", "net"),
        ("camera", {"fx": 1}),
        ("points", [{"x": 1}]),
        ("points", 7),
        ("n_points", None),
    ],
)
def test_a_damaged_calibration_is_refused(name: str, value: Any, tmp_path: Path) -> None:
    data = calibration_dict(made())
    for change in ({**data, name: value}, {key: kept for key, kept in data.items() if key != name}):
        (tmp_path / "c.json").write_text(json.dumps(change))
        with pytest.raises(InputError, match="is a damaged calibration"):
            read_calibration(tmp_path / "c.json")


def test_a_scale_with_a_shift_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(json.dumps({**calibration_dict(made(Kind())), "shift": 0.5}))
    with pytest.raises(InputError, match="damaged"):
        read_calibration(tmp_path / "c.json")


def test_other_peoples_files_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"mine": true}')
    with pytest.raises(InputError, match="is there already and is no calibration"):
        write_calibration(path, made())
    assert path.read_text() == '{"mine": true}'


def test_a_file_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="a part of its path is a file"):
        write_calibration(tmp_path / "file" / "c.json", made())
