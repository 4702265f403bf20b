"""What every exporter must do. Each check takes its spec, and an empty folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, OutputError
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.core.results import Prediction
from leadline.io.depth_files import read_depth
from leadline.io.describe import DESCRIBED_SUFFIXES, describe_file
from leadline.plugins.ports import Comparing, Exporter, ExportOptions
from leadline.plugins.registry import load
from leadline.plugins.specs import ExporterSpec
from leadline.testing.scenes import as_kind, plane, prediction_of, sphere

__all__ = ["EXPORTER_CHECKS"]

KINDS = tuple(Kind(q, f, a) for q in Quantity for f in Freedom for a in Along)
OPTIONS = ExportOptions()
STEPS = 65_534
"""Steps of the coarsest encoding that counts as a round trip: 16 bits less two markers."""

_CAMERA = Camera(40.0, 42.0, 15.0, 12.5, 32, 24)


def _exporter(spec: ExporterSpec) -> Exporter:
    exporter = load(spec.adapter)()
    assert isinstance(exporter, Exporter), f"{spec.adapter!r} has no check and write"
    return exporter


def _scene(kind: Kind) -> Prediction:
    """A ball before a sky with a hole in the picture; a tilted plane where there can be no sky."""
    if kind.freedom is Freedom.AFFINE:
        depth = plane(_CAMERA, normal=(0.1, 0.2, 0.9746794), distance_m=2.0)
    else:
        depth = sphere(_CAMERA, centre_m=(0.1, -0.1, 3.0), radius_m=1.2)
    depth = as_kind(depth, kind)
    valid, infinite = depth.valid.copy(), depth.infinite.copy()
    valid[10:12, 14:18] = infinite[10:12, 14:18] = False
    return prediction_of(replace(depth, valid=valid, infinite=infinite))


def _accepted(exporter: Exporter) -> Iterator[Kind]:
    return (kind for kind in KINDS if _refusal(partial(exporter.check, kind)) is None)


def _refusal(attempt: Callable[[], object]) -> KindError | None:
    try:
        attempt()
    except KindError as error:
        return error
    return None


def has_a_complete_spec(spec: ExporterSpec, folder: Path) -> None:
    """A suffix that names what the file is, a summary of one line."""
    assert spec.suffix.startswith("_"), (
        f"suffix {spec.suffix!r} does not set itself off from the photo's name"
    )
    assert Path(spec.suffix).suffix, f"suffix {spec.suffix!r} has no file type"
    assert spec.summary, "there is no summary"
    assert "\n" not in spec.summary, "the summary is longer than a line"


def writes_what_it_accepts_and_refuses_the_rest(spec: ExporterSpec, folder: Path) -> None:
    """``check`` and ``write`` agree on every kind, and a refusal says the way out and leaves nothing."""
    exporter = _exporter(spec)
    for kind in KINDS:
        prediction, path = _scene(kind), folder / f"{kind}{spec.suffix}"
        refusal = _refusal(partial(exporter.check, kind))
        second = _refusal(partial(exporter.write, prediction, path, options=OPTIONS))
        if refusal is None:
            assert second is None, f"check accepts {kind}, but write does not"
            assert path.is_file(), f"no file was written for {kind}"
            assert path.stat().st_size > 0, f"the file for {kind} is empty"
        else:
            assert refusal.hint, f"the refusal of {kind} does not say what to do"
            assert second is not None, f"check refuses {kind}, but write does not"
            assert not path.exists(), f"{kind} was refused, but a file was written"
    assert any(True for _ in _accepted(exporter)), "it accepts no kind at all"


def carries_the_record(spec: ExporterSpec, folder: Path) -> None:
    """Kind, camera and maker are in the file (law 7); depth files give their values back."""
    if Path(spec.suffix).suffix.lower() not in DESCRIBED_SUFFIXES:
        # A file type leadline cannot read: its reader is the plugin author's to test.
        return
    exporter = _exporter(spec)
    for kind in _accepted(exporter):
        prediction, path = _scene(kind), folder / f"{kind}{spec.suffix}"
        exporter.write(prediction, path, options=OPTIONS)
        try:
            found = describe_file(path)
        except InputError as error:
            raise AssertionError(f"the file for {kind} is not what its suffix says: {error}") from error
        assert found.record is not None, f"the file for {kind} does not say what it holds"
        assert found.record.kind == kind, f"the file says {found.record.kind}, not {kind}"
        assert found.record.camera == _CAMERA, "the camera is lost"
        assert found.record.model == prediction.model, "who made it is lost"
        if found.role == "depth":
            _same(read_depth(path)[0], prediction.depth)


def _same(read: DepthMap, written: DepthMap) -> None:
    assert np.array_equal(read.valid, written.valid), "the mask of valid pixels changed"
    assert np.array_equal(read.infinite, written.infinite), "the mask of the sky changed"
    one, other = read.values[read.valid], written.values[written.valid]
    step = max(float(other.max()), float(other.max() - other.min()), 65.535) / STEPS
    error = float(np.abs(one - other).max())
    assert error <= step, f"values changed by {error:.3g}, more than a step of {step:.3g}"


def writes_whole_files_or_none(spec: ExporterSpec, folder: Path) -> None:
    """A path that cannot be written is an OutputError, an old file is replaced, nothing else is left behind."""
    exporter = _exporter(spec)
    prediction = _scene(next(_accepted(exporter)))
    path = folder / f"photo{spec.suffix}"
    path.write_bytes(b"old")
    exporter.write(prediction, path, options=OPTIONS)
    assert path.read_bytes() != b"old", "the old file is still there"
    made = sorted(entry.name for entry in folder.iterdir())
    blocked = folder / f"photo{spec.suffix}" / f"below{spec.suffix}"
    try:
        exporter.write(prediction, blocked, options=OPTIONS)
    except OutputError:
        assert sorted(entry.name for entry in folder.iterdir()) == made, (
            "a failed write left something behind"
        )
        return
    raise AssertionError("writing below a file did not fail")


def writes_small_and_odd_photos(spec: ExporterSpec, folder: Path) -> None:
    """One pixel, one row, one column."""
    exporter = _exporter(spec)
    kind = next(_accepted(exporter))
    for width, height in ((1, 1), (50, 1), (1, 50)):
        camera = Camera.centred(30.0, width, height)
        depth = as_kind(plane(camera, normal=(0.0, 0.0, 1.0), distance_m=2.0), kind)
        path = folder / f"{width}x{height}{spec.suffix}"
        exporter.write(prediction_of(depth), path, options=OPTIONS)
        assert path.is_file(), f"no file for a photo of {width}x{height}"


def lays_models_side_by_side_if_it_says_so(spec: ExporterSpec, folder: Path) -> None:
    """An exporter that has ``write_several`` makes one file of several models, also of different kinds."""
    exporter = _exporter(spec)
    if not isinstance(exporter, Comparing):
        return
    kinds = list(_accepted(exporter))
    shown = [
        prediction_of(as_kind(plane(_CAMERA, normal=(0.0, 0.0, 1.0), distance_m=2.0), kind))
        for kind in kinds[:3]
    ]
    photo = shown[0].image
    path = folder / f"several{spec.suffix}"
    exporter.write_several([replace(one, image=photo) for one in shown], path, options=OPTIONS)
    assert path.is_file(), "no file was written"


EXPORTER_CHECKS: tuple[Callable[[ExporterSpec, Path], None], ...] = (
    has_a_complete_spec,
    writes_what_it_accepts_and_refuses_the_rest,
    carries_the_record,
    writes_whole_files_or_none,
    writes_small_and_odd_photos,
    lays_models_side_by_side_if_it_says_so,
)
