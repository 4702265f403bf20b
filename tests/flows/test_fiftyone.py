"""``leadline fiftyone`` from Python and from the command line, on a real database."""

from __future__ import annotations

import math
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

import leadline
from leadline.bridges.fiftyone_app import open_app
from leadline.core.errors import InputError, KindError, OutputError
from leadline.flows import fiftyone as flow
from leadline.flows.evaluate.records import Row
from leadline.flows.fiftyone import FiftyOneRequest, run
from leadline.flows.model import Model
from leadline.plugins.specs import ModelSpec
from leadline.testing.layouts import folder as plain

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fiftyone.md"
ROOMS = {"data": "synthetic", "protocol": "nyu-eigen-filled", "changes": ("dataset=any",)}
AFFINE = {"data": "synthetic", "protocol": "zero-shot-affine-depth", "changes": ("dataset=any",)}


@pytest.fixture
def clean(fiftyone: ModuleType) -> Iterator[ModuleType]:
    """FiftyOne without the datasets that a test leaves."""
    before = set(fiftyone.list_datasets())
    yield fiftyone
    for name in set(fiftyone.list_datasets()) - before:
        fiftyone.delete_dataset(name)


def _request(tmp_path: Path, **more: Any) -> FiftyOneRequest:
    return FiftyOneRequest(
        **{**ROOMS, "first": 3, "name": "rooms", "out": tmp_path / "out", "no_launch": True, **more}
    )


def test_every_photo_is_there_once_with_the_rows_own_scores(
    clean: ModuleType, known: ModelSpec, tmp_path: Path
) -> None:
    report = run(_request(tmp_path, models=(known.name,)))
    dataset = clean.load_dataset("rooms")
    assert (report.samples, len(dataset)) == (3, 3)
    (shown,) = report.shown
    assert shown.field == "brightness_test"
    rows = {row.sample: row.scores["protocol"] for row in report.evaluation.rows}
    for document in dataset:
        label, scores = document.brightness_test, rows[document.leadline_id]
        assert (label.rmse, label.abs_rel, label.delta1) == (scores.rmse, scores.abs_rel, scores.delta1)
        assert document.tags == ["synthetic"] or document.tags[0] == "synthetic"
    figure = report.evaluation.figure(known.name, "rmse")
    assert dataset.mean("brightness_test.rmse") == pytest.approx(figure.mean, rel=1e-12)
    assert shown.means["rmse"] == pytest.approx(figure.mean, rel=1e-12)


def test_what_is_shown_is_what_the_model_says(clean: ModuleType, known: ModelSpec, tmp_path: Path) -> None:
    run(_request(tmp_path, models=(f"red={known.name}",), first=1))
    document = clean.load_dataset("rooms").first()
    expected = leadline.predict(document.filepath, model=known.name, focal_px=document.camera["fx"]).depth
    made = document.red.get_map() * document.red.scale
    np.testing.assert_allclose(made, expected.values, atol=0.00051)
    (sample,) = leadline.open_dataset("synthetic").select(first=1)
    off = document.ground_truth.get_map() * document.ground_truth.scale - np.nan_to_num(sample.truth.values)
    assert np.abs(off).max() < 0.00051


def test_again_nothing_is_predicted_and_another_model_is_added(
    clean: ModuleType, known: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    infer = Model.infer

    def counted(self: Model, images: Sequence[Any], **more: Any) -> Any:
        asked.append(len(images))
        return infer(self, images, **more)

    monkeypatch.setattr(Model, "infer", counted)
    run(_request(tmp_path, models=(known.name,), no_cache=True))
    before = clean.load_dataset("rooms").values("brightness_test.id")
    assert sum(asked) == 3
    report = run(_request(tmp_path, models=(known.name, "leadline-indoor-small"), no_cache=True))
    dataset = clean.load_dataset("rooms")
    assert sum(asked) == 6
    assert len(dataset) == 3
    assert dataset.values("brightness_test.id") == before, "labels that are there are left alone"
    assert [shown.field for shown in report.shown] == ["brightness_test", "leadline_indoor_small"]
    assert dataset.count("leadline_indoor_small") == 3


def test_more_samples_are_added_to_those_that_are_there(
    clean: ModuleType, known: ModelSpec, tmp_path: Path
) -> None:
    run(_request(tmp_path, models=(known.name,), first=2))
    assert run(_request(tmp_path, models=(known.name,), first=4)).samples == 4
    assert len(set(clean.load_dataset("rooms").values("leadline_id"))) == 4


def test_stopped_half_way_it_goes_on(clean: ModuleType, known: ModelSpec, tmp_path: Path) -> None:
    def stop(event: Any) -> None:
        if isinstance(event, Row):
            stop.rows += 1  # type: ignore[attr-defined]
            if stop.rows == 2:  # type: ignore[attr-defined]
                raise KeyboardInterrupt  # its row is on disk, its label is not in the dataset

    stop.rows = 0  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        run(_request(tmp_path, models=(known.name,)), on_event=stop)
    assert len(clean.load_dataset("rooms")) == 1
    report = run(_request(tmp_path, models=(known.name,)))
    dataset = clean.load_dataset("rooms")
    assert len(dataset) == 3
    figure = report.evaluation.figure(known.name, "rmse")
    assert dataset.mean("brightness_test.rmse") == pytest.approx(figure.mean, rel=1e-12)


def test_a_dataset_that_was_deleted_is_made_again(
    clean: ModuleType, known: ModelSpec, tmp_path: Path
) -> None:
    run(_request(tmp_path, models=(known.name,)))
    clean.delete_dataset("rooms")
    run(_request(tmp_path, models=(known.name,)))
    assert clean.load_dataset("rooms").count("brightness_test") == 3


def test_the_users_own_photo_is_named_and_a_mirrored_one_is_copied(
    clean: ModuleType, known: ModelSpec, shared_data: Path, tmp_path: Path
) -> None:
    sun = f"sunrgbd:{shared_data / 'sunrgbd'}"
    run(_request(tmp_path, data=sun, protocol="sunrgbd", changes=(), models=(known.name,), name="sun"))
    for path in clean.load_dataset("sun").values("filepath"):
        assert Path(path).is_relative_to(shared_data.resolve())
    nyu = f"nyu:{shared_data / 'nyu_train795'}"
    request = _request(
        tmp_path, data=nyu, changes=(), models=(known.name,), first=1, name="nyu", out=tmp_path / "nyu"
    )
    run(request)
    (path,) = clean.load_dataset("nyu").values("filepath")
    assert Path(path).parent == tmp_path / "nyu" / "photos"
    (sample,) = leadline.open_dataset(nyu).select(first=1)
    np.testing.assert_array_equal(np.asarray(PilImage.open(path)), sample.image.rgb_HW3)


def test_a_name_that_is_taken_and_another_protocol_are_refused_before_anything_is_predicted(
    clean: ModuleType, known: ModelSpec, tmp_path: Path, command: Callable[..., Any]
) -> None:
    clean.Dataset("theirs", persistent=True)
    with pytest.raises(InputError, match="leadline did not make it"):
        run(_request(tmp_path, name="theirs"))
    run(_request(tmp_path, models=(known.name,), first=1))
    line = [
        "fiftyone",
        "-d",
        "synthetic",
        "-p",
        "median-scaled",
        "--set",
        "dataset=any",
        "--first",
        "1",
        "--no-launch",
    ]
    ended = command(*line, "--name", "rooms")
    assert ended.status == 3
    assert re.search(
        r"leadline: the FiftyOne dataset 'rooms' holds protocol 'nyu-eigen-filled.*; choose another",
        ended.err,
    )
    assert "Traceback" not in ended.err


def test_other_photos_of_the_same_ids_are_refused(
    clean: ModuleType, known: ModelSpec, tmp_path: Path, command: Callable[..., Any]
) -> None:
    """A second run with other data must not report the one and keep the other's photos and scores."""
    options = [f"{key}={value}" for key, value in plain.write(tmp_path / "a")[1].items()]
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    line = [
        *("fiftyone", "-p", "nyu-eigen-filled", "--set", "dataset=any", "-m", known.name, "--no-launch"),
        *("--out", tmp_path / "out", "--name", "ab"),
        *(word for option in options for word in ("--option", option)),
    ]
    first = command(*line, "-d", f"folder:{tmp_path / 'a'}")
    assert first.status == 0, first.err
    there = command(*line, "-d", f"folder:{tmp_path / 'b'}")
    assert there.status == 3
    assert f"'ab' holds place {str(tmp_path / 'a')!r}, not {str(tmp_path / 'b')!r}" in there.err
    assert command(*line, "-d", f"folder:{tmp_path / 'a'}").status == 0
    changed = next(path for path in (tmp_path / "a").rglob("*") if path.is_file())
    os.utime(changed, ns=(0, changed.stat().st_mtime_ns + 1))
    ended = command(*line, "-d", f"folder:{tmp_path / 'a'}")
    assert ended.status == 3
    assert "holds photos and depth as they were before files changed; choose another --name" in ended.err


def test_a_metric_that_no_sample_has_ends_in_no_number(
    clean: ModuleType, known: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = flow._scores
    monkeypatch.setattr(flow, "_scores", lambda *given: {**scores(*given), "rmse": math.nan})
    (shown,) = run(_request(tmp_path, models=(known.name,))).shown
    assert math.isnan(shown.means["rmse"])
    assert shown.means["abs_rel"] > 0


def test_a_kind_that_the_protocol_cannot_score_leaves_nothing_behind(
    clean: ModuleType, tmp_path: Path
) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(KindError, match="needs metric-depth"):
        run(_request(tmp_path, models=("dpt-tiny",), name="nothing"))
    assert not clean.dataset_exists("nothing")


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("-d synthetic --port 0", 2, "--port"),
        ("-d synthetic --maps tiff", 2, "--maps"),
        (
            "-d synthetic -m 1st=nobody -p nyu-eigen-filled --set dataset=any",
            5,
            "no model is called '1st=nobody'",
        ),
        ("-d nowhere:there", 5, "no dataset is called 'nowhere'"),
        (
            "-d synthetic -m ground_truth=leadline-indoor-small -p nyu-eigen-filled --set dataset=any --first 1",
            3,
            "is no name",
        ),
    ],
)
def test_bad_input_is_told_in_one_line(
    clean: ModuleType, command: Callable[..., Any], tmp_path: Path, line: str, status: int, said: str
) -> None:
    ended = command("fiftyone", *line.split(), "--no-launch", "--out", tmp_path / "out", "--name", "bad")
    assert ended.status == status
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert not clean.dataset_exists("bad")


def test_without_fiftyone_the_pip_line_is_named(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadline.plugins.need.has", lambda package: package not in ("fiftyone", "pymongo"))
    line = "fiftyone -d synthetic -p nyu-eigen-filled --set dataset=any --first 1 --no-launch"
    ended = command(*line.split())
    assert ended.status == 6
    assert "pip install 'leadline[fiftyone]'" in ended.err


@pytest.mark.slow  # a server of its own, which is ended by a signal: on a busy machine it is not always waiting yet
def test_the_app_is_served_until_it_is_ended(
    fiftyone: ModuleType,
    clean: ModuleType,
    plugged: dict[str, str],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    port = free_port()
    line = f"fiftyone -d synthetic -m brightness-test -p nyu-eigen-filled --set dataset=any --first 1 --port {port} --remote --name app"
    served = subprocess.Popen(
        [sys.executable, "-m", "leadline", *line.split(), "--out", tmp_path / "out"],
        env=plugged,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        page = _fetched(f"http://127.0.0.1:{port}/datasets/app", served)
        assert b"FiftyOne" in page
        document = clean.load_dataset("app").first()
        picture = _fetched(f"http://127.0.0.1:{port}/media?filepath={document.ground_truth.map_path}", served)
        assert picture == Path(document.ground_truth.map_path).read_bytes()
    finally:
        served.send_signal(signal.SIGTERM)
        out, _ = served.communicate(timeout=120)
    assert served.returncode == 0, out
    assert f":{port}/datasets/app" in out
    assert "Traceback" not in out
    assert clean.dataset_exists("app")


def test_a_port_that_is_taken_is_told_before_anything_is_done(
    clean: ModuleType, known: ModelSpec, command: Callable[..., Any], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = f"fiftyone -d synthetic -m {known.name} -p nyu-eigen-filled --set dataset=any --first 1 --port {port}"
        ended = command(*line.split(), "--out", tmp_path / "out", "--name", "taken")
    assert ended.status == 3
    assert re.search(rf"port {port} of \S+ cannot be had: .*; name another with --port", ended.err)
    assert not clean.dataset_exists("taken")


def test_an_app_of_nothing_is_refused(fiftyone: ModuleType) -> None:
    with pytest.raises(InputError, match="FiftyOne has no dataset 'nothing'"):
        open_app("nothing")


def _fetched(address: str, served: subprocess.Popen[str]) -> bytes:
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return bytes(answer.read())
        except OSError:
            assert served.poll() is None, served.stdout.read() if served.stdout else ""
            time.sleep(0.3)
    raise AssertionError(f"nobody answers at {address}")


def test_what_the_page_shows_runs_and_its_means_are_the_articles(
    clean: ModuleType,
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The page's Python, word for word but for where the data lies and which models stand for the downloads."""
    for package in ("transformers", "diffusers", "skimage"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "SUNRGBD" / "kv1").mkdir(parents=True)
    (tmp_path / "SUNRGBD" / "kv1" / "NYUdata").symlink_to(shared_data / "sunrgbd")
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    code = "\n".join(blocks)
    assert "dpt=dpt-hybrid-midas" in code
    assert "marigold=marigold-v1-0" in code
    monkeypatch.setenv("FIFTYONE_DEFAULT_DATASET_DIR", str(tmp_path))
    names: dict[str, Any] = {}
    code = code.replace("dpt-hybrid-midas", "dpt-tiny").replace("marigold-v1-0", "marigold-tiny")
    code = code.replace("first=20,", 'first=20,\n    out="files",')
    exec(compile(code, str(PAGE), "exec"), names)
    said = dict(re.findall(r"^Mean (\w+ for \w+): (.+)$", capsys.readouterr().out, re.MULTILINE))
    for field, model in (("dpt", "dpt-tiny"), ("marigold", "marigold-tiny")):
        means = _by_the_article(shared_data / "sunrgbd", model)
        for metric, mean in means.items():
            assert float(said[f"{metric} for {field}"]) == pytest.approx(mean, rel=1e-9), (field, metric)
    label = names["label"]
    assert names["metres"].shape == names["depth"].shape
    # Random weights may run the other way, and then nothing aligns them.
    metric, relative = ("metric-depth", "m"), ("affine-invariant-inverse-depth", "arbitrary")
    assert (label.kind, label.unit) in (metric, relative)
    np.testing.assert_allclose(names["metres"], np.nan_to_num(names["depth"].values), rtol=1e-6)


def _by_the_article(folder: Path, model: str) -> dict[str, float]:
    """The article's workflow in its own lines: PNG files as they lie, pictures of 8 bits, scikit-image, means."""
    from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

    figures: dict[str, list[float]] = {"rmse": [], "psnr": [], "ssim": []}
    with leadline.open_model(model) as opened:
        for scene in sorted(folder.iterdir()):
            stored = np.array(PilImage.open(next(scene.glob("depth_bfx/*")))).astype(np.int32)
            truth = (stored * 255 / np.max(stored)).astype("uint8")
            output = opened.predict(next(scene.glob("image/*"))).depth.values
            if model == "dpt-tiny":
                made = (255 - output * 255 / np.max(output)).astype("uint8")
            else:
                grey = (output * 255 / np.max(output)).astype("uint8")
                made = (255 - np.repeat(grey[..., None], 3, -1)[:, :, 0]).astype("uint8")
            figures["rmse"].append(float(np.sqrt(mean_squared_error(truth, made))))
            figures["psnr"].append(float(peak_signal_noise_ratio(truth, made)))
            figures["ssim"].append(float(structural_similarity(truth, made)))
    return {name: float(np.mean(values)) for name, values in figures.items()}


def test_the_pages_commands_are_commands(
    clean: ModuleType, shared_data: Path, command: Callable[..., Any], tmp_path: Path
) -> None:
    lines = re.findall(r"^leadline fiftyone (.+)$", PAGE.read_text(), re.MULTILINE)
    assert len(lines) == 3
    for package in ("transformers", "diffusers"):
        pytest.importorskip(package)
    line = next(line for line in lines if "--name SUNRGBD-20" in line)
    line = line.replace("SUNRGBD/kv1/NYUdata", str(shared_data / "sunrgbd"))
    line = line.replace("dpt-hybrid-midas", "dpt-tiny").replace("marigold-v1-0", "marigold-tiny")
    ended = command("fiftyone", *shlex.split(line), "--no-launch", "--out", tmp_path / "files")
    assert ended.status == 0, ended.err
    for field in ("dpt", "marigold"):
        for metric in ("rmse", "psnr", "ssim"):
            mean = float(re.search(rf'dataset\.mean\("{field}\.{metric}"\) = (\S+)', ended.out)[1])  # type: ignore[index]
            assert clean.load_dataset("SUNRGBD-20").mean(f"{field}.{metric}") == pytest.approx(mean, rel=1e-5)


def test_affine_predictions_are_shown_in_metres(clean: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    run(_request(tmp_path, **AFFINE, models=("m=marigold-tiny",), first=1))
    label = clean.load_dataset("rooms").first().m
    assert (label.kind, label.predicts) == ("metric-depth", "affine-invariant-depth")
    assert label.aligned == "affine-depth"


def test_a_database_that_is_not_there_is_told(
    command: Callable[..., Any],
    fiftyone: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    free_port: Callable[[], int],
) -> None:
    monkeypatch.setenv("FIFTYONE_DATABASE_URI", f"mongodb://127.0.0.1:{free_port()}")
    line = "fiftyone -d synthetic -p nyu-eigen-filled --set dataset=any --first 1 --no-launch"
    ended = command(*line.split())
    assert ended.status == OutputError.exit_status
    assert "is not to be had" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert os.environ["FIFTYONE_DO_NOT_TRACK"] == "true"
