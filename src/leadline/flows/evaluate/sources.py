"""Who predicts in an evaluation: a model that is run, or a folder of depth files from elsewhere."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol as Port

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, OutputError
from leadline.core.kind import Kind
from leadline.core.results import ModelRecord
from leadline.core.sample import Entry, Sample
from leadline.flows.model import Model
from leadline.io.depth_files import DEPTH_SUFFIXES, read_depth, read_stored
from leadline.io.prediction_cache import PredictionCache

__all__ = ["Answered", "FileSource", "KeptSource", "ModelSource", "Seen", "Source", "split_predictions"]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A sample that was read, with its prediction where that is known already.

    Args:
        sample: The sample.
        depth: Its prediction; None where the model is still to be run.
        key: What the prediction is kept by; empty where it is not kept.
    """

    sample: Sample
    depth: DepthMap | None
    key: str = ""

    def alike(self, other: Seen) -> bool:
        """Whether the two may go through a network together."""
        return self.sample.image.rgb_HW3.shape == other.sample.image.rgb_HW3.shape


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """A sample with its prediction.

    Args:
        sample: The sample.
        depth: The prediction at the photo's size.
        time_s: Seconds the network took; 0 where it was not run.
        key: What it is to be kept by; empty where it is not, or is kept already.
    """

    sample: Sample
    depth: DepthMap
    time_s: float = 0.0
    key: str = ""


class Source(Port):
    """Who predicts."""

    @property
    def record(self) -> ModelRecord:
        """What its rows are signed with."""
        ...

    @property
    def kind(self) -> Kind:
        """What its predictions are."""
        ...

    @property
    def trouble(self) -> str:
        """What went wrong besides, where something did."""
        ...

    def look(self, entry: Entry, sample: Sample) -> Seen:
        """What is known of a sample's prediction before the model is run; called in threads."""
        ...

    def answer(self, seen: Sequence[Seen]) -> list[Answered]:
        """The predictions of samples of one size; called by one thread at a time."""
        ...

    def keep(self, answered: Answered) -> None:
        """Keeps a prediction for the next run; called in threads."""
        ...

    def left(self) -> Source:
        """Who can still be asked when this one is closed."""
        ...


class ModelSource:
    """A model that is run on photos, with the dataset's own camera.

    Args:
        model: The model, open.
        cache: Where its predictions are kept; None where they are not.
    """

    def __init__(self, model: Model, cache: PredictionCache | None) -> None:
        self._model, self._cache = model, cache
        self.trouble = ""
        self.record, self.kind = model.record, model.spec.kind

    def look(self, entry: Entry, sample: Sample) -> Seen:
        """Looks into the cache."""
        if self._cache is None:
            return Seen(sample, None)
        key = self._cache.key(sample.image)
        return Seen(sample, self._cache.get(key), key)

    def answer(self, seen: Sequence[Seen]) -> list[Answered]:
        """Runs the model on those that are not known yet."""
        unknown = [one for one in seen if one.depth is None]
        answers, time_s = self._model.infer([one.sample.image for one in unknown]) if unknown else ([], 0.0)
        packed = {
            one.sample.id: self._model.pack(one.sample.image, answer, time_s).depth
            for one, answer in zip(unknown, answers, strict=True)
        }
        return [
            Answered(one.sample, packed[one.sample.id], time_s, one.key)
            if one.depth is None
            else Answered(one.sample, one.depth)
            for one in seen
        ]

    def keep(self, answered: Answered) -> None:
        """Puts it into the cache. Where that cannot be written, the score is made all the same, and no more is kept."""
        if self._cache is None or not answered.key:
            return
        try:
            self._cache.put(answered.key, answered.depth)
        except OutputError as error:
            self._cache = None
            self.trouble = f"predictions are not kept any more: {error}"

    def left(self) -> KeptSource:
        """What it kept."""
        return KeptSource(self.record, self.kind, self._cache)


class KeptSource:
    """The predictions that a model kept, when the model itself is closed.

    Args:
        record: The model's record.
        kind: What its predictions are.
        cache: Where they are kept; None where they are not.
    """

    def __init__(self, record: ModelRecord, kind: Kind, cache: PredictionCache | None) -> None:
        self.record, self.kind, self._cache = record, kind, cache
        self.trouble = ""

    def look(self, entry: Entry, sample: Sample) -> Seen:
        """Looks into the cache.

        Raises:
            InputError: It holds no prediction of this sample.
        """
        depth = None if self._cache is None else self._cache.get(self._cache.key(sample.image))
        if depth is None:
            raise InputError(
                f"no prediction of {entry.id!r} was kept", hint="run it again without --no-cache"
            )
        return Seen(sample, depth)

    def answer(self, seen: Sequence[Seen]) -> list[Answered]:
        """What was kept."""
        return [Answered(one.sample, one.depth) for one in seen if one.depth is not None]

    def keep(self, answered: Answered) -> None:
        """It is kept already."""

    def left(self) -> KeptSource:
        """Itself."""
        return self


class FileSource:
    """Depth files that another tool made, one a sample: by the sample's id, or by its photo's name.

    Args:
        name: What its rows are signed with.
        folder: Where the files are, in any sub-folders that mirror ids or names.
        entries: The samples.
        kind: What bare files hold; files with a record say it themselves.
        scale: Units a stored step of bare files: 0.001 for millimetres.

    Raises:
        InputError: There is no such folder, or it holds no file of any sample.
        KindError: Bare files, and nobody says what they hold.
    """

    def __init__(
        self, name: str, folder: Path, *, entries: Sequence[Entry], kind: Kind | None, scale: float | None
    ) -> None:
        if not folder.is_dir():
            what = (
                "is a file, not a folder of predictions" if folder.exists() else "is no folder that is here"
            )
            raise InputError(
                f"{str(folder)!r} {what}", hint="name the folder that holds a depth file a sample"
            )
        self._folder, self._said, self._scale = folder, kind, scale
        self.trouble = ""
        self._files = _by_name(folder)
        self._short = Counter(_last(name) for entry in entries for name in _whole_names(entry)[:1])
        found = [(entry, self._of(entry)) for entry in entries]
        self.missing = [entry.id for entry, path in found if path is None]
        used = {path for _, path in found if path is not None}
        self.extra = sorted(path for path in self._files.values() if path not in used)
        if not used:
            there = f"such files as {next(iter(self._files))!r}" if self._files else "no depth file at all"
            raise InputError(
                f"{str(folder)!r} holds no depth file of any of the {len(entries)} samples; it holds {there}",
                hint=f"name them by the sample's id, such as {entries[0].id}.png, or by the photo's name",
            )
        self._bare = read_stored(min(used)).record is None
        self.kind = self._read(min(used)).kind
        self.record = ModelRecord(name, weights_sha256=_state_of(sorted(used)), engine="files")

    def look(self, entry: Entry, sample: Sample) -> Seen:
        """Reads the sample's file."""
        path = self._of(entry)
        if path is None:
            raise InputError(
                f"there is no prediction of sample {entry.id!r} in {str(self._folder)!r}",
                hint=f"add {entry.id}.png, .npz, .tiff, .pfm or .exr, or leave the sample out",
            )
        depth = self._read(path)
        if depth.kind != self.kind:
            raise InputError(
                f"{path.name!r} holds {depth.kind}, the files before it {self.kind}",
                hint="keep one kind a folder",
            )
        return Seen(sample, depth)

    def answer(self, seen: Sequence[Seen]) -> list[Answered]:
        """What was read."""
        return [Answered(one.sample, one.depth) for one in seen if one.depth is not None]

    def keep(self, answered: Answered) -> None:
        """Files are kept already."""

    def left(self) -> FileSource:
        """Itself."""
        return self

    def _of(self, entry: Entry) -> Path | None:
        names = _whole_names(entry)
        if self._short[_last(names[0])] == 1:
            names += [_last(name) for name in names]
        return next((self._files[name] for name in names if name in self._files), None)

    def _read(self, path: Path) -> DepthMap:
        return read_depth(path, kind=self._said, scale=self._scale if self._bare else None)[0]


def split_predictions(text: str) -> tuple[str, Path]:
    """Name and folder of what a user typed for ``--predictions``.

    Args:
        text: ``"FOLDER"``, or ``"NAME=FOLDER"``.

    Returns:
        The name, the folder's own where none is said, and the folder.

    Example:
        >>> split_predictions("theirs=out/depth")[0]
        'theirs'
    """
    name, equals, rest = text.partition("=")
    if equals and not Path(text).exists():
        return name, Path(rest).expanduser()
    folder = Path(text).expanduser()
    return folder.name or str(folder), folder


def _by_name(folder: Path) -> Mapping[str, Path]:
    files: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in DEPTH_SUFFIXES and not path.name.startswith("."):
            stem = path.relative_to(folder).with_suffix("").as_posix()
            files.setdefault(stem.removesuffix("_depth"), path)
    return files


def _whole_names(entry: Entry) -> list[str]:
    """What a sample's file is called: its id, or its photo's path."""
    return [entry.id, *(Path(file).with_suffix("").as_posix() for file in entry.files[:1])]


def _last(name: str) -> str:
    """The last part of a name; it names a sample where no other sample shares it."""
    return name.rpartition("/")[2]


def _state_of(files: Sequence[Path]) -> str:
    """What changes when a file is added, removed or written again."""
    digest = hashlib.sha256()
    for path in files:
        stat = path.stat()
        digest.update(f"{path.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
