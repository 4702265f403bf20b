from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leadline.bridges.heatmaps import Painted, file_stem, paint
from leadline.core.depth_map import DepthMap
from leadline.core.kind import Kind
from leadline.core.results import ModelRecord
from leadline.io.depth_files import read_depth

METRES = Kind()
INVERSE = Kind.parse("affine-invariant-inverse-depth")


def _numbers(painted: Painted) -> np.ndarray:
    assert painted.path is not None
    return np.asarray(Image.open(painted.path))


@pytest.mark.parametrize("steps", [1000, 5000, 256, 100])
def test_depth_of_integers_comes_back_to_the_last_bit(steps: int, tmp_path: Path) -> None:
    stored = np.arange(1, min(65534, 64 * steps)).astype(np.float32)
    depth = DepthMap((stored / np.float32(steps))[None], METRES)
    painted = paint(depth, tmp_path / "a.png", far=1.0)
    numbers = _numbers(painted)
    assert numbers.dtype == np.uint16
    back = (numbers * painted.scale + painted.offset).astype(np.float32)
    np.testing.assert_array_equal(back, depth.values)
    np.testing.assert_array_equal(read_depth(tmp_path / "a.png")[0].values, depth.values)


def test_what_a_model_says_is_kept_to_half_a_millimetre_and_the_file_says_who_said_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    depth = DepthMap((rng.random((20, 30)) * 9 + 0.3).astype(np.float32), METRES)
    painted = paint(
        depth, tmp_path / "deep" / "a.png", far=8.0, model=ModelRecord("some-model"), source="kitchen"
    )
    assert (painted.scale, painted.offset, painted.range) == (0.001, 0.0, (0.0, 8000.0))
    assert np.abs(_numbers(painted) / 1000 - depth.values).max() < 0.00051
    _, record = read_depth(tmp_path / "deep" / "a.png")
    assert record is not None
    assert record.model is not None
    assert (record.model.name, record.source, record.kind) == ("some-model", "kitchen", METRES)


def test_unknown_is_0_and_sky_is_the_last_number(tmp_path: Path) -> None:
    depth = DepthMap(np.array([[np.nan, np.inf], [0.5, 2.0]]), METRES)
    painted = paint(depth, tmp_path / "a.png", far=2.0)
    assert _numbers(painted).tolist() == [[0, 65535], [500, 2000]]
    assert painted.range == (0.0, 2000.0)


def test_floats_are_the_metres_themselves_with_0_where_nothing_is_known(tmp_path: Path) -> None:
    values = np.array([[np.nan, np.inf], [0.1234567, 2.7182817]], np.float32)
    painted = paint(DepthMap(values, METRES), tmp_path / "a.png", far=2.5, maps="float")
    assert painted.path is None
    assert painted.values is not None
    assert painted.values.dtype == np.float32
    assert painted.values.tolist() == [[0, 0], values[1].tolist()]
    assert (painted.scale, painted.range) == (1.0, (0.0, 2.5))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("maps", ["png16", "float"])
def test_numbers_without_a_zero_keep_their_offset(maps: str, tmp_path: Path) -> None:
    values = np.linspace(-3, 5, 600).reshape(20, 30).astype(np.float32)
    painted = paint(DepthMap(values, INVERSE), tmp_path / "a.png", far=None, maps=maps)  # type: ignore[arg-type]
    numbers = _numbers(painted)
    assert numbers.min() == 1
    assert painted.range == (0.0, 65534.0)
    np.testing.assert_allclose(numbers * painted.scale + painted.offset, values, atol=painted.scale)


def test_far_outdoors_has_colours_too(tmp_path: Path) -> None:
    depth = DepthMap(np.array([[1.0, 300.0]]), METRES)
    painted = paint(depth, tmp_path / "a.png", far=80.0)
    assert painted.range[1] * painted.scale == pytest.approx(80, abs=0.01)
    assert paint(depth, tmp_path / "b.png", far=1e9).range == (0.0, 65534.0)


def test_every_id_is_a_file_name_of_its_own() -> None:
    ids = ["a/b", "a-b", "a b", "ä", "../../etc/passwd", ".hidden", "x" * 300, "CON", "a/b "]
    stems = [file_stem(id) for id in ids]
    assert len({stem.lower() for stem in stems}) == len(ids)
    for stem in stems:
        assert "/" not in stem
        assert not stem.startswith(".")
        assert len(stem) < 100
