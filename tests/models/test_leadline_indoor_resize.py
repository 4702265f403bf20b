"""Resizing bit for bit as ONNX Runtime does, and nearly as Pillow does."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PilImage
from skimage import data as photos

from leadline.models.leadline_indoor.net import target_size
from leadline.models.leadline_indoor.resize import resize_like_file

GRAPH = """
<ir_version: 10, opset_import: ["": 19]>
g (uint8[N, H, W, 3] image, int64[4] sizes) => (uint8[N, h, w, 3] small)
{ small = Resize <mode = "linear", antialias = 1, exclude_outside = 1> (image, , , sizes) }
"""


@pytest.fixture(scope="module")
def runtime() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(onnx.parser.parse_model(GRAPH).SerializeToString())


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 2), st.integers(0, 2**32 - 1))
def test_every_level_is_onnx_runtimes(
    runtime: onnxruntime.InferenceSession, rows: int, columns: int, count: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (count, rows, columns, 3), dtype=np.uint8)
    height, width = target_size(rows, columns) if seed % 2 else map(int, rng.integers(1, 200, 2))
    sizes = np.array([count, height, width, 3])
    expected = runtime.run(None, {"image": rgb, "sizes": sizes})[0]
    assert np.array_equal(resize_like_file(rgb, height=height, width=width), expected)


@pytest.mark.parametrize(("rows", "columns"), [(480, 640), (512, 341), (37, 53), (1, 400), (1000, 3)])
def test_levels_are_pillows_but_for_ties(rows: int, columns: int) -> None:
    rgb = np.asarray(PilImage.fromarray(photos.coffee()).resize((columns, rows), PilImage.Resampling.LANCZOS))
    height, width = target_size(rows, columns)
    pillow = np.asarray(
        PilImage.fromarray(rgb).resize((width, height), PilImage.Resampling.BILINEAR), np.int16
    )
    apart = np.abs(resize_like_file(rgb[None], height=height, width=width)[0] - pillow)
    assert apart.max() <= 1
    assert apart.mean() < 0.005


def test_the_same_size_is_the_same_photo() -> None:
    rgb = photos.coffee()[None, :40, :50]
    assert np.array_equal(resize_like_file(rgb, height=40, width=50), rgb)
