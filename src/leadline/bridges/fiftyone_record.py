"""What leadline writes into a FiftyOne dataset of its own, and reads when it opens it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from leadline._version import __version__
from leadline.core.errors import InputError
from leadline.core.results import ModelRecord

__all__ = ["ID", "KEY", "TRUTH", "Held", "Record", "Stamp", "add_heatmaps", "opened", "record_of"]

TRUTH, ID, KEY = "ground_truth", "leadline_id", "leadline"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What all scores of one dataset have in common.

    Args:
        layout: The layout of the data: ``"sunrgbd"``.
        options: What it was opened with.
        protocol: The protocol's name.
        fingerprint: Its fingerprint.
        place: Where the data are, as a whole path; empty where they are made.
        files: The state of their files: other photos of the same ids are other data.
    """

    layout: str
    options: Mapping[str, str]
    protocol: str
    fingerprint: str
    place: str = ""
    files: str = ""

    def differs(self, other: Stamp) -> tuple[str, ...]:
        """What is otherwise, in words.

        Args:
            other: The stamp that is asked for.

        Returns:
            A clause for each; none where they are the same.
        """
        told = [
            f"{name} {getattr(self, name)!r}, not {getattr(other, name)!r}"
            for name in ("layout", "options", "protocol", "fingerprint", "place")
            if getattr(self, name) != getattr(other, name)
        ]
        if self.files != other.files and self.place == other.place:
            told.append("photos and depth as they were before files changed")
        return tuple(told)


@dataclass(frozen=True, slots=True)
class Held:
    """Whose predictions a field holds.

    Args:
        model: The model.
        choices: What else decides its numbers.
    """

    model: ModelRecord
    choices: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """What the dataset says of itself.

    Args:
        stamp: What its scores have in common.
        folder: Where its maps and copied photos are.
        models: Whose predictions each field holds.
        version: The leadline that made it.
    """

    stamp: Stamp
    folder: str
    models: Mapping[str, Held] = field(default_factory=dict)
    version: str = __version__

    def holding(self, name: str, held: Held) -> Record:
        """The same with a field for a model's predictions.

        Args:
            name: The field.
            held: Whose predictions it holds.

        Returns:
            The record.
        """
        return replace(self, models={**self.models, name: held})

    def keep(self, dataset: Any) -> None:
        """Writes it into a dataset.

        Args:
            dataset: ``fiftyone.Dataset``.
        """
        models = {
            name: {**held.model.to_dict(), "choices": dict(held.choices)}
            for name, held in self.models.items()
        }
        own = {"version": self.version, **asdict(self.stamp), "folder": self.folder, "models": models}
        dataset.info = {**dataset.info, KEY: own}


def record_of(dataset: Any) -> Record | None:
    """What a dataset says of itself.

    Args:
        dataset: ``fiftyone.Dataset``.

    Returns:
        The record; None where leadline did not make the dataset.
    """
    info = dataset.info.get(KEY)
    if info is None:
        return None
    stamp = Stamp(**{item.name: _plain(info.get(item.name, "")) for item in fields(Stamp)})
    models = {name: _held(_plain(facts)) for name, facts in info["models"].items()}
    return Record(stamp, info["folder"], models, info["version"])


def opened(fo: ModuleType, name: str, stamp: Stamp, folder: Path | None) -> Any:
    """A dataset of leadline's, made where there is none.

    Args:
        fo: FiftyOne.
        name: Its name.
        stamp: What its scores have in common.
        folder: Where photos and maps go; FiftyOne's own folder for datasets where None.

    Returns:
        ``fiftyone.Dataset``.

    Raises:
        InputError: The name is not leadline's, is no name, or the dataset holds other data or another protocol.
    """
    if fo.dataset_exists(name):
        dataset = fo.load_dataset(name)
        _check_ours(dataset, name, stamp, folder)
        return dataset
    try:
        dataset = fo.Dataset(name, persistent=True)
    except ValueError as error:
        raise InputError(
            f"{name!r} cannot name a FiftyOne dataset: {error}", hint="choose another --name"
        ) from error
    place = folder or Path(fo.core.dataset.get_default_dataset_dir(name))
    Record(stamp, _whole(place)).keep(dataset)
    dataset.tags = [stamp.layout]
    dataset.description = f"{stamp.layout}, scored by leadline under {stamp.protocol}"
    for name_of in (ID, "scene", "split"):
        dataset.add_sample_field(name_of, fo.StringField)
    dataset.add_sample_field("camera", fo.DictField)
    add_heatmaps(fo, dataset, TRUTH, description="measured depth")
    dataset.create_index(ID, unique=True)
    dataset.save()
    return dataset


def add_heatmaps(fo: ModuleType, dataset: Any, field: str, *, description: str) -> None:
    """Adds a field of heatmaps.

    Args:
        fo: FiftyOne.
        dataset: ``fiftyone.Dataset``.
        field: Its name.
        description: What the app says of it.
    """
    dataset.add_sample_field(
        field, fo.EmbeddedDocumentField, embedded_doc_type=fo.Heatmap, description=description
    )


def _check_ours(dataset: Any, name: str, stamp: Stamp, folder: Path | None) -> None:
    record = record_of(dataset)
    if record is None:
        raise InputError(
            f"a FiftyOne dataset called {name!r} is there already, and leadline did not make it",
            hint="choose another --name",
        )
    if differ := record.stamp.differs(stamp):
        raise InputError(
            f"the FiftyOne dataset {name!r} holds {'; '.join(differ[:2])}", hint="choose another --name"
        )
    if folder is not None and _whole(folder) != record.folder:
        raise InputError(
            f"the files of the FiftyOne dataset {name!r} are in {record.folder!r}, not in {str(folder)!r}",
            hint="leave --out out",
        )


def _held(facts: Mapping[str, Any]) -> Held:
    model = {item.name: facts[item.name] for item in fields(ModelRecord) if item.name in facts}
    return Held(ModelRecord(**model), facts["choices"])


def _whole(folder: Path) -> str:
    return str(folder.expanduser().resolve())


def _plain(value: Any) -> Any:
    """The same as dictionaries of Python's own: FiftyOne's lose track of what is changed within them."""
    return {key: _plain(one) for key, one in value.items()} if isinstance(value, Mapping) else value
