"""Runs with prompts, choices and looks, by models whose answers are known."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, UnknownName
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.results import Answer
from leadline.flows.models import register_model
from leadline.flows.outputs import Outputs
from leadline.flows.predict import run
from leadline.flows.predict_request import PredictRequest
from leadline.flows.prompts import Prompts
from leadline.flows.report import Report
from leadline.io.depth_files import read_depth, read_uncertainty, write_depth
from leadline.io.images import read_image
from leadline.io.sources import Photo
from leadline.plugins.ports import ExportOptions
from leadline.plugins.specs import ModelSpec, Option
from leadline.testing.graphs import brightness_depth

torch = pytest.importorskip("torch")


class _Mean(torch.nn.Module):  # type: ignore[misc]
    def forward(self, prompt: Any) -> Mapping[str, Any]:
        return {"mean": prompt.mean((1, 2))}


class _PromptedNetwork:
    """Answers everywhere the mean of its prompt, times a factor that is an option."""

    def __init__(self, factor: float) -> None:
        self.module = _Mean()
        self.factor = factor

    def key(self, image: Image) -> tuple[int, ...]:
        return image.rgb_HW3.shape

    def prepare(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> Mapping[str, Any]:
        if any(prompt.kind.quantity is Quantity.INVERSE for prompt in prompts):
            raise KindError("the prompt is inverse", hint="turn it round")
        return {"prompt": torch.stack([torch.tensor(prompt.values) for prompt in prompts])}

    def restore(
        self, outputs: Mapping[str, Any], images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()
    ) -> list[Answer]:
        return [
            Answer(np.full(image.rgb_HW3.shape[:2], self.factor * float(mean), np.float32))
            for image, mean in zip(images, outputs["mean"], strict=True)
        ]


@pytest.fixture
def prompted(known: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> ModelSpec:
    module = ModuleType("prompted_net")
    module.network = lambda weights, *, factor=1.0: _PromptedNetwork(factor)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "prompted_net", module)
    spec = replace(
        known,
        name="prompted-test",
        engines=("torch",),
        network="prompted_net:network",
        options=(Option("factor", "What the mean is multiplied by.", 1.0),),
        prompted=True,
        scale_needs_focal=False,
    )
    register_model(spec)
    return spec


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """Three photos in two folders, and a folder of prompts of 1, 2 and 3 metres that mirrors them."""
    (tmp_path / "photos/more").mkdir(parents=True)
    (tmp_path / "prompts/more").mkdir(parents=True)
    for number, (photo, prompt) in enumerate(
        [("a.png", "a_depth.npz"), ("b.png", "b.png"), ("more/c.png", "more/c.tiff")], 1
    ):
        PilImage.fromarray(np.full((6, 8, 3), 40 * number, np.uint8)).save(tmp_path / "photos" / photo)
        write_depth(tmp_path / "prompts" / prompt, DepthMap(np.full((3, 4), float(number)), Kind()))
    return tmp_path


def _run(room: Path, **more: object) -> Report:
    values: dict[str, object] = {
        "sources": (str(room / "photos"),),
        "out": room / "out",
        "formats": ("npz",),
        "models": ("prompted-test",),
        "recursive": True,
        **more,
    }
    return run(PredictRequest(**values))  # type: ignore[arg-type]


def _metres(report: Report) -> list[float | None]:
    return [photo.made[0].low for photo in report.done]


@pytest.mark.usefixtures("prompted")
def test_each_photo_gets_the_prompt_of_its_name(room: Path) -> None:
    report = _run(room, prompt=room / "prompts", batch=3)
    assert _metres(report) == pytest.approx([1, 2, 3])
    assert not report.failed


@pytest.mark.usefixtures("prompted")
def test_one_file_goes_with_one_photo(room: Path) -> None:
    one = str(room / "photos/a.png")
    assert _metres(_run(room, sources=(one,), prompt=room / "prompts/more/c.tiff")) == pytest.approx([3])
    with pytest.raises(InputError, match="cannot go with 3 photos"):
        _run(room, prompt=room / "prompts/b.png")


@pytest.mark.usefixtures("prompted")
def test_bare_prompts_are_read_by_the_scale_that_is_said(room: Path) -> None:
    millimetres = np.full((3, 4), 1500, np.uint16)
    PilImage.fromarray(millimetres).save(room / "bare.png")
    one = str(room / "photos/a.png")
    told = _run(room, sources=(one,), prompt=room / "bare.png", prompt_scale=0.001)
    assert _metres(told) == pytest.approx([1.5])
    (failed,) = _run(room, sources=(one,), prompt=room / "bare.png").failed
    assert "bare.png" in failed.reason


@pytest.mark.usefixtures("prompted")
def test_photos_without_a_prompt_are_reported_and_the_rest_is_done(room: Path) -> None:
    (room / "prompts/b.png").unlink()
    write_depth(room / "prompts/a.png", DepthMap(np.ones((3, 4)), Kind()))
    report = _run(room, prompt=room / "prompts")
    assert _metres(report) == pytest.approx([3])
    none, several = sorted((failed.reason for failed in report.failed), key=lambda text: "a.png, a_" in text)
    assert "holds none for" in none
    assert "holds a.png, a_depth.npz for" in several


@pytest.mark.usefixtures("prompted")
def test_a_photo_is_not_its_own_prompt(room: Path) -> None:
    one = str(room / "photos/a.png")
    (failed,) = _run(room, sources=(one,), prompt=room / "photos").failed
    assert "holds none for" in failed.reason


@pytest.mark.usefixtures("prompted")
def test_prompts_that_are_missing_or_too_many_are_told_before_anything_runs(room: Path) -> None:
    with pytest.raises(InputError, match="needs a low-resolution depth map"):
        _run(room)
    with pytest.raises(InputError, match="no prompt at"):
        _run(room, prompt=room / "nowhere")
    with pytest.raises(InputError, match="'brightness-test' takes no prompt"):
        _run(room, models=("brightness-test",), prompt=room / "prompts")
    assert not (room / "out").exists()


@pytest.mark.usefixtures("prompted")
def test_models_with_and_without_prompts_go_side_by_side(room: Path) -> None:
    report = _run(room, models=("brightness-test", "prompted-test"), prompt=room / "prompts", fov_deg=60.0)
    for photo, metres in zip(report.done, (1, 2, 3), strict=True):
        assert photo.made[1].low == pytest.approx(metres)
        truth = brightness_depth(read_image(photo.source, fov_deg=60.0))
        assert photo.made[0].low == pytest.approx(truth.min(), rel=1e-5)


def test_without_prompts_there_is_none(known: ModelSpec) -> None:
    photos = [Photo("a.png", Path("a"))]
    assert Prompts(None, scale=None, models=[known], photos=photos).of(photos[0]) is None


@pytest.mark.usefixtures("prompted")
def test_choices_go_to_the_models_that_have_them(room: Path) -> None:
    models = ("brightness-test", "prompted-test")
    report = _run(room, models=models, prompt=room / "prompts", inputs=("factor=10",))
    assert [photo.made[1].low for photo in report.done] == pytest.approx([10, 20, 30])
    with pytest.raises(UnknownName, match="did you mean 'factor'"):
        _run(room, models=models, prompt=room / "prompts", inputs=("facto=10",))
    with pytest.raises(InputError, match="factor = 'ten' is not a number"):
        _run(room, prompt=room / "prompts", inputs=("factor=ten",))


@pytest.mark.usefixtures("prompted")
def test_prompted_models_are_looked_at_several_ways_too(room: Path) -> None:
    report = _run(room, prompt=room / "prompts", tta=("flip", "scales"))
    assert _metres(report) == pytest.approx([1, 2, 3])
    spread = read_uncertainty(report.done[0].outputs[0])
    assert spread is not None
    np.testing.assert_allclose(spread, 0, atol=1e-6)


def test_a_run_with_several_looks_keeps_their_spread(known: ModelSpec, room: Path) -> None:
    report = _run(
        room, models=("brightness-test",), tta=("scales",), formats=("npz", "uncertainty"), focal_px=500.0
    )
    for photo in report.done:
        archive, picture = photo.outputs
        depth, record = read_depth(archive)
        spread = read_uncertainty(archive)
        assert spread is not None
        # Pixels of one colour at six eighths, one and ten eighths of the width: the rows are rounded, to 4 and 8 of 6.
        truth = brightness_depth(read_image(photo.source, focal_px=500.0))
        factors = np.sqrt([1, 6 / 8 * 4 / 6, 10 / 8 * 8 / 6])
        np.testing.assert_allclose(depth.values, truth * factors.mean(), rtol=1e-5)
        np.testing.assert_allclose(spread, truth * factors.std(ddof=1), rtol=1e-4)
        assert record.model is not None
        assert record.model.engine.endswith("3 looks (scales)")
        assert picture.name.endswith("_uncertainty.png")


@pytest.mark.usefixtures("prompted")
@pytest.mark.parametrize("batch", [1, 3])
def test_a_prompt_that_the_network_refuses_fails_its_photo_alone(room: Path, batch: int) -> None:
    (room / "prompts/b.png").unlink()
    write_depth(room / "prompts/b.npz", DepthMap(np.full((3, 4), 2.0), Kind(Quantity.INVERSE)))
    report = _run(room, prompt=room / "prompts", batch=batch)
    assert _metres(report) == pytest.approx([1, 3])
    (failed,) = report.failed
    assert Path(failed.source).name == "b.png"
    assert failed.reason == "the prompt is inverse; turn it round"
    assert not (room / "out/b_depth.npz").exists()


def test_a_model_that_never_says_how_sure_it_is_is_told_before_anything_runs(
    known: ModelSpec, room: Path
) -> None:
    silent = replace(known, name="silent-test", says_uncertainty=False)
    register_model(silent)
    with pytest.raises(
        InputError, match=r"'uncertainty' holds how sure a model is, and 'silent-test' .* --tta"
    ):
        _run(room, models=("silent-test",), formats=("npz", "uncertainty"))
    assert not (room / "out").exists()
    assert len(_run(room, models=("silent-test",), formats=("uncertainty",), tta=("flip",)).done) == 3


def test_nothing_of_a_photo_is_written_where_a_format_has_nothing_to_hold(
    known: ModelSpec, room: Path
) -> None:
    report = _run(room, models=("brightness-test",), formats=("npz", "uncertainty"))
    assert len(report.failed) == 3
    assert [path for path in (room / "out").rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("prompted")
def test_a_prompts_kind_is_what_formats_are_asked_for(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A point cloud of a map without shift is refused, and so is the rest of that photo; the others are done."""
    monkeypatch.setattr(
        _PromptedNetwork,
        "restore",
        lambda self, outputs, images, *, prompts: [
            Answer(np.full(image.rgb_HW3.shape[:2], float(mean), np.float32), kind=prompt.kind)
            for image, mean, prompt in zip(images, outputs["mean"], prompts, strict=True)
        ],
    )
    (room / "prompts/b.png").unlink()
    write_depth(room / "prompts/b.npz", DepthMap(np.full((3, 4), 2.0), Kind(freedom=Freedom.AFFINE)))
    report = _run(room, prompt=room / "prompts", formats=("npz", "ply"))
    assert [Path(photo.source).name for photo in report.done] == ["a.png", "c.png"]
    (failed,) = report.failed
    assert failed.code == "kind"
    assert not list((room / "out").glob("b*"))


def test_one_look_has_no_uncertainty_to_draw(known: ModelSpec, room: Path) -> None:
    report = _run(room, models=("brightness-test",), formats=("uncertainty",))
    assert {failed.reason.partition(";")[0] for failed in report.failed} == {
        "'brightness-test' does not say how sure it is, and only one look was taken"
    }


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (("hf:org/net@v1", "dpt-large"), ("hf-org-net-v1", "dpt-large")),
        (("net", "NET", "net"), ("net", "NET-2", "net-3")),
        (("../..", "a b"), ("model", "a-b")),
    ],
)
def test_names_of_models_are_names_of_files_and_each_another(
    names: tuple[str, ...], parts: tuple[str, ...], known: ModelSpec
) -> None:
    outputs = Outputs(
        Path("out"),
        formats=("npz",),
        models=[replace(known, name=name) for name in names],
        options=ExportOptions(),
    )
    planned = outputs.plan(Photo("a.jpg", Path("a")))
    assert [file.path.as_posix() for file in planned] == [f"out/a_{part}_depth.npz" for part in parts]


def test_the_command_line_takes_them(
    known: ModelSpec, prompted: ModelSpec, room: Path, command: Callable[..., Any]
) -> None:
    ended = command(
        *("predict", room / "photos/a.png", "-o", room / "out", "-m", "prompted-test", "-f", "npz"),
        *("--prompt", room / "prompts/b.png", "--input", "factor=2", "--tta", "flip,scales"),
    )
    assert (ended.status, ended.err) == (0, "")
    assert read_depth(room / "out/a_depth.npz")[0].range() == pytest.approx((4, 4))
    wrong = command("predict", room / "photos/a.png", "-m", "brightness-test", "--tta", "flipp")
    assert "did you mean 'flip'" in wrong.err
    assert "Traceback" not in wrong.err
