"""A depth map that knows what its numbers mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from leadline.core import display
from leadline.core.camera import Camera
from leadline.core.errors import InputError, KindError
from leadline.core.kind import Freedom, Kind, Quantity

__all__ = ["DepthMap"]

ArrayT = TypeVar("ArrayT", bound=NDArray[Any])


def _refuse(self: DepthMap, *_: object, **__: object) -> NoReturn:
    raise KindError(
        f"a depth map is not an array: it holds {self.kind.words}, and arithmetic would lose that",
        hint="write .values on purpose to get the bare numbers",
    )


@dataclass(frozen=True, eq=False, repr=False)
class DepthMap:
    """Depth, or inverse depth, of every pixel of an image.

    Convention:
        ``values`` is read-only float32 (H, W), NaN where neither ``valid`` nor ``infinite``. ``infinite`` marks known
        sky: +inf for DEPTH, 0 for INVERSE, and is never counted as ``valid``. Below AFFINE every valid value is
        positive. Where no masks are given, finite values (positive ones, below AFFINE) are valid, and +inf of DEPTH
        is infinite; a number that float32 cannot hold is neither.

    Args:
        values: The numbers, shape (H, W).
        kind: What they mean.
        valid: True where a value is known, shape (H, W).
        infinite: True where the depth is known to be infinite, shape (H, W).
        camera: The camera that saw them.
        scale_uncertain: Whether the metre rests on a focal length that was only assumed when the values were made.

    Raises:
        InputError: Wrong shape, masks that overlap, a valid value that is not finite in float32 (or not positive below
            AFFINE), or a camera of another size.

    Example:
        >>> d = DepthMap(np.array([[1.0, 2.0], [0.0, 4.0]]), Kind())
        >>> d
        DepthMap 2x2, metres, 1 to 4, 75% valid
        >>> d + 1
        Traceback (most recent call last):
        leadline.core.errors.KindError: a depth map is not an array: ...
    """

    values: NDArray[np.float32]
    kind: Kind
    valid: NDArray[np.bool_] = None  # type: ignore[assignment]  # filled in below
    infinite: NDArray[np.bool_] = None  # type: ignore[assignment]  # filled in below
    camera: Camera | None = None
    scale_uncertain: bool = False

    __array_ufunc__ = None
    __array__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = (
        _refuse
    )
    __pow__ = __neg__ = __abs__ = __lt__ = __le__ = __gt__ = __ge__ = __float__ = _refuse

    def __post_init__(self) -> None:
        source = np.asarray(self.values)
        if source.ndim != 2 or source.size == 0 or source.dtype.kind not in "fiu":
            raise InputError(
                f"depth of shape {source.shape} and type {source.dtype} is not a (H, W) array of numbers",
                hint="pass one channel",
            )
        with np.errstate(over="ignore"):
            values = source.astype(np.float32, copy=False)
        given = self._mask(self.valid, values.shape, "valid")
        infinite = self._mask(self.infinite, values.shape, "infinite")
        if infinite is None:
            infinite = (
                np.isposinf(source) if self.kind.quantity is Quantity.DEPTH else np.zeros(values.shape, bool)
            )
            if given is not None:
                infinite &= ~given
        usable = np.isfinite(values)
        if self.kind.freedom < Freedom.AFFINE:
            usable &= values > 0
        valid = usable & ~infinite if given is None else given
        self._check(source, valid, infinite, usable)
        object.__setattr__(self, "values", self._settle(values, valid, infinite, owned=values is not source))
        object.__setattr__(self, "valid", _frozen(valid))
        object.__setattr__(self, "infinite", _frozen(infinite))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for array in (self.values, self.valid, self.infinite):
            _frozen(array)

    @staticmethod
    def _mask(mask: Any, shape: tuple[int, ...], name: str) -> NDArray[np.bool_] | None:
        if mask is None:
            return None
        array = np.asarray(mask)
        if array.shape != shape or array.dtype != np.bool_:
            raise InputError(
                f"mask {name!r} of shape {array.shape} and type {array.dtype} is not bool {shape}",
                hint="make it one bool a pixel",
            )
        return array.copy() if array.flags.writeable else array

    def _check(
        self,
        source: NDArray[Any],
        valid: NDArray[np.bool_],
        infinite: NDArray[np.bool_],
        usable: NDArray[np.bool_],
    ) -> None:
        if bool((valid & infinite).any()):
            raise InputError(
                f"{int((valid & infinite).sum())} pixels are both valid and infinite",
                hint="a pixel is one or the other",
            )
        bad = valid > usable
        if bool(bad.any()):
            row, column = map(int, np.argwhere(bad)[0])
            need = "finite" if self.kind.freedom is Freedom.AFFINE else "positive and finite"
            raise InputError(
                f"valid pixel (row {row}, column {column}) holds {_held(source[row, column])}, "
                f"which is not {need} as {self.kind} must be",
                hint="mark such pixels invalid",
            )
        camera = self.camera
        if camera is not None and (camera.height, camera.width) != source.shape:
            raise InputError(
                f"camera of {camera.width}x{camera.height} does not fit depth of {source.shape[1]}x{source.shape[0]}",
                hint="use camera.resized(width, height)",
            )

    def _settle(
        self,
        values: NDArray[np.float32],
        valid: NDArray[np.bool_],
        infinite: NDArray[np.bool_],
        *,
        owned: bool,
    ) -> NDArray[np.float32]:
        sky = bool(infinite.any())
        unknown = ~(valid | infinite) if sky else ~valid
        marker = np.float32(np.inf if self.kind.quantity is Quantity.DEPTH else 0.0)
        changes = bool((unknown & (values == values)).any())  # a number where there should be NaN
        changes |= sky and bool((infinite & (values != marker)).any())
        if not owned and (changes or values.flags.writeable):
            values = values.copy()
        if changes:
            values[unknown] = np.nan
            values[infinite] = marker
        return _frozen(values)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (int(self.values.shape[0]), int(self.values.shape[1]))

    @property
    def height(self) -> int:
        """Rows."""
        return self.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.shape[1]

    @property
    def unit(self) -> str:
        """``"m"``, ``"1/m"`` or ``"arbitrary"``."""
        return self.kind.unit

    def coarsened(self, freedom: Freedom) -> DepthMap:
        """The same values with more said to be unknown (law 1).

        Args:
            freedom: The freedom to go to, at least the present one.

        Returns:
            A map that shares these values.

        Raises:
            KindError: ``freedom`` is finer than the present one.
        """
        return replace(self, kind=self.kind.coarsened(freedom))

    def with_camera(self, camera: Camera | None) -> DepthMap:
        """The same values seen by another camera of the same size.

        Metres that were made for an assumed focal length stay uncertain: only predicting again with the right camera,
        or aligning them to what was measured, changes the values.

        Args:
            camera: The camera, or None to forget it.

        Returns:
            A map that shares these values.
        """
        return replace(self, camera=camera)

    def taken(
        self,
        values: NDArray[np.float32],
        *,
        valid: NDArray[np.bool_],
        infinite: NDArray[np.bool_],
        camera: Camera | None,
    ) -> DepthMap:
        """A window or a mirror image of this map: arrays of its own pixels and no others, which need no second look.

        Args:
            values: Pixels of ``values``.
            valid: The same pixels of ``valid``.
            infinite: The same pixels of ``infinite``.
            camera: Who sees them.

        Returns:
            The map; it keeps the arrays and makes them read-only.

        Raises:
            InputError: The arrays or the camera are of different sizes.
        """
        sizes = {values.shape, valid.shape, infinite.shape}
        if len(sizes) > 1 or (camera is not None and (camera.height, camera.width) != values.shape):
            raise InputError(
                f"values, masks and camera are of different sizes: {sorted(sizes)}, {camera!r}",
                hint="take the same window of all",
            )
        return DepthMap.settled(
            values,
            self.kind,
            valid=valid,
            infinite=infinite,
            camera=camera,
            scale_uncertain=self.scale_uncertain,
        )

    @classmethod
    def settled(
        cls,
        values: NDArray[np.float32],
        kind: Kind,
        *,
        valid: NDArray[np.bool_],
        infinite: NDArray[np.bool_],
        camera: Camera | None,
        scale_uncertain: bool = False,
    ) -> DepthMap:
        """A map of arrays that fulfil all that the constructor looks for, by how they were made; nothing is looked at.

        For decoders: integers over a positive step are positive and finite, and looking again takes longer than decoding.

        Args:
            values: float32 (H, W), NaN where neither valid nor infinite, usable where valid, the marker where infinite.
            kind: What they mean.
            valid: bool (H, W), nowhere together with ``infinite``.
            infinite: bool (H, W).
            camera: Who sees them, of that size; not looked at.
            scale_uncertain: Whether the metre rests on an assumed focal length.

        Returns:
            The map; it keeps the arrays and makes them read-only.
        """
        made = object.__new__(cls)
        arrays = {"values": values, "valid": valid, "infinite": infinite}
        made.__dict__.update({name: _frozen(array) for name, array in arrays.items()})
        made.__dict__.update(kind=kind, camera=camera, scale_uncertain=scale_uncertain)
        return made

    def range(self) -> tuple[float, float] | None:
        """The smallest and largest valid value, or None where no pixel is valid."""
        if not bool(self.valid.any()):
            return None
        return (
            float(np.min(self.values, where=self.valid, initial=np.inf)),
            float(np.max(self.values, where=self.valid, initial=-np.inf)),
        )

    def __eq__(self, other: object) -> bool:
        return self is other if isinstance(other, DepthMap) else _refuse(self)

    __hash__ = object.__hash__

    def __len__(self) -> NoReturn:
        _refuse(self)

    def __iter__(self) -> NoReturn:
        _refuse(self)

    def __repr__(self) -> str:
        metres = self.kind.freedom is Freedom.NONE
        uncertain = " (scale uncertain)" if metres and self.scale_uncertain else ""
        parts = [f"DepthMap {self.height}x{self.width}", self.kind.words + uncertain]
        span = self.range()
        parts.append("no valid pixel" if span is None else f"{_figure(span[0])} to {_figure(span[1])}")
        share = float(self.valid.mean())
        if 0 < share < 1:
            parts.append(f"{min(99, round(100 * share)) if share > 0.01 else f'{100 * share:.2g}'}% valid")
        if bool(self.infinite.any()):
            parts.append("with sky")
        if self.camera is not None:
            parts.append(str(self.camera))
        return ", ".join(parts)

    def _repr_png_(self) -> bytes | None:
        return display.png(self)


def _frozen(array: ArrayT) -> ArrayT:
    array.flags.writeable = False
    return array


def _held(number: np.number[Any]) -> str:
    """A number as the caller gave it, and what float32 makes of it where that is another."""
    with np.errstate(over="ignore"):
        stored = np.float32(number)
    return f"{number}" if f"{stored:g}" == f"{number:g}" else f"{number} ({stored} in float32)"


def _figure(value: float) -> str:
    magnitude = abs(value)
    return f"{value:.1f}".rstrip("0").rstrip(".") if 0.1 <= magnitude < 1000 else f"{value:.3g}"
