"""Predictions at Replicate, from the photo that is sent to the depth that comes back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, InputError, KindError, UnknownName
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.flows.model import Model, open_model
from leadline.ops.colour import ColourOptions, colourise
from leadline.plugins.ports import Engine, EngineOptions, Session
from leadline.plugins.registry import MODELS
from leadline.testing.scenes import noise_photo

pytest.importorskip("replicate")
from leadline.engines.replicate import engine as adapter
from leadline.engines.replicate.engine import ReplicateEngine, encoded

RELATIVE = "affine-invariant-inverse-depth"
METRES = "metric-depth"
PHOTO = noise_photo(24, 32, seed=1)
RED = PHOTO.rgb_HW3[..., 0] / np.float32(255)


def opened(kind: str = RELATIVE, name: str = "replicate:acme/depth", **inputs: Any) -> Model:
    return open_model(
        name, kind=kind, inputs={key.replace("remote_", "remote."): v for key, v in inputs.items()}
    )


def test_it_fulfils_the_ports(stand: Any) -> None:
    assert isinstance(ReplicateEngine(), Engine)
    with opened() as model:
        assert isinstance(model._session, Session)
        assert model.record.engine == f"replicate.com (acme/depth:{'b' * 12})"


def test_a_photo_goes_there_and_its_depth_comes_back(stand: Any) -> None:
    with opened() as model:
        prediction = model.predict(PHOTO)
    assert np.allclose(prediction.depth.values, RED, atol=1e-6)
    assert prediction.depth.kind == Kind.parse(RELATIVE)
    assert prediction.depth.camera == PHOTO.camera
    assert prediction.model.name == "replicate:acme/depth"
    assert stand.count("POST", "/v1/predictions") == 1
    assert stand.count("GET", "/v1/predictions/") == 3


def test_nothing_is_run_or_sent_before_the_first_photo(stand: Any) -> None:
    with opened():
        assert stand.asked == [("GET", "/v1/models/acme/depth")]


def test_the_version_that_was_named_is_run(stand: Any) -> None:
    with opened(name=f"replicate:acme/depth:{'a' * 64}") as model:
        model.predict(PHOTO)
        assert model.record.version == "a" * 64
    assert stand.running["p0"]["version"] == "a" * 64


def test_a_model_without_versions_is_run_by_its_name(stand: Any) -> None:
    stand.models["acme/official"] = {}
    with opened(name="replicate:acme/official") as model:
        assert np.allclose(model.predict(PHOTO).depth.values, RED, atol=1e-6)
    assert stand.count("POST", "/v1/models/acme/official/predictions") == 1


def test_inputs_go_along_as_the_model_wants_them(stand: Any) -> None:
    with opened(
        model_type="dpt_beit_large_512", steps=4, strength="0.5", half="True", seed="7", points="[1, 2]"
    ) as model:
        model.predict(PHOTO)
    assert {k: v for k, v in stand.inputs[0].items() if k != "image"} == {
        "model_type": "dpt_beit_large_512",
        "steps": 4,
        "strength": 0.5,
        "half": True,
        "seed": 7,
        "points": [1, 2],
    }
    with opened(half="no") as model:
        model.predict(PHOTO)
    assert stand.inputs[1]["half"] is False


@pytest.mark.parametrize(
    ("inputs", "error", "words"),
    [
        ({"model_typo": "x"}, UnknownName, "did you mean 'model_type'"),
        ({"model_type": "dpt_giant"}, InputError, "not one of dpt_large, dpt_beit_large_512"),
        ({"steps": "many"}, InputError, "steps = 'many' of acme/depth is no integer; How many steps."),
        ({"strength": "much"}, InputError, "is no number"),
        ({"half": "perhaps"}, InputError, "is no boolean"),
        ({"remote_photo": "imago"}, UnknownName, "did you mean 'image'"),
        ({"remote_timeout": -1}, InputError, "is not a positive number"),
        ({"remote_scale": "inf"}, InputError, "is not a positive number"),
        ({"remote_putout": "1"}, UnknownName, "did you mean .*'remote.output'"),
    ],
)
def test_inputs_that_cannot_be_are_refused_before_anything_is_paid(
    stand: Any, inputs: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        opened(**inputs)
    assert not stand.running


def test_the_input_that_takes_the_photo_is_found_or_said(stand: Any) -> None:
    file = {"type": "string", "format": "uri"}
    forms = {"Input": {"properties": {"picture": file, "prompt": {"type": "string"}}}}
    stand.models["acme/one"] = {"c" * 64: forms}
    with opened(name="replicate:acme/one") as model:
        model.predict(PHOTO)
    assert set(stand.inputs[0]) == {"picture"}
    stand.models["acme/two"] = {"d" * 64: {"Input": {"properties": {"left": file, "right": file}}}}
    with pytest.raises(EngineError, match=r"left, right; say it: --input remote\.photo=left"):
        opened(name="replicate:acme/two")
    with opened(name="replicate:acme/two", remote_photo="right") as model:
        model.predict(PHOTO)
    assert set(stand.inputs[1]) == {"right"}
    stand.models["acme/none"] = {"e" * 64: {"Input": {"properties": {"prompt": {"type": "string"}}}}}
    with pytest.raises(EngineError, match=r"takes the photo: prompt"):
        opened(name="replicate:acme/none")


def test_without_a_schema_inputs_go_as_json_has_them(stand: Any) -> None:
    stand.models["acme/bare"] = {"f" * 64: {}}
    with opened(
        name="replicate:acme/bare", steps="4", half="true", word="plain", remote_photo="img"
    ) as model:
        model.predict(PHOTO)
    assert {k: v for k, v in stand.inputs[0].items() if k != "img"} == {
        "steps": 4,
        "half": True,
        "word": "plain",
    }
    assert stand.inputs[0]["img"].startswith("data:image/png;base64,")


def test_the_upright_pixels_are_sent_exactly(stand: Any, tmp_path: Path) -> None:
    pixels = PHOTO.rgb_HW3
    exif = Pil.Exif()
    exif[0x0112] = 6
    Pil.fromarray(np.rot90(pixels, 1)).save(tmp_path / "turned.png", exif=exif)
    with opened() as model:
        depth = model.predict(tmp_path / "turned.png").depth
    sent = Pil.open(io.BytesIO(stand.photos[0]))
    assert sent.format == "PNG"
    assert not sent.getexif()
    assert np.array_equal(np.asarray(sent), pixels)
    assert np.allclose(depth.values, RED, atol=1e-6)


def test_a_larger_photo_is_uploaded_and_deleted_afterwards(stand: Any) -> None:
    photo = noise_photo(400, 500, seed=2)
    with opened() as model:
        depth = model.predict(photo).depth
    assert np.allclose(depth.values, photo.rgb_HW3[..., 0] / 255, atol=1e-6)
    assert stand.inputs[0]["image"].startswith(f"{stand.base}/v1/files/")
    assert stand.count("DELETE", "/v1/files/") == 1
    assert stand.uploads == {}


def test_the_upload_is_deleted_when_the_model_fails_and_no_matter_if_that_fails_too(stand: Any) -> None:
    stand.failure = lambda photo: "no"
    stand.fail("DELETE", "/v1/files/", 400)
    with opened() as model, pytest.raises(InputError, match="failed on"):
        model.predict(noise_photo(400, 500))
    assert stand.count("DELETE", "/v1/files/") == 1


def test_a_photo_too_large_for_png_goes_as_jpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, columns = np.mgrid[:64, :96]
    smooth = Image.from_array(np.stack([columns * 2, rows * 3, rows + columns], -1).astype(np.uint8))
    assert encoded(smooth)[1] == "image/png"
    monkeypatch.setattr(adapter, "_LARGEST_PNG", 100)
    data, media_type = encoded(smooth)
    assert media_type == "image/jpeg"
    error = np.abs(np.asarray(Pil.open(io.BytesIO(data))).astype(int) - smooth.rgb_HW3)
    assert error.max() <= 6
    slender = Image.from_array(np.zeros((1, 70_000, 3), np.uint8))
    assert encoded(slender)[1] == "image/png"


def test_a_service_that_refuses_the_size_refuses_that_photo(stand: Any) -> None:
    stand.fail("POST", "/v1/predictions", 413)
    with opened() as model, pytest.raises(InputError, match="too large for Replicate"):
        model.predict(PHOTO)


GREY16 = (PHOTO.rgb_HW3[..., 0].astype(np.uint16) * 256 + 7).astype(np.uint16)


def test_sixteen_bits_stay_sixteen_bits(stand: Any) -> None:
    stand.predict = lambda photo, inputs: stand.picture("out.png", GREY16)
    with opened() as model:
        values = model.predict(PHOTO).depth.values
    assert np.array_equal(np.round(values * 65535).astype(np.uint16), GREY16)


@pytest.mark.parametrize("output", ["depth", "parts.1", "2"])
def test_which_output_is_the_depth_can_be_said(stand: Any, output: str) -> None:
    def several(photo: Any, inputs: Any) -> Any:
        grey, other = (
            stand.picture("grey.png", photo[..., 0].copy()),
            stand.picture("x.png", photo[..., 1].copy()),
        )
        if output == "2":
            return [other, "words", grey]
        return {"depth": grey, "parts": [other, grey]}

    stand.predict = several
    with opened(remote_output=output) as model:
        assert np.allclose(model.predict(PHOTO).depth.values, RED, atol=1e-6)


def test_several_files_must_be_told_apart(stand: Any) -> None:
    stand.predict = lambda photo, inputs: {"a": [stand.give("x.png", b""), 5], "b": stand.give("y.png", b"")}
    with opened() as model, pytest.raises(EngineError) as told:
        model.predict(PHOTO)
    assert str(told.value) == (
        "acme/depth gave 2 files, and nothing says which one is the depth: a.0 (x.png), b (y.png); "
        "say it: --input remote.output=a.0"
    )


@pytest.mark.parametrize("channel", ["", "1"])
def test_a_coloured_picture_is_depth_only_where_a_channel_is_named(stand: Any, channel: str) -> None:
    stand.predict = lambda photo, inputs: stand.picture("colour.png", photo)
    with opened(remote_channel=channel) as model:
        if channel:
            assert np.allclose(model.predict(PHOTO).depth.values, PHOTO.rgb_HW3[..., 1] / 255, atol=1e-6)
        else:
            with pytest.raises(EngineError, match=r"3 channels that differ: it is a coloured picture"):
                model.predict(PHOTO)


def test_a_grey_picture_in_colour_is_grey(stand: Any) -> None:
    stand.predict = lambda photo, inputs: stand.picture("grey.png", np.repeat(photo[..., :1], 3, 2))
    with opened() as model:
        assert np.allclose(model.predict(PHOTO).depth.values, RED, atol=1e-6)


def _npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


FLOATS = np.linspace(0.5, 20, 24 * 32, dtype=np.float32).reshape(24, 32)


@pytest.mark.parametrize("shape", [(24, 32), (1, 24, 32), (24, 32, 1), (1, 1, 24, 32)])
def test_metres_in_floats_are_metres(stand: Any, shape: tuple[int, ...]) -> None:
    stand.predict = lambda photo, inputs: stand.give("depth.npy", _npy(FLOATS.reshape(shape)))
    with opened(METRES) as model:
        depth = model.predict(PHOTO).depth
    assert np.allclose(depth.values, FLOATS, rtol=1e-6)
    assert depth.unit == "m"


def test_floats_in_another_unit_are_scaled(stand: Any) -> None:
    stand.predict = lambda photo, inputs: stand.give("depth.npy", _npy(FLOATS * 1000))
    with opened(METRES, remote_scale=0.001) as model:
        assert np.allclose(model.predict(PHOTO).depth.values, FLOATS, rtol=1e-6)


def test_unknown_pixels_stay_unknown(stand: Any) -> None:
    holes = FLOATS.copy()
    holes[0, 0], holes[1, 1], holes[2, 2] = np.nan, -1, np.inf
    stand.predict = lambda photo, inputs: stand.give("depth.npy", _npy(holes))
    with opened(METRES) as model:
        depth = model.predict(PHOTO).depth
    assert np.argwhere(~depth.valid).tolist() == [[0, 0], [1, 1], [2, 2]]


def test_grey_values_are_affine_at_best(stand: Any) -> None:
    with opened(METRES) as model, pytest.raises(KindError) as told:
        model.predict(PHOTO)
    assert str(told.value) == (
        "acme/depth gives a PNG picture of 8 bits, whose grey values cannot be metric-depth; "
        "they are affine at best: --kind affine-invariant-depth"
    )
    with opened(METRES, remote_scale=0.01) as model, pytest.raises(KindError, match="8 bits"):
        model.predict(PHOTO)


def test_integers_are_metres_only_where_their_step_is_said(stand: Any) -> None:
    stand.predict = lambda photo, inputs: stand.picture("mm.png", np.maximum(GREY16, 1000))
    with opened(METRES) as model, pytest.raises(KindError, match=r"remote\.scale=0\.001 for millimetres"):
        model.predict(PHOTO)
    with opened(METRES, remote_scale="0.001") as model:
        assert np.allclose(model.predict(PHOTO).depth.values, np.maximum(GREY16, 1000) / 1000, rtol=1e-6)


def test_another_size_is_brought_to_the_photos(stand: Any) -> None:
    """A plane's inverse depth is linear: half the size comes back as the same plane, but for the border."""
    columns = 0.1 + 0.01 * (np.arange(16, dtype=np.float32) * 2 + 0.5)
    stand.predict = lambda photo, inputs: stand.give("half.npy", _npy(np.tile(1 / columns, (12, 1))))
    with opened(METRES) as model:
        depth = model.predict(PHOTO).depth
    assert depth.shape == (24, 32)
    expected = 1 / (0.1 + 0.01 * np.arange(32))
    assert np.allclose(depth.values[:, 1:-1], np.tile(expected[1:-1], (24, 1)), rtol=1e-5)


def test_outputs_in_the_address_itself_are_read(stand: Any) -> None:
    import base64

    text = base64.b64encode(_npy(FLOATS)).decode()
    stand.predict = lambda photo, inputs: [f"data:application/octet-stream;base64,{text}"]
    with opened(METRES) as model:
        assert np.allclose(model.predict(PHOTO).depth.values, FLOATS)
    stand.predict = lambda photo, inputs: "data:image/png;base64,%%%"
    with opened(METRES) as model, pytest.raises(EngineError, match="damaged data address"):
        model.predict(PHOTO)


def test_the_token_does_not_go_where_outputs_are_fetched(stand: Any) -> None:
    with opened() as model:
        model.predict(PHOTO)
    assert stand.tokens["/v1/predictions"].startswith("Bearer ")
    assert stand.tokens["/out/out.png"] == ""


def test_a_preset_knows_its_model(stand: Any) -> None:
    spec = MODELS.get("replicate-marigold")
    forms = {name: {"type": "integer"} for name in ("num_infer", "denoise_steps", "seed")}
    forms["resize_input"] = {"type": "boolean"}
    image = {"image": {"type": "string", "format": "uri"}}
    stand.models["adirik/marigold"] = {spec.weights.revision: {"Input": {"properties": image | forms}}}
    far = (65535 - GREY16).astype(np.uint16)
    stand.predict = lambda photo, inputs: [stand.picture("bw.png", far), stand.picture("colour.png", photo)]
    with open_model("replicate-marigold", inputs={"num_infer": 3}) as model:
        depth = model.predict(PHOTO).depth
    assert depth.kind == Kind.parse("affine-invariant-depth")
    assert np.array_equal(np.round(depth.values * 65535).astype(np.uint16), far)
    sent = {k: v for k, v in stand.inputs[0].items() if k != "image"}
    assert sent == {"num_infer": 3, "denoise_steps": 10, "seed": 0, "resize_input": True}
    stand.predict = lambda photo, inputs: [stand.picture("colour.png", photo), stand.picture("bw.png", far)]
    with (
        open_model("replicate:adirik/marigold") as model,
        pytest.raises(EngineError, match="coloured picture"),
    ):
        model.predict(PHOTO)


def test_red_of_a_spectral_picture_is_no_depth(stand: Any) -> None:
    """Why the coloured second output of Marigold is not taken, as an article does."""
    far = np.tile(np.linspace(0, 1, 32, dtype=np.float32), (24, 1))
    red = colourise(DepthMap(far, Kind.parse("affine-depth")), options=ColourOptions("Spectral", "full"))
    stand.predict = lambda photo, inputs: [stand.picture("bw.png", GREY16), stand.picture("colour.png", red)]
    with opened("affine-depth", remote_output="1", remote_channel="0") as model:
        values = model.predict(PHOTO).depth.values[12]
    assert np.array_equal(np.round(values * 255), red[12, :, 0])
    steps = np.sign(np.diff(values))
    assert {-1, 1} <= set(steps)


def test_midas_by_reference_finds_its_preset(stand: Any) -> None:
    spec = MODELS.get("replicate-midas")
    stand.models["cjwbw/midas"] = {spec.weights.revision: SCHEMAS_OF_MIDAS}
    with open_model("replicate:cjwbw/midas", inputs={"model_type": "dpt_large"}) as model:
        prediction = model.predict(PHOTO)
    assert prediction.model.name == "replicate-midas"
    assert prediction.depth.kind == Kind.parse(RELATIVE)
    assert stand.inputs[0]["model_type"] == "dpt_large"


SCHEMAS_OF_MIDAS = {
    "Input": {"properties": {"image": {"type": "string", "format": "uri"}, "model_type": {"type": "string"}}}
}


def test_what_is_no_model_of_replicate_is_refused() -> None:
    spec = MODELS.get("leadline-indoor-small")
    with pytest.raises(EngineError, match="no model of Replicate"):
        ReplicateEngine().open(spec, weights=Path(), options=EngineOptions())
    with pytest.raises(EngineError, match="no device 'cuda'"):
        ReplicateEngine().open(spec, weights=Path(), options=EngineOptions(device="cuda"))


def test_a_closed_session_says_so(stand: Any) -> None:
    model = opened()
    model.close()
    model.close()
    with pytest.raises(EngineError, match="is closed"):
        model.predict(PHOTO)
