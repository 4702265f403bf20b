"""The record of the engine."""

from __future__ import annotations

from leadline.plugins.specs import EngineSpec

__all__ = ["SPEC"]

SPEC = EngineSpec(
    name="replicate",
    adapter="leadline.engines.replicate.engine:ReplicateEngine",
    summary="replicate.com: models that run there, for money; photos are sent there",
    extra="replicate",
    packages=("replicate",),
    remote=True,
)
