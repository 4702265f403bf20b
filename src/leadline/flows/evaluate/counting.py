"""Which pixels count under a protocol, and what predictions are clipped to."""

from __future__ import annotations

import numpy as np

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.flows.evaluate.protocol import Protocol
from leadline.ops.windows import window

__all__ = ["clamped", "counting"]


def counting(truth: DepthMap, protocol: Protocol) -> DepthMap:
    """The truth, valid only where it counts: known, inside the window, between the limits.

    Args:
        truth: What is so, in metres.
        protocol: How it is scored.

    Returns:
        The same with fewer valid pixels.

    Raises:
        InputError: None is left.
    """
    inside = np.zeros(truth.shape, bool)
    inside[window(protocol.crop, height=truth.height, width=truth.width)] = True
    with np.errstate(invalid="ignore"):
        counts = truth.valid & inside & (truth.values > protocol.near_m) & (truth.values < protocol.far_m)
    if not counts.any():
        raise InputError(
            f"no pixel of known truth lies between {protocol.near_m:g} and {protocol.far_m:g} m inside the window "
            f"{protocol.crop!r}",
            hint="leave this image out",
        )
    return DepthMap(truth.values, truth.kind, counts, camera=truth.camera)


def clamped(depth: DepthMap, protocol: Protocol) -> DepthMap:
    """Depth clipped to the protocol's limits, where it clips: nearer is the nearest, farther and the sky are the farthest.

    What is unknown stays unknown.

    Args:
        depth: A prediction in metres.
        protocol: How it is scored.

    Returns:
        The same, clipped.
    """
    if protocol.clamp_m is None:
        return depth
    known = depth.valid | depth.infinite
    nearest, farthest = (np.float32(limit) for limit in protocol.clamp_m)
    values = np.where(known, np.clip(depth.values, nearest, farthest), np.float32("nan"))
    return DepthMap(values, depth.kind, known, camera=depth.camera, scale_uncertain=depth.scale_uncertain)
