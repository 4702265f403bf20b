"""leadline's own form of a dataset: a plain folder, or tar shards, with one manifest; see docs/data_form.md."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import numpy as np

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError, InputError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames
from leadline.io.plain_form import FORM_VERSION, HEADER, MANIFEST, depth_of
from leadline.io.rasters import decode_rgb
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["SPEC", "Leadline", "recognise"]

SPEC = DatasetSpec(
    name="leadline",
    adapter="leadline.datasets.leadline:Leadline",
    recognise="leadline.datasets.leadline:recognise",
    summary="what 'leadline data convert' writes: a plain folder or tar shards, with one manifest",
    layout="""leadline.json                     what it is: kind, source, form
manifest.jsonl                    a line a sample: id, scene, split, files, cameras, checksums
photos/000000.jpg, depth/000000.npy       form folder
shard-000000.tar                          form shards: 000000.jpg, 000000.depth.npy, 000000.json""",
    options=(
        DatasetOption("verify", "Check every file's SHA-256 when it is read.", "none", ("none", "sha256")),
    ),
)


def recognise(tree: Tree) -> str:
    """Says why a place is in this form, or nothing."""
    return f"{HEADER} and {MANIFEST}" if not tree.focus and HEADER in tree and MANIFEST in tree else ""


class Leadline(Frames):
    """A converted dataset.

    Args:
        tree: Its folder.
        verify: ``"sha256"`` checks files as they are read.

    Raises:
        DatasetError: It is unfinished, damaged, or newer than this leadline knows.
    """

    def __init__(self, tree: Tree, *, verify: str = "none") -> None:
        self.verify = verify
        self.header = _header(tree)
        self.kind = _kind(tree, self.header)
        self.lines = _lines(tree)
        if len(self.lines) != self.header["samples"]:
            raise DatasetError(
                f"{tree.called(MANIFEST)!r} has {len(self.lines):,} of {self.header['samples']:,} samples",
                hint="copy it again, or convert it again",
            )
        self._position = {line["id"]: k for k, line in enumerate(self.lines)}
        super().__init__(tree, [_entry(line) for line in self.lines])

    def _sample(self, entry: Entry) -> Sample:
        line = self.lines[self._position[entry.id]]
        photo = self._read(line, "photo")
        depth = self._read(line, "depth")
        camera, seen = (
            None if line[k] is None else Camera.from_dict(line[k]) for k in ("camera", "depth_camera")
        )
        if camera is None:
            raise DatasetError(
                f"sample {entry.id!r} of {self.tree!r} has no camera", hint="convert the set again"
            )
        name = self.tree.called(line["photo"]["file"])
        image = Image(
            decode_rgb(photo, name), camera, f"{name}#{entry.id}" if "offset" in line["photo"] else name
        )
        truth = depth_of(
            depth,
            self.tree.called(line["depth"]["file"]),
            kind=self.kind,
            steps_per_unit=line["depth"]["steps_per_unit"],
            camera=seen,
            scale_uncertain=line["scale_uncertain"],
        )
        pose = line["T_world_camera"]
        placed = None if pose is None else np.array(pose, np.float64)
        return Sample(entry.id, image, truth, entry.scene, entry.split, placed)

    def _read(self, line: dict[str, Any], what: str) -> bytes:
        part = line[what]
        name = part["file"]
        data = self._slice(name, part) if "offset" in part else self.tree.read(name)
        if len(data) != part["bytes"]:
            raise DatasetError(
                f"{self.tree.called(name)!r} has {len(data):,} of {part['bytes']:,} bytes of sample {line['id']!r}",
                hint="copy it again, or convert it again",
            )
        if self.verify == "sha256" and sha256(data).hexdigest() != part["sha256"]:
            raise DatasetError(
                f"{self.tree.called(name)!r} is not what was written: the checksum of sample {line['id']!r} differs",
                hint="copy it again, or convert it again",
            )
        return data

    def _slice(self, name: str, part: dict[str, Any]) -> bytes:
        try:
            with open(self.tree.local(name), "rb") as file:
                file.seek(part["offset"])
                return file.read(part["bytes"])
        except OSError as error:
            if isinstance(error, DatasetError):
                raise
            raise DatasetError(
                f"{self.tree.called(name)!r} cannot be read ({error})", hint="check the disk"
            ) from error


def _header(tree: Tree) -> dict[str, Any]:
    called = tree.called(HEADER)
    try:
        header = json.loads(tree.text(HEADER))
        version, finished, samples = header["leadline_dataset"], header["finished"], header["samples"]
        if not isinstance(samples, int) or not isinstance(version, int):
            raise TypeError(f"samples = {samples!r}")
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{called!r} is no header of a converted set ({error})", hint="convert it again"
        ) from error
    if version > FORM_VERSION:
        raise DatasetError(
            f"{called!r} is of form {version}, newer than this leadline", hint="update leadline"
        )
    if not finished:
        raise DatasetError(
            f"{str(tree.path)!r} is an unfinished conversion",
            hint="run the same 'leadline data convert' again",
        )
    return dict(header)


def _kind(tree: Tree, header: dict[str, Any]) -> Kind:
    try:
        return Kind.parse(header["kind"])
    except (KeyError, InputError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{tree.called(HEADER)!r} says no kind ({error})", hint="convert it again"
        ) from error


def _lines(tree: Tree) -> list[dict[str, Any]]:
    lines = []
    for number, text in enumerate(tree.text(MANIFEST).splitlines(), 1):
        try:
            line = json.loads(text)
            _ = (
                line["id"],
                line["photo"]["file"],
                line["depth"]["file"],
                line["camera"],
                line["T_world_camera"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{tree.called(MANIFEST)!r}, line {number} is damaged ({error})", hint="convert it again"
            ) from error
        lines.append(line)
    return lines


def _entry(line: dict[str, Any]) -> Entry:
    return Entry(line["id"], line["scene"], line["split"], (line["photo"]["file"], line["depth"]["file"]))
