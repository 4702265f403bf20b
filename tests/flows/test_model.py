from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.camera import Origin
from leadline.core.errors import EngineError, InputError, MissingExtra, UnknownName
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.results import Answer
from leadline.flows.model import open_model, predict
from leadline.io.depth_files import read_depth, write_depth
from leadline.io.weights import sha256_of
from leadline.plugins.registry import ENGINES
from leadline.plugins.specs import EngineSpec, ModelSpec
from leadline.testing.graphs import brightness_depth

PIXELS = np.random.default_rng(5).integers(0, 256, (9, 13, 3), np.uint8)


def test_every_source_gives_the_same_depth(brightness: ModelSpec, tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    PilImage.fromarray(PIXELS).save(path)
    encoded = path.read_bytes()
    sources: list[Any] = [
        path,
        str(path),
        encoded,
        io.BytesIO(encoded),
        PilImage.fromarray(PIXELS),
        PIXELS,
        Image.from_array(PIXELS),
    ]
    with open_model(brightness) as model:
        for source in sources:
            result = model.predict(source)
            np.testing.assert_allclose(result.depth.values, brightness_depth(result.image), rtol=1e-6)
            assert result.depth.camera is not None
            assert result.depth.camera.origin is Origin.ASSUMED
            assert result.time_s > 0


def test_the_lens_that_is_given_is_the_one_that_counts(brightness: ModelSpec) -> None:
    near, far = (predict(PIXELS, model=brightness, focal_px=f_px) for f_px in (100.0, 200.0))
    np.testing.assert_allclose(far.depth.values, 2 * near.depth.values, rtol=1e-6)
    wide = predict(Image.from_array(PIXELS), model=brightness, fov_deg=90.0)
    assert wide.image.camera.fx == pytest.approx(6.5)
    assert wide.image.camera.origin is Origin.GIVEN


def test_the_scale_is_uncertain_only_where_metres_rest_on_an_assumed_focal_length(
    brightness: ModelSpec,
) -> None:
    assert predict(PIXELS, model=brightness).depth.scale_uncertain
    assert not predict(PIXELS, model=brightness, fov_deg=60.0).depth.scale_uncertain
    assert not predict(PIXELS, model=replace(brightness, scale_needs_focal=False)).depth.scale_uncertain
    relative = replace(brightness, kind=Kind.parse("scale-depth"))
    assert not predict(PIXELS, model=relative).depth.scale_uncertain


def test_a_batch_answers_as_one_by_one(brightness: ModelSpec) -> None:
    photos = [PIXELS, PIXELS[::-1].copy(), PIXELS[:4]]
    with open_model(brightness) as model:
        for single, together in zip(photos, model.predict_batch(photos), strict=True):
            np.testing.assert_array_equal(model.predict(single).depth.values, together.depth.values)


def test_a_result_says_who_made_it_and_is_read_only(brightness: ModelSpec) -> None:
    result = predict(PIXELS, model=brightness)
    path = Path(brightness.weights.source.removeprefix("file:"))
    assert result.model.name == "brightness-test"
    assert result.model.weights_sha256 == sha256_of(path)
    assert (result.model.commercial, result.model.engine) == ("yes", "onnxruntime (CPU)")
    assert not result.depth.values.flags.writeable


def test_kind_comes_from_the_spec(brightness: ModelSpec) -> None:
    relative = Kind.parse("affine-invariant-inverse-depth")
    assert predict(PIXELS, model=replace(brightness, kind=relative)).depth.kind == relative


def test_a_model_shows_what_it_is_and_closes(brightness: ModelSpec) -> None:
    with open_model(brightness) as model:
        assert repr(model) == "Model 'brightness-test', metres, on onnxruntime (CPU)"
    with pytest.raises(EngineError, match="closed"):
        model.predict(PIXELS)


def test_too_large_a_photo_is_refused(brightness: ModelSpec) -> None:
    with open_model(brightness) as model, pytest.raises(InputError, match="117 pixels"):
        model.predict(PIXELS, max_pixels=116)


def test_unknown_names_get_near_matches(brightness: ModelSpec) -> None:
    with pytest.raises(UnknownName, match="did you mean 'leadline-indoor-small'"):
        open_model("leadline-indor-small")
    with pytest.raises(UnknownName, match="did you mean 'onnxruntime'"):
        open_model(brightness, engine="onnxrutime")


def test_an_engine_that_the_model_does_not_name_is_refused(brightness: ModelSpec) -> None:
    with pytest.raises(EngineError, match="'onnxruntime' cannot run 'brightness-test'; use one of torch"):
        open_model(replace(brightness, engines=("torch",)), engine="onnxruntime")


def test_missing_packages_are_named_with_the_line_to_type(
    brightness: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        MissingExtra, match=r"model 'brightness-test' needs 'nopackage': pip install 'leadline\[torch\]'"
    ):
        open_model(replace(brightness, packages=("nopackage",), extra="torch"))
    other = EngineSpec("other", "nowhere:Engine", "not installed", extra="torch", packages=("nopackage",))
    monkeypatch.setitem(ENGINES._entries, "other", other)
    with pytest.raises(MissingExtra, match="engine 'other' needs 'nopackage'"):
        open_model(replace(brightness, engines=("other",)))


def test_what_no_extra_brings_is_asked_for_as_its_record_says(
    brightness: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = r"needs 'nopackage': pip install git\+https://example.org/acme$"
    needy = {"packages": ("nopackage",), "install": "git+https://example.org/acme"}
    with pytest.raises(MissingExtra, match=f"model 'brightness-test' {line}"):
        open_model(replace(brightness, **needy))  # type: ignore[arg-type]
    other = EngineSpec("other", "nowhere:Engine", "not installed", **needy)  # type: ignore[arg-type]
    monkeypatch.setitem(ENGINES._entries, "other", other)
    with pytest.raises(MissingExtra, match=f"engine 'other' {line}"):
        open_model(replace(brightness, engines=("other",)))


def test_an_engine_that_answers_at_another_size_is_refused(
    brightness: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_model(brightness) as model:
        monkeypatch.setattr(
            model._session, "run", lambda images, prompts: [Answer(np.ones((2, 2), np.float32))]
        )
        with pytest.raises(EngineError, match=r"gave depth of \[\(2, 2\)\]"):
            model.predict(PIXELS)


def test_one_photo_is_not_taken_for_a_list(brightness: ModelSpec) -> None:
    with open_model(brightness) as model, pytest.raises(InputError, match=r"'photo\.jpg' is one photo"):
        model.predict_batch("photo.jpg")


@pytest.mark.parametrize("threads", [-1, 1.5, "2"])
def test_threads_are_a_whole_number(brightness: ModelSpec, threads: Any) -> None:
    with pytest.raises(InputError, match="whole number"):
        open_model(brightness, threads=threads)


def test_a_written_prediction_names_its_maker(brightness: ModelSpec, tmp_path: Path) -> None:
    with open_model(brightness) as model:
        write_depth(tmp_path / "a.png", model.predict(np.zeros((4, 6, 3), np.uint8)))
    record = read_depth(tmp_path / "a.png")[1]
    assert record.model is not None
    assert record.model.name == brightness.name
