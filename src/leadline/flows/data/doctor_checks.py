"""The checks of the data doctor. Each takes what was looked at and gives findings; none opens a file by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from leadline.core.sample import Entry
from leadline.flows.data.doctor_look import Looked
from leadline.flows.data.doctor_numbers import CHECKS_OF_NUMBERS
from leadline.flows.data.doctor_pairs import CHECKS_OF_PAIRS
from leadline.flows.data.doctor_sets import CHECKS_OF_SETS
from leadline.flows.data.findings import Finding

__all__ = ["CHECKS", "Check"]

Check = Callable[[Sequence[Looked], Sequence[Entry], list[str]], list[Finding]]

CHECKS: tuple[Check, ...] = (*CHECKS_OF_NUMBERS, *CHECKS_OF_PAIRS, *CHECKS_OF_SETS)
"""Every check, in the order they are made."""
