"""Checkpoints on the Hugging Face hub: a folder of files, fetched once, resumed, checked."""

from __future__ import annotations

from pathlib import Path

from leadline.core.errors import WeightsError
from leadline.plugins.specs import Weights

__all__ = ["fetch_checkpoint", "resolved_revision"]


def fetch_checkpoint(weights: Weights, *, name: str, folder: Path, bar: bool) -> Path:
    """Fetches a checkpoint."""
    raise WeightsError(f"{weights.source!r} cannot be fetched yet for {name!r}", hint="use a local folder")


def resolved_revision(path: Path) -> str:
    """The commit a fetched checkpoint is of; empty for other folders."""
    return ""
