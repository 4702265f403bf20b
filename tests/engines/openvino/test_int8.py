"""Int8 by the user's own photos: calibrated once, kept, and close to the network itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.errors import EngineError, InputError, MissingExtra
from leadline.engines.openvino import quantising
from leadline.engines.openvino.quantising import LEAST, MOST, photos_to_calibrate_on
from leadline.flows.model import open_model
from leadline.io.images import read_image


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of made-up rooms: structured, so that a network's ranges are those of real ones."""
    from leadline.datasets.synthetic import Synthetic

    folder = tmp_path_factory.mktemp("rooms")
    for place in range(LEAST + 1):
        sample = Synthetic(seed=5, width=160, height=120)[place]
        PilImage.fromarray(sample.image.rgb_HW3).save(folder / f"{place}.png")
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_int8_is_calibrated_once_and_is_close(
    rooms: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_model(engine="onnxruntime") as own:
        wanted = own.predict(str(photo)).depth.values
    with open_model(engine="openvino", precision="int8", int8_photos=[str(rooms)]) as model:
        made = model.predict(str(photo)).depth.values
        assert model.record.engine.startswith("openvino (CPU, int8 by photos ")
        program = model._session._programs._held["any", False]  # type: ignore[attr-defined]
        kinds = [node.get_type_name() for node in program.get_runtime_model().get_ops()]
        assert kinds
    apart = float(np.abs(made - wanted).mean() / wanted.mean())
    assert 1e-4 < apart < 0.1
    monkeypatch.setattr(quantising, "quantised", lambda *_, **__: pytest.fail("it was calibrated again"))
    for photos in ([str(rooms)], []):
        with open_model(engine="openvino", precision="int8", int8_photos=photos) as again:
            np.testing.assert_array_equal(again.predict(str(photo)).depth.values, made)


def test_a_network_of_torch_is_calibrated_at_the_photos_shape(rooms: Path) -> None:
    name = "tipsv2-dpt-tiny"
    image = read_image(str(rooms / "0.png"))
    with open_model(name, engine="torch") as own:
        wanted = own.infer([image])[0][0].values
    with open_model(name, engine="openvino", precision="int8", int8_photos=[str(rooms)]) as model:
        made = model.infer([image])[0][0].values
        names = {
            node.get_type_name()
            for graph in model._session._graph.values()  # type: ignore[attr-defined]
            for node in graph.get_ops()
        }
    assert "FakeQuantize" in names, "nothing is quantised"
    assert float(np.abs(made - wanted).max()) > 0
    assert float(np.corrcoef(made.ravel(), wanted.ravel())[0, 1]) > 0.8


def test_without_photos_and_with_nothing_calibrated_it_says_what_to_give() -> None:
    with pytest.raises(InputError, match=r"must be calibrated once.*--int8-photos FOLDER"):
        open_model(engine="openvino", precision="int8")


def test_a_shape_that_was_not_calibrated_is_told(rooms: Path) -> None:
    name = "depth-anything-tiny"
    with open_model(name, engine="openvino", precision="int8", int8_photos=[str(rooms)]) as model:
        model.predict(str(rooms / "0.png"))
    with (
        open_model(name, engine="openvino", precision="int8") as again,
        pytest.raises(InputError, match=r"not calibrated for photos of 400x100 yet.*--int8-photos"),
    ):
        again.predict(np.zeros((100, 400, 3), np.uint8))


def test_too_few_photos_are_refused(rooms: Path) -> None:
    with pytest.raises(InputError, match=rf"1 photo\(s\) to calibrate int8 on are too few: it takes {LEAST}"):
        open_model(engine="openvino", precision="int8", int8_photos=[str(rooms / "0.png")])


def test_photos_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        photos_to_calibrate_on([str(tmp_path / "nowhere")])


@pytest.mark.parametrize("noise", [0, 2])
def test_photos_that_are_all_alike_are_refused(tmp_path: Path, noise: int) -> None:
    base = np.random.default_rng(0).integers(10, 240, (40, 60, 3))
    for place in range(LEAST):
        more = np.random.default_rng(place).integers(0, noise + 1, base.shape)
        PilImage.fromarray((base + more).astype(np.uint8)).save(tmp_path / f"{place}.png")
    with pytest.raises(InputError, match=f"the {LEAST} photos to calibrate int8 on are all alike"):
        photos_to_calibrate_on([str(tmp_path)])


def test_of_many_photos_some_are_taken_evenly_and_none_too_large(tmp_path: Path) -> None:
    for place in range(MOST + 8):
        pixels = np.full((2, 1500, 3), 6 * place, np.uint8)
        PilImage.fromarray(pixels).save(tmp_path / f"{place:02}.png")
    photos = photos_to_calibrate_on([str(tmp_path)])
    assert len(photos) == MOST
    assert {photo.width for photo in photos} == {1024}
    greys = [int(photo.rgb_HW3[0, 0, 0]) // 6 for photo in photos]
    assert greys[0] == 0
    assert greys[-1] >= MOST + 6


def test_photos_for_another_precision_are_refused(rooms: Path) -> None:
    with pytest.raises(EngineError, match=r"the precision is fp32.*add --precision int8"):
        open_model(engine="openvino", int8_photos=[str(rooms)])


def test_without_nncf_it_says_what_to_install(rooms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from leadline.plugins import need

    monkeypatch.setattr(need, "has", lambda package: package != "nncf")
    with pytest.raises(MissingExtra, match=r"pip install 'leadline\[openvino\]'"):
        open_model(engine="openvino", precision="int8", int8_photos=[str(rooms)])


def test_what_nncf_refuses_is_one_line(rooms: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nncf

    def refuse(*_: Any, **__: Any) -> None:
        raise nncf.ValidationError("no such layer\nand more")

    monkeypatch.setattr(nncf, "quantize", refuse)
    with (
        open_model(engine="openvino", precision="int8", int8_photos=[str(rooms)]) as model,
        pytest.raises(EngineError, match=r"cannot be calibrated: no such layer; use --precision fp32"),
    ):
        model.predict(str(photo))


def test_a_kept_calibration_that_cannot_be_read_is_made_again(
    rooms: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"engine": "openvino", "precision": "int8", "int8_photos": [str(rooms)]}
    monkeypatch.setattr(quantising, "_serialised", lambda graph: [b"<net/>", b""])
    with open_model(**given) as model:  # type: ignore[arg-type]
        model.predict(str(photo))
    for file in (Path(str(p)) for p in sorted(_kept())):
        if b"calibrated" not in file.read_bytes().split(b"\n")[0]:
            file.unlink()
    with open_model(**given) as again:  # type: ignore[arg-type]
        again.predict(str(photo))
        assert any("cannot be read by this OpenVINO" in remark for remark in again.remarks)


def _kept() -> list[Path]:
    from leadline.io.weights import cache_folder

    return list(cache_folder().parent.rglob("*.kept"))


def test_the_command_line_calibrates_and_says_it_in_one_line(
    command: Callable[..., Any], photo: Path, rooms: Path, tmp_path: Path
) -> None:
    done = command("predict", photo, "--engine", "openvino", "--precision", "int8", "-o", tmp_path / "out")
    assert done.status == 3
    assert "--int8-photos FOLDER" in done.err
    assert "Traceback" not in done.err


def test_a_signal_after_calibrating_is_met_as_ever(rooms: Path, photo: Path) -> None:
    """OpenVINO's cores lend the thread a stack for signals; one that is gone would end the process at Ctrl-C."""
    code = (
        "import os, signal, leadline\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # muted where the tests run in the background
        f"with leadline.open_model(engine='openvino', precision='int8', int8_photos=[{str(rooms)!r}]) as model:\n"
        f"    model.predict({str(photo)!r})\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "except KeyboardInterrupt:\n"
        "    print('met')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "met"), done.stderr
