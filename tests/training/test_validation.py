"""Validation: what a network leaves unknown is fitted first, as everywhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.core.sample import Sample
from leadline.ops.geometry import to_ray
from leadline.ops.metrics import score
from leadline.training.validation import validate

DEPTH = np.linspace(1, 4, 48 * 64, dtype=np.float32).reshape(48, 64)


class Saying(torch.nn.Module):
    """Says a plane, whatever it sees."""

    canonical_f_px = None
    output_stride = 1

    def __init__(self, plane: np.ndarray, kind: Kind) -> None:
        super().__init__()
        self.plane = torch.nn.Parameter(torch.from_numpy(plane.astype(np.float32))[None, None])
        self.output_kind = kind

    def target_size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def metres(self, output: torch.Tensor) -> torch.Tensor:
        return output

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        return self.plane


def sample(truth: DepthMap) -> Sample:
    return Sample("a", Image(np.zeros((48, 64, 3), np.uint8), Camera.assumed(64, 48)), truth)


def abs_rel(plane: np.ndarray, kind: Kind, **options: Any) -> float:
    network: Any = Saying(plane, kind)
    return validate(network, sample(DepthMap(DEPTH, Kind())), **{"far_m": 10.0, **options}).abs_rel


def test_metres_are_scored_as_they_are_and_only_up_to_the_far_end() -> None:
    assert abs_rel(DEPTH * 1.1, Kind()) == pytest.approx(0.1, rel=1e-4)
    wrong_beyond = np.where(DEPTH > 3, 9 * DEPTH, DEPTH)
    assert abs_rel(wrong_beyond, Kind(), far_m=3.0) == pytest.approx(0.0, abs=1e-6)


def test_truth_along_the_ray_is_turned_to_what_networks_say() -> None:
    ball = to_ray(DepthMap(DEPTH, Kind(), camera=Camera.assumed(64, 48)))
    assert ball.kind.along is Along.RAY
    network: Any = Saying(DEPTH, Kind())
    assert validate(network, sample(ball), far_m=10.0).abs_rel == pytest.approx(0.0, abs=1e-6)


def test_scale_and_shift_are_fitted_where_they_are_unknown() -> None:
    kind = Kind(Quantity.INVERSE, Freedom.AFFINE)
    assert abs_rel(5 / DEPTH - 3, kind) == pytest.approx(0.0, abs=1e-4)


def test_what_runs_the_other_way_counts_as_the_best_constant() -> None:
    kind = Kind(Quantity.INVERSE, Freedom.AFFINE)
    flat = DepthMap(np.full_like(DEPTH, 1 / np.mean(1 / DEPTH)), Kind())
    due = score(flat, DepthMap(DEPTH, Kind()), limits_m=(1e-3, 10.0)).abs_rel
    assert abs_rel(DEPTH, kind) == pytest.approx(due, rel=1e-5)


def test_truth_of_another_size_or_as_inverse_depth_is_compared_all_the_same() -> None:
    network: Any = Saying(np.full((48, 64), 2.0), Kind())
    small = DepthMap(np.full((24, 32), 0.5, np.float32), Kind(Quantity.INVERSE))
    assert validate(network, sample(small), far_m=10.0).abs_rel == pytest.approx(0.0, abs=1e-6)
