from __future__ import annotations

import io
import math
from typing import Any

import pytest
from PIL import Image as Pil
from PIL.TiffImagePlugin import IFDRational

from leadline.core.camera import Camera, Origin
from leadline.core.errors import InputError
from leadline.io.images import read_image
from leadline.io.lens import camera_of, told_camera

FOCAL_MM, FOCAL_35MM, PLANE_X, PLANE_UNIT, WIDTH, HEIGHT = 0x920A, 0xA405, 0xA20E, 0xA210, 0xA002, 0xA003


def photo(tags: dict[int, Any], *, width: int = 40, height: int = 30, orientation: int = 1) -> Camera:
    exif = Pil.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769).update(tags)
    stream = io.BytesIO()
    Pil.new("RGB", (width, height)).save(stream, "JPEG", exif=exif)
    return read_image(stream.getvalue()).camera


def test_35_mm_equivalent_is_diagonal_based() -> None:
    """40x30 has a diagonal of 50 px; 43.27 mm of film then span it, so f35 = 43.27 mm is 50 px."""
    camera = photo({FOCAL_35MM: 43})
    assert camera.origin is Origin.EXIF
    assert camera.fx == camera.fy == pytest.approx(50 * 43 / 43.27)
    assert (camera.cx, camera.cy) == (19.5, 14.5)
    diagonal_deg = 2 * math.degrees(math.atan(25 / camera.fx))
    assert diagonal_deg == pytest.approx(2 * math.degrees(math.atan(43.27 / 2 / 43)))


def test_a_turned_photo_keeps_its_focal_length() -> None:
    flat, upright = photo({FOCAL_35MM: 28}), photo({FOCAL_35MM: 28}, orientation=8)
    assert (upright.width, upright.height) == (30, 40)
    assert upright.fx == pytest.approx(flat.fx)
    assert upright.fov_deg < flat.fov_deg


@pytest.mark.parametrize(("unit", "mm"), [(2, 25.4), (3, 10.0), (4, 1.0), (5, 0.001)])
def test_focal_plane_resolution(unit: int, mm: float) -> None:
    """A 20 mm lens over 2 px/mm makes 40 px."""
    tags = {FOCAL_MM: IFDRational(20), PLANE_X: IFDRational(2 * mm).limit_rational(10**6), PLANE_UNIT: unit}
    tags[PLANE_X] = IFDRational(*tags[PLANE_X])
    camera = photo(tags)
    assert camera.origin is Origin.EXIF
    assert camera.fx == pytest.approx(40.0, rel=1e-6)


def test_focal_plane_resolution_follows_a_later_resize() -> None:
    """The photo was 80x60 when it was taken and is 40x30 now."""
    tags = {FOCAL_MM: 20.0, PLANE_X: 2.0, PLANE_UNIT: 4, WIDTH: 80, HEIGHT: 60}
    assert photo(tags).fx == pytest.approx(20.0)
    assert photo(tags, orientation=6).fx == pytest.approx(20.0)


def test_the_unit_of_focal_plane_resolution_is_inches_where_it_is_not_told() -> None:
    assert photo({FOCAL_MM: 20.0, PLANE_X: 50.8}).fx == pytest.approx(40.0)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {FOCAL_35MM: 0},
        {FOCAL_MM: 4.2},
        {FOCAL_MM: 4.2, PLANE_X: 0.0},
        {FOCAL_MM: IFDRational(0, 0), PLANE_X: 300.0},
        {FOCAL_MM: 20.0, PLANE_X: 2.0, PLANE_UNIT: 9},
        {FOCAL_35MM: 60000},
        {FOCAL_MM: 0.001, PLANE_X: 1.0, PLANE_UNIT: 4},
    ],
)
def test_what_cannot_be_is_not_believed(tags: dict[int, Any]) -> None:
    camera = photo(tags)
    assert camera.origin is Origin.ASSUMED
    assert camera.fx == pytest.approx(518.86 / 640 * 40)


def test_an_impossible_35_mm_value_gives_way_to_the_focal_plane() -> None:
    assert photo({FOCAL_35MM: 60000, FOCAL_MM: 20.0, PLANE_X: 2.0, PLANE_UNIT: 4}).fx == pytest.approx(40.0)


def test_damaged_and_odd_exif_values_are_skipped() -> None:
    class Odd:
        def __init__(self, told: dict[int, Any] | None) -> None:
            self.told = told

        def getexif(self) -> Any:
            return self

        def get_ifd(self, _: int) -> dict[int, Any]:
            if self.told is None:
                raise SyntaxError("not a TIFF file")
            return self.told

    def camera(told: dict[int, Any] | None) -> Camera:
        return camera_of(Odd(told), 40, 30)  # type: ignore[arg-type]

    assert camera(None).origin is Origin.ASSUMED
    assert camera({FOCAL_35MM: "wide"}).origin is Origin.ASSUMED
    assert camera({FOCAL_35MM: ()}).origin is Origin.ASSUMED
    assert camera({FOCAL_35MM: (28,)}).origin is Origin.EXIF
    assert camera({FOCAL_35MM: float("nan")}).origin is Origin.ASSUMED


def test_nothing_told_is_no_camera() -> None:
    assert told_camera(4, 3, fov_deg=None, focal_px=None) is None


def test_real_photos_without_a_lens_tag_get_the_assumed_camera(shared_data: Any) -> None:
    """None of the shared photos carries a usable tag, by Pillow's bare reading; leadline invents none."""
    photos = sorted(shared_data.rglob("*.jpg"))[::40]
    assert len(photos) > 10
    for path in photos:
        with Pil.open(path) as picture:
            told = picture.getexif().get_ifd(0x8769)
            assert not {FOCAL_35MM, PLANE_X} & set(told)
            width, height = picture.size
        assert read_image(path).camera == Camera.assumed(width, height)


@pytest.mark.parametrize("focal_px", [1e9, 1e-3])
def test_a_focal_length_that_no_lens_has_is_refused(focal_px: float) -> None:
    with pytest.raises(InputError, match="in pixels of this photo"):
        told_camera(640, 480, fov_deg=None, focal_px=focal_px)


def test_the_printed_angle_is_the_one_that_was_given() -> None:
    for size in ((640, 480), (480, 640)):
        camera = told_camera(*size, fov_deg=69.0, focal_px=None)
        assert camera is not None
        assert str(camera) == "camera given 69°"
