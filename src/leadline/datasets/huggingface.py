"""Any Hugging Face dataset with a photo column and a depth column: saved to disk, Parquet files, or from the hub.

Depth may be an image (16-bit PNG, or 32-bit float TIFF as in ``sayakpaul/nyu_depth_v2``), a 2D array or nested lists. Floats
are metres unless another kind is said; the unit of integers must be said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.io.encodings import as_metres, encoding_of
from leadline.io.rasters import decode_plane, decode_rgb
from leadline.io.trees import Tree
from leadline.plugins.need import need
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["SPEC", "HuggingFace", "recognise"]

_PHOTOS = ("image", "rgb", "photo", "pixel_values", "color")
_DEPTHS = ("depth_map", "depth", "label", "depth_image", "labels")
_SPLITS = {"train": "train", "validation": "val", "val": "val", "test": "test"}

SPEC = DatasetSpec(
    name="huggingface",
    adapter="leadline.datasets.huggingface:HuggingFace",
    recognise="leadline.datasets.huggingface:recognise",
    summary="any Hugging Face dataset with a photo and a depth column (sayakpaul/nyu_depth_v2 and others)",
    licence="see the dataset's card",
    extra="huggingface",
    packages=("datasets",),
    layout="""dataset_info.json, *.arrow              as save_to_disk writes it
data/train-00000-of-00001.parquet       as the hub holds it
huggingface:sayakpaul/nyu_depth_v2      from the hub""",
    options=(
        DatasetOption("image", "Column of the photos; seen from the names unless said."),
        DatasetOption("depth", "Column of the depths; seen from the names unless said."),
        DatasetOption("encoding", "How metres are stored in integers: mm, tum, kitti …"),
        DatasetOption("split", "Which split of the dataset: train, validation, test."),
        DatasetOption("revision", "Commit or tag on the hub."),
    ),
    paper="https://huggingface.co/docs/datasets",
    remote=True,
)


def recognise(tree: Tree) -> str:
    """Says why a place is a Hugging Face dataset, or nothing."""
    name = tree.first("dataset_info.json", "dataset_dict.json", "*/dataset_info.json")
    if name and tree.first("**/*.arrow"):
        return f"{name} and .arrow files, as save_to_disk writes them"
    name = tree.first("**/*-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9].parquet")
    return f"{name}, as the hub holds it" if name and not tree.focus else ""


class HuggingFace:
    """A Hugging Face dataset.

    Args:
        tree: A folder that ``save_to_disk`` wrote or that holds Parquet files; or the name of one on the hub.
        image: Column of the photos.
        depth: Column of the depths.
        encoding: How metres are stored in integers.
        split: Which split; all of them where empty.
        revision: Commit or tag on the hub.

    Raises:
        DatasetError: It cannot be loaded, or has no such columns.
        UnknownName: No encoding has that name.
    """

    kind = Kind()

    def __init__(
        self,
        tree: Tree | str,
        *,
        image: str = "",
        depth: str = "",
        encoding: str = "",
        split: str = "",
        revision: str = "",
    ) -> None:
        if encoding:
            encoding_of(encoding)
        self.encoding = encoding
        self.place = str(tree.path) if isinstance(tree, Tree) else tree
        parts = _loaded(tree, revision)
        if split and split not in parts:
            raise DatasetError(f"{self.place!r} has no split {split!r}", hint=f"it has {', '.join(parts)}")
        chosen = {name: part for name, part in parts.items() if not split or name == split}
        names = next(iter(chosen.values())).column_names
        self.photo = _column(image, _PHOTOS, names, "image", self.place)
        self.depth = _column(depth, _DEPTHS, names, "depth", self.place)
        self.parts = {name: _undecoded(part, (self.photo, self.depth)) for name, part in chosen.items()}
        self.entries = tuple(
            Entry(f"{name}/{k}", split=_SPLITS.get(name, ""))
            for name, part in self.parts.items()
            for k in range(len(part))
        )

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Sample:
        """One sample.

        Args:
            index: Position in the order of entries.

        Returns:
            The sample; nothing is known of its camera.

        Raises:
            DatasetError: A picture is damaged, or holds integers whose unit is not said.
        """
        entry = self.entries[index]
        part, _, number = entry.id.rpartition("/")
        row = self.parts[part][int(number)]
        name = f"{self.place}#{entry.id}"
        rgb = decode_rgb(_encoded(row[self.photo], f"{name} ({self.photo})"), f"{name} ({self.photo})")
        camera = Camera.assumed(rgb.shape[1], rgb.shape[0])
        stored = _numbers(row[self.depth], f"{name} ({self.depth})")
        seen = camera.resized(stored.shape[1], stored.shape[0])
        truth = self._metres(stored, f"{name} ({self.depth})", seen)
        return Sample(entry.id, Image(rgb, camera, name), truth, entry.scene, entry.split)

    def _metres(self, stored: NDArray[Any], name: str, camera: Camera) -> DepthMap:
        if self.encoding:
            return as_metres(stored, encoding_of(self.encoding), camera=camera, name=name)
        if stored.dtype.kind != "f":
            raise DatasetError(
                f"{name!r} holds {stored.dtype} numbers whose unit is not said",
                hint="say --option encoding=mm, or another: 'leadline data info folder' lists them",
            )
        return DepthMap(stored.astype(np.float32), Kind(), camera=camera)


def _loaded(tree: Tree | str, revision: str) -> dict[str, Any]:
    """The splits by name. ``datasets`` raises many things; each is told as what it means here."""
    datasets = need("datasets", who="dataset 'huggingface'", extra="huggingface")
    place = str(tree.path) if isinstance(tree, Tree) else tree
    try:
        if isinstance(tree, Tree) and tree.first("**/*.arrow"):
            found = datasets.load_from_disk(place)
        elif isinstance(tree, Tree):
            found = datasets.load_dataset("parquet", data_files=_parquet_files(tree))
        else:
            found = datasets.load_dataset(place, revision=revision or None)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        where = "check the name and the network" if isinstance(tree, str) else "copy it again"
        raise DatasetError(f"{place!r} is no dataset that can be loaded ({told})", hint=where) from error
    return dict(found) if isinstance(found, dict) else {"train": found}


def _parquet_files(tree: Tree) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {}
    for name in tree.match("**/*.parquet"):
        files.setdefault(name.rpartition("/")[2].partition("-")[0], []).append(str(tree.local(name)))
    return files


def _column(said: str, usual: tuple[str, ...], names: list[str], what: str, place: str) -> str:
    column = said or next((name for name in usual if name in names), "")
    if column not in names:
        raise DatasetError(
            f"{place!r} has no column {said!r}" if said else f"no column of {place!r} looks like the {what}",
            hint=f"say --option {what}=NAME; there are {', '.join(names)}",
        )
    return column


def _undecoded(part: Any, columns: tuple[str, ...]) -> Any:
    """The part with its pictures as bytes, which are decoded here."""
    datasets = need("datasets", who="dataset 'huggingface'", extra="huggingface")
    for name in columns:
        if isinstance(part.features[name], datasets.Image):
            part = part.cast_column(name, datasets.Image(decode=False))
    return part.select_columns(list(dict.fromkeys(columns)))


def _encoded(cell: Any, name: str) -> bytes:
    if isinstance(cell, dict) and cell.get("bytes"):
        return bytes(cell["bytes"])
    if isinstance(cell, dict) and cell.get("path"):
        try:
            with open(cell["path"], "rb") as file:
                return file.read()
        except OSError as error:
            raise DatasetError(
                f"{name!r} cannot be read ({error})", hint="copy the files beside it"
            ) from error
    raise DatasetError(f"{name!r} holds no picture", hint="name the column that does")


def _numbers(cell: Any, name: str) -> NDArray[Any]:
    if isinstance(cell, dict):
        return decode_plane(_encoded(cell, name), name)
    array = np.asarray(cell)
    plane = array[0] if array.ndim == 3 and array.shape[0] == 1 else array
    if plane.ndim != 2 or plane.dtype.kind not in "fiu":
        raise DatasetError(
            f"{name!r} is no plane of numbers ({plane.dtype} {plane.shape})", hint="name another column"
        )
    return plane.astype(np.float32) if plane.dtype == np.float64 else plane
