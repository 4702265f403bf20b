"""``leadline.pipeline`` beside ``transformers.pipeline``, with the same weights."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PilImage

import leadline
from leadline.bridges import pipeline as bridge
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, MissingExtra, UnknownName
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.flows.pipeline import DepthPipeline, _device, _reference
from leadline.io.weights import locate
from leadline.plugins.registry import MODELS

FAMILIES = ["dpt-tiny", "glpn-tiny", "zoedepth-tiny", "depth-anything-tiny", "depth-anything-metric-tiny", "depth-pro-tiny", "tipsv2-dpt-tiny"]  # fmt: skip
CUT = {"glpn-tiny", "zoedepth-tiny", "depth-anything-metric-tiny", "tipsv2-dpt-tiny"}
"""Metric families: depth stays within what the network said before it was enlarged, and the picture with it."""


def photo(height: int, width: int) -> PilImage.Image:
    rng = np.random.default_rng(height)
    rows, columns = np.mgrid[:height, :width]
    waves = np.stack([127 + 90 * np.sin(rows / 9 + columns / (7 + k) + k) for k in range(3)], -1)
    noisy = waves + rng.normal(0, 12, waves.shape)
    return PilImage.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


PHOTOS = [photo(37, 53), photo(101, 77)]


def grey(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture as transformers makes it."""
    levels: NDArray[np.uint8] = ((values - values.min()) / (values.max() - values.min()) * 255).astype(
        np.uint8
    )
    return levels


@pytest.mark.parametrize("name", FAMILIES)
def test_it_gives_what_transformers_gives(name: str) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.pipeline("depth-estimation", model=str(locate(MODELS.get(name).weights, name=name)))
    with leadline.pipeline("depth-estimation", model=name) as ours:
        for due, got in zip(theirs(PHOTOS), ours(PHOTOS), strict=True):
            assert got.keys() == due.keys()
            assert type(got["predicted_depth"]) is type(due["predicted_depth"])
            assert got["predicted_depth"].dtype == due["predicted_depth"].dtype
            assert got["predicted_depth"].shape == due["predicted_depth"].squeeze().shape
            values, reference = got["predicted_depth"].numpy(), due["predicted_depth"].squeeze().numpy()
            if name in CUT:
                reference = reference.clip(values.min(), values.max())
            assert np.abs(values - reference).max() <= 1e-3 * np.abs(reference).max()
            assert (got["depth"].size, got["depth"].mode) == (due["depth"].size, due["depth"].mode)
            picture = grey(reference) if name in CUT else np.asarray(due["depth"])
            assert picture.std() > 5
            apart = np.abs(np.asarray(got["depth"]).astype(int) - picture)
            # A level that is rounded down falls to the one below where a value differs in its last digits.
            assert apart.max() <= 1
            assert (apart > 0).mean() < 0.01


@pytest.fixture(scope="module")
def small() -> Iterator[DepthPipeline]:
    with leadline.pipeline(model="leadline-indoor-tiny", tensors="numpy") as made:
        yield made


def test_one_photo_is_a_dict_and_several_are_as_they_came(small: DepthPipeline, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    PHOTOS[0].save(path)
    due = leadline.predict(path, model="leadline-indoor-tiny").depth.values
    one = small(str(path))
    assert np.array_equal(one["predicted_depth"], due)
    assert np.array_equal(np.asarray(one["depth"]), grey(due))
    for source in (path, PHOTOS[0], np.asarray(PHOTOS[0]), BytesIO(path.read_bytes()), path.read_bytes()):
        assert np.array_equal(small(source)["predicted_depth"], due)
    several = small([path, PHOTOS[1], PHOTOS[0]], batch_size=2)
    assert isinstance(several, list)
    assert [answer["depth"].size for answer in several] == [(53, 37), (77, 101), (53, 37)]
    np.testing.assert_allclose(several[2]["predicted_depth"], due, rtol=1e-4)
    assert small([]) == []


def test_an_iterator_is_read_as_its_answers_are(small: DepthPipeline) -> None:
    read: list[int] = []

    def photos() -> Iterator[PilImage.Image]:
        for place in range(4):
            read.append(place)
            yield PHOTOS[0]

    answers = small(photos(), batch_size=2)
    assert next(answers)["depth"].size == (53, 37)
    assert read == [0, 1]
    assert len(list(answers)) == 3


def test_it_says_what_its_numbers_are(small: DepthPipeline) -> None:
    assert (small.task, small.kind) == ("depth-estimation", Kind())
    assert repr(small).startswith("DepthPipeline of Model 'leadline-indoor-tiny', metres")


def test_unknown_pixels_are_black_and_sky_is_farthest() -> None:
    values = np.array([[1, 2, 3, np.nan, np.inf]], np.float32)
    sky = np.array([[False, False, False, False, True]])
    far = bridge.as_depth_estimation(DepthMap(values, Kind(), infinite=sky), tensors="numpy")
    assert np.asarray(far["depth"]).tolist() == [[0, 127, 255, 0, 255]]
    assert np.array_equal(far["predicted_depth"], values, equal_nan=True)
    inverse = Kind(Quantity.INVERSE, Freedom.AFFINE)
    values = np.array([[1, 2, 3, np.nan, 0]], np.float32)
    near = bridge.as_depth_estimation(DepthMap(values, inverse, infinite=sky), tensors="numpy")
    assert np.asarray(near["depth"]).tolist() == [[0, 127, 255, 0, 0]]
    flat = bridge.as_depth_estimation(DepthMap(np.full((2, 2), 3.0), Kind()), tensors="numpy")
    assert np.asarray(flat["depth"]).tolist() == [[0, 0], [0, 0]]


def test_what_it_does_not_do_is_said_before_a_model_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UnknownName, match="no task of a pipeline is called 'image-classification'; known: depth-estimation"
    ):
        leadline.pipeline("image-classification", model="nowhere")
    with pytest.raises(InputError, match="tensors = 'tf' is not one of torch, numpy"):
        leadline.pipeline(model="nowhere", tensors="tf")
    monkeypatch.setattr(bridge, "has", lambda package: False)
    with pytest.raises(
        MissingExtra, match=r"\(tensors='numpy' needs none\) needs 'torch': pip install 'leadline\[torch\]'"
    ):
        leadline.pipeline(model="nowhere")
    with pytest.raises(
        InputError, match=r"needs a low-resolution depth map .* use open_model\(\.\.\.\)\.predict"
    ):
        leadline.pipeline(model="prompt-depth-anything-tiny", tensors="numpy")


def test_batches_of_nothing_are_refused(small: DepthPipeline) -> None:
    with pytest.raises(InputError, match="batch_size = 0 is no photo at all"):
        small(PHOTOS, batch_size=0)


def test_names_are_taken_as_transformers_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _reference("Intel/dpt-large", "") == "hf:Intel/dpt-large"
    assert _reference("hf:Intel/dpt-large", "v1") == "hf:Intel/dpt-large@v1"
    assert _reference("depth-anything-v2-small", "") == "depth-anything-v2-small"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my/net").mkdir(parents=True)
    assert _reference("my/net", "") == "my/net"
    with pytest.raises(InputError, match="'my/net' is no ORG/NAME of the hub, and so has no revision 'v1'"):
        _reference("my/net", "v1")
    assert [_device(device) for device in (-1, 1, "cuda", "auto")] == ["cpu", "cuda:1", "cuda", "auto"]


def test_a_kind_can_be_said() -> None:
    pytest.importorskip("transformers")
    folder = str(locate(MODELS.get("dpt-tiny").weights, name="dpt-tiny"))
    with pytest.raises(InputError, match="nothing in it says which"):
        leadline.pipeline(model=folder)
    with leadline.pipeline(model=folder, kind="affine-inverse", device=-1) as made:
        assert made.kind == Kind(Quantity.INVERSE, Freedom.AFFINE)
