"""A calibration: what makes one model's predictions for one camera metric, found from a few known distances."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera, Origin
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.core.results import ModelRecord
from leadline.ops.align import Alignment
from leadline.ops.geometry import to_depth

__all__ = ["CalibratedPoint", "Calibration"]

ASPECT_TOLERANCE = 0.01
FOCAL_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class CalibratedPoint:
    """One known distance, and what the calibrated prediction says there.

    Convention:
        Both along the line that was measured, axis or ray.

    Args:
        x: Column of the pixel.
        y: Row of the pixel.
        given_m: The distance that was given, in metres.
        found_m: The calibrated prediction's, in metres; NaN where the calibration makes it 0 or negative.
    """

    x: int
    y: int
    given_m: float
    found_m: float

    @property
    def error_m(self) -> float:
        """Found less given, in metres."""
        return self.found_m - self.given_m

    @property
    def error(self) -> float:
        """Found less given, as a share of what was given."""
        return self.error_m / self.given_m


@dataclass(frozen=True, slots=True)
class Calibration:
    """A scale, or a scale and a shift, that turn one model's predictions for one camera into metres.

    Convention:
        calibrated = scale x value + shift, in the model's own quantity: in inverse depth for models that predict that.

    Args:
        alignment: The scale and the shift.
        kind: The kind of prediction they are for.
        points: Known distances they rest on; of very many, some.
        n_points: How many they rest on.
        rms: Root mean square of the points' errors, as a share of the distance.
        worst: The largest of the points' errors, likewise.
        along: What was measured: z along the axis, or distance along the ray.
        model: The model they are for; None where that is not known.
        camera: The camera they are for; None where that is not known.
        source: The photo or file they were found on.
        remarks: What else is to be known: one point only, extrapolation, a lens that was assumed.
        version: The leadline that found them.
    """

    alignment: Alignment
    kind: Kind
    points: tuple[CalibratedPoint, ...]
    n_points: int
    rms: float
    worst: float
    along: Along
    model: ModelRecord | None = None
    camera: Camera | None = None
    source: str = ""
    remarks: tuple[str, ...] = ()
    version: str = ""

    @property
    def result(self) -> Kind:
        """The kind of what ``apply`` gives: metric depth."""
        return replace(self.kind, quantity=Quantity.DEPTH, freedom=Freedom.NONE)

    @property
    def words(self) -> str:
        """The calibration as a formula."""
        what = "inverse depth" if self.kind.quantity is Quantity.INVERSE else "depth"
        text = f"{what} = {self.alignment.scale:.6g} × prediction"
        if self.alignment.freedom is Freedom.SCALE:
            return text
        sign = "−" if self.alignment.shift < 0 else "+"
        return f"{text} {sign} {abs(self.alignment.shift):.6g}"

    def apply(self, depth: DepthMap) -> DepthMap:
        """A prediction in metres.

        Args:
            depth: A prediction of the model and camera that were calibrated.

        Returns:
            Metric depth along the prediction's own line; unknown where the calibration makes it 0 or negative.

        Raises:
            KindError: The map is of another kind.
            InputError: Its camera is another one.
        """
        if depth.kind != self.kind:
            raise KindError(
                f"the calibration is for {self.kind}, and this is {depth.kind}",
                hint="calibrate the model that made it",
            )
        if depth.camera is not None:
            self.check_camera(depth.camera)
        return to_depth(self.alignment.apply(depth))

    def uncertainty(self, uncertainty: NDArray[np.float32], depth: DepthMap) -> NDArray[np.float32]:
        """The standard deviation of a prediction in metres, to first order.

        Args:
            uncertainty: That of the prediction's own values, shape (H, W).
            depth: What ``apply`` made of the prediction.

        Returns:
            Metres, float32, shape (H, W); NaN where the depth is not known.
        """
        spread = np.float32(self.alignment.scale) * uncertainty
        if self.kind.quantity is Quantity.INVERSE:
            spread = spread * np.where(depth.valid, depth.values, np.float32(np.nan)) ** 2
        return np.where(depth.valid, spread, np.float32(np.nan)).astype(np.float32)

    def check_model(self, model: ModelRecord, kind: Kind) -> None:
        """Refuses a model that is not the one that was calibrated.

        Args:
            model: Who is to predict.
            kind: What it predicts.

        Raises:
            InputError: Another model, or other weights, or the calibration does not say whose it is.
            KindError: It predicts another kind.
        """
        if self.model is None:
            raise InputError(
                "the calibration does not say which model it is for",
                hint="calibrate a prediction that carries its model, or use .apply(depth)",
            )
        ours, theirs = self.model.weights_sha256, model.weights_sha256
        if ours != theirs or not (ours or self.model.name == model.name):
            other = "other weights" if self.model.name == model.name else f"model {model.name!r}"
            raise InputError(
                f"the calibration is for {self.model.name!r} (weights {ours[:12] or 'unknown'}), and this is {other}"
                f" (weights {theirs[:12] or 'unknown'})",
                hint="predict with that model, or calibrate this one",
            )
        if kind != self.kind:
            raise KindError(
                f"the calibration is for {self.kind}, and {model.name!r} predicts {kind}",
                hint="calibrate it again",
            )

    def check_camera(self, camera: Camera) -> None:
        """Refuses a camera that cannot be the one that was calibrated.

        Args:
            camera: The camera of another frame.

        Raises:
            InputError: Its frame is of another shape, or both lenses are known and differ.
        """
        mine = self.camera
        if mine is None:
            return
        if abs(camera.width * mine.height / (camera.height * mine.width) - 1) > ASPECT_TOLERANCE:
            raise InputError(
                f"the calibration is for frames of {mine.width}x{mine.height}, and this one is {camera.width}x{camera.height}",
                hint="calibrate with a frame of this shape",
            )
        ratio = (camera.fx / camera.width) / (mine.fx / mine.width)
        known = Origin.ASSUMED not in (camera.origin, mine.origin)
        if known and abs(ratio - 1) > FOCAL_TOLERANCE:
            raise InputError(
                f"the calibration is for a lens of {mine.fov_long_deg:.1f}° across, and this one has {camera.fov_long_deg:.1f}°",
                hint="calibrate with a frame of this camera",
            )

    def lens(self, camera: Camera, *, needed: bool) -> Camera:
        """The camera a frame of the calibrated camera is to be predicted with.

        Args:
            camera: What the frame itself says of its camera.
            needed: Whether the model's metres depend on the focal length.

        Returns:
            The frame's own camera, or, where that is only assumed and the calibrated one is known, the calibrated one at
            the frame's size.

        Raises:
            InputError: It cannot be the camera that was calibrated; or the model needs the lens, it is known now, and it
                was not when the model was calibrated.
        """
        self.check_camera(camera)
        mine = self.camera
        if mine is None:
            return camera
        if camera.origin is Origin.ASSUMED and mine.origin is not Origin.ASSUMED:
            return mine.resized(camera.width, camera.height)
        if needed and mine.origin is Origin.ASSUMED and camera.origin is not Origin.ASSUMED:
            raise InputError(
                f"the lens is known here ({camera.fov_long_deg:.1f}°) and was not when the model was calibrated, and its "
                "metres depend on it",
                hint="calibrate again with --fov or --focal, or leave them out here too",
            )
        return camera
