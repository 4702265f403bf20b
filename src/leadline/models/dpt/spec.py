"""The records of the DPT family."""

from __future__ import annotations

from leadline.core.kind import Freedom, Kind, Quantity
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = ["TINY"]

NETWORK = "leadline.models.dpt.net:network"
PACKAGES = ("torch", "torchvision", "transformers")

TINY = ModelSpec(
    name="dpt-tiny",
    kind=Kind(Quantity.INVERSE, Freedom.AFFINE),
    summary="the DPT architecture, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny_dpt:checkpoint"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    engines=("torch",),
    version="1",
    network=NETWORK,
    extra="transformers",
    packages=PACKAGES,
)
