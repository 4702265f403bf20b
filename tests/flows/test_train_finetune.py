"""Fine-tuning depth models of transformers on a folder of pairs: the loss falls, what is saved opens and predicts its kind."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

import leadline
from leadline.core.errors import DatasetError, InputError, KindError
from leadline.datasets.synthetic import render
from leadline.flows.train import TrainReport, TrainRequest, plan, train

SCORED = ("depth-anything-metric-tiny", "depth-anything-tiny")
"""One metric and one relative model are scored in the end too; the others would be in the same way."""


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    for part in ("rgb", "depth"):
        (folder / part).mkdir()
    for number in range(10):
        view = render(0, number, 0, width=64, height=48)
        PilImage.fromarray(view.image.rgb_HW3).save(folder / f"rgb/{number:03}.png")
        PilImage.fromarray((view.depth.values * 1000).astype(np.uint16)).save(
            folder / f"depth/{number:03}.png"
        )
    return folder


def tuned(pairs: Path, out: Path, start: str, *changes: str, kind: str = "") -> TrainReport:
    few = (
        "optimiser.epochs=3",
        "optimiser.batch=3",
        "optimiser.encoder_lr=1e-3",
        "optimiser.decoder_lr=5e-3",
    )
    return train(
        TrainRequest(
            "finetune",
            data=f"folder:{pairs}",
            option=("encoding=mm",),
            out=out,
            start=start,
            kind=kind,
            changes=(*few, *changes),
            readers=0,
            no_evaluation=start not in SCORED,
        )
    )


def losses(out: Path) -> list[float]:
    with (out / "history/metrics.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file) if row["loss"]]


@pytest.mark.parametrize(
    ("start", "changes"),
    [
        ("depth-anything-metric-tiny", ()),
        ("depth-anything-tiny", ("network.trains=low-rank",)),
        ("glpn-tiny", ("views.shapes=[[64, 64, 1]]",)),
        pytest.param("zoedepth-tiny", ("network.trains=head",), marks=pytest.mark.slow),
        ("dpt-tiny", ("optimiser.precision=bfloat16", "optimiser.accumulate=2")),
    ],
)
def test_the_loss_falls_and_what_is_saved_predicts_its_kind(
    pairs: Path, tmp_path: Path, start: str, changes: tuple[str, ...]
) -> None:
    report = tuned(pairs, tmp_path / "out", start, *changes)
    assert (report.trained_on, report.held_out) == (9, ("rgb/009",))
    fallen = losses(tmp_path / "out")
    assert len(fallen) == 3
    assert min(fallen[1:]) < fallen[0]
    assert (report.evaluation is not None) == (start in SCORED), report.remarks
    photo = np.asarray(PilImage.open(pairs / "rgb/009.png"))
    with leadline.open_model(str(report.weights)) as model, leadline.open_model(start) as original:
        depth, before = model.predict(photo).depth, original.predict(photo).depth
    assert depth.kind == before.kind
    assert not np.allclose(depth.values, before.values, rtol=1e-3)
    from transformers import AutoImageProcessor, AutoModelForDepthEstimation

    outside: Any = AutoModelForDepthEstimation.from_pretrained(report.weights)
    pixels = AutoImageProcessor.from_pretrained(report.weights)(
        images=PilImage.fromarray(photo), return_tensors="pt"
    )
    raw = outside.eval()(**pixels).predicted_depth.detach().numpy()
    assert np.median(raw) == pytest.approx(np.median(depth.values), rel=0.2)
    card = (report.weights / "README.md").read_text()
    assert f"trained on from {start}" in card
    assert ("Its numbers are not metres" in card) == (depth.kind.freedom > 0)


def test_the_plan_takes_size_and_kind_from_the_model(pairs: Path, tmp_path: Path) -> None:
    request = TrainRequest(
        "finetune",
        data=f"folder:{pairs}",
        option=("encoding=mm",),
        out=tmp_path / "out",
        start="depth-anything-tiny",
    )
    relative = plan(request)
    assert relative.shapes_px == ((56, 42),)
    assert relative.trained == relative.parameters
    assert relative.protocol.startswith("zero-shot-affine-inverse-depth")
    head = plan(
        TrainRequest(
            "finetune",
            data=f"folder:{pairs}",
            option=("encoding=mm",),
            start="depth-anything-metric-tiny",
            changes=("network.trains=head",),
        )
    )
    assert 0 < head.trained < head.parameters
    assert head.protocol.startswith("scannet")
    assert "far_m=80" in head.protocol
    assert head.out == Path("runs/finetune")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_trained_on_is_refused(pairs: Path) -> None:
    def ask(start: str, *changes: str, kind: str = "") -> None:
        plan(
            TrainRequest(
                "finetune",
                data=f"folder:{pairs}",
                option=("encoding=mm",),
                start=start,
                kind=kind,
                changes=changes,
            )
        )

    with pytest.raises(InputError, match="'leadline-indoor-tiny' is no network of transformers"):
        ask("leadline-indoor-tiny")
    with pytest.raises(InputError, match="'depth-pro-tiny' needs more than a photo"):
        ask("depth-pro-tiny")
    with pytest.raises(InputError, match="cannot be told"):
        ask("glpn-tiny", kind="disparity")
    with pytest.raises(KindError, match="no loss of the recipe is for a network that says metres"):
        ask(
            "glpn-tiny",
            'loss=[{name="scale-shift-invariant", weight=1, only="affine-invariant-inverse-depth"}]',
        )


def test_frames_that_cannot_be_learned_from_are_counted_before_anything_starts(
    pairs: Path, tmp_path: Path
) -> None:
    import shutil

    spoilt = tmp_path / "spoilt"
    shutil.copytree(pairs, spoilt)
    for name in ("002", "005"):
        PilImage.fromarray(np.zeros((48, 64), np.uint16)).save(spoilt / f"depth/{name}.png")
    with pytest.raises(
        DatasetError,
        match=r"2 of 9 frames cannot be learned from, such as this: sample 'rgb/002' has no pixel",
    ):
        tuned(spoilt, tmp_path / "out", "glpn-tiny")
    assert not (tmp_path / "out" / "last.ckpt").exists()
