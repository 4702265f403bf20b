"""Networks that are kept after a first photo: the same numbers, no package, and never another network's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PilImage

from leadline.core.errors import EngineError
from leadline.core.image import Image
from leadline.flows.model import open_model

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from leadline.engines.torch import kept as kept_module  # noqa: E402
from leadline.engines.torch.exporting import drop_idle_masks, exported  # noqa: E402
from leadline.models import pretrained  # noqa: E402
from leadline.testing import tiny_dpt  # noqa: E402
from leadline.testing.tiny_depth_anything import metric, relative  # noqa: E402

attention = torch.nn.functional.scaled_dot_product_attention


def photo(height: int, width: int) -> Image:
    return Image.from_array(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "torch"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return metric(tmp_path / "made")


def files(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.kept"))


def start(checkpoint: Path, *photos: Image, **options: Any) -> tuple[list[NDArray[Any]], tuple[str, ...]]:
    """Depth of photos in a session of its own, and what the session remarks."""
    with open_model(checkpoint, engine="torch", **options) as model:
        values = [np.array(model.predict(one).depth.values) for one in photos]
        return values, model._session.remarks


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders whose modules were loaded."""
    loaded: list[Path] = []
    whole = pretrained._load_module

    def counted(folder: Path, *, architecture: str) -> Any:
        loaded.append(folder)
        return whole(folder, architecture=architecture)

    monkeypatch.setattr(pretrained, "_load_module", counted)
    return loaded


@pytest.mark.parametrize(
    "make",
    [metric, relative, tiny_dpt.checkpoint, tiny_dpt.swinv2],
    ids=["metric", "relative", "dpt", "swinv2"],
)
def test_the_second_start_gives_the_same_numbers_without_the_module(
    make: Callable[[Path], Path], tmp_path: Path, cache: Path, loads: list[Path]
) -> None:
    checkpoint = make(tmp_path / "made")
    stated = {} if make is metric else {"kind": "affine-invariant-inverse-depth"}
    first, _ = start(checkpoint, photo(37, 53), **stated)
    assert len(files(cache)) == 1
    assert len(loads) == 1
    second, remarks = start(checkpoint, photo(37, 53), **stated)
    np.testing.assert_array_equal(first[0], second[0])
    assert remarks == ()
    assert len(loads) == 1


def test_the_second_start_imports_no_transformers(tmp_path: Path, cache: Path, checkpoint: Path) -> None:
    start(checkpoint, photo(37, 53))
    PilImage.fromarray(photo(37, 53).rgb_HW3).save(tmp_path / "photo.png")
    line = ["leadline", "predict", str(tmp_path / "photo.png"), "-m", str(checkpoint), "--engine", "torch"]
    script = (
        "import atexit, runpy, sys\n"
        "heavy = {'transformers', 'torchvision', 'torch._dynamo', 'sympy'}\n"
        "atexit.register(lambda: print(sorted(heavy & set(sys.modules))))\n"
        f"sys.argv = {[*line, '-o', str(tmp_path / 'out')]!r}\n"
        "runpy.run_module('leadline', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
    assert list((tmp_path / "out").glob("photo*"))


def test_a_photo_of_another_shape_loads_the_module_and_only_then(
    checkpoint: Path, cache: Path, loads: list[Path]
) -> None:
    other = photo(90, 41)
    fresh, _ = start(checkpoint, other)
    for file in files(cache):
        file.unlink()
    start(checkpoint, photo(37, 53))
    loads.clear()
    made, remarks = start(checkpoint, photo(37, 53), other, photo(37, 53))
    assert len(loads) == 1
    assert remarks == ()
    np.testing.assert_array_equal(made[1], fresh[0])
    np.testing.assert_array_equal(made[0], made[2])


def test_a_closed_session_gives_the_memory_back(checkpoint: Path, cache: Path) -> None:
    for _ in range(2):
        model = open_model(checkpoint, engine="torch")
        model.predict(photo(37, 53))
        kept = model._session._running.program  # type: ignore[attr-defined]
        assert (kept._module is None) != (kept._graph is None)
        model.close()
        assert (kept._load, kept._module, kept._graph) == (None, None, None)


def test_several_photos_at_once_are_a_shape_of_their_own(checkpoint: Path, cache: Path) -> None:
    photos = [photo(37, 53), Image.from_array(photo(37, 53).rgb_HW3[::-1].copy())]
    alone, _ = start(checkpoint, *photos)
    for _ in range(2):
        with open_model(checkpoint, engine="torch") as model:
            together = [one.depth.values for one in model.predict_batch(photos)]
        for one, two in zip(alone, together, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-4)


@pytest.mark.parametrize("damage", ["cut", "swapped", "head", "empty"])
def test_a_broken_file_is_removed_told_and_made_again(checkpoint: Path, cache: Path, damage: str) -> None:
    first, _ = start(checkpoint, photo(37, 53))
    (file,) = files(cache)
    whole = file.read_bytes()
    damaged = {
        "cut": whole[:-100],
        "swapped": whole[:-1] + bytes([whole[-1] ^ 1]),
        "head": b"!" + whole[1:],
        "empty": b"",
    }
    file.write_bytes(damaged[damage])
    again, (remark,) = start(checkpoint, photo(37, 53))
    np.testing.assert_array_equal(first[0], again[0])
    assert "is broken: it is removed" in remark
    assert start(checkpoint, photo(37, 53))[1] == ()


def test_what_this_torch_cannot_read_is_removed_told_and_made_again(checkpoint: Path, cache: Path) -> None:
    start(checkpoint, photo(37, 53))
    (file,) = files(cache)
    head = json.loads(file.read_bytes().split(b"\n")[0])
    store = kept_module.Store(file.parent.name, engine="torch", build=head["build"])
    store.put(head["what"], [b'["predicted_depth"]', b"no network"])
    assert files(cache) == [file]
    _, (remark,) = start(checkpoint, photo(37, 53))
    assert "cannot be read by this PyTorch" in remark


def test_what_another_build_made_is_removed(
    checkpoint: Path, cache: Path, loads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    start(checkpoint, photo(37, 53))
    monkeypatch.setattr(kept_module, "build", lambda: "torch 1999.1")
    _, (remark,) = start(checkpoint, photo(37, 53))
    assert "made by another build of torch" in remark
    assert len(loads) == 2
    assert len(files(cache)) == 1


def test_other_weights_have_a_network_of_their_own(tmp_path: Path, checkpoint: Path, cache: Path) -> None:
    from safetensors.torch import load_file, save_file

    first, _ = start(checkpoint, photo(37, 53))
    weights = checkpoint / "model.safetensors"
    tensors = load_file(weights)
    name = next(name for name in tensors if name.endswith("head.conv3.bias"))
    tensors[name] = tensors[name] + 1.0
    save_file(tensors, weights, metadata={"format": "pt"})
    second, _ = start(checkpoint, photo(37, 53))
    assert float(np.abs(first[0] - second[0]).max()) > 1e-3
    assert len(files(cache)) == 2


def test_a_network_that_cannot_be_followed_is_not_kept_and_not_tried_again(
    checkpoint: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Any] = []

    def refuse(*given: Any, **_: Any) -> Any:
        tried.append(given)
        raise RuntimeError("it depends on the photo")

    monkeypatch.setattr(kept_module, "exported", refuse)
    first, remarks = start(checkpoint, photo(37, 53))
    second, more = start(checkpoint, photo(37, 53))
    np.testing.assert_array_equal(first[0], second[0])
    assert remarks == more == ()
    assert len(tried) == 1


def test_a_network_that_comes_to_other_numbers_is_not_kept(
    checkpoint: Path, cache: Path, loads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = kept_module._plain

    def off(program: Any, *, attends: bool) -> Any:
        graph = whole(program, attends=attends)
        name = next(name for name in graph.state_dict() if name.endswith("head.conv3.bias"))
        inside, _, last = name.rpartition(".")
        changed = torch.nn.Parameter(graph.get_parameter(name) + 1e-3, requires_grad=False)
        setattr(graph.get_submodule(inside), last, changed)
        return graph

    monkeypatch.setattr(kept_module, "_plain", off)
    first, _ = start(checkpoint, photo(37, 53))
    second, remarks = start(checkpoint, photo(37, 53))
    np.testing.assert_array_equal(first[0], second[0])
    assert len(loads) == 2
    assert remarks == ()


@pytest.mark.parametrize("error", [MemoryError(), OSError("no"), ImportError("no"), IndexError("no")])
def test_no_answer_is_lost_where_a_network_cannot_be_kept(
    checkpoint: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(kept_module, "exported", fail)
    values, _ = start(checkpoint, photo(37, 53))
    assert np.isfinite(values[0]).all()
    assert len(files(cache)) == (0 if isinstance(error, MemoryError) else 1)


def test_several_threads_may_begin_at_once(checkpoint: Path, cache: Path) -> None:
    wanted, _ = start(checkpoint, photo(37, 53), photo(60, 44))
    for file in files(cache):
        file.unlink()
    with open_model(checkpoint, engine="torch") as model, ThreadPoolExecutor(4) as pool:
        photos = [photo(37, 53), photo(60, 44)] * 4
        made = list(pool.map(lambda one: model.predict(one).depth.values, photos))
    for place, values in enumerate(made):
        np.testing.assert_array_equal(values, wanted[place % 2])


@pytest.mark.parametrize("wrong", [{"size": "big"}, {"image_processor_type": "NoSuch"}])
@pytest.mark.parametrize("make", [metric, tiny_dpt.checkpoint], ids=["depth_anything", "dpt"])
def test_a_processor_that_makes_no_sense_is_told_when_the_model_is_opened(
    make: Callable[[Path], Path], wrong: dict[str, Any], tmp_path: Path, cache: Path
) -> None:
    checkpoint = make(tmp_path / "made")
    file = checkpoint / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | wrong))
    stated = {} if make is metric else {"kind": "affine-invariant-inverse-depth"}
    with pytest.raises(EngineError, match="torch cannot load"):
        open_model(checkpoint, engine="torch", **stated)


def test_large_networks_are_not_written_twice(
    checkpoint: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_module, "MOST_WEIGHTS", 100)
    start(checkpoint, photo(37, 53))
    assert files(cache) == []


def test_compiled_networks_are_kept_by_the_compiler_alone(checkpoint: Path, cache: Path) -> None:
    with open_model(checkpoint, engine="torch", compile="yes"):
        pass
    assert files(cache) == []


class _Attends(torch.nn.Module):  # type: ignore[misc]
    """Attention of 300 tokens under a mask that is worked out from nothing, or from the input."""

    def __init__(self, hides: str) -> None:
        super().__init__()
        self.hides = hides

    def forward(self, pixel_values: Any) -> dict[str, Any]:
        places = torch.arange(300)
        mask = {
            "nothing": places >= 0,
            "some": places >= 7,
            "the input's": pixel_values[0, 0, :, 0] > -9.0,
        }[self.hides][None, None, None, :].expand(1, 1, 300, 300)
        return {"depth": attention(pixel_values, pixel_values, pixel_values, attn_mask=mask)}


@pytest.mark.parametrize(("hides", "left"), [("nothing", 0), ("some", 1), ("the input's", 1)])
def test_masks_that_hide_nothing_go_and_others_stay(hides: str, left: int) -> None:
    torch.manual_seed(0)
    network, inputs = _Attends(hides).eval(), {"pixel_values": torch.randn(1, 2, 300, 16)}
    program, names = exported(network, inputs)
    assert names == ["depth"]
    nodes = program.graph.find_nodes(
        op="call_function", target=torch.ops.aten.scaled_dot_product_attention.default
    )
    assert [len(node.args) > 3 and node.args[3] is not None for node in nodes] == [bool(left)]
    assert bool(program.graph.find_nodes(op="call_function", target=torch.ops.aten.ge.Scalar)) == (
        hides == "some"
    )
    (made,) = program.module()(*inputs.values())
    torch.testing.assert_close(made, network(**inputs)["depth"])
    drop_idle_masks(program.graph_module)  # a second time changes nothing
    (again,) = program.module()(*inputs.values())
    torch.testing.assert_close(made, again)


def test_attention_of_a_kept_network_is_onednn_where_it_was() -> None:
    torch.manual_seed(0)
    inputs = {"pixel_values": torch.randn(1, 2, 300, 16)}
    program, _ = exported(_Attends("nothing").eval(), inputs)
    plain = kept_module._plain(program, attends=True)
    called = [node.target for node in plain.graph.nodes if node.op == "call_function"]
    assert torch.ops.leadline.attention.default in called
    assert torch.ops.aten.scaled_dot_product_attention.default not in called
    masked, _ = exported(_Attends("some").eval(), inputs)
    called = [node.target for node in kept_module._plain(masked, attends=True).graph.nodes]
    assert torch.ops.leadline.attention.default not in called
