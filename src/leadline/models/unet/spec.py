"""The record of the U-Net."""

from __future__ import annotations

from leadline.core.kind import Kind
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = ["TINY"]

TINY = ModelSpec(
    name="unet-tiny",
    kind=Kind(),
    summary="the Keras tutorial's U-Net, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny:unet"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    version="1",
    good_for="tests of everything around a model",
    scale_needs_focal=False,
    extra="train",
    packages=("torch", "timm", "onnx", "onnxscript"),
)
