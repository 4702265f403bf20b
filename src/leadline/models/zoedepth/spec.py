"""The records of the ZoeDepth family."""

from __future__ import annotations

from dataclasses import replace

from leadline.core.kind import Kind
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = ["KITTI", "NYU", "NYU_KITTI", "TINY", "TINY_TWO"]

_KIND = Kind()
_PAPER = "https://arxiv.org/abs/2302.12288"


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
        licence="MIT; trained on NYU or KITTI",
        commercial=Commercial.UNCLEAR,
        engines=("torch", "openvino"),
        paper=_PAPER,
        good_for=good_for,
        step_up=step_up,
        scale_needs_focal=False,
        network="leadline.models.zoedepth.net:network",
        says_uncertainty=False,
        extra="transformers",
        packages=("torch", "torchvision", "transformers"),
    )


NYU = _spec(
    "zoedepth-nyu",
    "Intel/zoedepth-nyu",
    "metres in rooms, 345 M parameters",
    "rooms up to 10 m",
    "depth-anything-v2-metric-indoor-large",
    size_bytes=1_380_000_000,
)
KITTI = _spec(
    "zoedepth-kitti",
    "Intel/zoedepth-kitti",
    "metres from a car, 345 M parameters",
    "roads up to 80 m",
    "depth-anything-v2-metric-outdoor-large",
    size_bytes=1_380_000_000,
    revision="0347db85b019f309d5544c70ad2ac998ad570899",
)
# The network takes one of two heads by what it sees: a graph would be of one head only.
NYU_KITTI = replace(
    _spec(
        "zoedepth-nyu-kitti",
        "Intel/zoedepth-nyu-kitti",
        "metres in rooms and on roads, chosen by the network, 347 M parameters",
        "rooms and roads",
        "depth-pro",
        size_bytes=1_380_000_000,
        revision="f364d4c7936e91f465abba182208dd68142bf0ca",
    ),
    engines=("torch",),
)

TINY = ModelSpec(
    name="zoedepth-tiny",
    kind=_KIND,
    summary="the ZoeDepth architecture, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny_zoedepth:checkpoint"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    engines=("torch", "openvino"),
    version="1",
    good_for="tests of everything around a model",
    scale_needs_focal=False,
    network="leadline.models.zoedepth.net:network",
    says_uncertainty=False,
    extra="transformers",
    packages=("torch", "torchvision", "transformers"),
)

TINY_TWO = ModelSpec(
    name="zoedepth-two-tiny",
    kind=_KIND,
    summary="the ZoeDepth architecture with two heads, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny_zoedepth:checkpoint_of_two"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    engines=("torch",),
    version="1",
    good_for="tests of everything around a model",
    scale_needs_focal=False,
    network="leadline.models.zoedepth.net:network",
    says_uncertainty=False,
    extra="transformers",
    packages=("torch", "torchvision", "transformers"),
)
