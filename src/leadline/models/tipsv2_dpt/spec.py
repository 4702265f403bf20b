"""The records of the TIPSv2-DPT family."""

from __future__ import annotations

from leadline.core.kind import Kind
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = ["B14", "G14", "L14", "SO400M14", "TINY"]

_KIND = Kind()
_PAPER = "https://arxiv.org/abs/2604.12012"


def _spec(name: str, hub: str, summary: str, good_for: str, step_up: str = "") -> ModelSpec:
    return ModelSpec(
        name=name,
        kind=_KIND,
        summary=summary,
        weights=Weights(f"hf:{hub}"),
        licence="Apache-2.0; heads trained on NYU Depth V2",
        commercial=Commercial.UNCLEAR,
        engines=("torch", "openvino"),
        paper=_PAPER,
        good_for=good_for,
        step_up=step_up,
        scale_needs_focal=False,
        network="leadline.models.tipsv2_dpt.net:network",
        says_uncertainty=False,
        extra="transformers",
        packages=("torch", "torchvision", "transformers"),
    )


B14 = _spec(
    "tipsv2-dpt-b14",
    "google/tipsv2-b14-dpt",
    "metres in rooms up to 10 m, TIPSv2 ViT-B/14, 86 M parameters in the backbone, with a DPT head",
    "rooms up to 10 m",
    "depth-pro",
)
L14 = _spec(
    "tipsv2-dpt-l14",
    "google/tipsv2-l14-dpt",
    "metres in rooms up to 10 m, TIPSv2 ViT-L/14, 303 M parameters in the backbone, with a DPT head",
    "rooms up to 10 m",
    "depth-pro",
)
SO400M14 = _spec(
    "tipsv2-dpt-so400m14",
    "google/tipsv2-so400m14-dpt",
    "metres in rooms up to 10 m, TIPSv2 ViT-SO400m/14, 412 M parameters in the backbone, with a DPT head",
    "rooms up to 10 m",
    "depth-pro",
)
G14 = _spec(
    "tipsv2-dpt-g14",
    "google/tipsv2-g14-dpt",
    "metres in rooms up to 10 m, TIPSv2 ViT-g/14, 1.1 G parameters in the backbone, with a DPT head",
    "rooms up to 10 m",
    "depth-pro",
)

TINY = ModelSpec(
    name="tipsv2-dpt-tiny",
    kind=_KIND,
    summary="the TIPSv2-DPT architecture, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny_tipsv2_dpt:checkpoint"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    engines=("torch", "openvino"),
    version="1",
    good_for="tests of everything around a model",
    scale_needs_focal=False,
    network="leadline.models.tipsv2_dpt.net:network",
    says_uncertainty=False,
    extra="transformers",
    packages=("torch", "torchvision", "transformers"),
)
