"""Published figures as data: who printed which number for which model, on which data, under which protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from leadline.core.errors import InputError, UnknownName
from leadline.ops.metrics import METRICS

__all__ = ["Cell", "Published", "Source", "Sure"]

Sure = Literal["printed in the paper", "from the model card", "second hand"]
"""How sure it is that the figures were printed so: seen in the source itself, in what comes with the weights or the page of
those who made them, or quoted by others."""

STATED = ("kind", "unit", "input_size", "mean", "std", "layout")
"""What can be stated of weights that do not say it themselves."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures were printed.

    Args:
        title: Title.
        authors: Who, and when.
        url: Where it can be read.
    """

    title: str
    authors: str
    url: str


@dataclass(frozen=True, slots=True)
class Published:
    """One row of a published table: a model's figures on one dataset under one protocol.

    Args:
        name: What it is called here.
        source: Where it was printed.
        table: Which table and row of it.
        who: The model as the source calls it.
        dataset: The layout of the data it was measured on.
        protocol: The protocol it was measured under, as far as that is known.
        sure: How sure it is that the figures were printed so.
        model: The same model here; empty where there is none, so that it must be brought.
        values: What was printed, by metric.
        tolerance: How far a measured figure may be off, by metric.
        unread: Metrics that the source prints in a form that could not be read.
        changes: Fields of the protocol that were otherwise.
        images: How many images were scored; 0 where that is not known.
        split: The split that was scored, where the data has splits.
        ids: Name of the list, of those that ship, of the samples that were scored; empty for all.
        tta: What else each photo was looked at as.
        inputs: Values of the model's own options.
        stated: What must be said of the weights, of an ONNX file mostly: kind, unit, mean, std.
        weights_sha256: The weights that were scored, where the figures are those of one file.
        hints: Why a measured figure may be another: names of hints.
        note: What else is to be known.
    """

    name: str
    source: Source
    table: str
    who: str
    dataset: str
    protocol: str
    sure: str
    model: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    tolerance: Mapping[str, float] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict)
    images: int = 0
    split: str = ""
    ids: str = ""
    tta: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    stated: Mapping[str, str] = field(default_factory=dict)
    weights_sha256: str = ""
    hints: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if self.sure not in get_args(Sure):
            raise UnknownName(f"surety of {self.name}", self.sure, known=get_args(Sure))
        for metric in (*self.values, *self.unread):
            if metric not in METRICS:
                raise UnknownName(f"metric of {self.name}", metric, known=METRICS)
        for key in self.stated:
            if key not in STATED:
                raise UnknownName(f"statement of {self.name}", key, known=STATED)
        if set(self.values) != set(self.tolerance):
            raise InputError(
                f"{self.name}: values of {', '.join(self.values) or 'nothing'}, tolerances of "
                f"{', '.join(self.tolerance) or 'nothing'}",
                hint="give every value its tolerance",
            )
        if not (self.values or self.unread):
            raise InputError(f"{self.name} has no figure", hint="give values, or say what is unread")
        wrong = [metric for metric, off in self.tolerance.items() if not off > 0]
        if wrong:
            raise InputError(
                f"{self.name}: a tolerance of {wrong[0]} that is not positive", hint="give more than 0"
            )

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Its figures one by one."""
        return tuple(
            Cell(self, metric, value, self.tolerance[metric]) for metric, value in self.values.items()
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """One published figure.

    Args:
        of: The row it stands in.
        metric: The metric.
        value: What was printed.
        tolerance: How far a measured figure may be off.
    """

    of: Published
    metric: str
    value: float
    tolerance: float
