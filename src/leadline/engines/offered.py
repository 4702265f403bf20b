"""What an engine says to a precision or a way to compile that it does not have."""

from __future__ import annotations

from collections.abc import Sequence

from leadline.core.errors import EngineError
from leadline.plugins.ports import EngineOptions

__all__ = ["precision_of", "refuse_compiling"]


def precision_of(options: EngineOptions, *, engine: str, offered: Sequence[str], where: str) -> str:
    """The precision an engine is to run in.

    Args:
        options: What was asked for.
        engine: The engine's name.
        offered: What it has, its own choice first.
        where: The device, for the message.

    Returns:
        One of those offered.

    Raises:
        EngineError: It does not have the one that was asked for.

    Example:
        >>> precision_of(EngineOptions(), engine="torch", offered=("fp32", "bf16"), where="cpu")
        'fp32'
    """
    if options.precision == "auto":
        return offered[0]
    if options.precision not in offered:
        other = (
            "--engine openvino has int8" if options.precision == "int8" else f"use --precision {offered[0]}"
        )
        raise EngineError(
            f"engine {engine!r} has no precision {options.precision!r} on {where}; it has {', '.join(offered)}",
            hint=other if engine != "openvino" else f"use --precision {offered[0]}",
        )
    return options.precision


def refuse_compiling(options: EngineOptions, *, engine: str) -> None:
    """For engines that have no program to make of a network.

    Args:
        options: What was asked for.
        engine: The engine's name.

    Raises:
        EngineError: Compiling was asked for.
    """
    if options.compile == "yes":
        raise EngineError(
            f"engine {engine!r} does not compile networks", hint="leave --compile out, or use --engine torch"
        )
