"""The model file in ONNX Runtime against the network in torch, over photos of odd sizes and shapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image as PilImage
from skimage import data as photos

from leadline.core.errors import WeightsError
from leadline.io.weights import locate
from leadline.models.leadline_indoor.net import IndoorNet, build
from leadline.models.leadline_indoor.spec import SMALL
from leadline.models.leadline_indoor.whole import load_file_weights, predict_whole, read_file_weights
from leadline.testing.tiny import indoor, indoor_net

FIXED = [(480, 640), (1, 1), (1, 4000), (4000, 1), (37, 53), (300, 2400), (2400, 300), (2, 3), (960, 1280)]
"""Rows and columns: the common size, single pixels, lines, odd sides, panoramas, a thumbnail, a larger photo."""


def sizes() -> list[tuple[int, int]]:
    rng = np.random.default_rng(2)
    drawn = np.exp(rng.uniform(np.log(2), np.log(900), (50 - len(FIXED), 2))).astype(int)
    return [*FIXED, *((int(rows), int(columns)) for rows, columns in drawn)]


def photo(number: int, size: tuple[int, int]) -> np.ndarray:
    source = (photos.astronaut, photos.coffee, photos.chelsea, photos.rocket)[number % 4]()
    return np.asarray(PilImage.fromarray(source).resize(size[::-1], PilImage.Resampling.BICUBIC))


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tests share their cores; threads that wait for each other do not."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return indoor(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module", params=["small", "tiny"])
def pair(request: pytest.FixtureRequest) -> tuple[onnxruntime.InferenceSession, IndoorNet]:
    if request.param == "small":
        path, net = locate(SMALL.weights, name=SMALL.name), build()
    else:
        path, net = request.getfixturevalue("tiny_file"), indoor_net()
    return session(path), load_file_weights(net, path)


def test_fifty_photos_agree(pair: tuple[onnxruntime.InferenceSession, IndoorNet]) -> None:
    runtime, net = pair
    worst = 0.0
    for number, size in enumerate(sizes()):
        rgb, focal_px = photo(number, size)[None], np.array([0.5 * size[1] + number], np.float32)
        ours = predict_whole(net, rgb, focal_px=focal_px)
        theirs = runtime.run(["depth"], {"image": rgb, "focal_px": focal_px})[0]
        assert theirs.shape == ours.shape == (1, *size)
        assert np.isfinite(theirs).all()
        assert theirs.min() > 0
        worst = max(worst, float(np.abs(theirs - ours).max() / np.abs(ours).max()))
    assert worst <= 1e-4


def test_a_batch_is_its_photos_one_by_one(pair: tuple[onnxruntime.InferenceSession, IndoorNet]) -> None:
    runtime, _ = pair
    rgb = np.stack([photo(i, (120, 200)) for i in range(3)])
    focal_px = np.array([100.0, 150.0, 400.0], np.float32)
    together = runtime.run(["depth"], {"image": rgb, "focal_px": focal_px})[0]
    for i in range(3):
        alone = runtime.run(["depth"], {"image": rgb[i : i + 1], "focal_px": focal_px[i : i + 1]})[0][0]
        assert together[i] == pytest.approx(alone, rel=1e-5)


def test_metres_do_not_depend_on_the_resolution(pair: tuple[onnxruntime.InferenceSession, IndoorNet]) -> None:
    runtime, _ = pair
    half, full = photo(1, (240, 320)), photo(1, (480, 640))
    one = runtime.run(["depth"], {"image": half[None], "focal_px": np.array([250], np.float32)})[0]
    two = runtime.run(["depth"], {"image": full[None], "focal_px": np.array([500], np.float32)})[0]
    assert np.median(two) == pytest.approx(np.median(one), rel=0.02)


def test_twice_the_focal_length_is_twice_the_metres(
    pair: tuple[onnxruntime.InferenceSession, IndoorNet],
) -> None:
    runtime, _ = pair
    rgb = photo(0, (100, 140))[None]
    one, two = (
        runtime.run(["depth"], {"image": rgb, "focal_px": np.array([f], np.float32)})[0]
        for f in (90.0, 180.0)
    )
    assert two == pytest.approx(one * 2, rel=1e-5)


def test_the_file_that_ships_is_small_and_says_what_it_is() -> None:
    path = locate(SMALL.weights, name=SMALL.name)
    assert path.stat().st_size == SMALL.weights.size_bytes <= 10 * 2**20
    record = session(path).get_modelmeta().custom_metadata_map
    assert record["name"] == SMALL.name
    assert record["version"] == SMALL.version
    assert record["kind"] == str(SMALL.kind)
    assert record["commercial"] == SMALL.commercial.value
    assert "NYU" in record["training_data"]


def test_the_file_that_ships_comes_from_the_recipe_that_ships() -> None:
    from leadline.training.recipe_files import load_recipe

    path = locate(SMALL.weights, name=SMALL.name)
    record = session(path).get_modelmeta().custom_metadata_map
    assert record == load_recipe(record["recipe"]).record


def test_names_are_those_of_the_state_dict(tiny_file: Path) -> None:
    assert set(read_file_weights(tiny_file)) == set(indoor_net().folded().state_dict())


def test_files_that_cannot_be_used_are_refused(tmp_path: Path, tiny_file: Path) -> None:
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(tiny_file.read_bytes()[:1000])
    for path in (damaged, tmp_path / "absent.onnx"):
        with pytest.raises(WeightsError, match="is no ONNX file that can be read"):
            read_file_weights(path)
    with pytest.raises(WeightsError, match="holds another network"):
        load_file_weights(build(), tiny_file)
