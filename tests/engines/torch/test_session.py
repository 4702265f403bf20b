"""The engine over PyTorch where it cannot do what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.flows import model as flow
from leadline.flows.model import Model, open_model

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


class _Narrow(torch.nn.Module):  # type: ignore[misc]
    """A network on a device whose memory holds so many pixels of input, and that says so as CUDA does."""

    def __init__(self, module: Any, holds: int) -> None:
        super().__init__()
        self.inner, self.config, self.holds = module, module.config, holds
        self.seen: list[tuple[int, ...]] = []

    def forward(self, **inputs: Any) -> Any:
        shape = tuple(inputs["pixel_values"].shape)
        self.seen.append(shape)
        if shape[0] * shape[2] * shape[3] > self.holds:
            raise torch.OutOfMemoryError(
                "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has 8.00 GiB"
            )
        return self.inner(**inputs)


def _network(model: Model) -> Any:
    return model._session._network  # type: ignore[attr-defined]


def _narrow(model: Model, holds: int) -> _Narrow:
    network = _network(model)
    network.module = _Narrow(network.module, holds)
    kept = model._session._running.program  # type: ignore[attr-defined]
    if kept is not None:  # where a kept network stands in the module's place
        kept._module, kept._begun = network.module, True
    return network.module  # type: ignore[no-any-return]


def photo(height: int, width: int) -> Image:
    return Image.from_array(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))


@pytest.fixture
def glpn() -> Iterator[Model]:
    """Its input is as large as the photo, down to multiples of 32."""
    with open_model("glpn-tiny") as model:
        yield model


def test_out_of_memory_says_which_size_fits(glpn: Model) -> None:
    module = _narrow(glpn, 64 * 96)
    with pytest.raises(EngineError) as caught:
        glpn.predict(photo(256, 384))
    assert str(caught.value) == (
        "no memory for 'glpn-tiny' on cpu with 384x256; a photo of 96x64 fits; "
        "--tile auto takes a larger one in parts"
    )
    assert [shape[2:] for shape in module.seen] == [(256, 384), (128, 192), (64, 96)]
    assert glpn.predict(photo(64, 96)).depth.shape == (64, 96), "the hint was not true"


def test_out_of_memory_where_no_size_fits(glpn: Model) -> None:
    _narrow(glpn, 0)
    with pytest.raises(
        EngineError, match=r"; nor does a photo of 48x32 fit: use a smaller model, or close other programs$"
    ):
        glpn.predict(photo(256, 384))


def test_out_of_memory_of_several_photos_says_to_give_fewer(glpn: Model) -> None:
    _narrow(glpn, 2 * 64 * 64)
    with pytest.raises(EngineError, match=r"with 4 photos of 64x64; give fewer photos at once: --batch 2$"):
        glpn.predict_batch([photo(64, 64)] * 4)
    assert len(glpn.predict_batch([photo(64, 64)] * 2)) == 2


def test_out_of_memory_where_a_smaller_photo_does_not_help() -> None:
    """DPT sees every photo at one size."""
    with open_model("dpt-tiny") as model:
        module = _narrow(model, 0)
        with pytest.raises(EngineError) as caught:
            model.predict(photo(256, 384))
    assert str(caught.value) == (
        "no memory for 'dpt-tiny' on cpu with 384x256; its network takes a photo of any size as 64x64, "
        "so a smaller one needs no less: use a smaller model, or close other programs"
    )
    assert len(module.seen) == 1


def test_out_of_memory_with_a_prompt() -> None:
    with open_model("prompt-depth-anything-tiny") as model:
        _narrow(model, 0)
        prompt = DepthMap(np.linspace(1, 2, 24, dtype=np.float32).reshape(4, 6), Kind())
        with pytest.raises(
            EngineError, match="takes a photo of any size as 84x56, so a smaller one needs no less"
        ):
            model.predict(photo(256, 384), prompt=prompt)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("[enforce fail] can't allocate memory: you tried")]
)
def test_other_words_for_no_memory(glpn: Model, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(_network(glpn).module, "forward", fail)
    with pytest.raises(EngineError, match="no memory for 'glpn-tiny' on cpu with 384x256"):
        glpn.predict(photo(256, 384))


def test_what_torch_says_otherwise_is_told_with_the_shapes(
    glpn: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied\n  in a long trace")

    monkeypatch.setattr(_network(glpn).module, "forward", fail)
    with pytest.raises(
        EngineError, match=r"failed in 'glpn-tiny' on pixel_values \(1, 3, 64, 96\): mat1 and mat2"
    ):
        glpn.predict(photo(64, 96))


def test_numbers_that_are_none_become_unknown_pixels(glpn: Model) -> None:
    network = _network(glpn)
    with torch.no_grad():
        network.module.head.head[-1].bias.fill_(float("nan"))
    with pytest.raises(
        EngineError, match="gave no finite number for a photo of 96x64; its weights are damaged"
    ):
        glpn.predict(photo(64, 96))
    restore = network.restore

    def half(outputs: Any, images: Any) -> Any:
        answers = restore(outputs, images)
        for answer in answers:
            answer.values[:] = 2.0
            answer.values[:, ::2] = np.nan
        return answers

    network.restore = half
    depth = glpn.predict(photo(64, 96)).depth
    assert float(depth.valid.mean()) == 0.5
    assert depth.range() == (2.0, 2.0)


def test_a_person_gets_one_line(
    tmp_path: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    PilImage.fromarray(photo(128, 192).rgb_HW3).save(tmp_path / "a.png")
    whole = flow.Model.infer

    def narrow(model: Model, images: Any, **more: Any) -> Any:
        if not isinstance(_network(model).module, _Narrow):
            _narrow(model, 64 * 96)
        return whole(model, images, **more)

    monkeypatch.setattr(flow.Model, "infer", narrow)
    ended = command("predict", tmp_path / "a.png", "-o", tmp_path / "out", "-m", "glpn-tiny")
    assert ended.status == EngineError.exit_status
    (line,) = [line for line in ended.err.splitlines() if "stopped after" not in line]
    assert line == (
        "leadline: no memory for 'glpn-tiny' on cpu with 192x128; a photo of 96x64 fits; "
        "--tile auto takes a larger one in parts"
    )
