"""The records of the Prompt Depth Anything family."""

from __future__ import annotations

from leadline.core.kind import Kind
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = ["LARGE", "SMALL", "SMALL_TRANSPARENT", "TINY"]

_KIND = Kind()
_PAPER = "https://arxiv.org/abs/2412.14015"
_NETWORK = "leadline.models.prompt_depth_anything.net:network"
_PACKAGES = ("torch", "torchvision", "transformers")
_FOR = "photos with the coarse depth of a phone's LiDAR beside them (--prompt)"


def _spec(
    name: str, hub: str, summary: str, good_for: str = _FOR, step_up: str = "", *, size_bytes: int
) -> ModelSpec:
    return ModelSpec(
        name=name,
        kind=_KIND,
        summary=summary,
        weights=Weights(f"hf:{hub}", size_bytes=size_bytes),
        licence="Apache-2.0",
        commercial=Commercial.YES,
        engines=("torch",),
        paper=_PAPER,
        good_for=good_for,
        step_up=step_up,
        network=_NETWORK,
        prompted=True,
        says_uncertainty=False,
        extra="transformers",
        packages=_PACKAGES,
    )


SMALL = _spec(
    "prompt-depth-anything-small",
    "depth-anything/prompt-depth-anything-vits-hf",
    "sharpens a low-resolution depth map to the photo, in its own unit; ViT-S, 25.1 M parameters",
    step_up="prompt-depth-anything-large",
    size_bytes=100_000_000,
)
SMALL_TRANSPARENT = _spec(
    "prompt-depth-anything-small-transparent",
    "depth-anything/prompt-depth-anything-vits-transparent-hf",
    "sharpens a low-resolution depth map to the photo, tuned for glass; ViT-S, 25.1 M parameters",
    good_for="transparent things, through which a LiDAR looks (--prompt)",
    step_up="prompt-depth-anything-large",
    size_bytes=100_000_000,
)
LARGE = _spec(
    "prompt-depth-anything-large",
    "depth-anything/prompt-depth-anything-vitl-hf",
    "sharpens a low-resolution depth map to the photo, in its own unit; ViT-L, 340 M parameters; the one of the paper",
    size_bytes=1_360_000_000,
)

TINY = ModelSpec(
    name="prompt-depth-anything-tiny",
    kind=_KIND,
    summary="the Prompt Depth Anything architecture, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny_prompt_depth_anything:checkpoint"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    engines=("torch",),
    version="1",
    good_for="tests of everything around a model",
    network=_NETWORK,
    prompted=True,
    says_uncertainty=False,
    extra="transformers",
    packages=_PACKAGES,
)
