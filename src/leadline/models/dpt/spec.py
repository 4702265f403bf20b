"""The records of the DPT and MiDaS 3.1 family."""

from __future__ import annotations

from leadline.core.kind import Freedom, Kind, Quantity
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = [
    "BEIT_BASE_384",
    "BEIT_LARGE_384",
    "BEIT_LARGE_512",
    "BEIT_TINY",
    "HYBRID_MIDAS",
    "HYBRID_TINY",
    "LARGE",
    "SWINV2_BASE_384",
    "SWINV2_LARGE_384",
    "SWINV2_TINY_256",
    "SWIN_TINY",
    "TINY",
]

# OpenVINO 2026.4 gets the cosine attention of Swin V2 wrong (by 7 % on random weights), so those run in torch.
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
    size_bytes: int = 0,
    revision: str = "",
) -> ModelSpec:
    return ModelSpec(
        name=name,
        kind=_KIND,
        summary=summary,
        weights=Weights(f"hf:{hub}", size_bytes=size_bytes, revision=revision),
        licence=licence,
        commercial=Commercial.YES,
        engines=("torch",) if "swin" in name else ("torch", "openvino"),
        paper=paper,
        good_for=good_for,
        step_up=step_up,
        scale_needs_focal=False,
        network="leadline.models.dpt.net:network",
        says_uncertainty=False,
        extra="transformers",
        packages=("torch", "torchvision", "transformers"),
    )


_FOR = "which is nearer, in any photo; not how far"
_MORE = "depth-anything-v2-small, which is smaller and sharper"

LARGE = _spec(
    "dpt-large",
    "Intel/dpt-large",
    "relative inverse depth (MiDaS 3.0), ViT-L, 344 M parameters",
    _FOR,
    _MORE,
    size_bytes=1_370_000_000,
    revision="bc15f29aa3a80d532f2ed650b5e16ac48d8958f9",
)
HYBRID_MIDAS = _spec(
    "dpt-hybrid-midas",
    "Intel/dpt-hybrid-midas",
    "relative inverse depth (MiDaS 3.0), ResNet-50 and ViT-B, 123 M parameters",
    _FOR,
    _MORE,
    size_bytes=490_000_000,
    revision="refs/pr/5",
)
BEIT_BASE_384 = _spec(
    "dpt-beit-base-384",
    "Intel/dpt-beit-base-384",
    "relative inverse depth (MiDaS 3.1), BEiT-B at 384 px",
    _FOR,
    _MORE,
    licence="MIT",
    paper=_PAPER_31,
    size_bytes=443_000_000,
    revision="37e4dfa1c4a009f5f00aef17211b0de098c79e7f",
)
BEIT_LARGE_384 = _spec(
    "dpt-beit-large-384",
    "Intel/dpt-beit-large-384",
    "relative inverse depth (MiDaS 3.1), BEiT-L at 384 px",
    _FOR,
    _MORE,
    licence="MIT",
    paper=_PAPER_31,
    size_bytes=1_370_000_000,
    revision="2f1cf99842f19a286657ec1eb8dc6120fa79ef69",
)
BEIT_LARGE_512 = _spec(
    "dpt-beit-large-512",
    "Intel/dpt-beit-large-512",
    "relative inverse depth (MiDaS 3.1), BEiT-L at 512 px, 345 M parameters, the best of MiDaS",
    _FOR,
    _MORE,
    licence="MIT",
    paper=_PAPER_31,
    size_bytes=1_380_000_000,
    revision="ead58c150f1fcebca5de8edc0fbc80a947572243",
)
SWINV2_TINY_256 = _spec(
    "dpt-swinv2-tiny-256",
    "Intel/dpt-swinv2-tiny-256",
    "relative inverse depth (MiDaS 3.1), Swin V2-T at 256 px, the smallest of MiDaS 3.1",
    _FOR,
    _MORE,
    licence="MIT",
    paper=_PAPER_31,
    size_bytes=164_000_000,
    revision="f7f350e1a10a5ea58671b68ab5f49dc18ec00483",
)
SWINV2_BASE_384 = _spec(
    "dpt-swinv2-base-384",
    "Intel/dpt-swinv2-base-384",
    "relative inverse depth (MiDaS 3.1), Swin V2-B at 384 px",
    _FOR,
    _MORE,
    licence="MIT",
    paper=_PAPER_31,
    size_bytes=405_000_000,
    revision="eeea6391bff1ac346bf260290c26cc9e0cd04b50",
)
SWINV2_LARGE_384 = _spec(
    "dpt-swinv2-large-384",
    "Intel/dpt-swinv2-large-384",
    "relative inverse depth (MiDaS 3.1), Swin V2-L at 384 px",
    _FOR,
    _MORE,
    licence="MIT",
    paper=_PAPER_31,
    size_bytes=848_000_000,
    revision="2563fd168a32ae8d8efb6de3c6fdd1f156c703d8",
)


def _tiny(name: str, backbone: str, function: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        kind=_KIND,
        summary=f"the DPT architecture{backbone}, very small, with random weights: for tests, its depth means nothing",
        weights=Weights(f"code:leadline.testing.tiny_dpt:{function}"),
        licence="Apache-2.0",
        commercial=Commercial.YES,
        engines=("torch",) if "swin" in name else ("torch", "openvino"),
        version="1",
        good_for="tests of everything around a model",
        scale_needs_focal=False,
        network="leadline.models.dpt.net:network",
        says_uncertainty=False,
        extra="transformers",
        packages=("torch", "torchvision", "transformers"),
    )


TINY = _tiny("dpt-tiny", "", "checkpoint")
HYBRID_TINY = _tiny("dpt-hybrid-tiny", " on a ResNet", "hybrid")
BEIT_TINY = _tiny("dpt-beit-tiny", " on a BEiT", "beit")
SWIN_TINY = _tiny("dpt-swin-tiny", " on a Swin V2", "swinv2")
