"""FiftyOne: photos, depth, predictions and scores as a persistent dataset."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from leadline._version import __version__
from leadline.bridges.fiftyone_app import colours
from leadline.bridges.fiftyone_database import connected, database_errors, first_line
from leadline.bridges.heatmaps import Maps, Painted, file_stem, paint
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, OutputError
from leadline.core.kind import Kind
from leadline.core.results import ModelRecord
from leadline.core.sample import Sample
from leadline.io.atomic import write_whole
from leadline.io.plain_form import pack_photo
from leadline.ops.colour import value_range

__all__ = ["Album", "Stamp"]

TRUTH, ID, KEY = "ground_truth", "leadline_id", "leadline"
_RESERVED = {
    TRUTH,
    ID,
    "id",
    "filepath",
    "tags",
    "metadata",
    "created_at",
    "last_modified_at",
    "scene",
    "split",
    "camera",
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What all scores of one dataset have in common.

    Args:
        layout: The layout of the data: ``"sunrgbd"``.
        options: What it was opened with.
        protocol: The protocol's name.
        fingerprint: Its fingerprint.
    """

    layout: str
    options: Mapping[str, str]
    protocol: str
    fingerprint: str


class Album:
    """A persistent FiftyOne dataset of photos, ground truth, predictions and scores; what is added is there at once.

    It is opened again by its name: samples and labels that are there stay, and more models go beside them.

    Convention:
        Heatmaps hold stored numbers: metres are ``get_map() * scale + offset``, 0 unknown; see ``paint``.

    Args:
        name: The dataset's name.
        stamp: What its scores have in common.
        folder: Where photos and maps go; FiftyOne's own folder for datasets where None.
        maps: Whether maps are 16-bit files or floats in the database.

    Raises:
        MissingExtra: FiftyOne is not installed.
        InputError: The name is not leadline's, is no name, or the dataset holds other data or another protocol.
        OutputError: FiftyOne's database is not to be had.
    """

    def __init__(self, name: str, *, stamp: Stamp, folder: Path | None = None, maps: Maps = "png16") -> None:
        self._fo = connected()
        self.name, self._maps = name, maps
        self._new = not self._fo.dataset_exists(name)
        self.dataset = _opened(self._fo, name, stamp, folder)
        self.folder = Path(self.dataset.info[KEY]["folder"])
        self._models: dict[str, Any] = _plain(self.dataset.info[KEY]["models"])
        self._ids = dict(zip(self.dataset.values(ID), self.dataset.values("id"), strict=True))
        self._fields: dict[str, str] = {}
        self._labelled: dict[str, set[str]] = {}

    def __enter__(self) -> Album:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._new and not self._ids:
            with suppress(*database_errors()):
                self._fo.delete_dataset(self.name)
        if isinstance(error, database_errors()):
            raise OutputError(
                f"FiftyOne's database failed while {self.name!r} was written: {first_line(error)}",
                hint="start it again and run the same line; it goes on where it was",
            ) from error

    def __len__(self) -> int:
        return len(self._ids)

    def field_of(
        self, model: ModelRecord, *, choices: Mapping[str, str] | None = None, wanted: str = ""
    ) -> str:
        """The field that holds a model's predictions; labels of other weights or choices in it are cleared.

        Args:
            model: The model.
            choices: What else decides its numbers: inputs, looks.
            wanted: What the field shall be called; made from the model's name where empty.

        Returns:
            A name that ``dataset.mean(f"{field}.rmse")`` takes.

        Raises:
            InputError: The wanted name is taken by another model, or is no name.
        """
        if model.name in self._fields:
            return self._fields[model.name]
        field = self._free_field(model.name, wanted)
        facts = {**model.to_dict(), "choices": dict(choices or {})}
        stale = self._models.get(field, facts) != facts
        self._models[field] = facts
        self.dataset.info = {KEY: {**_plain(self.dataset.info[KEY]), "models": dict(self._models)}}
        if field not in self.dataset.get_field_schema():
            _add_heatmaps(self._fo, self.dataset, field, description=model.name)
        elif stale:
            self.dataset.clear_sample_field(field)
        there = self.dataset.exists(field).values(ID)
        self._fields[model.name], self._labelled[field] = field, set(there)
        return field

    def check_field(self, model: str, wanted: str) -> None:
        """Refuses a field that cannot be a model's, before anything is predicted.

        Args:
            model: The model's name.
            wanted: The field.

        Raises:
            InputError: The field is taken by another model or by something else, or is no name.
        """
        if not re.fullmatch(r"[A-Za-z]\w*", wanted) or wanted in _RESERVED:
            raise InputError(f"{wanted!r} is no name for predictions", hint="such as dpt=MODEL")
        holds = self._models[wanted]["name"] if wanted in self._models else "something else"
        if wanted in self.dataset.get_field_schema() and holds != model:
            raise InputError(
                f"the field {wanted!r} of {self.name!r} holds {holds}", hint="call the predictions otherwise"
            )

    def has(self, field: str, id: str) -> bool:
        """Whether a sample has a label.

        Args:
            field: A field that ``field_of`` gave.
            id: The sample's id.

        Returns:
            True where it has.
        """
        return id in self._labelled[field]

    def add_sample(self, sample: Sample, *, photo: Path | None, tags: Sequence[str] = ()) -> None:
        """Adds a photo and its truth, unless they are there.

        Args:
            sample: The sample.
            photo: The file its photo came from, where that shows these very pixels; else a copy is made.
            tags: Tags for the app.

        Raises:
            OutputError: A file cannot be written.
        """
        if sample.id in self._ids:
            return
        stem = file_stem(sample.id)
        path = photo or _write_photo(sample, self.folder / "photos" / f"{stem}.png")
        painted = paint(
            sample.truth,
            self.folder / TRUTH / f"{stem}.png",
            far=_far(sample),
            maps=self._maps,
            source=sample.id,
        )
        document = self._fo.Sample(
            filepath=str(path),
            tags=list(dict.fromkeys(tag for tag in tags if tag)),
            **{ID: sample.id, "scene": sample.scene, "split": sample.split},
            camera=sample.image.camera.to_dict(),
            **{TRUTH: self._label(sample.truth, painted)},
        )
        self.dataset.add_sample(document)
        self._ids[sample.id] = str(document.id)

    def add_prediction(
        self,
        sample: Sample,
        depth: DepthMap,
        *,
        field: str,
        model: ModelRecord,
        scores: Mapping[str, float],
        predicts: Kind,
        aligned: str = "none",
    ) -> None:
        """Adds a prediction with its scores, in the place of one that is there.

        Args:
            sample: A sample that was added.
            depth: The prediction at the truth's size.
            field: A field that ``field_of`` gave.
            model: Who made it.
            scores: Figures by name; those that are NaN are left out.
            predicts: What the model's own numbers are.
            aligned: What was fitted to the truth to bring the prediction to metres.

        Raises:
            OutputError: The map cannot be written.
        """
        far = _far(sample) if depth.kind.unit == "m" else None
        path = self.folder / field / f"{file_stem(sample.id)}.png"
        painted = paint(depth, path, far=far, maps=self._maps, model=model, source=sample.id)
        label = self._label(depth, painted)
        label["predicts"], label["aligned"] = str(predicts), aligned
        for name, figure in scores.items():
            if figure == figure:
                label[name] = float(figure)
        document = self.dataset[self._ids[sample.id]]
        document[field] = label
        document.save()
        self._labelled[field].add(sample.id)

    def mean(self, field: str, metric: str) -> float:
        """``dataset.mean("FIELD.METRIC")``.

        Args:
            field: A field that ``field_of`` gave.
            metric: A figure that its labels have.

        Returns:
            The mean over the labels that have it.
        """
        return float(self.dataset.mean(f"{field}.{metric}"))

    def finish(self) -> None:
        """Tells the app of every figure, and how to colour maps."""
        fo, dataset = self._fo, self.dataset
        dataset.add_dynamic_sample_fields()
        dataset.app_config.color_scheme = colours(fo)
        if dataset.app_config.active_fields is None:
            dataset.app_config.active_fields = fo.ActiveFields(paths=[TRUTH])
        dataset.save()

    def _label(self, depth: DepthMap, painted: Painted) -> Any:
        held = {"map": painted.values} if painted.path is None else {"map_path": str(painted.path)}
        return self._fo.Heatmap(
            **held,
            range=list(painted.range),
            kind=str(depth.kind),
            unit=depth.kind.unit,
            scale=painted.scale,
            offset=painted.offset,
        )

    def _free_field(self, name: str, wanted: str) -> str:
        own = [field for field, facts in self._models.items() if facts["name"] == name]
        if wanted or own:
            self.check_field(name, wanted or own[0])
            return wanted or own[0]
        stem = re.sub(r"\W+", "_", name.rstrip("/").rpartition("/")[2]).strip("_").lower() or "model"
        stem = f"model_{stem}" if stem[0].isdigit() else stem
        names = (stem if number == 1 else f"{stem}_{number}" for number in count(1))
        taken = {*self.dataset.get_field_schema(), *_RESERVED}
        return next(name for name in names if name not in taken)


def _opened(fo: ModuleType, name: str, stamp: Stamp, folder: Path | None) -> Any:
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
    dataset.info = {
        KEY: {
            "version": __version__,
            **asdict(stamp),
            "folder": str(place.expanduser().resolve()),
            "models": {},
        }
    }
    dataset.tags = [stamp.layout]
    dataset.description = f"{stamp.layout}, scored by leadline under {stamp.protocol}"
    for field in (ID, "scene", "split"):
        dataset.add_sample_field(field, fo.StringField)
    dataset.add_sample_field("camera", fo.DictField)
    _add_heatmaps(fo, dataset, TRUTH, description="measured depth")
    dataset.create_index(ID, unique=True)
    dataset.save()
    return dataset


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same as dictionaries of Python's own: FiftyOne's lose track of what is changed within them."""
    return {key: _plain(value) if isinstance(value, Mapping) else value for key, value in values.items()}


def _add_heatmaps(fo: ModuleType, dataset: Any, field: str, *, description: str) -> None:
    dataset.add_sample_field(
        field, fo.EmbeddedDocumentField, embedded_doc_type=fo.Heatmap, description=description
    )


def _check_ours(dataset: Any, name: str, stamp: Stamp, folder: Path | None) -> None:
    info = dataset.info.get(KEY)
    if info is None:
        raise InputError(
            f"a FiftyOne dataset called {name!r} is there already, and leadline did not make it",
            hint="choose another --name",
        )
    differ = [
        f"{key} {info[key]!r}, not {value!r}"
        for key, value in asdict(stamp).items()
        if info.get(key) != value
    ]
    if differ:
        raise InputError(
            f"the FiftyOne dataset {name!r} holds {'; '.join(differ[:2])}", hint="choose another --name"
        )
    if folder is not None and str(folder.expanduser().resolve()) != info["folder"]:
        raise InputError(
            f"the files of the FiftyOne dataset {name!r} are in {info['folder']!r}, not in {str(folder)!r}",
            hint="leave --out out",
        )


def _far(sample: Sample) -> float:
    """The distance that the highest colour stands for, in truth and predictions of a sample alike."""
    return value_range(sample.truth)[1] if sample.truth.valid.any() else 10.0


def _write_photo(sample: Sample, path: Path) -> Path:
    with write_whole(path) as part:
        part.write_bytes(pack_photo(sample.image.rgb_HW3, b"", form="png").data)
    return path
