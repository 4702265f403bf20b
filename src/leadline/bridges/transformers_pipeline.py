"""transformers' own depth-estimation pipeline, as people use it: what leadline is timed against."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from leadline.core.errors import EngineError
from leadline.plugins.need import need
from leadline.plugins.registry import load

__all__ = ["DepthPipeline"]

_DARKEST, _BRIGHTEST = 0.0, 65535.0


class DepthPipeline:
    """``pipeline("depth-estimation")`` over a checkpoint's folder, in float32, with a plain loop around it.

    Args:
        checkpoint: The folder.
        threads: CPU threads of torch; 0 for one a physical core.
        device: ``"auto"`` (a GPU where there is one), ``"cpu"``, ``"cuda"`` and so on.

    Raises:
        EngineError: It is no checkpoint of transformers, or the pipeline cannot run it.
        MissingExtra: transformers or torch is not installed.
    """

    def __init__(self, checkpoint: Path, *, threads: int = 0, device: str = "auto") -> None:
        if not (checkpoint / "config.json").is_file():
            raise EngineError(
                "its weights are no checkpoint of transformers, so there is no pipeline to pair it with"
            )
        torch = need("torch", who="transformers' pipeline", extra="torch")
        transformers = need("transformers", who="transformers' pipeline", extra="transformers")
        torch.set_num_threads(threads or load("leadline.engines.threads:physical_cores")())
        where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        try:
            self._pipeline = transformers.pipeline(
                "depth-estimation", model=str(checkpoint), device=where, dtype=torch.float32
            )
        except (ValueError, OSError, RuntimeError, KeyError) as error:
            raise EngineError(
                f"transformers' pipeline cannot run it: {str(error).splitlines()[0]}"
            ) from error
        self.remarks: tuple[str, ...] = ()
        self.ran = f"transformers {transformers.__version__} pipeline ({where})"

    def show(self, photos: Sequence[Path]) -> float:
        """Seconds it takes for photos that are decoded already, one after the other.

        Args:
            photos: The files.

        Returns:
            Seconds for all.
        """
        pictures = [_opened(photo) for photo in photos]
        start_s = time.perf_counter()
        for picture in pictures:
            self._pipeline(picture)["predicted_depth"].cpu()
        return time.perf_counter() - start_s

    def write(self, photos: Sequence[Path], out: Path) -> float:
        """Seconds from photo files to 16-bit PNG files, by the loop of a short script.

        Args:
            photos: The files.
            out: A folder that is there.

        Returns:
            Seconds for all.
        """
        from PIL import Image

        start_s = time.perf_counter()
        for photo in photos:
            depth = self._pipeline(_opened(photo))["predicted_depth"].cpu().numpy()
            Image.fromarray(_sixteen_bits(depth)).save(out / f"{photo.stem}.png")
        return time.perf_counter() - start_s


def _opened(photo: Path) -> Any:
    from PIL import Image

    with Image.open(photo) as picture:
        return picture.convert("RGB")


def _sixteen_bits(depth: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The values stretched to 16 bits, as such scripts do."""
    low, high = float(depth.min()), float(depth.max())
    share = (depth - low) / ((high - low) or 1.0)
    return np.asarray(share * (_BRIGHTEST - _DARKEST), np.uint16)
