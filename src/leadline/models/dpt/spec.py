"""The records of the DPT and MiDaS 3.1 family."""

from __future__ import annotations

from leadline.core.kind import Freedom, Kind, Quantity
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = [
    "BEIT_BASE_384",
    "BEIT_LARGE_384",
    "BEIT_LARGE_512",
    "HYBRID_MIDAS",
    "LARGE",
    "SWINV2_BASE_384",
    "SWINV2_LARGE_384",
    "SWINV2_TINY_256",
    "TINY",
]

_KIND = Kind(Quantity.INVERSE, Freedom.AFFINE)
_PAPER, _PAPER_31 = "https://arxiv.org/abs/2103.13413", "https://arxiv.org/abs/2307.14460"


def _spec(
    name: str,
    hub: str,
    summary: str,
    good_for: str,
    step_up: str = "",
    *,
    licence: str = "Apache-2.0",
    paper: str = _PAPER,
) -> ModelSpec:
    return ModelSpec(
        name=name,
        kind=_KIND,
        summary=summary,
        weights=Weights(f"hf:{hub}"),
        licence=licence,
        commercial=Commercial.YES,
        engines=("torch", "openvino"),
        paper=paper,
        good_for=good_for,
        step_up=step_up,
        scale_needs_focal=False,
        network="leadline.models.dpt.net:network",
        extra="transformers",
        packages=("torch", "torchvision", "transformers"),
    )


_FOR = "which is nearer, in any photo; not how far"
_MORE = "depth-anything-v2-small, which is smaller and sharper"

LARGE = _spec(
    "dpt-large", "Intel/dpt-large", "relative inverse depth (MiDaS 3.0), ViT-L, 344 M parameters", _FOR, _MORE
)
HYBRID_MIDAS = _spec(
    "dpt-hybrid-midas",
    "Intel/dpt-hybrid-midas",
    "relative inverse depth (MiDaS 3.0), ResNet-50 and ViT-B, 123 M parameters",
    _FOR,
    _MORE,
)
BEIT_BASE_384 = _spec(
    "dpt-beit-base-384",
    "Intel/dpt-beit-base-384",
    "relative inverse depth (MiDaS 3.1), BEiT-B at 384 px",
    _FOR,
    _MORE,
    licence="MIT",
    paper=_PAPER_31,
)
BEIT_LARGE_384 = _spec(
    "dpt-beit-large-384",
    "Intel/dpt-beit-large-384",
    "relative inverse depth (MiDaS 3.1), BEiT-L at 384 px",
    _FOR,
    _MORE,
    licence="MIT",
    paper=_PAPER_31,
)
BEIT_LARGE_512 = _spec(
    "dpt-beit-large-512",
    "Intel/dpt-beit-large-512",
    "relative inverse depth (MiDaS 3.1), BEiT-L at 512 px, 345 M parameters, the best of MiDaS",
    _FOR,
    _MORE,
    licence="MIT",
    paper=_PAPER_31,
)
SWINV2_TINY_256 = _spec(
    "dpt-swinv2-tiny-256",
    "Intel/dpt-swinv2-tiny-256",
    "relative inverse depth (MiDaS 3.1), Swin V2-T at 256 px, the smallest of MiDaS 3.1",
    _FOR,
    _MORE,
    licence="MIT",
    paper=_PAPER_31,
)
SWINV2_BASE_384 = _spec(
    "dpt-swinv2-base-384",
    "Intel/dpt-swinv2-base-384",
    "relative inverse depth (MiDaS 3.1), Swin V2-B at 384 px",
    _FOR,
    _MORE,
    licence="MIT",
    paper=_PAPER_31,
)
SWINV2_LARGE_384 = _spec(
    "dpt-swinv2-large-384",
    "Intel/dpt-swinv2-large-384",
    "relative inverse depth (MiDaS 3.1), Swin V2-L at 384 px",
    _FOR,
    _MORE,
    licence="MIT",
    paper=_PAPER_31,
)

TINY = ModelSpec(
    name="dpt-tiny",
    kind=_KIND,
    summary="the DPT architecture, very small, with random weights: for tests, its depth means nothing",
    weights=Weights("code:leadline.testing.tiny_dpt:checkpoint"),
    licence="Apache-2.0",
    commercial=Commercial.YES,
    engines=("torch", "openvino"),
    version="1",
    good_for="tests of everything around a model",
    scale_needs_focal=False,
    network="leadline.models.dpt.net:network",
    extra="transformers",
    packages=("torch", "torchvision", "transformers"),
)
