"""Losses of differences against written-out numbers and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from leadline.core.errors import InputError
from leadline.training.losses.comparison import Comparison, Scale, compare
from leadline.training.losses.edges import EdgeAwareSmoothness, Gradient, TargetEdgeSmoothness, gradient_of


def plane(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows)[None, None]


def steps(error: NDArray[np.float64], known: NDArray[np.bool_]) -> float:
    """Mean |step| across and down between known neighbours, one by one."""
    total = 0.0
    for turned, mask in ((error, known), (error.T, known.T)):
        seen = [
            abs(turned[r, c + 1] - turned[r, c])
            for r in range(turned.shape[0])
            for c in range(turned.shape[1] - 1)
            if mask[r, c] and mask[r, c + 1]
        ]
        total += sum(seen) / max(1, len(seen))
    return total


def halved(
    error: NDArray[np.float64], known: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rows, columns = error.shape[0] // 2, error.shape[1] // 2
    mean, any_known = np.zeros((rows, columns)), np.zeros((rows, columns), bool)
    for r in range(rows):
        for c in range(columns):
            block = (slice(2 * r, 2 * r + 2), slice(2 * c, 2 * c + 2))
            any_known[r, c] = known[block].any()
            mean[r, c] = error[block][known[block]].mean() if any_known[r, c] else 0.0
    return mean, any_known


def test_gradient_is_the_mean_step_at_every_scale(batch: Comparison) -> None:
    wanted = []
    for said, truth, mask in zip(batch.said, batch.truth, batch.mask, strict=True):
        error, known = (said - truth)[0].double().numpy(), mask[0].numpy()
        total = 0.0
        for _ in range(3):
            total += steps(error, known)
            error, known = halved(error, known)
        wanted.append(total)
    seen = Gradient(3)(compare(batch.said, batch.truth, mask=batch.mask))
    assert seen.item() == pytest.approx(np.mean(wanted), rel=1e-4)


def test_gradient_does_not_cross_unknown_pixels_and_stops_at_one_pixel() -> None:
    error = plane([0.0, 50.0, 0.0])
    assert gradient_of(error, mask=plane([1.0, 0.0, 1.0]), scales=1).item() == 0.0
    small = plane([0.0, 1.0], [0.0, 3.0])
    one, many = (gradient_of(small, mask=torch.ones_like(small), scales=n).item() for n in (1, 6))
    assert one == many == pytest.approx((1 + 3) / 2 + (0 + 2) / 2)
    with pytest.raises(InputError, match="scales = 0"):
        Gradient(0)


def test_a_step_in_depth_costs_less_where_the_photo_has_one() -> None:
    depth, everything = plane([1.0, 3.0], [1.0, 3.0]), torch.ones(1, 1, 2, 2)
    grey, edge = torch.full((1, 3, 2, 2), 90.0), torch.tensor([0.0, 255.0]).expand(1, 3, 2, 2)
    paid = [
        EdgeAwareSmoothness()(compare(depth, depth, mask=everything, rgb=rgb)).item() for rgb in (grey, edge)
    ]
    assert paid == pytest.approx([1.0, np.exp(-1)], rel=1e-5)


def test_smoothness_does_not_see_a_factor_and_needs_the_photo(batch: Comparison) -> None:
    rgb = torch.rand((2, 3, 48, 64), generator=torch.Generator().manual_seed(1)) * 255
    loss = EdgeAwareSmoothness()
    one, ten = (loss(compare(f * batch.said, batch.truth, mask=batch.mask, rgb=rgb)).item() for f in (1, 10))
    assert one == pytest.approx(ten, rel=1e-5)
    logs = compare(batch.said.log(), batch.truth, mask=batch.mask, rgb=rgb, scale=Scale.LOG)
    up = compare(batch.said.log() + 2, batch.truth, mask=batch.mask, rgb=rgb, scale=Scale.LOG)
    assert loss(logs).item() == pytest.approx(loss(up).item(), rel=1e-5)
    with pytest.raises(InputError, match="needs the photos"):
        loss(compare(batch.said, batch.truth, mask=batch.mask))


def test_the_tutorials_smoothness_has_one_weight_for_all_pixels(batch: Comparison) -> None:
    said, truth = batch.said[:, 0].double().numpy(), batch.truth[:, 0].double().numpy()
    wanted = 0.0
    for axis in (1, 2):
        # tf.image.image_gradients: differences, and a last row or column of zeros
        edge = [(0, 0), (0, 0), (0, 0)]
        edge[axis] = (0, 1)
        d_truth, d_said = (np.pad(np.diff(plane, axis=axis), edge) for plane in (truth, said))
        wanted += np.mean(np.abs(d_said * np.exp(np.mean(np.abs(d_truth)))))
    everything = torch.ones_like(batch.mask)
    seen = TargetEdgeSmoothness()(compare(batch.said, batch.truth, mask=everything))
    assert seen.item() == pytest.approx(wanted, rel=1e-5)
