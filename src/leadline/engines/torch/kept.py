"""Networks that are read at the next start without the package they are written in.

Importing transformers takes longer than a photo does. What a network does to inputs of one shape is a list of PyTorch's operators;
it is written down after the first photo, with the weights, and from then on the package is not needed for photos that come out
at that shape.
"""

from __future__ import annotations

import io
import json
import pickle
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch.fx import Graph, GraphModule, Node

from leadline._version import __version__
from leadline.engines.memory import is_out_of_memory
from leadline.engines.store import Store
from leadline.engines.torch.exporting import exported
from leadline.engines.torch.onednn import can_do
from leadline.plugins.silence import silenced

__all__ = ["KeptNetwork", "build"]

MOST_WEIGHTS = 512 << 20
"""Bytes. Weights of larger networks are not written a second time: reading them takes longer than importing a package."""

MOST_BYTES = 2 << 30
"""What all kept networks may take together."""

_REFUSALS = (
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    AssertionError,
    ImportError,
    OSError,
    EOFError,
    pickle.PickleError,
)
_ATTENTION = torch.ops.aten.scaled_dot_product_attention.default


def build() -> str:
    """What can read a kept network, and would have made the same: versions and the processor."""
    parts = [f"leadline {__version__}", f"torch {torch.__version__}", torch.backends.cpu.get_cpu_capability()]
    with suppress(PackageNotFoundError):
        parts.append(f"transformers {version('transformers')}")
    return ", ".join(parts)


@dataclass(frozen=True)
class _Graph:
    """A network for inputs of one shape, and what its outputs are called."""

    inputs: str
    network: GraphModule
    names: list[str]

    def __call__(self, inputs: Mapping[str, torch.Tensor]) -> dict[str, Any]:
        return dict(zip(self.names, self.network(*inputs.values()), strict=True))


class KeptNetwork:
    """Stands in a module's place: by what was kept of it, or by the module itself, which is loaded where it must be.

    What was kept serves while photos are of the first one's shape; one of another shape has the module loaded for all that follow.

    Args:
        load: Loads the module and puts it into the shape it runs in.
        store: Where networks are kept.
        what: What a kept network depends on besides the shapes of its inputs.
        attends: Whether attention goes to oneDNN while the module runs.
    """

    def __init__(
        self,
        load: Callable[[], torch.nn.Module],
        store: Store,
        what: Mapping[str, str],
        *,
        attends: bool,
    ) -> None:
        self._load: Callable[[], torch.nn.Module] | None = load
        self._store, self._what, self._attends = store, dict(what), attends
        self._module: torch.nn.Module | None = None
        self._graph: _Graph | None = None
        self._begun = False
        self._lock = threading.Lock()

    @property
    def is_kept(self) -> bool:
        """Whether something was kept of it, so that it need not be loaded before a photo's shape is known."""
        return self._store.newest(self._what) is not None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What its user should know: that something kept was stale or broken, or could not be kept."""
        return tuple(self._store.remarks)

    def load(self) -> None:
        """Loads the module now."""
        if self._module is None:
            if self._load is None:
                raise RuntimeError("the network was given back")
            self._module = self._load()

    def forget(self) -> None:
        """Gives the memory back."""
        with self._lock:
            self._load, self._module, self._graph = None, None, None

    def __call__(self, **inputs: torch.Tensor) -> Mapping[str, Any]:
        """What the module answers."""
        what = {**self._what, "inputs": _shapes(inputs)}
        with self._lock:
            begins, self._begun = not self._begun, True
            if begins and self._module is None:
                self._graph = self._kept(what)
            graph = self._graph
            if graph is None or graph.inputs != what["inputs"]:
                self._graph = graph = None  # the weights are not held twice
                self.load()
            if graph is None and begins:
                # Others wait: while a network is written down, its weights are not what they are.
                assert self._module is not None
                given: Mapping[str, Any] = self._module(**inputs)
                self._keep(what, self._module, inputs, given)
                return given
            module = self._module
        if graph is not None:
            return graph(inputs)
        assert module is not None
        answer: Mapping[str, Any] = module(**inputs)
        return answer

    def _kept(self, what: dict[str, str]) -> _Graph | None:
        parts = self._store.get(what)
        if parts is None:
            return None
        try:
            names = list(json.loads(parts[0]))
            if not names:
                return None  # it could not be followed, or came to other numbers
            network = torch.load(io.BytesIO(parts[1]), weights_only=False)
        except _REFUSALS:
            self._store.drop(what, why="cannot be read by this PyTorch")
            return None
        return _Graph(what["inputs"], network, names)

    def _keep(
        self,
        what: dict[str, str],
        module: torch.nn.Module,
        inputs: Mapping[str, torch.Tensor],
        given: Mapping[str, Any],
    ) -> None:
        """Writes the module down, unless it comes to other numbers then, were it in the last bit."""
        size = sum(tensor.nbytes for tensor in module.state_dict().values())
        if size > MOST_WEIGHTS or self._store.get(what) is not None:
            return
        stream = io.BytesIO()
        try:
            with silenced():
                program, names = exported(module, inputs)
                graph = _plain(program, attends=self._attends)
                again = zip(names, graph(*inputs.values()), strict=True)
                if all(torch.equal(values, given[name]) for name, values in again):
                    torch.save(graph, stream)
                else:
                    names = []
        except MemoryError:
            return  # another time there may be more
        except (*_REFUSALS, torch._dynamo.exc.TorchDynamoException) as error:
            if is_out_of_memory(error):
                return
            names, stream = [], io.BytesIO()
        self._store.put(what, [json.dumps(names).encode(), stream.getbuffer()])


def _shapes(inputs: Mapping[str, torch.Tensor]) -> str:
    return ", ".join(
        f"{name} {'x'.join(map(str, tensor.shape))} {str(tensor.dtype).removeprefix('torch.')}"
        for name, tensor in inputs.items()
    )


def _plain(program: torch.export.ExportedProgram, *, attends: bool) -> GraphModule:
    """A program as a module of ``torch.fx``, which PyTorch reads without importing its compiler."""
    whole = program.module(check_guards=False)
    if attends:
        for node in whole.graph.find_nodes(op="call_function", target=_ATTENTION):
            _attend(node)
    weights = {}
    for node in whole.graph.nodes:
        node.meta.clear()
        if node.op == "get_attr":
            weights[node.target] = _attribute(whole, node.target)
    whole.graph.set_codegen(torch.fx.graph.CodeGen())
    graph = Graph()
    graph.output(graph.graph_copy(whole.graph, {}))
    return GraphModule(weights, graph)


def _attend(node: Node) -> None:
    """Gives attention to oneDNN where ``OneDnnAttention`` would."""
    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
    given: dict[str, Any] = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
    query, key, value = (given.pop(name) for name in names[:3])
    fakes = tuple(one.meta["val"] for one in (query, key, value))
    if not can_do(fakes, given):
        return
    scale = given.get("scale") or fakes[0].shape[-1] ** -0.5
    node.target = torch.ops.leadline.attention.default
    node.args, node.kwargs = (query, key, value, scale), {}


def _attribute(module: torch.nn.Module, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part)
    return found
