"""The records of the Depth Anything family."""

from __future__ import annotations

from leadline.core.kind import Freedom, Kind, Quantity
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = [
    "METRIC_TINY",
    "TINY",
    "V1_BASE",
    "V1_LARGE",
    "V1_SMALL",
    "V2_BASE",
    "V2_INDOOR_BASE",
    "V2_INDOOR_LARGE",
    "V2_INDOOR_SMALL",
    "V2_LARGE",
    "V2_OUTDOOR_BASE",
    "V2_OUTDOOR_LARGE",
    "V2_OUTDOOR_SMALL",
    "V2_SMALL",
]

_RELATIVE = Kind(Quantity.INVERSE, Freedom.AFFINE)
_METRIC = Kind()
_V1, _V2 = "https://arxiv.org/abs/2401.10891", "https://arxiv.org/abs/2406.09414"
_FREE = ("Apache-2.0", Commercial.YES)
_BOUND = ("CC BY-NC 4.0", Commercial.NO)
_UNCLEAR = (
    "CC BY-NC 4.0 by its authors' repository (V2 base and large), Apache-2.0 by pages of its checkpoints",
    Commercial.UNCLEAR,
)
_NEARER = "which is nearer, in any photo; not how far"


def _spec(
    name: str,
    hub: str,
    summary: str,
    *,
    kind: Kind,
    terms: tuple[str, Commercial],
    paper: str,
    good_for: str,
    step_up: str = "",
    size_bytes: int,
    revision: str = "",
) -> ModelSpec:
    return ModelSpec(
        name=name,
        kind=kind,
        summary=summary,
        weights=Weights(f"hf:{hub}", size_bytes=size_bytes, revision=revision),
        licence=terms[0],
        commercial=terms[1],
        engines=("torch", "openvino"),
        paper=paper,
        good_for=good_for,
        step_up=step_up,
        network="leadline.models.depth_anything.net:network",
        says_uncertainty=False,
        extra="transformers",
        packages=("torch", "torchvision", "transformers"),
    )


V1_SMALL = _spec(
    "depth-anything-small",
    "LiheYoung/depth-anything-small-hf",
    "relative inverse depth (V1), ViT-S, 24.8 M parameters",
    kind=_RELATIVE,
    terms=_FREE,
    paper=_V1,
    good_for=_NEARER,
    step_up="depth-anything-v2-small",
    size_bytes=99_200_000,
    revision="9103bc8e2d785bcfd024e4bfd7e7c4593bc50bba",
)
V1_BASE = _spec(
    "depth-anything-base",
    "LiheYoung/depth-anything-base-hf",
    "relative inverse depth (V1), ViT-B, 97.5 M parameters",
    kind=_RELATIVE,
    terms=_FREE,
    paper=_V1,
    good_for=_NEARER,
    step_up="depth-anything-v2-base",
    size_bytes=390_000_000,
    revision="2d2165a5fb37889a85b8e48705e79852c2a4a0ad",
)
V1_LARGE = _spec(
    "depth-anything-large",
    "LiheYoung/depth-anything-large-hf",
    "relative inverse depth (V1), ViT-L, 335.3 M parameters",
    kind=_RELATIVE,
    terms=_FREE,
    paper=_V1,
    good_for=_NEARER,
    step_up="depth-anything-v2-large",
    size_bytes=1_340_000_000,
    revision="27ccb0920352c0c37b3a96441873c8d37bd52fb6",
)
V2_SMALL = _spec(
    "depth-anything-v2-small",
    "depth-anything/Depth-Anything-V2-Small-hf",
    "relative inverse depth (V2), fine edges, ViT-S, 24.8 M parameters",
    kind=_RELATIVE,
    terms=_FREE,
    paper=_V2,
    good_for=_NEARER,
    step_up="depth-anything-v2-base",
    size_bytes=99_200_000,
)
V2_BASE = _spec(
    "depth-anything-v2-base",
    "depth-anything/Depth-Anything-V2-Base-hf",
    "relative inverse depth (V2), fine edges, ViT-B, 97.5 M parameters",
    kind=_RELATIVE,
    terms=_BOUND,
    paper=_V2,
    good_for=_NEARER,
    step_up="depth-anything-v2-large",
    size_bytes=390_000_000,
)
V2_LARGE = _spec(
    "depth-anything-v2-large",
    "depth-anything/Depth-Anything-V2-Large-hf",
    "relative inverse depth (V2), fine edges, ViT-L, 335.3 M parameters",
    kind=_RELATIVE,
    terms=_BOUND,
    paper=_V2,
    good_for=_NEARER,
    step_up="",
    size_bytes=1_340_000_000,
)
V2_INDOOR_SMALL = _spec(
    "depth-anything-v2-metric-indoor-small",
    "depth-anything/Depth-Anything-V2-Metric-Indoor-Small-hf",
    "metres up to 20 m (V2 tuned for indoors), ViT-S, 24.8 M parameters",
    kind=_METRIC,
    terms=_FREE,
    paper=_V2,
    good_for="rooms up to 20 m, trained on Hypersim",
    step_up="depth-anything-v2-metric-indoor-base",
    size_bytes=99_200_000,
    revision="4d5187ef4957085a714f15b6ae43230a8b813c03",
)
V2_INDOOR_BASE = _spec(
    "depth-anything-v2-metric-indoor-base",
    "depth-anything/Depth-Anything-V2-Metric-Indoor-Base-hf",
    "metres up to 20 m (V2 tuned for indoors), ViT-B, 97.5 M parameters",
    kind=_METRIC,
    terms=_UNCLEAR,
    paper=_V2,
    good_for="rooms up to 20 m, trained on Hypersim",
    step_up="depth-anything-v2-metric-indoor-large",
    size_bytes=390_000_000,
)
V2_INDOOR_LARGE = _spec(
    "depth-anything-v2-metric-indoor-large",
    "depth-anything/Depth-Anything-V2-Metric-Indoor-Large-hf",
    "metres up to 20 m (V2 tuned for indoors), ViT-L, 335.3 M parameters",
    kind=_METRIC,
    terms=_UNCLEAR,
    paper=_V2,
    good_for="rooms up to 20 m, trained on Hypersim",
    step_up="depth-pro",
    size_bytes=1_340_000_000,
)
V2_OUTDOOR_SMALL = _spec(
    "depth-anything-v2-metric-outdoor-small",
    "depth-anything/Depth-Anything-V2-Metric-Outdoor-Small-hf",
    "metres up to 80 m (V2 tuned for outdoors), ViT-S, 24.8 M parameters",
    kind=_METRIC,
    terms=_FREE,
    paper=_V2,
    good_for="streets up to 80 m, trained on Virtual KITTI",
    step_up="depth-anything-v2-metric-outdoor-base",
    size_bytes=99_200_000,
)
V2_OUTDOOR_BASE = _spec(
    "depth-anything-v2-metric-outdoor-base",
    "depth-anything/Depth-Anything-V2-Metric-Outdoor-Base-hf",
    "metres up to 80 m (V2 tuned for outdoors), ViT-B, 97.5 M parameters",
    kind=_METRIC,
    terms=_UNCLEAR,
    paper=_V2,
    good_for="streets up to 80 m, trained on Virtual KITTI",
    step_up="depth-anything-v2-metric-outdoor-large",
    size_bytes=390_000_000,
)
V2_OUTDOOR_LARGE = _spec(
    "depth-anything-v2-metric-outdoor-large",
    "depth-anything/Depth-Anything-V2-Metric-Outdoor-Large-hf",
    "metres up to 80 m (V2 tuned for outdoors), ViT-L, 335.3 M parameters",
    kind=_METRIC,
    terms=_UNCLEAR,
    paper=_V2,
    good_for="streets up to 80 m, trained on Virtual KITTI",
    step_up="depth-pro",
    size_bytes=1_340_000_000,
    revision="f79cc1bbf3f54d8d5737789127a6e88f49c13bd7",
)

TINY = ModelSpec(
    name="depth-anything-tiny",
    kind=_RELATIVE,
    summary="the Depth Anything architecture, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny_depth_anything:relative"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    engines=("torch", "openvino"),
    version="1",
    good_for="tests of everything around a model",
    scale_needs_focal=False,
    network="leadline.models.depth_anything.net:network",
    says_uncertainty=False,
    extra="transformers",
    packages=("torch", "torchvision", "transformers"),
)

METRIC_TINY = ModelSpec(
    name="depth-anything-metric-tiny",
    kind=_METRIC,
    summary="the metric Depth Anything architecture, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny_depth_anything:metric"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    engines=("torch", "openvino"),
    version="1",
    good_for="tests of everything around a model",
    scale_needs_focal=False,
    network="leadline.models.depth_anything.net:network",
    says_uncertainty=False,
    extra="transformers",
    packages=("torch", "torchvision", "transformers"),
)
