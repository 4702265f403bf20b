"""What each command prints."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.cli.progress import Progress
from leadline.core.errors import OutputError
from leadline.flows.report import Skipped, Started
from leadline.flows.train import TrainReport
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import Commercial, ModelSpec, Weights

Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five photos of 8x6."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(1, 6):
        PilImage.fromarray(np.full((6, 8, 3), 40 * number, np.uint8)).save(folder / f"{number}.png")
    return folder


def test_predict_says_what_was_made_where_and_what_the_numbers_are(
    known: ModelSpec, command: Command, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ended = command("predict", photos / "1.png", "-o", out, "-m", "brightness-test")
    assert ended.status == 0
    assert ended.err == ""
    lines = ended.out.splitlines()
    assert lines[0] == f"{photos / '1.png'} -> {out / '1_depth.png'}, {out / '1_colour.png'}"
    metres = (1 + 40 / 255) * 518.86 / 640 * 8 / 500
    assert lines[1] == (
        f"  DepthMap 6x8, metres (scale uncertain), {metres:.3g} to {metres:.3g}, camera assumed 63°"
    )
    assert (
        lines[2]
        == "The lens is not known, so the metres are uncertain: give --fov DEGREES or --focal PIXELS."
    )
    assert lines[3] == "brightness-test is good for tests."
    assert (out / "1_colour.png").is_file()


def test_a_file_of_ones_own_by_a_listed_name_is_not_taken_for_that_model(
    known: ModelSpec, command: Command, photos: Path, tmp_path: Path
) -> None:
    listed = replace(
        known, name="first", weights=replace(known.weights, source="file:x.onnx", sha256="0" * 64)
    )
    MODELS.add("first", listed)
    own = tmp_path / "first.onnx"
    shutil.copyfile(known.weights.source.removeprefix("file:"), own)
    ended = command(
        "predict", photos / "1.png", "-o", tmp_path / "o", "-m", own, "--kind", "metric-depth", "--unit", "m"
    )
    assert ended.status == 0, ended.err
    assert "good for" not in ended.out


def test_an_exported_model_by_another_name_says_that_the_lens_is_not_known(
    command: Command, photos: Path, tmp_path: Path
) -> None:
    assert command("export", "leadline-indoor-small", "-o", tmp_path / "mine.onnx").status == 0
    ended = command("predict", photos / "1.png", "-o", tmp_path / "o", "-m", tmp_path / "mine.onnx")
    assert "The lens is not known, so the metres are uncertain" in ended.out


def test_predict_says_which_model_to_name_for_more(
    known: ModelSpec, command: Command, photos: Path, tmp_path: Path
) -> None:
    MODELS.add("first", replace(known, name="first", step_up="brightness-test"))
    ended = command("predict", photos / "1.png", "-o", tmp_path / "o", "-m", "first", "--fov", "60")
    assert ended.out.splitlines()[-1] == "first is good for tests. For more: brightness-test."
    assert "camera given 60°" in ended.out
    assert "uncertain" not in ended.out


def test_predict_sums_up_many(known: ModelSpec, command: Command, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command("predict", photos / "2.png", "-o", out, "-m", "brightness-test")
    (photos / "bad.jpg").write_bytes(b"")
    ended = command("predict", photos, "-o", out, "-m", "brightness-test", "--skip-existing")
    assert ended.status == 1
    assert "4 photos done in " in ended.out
    assert "1 there already, 1 failed; files are in " in ended.out
    assert ended.err == f"leadline: {str(photos / 'bad.jpg')!r} is empty (0 bytes); copy the photo again\n"
    (photos / "6.png").write_bytes((photos / "1.png").read_bytes())
    assert "… and 2 more" in command("predict", photos, "-o", tmp_path / "new", "-m", "brightness-test").out


def test_predict_names_each_model_of_several(
    known: ModelSpec, command: Command, photos: Path, tmp_path: Path
) -> None:
    MODELS.add("other", replace(known, name="other"))
    ended = command("predict", photos / "1.png", "-o", tmp_path / "o", "-m", "brightness-test,other")
    assert "  brightness-test: DepthMap" in ended.out
    assert "  other: DepthMap" in ended.out


def test_json_lines_are_events_and_a_summary(
    known: ModelSpec, command: Command, photos: Path, tmp_path: Path
) -> None:
    (photos / "bad.jpg").write_bytes(b"")
    ended = command(
        "predict", photos, "-o", tmp_path / "out", "-m", "brightness-test", "--json", "--focal", "500"
    )
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.status == 1
    assert [line["event"] for line in lines][:1] == ["started"]
    assert lines[0]["total"] == 6
    assert lines[0]["models"][0]["name"] == "brightness-test"
    done = {Path(line["source"]).name: line for line in lines if line["event"] == "done"}
    assert done["5.png"]["made"][0]["low"] == pytest.approx(1 + 200 / 255, rel=1e-6)
    assert done["5.png"]["made"][0]["camera"]["origin"] == "given"
    assert all(Path(path).is_file() for path in done["5.png"]["outputs"])
    (failed,) = [line for line in lines if line["event"] == "failed"]
    assert failed["code"] == "input"
    assert lines[-1]["event"] == "summary"
    assert (lines[-1]["done"], lines[-1]["failed"]) == (5, 1)
    again = command(
        "predict", photos, "-o", tmp_path / "out", "-m", "brightness-test", "--json", "--skip-existing"
    )
    assert sum(json.loads(line)["event"] == "skipped" for line in again.out.splitlines()) == 5


def test_standard_input_is_a_photo(
    known: ModelSpec, command: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = io.BytesIO((photos / "1.png").read_bytes())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=data))
    assert command("predict", "-", "-o", tmp_path / "o", "-m", "brightness-test").status == 0
    assert (tmp_path / "o" / "stdin_depth.png").is_file()


def test_predict_never_skips_what_comes_through_a_pipe(
    known: ModelSpec, command: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for number in (1, 2):
        data = io.BytesIO((photos / f"{number}.png").read_bytes())
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=data))
        command("predict", "-", "--skip-existing", "-o", tmp_path / "o", "-m", "brightness-test", "-f", "npz")
        made.append((tmp_path / "o" / "stdin_depth.npz").read_bytes())
    assert made[0] != made[1]


def test_predict_says_that_it_skipped(
    known: ModelSpec, command: Command, photos: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        ended = command(
            "predict", photos / "1.png", "--skip-existing", "-o", tmp_path, "-m", "brightness-test"
        )
    assert ended.status == 0
    assert "1 there already" in ended.out


def test_a_run_that_stops_still_names_the_photos_that_failed_before(
    known: ModelSpec, command: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "0bad.jpg").write_text("no photo")

    def full(*_: object, **__: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr("leadline.exporters.depth_file.DepthFileExporter.write", full)
    ended = command("predict", photos, "-o", tmp_path / "o", "-m", "brightness-test")
    assert ended.status == OutputError.exit_status
    assert "0bad.jpg" in ended.err
    assert "the disk is full" in ended.err


def test_a_bar_moves_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with Progress(as_json=False) as bar:
        bar(Started(5, ()))
        bar(Skipped("a"))
        assert bar._bar is not None
        assert bar._bar.n == 1
    assert "0/5" in screen.getvalue()
    for few_or_no_terminal in ((1, Terminal()), (5, io.StringIO())):
        total, stream = few_or_no_terminal
        monkeypatch.setattr(sys, "stderr", stream)
        with Progress(as_json=False) as bar:
            bar(Started(total, ()))
        assert stream.getvalue() == ""


def test_models_show_what_there_is(known: ModelSpec, command: Command) -> None:
    out = command("models").out
    head, *rows = out.splitlines()
    assert head.split() == ["name", "kind", "size", "commercial", "use", "speed", "here", "memory", "licence"]
    assert any(
        row.split()[:2] == ["leadline-indoor-small", "metric-depth"] and "unclear" in row for row in rows
    )
    assert "leadline-indoor-tiny" not in out
    assert "leadline-indoor-tiny" in command("models", "--all").out
    cleared = command("models", "--commercial-ok").out
    assert "brightness-test" in cleared
    assert "leadline-indoor-small" not in cleared


def test_models_says_when_none_is_cleared(
    known: ModelSpec, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = replace(known, commercial=Commercial.NO)
    monkeypatch.setattr(MODELS, "_entries", {"brightness-test": bound})
    assert command("models", "--commercial-ok").out == "no model is cleared for commercial use\n"


def test_models_speak_json(known: ModelSpec, command: Command) -> None:
    rows = [json.loads(line) for line in command("models", "--json").out.splitlines()]
    names = {row["name"] for row in rows}
    assert {"leadline-indoor-small", "brightness-test", "depth-anything-v2-small"} <= names
    assert not any(name.endswith("-tiny") for name in names)


def test_a_model_is_told_in_full(known: ModelSpec, command: Command) -> None:
    out = command("models", "show", "depth-pro").out
    assert "predicts     metric-depth (metres)" in out
    assert "weights      about 1.9 GB, not here, hf:apple/DepthPro-hf" in out
    assert "commercial use: no" in out
    row = json.loads(command("models", "show", "brightness-test", "--json").out)
    assert (row["name"], row["here"]) == ("brightness-test", True)
    assert command("models", "show", "depth-prp").status == 5


def test_models_that_need_packages_say_the_line(known: ModelSpec, command: Command) -> None:
    MODELS.add("needy", replace(known, name="needy", packages=("nopackage",), extra="torch"))
    assert "needs nopackage: pip install 'leadline[torch]'" in command("models").out
    MODELS.add("far", replace(known, name="far", packages=("nopackage",), install="acme-net"))
    assert "far needs nopackage: pip install acme-net\n" in command("models").out
    assert "needs        nopackage: pip install acme-net\n" in command("models", "show", "far").out
    assert json.loads(command("models", "show", "far", "--json").out)["install"] == "acme-net"


def test_a_file_of_ones_own_is_told_with_its_size_and_its_path(
    known: ModelSpec, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "my net.onnx"
    path.write_bytes(Path(known.weights.source.removeprefix("file:")).read_bytes() + b"\0" * 0)
    out = command("models", "show", str(path), "--kind", "metric-depth", "--unit", "m").out
    assert f"try          leadline predict photo.jpg --model '{path}'" in out
    assert f"weights      {path.stat().st_size / 1e6:.1f} MB, here, file:{path}" in out
    assert "from         what was named: it is in no list" in out
    assert (
        f"try          leadline predict photo.jpg --model {known.name}"
        in command("models", "show", known.name).out
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nope.onnx", "there is no file 'nope.onnx'; check the path"),
        ("empty", "folder 'empty' holds no config.json or model_index.json"),
        ("photo.jpg", "'photo.jpg' is no ONNX file by its name and no folder of a checkpoint"),
    ],
)
def test_paths_at_which_no_model_is_say_why(
    name: str, words: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "photo.jpg").write_bytes(b"1")
    ended = command("models", "show", name)
    assert (ended.status, words in ended.err) == (3, True), ended.err


def test_random_models_are_offered_only_where_they_are_near(command: Command) -> None:
    for line in (("models", "show", "qqqqq"), ("models", "pull", "qqqqq")):
        told = command(*line).err
        assert "known: depth-anything" in told
        assert "-tiny," not in told.replace("swinv2-tiny", "")
    assert "did you mean 'dpt-tiny'" in command("models", "show", "dpt-tin").err


def test_options_that_share_their_dashes_alone_are_not_proposed(command: Command) -> None:
    assert "Did you mean" not in command("predict", "a.jpg", "--bogus").err
    assert "--format" in command("predict", "a.jpg", "--formta", "npz").err


def test_missing_packages_are_said_before_anything_is_fetched(
    known: ModelSpec, command: Command, photo: Path, tmp_path: Path
) -> None:
    far = Weights("https://127.0.0.1:9/far.onnx", "a" * 64, 5)
    MODELS.add("far", replace(known, name="far", weights=far, packages=("nopackage",), extra="torch"))
    for line in (
        ("predict", photo),
        ("evaluate", "-d", "synthetic", "-p", "nyu-eigen-filled", "--set", "dataset=any", "--first", "1"),
    ):
        ended = command(*line, "-m", "far", "-o", tmp_path / "out")
        assert ended.status == 6
        assert "fetching" not in ended.err
        assert "model 'far' needs 'nopackage'" in ended.err


def test_what_was_measured_is_shown_from_then_on(known: ModelSpec, command: Command, cache: Path) -> None:
    line = ("benchmark", "brightness-test", "--engine", "onnxruntime", "--rounds", "1", "--seconds", "0")
    assert command(*line).status == 0
    (row,) = [line for line in command("models").out.splitlines() if line.startswith("brightness-test ")]
    assert " ms " in row
    assert " MB " in row
    assert "onnxruntime (CPU), fp32" in command("models", "show", "brightness-test").out
    (cache / "measurements.json").write_text("{")
    ended = command("models")
    assert ended.status == 0
    assert "are damaged" in ended.err
    assert "'leadline benchmark' makes the file anew" in ended.err


def test_the_cache_is_listed_and_cleared(known: ModelSpec, command: Command, cache: Path) -> None:
    assert command("models", "list").out == "the cache is empty\n"
    folder = cache / "weights" / "far"
    folder.mkdir(parents=True)
    (folder / f"{'a' * 16}.onnx").write_bytes(b"12345")
    (folder / f"{'b' * 16}.onnx.part").write_bytes(b"123")
    assert "far  0.0 MB" in command("models", "list").out
    assert "unfinished" in command("models", "list").out
    sizes = [json.loads(line)["size_bytes"] for line in command("models", "list", "--json").out.splitlines()]
    assert sorted(sizes) == [3, 5]
    assert command("models", "clear", "fra").status == 5
    assert command("models", "clear", "far").out == "removed 2 files, 0.0 MB\n"
    assert command("models", "clear").out == "the cache is empty\n"
    (folder / f"{'a' * 16}.onnx").parent.mkdir(parents=True, exist_ok=True)
    (folder / f"{'a' * 16}.onnx").write_bytes(b"1" * 1_200_000)
    unsaid = command("models", "clear")
    assert (unsaid.status, "the cache holds 1.2 MB of 1 model," in unsaid.err) == (3, True)
    assert command("models", "clear", "far", "--all").status == 2
    assert "far  1.2 MB" in command("models", "list").out
    assert command("models", "clear", "--all").out == "removed 1 file, 1.2 MB\n"


def test_pull_says_where_it_is(known: ModelSpec, command: Command) -> None:
    path = known.weights.source.removeprefix("file:")
    assert command("models", "pull", "brightness-test").out == f"brightness-test is at {path}\n"
    far = Weights("http://127.0.0.1:9/far.onnx", "a" * 64, 5)
    MODELS.add("far", replace(known, name="far", weights=far))
    ended = command("models", "pull", "far")
    assert ended.status == 7
    assert "127.0.0.1:9" in ended.err


def test_info_tells_of_files_in_words(
    known: ModelSpec, command: Command, photos: Path, tmp_path: Path
) -> None:
    command("predict", photos / "1.png", "-o", tmp_path / "o", "-m", "brightness-test")
    ended = command("info", tmp_path / "o" / "1_depth.png", tmp_path / "o" / "1_colour.png", photos / "1.png")
    assert ended.status == 0
    assert "1_depth.png: DepthMap 6x8, metres" in ended.out
    assert "  kind: metric-depth (metres)" in ended.out
    assert "its colours are not depth values" in ended.out
    assert f"{photos / '1.png'}: photo, 8x6; it holds no depth" in ended.out
    values = json.loads(command("info", tmp_path / "o" / "1_depth.png", "--json").out)
    assert values["record"]["model"]["name"] == "brightness-test"


def test_info_of_a_bare_file_needs_its_kind(command: Command, tmp_path: Path) -> None:
    PilImage.fromarray(np.full((2, 2), 5000, np.uint16)).save(tmp_path / "bare.png")
    assert "without a record" in command("info", tmp_path / "bare.png").out
    told = command("info", tmp_path / "bare.png", "--kind", "metric-depth", "--scale", "0.0002")
    assert "DepthMap 2x2, metres, 1 to 1" in told.out
    assert command("info", tmp_path / "bare.png", "--kind", "metrics").status == 3
    assert command("info", tmp_path / "nowhere.png").status == 3


def test_info_goes_on_past_a_file_it_cannot_read(command: Command, photos: Path, tmp_path: Path) -> None:
    ended = command("info", tmp_path, photos / "1.png")
    assert ended.status == 1
    assert ended.err == f"leadline: {str(tmp_path)!r} is a folder; name the files in it\n"
    assert "photo, 8x6" in ended.out


def test_doctor_tells_the_state(
    command: Command, monkeypatch: pytest.MonkeyPatch, known: ModelSpec, cache: Path
) -> None:
    ended = command("doctor")
    assert ended.status == 0
    assert "engine     onnxruntime: devices cpu" in ended.out
    assert "auto       leadline-indoor-small: onnxruntime (" in ended.out
    assert f"measured   {cache / 'measurements.json'} (no figures)" in ended.out
    assert "plugin     model 'brightness-test' of this program" in ended.out
    assert ended.out.endswith("all is well\n")
    assert json.loads(command("doctor", "--json").out)["well"]
    monkeypatch.setattr(
        "leadline.flows.doctor.requires", lambda name: ["nothere", "nothere-too; extra == 'torch'"]
    )
    ended = command("doctor")
    assert ended.status == 1
    assert "nothere MISSING" in ended.out
    assert "extra      torch: missing nothere-too: pip install 'leadline[torch]'" in ended.out
    assert "something is wrong" in ended.out
    MODELS.add("gone", "gone_package:SPEC", origin="gone-package")
    cache.mkdir()
    (cache / "measurements.json").write_text("[")
    told = command("doctor").out
    assert "PROBLEM    model 'gone'" in told
    assert "measured   the measurements in" in told
    assert "'leadline benchmark' makes the file anew" in told


def test_train_says_what_it_made(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def train(request: object, *, on_plan: object) -> TrainReport:
        asked.append(request)
        return TrainReport(
            weights=Path("w.onnx"),
            checkpoint=Path("c.ckpt"),
            trained_on=7,
            held_out=("a", "b"),
            card=Path("CARD.md"),
            steps_per_s=3.21,
            waited=0.0123,
            remarks=("it was not scored",),
            following=("leadline predict PHOTO --model w.onnx",),
        )

    monkeypatch.setattr("leadline.cli.train.run", train)
    ended = command("train", "embedded-indoor", "--data", tmp_path, "--out", tmp_path / "run")
    assert ended.out.splitlines() == [
        "trained on 7 frames, 2 held out: w.onnx",
        "3.21 steps a second, 1.2% of the time waiting for data",
        "described in CARD.md; next:",
        "  leadline predict PHOTO --model w.onnx",
    ]
    assert "leadline: it was not scored" in ended.err
    assert "embedded-indoor" in repr(asked[0])
    assert command("train").status == 2


def test_a_dry_run_prints_the_plan_and_writes_nothing(command: Command, tmp_path: Path) -> None:
    words = ("--out", tmp_path / "run", "--set", "network.widths=[4, 6, 8]", "--dry-run")
    made_up = "data={dataset='synthetic', held_out_scenes=2, options={frames=24, width=32, height=24}}"
    ended = command("train", "unet-diode", "--set", made_up, *words)
    assert ended.status == 0, ended.err
    assert "GPU available" not in ended.err
    for told in (
        "data        synthetic: 16 frames to learn from, 8 held out (4 and 2 scenes)",
        "sizes       photos of 32x24; the network learns at 256x256",
        "steps       30 in 30 epochs, 32 views a batch, float32",
        "parameters",
        "GB: frames",
        "scored by   scannet+dataset=any",
        "unet-diode.onnx, MODEL_CARD.md",
    ):
        assert told in ended.out
    assert not (tmp_path / "run").exists()
    ended = command("train", "unet-diode", "--set", "optimiser.bach=4", "--set", made_up, "--dry-run")
    assert (ended.status, ended.out) == (3, "")
    assert "recipe.optimiser has no option 'bach'; did you mean 'batch'?" in ended.err
    assert "--dry-run" in command("train", "--help").out
    assert "leadline train finetune" in command("train", "--help").out


def test_demo_makes_its_pictures(command: Command, tmp_path: Path) -> None:
    ended = command("demo", "--out", tmp_path / "demo")
    assert ended.status == 0
    assert "Look at " in ended.out
    names = {path.name.partition("_")[2] for path in (tmp_path / "demo").iterdir()}
    assert names == {"depth.png", "colour.png", "side.jpg", "cloud.glb"}
