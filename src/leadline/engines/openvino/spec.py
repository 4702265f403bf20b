"""The record of the engine over OpenVINO."""

from __future__ import annotations

from leadline.plugins.specs import EngineSpec

__all__ = ["SPEC"]

SPEC = EngineSpec(
    name="openvino",
    adapter="leadline.engines.openvino.engine:OpenVinoEngine",
    summary="OpenVINO; ONNX files and the families of transformers, int8 by your own photos",
    extra="openvino",
    packages=("openvino",),
    precisions=("fp32", "bf16", "fp16", "int8"),
)
