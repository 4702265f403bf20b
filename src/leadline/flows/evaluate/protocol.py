"""A protocol: everything that decides a score besides model and data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from leadline.core.errors import InputError
from leadline.core.kind import Kind

__all__ = ["ALIGNMENTS", "CROPS", "Aggregate", "Alignment", "Protocol"]

Alignment = Literal["none", "median", "scale", "affine-depth", "affine-inverse-depth"]
ALIGNMENTS: tuple[Alignment, ...] = ("none", "median", "scale", "affine-depth", "affine-inverse-depth")
"""What is fitted to each image's truth before it is scored: nothing; the median's ratio; the scale, or scale and shift, of
least squares, in depth or in inverse depth."""

Aggregate = Literal["mean", "pooled"]
CROPS = ("none", "nyu-eigen", "kitti-garg", "kitti-eigen", "kitti-benchmark")


@dataclass(frozen=True, slots=True)
class Protocol:
    """How predictions are scored.

    Args:
        name: ``"nyu-eigen-filled"``; with ``+field=value`` for every field that was changed by hand.
        summary: One line.
        source: Where the protocol is from: paper, code, section.
        dataset: The dataset it is for; empty for any.
        options: What the dataset is opened with: which truth.
        needs: The kind a prediction must have, or must become by alignment, to be scored: ``metric-depth`` …
        alignment: What is fitted to the truth first.
        near_m: Truth at or below this does not count.
        far_m: Truth at or beyond this does not count.
        clamp: Whether predictions are clipped to near and far before they are scored.
        crop: The window that counts, of ``CROPS``.
        flip: Whether each photo's prediction is averaged with that of its mirror image.
        eight_bit: Whether truth and prediction are scored as 8-bit pictures, each divided by its own largest value.
        metrics: The metrics it reports, in order.
        aggregate: The number that tables of this protocol print: the mean over images, or that of all pixels pooled.
        data_range_m: Range of PSNR and SSIM.
        silog_lambda: λ of SILog.
        silog_factor: What SILog is multiplied by.
        notes: What to know when comparing with published numbers.
        doubts: What is wrong with it, where something is.
    """

    name: str
    summary: str
    source: str
    needs: Kind
    near_m: float
    far_m: float
    metrics: tuple[str, ...]
    dataset: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    alignment: Alignment = "none"
    clamp: bool = True
    crop: str = "none"
    flip: bool = False
    eight_bit: bool = False
    aggregate: Aggregate = "mean"
    data_range_m: float = 10.0
    silog_lambda: float = 1.0
    silog_factor: float = 100.0
    notes: str = ""
    doubts: str = ""

    def __post_init__(self) -> None:
        if self.alignment not in ALIGNMENTS:
            raise InputError(
                f"protocol {self.name!r}: alignment = {self.alignment!r} is not one of {', '.join(ALIGNMENTS)}",
                hint="choose one",
            )
        if self.crop not in CROPS:
            raise InputError(
                f"protocol {self.name!r}: crop = {self.crop!r} is not one of {', '.join(CROPS)}",
                hint="choose one",
            )
        if not 0 <= self.near_m < self.far_m:
            raise InputError(
                f"protocol {self.name!r}: nearest {self.near_m:g} m and farthest {self.far_m:g} m are no range",
                hint="near_m must be at least 0 and below far_m",
            )
