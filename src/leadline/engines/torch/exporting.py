"""Networks as lists of PyTorch's operators, by ``torch.export``, without what costs time and says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.fx import GraphModule, Node

__all__ = ["drop_idle_masks", "exported"]

_ATTENTION = torch.ops.aten.scaled_dot_product_attention.default
_MASK = 3
"""Place of the mask among attention's arguments."""


class _ByPlace(torch.nn.Module):
    """A network whose tensors go by place, as those of a graph do.

    Args:
        module: The network.
        inputs: Names of its inputs.
        outputs: Takes the names of the tensors that it gave last.
    """

    def __init__(self, module: torch.nn.Module, inputs: tuple[str, ...], outputs: list[str]) -> None:
        super().__init__()
        self.module, self.inputs, self.outputs = module, inputs, outputs

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The tensors among the network's outputs, in its own order."""
        given = self.module(**dict(zip(self.inputs, tensors, strict=True)))
        named = {name: value for name, value in given.items() if isinstance(value, torch.Tensor)}
        self.outputs[:] = list(named)
        return tuple(named.values())


def exported(
    module: torch.nn.Module, inputs: Mapping[str, torch.Tensor]
) -> tuple[torch.export.ExportedProgram, list[str]]:
    """A network followed by ``torch.export``, which refuses what depends on the photo's own values.

    Args:
        module: The network, in evaluation mode.
        inputs: Tensors by name, as the network prepares them.

    Returns:
        The program for inputs of these shapes, and the names of its outputs.

    Raises:
        RuntimeError, ValueError, TypeError, torch._dynamo.exc.TorchDynamoException: The network cannot be followed.
    """
    outputs: list[str] = []
    wrapped = _ByPlace(module, tuple(inputs), outputs).eval()
    with torch.no_grad():
        program = torch.export.export(wrapped, tuple(inputs.values()), strict=False)
    drop_idle_masks(program.graph_module)
    return program, outputs


def drop_idle_masks(network: GraphModule) -> None:
    """Takes masks away that hide nothing.

    While a network is followed, transformers makes masks that it would otherwise find to be needless: one of 2036x2036 for
    each photo of Depth Anything at its usual size, which attention then reads in each layer.

    Args:
        network: A graph; it is changed where it stands.
    """
    graph = network.graph
    for node in graph.find_nodes(op="call_function", target=_ATTENTION):
        by_place = len(node.args) > _MASK
        mask = node.args[_MASK] if by_place else node.kwargs.get("attn_mask")
        if isinstance(mask, Node) and _hides_nothing(mask):
            node.update_arg(_MASK, None) if by_place else node.update_kwarg("attn_mask", None)
    for node in graph.find_nodes(
        op="call_function", target=torch.ops.aten._assert_tensor_metadata.default, sort=False
    ):
        if _constant(node):
            graph.erase_node(node)  # it was so when the network was followed
    graph.eliminate_dead_code()
    network.recompile()


def _constant(node: Node) -> bool:
    """Whether a value hangs on no input and no weight."""
    seen, left = set(), [node]
    while left:
        one = left.pop()
        if one.op != "call_function":
            return False
        left += [before for before in one.all_input_nodes if before not in seen]
        seen.update(one.all_input_nodes)
    return True


def _hides_nothing(mask: Node) -> bool:
    if not _constant(mask):
        return False
    value = _value(mask, {})
    return value.dtype == torch.bool and bool(value.all())


def _value(node: Node, known: dict[Node, Any]) -> Any:
    """What a constant comes to."""
    if node not in known:
        args, kwargs = torch.fx.node.map_arg((node.args, node.kwargs), lambda before: _value(before, known))
        assert callable(node.target)
        known[node] = node.target(*args, **kwargs)
    return known[node]
