"""The names that leadline shows the world."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import leadline
from leadline.core.depth_map import DepthMap
from leadline.core.kind import Kind

SOURCE = Path(leadline.__file__).read_text()


def test_every_public_name_is_there_and_explains_itself() -> None:
    for name in leadline.__all__:
        value = getattr(leadline, name)
        if name == "__version__":
            assert re.fullmatch(r"\d+\.\d+\.\d+.*", value)
        else:
            assert inspect.getdoc(value), f"leadline.{name} has no docstring"


def test_there_are_few_of_them_and_dir_shows_them() -> None:
    assert len(leadline.__all__) == len(set(leadline.__all__)) <= 44
    assert set(leadline.__all__) <= set(dir(leadline))


def test_type_checkers_see_the_same_names_as_python() -> None:
    """mypy reads the imports under TYPE_CHECKING, Python the table of homes: they must not drift apart."""
    (block,) = [node for node in ast.parse(SOURCE).body if isinstance(node, ast.If)]
    seen = {
        alias.asname: f"{node.module}:{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    table = {name: f"leadline.{home}:{name}" for name, home in leadline._HOME_OF.items()}
    assert seen == {**table, "errors": "leadline.core:errors"}


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="module 'leadline' has no attribute 'predcit'"):
        _ = leadline.predcit  # type: ignore[attr-defined]


def test_values_show_themselves_in_a_notebook(photo: Path) -> None:
    depth = DepthMap(np.linspace(1, 4, 1200).reshape(30, 40), Kind())
    shown = depth._repr_png_()
    assert shown is not None
    assert shown.startswith(b"\x89PNG")
    result = leadline.predict(photo)
    beside = result._repr_png_()
    assert beside is not None
    assert beside.startswith(b"\x89PNG")


def test_the_one_line_says_what_the_numbers_are(photo: Path) -> None:
    result = leadline.predict(photo)
    size = f"{result.image.height}x{result.image.width}"
    line = rf"DepthMap {size}, metres \(scale uncertain\), [\d.]+ to [\d.]+, camera assumed 63°"
    assert re.fullmatch(line, repr(result.depth))
    assert "uncertain" not in repr(leadline.predict(photo, fov_deg=60).depth)
