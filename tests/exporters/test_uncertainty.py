"""Uncertainty in files: the picture and the member of the NPZ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PilImage

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Freedom, Kind
from leadline.core.results import Prediction
from leadline.exporters.uncertainty import UncertaintyExporter
from leadline.io.depth_files import read_depth, read_uncertainty, write_depth
from leadline.io.describe import describe_file
from leadline.ops.colormaps import UNKNOWN, colormap_table
from leadline.ops.colour import ColourOptions
from leadline.plugins.ports import ExportOptions
from leadline.testing.scenes import as_kind, plane, prediction_of

CAMERA = Camera.centred(200.0, 160, 120)


def _prediction(kind: Kind | None = None) -> Prediction:
    """A wall whose standard deviation grows from left to right, with a corner that is not known."""
    depth = as_kind(plane(CAMERA, normal=(0.0, 0.0, 1.0), distance_m=2.0), kind or Kind())
    valid = depth.valid.copy()
    valid[:20, :20] = False
    spread = np.tile(np.linspace(0, 1, 160, dtype=np.float32), (120, 1))
    spread[~valid] = np.nan
    return replace(prediction_of(replace(depth, valid=valid)), uncertainty=spread)


def _drawn(made: Prediction, path: Path, colours: ColourOptions) -> NDArray[np.uint8]:
    UncertaintyExporter().write(made, path, options=ExportOptions(colours))
    return np.asarray(PilImage.open(path))


def test_the_uncertain_is_bright_and_the_unknown_is_chequered(tmp_path: Path) -> None:
    pixels = _drawn(_prediction(), tmp_path / "a.png", ColourOptions("gray", "full"))
    np.testing.assert_array_equal(
        pixels[60, :, 0], np.floor(np.linspace(0, 1, 160) * 255 + 0.5).astype(np.uint8)
    )
    assert {tuple(map(int, pixel)) for pixel in pixels[:20, :20].reshape(-1, 3)} == set(UNKNOWN)


def test_a_range_in_numbers_is_of_the_depth_and_not_of_its_uncertainty(tmp_path: Path) -> None:
    told = _drawn(_prediction(), tmp_path / "a.png", ColourOptions("viridis", (0.5, 6.0)))
    robust = _drawn(_prediction(), tmp_path / "b.png", ColourOptions("viridis", "robust"))
    np.testing.assert_array_equal(told, robust)
    assert tuple(robust[60, 159]) == tuple(colormap_table("viridis")[255])


def test_its_legend_differs_with_the_unit(tmp_path: Path) -> None:
    metres, unknown = (
        _drawn(_prediction(kind), tmp_path / "a.png", ColourOptions())[120:]
        for kind in (Kind(), Kind(freedom=Freedom.AFFINE))
    )
    assert metres.shape != unknown.shape or not np.array_equal(metres, unknown)


def test_the_picture_says_what_it_is_of(tmp_path: Path) -> None:
    UncertaintyExporter().write(_prediction(), tmp_path / "a.png", options=ExportOptions())
    told = describe_file(tmp_path / "a.png")
    assert told.role == "picture"
    assert told.record is not None
    assert told.record.kind == Kind()


def test_without_uncertainty_there_is_nothing_to_draw(tmp_path: Path) -> None:
    bare = replace(_prediction(), uncertainty=None)
    with pytest.raises(InputError, match="--tta flip,scales"):
        UncertaintyExporter().write(bare, tmp_path / "a.png", options=ExportOptions())
    assert list(tmp_path.iterdir()) == []


def test_an_npz_holds_it_and_gives_it_back(tmp_path: Path) -> None:
    made = _prediction()
    write_depth(tmp_path / "a.npz", made)
    found = read_uncertainty(tmp_path / "a.npz")
    assert found is not None
    assert made.uncertainty is not None
    np.testing.assert_array_equal(found, made.uncertainty)
    with np.load(tmp_path / "a.npz") as archive:
        np.testing.assert_array_equal(archive["uncertainty"], made.uncertainty)
    np.testing.assert_array_equal(read_depth(tmp_path / "a.npz")[0].values, made.depth.values)
    told = "\n".join(describe_file(tmp_path / "a.npz").lines())
    assert f"standard deviation: {np.nanmedian(found):.3g} m in the middle (member 'uncertainty')" in told


def test_files_without_it_say_so(tmp_path: Path) -> None:
    made = _prediction()
    write_depth(tmp_path / "bare.npz", made.depth)
    write_depth(tmp_path / "a.png", made)
    assert read_uncertainty(tmp_path / "bare.npz") is None
    assert read_uncertainty(tmp_path / "a.png") is None
    assert "standard deviation" not in "\n".join(describe_file(tmp_path / "bare.npz").lines())


def test_an_uncertainty_that_knows_nothing_is_not_told_of(tmp_path: Path) -> None:
    made = replace(_prediction(), uncertainty=np.full((120, 160), np.nan, np.float32))
    write_depth(tmp_path / "a.npz", made)
    assert "standard deviation" not in "\n".join(describe_file(tmp_path / "a.npz").lines())


@pytest.mark.parametrize("spread", [np.ones((2, 2), np.float32), np.ones((120, 160)), np.ones(5, np.float32)])
def test_a_member_that_does_not_fit_is_refused(spread: NDArray[np.float32], tmp_path: Path) -> None:
    depth: DepthMap = _prediction().depth
    made = replace(_prediction(), depth=depth, uncertainty=spread)
    write_depth(tmp_path / "a.npz", made)
    with pytest.raises(InputError, match=r"do not fit together|has shape"):
        read_depth(tmp_path / "a.npz")
