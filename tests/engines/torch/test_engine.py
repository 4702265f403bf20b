"""The engine over PyTorch: what runs, in which precision, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from leadline.core.errors import EngineError
from leadline.core.image import Image
from leadline.flows.model import Model, open_model

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from leadline.engines.torch import compiling, engine, precision, shape  # noqa: E402

NAME = "depth-anything-tiny"


def photo(height: int = 90, width: int = 120) -> Image:
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([x * 2 % 256, y * 2 % 256, (x + y) % 256], -1).astype(np.uint8)
    return Image.from_array(rgb)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> np.ndarray:
    """What the network says as transformers made it: nothing put in place, channels first, nothing kept."""
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    with monkeypatch.context() as patch:
        patch.setattr(shape.Shape, "given_to", lambda _, module: module.eval())
        patch.setattr(engine, "_kept", lambda *_: None)
        patch.setattr(shape, "onednn_is_faster", lambda: False)
        with open_model(NAME, device="cpu") as model:
            return model.predict(photo()).depth.values


def difference(made: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(made - truth).max() / np.abs(truth).max())


@pytest.mark.parametrize("faster", [True, False])
def test_float32_is_that_of_the_plain_network(
    faster: bool, eager: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape, "onednn_is_faster", lambda: faster)
    with open_model(NAME, device="cpu") as model:
        assert model.record.engine == f"torch (CPU{', oneDNN' if faster else ''})"
        layers = {type(layer).__name__ for layer in model._session._network.module.modules()}  # type: ignore[attr-defined]
        assert ("OneDnnLinear" in layers) is faster
        made = model.predict(photo()).depth.values
    assert difference(made, eager) < 1e-5


def test_half_precision_is_near_and_says_so(eager: np.ndarray) -> None:
    if "bf16" not in precision.precisions_on("cpu"):
        pytest.skip("this processor has no bf16")
    with open_model(NAME, precision="bf16", device="cpu") as model:
        assert model.record.engine.startswith("torch (CPU, bf16")
        made = model.predict(photo()).depth.values
    assert made.dtype == np.float32
    assert 1e-6 < difference(made, eager) < 0.1


@pytest.mark.parametrize(
    ("asked", "hint"), [("int8", "--engine openvino has int8"), ("fp16", "--precision fp32")]
)
def test_a_precision_that_is_not_there(asked: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "precisions_on", lambda device: ("fp32", "bf16"))
    with pytest.raises(EngineError, match=f"no precision '{asked}' on cpu; it has fp32, bf16") as refused:
        open_model(NAME, engine="torch", precision=asked, device="cpu")
    assert hint in refused.value.hint


def test_a_network_that_does_not_know_a_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "precisions_on", lambda device: ("fp32", "bf16"))
    with open_model(NAME, precision="bf16", device="cpu") as model:

        def refuse(**_: Any) -> Any:
            raise RuntimeError("not implemented for 'BFloat16'")

        monkeypatch.setattr(model._session._network.module, "forward", refuse)  # type: ignore[attr-defined]
        with pytest.raises(EngineError, match="not implemented for 'BFloat16'") as failed:
            model.predict(photo())
    assert "--precision fp32" in failed.value.hint


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(EngineError, match="torch has no device 'xpu' here; it has"):
        open_model(NAME, device="xpu")


def test_precisions_of_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert precision.precisions_on("cpu")[0] == "fp32"
    assert precision.precisions_on("mps") == ("fp32", "fp16")
    for there, known in ((True, ("fp32", "bf16", "fp16")), (False, ("fp32", "fp16"))):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, there=there: there)
        assert precision.precisions_on("cuda:0") == known


def test_inputs_are_cast_but_not_whole_numbers() -> None:
    inputs = {"pixels": torch.zeros(1, 3, 4, 5), "photo": torch.zeros(1, 3, 4, 5, dtype=torch.uint8)}
    moved = precision.cast_inputs(inputs, precision="bf16", device="cpu")
    assert (moved["pixels"].dtype, moved["photo"].dtype) == (torch.bfloat16, torch.uint8)
    assert moved["pixels"].is_contiguous(memory_format=torch.channels_last)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for compiled programs, and the environment as it was."""
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "none"))
    return tmp_path / "cache" / "compiled"


class _Program:
    """Stands for what the compiler gives: a callable, and a file in the cache."""

    def __init__(self, module: Any, error: Exception | None = None) -> None:
        self.module, self.error = module, error

    def __call__(self, **inputs: Any) -> Any:
        if self.error is not None:
            raise self.error
        import os

        (Path(os.environ["TORCHINDUCTOR_CACHE_DIR"]) / "program.so").write_bytes(b"code")
        return self.module(**inputs)


def _compiled(monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> Model:
    monkeypatch.setattr(compiling, "why_not", lambda device: "")
    monkeypatch.setattr(torch, "compile", lambda module: _Program(module, error))
    return open_model(NAME, compile="yes", device="cpu")


def test_what_is_compiled_is_kept_and_found_sound(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        with _compiled(monkeypatch) as model:
            assert model.record.engine.endswith("compiled)")
            assert model.remarks == ()
            model.predict(photo())
    assert len(list(home.rglob("program.so"))) == 1


def test_a_broken_program_is_removed_and_it_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _compiled(monkeypatch) as model:
        model.predict(photo())
    (program,) = home.rglob("program.so")
    program.write_bytes(b"cod")
    with _compiled(monkeypatch) as model:
        (remark,) = model.remarks
        assert "were broken and are removed; they are made anew" in remark
        assert not program.exists()
        model.predict(photo())
    assert program.read_bytes() == b"code"


@pytest.mark.parametrize("text", ["no json", "[1]", ""])
def test_a_broken_list_is_a_broken_cache(text: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _compiled(monkeypatch) as model:
        model.predict(photo())
    (listed,) = home.rglob("leadline.json")
    listed.write_text(text)
    with _compiled(monkeypatch) as model:
        assert len(model.remarks) == 1


def test_programs_of_another_torch_are_stale(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = home / "torch-1.0-AVX"
    old.mkdir(parents=True)
    (old / "x.so").write_bytes(b"old")
    with _compiled(monkeypatch) as model:
        (remark,) = model.remarks
    assert remark.startswith("programs compiled by torch-1.0-AVX were stale and are removed")
    assert not old.exists()


def test_a_compiler_that_fails_is_one_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor.exc import CppCompileError

    with (
        _compiled(monkeypatch, CppCompileError(["g++"], "undefined symbol")) as model,
        pytest.raises(EngineError, match="torch could not compile 'depth-anything-tiny'") as failed,
    ):
        model.predict(photo())
    assert "--compile no" in failed.value.hint
    assert not list(home.rglob("leadline.json"))


def test_without_a_compiler_the_network_runs_as_it_is_and_says_so(
    tmp_path: Path, home: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    from torch._inductor import config

    Pil.fromarray(photo().rgb_HW3).save(tmp_path / "a.png")
    line = ["predict", tmp_path / "a.png", "-o", tmp_path / "out", "-m", NAME]
    with config.patch({"cpp.cxx": ("no-such-compiler",)}):
        ended = command(*line, "--compile", "yes", "--device", "cpu")
    assert ended.status == 0, ended.err
    assert "it cannot compile here: there is no C++ compiler" in ended.err
    assert "compiled" not in (tmp_path / "out" / "a_depth.png").read_bytes()[:4000].decode("latin-1")


def test_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Apple" in compiling.why_not("mps")
    monkeypatch.setattr(compiling, "_has_triton", lambda: False)
    assert "triton" in compiling.why_not("cuda")
    monkeypatch.setattr(compiling, "_has_triton", lambda: True)
    assert compiling.why_not("cuda:0") == ""


def test_photos_can_be_prepared_on_the_device() -> None:
    from leadline.plugins.ports import Placed

    with open_model(NAME, device="cpu") as model:
        network = model._session._network  # type: ignore[attr-defined]
        before = network.prepare([photo()])["pixel_values"]
        assert isinstance(network, Placed)
        network.place("meta")
        assert network.prepare([photo()])["pixel_values"].device.type == "meta"
        network.place("cpu")
        assert torch.equal(network.prepare([photo()])["pixel_values"], before)


def test_no_memory_in_the_middle_of_a_folder_leaves_what_is_finished(
    tmp_path: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from leadline.flows import model as flow

    for name, size in (("a", (64, 96)), ("b", (256, 384)), ("c", (64, 96))):
        Pil.fromarray(photo(*size).rgb_HW3).save(tmp_path / f"{name}.png")
    whole = flow.Model.infer

    def narrow(model: Model, images: Any, **more: Any) -> Any:
        network = model._session._network  # type: ignore[attr-defined]
        if "forward" not in vars(network.module):
            forward = network.module.forward

            def limited(**inputs: Any) -> Any:
                if inputs["pixel_values"].shape[-1] > 96:
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
                return forward(**inputs)

            monkeypatch.setattr(network.module, "forward", limited)
        return whole(model, images, **more)

    monkeypatch.setattr(flow.Model, "infer", narrow)
    out = tmp_path / "out"
    asked = ("predict", tmp_path, "-o", out, "-m", "glpn-tiny", "--device", "cpu", "-f", "png16")
    ended = command(*asked)
    assert ended.status == EngineError.exit_status
    assert "no memory for 'glpn-tiny' on cpu with 384x256; a photo of 96x64 fits" in ended.err
    assert "Traceback" not in ended.err
    made = out / "a_depth.png"
    assert made.is_file()
    before = made.stat().st_mtime_ns
    (tmp_path / "b.png").unlink()
    assert command(*asked, "--skip-existing").status == 0
    assert (out / "c_depth.png").is_file()
    assert made.stat().st_mtime_ns == before


@pytest.mark.gpu
@pytest.mark.parametrize("precise", ["fp32", "bf16", "fp16"])
def test_on_a_gpu(precise: str, eager: np.ndarray) -> None:
    with open_model(NAME, device="cuda", precision=precise) as model:
        assert model.batch > 1
        several = model.predict_batch([photo()] * 3)
    for made in several:
        assert difference(made.depth.values, eager) < (1e-3 if precise == "fp32" else 0.1)


@pytest.mark.slow
def test_the_real_compiler_agrees(home: Path, eager: np.ndarray) -> None:
    if compiling.why_not("cpu"):
        pytest.skip(compiling.why_not("cpu"))
    with open_model(NAME, device="cpu", compile="yes") as model:
        assert difference(model.predict(photo()).depth.values, eager) < 1e-5
    assert list(home.rglob("leadline.json"))
