"""The record of DenseDepth."""

from __future__ import annotations

from leadline.core.kind import Kind
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = ["TINY"]

TINY = ModelSpec(
    name="densedepth-tiny",
    kind=Kind(),
    summary="the DenseDepth architecture, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny:densedepth"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    version="1",
    paper="https://arxiv.org/abs/1812.11941",
    good_for="tests of everything around a model",
    scale_needs_focal=False,
    extra="train",
    packages=("torch", "timm", "onnx", "onnxscript", "safetensors"),
)
