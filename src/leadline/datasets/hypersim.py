"""Hypersim (Roberts et al., ICCV 2021): rendered rooms with distances along the ray, brought to depth along the axis.

``depth_meters`` holds the distance from the camera's centre to the surface, NaN where there is none. Its image plane is
1024x768 at a focal length of 886.81 px with the principal point in the middle, the same for every scene but those with
tilt-shift lenses, whose photos the set's own metadata name.
"""

from __future__ import annotations

import csv
import io
import re

import numpy as np

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.kind import Along, Kind
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo
from leadline.io.trees import Tree
from leadline.ops.geometry import to_axis
from leadline.plugins.need import need
from leadline.plugins.specs import DatasetSpec

__all__ = ["FOCAL_PER_WIDTH", "SPEC", "Hypersim", "recognise"]

FOCAL_PER_WIDTH = 886.81 / 1024

SPEC = DatasetSpec(
    name="hypersim",
    adapter="leadline.datasets.hypersim:Hypersim",
    recognise="leadline.datasets.hypersim:recognise",
    summary="Hypersim: rendered rooms, ray length brought to depth along the axis",
    licence="CC BY-SA 3.0",
    extra="data",
    packages=("h5py",),
    layout="""ai_001_001/images/scene_cam_00_final_preview/frame.0000.tonemap.jpg
                  scene_cam_00_geometry_hdf5/frame.0000.depth_meters.hdf5
metadata_images_split_scene_v1.csv      the public split (optional)""",
    paper="https://github.com/apple/ml-hypersim",
)

_PHOTO = re.compile(
    r"(?P<lead>(?:.*/)?)(?P<scene>ai_\d+_\d+)/images/scene_(?P<camera>cam_\d+)_final_(?:preview|hdf5)/frame\.(?P<number>\d{4})\.\w+\.(?:jpg|png)"
)


def recognise(tree: Tree) -> str:
    """Says why a place is Hypersim, or nothing."""
    name = tree.first("**/frame.[0-9][0-9][0-9][0-9].depth_meters.hdf5")
    return f"{name}, of Hypersim" if name else ""


class Hypersim(Frames):
    """Hypersim frames.

    Args:
        tree: The set or a scene's folder.

    Raises:
        DatasetError: A photo has no depth.
        MissingExtra: h5py is not installed.
    """

    def __init__(self, tree: Tree) -> None:
        splits = _splits(tree)
        entries = []
        for name in tree.names:
            match = _PHOTO.fullmatch(
                name if "ai_" in name.split("/")[0] or "/ai_" in name else f"{tree.path.name}/{name}"
            )
            if match is None or ".tonemap." not in name:
                continue
            folder = name.rpartition("/")[0].rpartition("/")[0]
            depth = (
                f"{folder}/scene_{match['camera']}_geometry_hdf5/frame.{match['number']}.depth_meters.hdf5"
            )
            if depth not in tree:
                raise DatasetError(f"{tree.called(name)!r} has no {depth!r}", hint="fetch the scene again")
            key = (match["scene"], match["camera"], int(match["number"]))
            if splits.get(key, "") != "out":
                entries.append(
                    Entry("/".join(map(str, key)), match["scene"], splits.get(key, ""), (name, depth))
                )
        super().__init__(tree, entries)

    def _sample(self, entry: Entry) -> Sample:
        h5py = need("h5py", who="dataset 'hypersim'", extra="data")
        photo, depth = entry.files
        called = self.tree.called(depth)
        try:
            with h5py.File(io.BytesIO(self.tree.read(depth)), "r") as file:
                length_m = np.asarray(file["dataset"], np.float32)
        except (OSError, KeyError, ValueError) as error:
            raise DatasetError(
                f"{called!r} is no Hypersim depth, or is damaged ({error})", hint="fetch it again"
            ) from error
        height, width = length_m.shape
        camera = Camera.centred(FOCAL_PER_WIDTH * width, width, height)
        along_ray = DepthMap(length_m, Kind(along=Along.RAY), camera=camera)
        image = read_photo(self.tree, photo, camera=camera)
        return Sample(entry.id, image, to_axis(along_ray), entry.scene, entry.split)


def _splits(tree: Tree) -> dict[tuple[str, str, int], str]:
    """The public split; images that it leaves out are ``out``."""
    name = tree.first("**/metadata_images_split_scene_v1.csv")
    if not name:
        return {}
    found = {}
    try:
        for row in csv.DictReader(io.StringIO(tree.text(name))):
            public = row["included_in_public_release"] == "True"
            key = (row["scene_name"], row["camera_name"], int(row["frame_id"]))
            found[key] = row["split_partition_name"] if public else "out"
    except (KeyError, ValueError) as error:
        raise DatasetError(
            f"{tree.called(name)!r} is not Hypersim's split ({error})", hint="fetch it again"
        ) from error
    return found
