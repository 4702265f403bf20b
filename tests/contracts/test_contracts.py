"""Every suite over everything that ships, and proof that each check can fail."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, KindError
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind
from leadline.core.results import Answer, Prediction
from leadline.core.sample import Entry, Sample
from leadline.engines.onnxruntime import OnnxRuntimeEngine
from leadline.exporters.depth_file import DepthFileExporter
from leadline.flows.data.opening import guess_layout, open_dataset
from leadline.flows.model import Model, open_model
from leadline.io.depth_files import write_depth
from leadline.io.trees import open_tree
from leadline.plugins import builtins
from leadline.plugins.need import has
from leadline.plugins.ports import Dataset, Engine, EngineOptions, ExportOptions, Session
from leadline.plugins.registry import ENGINES, EXPORTERS, MODELS, load
from leadline.plugins.specs import ExporterSpec, ModelSpec
from leadline.testing.contracts.datasets import DATASET_CHECKS
from leadline.testing.contracts.engines import ENGINE_CHECKS
from leadline.testing.contracts.exporters import EXPORTER_CHECKS
from leadline.testing.contracts.models import MODEL_CHECKS, spec_is_complete
from leadline.testing.scenes import noise_photo


def _named(checks: tuple[Callable[..., None], ...]) -> Any:
    return pytest.mark.parametrize("check", checks, ids=lambda check: check.__name__)


HERE = [name for name in builtins.MODELS if MODELS.get(name).weights.scheme in ("package", "code")]
"""Models that need no download: what ships, and a variant of random weights of each architecture."""


@pytest.fixture(scope="module", params=[*HERE, "brightness-test"])
def model(request: pytest.FixtureRequest, brightness: ModelSpec) -> Iterator[Model]:
    spec = brightness if request.param == "brightness-test" else MODELS.get(request.param)
    missing = [package for package in spec.packages if not has(package)]
    if missing:
        pytest.skip(f"{spec.name} needs {', '.join(missing)}")
    with open_model(spec) as opened:
        yield opened


@pytest.mark.parametrize("name", builtins.MODELS)
def test_every_spec_is_complete(name: str) -> None:
    spec = MODELS.get(name)
    spec_is_complete(spec)
    if spec.weights.scheme == "hf":
        assert re.fullmatch(r"hf:[\w.-]+/[\w.-]+", spec.weights.source)
        assert spec.paper.startswith("https://")
        assert re.fullmatch(r"|[0-9a-f]{40}|refs/pr/\d+", spec.weights.revision)
        # TIPSv2's checkpoints hold two more heads, whose size is not known here.
        assert spec.weights.size_bytes > 0 or spec.name.startswith("tipsv2-dpt-")
        assert re.search("CC|MIT|Apache|Apple|RAIL", spec.licence)
        architecture = spec.network.split(".")[2]
        tiny = [MODELS.get(n) for n in HERE if MODELS.get(n).network == spec.network]
        assert tiny, f"{architecture} has no variant of random weights"
        assert spec.kind in {other.kind for other in tiny}
    for step in (spec.step_up,):
        assert not step or step.split(",")[0] in builtins.MODELS


@_named(MODEL_CHECKS)
def test_models(check: Callable[[Model], None], model: Model) -> None:
    check(model)


@pytest.mark.parametrize("name", builtins.EXPORTERS)
@_named(EXPORTER_CHECKS)
def test_exporters(check: Callable[[ExporterSpec, Path], None], name: str, tmp_path: Path) -> None:
    check(EXPORTERS.get(name), tmp_path)


@pytest.mark.parametrize("name", [name for name in builtins.ENGINES if not ENGINES.get(name).remote])
@_named(ENGINE_CHECKS)
def test_engines(check: Callable[[Engine, Path], None], name: str, tmp_path: Path) -> None:
    for package in ENGINES.get(name).packages:
        pytest.importorskip(package, reason=f"the extra {ENGINES.get(name).extra} is not installed")
    check(load(ENGINES.get(name).adapter)(), tmp_path)


@pytest.mark.parametrize("name", builtins.DATASETS)
@_named(DATASET_CHECKS)
def test_datasets(check: Callable[[Dataset], None], name: str, tmp_path: Path) -> None:
    """Each layout has a module in ``leadline.testing.layouts`` whose ``write`` makes a few files of exactly that form."""
    place, options = load(f"leadline.testing.layouts.{name}:write")(tmp_path)
    check(open_dataset(place, name=name, options=options))


@pytest.mark.parametrize("name", [name for name in builtins.DATASETS if name != "synthetic"])
def test_datasets_are_recognised(name: str, tmp_path: Path) -> None:
    place, _ = load(f"leadline.testing.layouts.{name}:write")(tmp_path)
    assert [guess.name for guess in guess_layout(open_tree(place))][:1] == [name]


class _Odd:
    """A session that runs another one and spoils its answers."""

    def __init__(self, session: Session, spoil: Callable[[Any, list[Image]], Any]) -> None:
        self.session, self.spoil = session, spoil
        self.description = session.description
        self.calls = 0

    def run(self, images: Any, *, prompts: Any = ()) -> Any:
        self.calls += 1
        return [Answer(values) for values in self.spoil(self, list(images))]

    def close(self) -> None:
        self.session.close()


def _plus(amount: Callable[[_Odd, list[Image]], Any]) -> Callable[[_Odd, list[Image]], Any]:
    return lambda odd, images: [
        answer.values + np.float32(amount(odd, images)) for answer in odd.session.run(images)
    ]


SPOILT: dict[str, Callable[[_Odd, list[Image]], Any]] = {
    "gives_usable_values": _plus(lambda odd, images: -1000),
    "sees_the_photo": lambda odd, images: [np.ones((i.height, i.width), np.float32) for i in images],
    "is_deterministic": _plus(lambda odd, images: odd.calls),
    "answers_in_batches_as_one_by_one": _plus(lambda odd, images: len(images)),
    "scales_with_the_focal_length": _plus(lambda odd, images: 1),
    "answers_at_the_photos_size": lambda odd, images: [np.ones((4, 4), np.float32) for _ in images],
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_model_that_breaks_its_contract_is_caught(name: str, brightness: ModelSpec) -> None:
    (check,) = [check for check in MODEL_CHECKS if check.__name__ == name]
    with open_model(brightness) as model:
        check(model)
        model._session = _Odd(model._session, SPOILT[name])
        with pytest.raises((AssertionError, EngineError)):
            check(model)


def _with_sky(sees: Callable[[list[Image], Image], Any]) -> Callable[[_Odd, list[Image]], Any]:
    """Where it is true there is sky; what is left is the other model's."""
    return lambda odd, images: [
        np.where(sees(images, image), np.float32(np.inf), answer.values)
        for image, answer in zip(images, odd.session.run(images), strict=True)
    ]


SKIES = ["answers_in_batches_as_one_by_one", "scales_with_the_focal_length", "gives_usable_values"]


@pytest.mark.parametrize("name", [*SKIES, "sees_the_photo", "is_deterministic"])
def test_a_model_that_sees_the_sky_keeps_its_contract(name: str, brightness: ModelSpec) -> None:
    (check,) = [check for check in MODEL_CHECKS if check.__name__ == name]
    with open_model(brightness) as model:
        sky = _with_sky(
            lambda images, image: (image.rgb_HW3[..., 0] < 128) & (image.height * image.width > 1)
        )
        model._session = _Odd(model._session, sky)
        check(model)


@pytest.mark.parametrize("name", SKIES[:2])
def test_a_model_whose_sky_comes_and_goes_is_caught(name: str, brightness: ModelSpec) -> None:
    (check,) = [check for check in MODEL_CHECKS if check.__name__ == name]
    with open_model(brightness) as model:
        fickle = _with_sky(lambda images, image: len(images) > 1 or image.camera.fx == 40.0)
        model._session = _Odd(model._session, fickle)
        with pytest.raises(AssertionError, match=r"sky|no pixel is known"):
            check(model)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("has_a_complete_spec", {"name": "Odd Name"}),
        ("has_a_complete_spec", {"summary": ""}),
        ("has_a_complete_spec", {"packages": ("math",)}),
        ("gives_the_kind_its_spec_says", {"kind": Kind().coarsened(Freedom.SCALE)}),
        ("says_who_made_it", {"name": "another-name"}),
    ],
)
def test_a_spec_that_lies_is_caught(name: str, change: dict[str, Any], brightness: ModelSpec) -> None:
    (check,) = [check for check in MODEL_CHECKS if check.__name__ == name]
    with open_model(brightness) as model:
        pack = model.pack
        model.pack = lambda image, values, time_s: pack(image, values, time_s)  # type: ignore[method-assign]
        honest = model.spec
        model.spec = replace(honest, **change)
        if name == "gives_the_kind_its_spec_says":
            model.pack = lambda image, values, time_s: Prediction(  # type: ignore[method-assign]
                image, DepthMap(values.values, Kind(), camera=image.camera), model.record
            )
        with pytest.raises(AssertionError):
            check(model)


class _Careless(DepthFileExporter):
    """Writes everything, says nothing of it."""

    def write(self, prediction: Prediction, path: Path, *, options: ExportOptions) -> None:
        np.save(path.with_suffix(".npy"), prediction.depth.values)
        path.write_bytes(b"")


class _Garbage(DepthFileExporter):
    """Writes what nobody can read."""

    def write(self, prediction: Prediction, path: Path, *, options: ExportOptions) -> None:
        path.write_bytes(b"garbage")


class _Forgetful(DepthFileExporter):
    """Forgets the camera and who made it."""

    def write(self, prediction: Prediction, path: Path, *, options: ExportOptions) -> None:
        write_depth(path, prediction.depth.with_camera(None))


class _Rounding(DepthFileExporter):
    """Rounds to decimetres."""

    def write(self, prediction: Prediction, path: Path, *, options: ExportOptions) -> None:
        depth = prediction.depth
        coarse = np.maximum(np.round(depth.values, 1), 0.1)
        rounded = replace(depth, values=coarse.astype(np.float32))
        super().write(replace(prediction, depth=rounded), path, options=options)


class _Hypocrite(DepthFileExporter):
    """Refuses what it then writes."""

    def check(self, kind: Kind) -> None:
        raise KindError("no", hint="never")


@pytest.mark.parametrize(
    ("adapter", "name"),
    [
        (_Careless, "writes_what_it_accepts_and_refuses_the_rest"),
        (_Hypocrite, "writes_what_it_accepts_and_refuses_the_rest"),
        (_Forgetful, "carries_the_record"),
        (_Rounding, "carries_the_record"),
    ],
)
def test_an_exporter_that_breaks_its_contract_is_caught(
    adapter: type, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (check,) = [check for check in EXPORTER_CHECKS if check.__name__ == name]
    spec = replace(EXPORTERS.get("npz"), adapter="odd:Odd")
    monkeypatch.setattr("leadline.testing.contracts.exporters.load", lambda target: adapter)
    with pytest.raises(AssertionError):
        check(spec, tmp_path)


@pytest.mark.parametrize("name", builtins.EXPORTERS)
def test_an_exporter_that_writes_garbage_is_caught_unless_leadline_has_no_reader(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (check,) = [check for check in EXPORTER_CHECKS if check.__name__ == "carries_the_record"]
    monkeypatch.setattr("leadline.testing.contracts.exporters.load", lambda target: _Garbage)
    with pytest.raises(AssertionError, match="is not what its suffix says"):
        check(EXPORTERS.get(name), tmp_path)
    check(replace(EXPORTERS.get(name), suffix="_depth.las"), tmp_path)


class _WrongEngine(OnnxRuntimeEngine):
    """Forgets the focal length and takes any device."""

    def open(self, spec: ModelSpec, *, weights: Path, options: EngineOptions) -> Any:
        session = super().open(spec, weights=weights, options=EngineOptions())
        return _Odd(
            session,
            lambda odd, images: [
                answer.values for answer in odd.session.run([Image.from_array(i.rgb_HW3) for i in images])
            ],
        )


@pytest.mark.parametrize("name", ["answers_in_closed_form", "refuses_what_it_cannot_do"])
def test_an_engine_that_breaks_its_contract_is_caught(name: str, tmp_path: Path) -> None:
    (check,) = [check for check in ENGINE_CHECKS if check.__name__ == name]
    with pytest.raises(AssertionError):
        check(_WrongEngine(), tmp_path)


class _Album:
    """A dataset in memory."""

    kind = Kind()

    def __init__(self, **change: Any) -> None:
        camera = Camera.assumed(8, 6)
        truth = DepthMap(np.full((6, 8), 2.0), Kind(), camera=camera)
        photos = [noise_photo(6, 8, seed=k) for k in range(3)]
        self.samples = [replace(Sample(str(k), photo, truth), **change) for k, photo in enumerate(photos)]

    @property
    def entries(self) -> list[Entry]:
        return [Entry(sample.id) for sample in self.samples]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)


class _Endless(_Album):
    def __getitem__(self, index: int) -> Sample:
        return self.samples[index % 3]

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples[::-1])


@_named(DATASET_CHECKS)
def test_a_sound_dataset_passes(check: Callable[[Dataset], None]) -> None:
    check(_Album())


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        (_Album(id="same"), "ids_are_unique"),
        (_Album(truth=DepthMap(np.ones((2, 2)), Kind())), "samples_fit_together"),
        (_Album(truth=DepthMap(np.ones((6, 8)), Kind.parse("disparity"))), "samples_fit_together"),
        (_Album(truth=DepthMap(np.zeros((6, 8)), Kind())), "samples_fit_together"),
        (_Endless(), "ends"),
        (_Endless(), "reading_again_gives_the_same"),
        (object(), "is_a_dataset"),
    ],
)
def test_a_dataset_that_breaks_its_contract_is_caught(dataset: Any, name: str) -> None:
    (check,) = [check for check in DATASET_CHECKS if check.__name__ == name]
    with pytest.raises(AssertionError):
        check(dataset)
