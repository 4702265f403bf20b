"""The record of the engine over PyTorch."""

from __future__ import annotations

from leadline.plugins.specs import EngineSpec

__all__ = ["SPEC"]

SPEC = EngineSpec(
    name="torch",
    adapter="leadline.engines.torch.engine:TorchEngine",
    summary="PyTorch; runs the families of transformers and diffusers",
    extra="torch",
    packages=("torch",),
    precisions=("fp32", "bf16", "fp16"),
)
