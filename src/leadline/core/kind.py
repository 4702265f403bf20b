"""What the numbers of a depth map mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, IntEnum

from leadline.core.errors import InputError, KindError

__all__ = ["Along", "Freedom", "Kind", "Quantity"]


class Quantity(Enum):
    """Distance, or one over distance."""

    DEPTH = "depth"
    INVERSE = "inverse-depth"


class Freedom(IntEnum):
    """What is still unknown: nothing, a factor, or a factor and a shift."""

    NONE = 0
    SCALE = 1
    AFFINE = 2


class Along(Enum):
    """z along the optical axis, or distance along the pixel's own ray."""

    AXIS = "axis"
    RAY = "ray"


_PREFIX = {
    Freedom.NONE: "metric",
    Freedom.SCALE: "scale-invariant",
    Freedom.AFFINE: "affine-invariant",
}
_ALIASES = {
    "metric": "metric-depth",
    "scale-depth": "scale-invariant-depth",
    "affine-depth": "affine-invariant-depth",
    "metric-inverse": "metric-inverse-depth",
    "scale-inverse": "scale-invariant-inverse-depth",
    "affine-inverse": "affine-invariant-inverse-depth",
    "disparity": "scale-invariant-inverse-depth",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """The meaning of a depth map's numbers.

    Convention:
        At ``Freedom.NONE`` values are metres (``DEPTH``) or 1/metres (``INVERSE``).

    Args:
        quantity: Distance or one over distance.
        freedom: What is still unknown.
        along: Optical axis or ray.

    Example:
        >>> str(Kind(Quantity.INVERSE, Freedom.AFFINE))
        'affine-invariant-inverse-depth'
        >>> Kind.parse("metric-depth-ray").along
        <Along.RAY: 'ray'>
    """

    quantity: Quantity = Quantity.DEPTH
    freedom: Freedom = Freedom.NONE
    along: Along = Along.AXIS

    @property
    def unit(self) -> str:
        """``"m"``, ``"1/m"``, or ``"arbitrary"`` where a factor is unknown."""
        if self.freedom is not Freedom.NONE:
            return "arbitrary"
        return "m" if self.quantity is Quantity.DEPTH else "1/m"

    @property
    def words(self) -> str:
        """The kind as a person would say it.

        Example:
            >>> Kind().words
            'metres'
            >>> Kind(Quantity.INVERSE, Freedom.AFFINE).words
            'inverse depth, scale and shift unknown'
        """
        known = {Freedom.SCALE: ", scale unknown", Freedom.AFFINE: ", scale and shift unknown"}
        if self.freedom is Freedom.NONE:
            text = "metres" if self.quantity is Quantity.DEPTH else "1/metres"
        else:
            text = ("depth" if self.quantity is Quantity.DEPTH else "inverse depth") + known[self.freedom]
        return text + (" along the ray" if self.along is Along.RAY else "")

    def coarsened(self, freedom: Freedom) -> Kind:
        """The same kind with more left unknown (law 1: coarsening is free, refining is not).

        Args:
            freedom: The freedom to go to, at least the present one.

        Returns:
            The coarser kind.

        Raises:
            KindError: ``freedom`` is finer than the present one.
        """
        if freedom < self.freedom:
            raise KindError(
                f"{self} cannot become {replace(self, freedom=freedom)} by itself",
                hint="align it to a reference (leadline.align) or use a model that predicts metres",
            )
        return replace(self, freedom=freedom)

    def __str__(self) -> str:
        ray = "-ray" if self.along is Along.RAY else ""
        return f"{_PREFIX[self.freedom]}-{self.quantity.value}{ray}"

    @classmethod
    def parse(cls, text: str) -> Kind:
        """Reads a kind from its name.

        Args:
            text: A name as ``str(kind)`` gives it, or a short form: ``metric``, ``affine-depth``, ``disparity`` …

        Returns:
            The kind.

        Raises:
            InputError: No kind has that name.
        """
        name = text.strip().lower()
        ray = name.endswith("-ray")
        stem = name.removesuffix("-ray")
        kind = KINDS.get(_ALIASES.get(stem, stem))
        if kind is None:
            raise InputError(
                f"{text!r} is not a kind of depth",
                hint=f"say one of {', '.join(KINDS)} (with -ray for distance along the ray)",
            )
        return replace(kind, along=Along.RAY) if ray else kind


KINDS: dict[str, Kind] = {str(Kind(q, f)): Kind(q, f) for q in Quantity for f in Freedom}
