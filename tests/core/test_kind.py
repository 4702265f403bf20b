"""Kinds: names, words, units."""

from __future__ import annotations

import pytest

from leadline.core.errors import InputError, KindError
from leadline.core.kind import KINDS, Along, Freedom, Kind, Quantity

METRIC_INVERSE = Kind(Quantity.INVERSE)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("metric", Kind()),
        ("metric-depth", Kind()),
        ("metric-ray", Kind(along=Along.RAY)),
        ("scale-depth", Kind(freedom=Freedom.SCALE)),
        ("affine-depth", Kind(freedom=Freedom.AFFINE)),
        ("metric-inverse", METRIC_INVERSE),
        ("scale-inverse", Kind(Quantity.INVERSE, Freedom.SCALE)),
        ("affine-inverse", Kind(Quantity.INVERSE, Freedom.AFFINE)),
        ("disparity", Kind(Quantity.INVERSE, Freedom.SCALE)),
        ("Affine-Invariant-Inverse-Depth-Ray", Kind(Quantity.INVERSE, Freedom.AFFINE, Along.RAY)),
    ],
)
def test_names_and_short_names(text: str, kind: Kind) -> None:
    assert Kind.parse(text) == kind


@pytest.mark.parametrize("text", ["", "depth", "metres", "ray", "-ray", "metric-depth-ray-ray"])
def test_other_names_are_refused_with_the_list(text: str) -> None:
    with pytest.raises(InputError, match="say one of metric-depth, scale-invariant-depth"):
        Kind.parse(text)


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
def test_unit_is_known_only_at_none(kind: Kind) -> None:
    expected = {Quantity.DEPTH: "m", Quantity.INVERSE: "1/m"}[kind.quantity]
    assert kind.unit == (expected if kind.freedom is Freedom.NONE else "arbitrary")


def test_words() -> None:
    assert METRIC_INVERSE.words == "1/metres"
    assert Kind(freedom=Freedom.SCALE, along=Along.RAY).words == "depth, scale unknown along the ray"
    assert len({kind.words for kind in KINDS.values()}) == len(KINDS)


def test_coarsening_is_one_way() -> None:
    assert Kind().coarsened(Freedom.AFFINE) == Kind(freedom=Freedom.AFFINE)
    with pytest.raises(KindError, match=r"affine-invariant-depth cannot become scale-invariant-depth.*align"):
        Kind(freedom=Freedom.AFFINE).coarsened(Freedom.SCALE)
