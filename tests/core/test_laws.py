"""The laws of kinds, as properties."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from leadline.core.camera import Camera, Origin
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.image import Image
from leadline.core.kind import KINDS, Along, Freedom, Kind, Quantity
from leadline.core.record import Encoding, Record
from leadline.core.results import ModelRecord
from leadline.ops.align import align
from leadline.ops.colour import colourise, picture
from leadline.ops.crop import crop
from leadline.ops.flip import flip
from leadline.ops.geometry import project, to_axis, to_depth, to_inverse, to_ray, unproject
from leadline.ops.resize import resize

law = settings(max_examples=60, deadline=None)

kinds = st.builds(Kind, st.sampled_from(Quantity), st.sampled_from(Freedom), st.sampled_from(Along))
known_shift = kinds.filter(lambda kind: kind.freedom < Freedom.AFFINE)
sides = st.integers(1, 12)


@st.composite
def cameras(draw: st.DrawFn, width: int, height: int) -> Camera:
    focal = st.floats(0.4, 3.0)
    centre = st.floats(-0.2, 1.2)
    return Camera(
        draw(focal) * width,
        draw(focal) * width,
        draw(centre) * width,
        draw(centre) * height,
        width,
        height,
        draw(st.sampled_from(Origin)),
    )


@st.composite
def depth_maps(draw: st.DrawFn, kind: st.SearchStrategy[Kind] = kinds, *, camera: bool = True) -> DepthMap:
    height, width = draw(sides), draw(sides)
    drawn = draw(kind)
    lowest = -100.0 if drawn.freedom is Freedom.AFFINE else 0.0625
    values = draw(hnp.arrays(np.float32, (height, width), elements=st.floats(lowest, 200.0, width=32)))
    states = draw(hnp.arrays(np.int8, (height, width), elements=st.sampled_from([0, 1, 1, 1, 2])))
    seen_by = draw(cameras(width, height)) if camera else None
    return DepthMap(values, drawn, states == 1, states == 2, seen_by)


def same(one: DepthMap, other: DepthMap, *, rtol: float = 0.0, far: float = 1e-9) -> None:
    assert one.kind == other.kind
    np.testing.assert_array_equal(one.valid, other.valid)
    np.testing.assert_array_equal(one.infinite, other.infinite)
    np.testing.assert_allclose(one.values, other.values, rtol=rtol, atol=0 if rtol == 0 else 1e-4 * rtol)
    assert (one.camera is None) == (other.camera is None)
    if one.camera and other.camera:
        assert one.camera.origin is other.camera.origin
        for name in ("fx", "fy", "cx", "cy", "width", "height"):
            assert getattr(one.camera, name) == pytest.approx(getattr(other.camera, name), abs=far, rel=1e-9)


# Law 1: coarsening is free, refining happens only against a reference


@law
@given(depth_maps(), st.sampled_from(Freedom))
def test_coarsening_is_free_and_refining_is_refused(depth: DepthMap, freedom: Freedom) -> None:
    if freedom < depth.kind.freedom:
        with pytest.raises(KindError, match="align"):
            depth.coarsened(freedom)
    else:
        coarse = depth.coarsened(freedom)
        assert coarse.kind == replace(depth.kind, freedom=freedom)
        assert np.shares_memory(coarse.values, depth.values)
        assert coarse.camera is depth.camera


@law
@given(depth_maps(known_shift), st.sampled_from(Freedom), st.floats(0.1, 10.0), st.floats(-5.0, 5.0))
def test_align_refines_to_the_freedom_of_its_reference(
    truth: DepthMap, freedom: Freedom, scale: float, shift: float
) -> None:
    assume(freedom > Freedom.NONE)
    known = truth.values[truth.valid].astype(np.float64)
    assume(len(known) > 1 and np.ptp(known) > 0.05 * known.max())
    offset = shift if freedom is Freedom.AFFINE else 0.0
    blurred = DepthMap(
        ((truth.values - offset) / scale).astype(np.float32),
        replace(truth.kind, freedom=freedom),
        truth.valid,
        truth.infinite,
        truth.camera,
    )
    found = align(blurred, truth)
    same(found.apply(blurred), truth, rtol=2e-3)
    assert found.scale == pytest.approx(scale, rel=1e-2)
    assert found.shift == pytest.approx(offset, abs=1e-2 * (1 + known.max()))


# Law 2: depth and inverse depth, axis and ray


@law
@given(depth_maps())
def test_depth_and_inverse_depth_only_below_affine(depth: DepthMap) -> None:
    there, back = (to_inverse, to_depth) if depth.kind.quantity is Quantity.DEPTH else (to_depth, to_inverse)
    assert back(depth) is depth
    if depth.kind.freedom is Freedom.AFFINE:
        with pytest.raises(KindError, match="align"):
            there(depth)
        return
    other = there(depth)
    assert other.kind == replace(depth.kind, quantity=other.kind.quantity)
    assert other.kind.quantity is not depth.kind.quantity
    np.testing.assert_allclose(other.values[other.valid] * depth.values[depth.valid], 1, rtol=1e-6)
    same(back(other), depth, rtol=1e-6)


@law
@given(depth_maps(), st.booleans())
def test_axis_and_ray_only_below_affine_and_with_a_camera(depth: DepthMap, blind: bool) -> None:
    depth = depth.with_camera(None) if blind else depth
    there, back = (to_ray, to_axis) if depth.kind.along is Along.AXIS else (to_axis, to_ray)
    assert back(depth) is depth
    if depth.kind.freedom is Freedom.AFFINE:
        with pytest.raises(KindError, match="shift is unknown"):
            there(depth)
    elif blind:
        with pytest.raises(InputError, match="no camera"):
            there(depth)
    else:
        other = there(depth)
        assert other.kind.along is not depth.kind.along
        longer = (other.kind.along is Along.RAY) == (depth.kind.quantity is Quantity.DEPTH)
        ratio = other.values[other.valid] / depth.values[depth.valid]
        assert (ratio >= 1 - 1e-6).all() if longer else (ratio <= 1 + 1e-6).all()
        same(back(other), depth, rtol=1e-6)


# Law 3: what an affine map may and may not do


@law
@given(depth_maps(kinds.map(lambda kind: replace(kind, freedom=Freedom.AFFINE))), sides, sides)
def test_an_affine_map_is_resampled_and_coloured_but_never_inverted(
    depth: DepthMap, width: int, height: int
) -> None:
    for changed in (resize(depth, width=width, height=height), flip(depth)):
        assert changed.kind == depth.kind
    assert crop(depth, left=0, top=0, width=1, height=1).kind == depth.kind
    assert colourise(depth).shape == (*depth.shape, 3)
    assert picture(depth).shape[1] == depth.width
    turned = to_inverse if depth.kind.quantity is Quantity.DEPTH else to_depth
    for forbidden in (turned, unproject, to_ray if depth.kind.along is Along.AXIS else to_axis):
        with pytest.raises(KindError):
            forbidden(depth)


# Law 4: point clouds


@law
@given(depth_maps(), st.booleans())
def test_a_cloud_needs_depth_below_affine_and_a_camera(depth: DepthMap, blind: bool) -> None:
    depth = depth.with_camera(None) if blind else depth
    if depth.kind.freedom is Freedom.AFFINE:
        with pytest.raises(KindError, match="align"):
            unproject(depth)
    elif depth.kind.quantity is Quantity.INVERSE:
        with pytest.raises(KindError, match="to_depth"):
            unproject(depth)
    elif blind:
        with pytest.raises(InputError, match="no camera"):
            unproject(depth)
    else:
        cloud = unproject(depth)
        assert len(cloud) == depth.valid.sum()
        assert cloud.unit == ("m" if depth.kind.freedom is Freedom.NONE else "arbitrary")
        assert cloud.rgb_N3 is None


@law
@given(depth_maps(known_shift.map(lambda kind: replace(kind, quantity=Quantity.DEPTH))))
def test_unprojected_pixels_project_to_where_they_were(depth: DepthMap) -> None:
    assert depth.camera is not None
    uv_N2, z_m = project(unproject(depth), camera=depth.camera)
    rows, columns = np.nonzero(depth.valid)
    np.testing.assert_allclose(uv_N2, np.stack([columns, rows], axis=1), atol=1e-4)
    np.testing.assert_allclose(z_m, to_axis(depth).values[depth.valid], rtol=1e-6)


# Law 5: values, masks and camera change together


@law
@given(depth_maps())
def test_mirrored_twice_is_as_before(depth: DepthMap) -> None:
    same(flip(flip(depth)), depth)


@law
@given(depth_maps(), st.data())
def test_crops_compose_and_commute_with_mirroring(depth: DepthMap, data: st.DataObject) -> None:
    def window(height: int, width: int) -> dict[str, int]:
        left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
        return {
            "left": left,
            "top": top,
            "width": data.draw(st.integers(1, width - left)),
            "height": data.draw(st.integers(1, height - top)),
        }

    outer = window(*depth.shape)
    part = crop(depth, **outer)
    inner = window(*part.shape)
    both = {**inner, "left": outer["left"] + inner["left"], "top": outer["top"] + inner["top"]}
    same(crop(part, **inner), crop(depth, **both))
    mirrored = {**outer, "left": depth.width - outer["left"] - outer["width"]}
    same(flip(part), crop(flip(depth), **mirrored))


@law
@given(depth_maps(), sides, sides)
def test_resizing_commutes_with_mirroring(depth: DepthMap, width: int, height: int) -> None:
    one = flip(resize(depth, width=width, height=height))
    other = resize(flip(depth), width=width, height=height)
    np.testing.assert_array_equal(one.valid, other.valid)
    np.testing.assert_array_equal(one.infinite, other.infinite)
    scale = np.abs(one.values[one.valid]).max(initial=1)
    np.testing.assert_allclose(one.values[one.valid], other.values[other.valid], atol=1e-5 * scale, rtol=1e-5)


@law
@given(depth_maps(), sides, sides)
def test_resizing_invents_neither_values_nor_masks(depth: DepthMap, width: int, height: int) -> None:
    small = resize(depth, width=width, height=height)
    assert small.shape == (height, width)
    assert small.kind == depth.kind
    assert small.camera == depth.camera.resized(width, height)  # type: ignore[union-attr]
    if small.valid.any():
        known = depth.values[depth.valid]
        slack = 1e-5 * np.abs(known).max()
        assert known.min() - slack <= small.values[small.valid].min()
        assert small.values[small.valid].max() <= known.max() + slack
    assert depth.infinite.any() or not small.infinite.any()
    if depth.valid.all():
        assert small.valid.all()
    if depth.infinite.all():
        assert small.infinite.all()


@law
@given(st.data(), st.integers(1, 30), st.integers(1, 30))
def test_cameras_compose(data: st.DataObject, width: int, height: int) -> None:
    camera = data.draw(cameras(data.draw(sides), data.draw(sides)))
    point = np.array([[data.draw(st.floats(-1, 1)), data.draw(st.floats(-1, 1)), 1.0]])

    def seen(by: Camera) -> tuple[float, float]:
        u, v = (by.matrix @ point[0])[:2]
        return float(u), float(v)

    u, v = seen(camera)
    assert seen(camera.cropped(2, 3, 1, 1)) == pytest.approx((u - 2, v - 3))
    sx, sy = width / camera.width, height / camera.height
    resized = camera.resized(width, height)
    assert seen(resized) == pytest.approx(((u + 0.5) * sx - 0.5, (v + 0.5) * sy - 0.5))
    assert resized.resized(camera.width, camera.height).cx == pytest.approx(camera.cx)
    assert camera.flipped().cx == camera.width - 1 - camera.cx
    assert camera.flipped().flipped().cx == pytest.approx(camera.cx)
    mirrored = camera.flipped().fx * -point[0, 0] + camera.flipped().cx
    assert mirrored == pytest.approx(camera.width - 1 - u)
    assert resized.origin is camera.origin


@law
@given(st.data())
def test_a_plane_stays_a_plane_after_resizing_and_cropping(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(4, 24)), data.draw(st.integers(4, 24))
    camera = data.draw(cameras(width, height))
    up = data.draw(st.integers(1, 4))
    a, b = data.draw(st.floats(-0.3, 0.3)), data.draw(st.floats(-0.3, 0.3))
    rows, columns = np.mgrid[:height, :width]
    w = a * (columns - camera.cx) / camera.fx + b * (rows - camera.cy) / camera.fy + 1.0
    assume(w.min() > 0.05)
    shrink = data.draw(st.booleans()) and width % 2 == height % 2 == 0
    new = (width // 2, height // 2) if shrink else (width * up + up - 1, height * up + up - 1)
    border = 1 if shrink else up + 1
    sized = resize(DepthMap(1 / w, Kind(), camera=camera), width=new[0], height=new[1])
    assume(new[0] > 2 * border and new[1] > 2 * border)
    inside = crop(sized, left=border, top=border, width=new[0] - 2 * border, height=new[1] - 2 * border)
    x, y, z = unproject(inside).points_N3.astype(np.float64).T
    np.testing.assert_allclose(a * x + b * y + z, 1, atol=2e-5 * (1 + np.abs(x).max() + np.abs(z).max()))


# Law 6: a depth map is not an array


BINARY: list[Callable[[Any, Any], Any]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
]
OTHERS = [1, 2.5, np.float32(3), np.ones((2, 2))]


@pytest.mark.parametrize("other", OTHERS, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("operation", BINARY, ids=lambda o: o.__name__)
def test_arithmetic_is_refused_from_both_sides(operation: Callable[[Any, Any], Any], other: Any) -> None:
    depth = DepthMap(np.ones((2, 2)), Kind())
    for left, right in ((depth, other), (other, depth), (depth, depth)):
        with pytest.raises(KindError, match=r"\.values"):
            operation(left, right)


@pytest.mark.parametrize(
    "use",
    [
        np.mean,
        np.asarray,
        np.array,
        np.sqrt,
        np.add.reduce,
        np.median,
        np.log,
        np.stack,
        abs,
        operator.neg,
        float,
        len,
        iter,
        list,
        lambda depth: depth**2,
        lambda depth: np.asarray(depth, np.float64),
        lambda depth: np.concatenate([depth, depth]),
        lambda depth: np.maximum(depth, 1),
    ],
    ids=lambda use: getattr(use, "__name__", str(use)),
)
def test_numpy_and_python_functions_are_refused(use: Callable[[Any], Any]) -> None:
    with pytest.raises((KindError, TypeError)):
        use(DepthMap(np.ones((2, 2)), Kind()))


@pytest.mark.parametrize(
    "use", [np.mean, np.asarray, np.array, np.median, abs, len], ids=lambda use: use.__name__
)
def test_the_refusal_says_what_to_do(use: Callable[[Any], Any]) -> None:
    with pytest.raises(KindError, match=r"holds metres.*write \.values"):
        use(DepthMap(np.ones((2, 2)), Kind()))


def test_a_depth_map_is_not_an_array() -> None:
    assert not issubclass(DepthMap, np.ndarray)


# Law 7 (the record's half) and names of kinds


@law
@given(kinds)
def test_kinds_are_read_back_from_their_names(kind: Kind) -> None:
    assert Kind.parse(str(kind)) == kind
    assert Kind.parse(f"  {str(kind).upper()} ") == kind


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len(KINDS) == len(Quantity) * len(Freedom)
    every = {str(Kind(q, f, a)) for q in Quantity for f in Freedom for a in Along}
    assert len(every) == 12


@law
@given(st.data(), kinds, st.text(max_size=20), st.floats(1e-6, 10), st.floats(-10, 10), st.booleans())
def test_records_are_read_back(
    data: st.DataObject, kind: Kind, text: str, scale: float, offset: float, uncertain: bool
) -> None:
    record = Record(
        kind,
        Encoding(scale, offset, 0, 65535),
        data.draw(st.none() | cameras(4, 3)),
        data.draw(st.none() | st.builds(ModelRecord, st.text(max_size=9))),
        text,
        uncertain,
    )
    line = record.to_json()
    assert line.isascii()
    assert "\n" not in line
    assert Record.from_json(line) == record


def test_photo_and_depth_keep_one_camera() -> None:
    photo = Image.from_array(np.zeros((30, 40, 3), np.uint8))
    depth = DepthMap(np.ones((30, 40)), Kind(), camera=photo.camera)
    for change in (
        lambda v: resize(v, width=17, height=23),
        lambda v: crop(v, left=3, top=4, width=20, height=11),
        flip,
    ):
        changed = change(photo), change(depth)
        assert changed[0].camera == changed[1].camera
        assert (changed[0].height, changed[0].width) == changed[1].shape
