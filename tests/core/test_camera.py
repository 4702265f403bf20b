"""Cameras: their rules, where they come from, and what cannot be one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from leadline.core.camera import ASSUMED_FOCAL_PER_WIDTH, Camera, Origin
from leadline.core.errors import InputError

GOOD: dict[str, Any] = {"fx": 500.0, "fy": 510.0, "cx": 320.0, "cy": 240.0, "width": 640, "height": 480}


@pytest.mark.parametrize("name", ["fx", "fy", "width", "height"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_focal_lengths_and_sizes_are_positive_and_finite(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"camera {name} = {value} is not positive and finite"):
        Camera(**{**GOOD, name: value})


@pytest.mark.parametrize("name", ["cx", "cy"])
@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_the_principal_point_is_finite(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"camera {name} = {value} is not finite"):
        Camera(**{**GOOD, name: value})
    assert Camera(**{**GOOD, name: -20.0}).width == 640


@pytest.mark.parametrize("name", ["width", "height"])
def test_sizes_are_whole(name: str) -> None:
    with pytest.raises(InputError, match=f"camera {name} = 4.5 is not a whole number"):
        Camera(**{**GOOD, name: 4.5})


@pytest.mark.parametrize("number", [float, np.float32, np.int64, np.uint16])
def test_whole_sizes_become_ints(number: Any) -> None:
    camera = Camera(**{**GOOD, "width": number(640), "height": number(480)})
    assert (type(camera.width), type(camera.height)) == (int, int)
    assert (camera.width, camera.height) == (640, 480)
    assert np.zeros((camera.height, camera.width)).size == 640 * 480


def test_the_assumed_camera_is_the_one_rule() -> None:
    camera = Camera.assumed(640, 480)
    assert camera == Camera(518.86, 518.86, 319.5, 239.5, 640, 480, Origin.ASSUMED)
    assert camera.fov_deg == pytest.approx(63.3, abs=0.05)
    tall = Camera.assumed(300, 4000)
    assert tall.fx == tall.fy == pytest.approx(ASSUMED_FOCAL_PER_WIDTH * 300)


@pytest.mark.parametrize("fov_deg", [0.5, 63.3, 90.0, 179.0])
def test_from_fov_has_that_fov(fov_deg: float) -> None:
    camera = Camera.from_fov(fov_deg, 640, 480)
    assert camera.fov_deg == pytest.approx(fov_deg)
    assert camera.origin is Origin.GIVEN
    assert Camera.from_fov(90, 640, 480).fx == pytest.approx(320)


@pytest.mark.parametrize("fov_deg", [0, -10, 180, 360, math.nan])
def test_a_field_of_view_lies_between_0_and_180(fov_deg: float) -> None:
    with pytest.raises(InputError, match="is not between 0° and 180°"):
        Camera.from_fov(fov_deg, 640, 480)


def test_from_35mm_goes_by_the_diagonal() -> None:
    wide = Camera.from_35mm(26, 4032, 3024)
    assert wide.fx == pytest.approx(26 * 5040 / 43.27)
    assert wide.origin is Origin.EXIF
    assert Camera.from_35mm(26, 3024, 4032).fx == pytest.approx(wide.fx)
    full_frame = Camera.from_35mm(43.27, 3600, 2400)
    assert full_frame.fx == pytest.approx(math.hypot(3600, 2400))
    with pytest.raises(InputError, match="camera fx = 0"):
        Camera.from_35mm(0, 4032, 3024)


def test_the_matrix_projects() -> None:
    camera = Camera(**GOOD)
    np.testing.assert_allclose(camera.matrix @ [1, 2, 4], [500 + 4 * 320, 1020 + 4 * 240, 4])


def test_resizing_keeps_the_edges_of_the_picture() -> None:
    camera = Camera(**GOOD).resized(320, 960)
    assert camera == Camera(250, 1020, (320 + 0.5) / 2 - 0.5, (240 + 0.5) * 2 - 0.5, 320, 960)
    assert camera.fov_deg == pytest.approx(Camera(**GOOD).fov_deg)
    centred = Camera.centred(100, 7, 5)
    assert centred.resized(14, 10) == Camera.centred(200, 14, 10)


def test_dict_round_trip() -> None:
    camera = Camera(**GOOD, origin=Origin.ESTIMATED)
    assert Camera.from_dict(camera.to_dict()) == camera
    assert camera.to_dict()["origin"] == "estimated"


@pytest.mark.parametrize(
    "change",
    [
        {"fx": "wide"},
        {"fx": None},
        {"origin": "guessed"},
        {"width": math.inf},
        {"width": [1]},
        {"width": math.nan},
    ],
)
def test_damaged_dicts_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="is not complete"):
        Camera.from_dict({**Camera(**GOOD).to_dict(), **change})


def test_incomplete_dicts_are_refused_and_impossible_ones_say_why() -> None:
    record = Camera(**GOOD).to_dict()
    del record["cy"]
    with pytest.raises(InputError, match="'cy'"):
        Camera.from_dict(record)
    with pytest.raises(InputError, match="camera fx = -1"):
        Camera.from_dict({**Camera(**GOOD).to_dict(), "fx": -1})


def test_it_prints_its_origin_and_angle() -> None:
    assert str(Camera.assumed(640, 480)) == "camera assumed 63°"


def test_resizing_to_the_same_size_changes_not_even_the_last_digit() -> None:
    camera = Camera(1.0, 1.0, 0.0014430370953560923, 0.1, 3, 7)
    assert camera.resized(3, 7) is camera
