"""The records of the leadline-indoor family."""

from __future__ import annotations

from leadline.core.kind import Kind
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = ["SMALL", "TINY"]

SMALL = ModelSpec(
    name="leadline-indoor-small",
    kind=Kind(),
    summary="metric depth of rooms, in the wheel, no download",
    weights=Weights(
        "package:leadline.data.weights/leadline-indoor-small.onnx",
        sha256="e037b1a59c583e3f8de5b715eb36abfd07e5bae026456b0a3fb3c0865293d4bd",
        size_bytes=6286194,
        revision="1",
    ),
    licence="Apache-2.0 for the file; trained on NYU Depth V2 (research use)",
    commercial=Commercial.UNCLEAR,
    version="1",
    paper="MODEL_CARD.md",
    good_for="quick depth in metres of rooms, seen from 0.7 to 10 m; not for outdoors",
    step_up="depth-anything-v2-metric-indoor-small",
    scale_needs_focal=True,
    native_px=256,
    says_uncertainty=False,
)

TINY = ModelSpec(
    name="leadline-indoor-tiny",
    kind=Kind(),
    summary="the same network, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny:indoor"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    version="1",
    good_for="tests of everything around a model",
    scale_needs_focal=True,
    says_uncertainty=False,
    extra="train",
    packages=("torch", "timm", "onnx", "onnxscript"),
)
