"""What every metric is: its words, unit, direction, formula and source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Literal

__all__ = ["METRICS", "Family", "Metric", "Pooling"]


class Family(Enum):
    """What a metric looks at, and so what it costs and needs."""

    PIXELS = "pixels"
    STRUCTURE = "structure"
    ORDER = "order"
    BOUNDARY = "boundary"
    NORMALS = "normals"
    CLOUD = "cloud"


class Pooling(Enum):
    """How the figures of several images become one figure over all their pixels."""

    MEAN = "mean over the pixels"
    ROOT = "root of the mean square over the pixels"
    LOG = "from the mean and the spread of ln r over the pixels"
    DECIBEL = "from the mean square error over the pixels"
    NONE = "cannot be pooled: the mean over the images is the only one"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Convention:
        In ``definition``, p is the prediction and g the truth (ground truth) in metres, e = p - g, r = p / g, d = ln r, and
        "mean" is over the pixels that are scored. Relative errors are relative to the truth.

    Args:
        name: The field of ``Scores``.
        words: The name that tables print.
        unit: Unit; empty for a plain number.
        better: Whether lower or higher is better.
        pooling: How several images are pooled.
        family: What it looks at.
        definition: The formula.
        source: Who defined it so.
    """

    name: str
    words: str
    unit: str
    better: Literal["lower", "higher"]
    pooling: Pooling
    family: Family
    definition: str
    source: str


_EIGEN = "Eigen, Puhrsch and Fergus, NeurIPS 2014"
_KITTI = "KITTI depth benchmark (Uhrig et al., 3DV 2017)"
_LADICKY = "Ladický, Shi and Pollefeys, CVPR 2014"
_DEPTH_PRO = "Depth Pro (Bochkovskii et al., ICLR 2025)"
_NORMALS = "Eigen and Fergus, ICCV 2015"
_CLOUD = "Örnek et al., 2022 (arXiv 2203.08122)"
_ALL = (
    Metric("abs_rel", "AbsRel", "", "lower", Pooling.MEAN, Family.PIXELS, "mean |e| / g", _EIGEN),
    Metric("sq_rel", "SqRel (e²/g)", "m", "lower", Pooling.MEAN, Family.PIXELS, "mean e² / g", _EIGEN),
    Metric("sq_rel_squared", "SqRel (e²/g²)", "", "lower", Pooling.MEAN, Family.PIXELS, "mean e² / g²; × 100 is KITTI's sqErrorRel in %", _KITTI),
    Metric("rmse", "RMSE", "m", "lower", Pooling.ROOT, Family.PIXELS, "√ mean e²", _EIGEN),
    Metric("mae", "MAE", "m", "lower", Pooling.MEAN, Family.PIXELS, "mean |e|", _KITTI),
    Metric("rmse_log", "RMSE log", "", "lower", Pooling.ROOT, Family.PIXELS, "√ mean d²", _EIGEN),
    Metric("log10", "log10", "", "lower", Pooling.MEAN, Family.PIXELS, "mean |log₁₀ r|", "Saxena, Sun and Ng, PAMI 2009"),
    Metric("silog", "SILog", "", "lower", Pooling.LOG, Family.PIXELS, "√(mean d² − (mean d)²): λ = 1, not scaled", _EIGEN),
    Metric("silog_100", "SILog ×100", "", "lower", Pooling.LOG, Family.PIXELS, "100 √(mean d² − (mean d)²): λ = 1", _KITTI),
    Metric("silog_085", "SILog λ=.85 ×10", "", "lower", Pooling.LOG, Family.PIXELS, "10 √(mean d² − .85 (mean d)²)", "BTS (Lee et al., 2019) and AdaBins (Bhat et al., CVPR 2021), whose training loss it is"),
    Metric("silog_050", "SILog λ=.5", "", "lower", Pooling.LOG, Family.PIXELS, "mean d² − .5 (mean d)², without a root", f"{_EIGEN}, whose training loss it is"),
    Metric("irmse", "iRMSE", "1/km", "lower", Pooling.ROOT, Family.PIXELS, "1000 √ mean (1/p − 1/g)²", _KITTI),
    Metric("imae", "iMAE", "1/km", "lower", Pooling.MEAN, Family.PIXELS, "1000 mean |1/p − 1/g|", _KITTI),
    Metric("delta1", "δ1", "", "higher", Pooling.MEAN, Family.PIXELS, "share of pixels with max(r, 1/r) < 1.25", _LADICKY),
    Metric("delta2", "δ2", "", "higher", Pooling.MEAN, Family.PIXELS, "share of pixels with max(r, 1/r) < 1.25²", _LADICKY),
    Metric("delta3", "δ3", "", "higher", Pooling.MEAN, Family.PIXELS, "share of pixels with max(r, 1/r) < 1.25³", _LADICKY),
    Metric("psnr", "PSNR", "dB", "higher", Pooling.DECIBEL, Family.PIXELS, "10 log₁₀(D² / mean e²), D the data range: the protocol's cap; ∞ where there is no error", "as scikit-image's peak_signal_noise_ratio"),
    Metric("ssim", "SSIM", "", "higher", Pooling.NONE, Family.STRUCTURE, "mean structural similarity of windows without an unscored pixel, C₁ = (.01 D)², C₂ = (.03 D)², D the data range; 7x7 uniform with the sample covariance, or Gaussian σ = 1.5", "Wang et al., TIP 2004, as scikit-image's structural_similarity"),
    Metric("whdr", "WHDR", "", "lower", Pooling.NONE, Family.ORDER, "share of drawn pairs whose order (nearer, farther, or equal within a factor 1 + τ, τ = .03) the prediction gets wrong", "Chen et al., NeurIPS 2016; Xian et al., CVPR 2020"),
    Metric("boundary_precision", "boundary precision", "", "higher", Pooling.NONE, Family.BOUNDARY, "share of the predicted occluding edges that are in the truth", _DEPTH_PRO),
    Metric("boundary_recall", "boundary recall", "", "higher", Pooling.NONE, Family.BOUNDARY, "share of the truth's occluding edges that are predicted", _DEPTH_PRO),
    Metric("boundary_f1", "boundary F1", "", "higher", Pooling.NONE, Family.BOUNDARY, "their harmonic mean at each of ten thresholds, averaged with the thresholds as weights", _DEPTH_PRO),
    Metric("normal_mean", "normals, mean", "°", "lower", Pooling.NONE, Family.NORMALS, "mean angle between the surface normals", _NORMALS),
    Metric("normal_median", "normals, median", "°", "lower", Pooling.NONE, Family.NORMALS, "median angle between the surface normals", _NORMALS),
    Metric("normal_11", "normals < 11.25°", "", "higher", Pooling.NONE, Family.NORMALS, "share of normals that are less than 11.25° off", _NORMALS),
    Metric("normal_22", "normals < 22.5°", "", "higher", Pooling.NONE, Family.NORMALS, "share of normals that are less than 22.5° off", _NORMALS),
    Metric("normal_30", "normals < 30°", "", "higher", Pooling.NONE, Family.NORMALS, "share of normals that are less than 30° off", _NORMALS),
    Metric("chamfer", "chamfer", "m", "lower", Pooling.NONE, Family.CLOUD, "mean distance from a predicted point to the nearest true one, plus the mean of the other way round", _CLOUD),
    Metric("cloud_precision", "cloud precision", "", "higher", Pooling.NONE, Family.CLOUD, "share of predicted points nearer than τ to a true one, τ = .1 m", _CLOUD),
    Metric("cloud_recall", "cloud recall", "", "higher", Pooling.NONE, Family.CLOUD, "share of true points nearer than τ to a predicted one", _CLOUD),
    Metric("cloud_f", "cloud F-score", "", "higher", Pooling.NONE, Family.CLOUD, "harmonic mean of cloud precision and recall", _CLOUD),
)  # fmt: skip
METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ALL})
"""Every metric by its name, in the order of tables."""
