"""Hugging Face ``datasets``: any dataset as one of theirs, and their guide's own way of feeding, ``set_transform``."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from leadline.bridges.tensors import Augment, Form, fill_sample
from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, InputError, KindError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Sample
from leadline.io.encodings import as_metres, encoding_of
from leadline.plugins.need import need
from leadline.plugins.ports import Dataset

__all__ = ["OnTheFly", "on_the_fly", "to_hf"]

_WHO = "a Hugging Face dataset"
_MM_MAX = 65534


def to_hf(
    dataset: Dataset, *, depth: Literal["float", "16bit-mm"] = "float", cache: str | Path | None = None
) -> Any:
    """A dataset as a ``datasets.Dataset``.

    Its columns: ``id``, ``scene``, ``split``, ``image`` (PNG), ``depth_map`` (an image too), ``kind``, ``encoding`` (of
    the depth's numbers), and ``camera`` (the photo's: fx, fy, cx, cy, width, height, origin). Samples are read and
    written one by one into the cache of ``datasets``, so that memory stays small; what is there already is used again,
    unless a file has changed since.

    Convention:
        ``"float"``: the values themselves, 32-bit TIFF, NaN where unknown, inf for sky: nothing is lost.
        ``"16bit-mm"``: whole millimetres, 16-bit PNG, 0 where unknown, as most published sets have it.

    Args:
        dataset: Where the samples are from.
        depth: How depth is stored.
        cache: Folder for what is written; the user's own cache of ``datasets`` where None.

    Returns:
        The ``datasets.Dataset``.

    Raises:
        MissingExtra: ``datasets`` is not installed.
        InputError: ``depth`` is another word.
        KindError: Millimetres are asked for of what is not metric depth along the axis.
        DatasetError: A sample cannot be read.
    """
    datasets = need("datasets", who=_WHO, extra="huggingface")
    if depth not in ("float", "16bit-mm"):
        raise InputError(f"depth = {depth!r} is not float or 16bit-mm", hint="choose one")
    if depth == "16bit-mm" and dataset.kind != Kind():
        raise KindError(f"{dataset.kind.words} cannot be stored in millimetres", hint="use depth='float'")
    text, whole, real = (datasets.Value(name) for name in ("string", "int32", "float64"))
    lens = {**dict.fromkeys(("fx", "fy", "cx", "cy"), real), "width": whole, "height": whole, "origin": text}
    features = datasets.Features(
        {
            **dict.fromkeys(("id", "scene", "split", "kind", "encoding"), text),
            "image": datasets.Image(mode="RGB"),
            "depth_map": datasets.Image(mode="F" if depth == "float" else "I;16"),
            "camera": lens,
        }
    )
    try:
        return datasets.Dataset.from_generator(
            _rows,
            features=features,
            cache_dir=None if cache is None else str(cache),
            gen_kwargs={"dataset": dataset, "depth": depth, "stamp": _stamp(dataset)},
        )
    except datasets.exceptions.DatasetGenerationError as error:
        if isinstance(error.__cause__, (DatasetError, InputError)):
            raise error.__cause__ from error
        raise


def on_the_fly(
    *,
    augmentation: Augment | None = None,
    form: Form | None = None,
    image: str = "image",
    depth: str = "depth_map",
    kind: str = "metric-depth",
    encoding: str = "",
    columns: Literal["all", "tensors"] = "all",
) -> OnTheFly:
    """A function for ``ds.set_transform(...)``, after the Hugging Face guide: it adds ``pixel_values`` and ``labels``.

    Args:
        augmentation: What changes the samples; nothing where None.
        form: The form of the arrays.
        image: Column of photos.
        depth: Column of depth, images of one channel.
        kind: What the numbers mean, where no column ``kind`` says it.
        encoding: How metric depth is stored (``"mm"``, ``"kitti"`` …), where no column ``encoding`` says it; empty
            where the numbers are the values themselves.
        columns: ``"all"`` keeps the other columns, ``"tensors"`` gives what a network is fed and the ids, as a
            ``DataLoader`` can batch it.

    Returns:
        The function.

    Raises:
        InputError: A word is another, or no kind has that name.
        UnknownName: There is no such encoding.
    """
    return OnTheFly(augmentation, form or Form(), (image, depth), Kind.parse(kind), encoding, columns)


class OnTheFly:
    """What ``on_the_fly`` makes. ``epoch`` says which draws an augmentation makes: set it before each pass.

    Args:
        augmentation: What changes the samples.
        form: The form of the arrays.
        names: Columns of photos and of depth.
        kind: What the numbers mean.
        encoding: How they are stored.
        columns: What is given.
    """

    def __init__(
        self,
        augmentation: Augment | None,
        form: Form,
        names: tuple[str, str],
        kind: Kind,
        encoding: str,
        columns: Literal["all", "tensors"],
    ) -> None:
        if columns not in ("all", "tensors"):
            raise InputError(f"columns = {columns!r} is not all or tensors", hint="choose one")
        if encoding:
            encoding_of(encoding)
        self.augmentation, self.form, self.names = augmentation, form, names
        self.kind, self.encoding, self.columns = kind, encoding, columns
        self.epoch = 0

    def __call__(self, examples: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Adds arrays to a batch of rows.

        Args:
            examples: Columns of a few rows.

        Returns:
            The columns and ``pixel_values``, ``labels``, ``valid`` and ``id``, lists of one array a row.

        Raises:
            DatasetError: A column is missing, or holds no images.
        """
        for name in self.names:
            if name not in examples:
                raise DatasetError(
                    f"there is no column {name!r}",
                    hint=f"name one of {', '.join(examples)} with image= and depth=",
                )
        added: dict[str, list[Any]] = {name: [] for name in ("pixel_values", "labels", "valid", "id")}
        for row in range(len(examples[self.names[0]])):
            sample = self._sample({name: column[row] for name, column in examples.items()})
            if self.augmentation is not None:
                sample = self.augmentation(sample, epoch=self.epoch)
            for name, value in self._arrays(sample).items():
                added[name].append(value)
        return {**examples, **added} if self.columns == "all" else added

    def _sample(self, row: Mapping[str, Any]) -> Sample:
        photo, stored = (_array(row[name], name) for name in self.names)
        if photo.ndim == 2:
            photo = np.repeat(photo[..., None], 3, -1)
        rgb = np.ascontiguousarray(photo[..., :3], np.uint8)
        lens = row.get("camera")
        camera = Camera.from_dict(lens) if lens else Camera.assumed(rgb.shape[1], rgb.shape[0])
        seen = camera.resized(stored.shape[1], stored.shape[0]) if lens else None
        kind, encoding = (
            Kind.parse(row["kind"]) if row.get("kind") else self.kind,
            row.get("encoding", self.encoding),
        )
        if encoding:
            truth = as_metres(stored, encoding_of(encoding), camera=seen, name=self.names[1])
        else:
            truth = DepthMap(stored, kind, camera=seen)
        return Sample(str(row.get("id") or f"{zlib.crc32(rgb.data):08x}"), Image(rgb, camera), truth)

    def _arrays(self, sample: Sample) -> dict[str, Any]:
        height, width = sample.image.height, sample.image.width
        pixels = np.empty((3, height, width), self.form.pixels)
        labels, valid = np.empty(sample.truth.shape, np.float32), np.empty(sample.truth.shape, bool)
        fill_sample(sample, (pixels, labels, valid), form=self.form)
        return {"pixel_values": pixels, "labels": labels, "valid": valid, "id": sample.id}


def _rows(dataset: Dataset, depth: str, stamp: str) -> Iterator[dict[str, Any]]:
    del stamp  # is there to be hashed: rows that were written from other files are not used again
    for index in range(len(dataset)):
        sample = dataset[index]
        yield {
            "id": sample.id,
            "scene": sample.scene,
            "split": sample.split,
            "kind": str(sample.truth.kind),
            "encoding": "" if depth == "float" else "mm",
            "image": _encoded(sample.image.rgb_HW3, "PNG"),
            "depth_map": _encoded(sample.truth.values, "TIFF")
            if depth == "float"
            else _encoded(_millimetres(sample.truth), "PNG"),
            "camera": sample.image.camera.to_dict(),
        }


def _encoded(array: NDArray[Any], form: str) -> dict[str, Any]:
    stream = io.BytesIO()
    PilImage.fromarray(array).save(stream, form, **({"compress_level": 1} if form == "PNG" else {}))
    return {"bytes": stream.getvalue(), "path": None}


def _millimetres(truth: DepthMap) -> NDArray[np.uint16]:
    mm = np.zeros(truth.shape, np.uint16)
    mm[truth.valid] = np.clip(np.rint(truth.values[truth.valid].astype(np.float64) * 1000), 1, _MM_MAX)
    return mm


def _stamp(dataset: Any) -> str:
    """Sizes and times of the files that samples are read from, where the dataset says which they are."""
    inner = getattr(dataset, "dataset", dataset)
    tree = getattr(inner, "tree", None)
    if tree is None:
        return ""
    names = sorted({name for entry in dataset.entries for name in entry.files})
    return blake2b(
        repr([tree.stamp(name) for name in names if name in tree]).encode(), digest_size=16
    ).hexdigest()


def _array(value: Any, name: str) -> NDArray[Any]:
    if isinstance(value, PilImage.Image):
        if value.mode not in ("RGB", "L", "F", "I;16", "I"):
            value = value.convert("RGB")
        return np.asarray(value)
    if isinstance(value, np.ndarray):
        return value
    raise DatasetError(
        f"column {name!r} holds {type(value).__name__}, not images",
        hint="cast it: ds.cast_column(name, datasets.Image())",
    )
