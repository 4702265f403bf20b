from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, InputError, KindError, MissingExtra, OutputError, UnknownName
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.results import Answer
from leadline.engines.onnxruntime import OnnxRuntimeSession
from leadline.exporters.depth_file import DepthFileExporter
from leadline.flows.predict import run
from leadline.flows.predict_request import PredictRequest
from leadline.flows.report import Event, Failed, Predicted, Report, Skipped, Started
from leadline.io.depth_files import read_depth
from leadline.io.images import read_image
from leadline.plugins.registry import EXPORTERS, MODELS
from leadline.plugins.specs import Commercial, ExporterSpec, ModelSpec
from leadline.testing.graphs import brightness_depth


def _run(album: Path, out: Path, **more: object) -> tuple[Report, list[Event]]:
    events: list[Event] = []
    values: dict[str, object] = {"sources": (str(album),), "out": out, "models": ("brightness-test",), **more}
    report = run(PredictRequest(**values), on_event=events.append)  # type: ignore[arg-type]
    return report, events


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_folder_becomes_depth_in_closed_form(known: ModelSpec, album: Path, tmp_path: Path) -> None:
    report, _ = _run(album, tmp_path / "out", recursive=True, formats=("npz", "png16"), batch=3)
    assert [Path(done.source).name for done in report.done] == [f"{n}.png" for n in range(1, 7)]
    for done in report.done:
        photo = read_image(done.source)
        for path, error_m in zip(done.outputs, (1e-6, 0.00051), strict=True):
            depth, record = read_depth(path)
            np.testing.assert_allclose(depth.values, brightness_depth(photo), rtol=0, atol=error_m)
            assert depth.kind == Kind()
            assert record.model is not None
            assert record.model.name == "brightness-test"
            assert record.camera == photo.camera
    assert (tmp_path / "out" / "more" / "5_depth.npz").is_file()


def test_bad_photos_are_reported_and_the_rest_is_done(known: ModelSpec, album: Path, tmp_path: Path) -> None:
    report, events = _run(album, tmp_path / "out")
    assert [Path(failed.source).name for failed in report.failed] == ["empty.jpg", "text.jpg"]
    assert "is empty (0 bytes)" in report.failed[0].reason
    assert "text" in report.failed[1].reason
    assert {failed.code for failed in report.failed} == {"input"}
    assert len(report.done) == 4
    assert _files(tmp_path / "out") == sorted(
        f"{n}_{what}.png" for n in range(1, 5) for what in ("colour", "depth")
    )
    assert isinstance(events[0], Started)
    assert events[0].total == 6
    assert {type(event) for event in events[1:]} == {Predicted, Failed}
    assert len(events) == 7


def test_a_report_sums_up(known: ModelSpec, album: Path, tmp_path: Path) -> None:
    report, _ = _run(album, tmp_path / "out", formats=("png16",))
    assert report.to_dict()["done"] == 4
    assert report.to_dict()["failed"] == 2
    assert report.photos_per_s == pytest.approx(4 / report.time_s)
    assert replace(report, time_s=0.0).photos_per_s == 0.0
    made = report.done[0].made[0]
    truth = brightness_depth(read_image(report.done[0].source))
    assert (made.low, made.high) == pytest.approx((truth.min(), truth.max()), rel=1e-6)
    assert (made.unit, made.valid) == ("m", 1.0)


def test_skip_existing_does_what_is_missing_and_nothing_else(
    known: ModelSpec, album: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    _run(album, out)
    old = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    (out / "2_depth.png").unlink()
    report, events = _run(album, out, skip_existing=True)
    assert [Path(done.source).name for done in report.done] == ["2.png"]
    assert report.done[0].outputs == (out / "2_depth.png",)
    assert [Path(skipped.source).name for skipped in report.skipped] == ["1.png", "3.png", "4.png"]
    assert sum(isinstance(event, Skipped) for event in events) == 3
    assert {path for path, time in old.items() if path.stat().st_mtime_ns != time} == {out / "2_depth.png"}


def test_without_it_files_are_made_anew(known: ModelSpec, album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _run(album, out, formats=("npz",))
    first = (out / "1_depth.npz").read_bytes()
    (out / "1_depth.npz").write_bytes((out / "2_depth.npz").read_bytes())
    _run(album, out, formats=("npz",))
    assert (out / "1_depth.npz").read_bytes() == first


@pytest.mark.parametrize(
    "name", ["png16", "colour", "side-by-side", "npz", "tiff", "pfm", "exr", "ply", "glb"]
)
def test_own_files_are_written_over_and_a_users_are_not(
    known: ModelSpec, album: Path, tmp_path: Path, name: str
) -> None:
    photo, out = album / "1.png", tmp_path / "out"
    report, _ = _run(photo, out, formats=(name,))
    (made,) = report.done[0].outputs
    assert _run(photo, out, formats=(name,))[0].done[0].outputs == (made,)
    for sidecar in out.glob("*.json"):
        sidecar.unlink()
    made.write_bytes(b"the true depth that cost a user a week")
    for skip in (False, True):
        (failed,) = _run(photo, out, formats=(name,), skip_existing=skip)[0].failed
        assert "leadline did not write it" in failed.reason
    assert made.read_bytes() == b"the true depth that cost a user a week"


def test_a_folder_in_the_place_of_a_file_is_not_taken_for_made(
    known: ModelSpec, album: Path, tmp_path: Path
) -> None:
    (tmp_path / "out" / "1_depth.png").mkdir(parents=True)
    (failed,) = _run(album / "1.png", tmp_path / "out", skip_existing=True)[0].failed
    assert "1_depth.png" in failed.reason


def test_truth_beside_its_photo_survives_output_into_the_same_folder(
    known: ModelSpec, tmp_path: Path
) -> None:
    PilImage.new("RGB", (8, 6)).save(tmp_path / "0001.jpg")
    truth = tmp_path / "0001_depth.png"
    PilImage.fromarray(np.full((6, 8), 1500, np.uint16)).save(truth)
    PilImage.new("RGB", (8, 6)).save(tmp_path / "0002.jpg")
    before = truth.read_bytes()
    report, _ = _run(tmp_path, tmp_path)
    (failed,) = report.failed
    assert "choose another folder with --out" in failed.reason
    assert truth.read_bytes() == before
    assert (tmp_path / "0002_depth.png").is_file()


@pytest.fixture
def twice(known: ModelSpec) -> tuple[ModelSpec, ModelSpec]:
    """The closed-form model under a second name, said to predict relative inverse depth."""
    other = replace(
        known, name="brightness-relative", kind=Kind.parse("affine-inverse"), scale_needs_focal=False
    )
    MODELS.add(other.name, other)
    return known, other


def test_several_models_are_laid_side_by_side(
    twice: tuple[ModelSpec, ModelSpec], album: Path, tmp_path: Path
) -> None:
    names = tuple(spec.name for spec in twice)
    report, _ = _run(album / "1.png", tmp_path / "out", models=(*names, names[0]), side_by_side=True)
    assert _files(tmp_path / "out") == [
        *(f"1_{name}_{what}.png" for name in sorted(names) for what in ("colour", "depth")),
        "1_side.jpg",
    ]
    assert [made.kind for made in report.done[0].made] == ["metric-depth", "affine-invariant-inverse-depth"]
    with PilImage.open(tmp_path / "out" / "1_side.jpg") as sheet:
        assert sheet.width == 3 * 16
    relative, _record = read_depth(tmp_path / "out" / "1_brightness-relative_depth.png")
    assert relative.kind == twice[1].kind


def test_one_model_named_twice_is_one(known: ModelSpec, album: Path, tmp_path: Path) -> None:
    _run(album / "1.png", tmp_path / "out", models=("brightness-test",) * 2, formats=("png16", "png16"))
    assert _files(tmp_path / "out") == ["1_depth.png"]


def test_a_format_that_cannot_hold_the_kind_is_refused_before_anything_is_done(
    twice: tuple[ModelSpec, ModelSpec], album: Path, tmp_path: Path
) -> None:
    with pytest.raises(KindError):
        _run(album, tmp_path / "out", models=("brightness-relative",), formats=("png16", "ply"))
    assert not (tmp_path / "out").exists()


def test_a_format_whose_package_is_missing_is_refused(
    known: ModelSpec, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ExporterSpec("odd", "nowhere:Odd", "_odd", "odd", extra="all", packages=("nopackage",))
    monkeypatch.setitem(EXPORTERS._entries, "odd", spec)
    with pytest.raises(MissingExtra, match="format 'odd' needs 'nopackage'"):
        _run(album, tmp_path / "out", formats=("odd",))
    monkeypatch.setitem(EXPORTERS._entries, "odd", replace(spec, extra="", install="acme-format"))
    with pytest.raises(MissingExtra, match="format 'odd' needs 'nopackage': pip install acme-format"):
        _run(album, tmp_path / "out", formats=("odd",))


def test_unknown_names_are_refused_before_photos_are_looked_for(known: ModelSpec, tmp_path: Path) -> None:
    for more in ({"formats": ("png61",)}, {"models": ("brightness-tset",)}, {"engine": "onnx"}):
        with pytest.raises(UnknownName):
            _run(
                Path(__file__).parent / "nowhere" if "engine" not in more else _photo(tmp_path),
                tmp_path / "o",
                **more,
            )


def _photo(folder: Path) -> Path:
    PilImage.new("RGB", (8, 6)).save(folder / "p.png")
    return folder / "p.png"


def test_commercial_ok_refuses_what_is_not_cleared(known: ModelSpec, album: Path, tmp_path: Path) -> None:
    report, _ = _run(album / "1.png", tmp_path / "out", commercial_ok=True)
    assert len(report.done) == 1
    unclear = replace(known, name="unclear", commercial=Commercial.UNCLEAR, licence="for research")
    MODELS.add("unclear", unclear)
    with pytest.raises(
        InputError, match=r"'unclear' is not cleared for commercial use: unclear \(for research\)"
    ):
        _run(album / "1.png", tmp_path / "out", models=("unclear",), commercial_ok=True)


def test_a_photo_that_does_not_fit_into_memory_is_one_failure(
    known: ModelSpec, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(source: str, **more: object) -> Image:
        if source.endswith("2.png"):
            raise MemoryError
        return read_image(source, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("leadline.flows.predict.read_image", read)
    report, _ = _run(album, tmp_path / "out", formats=("npz",))
    assert len(report.done) == 3
    assert any("2.png' does not fit into memory" in failed.reason for failed in report.failed)


def test_an_engine_error_ends_the_run(
    known: ModelSpec, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(
        self: OnnxRuntimeSession, images: Sequence[Image], *, prompts: Sequence[DepthMap]
    ) -> list[Answer]:
        raise EngineError("the accelerator is gone")

    monkeypatch.setattr(OnnxRuntimeSession, "run", fail)
    with pytest.raises(EngineError, match="gone"):
        _run(album, tmp_path / "out")


def test_a_disk_that_fills_up_ends_the_run_and_finished_files_stay_whole(
    known: ModelSpec, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = DepthFileExporter.write
    written: list[Path] = []

    def fill_up(self: DepthFileExporter, prediction: object, path: Path, *, options: object) -> None:
        if len(written) >= 2:
            raise OutputError(f"{str(path)!r} cannot be written: the disk is full")
        write(self, prediction, path, options=options)  # type: ignore[arg-type]
        written.append(path)

    monkeypatch.setattr(DepthFileExporter, "write", fill_up)
    with pytest.raises(OutputError, match="disk is full"):
        _run(album, tmp_path / "out", formats=("png16",), recursive=True)
    assert len(written) >= 2
    assert set(written) == {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    for path in written:
        assert read_depth(path)[0].unit == "m"


def test_a_photo_whose_format_needs_an_extra_is_one_failure(
    known: ModelSpec, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leadline.flows import predict as flow

    def read(source: str, **more: object) -> Image:
        if source.endswith("2.png"):
            raise MissingExtra("a HEIC photo", "pillow_heif", extra="heif")
        return read_image(source)

    monkeypatch.setattr(flow, "read_image", read)
    report, _ = _run(album, tmp_path / "out", formats=("png16",))
    assert len(report.done) == 3
    assert any("pip install 'leadline[heif]'" in failed.reason for failed in report.failed)


def test_the_lens_reaches_the_network(known: ModelSpec, album: Path, tmp_path: Path) -> None:
    report, _ = _run(album / "1.png", tmp_path / "out", focal_px=777.0, formats=("npz",))
    depth, record = read_depth(report.done[0].outputs[0])
    photo = read_image(album / "1.png", focal_px=777.0)
    np.testing.assert_allclose(depth.values, brightness_depth(photo), rtol=1e-6)
    assert record.camera == Camera.centred(777.0, 16, 12)
