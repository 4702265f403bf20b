"""The records of the Depth Pro family."""

from __future__ import annotations

from leadline.core.kind import Kind
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = ["DEPTH_PRO", "TINY"]

_KIND = Kind()
_PAPER = "https://arxiv.org/abs/2410.02073"


def _spec(
    name: str,
    hub: str,
    summary: str,
    good_for: str,
    step_up: str = "",
    *,
    size_bytes: int,
    revision: str = "",
) -> ModelSpec:
    return ModelSpec(
        name=name,
        kind=_KIND,
        summary=summary,
        weights=Weights(f"hf:{hub}", size_bytes=size_bytes, revision=revision),
        licence="Apple Machine Learning Research Model Licence (research only)",
        commercial=Commercial.NO,
        engines=("torch", "openvino"),
        paper=_PAPER,
        good_for=good_for,
        step_up=step_up,
        scale_needs_focal=True,
        network="leadline.models.depth_pro.net:network",
        says_uncertainty=False,
        extra="transformers",
        packages=("torch", "torchvision", "transformers"),
    )


DEPTH_PRO = _spec(
    "depth-pro",
    "apple/DepthPro-hf",
    "metres in any photo, with the lens estimated, sharp edges, 952 M parameters",
    "sharp metric depth where the lens is not known, at 1536x1536 pixels; slow without a GPU",
    size_bytes=1_900_000_000,
    revision="3a8b51229207764e5215b31f47fac0d1a049d563",
)

TINY = ModelSpec(
    name="depth-pro-tiny",
    kind=_KIND,
    summary="the Depth Pro architecture, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny_depth_pro:checkpoint"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    engines=("torch", "openvino"),
    version="1",
    good_for="tests of everything around a model",
    scale_needs_focal=True,
    network="leadline.models.depth_pro.net:network",
    says_uncertainty=False,
    extra="transformers",
    packages=("torch", "torchvision", "transformers"),
)
