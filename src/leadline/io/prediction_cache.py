"""Predictions kept between runs, known by who made them and of what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np

from leadline.core.depth_map import DepthMap
from leadline.core.errors import LeadlineError
from leadline.core.image import Image
from leadline.core.results import ModelRecord
from leadline.io.depth_files import read_depth, write_depth
from leadline.io.weights import cache_folder

__all__ = ["PredictionCache", "predictions_folder", "prune"]


def predictions_folder() -> Path:
    """Where predictions are kept unless another place is said: beside the cache of weights."""
    return cache_folder().parent / "predictions"


class PredictionCache:
    """A folder of depth maps, exact to the bit, that is kept below a size.

    A map is found again by the model's record (name, version, weights, engine), its choices, the photo's pixels and its
    camera: whatever changes a number changes the key.

    Args:
        folder: Where they are kept; made when the first one is.
        model: Who predicts.
        choices: What else decides its numbers: inputs, looks, processing.
        limit_bytes: Most bytes that are kept; the oldest go, every so often while more are put.
    """

    def __init__(
        self, folder: Path, model: ModelRecord, *, choices: Mapping[str, str], limit_bytes: int = 10**10
    ) -> None:
        self._folder, self._limit, self._new = folder, limit_bytes, 0
        self._maker = json.dumps([asdict(model), sorted(choices.items())], sort_keys=True).encode()

    def key(self, image: Image) -> str:
        """What a photo's prediction is known by.

        Args:
            image: The photo.

        Returns:
            SHA-256, hexadecimal.
        """
        digest = hashlib.sha256(self._maker)
        digest.update(json.dumps([image.rgb_HW3.shape, image.camera.to_dict()], sort_keys=True).encode())
        digest.update(np.ascontiguousarray(image.rgb_HW3).data)
        return digest.hexdigest()

    def get(self, key: str) -> DepthMap | None:
        """A prediction that was kept.

        Args:
            key: As ``key`` gives it.

        Returns:
            The map; None where there is none, or it is damaged, in which case it is removed.
        """
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            depth, _ = read_depth(path)
        except LeadlineError:
            path.unlink(missing_ok=True)
            return None
        return depth

    def put(self, key: str, depth: DepthMap) -> None:
        """Keeps a prediction.

        Args:
            key: As ``key`` gives it.
            depth: The map.

        Raises:
            OutputError: It cannot be written.
        """
        path = self._path(key)
        write_depth(path, depth)
        self._new += path.stat().st_size
        if self._new > self._limit // 16:
            self._new = 0
            prune(self._folder, limit_bytes=self._limit)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.npz"


def prune(folder: Path, *, limit_bytes: int) -> int:
    """Removes the predictions that were made longest ago, until the rest is within a size.

    Args:
        folder: A cache's folder.
        limit_bytes: Most bytes that stay.

    Returns:
        Bytes that were removed.
    """
    files = sorted(_ages(folder))
    left, removed = sum(size for _, size, _ in files), 0
    for _, size, path in files:
        if left - removed <= limit_bytes:
            break
        path.unlink(missing_ok=True)
        removed += size
    return removed


def _ages(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """Time and size of every prediction; one that another process just removed is none."""
    for path in folder.glob("??/*.npz"):
        with suppress(FileNotFoundError):
            stat = path.stat()
            yield stat.st_mtime_ns, stat.st_size, path
