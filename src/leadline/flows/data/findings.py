"""What the data doctor finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SEVERITIES", "Finding", "Report"]

SEVERITIES = ("note", "warning", "fault")
"""From what is only worth knowing to what makes results wrong."""


@dataclass(frozen=True, eq=False)
class Finding:
    """One thing that was found.

    Args:
        code: Short name, such as ``"mirrored"``.
        severity: One of ``SEVERITIES``.
        what: One sentence: what is wrong.
        evidence: The numbers it rests on.
        advice: What to do.
        ids: Samples concerned, the first few.
        picture: What shows it, uint8 (H, W, 3), where there is something to show.
    """

    code: str
    severity: str
    what: str
    evidence: str
    advice: str
    ids: tuple[str, ...] = ()
    picture: NDArray[np.uint8] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, without the picture."""
        return {
            "code": self.code,
            "severity": self.severity,
            "what": self.what,
            "evidence": self.evidence,
            "advice": self.advice,
            "ids": list(self.ids),
        }

    def __str__(self) -> str:
        named = f" [{', '.join(self.ids[:5])}{' …' if len(self.ids) > 5 else ''}]" if self.ids else ""
        return (
            f"{self.severity}: {self.code}: {self.what}{named}\n  seen: {self.evidence}\n  do: {self.advice}"
        )


@dataclass(frozen=True, eq=False)
class Report:
    """What was looked at and what was found.

    Args:
        place: The place.
        layout: The layout it was read as, or empty.
        samples: How many samples it has.
        looked_at: How many were read.
        findings: Worst first.
        abstained: What could not be judged, and why.
    """

    place: str
    layout: str
    samples: int
    looked_at: int
    findings: tuple[Finding, ...] = ()
    abstained: tuple[str, ...] = field(default=())

    def at_least(self, severity: str) -> tuple[Finding, ...]:
        """Findings of a severity or worse.

        Args:
            severity: One of ``SEVERITIES``.

        Returns:
            The findings.
        """
        return tuple(f for f in self.findings if SEVERITIES.index(f.severity) >= SEVERITIES.index(severity))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "place": self.place,
            "layout": self.layout,
            "samples": self.samples,
            "looked_at": self.looked_at,
            "findings": [finding.to_dict() for finding in self.findings],
            "abstained": list(self.abstained),
        }

    def text(self, *, notes: bool = False) -> str:
        """The report in words.

        Args:
            notes: Whether notes, and what could not be judged, are told too.

        Returns:
            Lines.
        """
        told = self.findings if notes else self.at_least("warning")
        head = f"{self.place}: {self.layout or 'no layout that is known'}, {self.samples:,} samples, {self.looked_at:,} looked at"
        lines = [head, *map(str, told)] if told else [head, "nothing wrong"]
        return "\n".join([*lines, *(f"not judged: {words}" for words in self.abstained if notes)])

    def __str__(self) -> str:
        return self.text()
