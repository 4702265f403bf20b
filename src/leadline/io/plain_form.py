"""leadline's own form of a dataset, sample by sample: how depth and photo become bytes, and bytes depth again.

Nothing is lost: depth is stored as 16-bit integers only where every value comes back bit for bit, else as 32-bit floats.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, InputError
from leadline.core.kind import Kind, Quantity
from leadline.core.sample import Sample
from leadline.io.arrays import array_of
from leadline.io.depth_formats.stored import floats
from leadline.io.rasters import decode_plane, decode_rgb

__all__ = [
    "FORM_VERSION",
    "HEADER",
    "MANIFEST",
    "Packed",
    "depth_of",
    "pack_depth",
    "pack_photo",
    "sample_of",
    "steps_per_unit",
]

FORM_VERSION = 1
HEADER, MANIFEST = "leadline.json", "manifest.jsonl"

_STEPS_PER_UNIT = (1000.0, 5000.0, 256.0, 100.0, 25.5)
_SKY = 65535
_FEWEST_STEPS, _MOST_STEPS = 1e-30, 1e30
"""Between them every integer over its step is positive and finite in float32."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Bytes of one file.

    Args:
        data: The bytes.
        suffix: The file's ending.
        steps_per_unit: For integers, how many steps a metre (or other unit) has; 0 for floats.
    """

    data: bytes
    suffix: str
    steps_per_unit: float = 0.0


def pack_depth(depth: DepthMap, *, form: str = "npy") -> Packed:
    """Depth as the bytes of an .npy or PNG file.

    Convention:
        Integers: uint16, value = stored / steps_per_unit, 0 unknown, 65535 sky. Floats: float32, NaN unknown, +inf sky.

    Args:
        depth: The map.
        form: ``"npy"``, quickest to read, or ``"png"``, smallest; PNG holds integers only, so floats stay .npy.

    Returns:
        The bytes, from which ``depth_of`` makes the same map bit for bit.
    """
    for steps in _STEPS_PER_UNIT:
        stored = _as_integers(depth, steps)
        if stored is not None:
            return Packed(_png(stored) if form == "png" else _npy(stored), f".{form}", steps)
    return Packed(_npy(floats(depth)), ".npy")


def steps_per_unit(depth: DepthMap) -> float:
    """How many steps a metre (or other unit) has of which every value is a whole number, 1 to 65534, to the last bit.

    Args:
        depth: The map.

    Returns:
        The steps of the first of the usual encodings that holds the map exactly; 0 where none does.

    Example:
        >>> steps_per_unit(DepthMap(np.array([[1.5, 2.001]]), Kind()))
        1000.0
    """
    return next((steps for steps in _STEPS_PER_UNIT if _as_integers(depth, steps) is not None), 0.0)


def depth_of(
    data: bytes,
    name: str,
    *,
    kind: Kind,
    steps_per_unit: float,
    camera: Camera | None,
    scale_uncertain: bool,
) -> DepthMap:
    """The map that ``pack_depth`` packed.

    Args:
        data: The file's bytes.
        name: What to call it in messages.
        kind: What its values mean.
        steps_per_unit: As packed.
        camera: Who saw it.
        scale_uncertain: Whether its metre rests on an assumed focal length.

    Returns:
        The map.

    Raises:
        DatasetError: The bytes are no such file.
    """
    stored = decode_plane(data, name) if data[:4] == b"\x89PNG" else array_of(data, name)
    if stored.ndim != 2 or stored.dtype not in (np.uint16, np.float32):
        raise DatasetError(
            f"{name!r} holds {stored.dtype} {stored.shape}, not depth", hint="convert the set again"
        )
    if camera is not None and (camera.height, camera.width) != stored.shape:
        raise DatasetError(
            f"{name!r} is {stored.shape[1]}x{stored.shape[0]}, its camera {camera.width}x{camera.height}",
            hint="convert the set again",
        )
    if stored.dtype == np.uint16:
        if not _FEWEST_STEPS <= steps_per_unit <= _MOST_STEPS:
            raise DatasetError(f"{name!r} holds integers of no known step", hint="convert the set again")
        infinite = stored == _SKY
        return DepthMap.settled(
            _values_of(stored, infinite, steps_per_unit, kind),
            kind,
            valid=(stored != 0) & ~infinite,
            infinite=infinite,
            camera=camera,
            scale_uncertain=scale_uncertain,
        )
    values = np.array(stored)
    infinite, unknown = np.isposinf(values), np.isnan(values)
    valid = ~(unknown | infinite)
    values[unknown] = np.nan
    values[infinite] = np.inf if kind.quantity is Quantity.DEPTH else 0.0
    for array in (values, valid, infinite):
        array.flags.writeable = False
    return DepthMap(values, kind, valid, infinite, camera, scale_uncertain)


def _values_of(
    stored: NDArray[np.uint16], infinite: NDArray[np.bool_], steps_per_unit: float, kind: Kind
) -> NDArray[np.float32]:
    """Values of integers; 0 / 0 makes the NaN of unknown pixels, four times as fast as a masked copy."""
    values = stored.astype(np.float32)
    with np.errstate(invalid="ignore"):
        known = values / values
    values /= np.float32(steps_per_unit)
    values *= known
    np.abs(values, out=values)  # some processors make that NaN a negative one
    if bool(infinite.any()):
        values[infinite] = np.inf if kind.quantity is Quantity.DEPTH else 0.0
    return values


def pack_photo(rgb_HW3: NDArray[np.uint8], original: bytes, *, form: str = "keep") -> Packed:
    """A photo as the bytes of a file.

    Args:
        rgb_HW3: Its pixels.
        original: The file it came from; empty where there is none.
        form: ``"keep"`` takes the original bytes where they decode to these very pixels, else PNG; ``"png"``; or
            ``"jpeg"``, which loses a little (quality 95, no chroma subsampling).

    Returns:
        The bytes.
    """
    if form == "keep":
        suffix = {b"\xff\xd8\xff": ".jpg", b"\x89PN": ".png"}.get(original[:3], "")
        if suffix and np.array_equal(decode_rgb(original, "the photo"), rgb_HW3):
            return Packed(original, suffix)
    from PIL import Image

    stream = io.BytesIO()
    if form == "jpeg":
        Image.fromarray(rgb_HW3).save(stream, "JPEG", quality=95, subsampling=0)
        return Packed(stream.getvalue(), ".jpg")
    Image.fromarray(rgb_HW3).save(stream, "PNG", compress_level=1)
    return Packed(stream.getvalue(), ".png")


def sample_of(sample: Sample) -> dict[str, Any]:
    """What a manifest's line says of a sample beyond its files.

    Args:
        sample: The sample.

    Returns:
        Plain JSON values.
    """
    pose, seen = sample.T_world_camera, sample.truth.camera
    return {
        "id": sample.id,
        "scene": sample.scene,
        "split": sample.split,
        "camera": sample.image.camera.to_dict(),
        "depth_camera": None if seen is None else seen.to_dict(),
        "scale_uncertain": sample.truth.scale_uncertain,
        "T_world_camera": None if pose is None else np.asarray(pose, np.float64).tolist(),
    }


def _as_integers(depth: DepthMap, steps: float) -> NDArray[np.uint16] | None:
    """The stored integers, or None where a value would not come back as it is."""
    known = depth.values[depth.valid]
    with np.errstate(over="ignore"):
        numbers = np.rint(known * np.float64(steps))
    if numbers.size and not (float(numbers.min()) >= 1 and float(numbers.max()) < _SKY):
        return None
    if not np.array_equal(numbers.astype(np.float32) / np.float32(steps), known):
        return None
    stored = np.zeros(depth.shape, np.uint16)
    stored[depth.valid] = numbers.astype(np.uint16)
    stored[depth.infinite] = _SKY
    return stored


def _npy(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def _png(array: NDArray[np.uint16]) -> bytes:
    from PIL import Image

    if array.dtype != np.uint16:
        raise InputError(f"{array.dtype} numbers are not what a 16-bit PNG holds", hint="store them as .npy")
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG", compress_level=6)
    return stream.getvalue()
