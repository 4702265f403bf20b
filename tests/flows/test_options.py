from __future__ import annotations

from dataclasses import dataclass, field, fields

import pytest

from leadline.core.errors import InputError
from leadline.flows.options import Told, check_bounds, told, told_of


@dataclass(frozen=True)
class Request:
    number: int = field(default=1, metadata=told(Told("A number.", minimum=1, maximum=9)))
    share: float | None = field(default=None, metadata=told(Told("A share.", minimum=0.5)))
    colour: str = field(default="red", metadata=told(Told("A colour.", choices=("red", "blue"))))
    plain: bool = field(default=False, metadata=told(Told("Bare help.")))

    def __post_init__(self) -> None:
        check_bounds(self)


def test_metadata_says_what_was_told_and_bare_help_is_enough() -> None:
    assert [told_of(each).help for each in fields(Request)] == [
        "A number.",
        "A share.",
        "A colour.",
        "Bare help.",
    ]


def test_what_is_inside_passes() -> None:
    assert Request(number=9, share=0.5, colour="blue").number == 9


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"number": 0}, "number = 0 is out of range; give 1 to 9"),
        ({"number": 10}, "number = 10 is out of range; give 1 to 9"),
        ({"share": 0.4}, r"share = 0\.4 is out of range; give at least 0\.5"),
        ({"share": float("nan")}, "share = nan is out of range"),
        ({"colour": "green"}, "colour = 'green' is not one of red, blue"),
    ],
)
def test_what_is_outside_is_refused(values: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        Request(**values)  # type: ignore[arg-type]
