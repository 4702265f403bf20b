"""How a network is validated while it learns: on whole photos, at their own size."""

from __future__ import annotations

import numpy as np

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.sample import Sample
from leadline.ops.align import align
from leadline.ops.geometry import to_axis, to_depth, to_inverse
from leadline.ops.metrics import score
from leadline.ops.metrics_scores import Scores
from leadline.ops.resize import resize
from leadline.training.network import DepthNetwork, predict

__all__ = ["validate"]

NEAREST_M = 1e-3


def validate(network: DepthNetwork, sample: Sample, *, far_m: float) -> Scores:
    """Scores a network on one sample.

    Convention:
        What the network leaves unknown (scale, shift) is fitted to the truth first, as everywhere in leadline. Where the best
        scale would not be positive, the best constant stands for the prediction.

    Args:
        network: In evaluation mode.
        sample: Photo and truth.
        far_m: Truth beyond does not count.

    Returns:
        The scores.
    """
    said = predict(network, sample.image)
    truth = sample.truth if sample.truth.kind == Kind() else to_axis(to_depth(sample.truth))
    if said.shape != truth.shape:
        said = resize(said, height=truth.height, width=truth.width)
    if said.kind.freedom is not Freedom.NONE:
        said = _aligned(said, truth)
    return score(to_depth(said), truth, limits_m=(NEAREST_M, far_m))


def _aligned(said: DepthMap, truth: DepthMap) -> DepthMap:
    try:
        return align(said, truth).apply(said)
    except InputError:
        inverse = to_inverse(truth)
        flat = np.full(truth.shape, inverse.values[inverse.valid].mean(), np.float32)
        return DepthMap(flat, Kind(Quantity.INVERSE), camera=truth.camera)
