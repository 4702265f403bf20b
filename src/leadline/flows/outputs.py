"""Which files are made of a photo, and writing them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from leadline.core.errors import InputError
from leadline.core.results import Prediction
from leadline.io.marks import is_ours
from leadline.io.sources import Photo
from leadline.plugins.need import need
from leadline.plugins.ports import Comparing, Demanding, Exporter, ExportOptions
from leadline.plugins.registry import BUILT_IN, EXPORTERS, load
from leadline.plugins.specs import ExporterSpec, ModelSpec

__all__ = ["Outputs", "Planned"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A file that is to be made.

    Args:
        format: Name of its exporter.
        path: The file.
        of: Places of the models it shows, in the order they were named.
    """

    format: str
    path: Path
    of: tuple[int, ...]


class Outputs:
    """The files that a run makes, and the exporters that write them.

    With several models a file's name carries the model's, and formats that can lay models side by side make one file
    of all.

    Args:
        folder: The output folder.
        formats: Names of exporters.
        models: The models that will predict.
        options: Colours.
        looks: What each photo is looked at as besides, which says how sure any model is.

    Raises:
        UnknownName: No exporter has a name that was given.
        MissingExtra: An exporter needs a package that is not installed.
        KindError: A format cannot hold what a model predicts.
        InputError: A format holds how sure a model is, and a model never says it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        formats: Sequence[str],
        models: Sequence[ModelSpec],
        options: ExportOptions,
        looks: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.options = options
        self._names = _file_names([model.name for model in models])
        self._specs = {name: EXPORTERS.get(name) for name in dict.fromkeys(formats)}
        self._exporters = {name: _exporter(spec) for name, spec in self._specs.items()}
        for exporter in self._exporters.values():
            for model in models:
                # What a prompted model gives is of its prompt's kind, and known photo by photo.
                if not model.prompted:
                    exporter.check(model.kind)
        for spec in self._specs.values():
            _check_uncertainty(spec, models, looks)

    def plan(self, photo: Photo) -> list[Planned]:
        """The files that are made of a photo.

        Args:
            photo: The photo.

        Returns:
            One entry a file.
        """
        planned: list[Planned] = []
        for name, spec in self._specs.items():
            every = tuple(range(len(self._names)))
            if len(every) == 1 or isinstance(self._exporters[name], Comparing):
                planned.append(Planned(name, photo.output(self.folder, suffix=spec.suffix), every))
                continue
            for place, model in enumerate(self._names):
                suffix = f"_{model}{spec.suffix}"
                planned.append(Planned(name, photo.output(self.folder, suffix=suffix), (place,)))
        return planned

    def made(self, file: Planned) -> bool:
        """Whether a file is there already and leadline wrote it.

        Args:
            file: A file that is to be made.

        Returns:
            True where it may be kept or written over.
        """
        ours = EXPORTERS.origin(file.format) != BUILT_IN or is_ours(file.path)
        return file.path.is_file() and ours

    def protect(self, planned: Sequence[Planned]) -> None:
        """Refuses to write over a file that leadline did not write: a user's own truth may bear the very name.

        Args:
            planned: The files that are to be made.

        Raises:
            InputError: One of them is there and is somebody else's.
        """
        for file in planned:
            if file.path.exists() and not self.made(file):
                raise InputError(
                    f"{str(file.path)!r} is there already, and leadline did not write it",
                    hint="choose another folder with --out, or move that file away",
                )

    def write(self, planned: Sequence[Planned], predictions: Sequence[Prediction]) -> tuple[Path, ...]:
        """Writes files, each whole or not at all.

        Args:
            planned: The files.
            predictions: One prediction a model.

        Returns:
            The files that were written.

        Raises:
            InputError: A prediction has nothing that a format could hold; nothing is written then.
            KindError: A format cannot hold what a model predicted; nothing is written then.
            OutputError: A file cannot be written.
        """
        for file in planned:
            for place in file.of:
                _check(self._exporters[file.format], predictions[place])
        for file in planned:
            exporter = self._exporters[file.format]
            if len(file.of) > 1 and isinstance(exporter, Comparing):
                shown = [predictions[place] for place in file.of]
                exporter.write_several(shown, file.path, options=self.options)
            else:
                exporter.write(predictions[file.of[0]], file.path, options=self.options)
        return tuple(file.path for file in planned)


def _check_uncertainty(spec: ExporterSpec, models: Sequence[ModelSpec], looks: Sequence[str]) -> None:
    """Refuses a format that needs what a model never says, before anything runs."""
    silent = [model.name for model in models if model.says_uncertainty is False]
    if spec.needs_uncertainty and silent and not looks:
        raise InputError(
            f"format {spec.name!r} holds how sure a model is, and {silent[0]!r} does not say it",
            hint="add --tta flip,scales (tta= in Python), or leave that format out",
        )


def _check(exporter: Exporter, prediction: Prediction) -> None:
    exporter.check(prediction.depth.kind)
    if isinstance(exporter, Demanding):
        exporter.demand(prediction)


def _file_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of models as parts of file names, each another: two checkpoints' folders may be called the same."""
    safe: list[str] = []
    for name in names:
        stem = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "model"
        numbered = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
        safe.append(next(name for name in numbered if name.lower() not in {other.lower() for other in safe}))
    return tuple(safe)


def _exporter(spec: ExporterSpec) -> Exporter:
    for package in spec.packages:
        need(package, who=f"format {spec.name!r}", extra=spec.extra, install=spec.install)
    exporter: Exporter = load(spec.adapter)()
    return exporter
