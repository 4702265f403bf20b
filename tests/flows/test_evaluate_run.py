"""Whole evaluations: resumed, cached, of models and of files, and what is refused before anything is predicted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

import leadline
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, InputError, KindError, OutputError, UnknownName
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.flows.evaluate.records import Evaluation, Judged, Row
from leadline.flows.evaluate.request import EvaluateRequest
from leadline.flows.evaluate.row_files import row_of
from leadline.flows.evaluate.run import Begun, Noted, run
from leadline.flows.evaluate.wording import verdict
from leadline.flows.model import Model, open_model
from leadline.plugins.specs import ModelSpec

FOCAL_PX = 40.0
COUNT = 8


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def metres_of(number: int) -> np.ndarray:
    return np.random.default_rng(100 + number).uniform(0.05, 0.3, (24, 32))


@pytest.fixture
def data(tmp_path: Path) -> str:
    """Photos with millimetres of depth. The model ``brightness-test`` sees (1 + red / 255) x f / 500 metres in them."""
    folder = tmp_path / "data"
    for part in ("rgb", "depth"):
        (folder / part).mkdir(parents=True)
    for number in range(COUNT):
        red = np.random.default_rng(number).integers(0, 256, (24, 32, 3), np.uint8)
        PilImage.fromarray(red).save(folder / "rgb" / f"{number:04}.png")
        stored = np.rint(metres_of(number) * 1000).astype(np.uint16)
        PilImage.fromarray(stored).save(folder / "depth" / f"{number:04}.png")
    return f"folder:{folder}"


OPTIONS = ("encoding=mm", f"camera={FOCAL_PX},{FOCAL_PX},15.5,11.5")


def asked(data: str, out: Path, **more: Any) -> EvaluateRequest:
    plain: dict[str, Any] = {
        "models": () if "predictions" in more else ("brightness-test",),
        "protocol": "nyu-eigen-filled",
        "changes": ("dataset=any", "metrics=abs_rel,rmse,delta1,psnr"),
        "option": OPTIONS,
        "out": out,
        "no_report": True,
    }
    return EvaluateRequest(data, **(plain | more))


def inside(array: np.ndarray) -> np.ndarray:
    """The window of NYU in 32x24."""
    return array[round(45 / 20) : round(471 / 20), round(41 / 20) : round(601 / 20)]


def expected_abs_rel(number: int) -> float:
    red = np.random.default_rng(number).integers(0, 256, (24, 32, 3), np.uint8)[..., 0]
    said = (1 + red / 255) * FOCAL_PX / 500
    true = np.rint(metres_of(number) * 1000) / 1000
    return float(np.mean(inside(np.abs(said - true) / true)))


def scores(evaluation: Evaluation) -> list[Any]:
    return [(row.sample, row.scores, row.skipped) for row in evaluation.rows]


def test_rows_and_figures_are_those_of_an_independent_computation(
    known: ModelSpec, data: str, tmp_path: Path
) -> None:
    evaluation = run(asked(data, tmp_path / "out"))
    found = [row.scores["protocol"].abs_rel for row in evaluation.rows]
    expected = [expected_abs_rel(number) for number in range(COUNT)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    figure = evaluation.figure("brightness-test", "abs_rel")
    assert figure.mean == pytest.approx(np.mean(expected), rel=1e-5)
    assert figure.median == pytest.approx(np.median(expected), rel=1e-5)
    assert figure.images == COUNT
    assert figure.low < figure.mean < figure.high
    assert [row.sample for row in evaluation.rows_of("brightness-test")] == [
        row.sample for row in evaluation.rows
    ]
    for asked_for in (("brightness", "abs_rel", "protocol"), ("brightness-test", "absrel", "protocol")):
        with pytest.raises(UnknownName, match="did you mean"):
            evaluation.figure(*asked_for[:2], rung=asked_for[2])
    with pytest.raises(UnknownName, match="no rung is called 'nowhere'"):
        evaluation.figure("brightness-test", "abs_rel", rung="nowhere")
    assert repr(evaluation).startswith("Evaluation of brightness-test under nyu-eigen-filled+")
    assert evaluation.chosen == "8 samples"


def test_the_folder_holds_rows_tables_and_a_manifest(known: ModelSpec, data: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    evaluation = run(asked(data, out))
    lines = next((out / "rows").glob("brightness-test-*.jsonl")).read_text().splitlines()
    assert sorted(row_of(line).sample for line in lines) == [row.sample for row in evaluation.rows]
    assert len((out / "rows.csv").read_text().splitlines()) == COUNT + 1
    manifest = json.loads((out / "evaluation.json").read_text())
    assert manifest["identity"]["protocol"].startswith("nyu-eigen-filled+dataset=any+metrics=")
    assert manifest["models"][0]["name"] == "brightness-test"
    assert manifest["leadline"] == leadline.__version__


def test_the_datasets_own_camera_goes_to_the_model(known: ModelSpec, data: str, tmp_path: Path) -> None:
    seen: list[Judged] = []
    run(asked(data, tmp_path / "out"), on_judged=seen.append)
    assert len(seen) == COUNT
    assert {judged.sample.image.camera.fx for judged in seen} == {FOCAL_PX}
    assert all(not judged.depth.scale_uncertain for judged in seen)


class Stop(Exception):
    """Ends a run in the middle."""


def after(count: int) -> Callable[[Any], None]:
    rows: list[Row] = []

    def listen(event: Any) -> None:
        if isinstance(event, Row):
            rows.append(event)
        if len(rows) == count:
            raise Stop

    return listen


def test_a_run_that_was_stopped_goes_on_and_scores_no_image_twice(
    known: ModelSpec, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(asked(data, tmp_path / "whole", no_cache=True))
    request = asked(data, tmp_path / "out", no_cache=True)
    with pytest.raises(Stop):
        run(request, on_event=after(3))
    predicted: list[int] = []
    infer = Model.infer
    monkeypatch.setattr(
        Model,
        "infer",
        lambda self, images, **more: (predicted.append(len(images)), infer(self, images, **more))[1],
    )
    events: list[Any] = []
    again = run(request, on_event=events.append)
    assert scores(again) == scores(whole)
    assert events[0] == Begun("brightness-test", COUNT, 3)
    assert sum(predicted) == COUNT - 3
    assert len(next((tmp_path / "out" / "rows").iterdir()).read_text().splitlines()) == COUNT
    assert again.summaries == whole.summaries


def test_killed_for_good_it_goes_on_too(plugged: dict[str, str], data: str, tmp_path: Path) -> None:
    def line(out: Path) -> list[str]:
        options = [word for option in OPTIONS for word in ("--option", option)]
        place = ["-d", data, "-m", "brightness-test", "-o", str(out), "--no-report"]
        return [
            sys.executable,
            "-m",
            "leadline",
            "evaluate",
            *place,
            *options,
            "-p",
            "nyu-eigen",
            "--set",
            "dataset=any",
        ]

    env = plugged | {
        "PYTHONPATH": os.pathsep.join([plugged["PYTHONPATH"], str(Path(leadline.__file__).parents[1])])
    }
    subprocess.run(line(tmp_path / "whole"), check=True, env=env, capture_output=True)
    rows = tmp_path / "out" / "rows"
    with subprocess.Popen(line(tmp_path / "out"), env=env, stdout=subprocess.DEVNULL) as killed:
        until = time.monotonic() + 60
        while time.monotonic() < until and not any(file.stat().st_size for file in rows.glob("*.jsonl")):
            time.sleep(0.002)
        killed.send_signal(signal.SIGKILL)
    (file,) = rows.glob("*.jsonl")
    with file.open("a") as cut:
        cut.write('{"model": "brightness-test", "samp')
    subprocess.run(line(tmp_path / "out"), check=True, env=env, capture_output=True)

    def of(folder: str) -> dict[str, Any]:
        (path,) = (tmp_path / folder / "rows").glob("*.jsonl")
        rows = [row_of(line) for line in path.read_text().splitlines()]
        assert len(rows) == COUNT
        return {row.sample: row.scores for row in rows}

    assert of("out") == of("whole")


def test_predictions_are_kept_for_another_protocol(
    known: ModelSpec, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(asked(data, tmp_path / "one"))
    monkeypatch.setattr(Model, "infer", lambda *_, **__: pytest.fail("the network ran again"))
    again = run(asked(data, tmp_path / "two"))
    assert scores(first) == scores(again)
    other = run(asked(data, tmp_path / "three", protocol="median-scaled", changes=()))
    assert other.protocol.name == "median-scaled"
    assert all(row.time_s == 0 for row in other.rows)


def test_nothing_is_kept_where_that_is_asked(
    known: ModelSpec, data: str, tmp_path: Path, cache: Path
) -> None:
    run(asked(data, tmp_path / "out", no_cache=True))
    assert not (cache / "predictions").exists()
    run(asked(data, tmp_path / "out", cache_gb=0.0, again=True))
    assert not list((cache / "predictions").rglob("*.npz"))


def test_another_evaluation_is_not_mixed_in(known: ModelSpec, data: str, tmp_path: Path) -> None:
    run(asked(data, tmp_path / "out"))
    with pytest.raises(InputError, match="holds another evaluation: protocol"):
        run(asked(data, tmp_path / "out", protocol="median-scaled", changes=()))
    with pytest.raises(InputError, match="holds another evaluation: samples 8, not 2"):
        run(asked(data, tmp_path / "out", first=2))


def test_other_files_of_the_same_names_are_another_evaluation(
    known: ModelSpec, data: str, tmp_path: Path
) -> None:
    first = run(asked(data, tmp_path / "out"))
    other = tmp_path / "other"
    shutil.copytree(data.removeprefix("folder:"), other)
    for place in ("depth", "rgb"):
        for number in range(COUNT):
            (other / place / f"{number:04}.png").write_bytes(
                (Path(data.removeprefix("folder:")) / place / f"{COUNT - 1 - number:04}.png").read_bytes()
            )
    with pytest.raises(InputError, match="holds another evaluation: of other files"):
        run(asked(f"folder:{other}", tmp_path / "out"))
    again = run(asked(f"folder:{other}", tmp_path / "theirs"))
    assert scores(again) != scores(first)


def test_what_an_onnx_file_is_told_beside_it_makes_another_model(
    data: str, tmp_path: Path, shared_peers: Path
) -> None:
    net = tmp_path / "net.onnx"
    shutil.copy(next(shared_peers.glob("meter*/*.onnx")), net)
    found = []
    for std in (0.2, 0.4):
        (tmp_path / "net.toml").write_text(
            f'kind = "metric-depth"\nunit = "cm"\nmean = [0.5, 0.5, 0.5]\nstd = [{std}, {std}, {std}]\n'
        )
        found.append(run(asked(data, tmp_path / "out", models=(str(net),), first=1)))
    assert scores(found[0]) != scores(found[1])
    assert len(list((tmp_path / "out" / "rows").iterdir())) == 2


def test_other_photos_to_calibrate_on_are_another_model(
    known: ModelSpec, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "leadline.flows.evaluate.opening.open_model",
        lambda spec, *, int8_photos, **more: open_model(spec, **more),
    )
    photos = sorted((Path(data.removeprefix("folder:")) / "rgb").iterdir())
    copies = [shutil.copy(photo, tmp_path / photo.name) for photo in photos[:2]]
    for names in ((), (str(copies[0]),), (str(copies[1]),)):
        run(asked(data, tmp_path / "out", int8_photos=names, first=1))
    PilImage.fromarray(np.zeros((24, 32, 3), np.uint8)).save(copies[0])
    run(asked(data, tmp_path / "out", int8_photos=(str(copies[0]),), first=1))
    assert len(list((tmp_path / "out" / "rows").iterdir())) == 4


def test_each_model_takes_the_inputs_that_it_has(known: ModelSpec, data: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="no input of brightness-test, dpt-tiny is called 'steps'"):
        run(asked(data, tmp_path / "out", models=("brightness-test", "dpt-tiny"), inputs=("steps=1",)))


def test_a_photo_that_a_model_refuses_is_skipped(
    known: ModelSpec, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    infer, calls = Model.infer, []

    def refuse(self: Model, images: Any, **more: Any) -> Any:
        calls.append(len(images))
        if len(calls) == 2:
            raise InputError("it does not like this photo", hint="give another")
        return infer(self, images, **more)

    monkeypatch.setattr(Model, "infer", refuse)
    evaluation = run(asked(data, tmp_path / "out", no_cache=True))
    (skipped,) = evaluation.skipped
    assert skipped.skipped == "it does not like this photo"
    assert evaluation.figure("brightness-test", "abs_rel").images == COUNT - 1


def test_a_cache_that_cannot_be_written_costs_no_score(
    known: ModelSpec, data: str, tmp_path: Path, cache: Path
) -> None:
    cache.mkdir(exist_ok=True)
    (cache / "predictions").write_text("a file where predictions should go")
    events: list[Any] = []
    evaluation = run(asked(data, tmp_path / "out"), on_event=events.append)
    assert not evaluation.skipped
    assert any("predictions are not kept any more" in note.text for note in events if isinstance(note, Noted))


def test_models_are_settled_before_one_is_opened(
    known: ModelSpec, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadline.flows.evaluate.opening.open_model", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(UnknownName, match="dpt-tiny"):
        run(asked(data, tmp_path / "out", models=("brightness-test", "dpt-tinny")))
    with pytest.raises(InputError, match="needs a prompt with each photo"):
        run(asked(data, tmp_path / "out", models=("prompt-depth-anything-tiny",)))
    assert not (tmp_path / "out").exists()


def test_a_damaged_row_is_named_with_its_file_and_line(known: ModelSpec, data: str, tmp_path: Path) -> None:
    run(asked(data, tmp_path / "out"))
    (file,) = (tmp_path / "out" / "rows").iterdir()
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], lines[1][:40], *lines[2:]]) + "\n")
    with pytest.raises(InputError, match=f"line 2 of '{file}' is no row of an evaluation"):
        run(asked(data, tmp_path / "out"))


def test_a_model_that_leaves_pixels_out_is_not_called_better(data: str, tmp_path: Path) -> None:
    for number in range(COUNT):
        metres = np.rint(metres_of(number) * 1000) / 1000
        holes = np.where(np.arange(24)[:, None] < 20, np.nan, metres)
        leadline.write_depth(tmp_path / "holes" / f"{number:04}.npz", DepthMap(holes, Kind()))
        leadline.write_depth(tmp_path / "whole" / f"{number:04}.npz", DepthMap(metres * 1.05, Kind()))
    evaluation = run(
        asked(data, tmp_path / "out", predictions=(str(tmp_path / "holes"), str(tmp_path / "whole")))
    )
    assert "better" not in {verdict(one) for one in evaluation.comparisons}
    assert all("not told: they predict" in verdict(one) for one in evaluation.comparisons)
    assert all("have no prediction" in row.remarks[0] for row in evaluation.rows_of("holes"))


def test_a_stopped_run_leaves_its_tables(known: ModelSpec, data: str, tmp_path: Path) -> None:
    with pytest.raises(Stop):
        run(asked(data, tmp_path / "out"), on_event=after(3))
    assert len((tmp_path / "out" / "rows.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize("text", ["no json", "[]", "{}"])
def test_a_folder_with_a_strange_manifest_is_left_alone(
    known: ModelSpec, data: str, tmp_path: Path, text: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "evaluation.json").write_text(text)
    with pytest.raises(InputError, match="is no manifest of an evaluation"):
        run(asked(data, out))
    assert (out / "evaluation.json").read_text() == text


def test_a_folder_that_cannot_be_written_is_said(known: ModelSpec, data: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "rows").write_text("a file where rows should go")
    with pytest.raises(OutputError):
        run(asked(data, tmp_path / "out"))


def test_a_full_disk_loses_no_row(
    known: ModelSpec, data: str, tmp_path: Path, small_files: Callable[[], Any]
) -> None:
    folder = Path(data.removeprefix("folder:"))
    for number in range(COUNT, 3 * COUNT):
        for part in ("rgb", "depth"):
            shutil.copy(folder / part / "0000.png", folder / part / f"{number:04}.png")
    request = asked(data, tmp_path / "out", no_cache=True)
    with small_files(), pytest.raises(OutputError):
        run(request)
    (file,) = (tmp_path / "out" / "rows").glob("*.jsonl")
    finished = file.read_text().count("\n")
    assert 0 < finished < 3 * COUNT
    assert scores(run(request)) == scores(run(asked(data, tmp_path / "whole", no_cache=True)))


def test_again_scores_anew(known: ModelSpec, data: str, tmp_path: Path) -> None:
    run(asked(data, tmp_path / "out"))
    events: list[Any] = []
    run(asked(data, tmp_path / "out", again=True), on_event=events.append)
    assert events[0] == Begun("brightness-test", COUNT, 0)


def written(data: str, folder: Path, suffix: str = "_depth.npz") -> Path:
    """Predictions of the closed-form model as leadline writes them."""
    for path in sorted((Path(data.removeprefix("folder:")) / "rgb").iterdir()):
        with leadline.open_model("brightness-test") as model:
            leadline.write_depth(folder / f"{path.stem}{suffix}", model.predict(path, focal_px=FOCAL_PX))
    return folder


def test_files_of_leadline_score_as_the_model_itself(known: ModelSpec, data: str, tmp_path: Path) -> None:
    folder = written(data, tmp_path / "theirs")
    files = run(asked(data, tmp_path / "files", predictions=(str(folder),)))
    model = run(asked(data, tmp_path / "model"))
    assert files.models[0].name == "theirs"
    for one, other in zip(files.rows, model.rows, strict=True):
        assert one.scores["protocol"].abs_rel == pytest.approx(other.scores["protocol"].abs_rel, rel=1e-6)


def test_models_and_files_are_compared_image_by_image(known: ModelSpec, data: str, tmp_path: Path) -> None:
    folder = written(data, tmp_path / "theirs", ".png")
    evaluation = run(
        asked(data, tmp_path / "out", models=("brightness-test",), predictions=(f"mine={folder}",))
    )
    assert [model.name for model in evaluation.models] == ["brightness-test", "mine"]
    (comparison,) = [one for one in evaluation.comparisons if one.metric == "abs_rel"]
    assert (comparison.first, comparison.second) == ("brightness-test", "mine")
    assert comparison.first_wins + comparison.second_wins + comparison.ties == COUNT
    assert abs(comparison.difference) < 0.01


def bare(folder: Path, count: int = COUNT, scale: int = 1000) -> Path:
    """Truth itself as bare 16-bit PNGs."""
    folder.mkdir()
    for number in range(count):
        stored = np.rint(np.rint(metres_of(number) * 1000) / 1000 * scale).astype(np.uint16)
        PilImage.fromarray(stored).save(folder / f"{number:04}.png")
    return folder


@pytest.mark.parametrize(("scale", "said"), [(1000, {"unit": "mm"}), (5000, {"scale": 0.0002})])
def test_bare_files_need_their_kind_and_unit(
    data: str, tmp_path: Path, scale: int, said: dict[str, Any]
) -> None:
    folder = bare(tmp_path / "theirs", scale=scale)
    evaluation = run(asked(data, tmp_path / "out", predictions=(str(folder),), kind="metric-depth", **said))
    assert evaluation.figure("theirs", "abs_rel").mean == pytest.approx(0, abs=2e-3)
    with pytest.raises(KindError, match="kind"):
        run(asked(data, tmp_path / "other", predictions=(str(folder),), **said))


def test_missing_and_extra_files_are_counted_and_named(data: str, tmp_path: Path) -> None:
    folder = bare(tmp_path / "theirs", count=6)
    (folder / "0001.png").rename(folder / "stranger.png")
    notes: list[Any] = []
    request = asked(data, tmp_path / "out", predictions=(str(folder),), kind="metric-depth", unit="mm")
    evaluation = run(request, on_event=notes.append)
    told = [note.text for note in notes if isinstance(note, Noted)]
    assert told == [
        "theirs: 3 (rgb/0001, rgb/0006, rgb/0007) of 8 samples have no file",
        "theirs: 1 (stranger.png) files belong to no sample",
    ]
    assert [row.sample for row in evaluation.skipped] == ["rgb/0001", "rgb/0006", "rgb/0007"]
    assert all("there is no prediction of sample" in row.skipped for row in evaluation.skipped)
    assert evaluation.figure("theirs", "abs_rel").images == 5
    (folder / "stranger.png").rename(folder / "0001.png")
    assert len(run(request).skipped) == 2, "what was skipped is tried again"


def test_a_folder_of_other_names_is_refused(data: str, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    with pytest.raises(InputError, match="holds no depth file of any of the 8 samples"):
        run(asked(data, tmp_path / "out", predictions=(str(folder),)))
    with pytest.raises(InputError, match="is no folder that is here"):
        run(asked(data, tmp_path / "out", predictions=(str(tmp_path / "nowhere"),)))


def test_files_of_two_kinds_are_not_mixed(known: ModelSpec, data: str, tmp_path: Path) -> None:
    folder = written(data, tmp_path / "theirs")
    depth, _ = leadline.read_depth(folder / "0003_depth.npz")
    leadline.write_depth(folder / "0003_depth.npz", replace(depth, kind=Kind(Quantity.DEPTH, Freedom.SCALE)))
    evaluation = run(asked(data, tmp_path / "out", predictions=(str(folder),)))
    (skipped,) = evaluation.skipped
    assert "holds scale-invariant-depth, the files before it metric-depth" in skipped.skipped


def test_images_without_truth_or_prediction_are_skipped_and_named(data: str, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    for number in range(COUNT):
        values = np.full((24, 32), np.nan) if number == 2 else metres_of(number)
        leadline.write_depth(folder / f"{number:04}.npz", DepthMap(values, Kind()))
    blank = np.zeros((24, 32), np.uint16)
    PilImage.fromarray(blank).save(Path(data.removeprefix("folder:")) / "depth" / "0005.png")
    (Path(data.removeprefix("folder:")) / "depth" / "0006.png").write_bytes(b"")
    evaluation = run(asked(data, tmp_path / "out", predictions=(str(folder),)))
    reasons = {row.sample: row.skipped for row in evaluation.skipped}
    assert set(reasons) == {"rgb/0002", "rgb/0005", "rgb/0006"}
    assert "has a prediction" in reasons["rgb/0002"]
    assert "no pixel of known truth lies between" in reasons["rgb/0005"]
    assert "0006.png" in reasons["rgb/0006"]
    assert evaluation.figure("theirs", "abs_rel").images == 5


def test_an_evaluation_without_a_score_says_why(data: str, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    for number in range(COUNT):
        leadline.write_depth(folder / f"{number:04}.npz", DepthMap(np.full((32, 24), 1.0), Kind()))
    with pytest.raises(InputError, match="not one of 8 images could be scored: the prediction is 24x32"):
        run(asked(data, tmp_path / "out", predictions=(str(folder),)))


def test_what_a_protocol_cannot_score_is_refused_before_the_first_image(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "leadline.flows.evaluate.opening.open_model", lambda *_, **__: pytest.fail("it was opened")
    )
    with pytest.raises(KindError, match="'depth-anything-v2-small' predicts affine-invariant-inverse-depth"):
        run(asked(data, tmp_path / "out", models=("depth-anything-v2-small",)))
    folder = tmp_path / "theirs"
    leadline.write_depth(
        folder / "0000.npz", DepthMap(np.ones((24, 32)), Kind(Quantity.INVERSE, Freedom.AFFINE))
    )
    with pytest.raises(KindError, match="'theirs' predicts affine-invariant-inverse-depth"):
        run(asked(data, tmp_path / "out", predictions=(str(folder),)))
    assert not list((tmp_path / "out").glob("rows/*"))


def test_the_mirrored_image_is_averaged_in_where_the_protocol_says_so(
    known: ModelSpec, data: str, tmp_path: Path
) -> None:
    changes = ("dataset=any", "metrics=abs_rel", "flip=true")
    evaluation = run(asked(data, tmp_path / "out", changes=changes))
    assert "2 looks (flip)" in evaluation.models[0].engine
    folder = bare(tmp_path / "theirs")
    with pytest.raises(InputError, match="averages with the mirrored image, which files cannot"):
        run(
            asked(
                data,
                tmp_path / "files",
                changes=changes,
                predictions=(str(folder),),
                kind="metric",
                unit="mm",
            )
        )


def test_two_of_one_name_are_told_apart(data: str, tmp_path: Path) -> None:
    folder, other = bare(tmp_path / "theirs"), tmp_path / "more"
    other.mkdir()
    more = {"kind": "metric-depth", "unit": "mm", "predictions": (str(folder), f"theirs={folder}")}
    with pytest.raises(InputError, match="two of those to be scored are called 'theirs'"):
        run(asked(data, tmp_path / "out", **more))


def test_from_python_it_is_one_call(known: ModelSpec, data: str, tmp_path: Path) -> None:
    folder = bare(tmp_path / "theirs")
    evaluation = leadline.evaluate(
        data,
        models=["brightness-test"],
        protocol="nyu-eigen-filled",
        changes={"dataset": "any", "clamp": False},
        options=dict(option.split("=", 1) for option in OPTIONS),
        first=3,
        out=tmp_path / "out",
    )
    assert evaluation.protocol.name == "nyu-eigen-filled+clamp=false+dataset=any"
    expected = np.mean([expected_abs_rel(number) for number in range(3)])
    assert evaluation.figure("brightness-test", "abs_rel").mean == pytest.approx(expected, rel=1e-5)
    files = leadline.evaluate(
        data,
        predictions={"mine": folder},
        protocol="nyu-eigen-filled",
        changes={"dataset": "any"},
        options=dict(option.split("=", 1) for option in OPTIONS),
        kind="metric-depth",
        unit="mm",
        out=tmp_path / "files",
    )
    assert [model.name for model in files.models] == ["mine"]


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"protocol": "nyu-eigen-filled", "changes": ()}, InputError, "is for nyu, and .* is folder"),
        ({"protocol": "", "changes": ()}, InputError, "has no protocol of its own"),
        ({"protocol": "nyu-egen-filled"}, UnknownName, "nyu-eigen-filled"),
        ({"models": ("brightnes-test",)}, UnknownName, "brightness-test"),
        ({"first": 0}, InputError, "first = 0 is out of range"),
        ({"unit": "mm", "scale": 0.001}, InputError, "give one of --unit and --scale"),
        ({"first": 2, "spread": 2}, InputError, "give one of --first and --spread"),
        ({"changes": ("far_m",)}, InputError, "is not NAME=VALUE"),
        ({"ids": Path("nowhere.txt")}, InputError, "'nowhere.txt' cannot be read"),
        ({"tta": ("flop",)}, UnknownName, "flip"),
    ],
)
def test_bad_requests_are_refused(
    known: ModelSpec, data: str, tmp_path: Path, more: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        run(asked(data, tmp_path / "out", **more))


def test_an_option_that_the_protocol_fixes_cannot_be_another(shared_data: Path, tmp_path: Path) -> None:
    request = EvaluateRequest(
        f"nyu:{shared_data / 'nyu_train795'}",
        protocol="nyu-eigen-raw",
        option=("truth=filled",),
        out=tmp_path,
    )
    with pytest.raises(InputError, match="scores truth=raw, and truth=filled is asked for"):
        run(request)
    with pytest.raises(DatasetError, match="holds truth=filled only; score it under nyu-eigen-filled"):
        run(replace(request, option=()))


def test_training_frames_are_told_as_such(known: ModelSpec, data: str, tmp_path: Path) -> None:
    notes: list[Any] = []
    evaluation = run(
        asked(data, tmp_path / "out", option=(*OPTIONS, "split=train"), first=3), on_event=notes.append
    )
    assert evaluation.chosen == "3 of 8 samples, split train"
    assert any("of the split train" in note.text for note in notes if isinstance(note, Noted))


def test_samples_are_chosen_by_id(known: ModelSpec, data: str, tmp_path: Path) -> None:
    names = tmp_path / "ids.txt"
    names.write_text("rgb/0003\n\nrgb/0005\n")
    evaluation = run(asked(data, tmp_path / "out", ids=names))
    assert [row.sample for row in evaluation.rows] == ["rgb/0003", "rgb/0005"]
    assert len(run(asked(data, tmp_path / "spread", spread=2)).rows) == 2
    names.write_text("\n")
    with pytest.raises(InputError, match="names no sample"):
        run(asked(data, tmp_path / "none", ids=names))


def test_inverse_depth_in_millimetres_means_two_things(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"may mean 1/mm or thousandths of 1/m; say .* --scale 0.001"):
        asked("synthetic", tmp_path, predictions=("x",), kind="metric-inverse-depth", unit="mm")
    asked("synthetic", tmp_path, predictions=("x",), kind="metric-inverse-depth", unit="m")
