"""What must be known of a model's weights before they are fetched: how much it is, and what it may be used for."""

from __future__ import annotations

from leadline.io.weights import cached
from leadline.plugins.specs import ModelSpec, Weights

__all__ = ["fetched", "is_here", "size_words", "terms"]

_TRAVEL = ("http", "https", "hf")


def fetched() -> set[str]:
    """The models and ``hf:ORG/NAME``s whose weights the cache holds whole."""
    return {entry.name for entry in cached() if entry.complete}


def is_here(spec: ModelSpec, *, whole: set[str] | None = None) -> bool:
    """Whether a model's weights are on this machine, or need not be.

    Args:
        spec: The model.
        whole: What ``fetched`` gave, where that is known already.

    Returns:
        False where opening the model would fetch them, or where they stay elsewhere.
    """
    if spec.weights.scheme == "remote":
        return False
    there = fetched() if whole is None else whole
    return spec.weights.scheme not in _TRAVEL or bool({spec.name, spec.weights.source} & there)


def size_words(weights: Weights) -> str:
    """How large weights are, in words.

    Args:
        weights: The record.

    Returns:
        ``"6.3 MB"``; ``"about 1.37 GB"`` of a checkpoint of the hub, whose pages round; empty where it is not known.

    Example:
        >>> size_words(Weights("hf:org/net", size_bytes=1_370_000_000))
        'about 1.37 GB'
    """
    size = weights.size_bytes
    if not size:
        return ""
    number, unit = (size / 1e9, "GB") if size >= 1e9 else (size / 1e6, "MB")
    if weights.scheme == "hf":
        return f"about {number:.3g} {unit}"
    return f"{number:.2f} {unit}" if unit == "GB" else f"{number:.1f} {unit}"


def terms(spec: ModelSpec) -> str:
    """The line that is said before weights are fetched.

    Args:
        spec: The model.

    Returns:
        Name, size, licence, whether it may be used commercially, and whether its terms must be accepted first.

    Example:
        >>> from leadline.plugins.registry import MODELS
        >>> terms(MODELS.get("depth-anything-v2-large"))
        'depth-anything-v2-large: about 1.34 GB; licence: CC BY-NC 4.0; commercial use: no'
    """
    parts = [
        size_words(spec.weights) or "of unknown size",
        f"licence: {spec.licence}",
        f"commercial use: {spec.commercial.value}",
    ]
    if spec.weights.gated:
        page = spec.weights.source.partition(":")[2]
        parts.append(f"gated: accept its terms at https://huggingface.co/{page} first, and set HF_TOKEN")
    return f"{spec.name}: {'; '.join(parts)}"
