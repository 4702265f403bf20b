"""What sets the tensors of two networks apart, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["tell_apart"]


def tell_apart(there: Mapping[str, Sequence[int]], here: Mapping[str, Sequence[int]]) -> str:
    """The first tensor by name that a file and a network do not share.

    Args:
        there: Shapes of the file's tensors.
        here: Shapes of the network's.

    Returns:
        What it is on each side; empty where all are the same.

    Example:
        >>> tell_apart({"head.weight": (1, 4, 3, 3)}, {"head.weight": (1, 6, 3, 3)})
        "'head.weight' is 1x4x3x3 there and 1x6x3x3 here"
        >>> tell_apart({"scale": ()}, {})
        "'scale' is one number there and absent here"
        >>> tell_apart({"a": (2,)}, {"a": (2,)})
        ''
    """
    one, two = ({name: tuple(shape) for name, shape in side.items()} for side in (there, here))
    if one == two:
        return ""
    name = min(one.items() ^ two.items())[0]
    return f"{name!r} is {_said(one, name)} there and {_said(two, name)} here"


def _said(shapes: Mapping[str, tuple[int, ...]], name: str) -> str:
    return "x".join(map(str, shapes[name])) or "one number" if name in shapes else "absent"
