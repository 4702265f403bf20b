"""The records of the GLPN family."""

from __future__ import annotations

from leadline.core.kind import Kind
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = ["KITTI", "NYU", "TINY"]

_KIND = Kind()
_PAPER = "https://arxiv.org/abs/2201.07436"


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
        licence="Apache-2.0 (the repository of its authors); trained on NYU or KITTI",
        commercial=Commercial.UNCLEAR,
        engines=("torch", "openvino"),
        paper=_PAPER,
        good_for=good_for,
        step_up=step_up,
        scale_needs_focal=False,
        network="leadline.models.glpn.net:network",
        says_uncertainty=False,
        extra="transformers",
        packages=("torch", "torchvision", "transformers"),
    )


NYU = _spec(
    "glpn-nyu",
    "vinvino02/glpn-nyu",
    "metres in rooms, 61 M parameters, trained on NYU Depth V2",
    "rooms up to 10 m, seen by a camera like the Kinect",
    "zoedepth-nyu",
    size_bytes=245_000_000,
    revision="cb8ce03174424af9a3315da175ead88667f0578c",
)
KITTI = _spec(
    "glpn-kitti",
    "vinvino02/glpn-kitti",
    "metres from a car, 61 M parameters, trained on KITTI",
    "roads up to 80 m, seen by a camera like KITTI's",
    "zoedepth-kitti",
    size_bytes=245_000_000,
    revision="refs/pr/1",
)

TINY = ModelSpec(
    name="glpn-tiny",
    kind=_KIND,
    summary="the GLPN architecture, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny_glpn:checkpoint"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    engines=("torch", "openvino"),
    version="1",
    good_for="tests of everything around a model",
    scale_needs_focal=False,
    network="leadline.models.glpn.net:network",
    says_uncertainty=False,
    extra="transformers",
    packages=("torch", "torchvision", "transformers"),
)
