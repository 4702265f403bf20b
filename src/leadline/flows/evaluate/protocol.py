"""A protocol: everything that decides a score besides model and data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from leadline.core.errors import InputError, KindError, UnknownName
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.ops.eight_bit import StoredAs
from leadline.ops.metrics import METRICS
from leadline.ops.windows import WINDOWS

__all__ = ["ALIGNMENTS", "Aggregate", "Protocol", "can_become"]

ALIGNMENTS: dict[str, Kind] = {
    "none": Kind(),
    "median": Kind(Quantity.DEPTH, Freedom.SCALE),
    "scale": Kind(Quantity.DEPTH, Freedom.SCALE),
    "affine-depth": Kind(Quantity.DEPTH, Freedom.AFFINE),
    "affine-inverse-depth": Kind(Quantity.INVERSE, Freedom.AFFINE),
}
"""What is fitted to each image's truth before it is scored, and the coarsest kind that it can bring to metres: nothing; the
ratio of medians; the scale, or scale and shift, of least squares, in depth or in inverse depth."""

Aggregate = Literal["mean", "pooled"]

_WORDS = ("name", "summary", "source", "notes", "doubts")
"""Fields that say something and decide nothing."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """How predictions are scored. Names are those of the files in ``leadline/data/protocols``.

    Args:
        name: ``"nyu-eigen-filled"``; with ``+field=value`` for every field that was changed by hand.
        summary: One line.
        source: Where the protocol is from: paper, code, section.
        metrics: The metrics it reports, in order.
        near_m: Truth at or below this does not count.
        far_m: Truth at or beyond this does not count.
        dataset: The dataset it is for; empty for any.
        options: What the dataset is opened with: which truth.
        alignment: What is fitted to the truth first, of ``ALIGNMENTS``.
        clamp: Whether predictions are clipped to near and far before they are scored.
        crop: The window that counts, of ``leadline.ops.windows.WINDOWS``.
        flip: Whether each photo's prediction is averaged with that of its mirror image.
        eight_bit: Whether truth and prediction are scored as 8-bit pictures, each divided by its own largest value.
        stored: What the 8-bit picture of the truth is made of: its ``"metres"``, or the numbers that SUN RGB-D's files hold
            for them, ``"sunrgbd"``.
        aggregate: The number that tables of this protocol print: the mean over images, or that of all pixels pooled.
        data_range_m: Range of PSNR and SSIM; the cap of the depth.
        notes: What to know when comparing with published numbers.
        doubts: What is wrong with it, where something is.

    Raises:
        InputError: A field has no such value.
        UnknownName: A metric, window or alignment has no such name.
    """

    name: str
    summary: str
    source: str
    metrics: tuple[str, ...]
    near_m: float
    far_m: float
    dataset: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    alignment: str = "none"
    clamp: bool = True
    crop: str = "none"
    flip: bool = False
    eight_bit: bool = False
    stored: StoredAs = "metres"
    aggregate: Aggregate = "mean"
    data_range_m: float = 10.0
    notes: str = ""
    doubts: str = ""

    def __post_init__(self) -> None:
        for what, name, known in (
            ("alignment", self.alignment, tuple(ALIGNMENTS)),
            ("window", self.crop, tuple(WINDOWS)),
            ("aggregate", self.aggregate, ("mean", "pooled")),
            ("form of stored depth", self.stored, get_args(StoredAs)),
            *(("metric", metric, tuple(METRICS)) for metric in self.metrics),
        ):
            if name not in known:
                raise UnknownName(what, name, known=known)
        if not self.metrics:
            raise InputError(f"protocol {self.name!r} reports no metric", hint="name at least one")
        if not 0 <= self.near_m < self.far_m:
            raise InputError(
                f"protocol {self.name!r}: nearest {self.near_m:g} m and farthest {self.far_m:g} m are no range",
                hint="near_m must be at least 0 and below far_m",
            )
        if not self.data_range_m > 0:
            raise InputError(
                f"protocol {self.name!r}: data_range_m = {self.data_range_m:g} is not positive",
                hint="give the cap of the depth",
            )

    @property
    def needs(self) -> Kind:
        """The coarsest kind of prediction that the protocol's alignment brings to metres."""
        return ALIGNMENTS[self.alignment]

    @property
    def limits_m(self) -> tuple[float, float]:
        """Nearest and farthest truth that counts."""
        return self.near_m, self.far_m

    @property
    def clamp_m(self) -> tuple[float, float] | None:
        """What predictions are clipped to; None where they are not."""
        return (max(self.near_m, 1e-6), self.far_m) if self.clamp else None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides a score; names and remarks do not."""
        decided = {key: value for key, value in asdict(self).items() if key not in _WORDS}
        return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()

    def check(self, kind: Kind, *, who: str) -> None:
        """Refuses a kind of prediction that this protocol cannot score, before anything is predicted.

        Args:
            kind: What the predictions are.
            who: Who makes them, for the message.

        Raises:
            KindError: They cannot become what the protocol needs.
        """
        if self.eight_bit or can_become(kind, self.needs):
            return
        way = {
            Freedom.SCALE: "a scale-invariant protocol such as median-scaled",
            Freedom.AFFINE: f"zero-shot-affine-{kind.quantity.value}",
        }[kind.freedom]
        raise KindError(
            f"{who} predicts {kind}, and protocol {self.name!r} needs {self.needs}",
            hint=f"score it under {way}, or calibrate it first",
        )

    def changed(self, changes: Mapping[str, Any]) -> Protocol:
        """The same protocol with fields changed by hand: another protocol, and its name says so.

        Args:
            changes: Values by field, typed or as text.

        Returns:
            The protocol, ``NAME+field=value``; itself where nothing differs.

        Raises:
            UnknownName: There is no such field.
            InputError: A value is none of the field.
        """
        known = {item.name for item in fields(self)} - set(_WORDS) - {"options"}
        values = {}
        for key, text in changes.items():
            if key not in known:
                raise UnknownName(f"field of protocol {self.name}", key, known=known)
            value = _typed(key, text, getattr(self, key))
            if value != getattr(self, key):
                values[key] = value
        said = "".join(f"+{key}={_told(value)}" for key, value in sorted(values.items()))
        return replace(self, name=f"{self.name}{said}", **values)


def can_become(kind: Kind, needs: Kind) -> bool:
    """Whether a map of one kind is, or becomes without a reference, at least as sure as another kind.

    Args:
        kind: What there is.
        needs: What is needed.

    Returns:
        Whether no more is unknown of it, and, where the quantity differs, it can be inverted (law 2).

    Example:
        >>> can_become(Kind(Quantity.INVERSE, Freedom.SCALE), Kind(Quantity.DEPTH, Freedom.SCALE))
        True
        >>> can_become(Kind(Quantity.INVERSE, Freedom.AFFINE), Kind(Quantity.DEPTH, Freedom.AFFINE))
        False
    """
    invertible = kind.quantity is needs.quantity or kind.freedom < Freedom.AFFINE
    return kind.freedom <= needs.freedom and invertible


_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}


def _typed(key: str, text: Any, present: Any) -> Any:
    """A field's value from what was typed."""
    if isinstance(present, bool):
        value = _BOOLEANS.get(str(text).lower())
        if value is None:
            raise InputError(f"{key} = {text!r} is neither true nor false", hint=f"such as {key}=false")
        return value
    if isinstance(present, tuple):
        return tuple(part.strip() for part in text.split(",")) if isinstance(text, str) else tuple(text)
    if isinstance(present, float):
        try:
            return float(text)
        except ValueError as error:
            raise InputError(
                f"{key} = {text!r} is not a number", hint=f"such as {key}={present:g}"
            ) from error
    return str(text)


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
