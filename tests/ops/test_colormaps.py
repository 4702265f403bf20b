"""Colour tables."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.core.errors import UnknownName
from leadline.ops.colormaps import COLORMAPS, SKY, UNKNOWN, colormap_table

ENDS = {
    "viridis": ("440154", "fde725"),
    "magma": ("000004", "fcfdbf"),
    "inferno": ("000004", "fcffa4"),
    "plasma": ("0d0887", "f0f921"),
    "turbo": ("30123b", "7a0403"),
    "jet": ("000080", "800000"),
    "gray": ("000000", "ffffff"),
    "grey": ("000000", "ffffff"),
    "Spectral": ("9e0142", "5e4fa2"),
}


def test_the_ends_are_as_published() -> None:
    assert {name.removesuffix("_r") for name in COLORMAPS} == set(ENDS)
    for name, ends in ENDS.items():
        table = colormap_table(name)
        assert (bytes(table[0]).hex(), bytes(table[255]).hex()) == ends


@pytest.mark.parametrize("name", COLORMAPS)
def test_tables_are_256_read_only_colours_and_r_runs_the_other_way(name: str) -> None:
    table = colormap_table(name)
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    assert not table.flags.writeable
    other = name.removesuffix("_r") if name.endswith("_r") else name + "_r"
    np.testing.assert_array_equal(table, colormap_table(other)[::-1])


@pytest.mark.parametrize("name", [name for name in COLORMAPS if "r" not in name[-2:]])
def test_tables_are_those_of_matplotlib(name: str) -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed to compare with")
    theirs = np.round(matplotlib.colormaps[name](np.arange(256))[:, :3] * 255)
    assert np.abs(colormap_table(name) - theirs).max() <= 1


@pytest.mark.parametrize("name", COLORMAPS)
def test_sky_and_unknown_are_no_colour_of_any_map(name: str) -> None:
    table = colormap_table(name).astype(int)
    assert np.abs(table - SKY).sum(axis=1).min() > 25
    if "gr" not in name:
        for grey in UNKNOWN:
            assert np.abs(table - grey).sum(axis=1).min() > 25


@pytest.mark.parametrize(
    ("name", "near"), [("virids", "viridis"), ("spectral_r", "Spectral_r"), ("grays", "gray")]
)
def test_unknown_names_get_near_matches(name: str, near: str) -> None:
    with pytest.raises(UnknownName, match=f"no colour map is called '{name}'; did you mean .*'{near}'"):
        colormap_table(name)
