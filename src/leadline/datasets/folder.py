"""A plain folder of photos and depths, paired by name, with kind and unit as the user says them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.datasets.depth_of_files import READ_SUFFIXES, Said, camera_said, depth_as_said
from leadline.datasets.frames import Frames, read_photo
from leadline.io.rasters import size_of
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["SPEC", "Folder", "pair_by_name", "recognise"]

_PHOTO_ENDS = (".jpg", ".jpeg", ".png", ".ppm", ".webp", ".bmp", ".tif", ".tiff")
_PHOTO_FOLDERS = ("rgb", "color", "colour", "image", "images", "photo", "photos", "img")
_DEPTH_FOLDERS = ("depth", "depths", "depth_map", "depth_maps", "gt", "depth_gt")
_PHOTO_WORDS = re.compile(
    r"[_.-]?(?:rgb|colou?r|images?|photo|img|left|im0)(?=[_.-]|\d|$)[_.-]?", re.IGNORECASE
)
_DEPTH_WORDS = re.compile(
    r"(?:^|[_.-])?(?:sync[_-])?(?:[a-z]*depths?(?:_?map)?|disp(?:arity)?|gt)(?=[_.-]|\d|$)[_.-]?",
    re.IGNORECASE,
)

SPEC = DatasetSpec(
    name="folder",
    adapter="leadline.datasets.folder:Folder",
    recognise="leadline.datasets.folder:recognise",
    summary="a plain folder of photos and depths, paired by name; you say kind and unit",
    layout="""rgb|color|image(s)|photo(s)/a.jpg     depth(s)|depth_map(s)|gt/a.png
x_color.jpg, x_depth.png              x.jpg, x_depth.png, x_depth.npy …
or any two patterns: --option photos=GLOB --option depths=GLOB""",
    options=(
        DatasetOption("photos", "Pattern of the photos, such as 'rgb/*.jpg'."),
        DatasetOption("depths", "Pattern of the depths, such as 'depth/*.png'."),
        DatasetOption("kind", "What the numbers mean: metric-depth, disparity …", "metric-depth"),
        DatasetOption("encoding", "How metres are stored: mm, tum, kitti, sun, kinect, cm, 8bit-10m, m."),
        DatasetOption("step", "Units per stored step, instead of an encoding.", 0.0),
        DatasetOption("camera", "fx,fy,cx,cy of every photo, in pixels."),
        DatasetOption("split", "The split all of it belongs to: train, val, test."),
        DatasetOption(
            "missing", "What to do about photos or depths without the other.", "raise", ("raise", "skip")
        ),
    ),
)


def recognise(tree: Tree) -> str:
    """Says why a place looks like photos with depths, or nothing."""
    if tree.focus:
        return ""
    photos, depths = _found(tree, "", "")
    pairs = _paired(photos, depths)[0]
    if not pairs or len(pairs) * 2 < max(len(photos), len(depths)):
        return ""
    return f"{len(pairs):,} pairs such as {pairs[0][0]} and {pairs[0][1]}"


def pair_by_name(photos: Sequence[str], depths: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Pairs names that are the same once the words for photo and depth are taken out.

    Args:
        photos: Names of photos.
        depths: Names of depth files.

    Returns:
        The pairs in the order of the photos, and what stayed alone.

    Example:
        >>> pair_by_name(["rgb/a_color.jpg", "rgb/b.jpg"], ["depth/a_depth.png"])
        ([('rgb/a_color.jpg', 'depth/a_depth.png')], ['rgb/b.jpg'])
    """
    by_key: dict[str, str] = {}
    for name in depths:
        by_key.setdefault(_key(name, _DEPTH_FOLDERS, _DEPTH_WORDS), name)
    pairs, alone, used = [], [], set()
    for name in photos:
        depth = by_key.get(_key(name, _PHOTO_FOLDERS, _PHOTO_WORDS), "")
        if depth and depth not in used:
            pairs.append((name, depth))
            used.add(depth)
        else:
            alone.append(name)
    return pairs, alone + [name for name in depths if name not in used]


class Folder(Frames):
    """A plain folder.

    Args:
        tree: The folder or archive.
        photos: Pattern of the photos; guessed where empty.
        depths: Pattern of the depths; guessed where empty.
        kind: What bare depth files' numbers mean.
        encoding: How metres are stored.
        step: Units per stored step.
        camera: ``fx,fy,cx,cy`` of every photo.
        split: The split of all.
        missing: ``"skip"`` leaves alone what has no other.

    Raises:
        DatasetError: Nothing pairs, or something has no other.
        InputError: Kind, encoding, step or camera are not sound.
    """

    def __init__(
        self,
        tree: Tree,
        *,
        photos: str = "",
        depths: str = "",
        kind: str = "metric-depth",
        encoding: str = "",
        step: float = 0.0,
        camera: str = "",
        split: str = "",
        missing: str = "raise",
    ) -> None:
        self.kind = Kind.parse(kind)
        self.said = Said(self.kind, encoding, step)
        self.camera = camera
        camera_said(camera, width=1, height=1)
        names = _found(tree, photos, depths)
        pairs, alone = _paired(*names)
        if not pairs:
            raise DatasetError(
                f"{str(tree.path)!r} holds {len(names[0]):,} photos and {len(names[1]):,} depths, and none pair by name",
                hint="say where they are: --option photos='rgb/*.jpg' --option depths='depth/*.png'",
            )
        if alone and missing == "raise":
            raise DatasetError(
                f"{len(alone):,} files in {str(tree.path)!r} have no other to pair with, such as {alone[0]!r}",
                hint="complete them, or go on without with --option missing=skip",
            )
        stems = [re.sub(r"\.\w+$", "", photo) for photo, _ in pairs]
        # Two photos may differ in their ending alone: then the ending belongs to the id.
        names_of = stems if len(set(stems)) == len(stems) else [photo for photo, _ in pairs]
        scenes = [photo.rpartition("/")[0].rpartition("/")[0] for photo, _ in pairs]
        super().__init__(
            tree,
            [Entry(i, s, split, files=p) for i, s, p in zip(names_of, scenes, pairs, strict=True)],
        )

    def _sample(self, entry: Entry) -> Sample:
        photo, depth = entry.files
        width, height = size_of(self.tree.read(photo), self.tree.called(photo))
        camera = camera_said(self.camera, width=width, height=height) or Camera.assumed(width, height)
        image = read_photo(self.tree, photo, camera=camera)
        truth = depth_as_said(self.tree, depth, said=self.said, camera=camera)
        if truth.kind != self.kind:
            raise DatasetError(
                f"{self.tree.called(depth)!r} says that it holds {truth.kind}, but the set is opened as {self.kind}",
                hint=f"open it with --option kind={truth.kind}",
            )
        return Sample(entry.id, image, truth, entry.scene, entry.split)


def _paired(photos: tuple[str, ...], depths: tuple[str, ...]) -> tuple[list[tuple[str, str]], list[str]]:
    """One photo and one depth are a pair whatever their names."""
    if len(photos) == len(depths) == 1:
        return [(photos[0], depths[0])], []
    return pair_by_name(photos, depths)


def _found(tree: Tree, photos: str, depths: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Photos and depths by pattern, else by the folders they are in, else by the words in their names."""
    if photos and depths:
        return tree.match(photos), tree.match(depths)
    by_depth = tree.match(depths) if depths else _in_folders(tree, _DEPTH_FOLDERS, READ_SUFFIXES)
    if not by_depth:
        by_depth = tuple(
            name
            for name in tree.names
            if name.lower().endswith(READ_SUFFIXES)
            and _DEPTH_WORDS.search(name.rpartition("/")[2].rpartition(".")[0])
        )
    taken = set(by_depth)
    by_photo = tree.match(photos) if photos else _in_folders(tree, _PHOTO_FOLDERS, _PHOTO_ENDS)
    if not by_photo:
        by_photo = tuple(n for n in tree.names if n.lower().endswith(_PHOTO_ENDS))
    return tuple(name for name in by_photo if name not in taken), by_depth


def _in_folders(tree: Tree, folders: tuple[str, ...], ends: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        name
        for name in tree.names
        if name.lower().endswith(ends) and any(part.lower() in folders for part in name.split("/")[:-1])
    )


def _key(name: str, folders: tuple[str, ...], words: re.Pattern[str]) -> str:
    *above, file = name.split("/")
    stem = words.sub("_", file.rpartition(".")[0]).strip("_.-").lower()
    kept = [part for part in above if part.lower() not in folders]
    return "/".join([*kept, stem])
