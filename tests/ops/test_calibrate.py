"""Calibrations: exact where the answer is known, refused where the points cannot determine one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.camera import Camera, Origin
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, UnknownName
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.core.results import ModelRecord
from leadline.ops.calibrate import calibrate
from leadline.ops.calibration import Calibration
from leadline.ops.geometry import to_ray
from leadline.ops.known_points import KnownPoints
from leadline.testing.scenes import plane, prediction_of

CAMERA = Camera.from_fov(70, 64, 48)
TRUTH = plane(CAMERA, normal=(0.55, 0.2, 1.0), distance_m=3.0)
ROWS, COLUMNS = np.array([4, 40, 24, 12]), np.array([60, 5, 32, 20])
INVERSE = Kind(Quantity.INVERSE, Freedom.AFFINE)
AFFINE = Kind(Quantity.DEPTH, Freedom.AFFINE)


def points(number: int = 4, *, along: Along = Along.AXIS, **wrong_m: float) -> KnownPoints:
    """The truth at the first few places; ``p2=8.0`` makes one of them wrong."""
    truth = TRUTH if along is Along.AXIS else to_ray(TRUTH)
    depth_m = truth.values[ROWS[:number], COLUMNS[:number]].astype(np.float64)
    for place, distance_m in wrong_m.items():
        depth_m[int(place[1:])] = distance_m
    return KnownPoints(ROWS[:number], COLUMNS[:number], depth_m, along)


def said_by_a_model(kind: Kind, *, scale: float = 2.5, shift: float = -0.3) -> DepthMap:
    """The truth as a model of some kind would say it, if it were perfect: truth = scale x said + shift."""
    z = TRUTH.values.astype(np.float64)
    values = ((1 / z if kind.quantity is Quantity.INVERSE else z) - shift) / scale
    return DepthMap(values, kind, camera=CAMERA)


@pytest.mark.parametrize("along", list(Along))
@pytest.mark.parametrize(
    ("kind", "shift"),
    [
        (INVERSE, -0.3),
        (AFFINE, 0.7),
        (Kind(Quantity.INVERSE, Freedom.SCALE), 0.0),
        (Kind(Quantity.DEPTH, Freedom.SCALE), 0.0),
        (Kind(), 0.0),
        (Kind(Quantity.INVERSE, Freedom.NONE), 0.0),
    ],
    ids=str,
)
def test_a_perfect_model_is_calibrated_exactly(kind: Kind, shift: float, along: Along) -> None:
    said = said_by_a_model(kind, shift=shift)
    found = calibrate(said, points(along=along), window=1)
    assert (found.alignment.scale, found.alignment.shift) == pytest.approx((2.5, shift), rel=1e-4, abs=1e-6)
    assert found.alignment.freedom is max(kind.freedom, Freedom.SCALE)
    assert (found.rms, found.worst) == pytest.approx((0, 0), abs=1e-5)
    metric = found.apply(said)
    assert metric.kind == found.result == Kind()
    np.testing.assert_allclose(metric.values, TRUTH.values, rtol=1e-4)
    for point, given_m in zip(found.points, points(along=along).depth_m, strict=True):
        assert (point.given_m, point.found_m) == pytest.approx((given_m, given_m), rel=1e-4)
        assert point.error_m == pytest.approx(0, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 100), st.floats(-0.05, 5), st.sampled_from([INVERSE, AFFINE]), st.integers(0, 2**31))
def test_whatever_the_scale_and_shift_were_they_are_found(
    scale: float, shift: float, kind: Kind, seed: int
) -> None:
    said = said_by_a_model(kind, scale=scale, shift=shift)
    rows, columns = np.random.default_rng(seed).integers(0, 48, (2, 6))
    depth_m = TRUTH.values[rows, columns].astype(np.float64)
    known = KnownPoints(rows, columns, depth_m)
    try:
        found = calibrate(said, known, window=1)
    except InputError as error:
        assert "all points are at the same" in str(error)  # noqa: PT017  # the lot may fall so
        return
    np.testing.assert_allclose(found.apply(said).values, TRUTH.values, rtol=2e-3)


def test_a_metric_model_keeps_its_zero_and_gets_a_factor() -> None:
    said = DepthMap(TRUTH.values / 1.25, Kind(), camera=CAMERA, scale_uncertain=True)
    found = calibrate(said, points(1), window=1)
    assert found.words == "depth = 1.25 × prediction"
    assert not found.apply(said).scale_uncertain
    assert "one point fixes the scale" in found.remarks[0]


def test_few_points_are_fitted_by_relative_error() -> None:
    """Against a general solver on the same sum, which least squares proper would not minimise."""
    optimize = pytest.importorskip("scipy.optimize")
    said = said_by_a_model(INVERSE)
    known = points(p0=float(points().depth_m[0]) * 1.1, p3=float(points().depth_m[3]) * 0.93)
    here = said.values[ROWS, COLUMNS].astype(np.float64)
    best = optimize.least_squares(
        lambda line: (line[0] * here + line[1]) * known.depth_m - 1, [1.0, 0.0], xtol=1e-15, ftol=1e-15
    )
    found = calibrate(said, known, window=1).alignment
    assert (found.scale, found.shift) == pytest.approx(tuple(best.x), rel=1e-6)


def test_errors_are_those_of_the_calibrated_map() -> None:
    said = said_by_a_model(INVERSE)
    known = points(p1=float(points().depth_m[1]) * 1.15)
    found = calibrate(said, known, window=1)
    metres = found.apply(said).values[ROWS, COLUMNS].astype(np.float64)
    np.testing.assert_allclose([point.found_m for point in found.points], metres, rtol=1e-5)
    error = metres / known.depth_m - 1
    np.testing.assert_allclose([point.error for point in found.points], error, atol=1e-5)
    assert found.rms == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-4)
    assert found.worst == pytest.approx(np.abs(error).max(), rel=1e-4)


def test_a_point_is_the_median_of_its_window() -> None:
    values = np.array(TRUTH.values)
    values[ROWS[2], COLUMNS[2]] *= 3  # one wild pixel, and the point is on it
    values[ROWS[2] - 1, COLUMNS[2]] = np.nan
    said = DepthMap(values, Kind(Quantity.DEPTH, Freedom.SCALE), camera=CAMERA)
    window = values[ROWS[2] - 2 : ROWS[2] + 3, COLUMNS[2] - 2 : COLUMNS[2] + 3]
    known = KnownPoints(ROWS[2:3], COLUMNS[2:3], np.array([2.0]))
    assert calibrate(said, known).alignment.scale == pytest.approx(2.0 / np.nanmedian(window), rel=1e-6)
    assert calibrate(said, known, window=1).alignment.scale == pytest.approx(
        2.0 / values[ROWS[2], COLUMNS[2]]
    )
    corner = KnownPoints(np.array([0]), np.array([63]), np.array([2.0]))
    assert calibrate(said, corner).alignment.scale == pytest.approx(
        2.0 / np.median(values[:3, 61:]), rel=1e-6
    )


def test_many_points_are_fitted_so_that_wrong_ones_do_not_pull() -> None:
    lots = np.random.default_rng(1)
    rows, columns = lots.integers(0, 48, 400), lots.integers(0, 64, 400)
    depth_m = TRUTH.values[rows, columns].astype(np.float64)
    wrong = lots.random(400) < 0.3
    depth_m[wrong] *= lots.uniform(2, 5, int(wrong.sum()))
    known, said = KnownPoints(rows, columns, depth_m), said_by_a_model(INVERSE)
    with pytest.raises(InputError, match="the points do not go with the prediction"):
        calibrate(said, known, window=1, method="least-squares")
    found = calibrate(said, KnownPoints(rows, columns, np.where(wrong, depth_m * 0.7, depth_m)), window=1)
    assert (found.alignment.scale, found.alignment.shift) == pytest.approx((2.5, -0.3), rel=1e-3)
    assert found.alignment.method == "robust"
    assert (found.n_points, len(found.points)) == (400, 100)
    assert any("of 400 points are off by more than 20 %" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (KnownPoints([], [], []), "no known points"),  # type: ignore[arg-type]
        (points(1), "one point cannot fix both the scale and the shift"),
        (
            KnownPoints(np.array([5, 5]), np.array([9, 9]), np.array([2.0, 2.0])),
            "at the same predicted inverse",
        ),
        (KnownPoints(np.array([5, 50]), np.array([9, 9]), np.array([2.0, 2.0])), "lies outside 64x48"),
        (points(p1=2e4), "point 5,40=20000m is no distance that is measured"),
        (points(p1=1e-4), "is no distance that is measured"),
        (
            KnownPoints(ROWS[:2], COLUMNS[:2], points(2).depth_m[::-1]),
            "not positive: what was measured nearer is predicted farther",
        ),
    ],
)
def test_points_that_determine_nothing_are_refused(known: KnownPoints, words: str) -> None:
    with pytest.raises(InputError, match=words):
        calibrate(said_by_a_model(INVERSE), known, window=1)


def test_a_point_on_an_unknown_pixel_is_refused() -> None:
    values = np.array(TRUTH.values)
    values[ROWS[0], COLUMNS[0]] = np.nan
    values[ROWS[1], COLUMNS[1]] = np.inf
    said = DepthMap(values, Kind())
    with pytest.raises(InputError, match="says nothing at point 60,4="):
        calibrate(said, points())
    with pytest.raises(InputError, match=r"says nothing at point 5,40=.*sees sky there"):
        calibrate(said, KnownPoints(ROWS[1:], COLUMNS[1:], points().depth_m[1:]))


def test_what_is_asked_must_make_sense() -> None:
    with pytest.raises(UnknownName, match="did you mean 'robust'"):
        calibrate(TRUTH, points(), method="robbust")
    for window in (0, 4):
        with pytest.raises(InputError, match=f"a window of {window} pixels has no middle"):
            calibrate(TRUTH, points(), window=window)
    record = ModelRecord("m", calibrated="depth = 2 × prediction")
    with pytest.raises(InputError, match="calibrated already: depth = 2 × prediction"):
        calibrate(TRUTH, points(), model=record)


@pytest.mark.parametrize("factor", [10.0, 3.28, 0.1, 0.3])
@pytest.mark.parametrize("wrong", range(4))
@pytest.mark.parametrize("kind", [INVERSE, AFFINE, Kind()], ids=str)
def test_the_point_that_is_wrong_is_named(kind: Kind, wrong: int, factor: float) -> None:
    right_m = float(points().depth_m[wrong])
    known = points(**{f"p{wrong}": right_m * factor})
    said = said_by_a_model(kind, shift=0.0 if kind == Kind() else -0.3)
    words = rf"point {COLUMNS[wrong]},{ROWS[wrong]}=\S+ does not go with the others, which put it at {right_m:.3g} m"
    with pytest.raises(InputError, match=words.replace(".", r"\.")):
        calibrate(said, known, window=1)


def test_points_too_few_to_blame_one_are_refused_together() -> None:
    two = points(2, p1=float(points().depth_m[1]) * 3)
    with pytest.raises(InputError, match="the 2 points contradict each other, and so few cannot tell"):
        calibrate(said_by_a_model(Kind(), shift=0.0), two, window=1)
    middle = points(3, p2=float(points().depth_m[2]) * 4)
    with pytest.raises(InputError, match=r"contradict|does not go with"):
        calibrate(said_by_a_model(INVERSE), middle, window=1)


def test_points_that_have_nothing_to_do_with_it_are_refused() -> None:
    rows, columns = np.meshgrid(np.arange(4, 44, 9), np.arange(4, 60, 13))
    lots = np.exp(np.random.default_rng(5).uniform(-3, 3, rows.size))
    with pytest.raises(InputError, match=r"do not go with|contradict|not positive"):
        calibrate(
            said_by_a_model(Kind(), shift=0.0), KnownPoints(rows.ravel(), columns.ravel(), lots), window=1
        )
    behind = DepthMap(np.array([[1.0, 2.0, 3.0, 50.0]]), AFFINE)
    known = KnownPoints(np.zeros(4, int), np.arange(4), np.array([1.0, 2.0, 3.0, 3.2]))
    with pytest.raises(InputError, match=r"3,0=3.2m does not go with the others, which put it at 50 m"):
        calibrate(behind, known, window=1)


def test_models_that_are_off_a_little_are_no_contradiction() -> None:
    noise = np.random.default_rng(2).uniform(0.87, 1.15, TRUTH.values.shape)
    said = DepthMap(TRUTH.values * noise, Kind(), camera=CAMERA)
    assert calibrate(said, points(), window=1).worst < 0.2


def test_remarks_tell_what_the_errors_do_not() -> None:
    near = KnownPoints(np.array([24, 24]), np.array([28, 36]), TRUTH.values[24, [28, 36]].astype(np.float64))
    remarks = calibrate(said_by_a_model(INVERSE), near, window=1).remarks
    assert "two points fix scale and shift exactly" in remarks[0]
    assert "of the photo lies between the nearest and the farthest point" in remarks[1]
    assumed = said_by_a_model(INVERSE).with_camera(Camera.assumed(64, 48))
    assert (
        "by an assumed lens, by up to 2" in calibrate(assumed, points(along=Along.RAY), window=1).remarks[-1]
    )
    assert not calibrate(assumed, points(), window=1).remarks


def test_a_fit_through_the_camera_is_remarked_on() -> None:
    values = np.linspace(1, 3, 300)[None]
    depth_m = values[0].copy()
    depth_m[:3] = 9.0
    said = DepthMap(values + 5, AFFINE)
    low = DepthMap(np.concatenate([[[0.0, 1.0, 2.0]], values[:, 3:] + 5], axis=1), AFFINE)
    assert calibrate(said, KnownPoints(np.zeros(300, int), np.arange(300), depth_m), window=1).n_points == 300
    found = calibrate(low, KnownPoints(np.zeros(300, int), np.arange(300), depth_m), window=1)
    assert found.remarks[0] == "3 of 300 points come out at no distance at all"
    assert np.isnan(found.points[0].found_m)
    assert not found.apply(low).valid[0, :3].any()


def _found(**changes: Any) -> Calibration:
    said = prediction_of(said_by_a_model(INVERSE))
    return replace(calibrate(said, points(), window=1), **changes)


def test_a_prediction_says_who_made_it_and_of_what() -> None:
    said = prediction_of(said_by_a_model(INVERSE))
    found = calibrate(said, points(), window=1)
    assert (found.model, found.camera, found.source) == (said.model, CAMERA, said.image.source)
    bare = calibrate(said.depth, points(), window=1, model=said.model, source="a.jpg")
    assert (bare.model, bare.source) == (said.model, "a.jpg")
    with pytest.raises(InputError, match="does not say which model it is for"):
        calibrate(said.depth, points(), window=1).check_model(said.model, INVERSE)


def test_another_model_or_kind_is_refused() -> None:
    model = ModelRecord("net", weights_sha256="a" * 64)
    found = _found(model=model)
    found.check_model(model, INVERSE)
    found.check_model(replace(model, name="renamed", engine="other"), INVERSE)
    with pytest.raises(
        InputError, match=r"for 'net' \(weights aaaaaaaaaaaa\), and this is other weights \(weights bbbb"
    ):
        found.check_model(replace(model, weights_sha256="b" * 64), INVERSE)
    with pytest.raises(InputError, match="this is model 'nut'"):
        found.check_model(ModelRecord("nut", weights_sha256="b" * 64), INVERSE)
    with pytest.raises(InputError, match="this is model 'nut'"):
        _found(model=ModelRecord("net")).check_model(ModelRecord("nut"), INVERSE)
    with pytest.raises(KindError, match="predicts affine-invariant-depth"):
        found.check_model(model, AFFINE)
    with pytest.raises(KindError, match="for affine-invariant-inverse-depth, and this is metric-depth"):
        found.apply(TRUTH)


def test_another_camera_is_refused() -> None:
    found = _found()
    for frame in (Camera.from_fov(70, 128, 96), Camera.assumed(32, 24), Camera.from_fov(71, 64, 48)):
        found.check_camera(frame)
    with pytest.raises(InputError, match="for frames of 64x48, and this one is 48x64"):
        found.check_camera(Camera.assumed(48, 64))
    with pytest.raises(InputError, match=r"a lens of 70\.0° across, and this one has 60\.0°"):
        found.apply(said_by_a_model(INVERSE).with_camera(Camera.from_fov(60, 64, 48)))
    _found(camera=None).check_camera(Camera.assumed(48, 64))


def test_a_frame_that_does_not_know_its_lens_gets_the_calibrated_one() -> None:
    found = _found()
    assert found.lens(Camera.assumed(128, 96), needed=True) == CAMERA.resized(128, 96)
    own = replace(CAMERA, origin=Origin.EXIF)
    assert found.lens(own, needed=True) is own
    blind = _found(camera=Camera.assumed(64, 48))
    assert blind.lens(own, needed=False) is own
    assert blind.lens(blind.camera or own, needed=True) is blind.camera
    with pytest.raises(
        InputError, match=r"the lens is known here .* and was not when the model was calibrated"
    ):
        blind.lens(own, needed=True)
    assert _found(camera=None).lens(own, needed=True) is own


@pytest.mark.parametrize("kind", [INVERSE, AFFINE], ids=str)
def test_uncertainty_goes_through_the_calibration(kind: Kind) -> None:
    said = said_by_a_model(kind)
    found = calibrate(said, points(), window=1)
    metric = found.apply(said)
    step = np.float32(1e-3)
    moved = found.apply(DepthMap(said.values + step, kind, camera=CAMERA))
    spread = found.uncertainty(np.full(said.shape, step, np.float32), metric)
    np.testing.assert_allclose(spread, np.abs(moved.values - metric.values), rtol=0.03)
    hole = DepthMap(np.where(np.eye(48, 64) > 0, np.nan, metric.values), Kind())
    assert np.isnan(found.uncertainty(np.full(said.shape, step, np.float32), hole)[hole.valid == 0]).all()
