"""The records of the Marigold family."""

from __future__ import annotations

from leadline.core.kind import Freedom, Kind, Quantity
from leadline.plugins.specs import Commercial, ModelSpec, Option, Weights

__all__ = ["DEPTH_V1_1", "EXTRA", "LCM_V1_0", "NETWORK", "OPTIONS", "PACKAGES", "TINY", "V1_0"]

KIND = Kind(Quantity.DEPTH, Freedom.AFFINE)
NETWORK = "leadline.models.marigold.net:network"
EXTRA = "diffusers"
PACKAGES = ("torch", "transformers", "diffusers", "scipy")

OPTIONS = (
    Option("steps", "Denoising steps; 0: as many as the checkpoint recommends.", default=0),
    Option(
        "ensemble",
        "Predictions from different noise that are brought together; from 3 on their disagreement is the uncertainty.",
        default=1,
    ),
    Option(
        "processing_resolution",
        "Longer side in pixels at which it runs, a multiple of 8; 0: the photo's own; -1: what the checkpoint recommends.",
        default=-1,
    ),
    Option("seed", "Where the noise starts; each photo starts there anew.", default=0),
)

_BYTES = 5_159_855_788
"""1,289,963,947 parameters of UNet, autoencoder and text encoder at four bytes each, counted on their configurations."""

_V1_PAPER = "https://arxiv.org/abs/2312.02145"


def _spec(
    name: str,
    hub: str,
    summary: str,
    *,
    licence: str,
    good_for: str,
    paper: str = _V1_PAPER,
    step_up: str = "",
) -> ModelSpec:
    return ModelSpec(
        name=name,
        kind=KIND,
        summary=summary,
        weights=Weights(f"hf:{hub}", size_bytes=_BYTES),
        licence=licence,
        commercial=Commercial.YES,
        engines=("torch",),
        paper=paper,
        good_for=good_for,
        step_up=step_up,
        network=NETWORK,
        options=OPTIONS,
        extra=EXTRA,
        packages=PACKAGES,
    )


V1_0 = _spec(
    "marigold-v1-0",
    "prs-eth/marigold-depth-v1-0",
    "affine-invariant depth with fine detail, by a diffusion model; the one of the paper",
    licence="Apache-2.0, as its page says; it is derived from Stable Diffusion 2, which is Open RAIL++-M",
    good_for="the published figures (--input steps=50 --input ensemble=10); slow without a GPU",
    step_up="marigold-depth-v1-1",
)

LCM_V1_0 = _spec(
    "marigold-lcm-v1-0",
    "prs-eth/marigold-depth-lcm-v1-0",
    "affine-invariant depth with fine detail, by a diffusion model distilled to one to four steps",
    licence="Apache-2.0, as its page says; it is derived from Stable Diffusion 2, which is Open RAIL++-M",
    good_for="fine detail in few steps; it was distilled to run one to four",
    step_up="marigold-depth-v1-1",
)

DEPTH_V1_1 = _spec(
    "marigold-depth-v1-1",
    "prs-eth/marigold-depth-v1-1",
    "affine-invariant depth with fine detail, by a diffusion model; trained anew for few steps",
    licence="Open RAIL++-M: commercial use allowed, with the uses it forbids listed in the licence",
    good_for="the finest detail; one to four steps; several draws with --input ensemble=5 say how sure it is",
    paper="https://arxiv.org/abs/2505.09358",
)

TINY = ModelSpec(
    name="marigold-tiny",
    kind=KIND,
    summary="the Marigold architecture, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny_marigold:checkpoint"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    engines=("torch",),
    version="1",
    good_for="tests of everything around a model",
    network=NETWORK,
    options=OPTIONS,
    extra=EXTRA,
    packages=PACKAGES,
)
