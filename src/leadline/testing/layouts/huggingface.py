"""A Hugging Face dataset saved to disk, with the columns of sayakpaul/nyu_depth_v2."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from leadline.core.camera import Camera
from leadline.plugins.need import need
from leadline.testing.layouts.pairs import pairs

__all__ = ["CAMERA", "rows", "write", "write_parquet"]

CAMERA = Camera.assumed(64, 48)
Place = tuple[str, dict[str, str | int | float]]


def rows() -> dict[str, list[Any]]:
    """Columns ``image`` (PNG) and ``depth_map`` (32-bit float TIFF, metres), encoded."""
    from PIL import Image

    columns: dict[str, list[Any]] = {"image": [], "depth_map": []}
    for rgb, depth in pairs(CAMERA):
        for name, form, array in (("image", "PNG", rgb), ("depth_map", "TIFF", depth.values)):
            stream = io.BytesIO()
            Image.fromarray(array).save(stream, form)
            columns[name].append({"bytes": stream.getvalue(), "path": None})
    return columns


def _dataset() -> Any:
    datasets = need("datasets", who="this layout", extra="huggingface")
    features = datasets.Features({"image": datasets.Image(), "depth_map": datasets.Image()})
    return datasets.Dataset.from_dict(rows(), features=features)


def write(folder: Path) -> Place:
    """As ``save_to_disk`` writes it.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    _dataset().save_to_disk(str(folder / "saved"))
    return str(folder / "saved"), {}


def write_parquet(folder: Path) -> Place:
    """As the hub holds it: Parquet files named by split.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    (folder / "data").mkdir(parents=True)
    for split in ("train", "validation"):
        _dataset().to_parquet(str(folder / f"data/{split}-00000-of-00001.parquet"))
    return str(folder), {}
