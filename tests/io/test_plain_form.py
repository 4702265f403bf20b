"""Depth as bytes and back: the map that is made without looking is the one that the constructor makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.kind import Kind, Quantity
from leadline.io.plain_form import depth_of, pack_depth

INVERSE = Kind(Quantity.INVERSE)


def stored(kind: Kind, *, sky: bool) -> DepthMap:
    """Values that whole millimetres hold, holes, and sky where asked for."""
    values = np.arange(1, 31, dtype=np.float32).reshape(5, 6) * 125 / np.float32(1000)
    values[0, :2] = np.nan
    infinite = np.zeros(values.shape, bool)
    infinite[4, 3:] = sky
    values[infinite] = np.inf if kind.quantity is Quantity.DEPTH else 0
    return DepthMap(values, kind, np.isfinite(values) & ~infinite, infinite)


def unpacked(data: bytes, **changed: Any) -> DepthMap:
    given = {"kind": Kind(), "steps_per_unit": 1000.0, "camera": None, "scale_uncertain": False} | changed
    return depth_of(data, "d.npy", **given)


@pytest.mark.parametrize("form", ["npy", "png"])
@pytest.mark.parametrize("kind", [Kind(), INVERSE], ids=["depth", "inverse"])
@pytest.mark.parametrize("sky", [False, True])
def test_integers_come_back_bit_for_bit(form: str, kind: Kind, sky: bool) -> None:
    depth = stored(kind, sky=sky)
    packed = pack_depth(depth, form=form)
    assert (packed.suffix, packed.steps_per_unit) == (f".{form}", 1000)
    camera = Camera.assumed(6, 5)
    made = unpacked(packed.data, kind=kind, camera=camera, scale_uncertain=True)
    assert made.values.view(np.uint32).tolist() == depth.values.view(np.uint32).tolist()
    assert made.valid.tolist() == depth.valid.tolist()
    assert made.infinite.tolist() == depth.infinite.tolist()
    assert (made.kind, made.camera, made.scale_uncertain) == (kind, camera, True)
    again = DepthMap(
        made.values, kind, made.valid, made.infinite, camera
    )  # the constructor finds nothing amiss
    assert np.array_equal(again.values, made.values, equal_nan=True)
    for array in (made.values, made.valid, made.infinite):
        assert not array.flags.writeable


@pytest.mark.parametrize("sky", [False, True])
def test_numbers_of_no_step_stay_floats(sky: bool) -> None:
    whole = stored(Kind(), sky=sky)
    depth = DepthMap(whole.values / np.float32(3), Kind(), whole.valid, whole.infinite)
    packed = pack_depth(depth, form="png")
    assert (packed.suffix, packed.steps_per_unit) == (".npy", 0)
    made = unpacked(packed.data, steps_per_unit=0.0)
    assert made.values.view(np.uint32).tolist() == depth.values.view(np.uint32).tolist()
    assert made.valid.tolist() == depth.valid.tolist()
    assert made.infinite.tolist() == depth.infinite.tolist()


@pytest.mark.parametrize("steps", [0.0, -1000.0, float("nan"), float("inf"), 1e-40, 1e300])
def test_steps_that_make_no_depth_are_refused(steps: float) -> None:
    data = pack_depth(stored(Kind(), sky=False)).data
    with pytest.raises(DatasetError, match=r"'d\.npy' holds integers of no known step"):
        unpacked(data, steps_per_unit=steps)


@pytest.mark.parametrize("steps", [1e-30, 1e30])
def test_the_outermost_steps_make_numbers_that_the_constructor_takes(steps: float) -> None:
    made = unpacked(pack_depth(stored(Kind(), sky=False)).data, steps_per_unit=steps)
    DepthMap(made.values, made.kind, made.valid, made.infinite)


def test_a_camera_of_another_size_is_named() -> None:
    data = pack_depth(stored(Kind(), sky=False)).data
    with pytest.raises(DatasetError, match=r"'d\.npy' is 6x5, its camera 7x5"):
        unpacked(data, camera=Camera.assumed(7, 5))
