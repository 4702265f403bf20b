"""How figures are said: their names, units, digits, and what a comparison comes to."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.records import Comparison, Row, Rung
from leadline.ops.metrics import METRICS

__all__ = ["RUNG_WORDS", "changes_of", "decimals_for", "grouped", "heading", "shown", "unit_of", "verdict"]

RUNG_WORDS: Mapping[Rung, str] = {
    "protocol": "as the protocol says",
    "metric": "as predicted",
    "scale": "scale fitted",
    "affine-depth": "scale and shift fitted, depth",
    "affine-inverse-depth": "scale and shift fitted, inverse depth",
}
"""What each rung is, in a few words."""

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_ARROWS = {"lower": "↓", "higher": "↑"}


def heading(metric: str, protocol: Protocol) -> str:
    """A metric's name with its unit and an arrow to where better is.

    Args:
        metric: Its name.
        protocol: What it is measured under.

    Returns:
        Such as ``"RMSE (m) ↓"``.
    """
    unit = unit_of(metric, protocol)
    said = f" ({unit})" if unit else ""
    return f"{METRICS[metric].words}{said} {_ARROWS[METRICS[metric].better]}"


def unit_of(metric: str, protocol: Protocol) -> str:
    """A metric's unit under a protocol: one that scores pictures measures in grey levels what others do in metres.

    Args:
        metric: Its name.
        protocol: What it is measured under.

    Returns:
        The unit; empty for a plain number.
    """
    unit = METRICS[metric].unit
    return "grey levels" if unit == "m" and protocol.eight_bit else unit


def decimals_for(values: Iterable[float]) -> int:
    """How many decimals show four digits of the largest of some values.

    Args:
        values: The values; those that are not finite do not count.

    Returns:
        From 4 for values below 1 down to 1.

    Example:
        >>> decimals_for([0.51, 3.2]), decimals_for([17.3, float("nan")])
        (3, 2)
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return next((4 - power for power, bound in enumerate((1, 10, 100)) if largest < bound), 1)


def shown(value: float, decimals: int) -> str:
    """A number as tables print it.

    Args:
        value: The number.
        decimals: Digits behind the point.

    Returns:
        Such as ``"0.1234"``; ``"–"`` for what is not defined, ``"∞"`` for what is not finite.

    Example:
        >>> shown(0.5, 4), shown(float("nan"), 4)
        ('0.5000', '–')
    """
    if math.isnan(value):
        return "–"
    return f"{value:.{decimals}f}" if math.isfinite(value) else ("∞" if value > 0 else "-∞")


_NOTHING = 5e-5
"""A difference that four digits do not show; formats of files round by as much."""

_ALIKE = 0.001
"""Coverages that differ by no more are taken for the same."""


def verdict(comparison: Comparison) -> str:
    """What a comparison comes to, in a few words.

    Args:
        comparison: Two models by one metric.

    Returns:
        Who is better where the interval of the difference leaves zero out, or that these images do not show it: because there
        are too few, the interval holds zero, or one of the two leaves out pixels that the other predicts.
    """
    if math.isnan(comparison.low):
        return "too few images"
    if abs(comparison.first_coverage - comparison.second_coverage) > _ALIKE:
        shares = f"{comparison.first_coverage:.1%} and {comparison.second_coverage:.1%}"
        return f"not told: they predict {shares} of the pixels"
    if comparison.low <= 0 <= comparison.high or abs(comparison.difference) < _NOTHING:
        return "not shown"
    smaller = comparison.high < 0
    first = smaller == (METRICS[comparison.metric].better == "lower")
    return comparison.first if first else comparison.second


def grouped(said: Iterable[tuple[str, Row]]) -> dict[tuple[str, str], list[str]]:
    """Samples by what is said of them and by model; sentences that differ in their numbers only are one.

    Args:
        said: Words and the row that they are of.

    Returns:
        Samples by words and model, the most first; the words are those of the first sample.

    Example:
        >>> row = Row("a", "0001", "", {})
        >>> grouped([("2 holes", row), ("31 holes", row)])
        {('2 holes (numbers differ)', 'a'): ['0001', '0001']}
    """
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for words, row in said:
        found.setdefault((_NUMBER.sub("#", words), row.model), []).append((words, row.sample))
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    return {(_common(held), model): [sample for _, sample in held] for (_, model), held in ordered}


def _common(held: Sequence[tuple[str, str]]) -> str:
    first = held[0][0]
    return first if all(words == first for words, _ in held) else f"{first} (numbers differ)"


def changes_of(protocol: Protocol) -> dict[str, str]:
    """The fields of a protocol that were changed by hand, as its name says.

    Args:
        protocol: The protocol.

    Returns:
        Values by field.

    Example:
        >>> changes_of(Protocol("mine+far_m=5+metrics=rmse,mae", "", "", ("rmse", "mae"), 0.0, 5.0))
        {'far_m': '5', 'metrics': 'rmse,mae'}
    """
    parts = [part.partition("=") for part in protocol.name.split("+")[1:]]
    return {field: value for field, equals, value in parts if equals}
