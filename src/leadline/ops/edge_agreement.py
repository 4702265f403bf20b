"""Whether a photo and a depth map see the same view: how well their edges fall on each other.

Where depth jumps, a photo mostly changes too. The correlation of the two edge pictures is small but steady, larger as the
pair lies than mirrored or turned, and largest where the two are registered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Quantity

__all__ = ["Edges", "Placement", "agreement", "edges_of", "placements"]

_WIDTH = 160
_FEWEST = 500
_KERNEL = np.array([1, 2, 3, 2, 1]) / 9.0
_SCALES = (0.84, 0.87, 0.89, 0.91, 0.94, 0.97, 1.0, 1.03, 1.06, 1.1, 1.14)
_ACROSS, _DOWN = 8, 6


@dataclass(frozen=True, eq=False)
class Edges:
    """Edge strength of a photo and of its depth at one small size.

    Args:
        photo_HW: Change of brightness, blurred.
        depth_HW: Relative change of inverse depth; 0 where unknown.
        known_HW: Where the latter is known.
        factor: Pixels of the photo in one of these.
    """

    photo_HW: NDArray[np.float64]
    depth_HW: NDArray[np.float64]
    known_HW: NDArray[np.bool_]
    factor: float

    @property
    def enough(self) -> bool:
        """Whether so much depth is known that edges can be compared."""
        return int(self.known_HW.sum()) >= _FEWEST


@dataclass(frozen=True, slots=True)
class Placement:
    """Where depth would have to be for its edges to fall on the photo's best.

    Args:
        scale: Size of depth relative to what it is.
        right_px: Shift to the right in pixels of the photo.
        down_px: Shift downward.
        best: Correlation there.
        here: Correlation where it is.
        inside: Whether the best place lies within what was searched, and not at its border.
    """

    scale: float
    right_px: float
    down_px: float
    best: float
    here: float
    inside: bool


def edges_of(image: Image, depth: DepthMap) -> Edges:
    """Edges of a photo and of its depth.

    Args:
        image: The photo.
        depth: Its depth, of any size and kind.

    Returns:
        Both at 160 pixels of width.
    """
    from PIL import Image as PilImage

    height = max(8, round(_WIDTH * image.height / image.width))
    grey = PilImage.fromarray(image.rgb_HW3).convert("L").resize((_WIDTH, height), PilImage.Resampling.BOX)
    rise, run = np.gradient(np.asarray(grey, np.float64))
    photo = np.hypot(run, rise)
    photo = np.minimum(photo, np.quantile(photo, 0.95) + 1e-6)
    inverse = np.where(depth.valid, depth.values, np.float32(1.0))
    if depth.kind.quantity is Quantity.DEPTH:
        inverse = 1 / np.maximum(inverse, 1e-6)
    share = _small(depth.valid.astype(np.float32), height)
    mean = _small(np.where(depth.valid, inverse, 0).astype(np.float32), height) / np.maximum(share, 1e-6)
    mean = np.where(share > 0.6, mean, np.nan)
    rise, run = np.gradient(mean)
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.hypot(run, rise) / np.abs(mean)
    known = np.isfinite(change)
    return Edges(
        _blurred(photo),
        np.where(known, np.minimum(np.nan_to_num(change), 0.15), 0.0),
        known,
        image.width / _WIDTH,
    )


def agreement(edges: Edges) -> dict[str, float]:
    """Correlation of the edges as the pair lies, and with the photo mirrored or turned.

    Args:
        edges: The pair's edges.

    Returns:
        By ``"as it is"``, ``"mirrored"``, ``"upside down"`` and ``"turned by 180"``; NaN where too little is known.
    """
    photo = edges.photo_HW
    views = {
        "as it is": photo,
        "mirrored": photo[:, ::-1],
        "upside down": photo[::-1],
        "turned by 180": photo[::-1, ::-1],
    }
    return {name: _correlation(view, edges.depth_HW, edges.known_HW) for name, view in views.items()}


def placements(pairs: list[Edges]) -> Placement | None:
    """The common placement of several pairs of one set that makes their edges agree best.

    Args:
        pairs: Their edges.

    Returns:
        It, or None where too little is known.
    """
    volumes = [_volume(edges) for edges in pairs if edges.enough]
    volumes = [volume for volume in volumes if bool(np.isfinite(volume).any())]
    if not volumes:
        return None
    tallest = min(volume.shape for volume in volumes)
    mean = np.mean([volume for volume in volumes if volume.shape == tallest], 0)
    mean = np.where(np.isfinite(mean), mean, -1.0)
    k, i, j = (int(at) for at in np.unravel_index(int(np.argmax(mean)), mean.shape))
    inside = 0 < k < len(_SCALES) - 1 and 0 < i < 2 * _DOWN and 0 < j < 2 * _ACROSS
    factor = float(np.median([edges.factor for edges in pairs]))
    here = float(mean[_SCALES.index(1.0), _DOWN, _ACROSS])
    return Placement(
        _SCALES[k], (j - _ACROSS) * factor, (i - _DOWN) * factor, float(mean[k, i, j]), here, inside
    )


def _small(plane: NDArray[np.float32], height: int) -> NDArray[np.float64]:
    from PIL import Image as PilImage

    resized = PilImage.fromarray(plane).resize((_WIDTH, height), PilImage.Resampling.BOX)
    return np.asarray(resized, np.float64)


def _blurred(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(plane, 2)
    rows = sum(weight * padded[k : k + plane.shape[0]] for k, weight in enumerate(_KERNEL))
    return np.asarray(sum(weight * rows[:, k : k + plane.shape[1]] for k, weight in enumerate(_KERNEL)))


def _correlation(photo: NDArray[np.float64], depth: NDArray[np.float64], known: NDArray[np.bool_]) -> float:
    if int(known.sum()) < _FEWEST:
        return float("nan")
    a, b = photo[known], depth[known]
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) + 1e-12))


def _volume(edges: Edges) -> NDArray[np.float64]:
    """Correlation for every scale of depth and every shift, the shifts all at once through the Fourier transform."""
    shape = height, width = edges.photo_HW.shape
    down = min(_DOWN, height // 6)
    found = np.full((len(_SCALES), 2 * _DOWN + 1, 2 * _ACROSS + 1), np.nan)
    inner = np.zeros(shape)
    inner[down : height - down, _ACROSS : width - _ACROSS] = 1.0
    photo, squared = np.fft.rfft2(edges.photo_HW), np.fft.rfft2(edges.photo_HW**2)
    rows, columns = np.arange(-down, down + 1), np.arange(-_ACROSS, _ACROSS + 1)
    for k, scale in enumerate(_SCALES):
        known = _scaled(edges.known_HW.astype(np.float64), scale) * inner
        count = known.sum()
        if count < _FEWEST:
            continue
        depth = _scaled(edges.depth_HW, scale) * known
        depth = (depth - depth.sum() / count) * known
        at_depth, at_known = np.conj(np.fft.rfft2(depth)), np.conj(np.fft.rfft2(known))
        shared, total, power = (
            np.fft.irfft2(product, shape)[np.ix_(rows, columns)]
            for product in (photo * at_depth, photo * at_known, squared * at_known)
        )
        spread = np.maximum(power - total**2 / count, 1e-12) * max(float((depth**2).sum()), 1e-12)
        found[k, _DOWN - down : _DOWN + down + 1] = shared / np.sqrt(spread)
    return found


def _scaled(plane: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """The plane larger or smaller about its middle, nothing beyond its border."""
    height, width = plane.shape
    rows = np.rint((np.arange(height) - (height - 1) / 2) / scale + (height - 1) / 2).astype(int)
    columns = np.rint((np.arange(width) - (width - 1) / 2) / scale + (width - 1) / 2).astype(int)
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))[None]
    taken = plane[np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)[None]]
    return np.where(inside, taken, 0.0)
