"""Training a network by a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from leadline.core.errors import DatasetError, InputError, OutputError
from leadline.flows.data.collection import Collection
from leadline.flows.data.opening import open_dataset, split_place
from leadline.flows.options import Told, told
from leadline.plugins.need import need
from leadline.plugins.registry import DATASETS, load

__all__ = ["TrainReport", "TrainRequest", "train"]

PACKAGES = ("torch", "timm", "lightning", "onnx", "onnxscript")


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What ``leadline train`` is asked for."""

    recipe: str = field(
        metadata=told(Told("Name of a recipe that ships, or path of a TOML file.", positional=True))
    )
    out: Path = field(
        metadata=told(
            Told(
                "Folder for checkpoints, history and the finished weights; a run that stopped goes on.",
                metavar="FOLDER",
            )
        )
    )
    data: Path | None = field(
        default=None,
        metadata=told(
            Told("Folder that holds the recipe's dataset; left out for made-up rooms.", metavar="FOLDER")
        ),
    )
    more: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Place of a further dataset of the recipe, NAME:FOLDER; again for each.",
                metavar="NAME:FOLDER",
                whole=True,
            )
        ),
    )
    start: Path | None = field(
        default=None,
        metadata=told(
            Told(
                "Model file whose weights the training begins with; for recipes that go on from another one.",
                metavar="FILE",
            )
        ),
    )
    changes: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Set an option of the recipe otherwise, such as optimiser.batch=8; again for each.",
                flag="set",
                metavar="TABLE.OPTION=VALUE",
                whole=True,
            )
        ),
    )


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What a training run left behind.

    Args:
        weights: The finished model file.
        checkpoint: The last checkpoint, from which a run goes on.
        trained_on: Number of frames learned from.
        held_out: Ids of the samples that were kept for validation.
    """

    weights: Path
    checkpoint: Path
    trained_on: int
    held_out: tuple[str, ...]


def train(request: TrainRequest) -> TrainReport:
    """Trains, or goes on where a run into the same folder stopped.

    Args:
        request: Recipe, data and output folder.

    Returns:
        What was made.

    Raises:
        MissingExtra: A package of the extra ``train`` is not installed.
        UnknownName: No such recipe or dataset.
        InputError: The recipe is not sound.
        KindError: A loss of the recipe cannot compare what its network says.
        DatasetError: The data is not what the recipe needs.
        WeightsError: The pretrained encoder is not installed.
        TrainingError: The loss or its gradient is no number any more, or the loss explodes.
        OutputError: The folder or the file cannot be written.
    """
    for package in PACKAGES:
        need(package, who="training", extra="train")
    recipe = load("leadline.training.recipe_files:load_recipe")(request.recipe, changes=request.changes)
    _check_start(recipe, request)
    samples = open_dataset(
        _place(recipe, request.data), name=recipe.data.dataset, options=recipe.data.options
    )
    sources = _further(recipe, request.more)
    train_on, held_out = load("leadline.training.splits:split_samples")(samples.entries, recipe=recipe.data)
    network = load("leadline.training.network:build_network")(recipe)
    load("leadline.training.objective:Objective")(recipe.loss, network=network)  # refuses before data is read
    pack = load("leadline.training.views:pack")
    _make_folder(request.out)
    frames = [pack(samples[index]) for index in tqdm(train_on, desc="reading", unit="frame")]
    more = [
        [pack(source[k], far_m=data.far_m) for k in range(data.first, data.first + data.frames)]
        for data, source in zip(recipe.data.more, sources, strict=True)
    ]
    if request.start is not None:
        load("leadline.training.start:start_from")(
            network, request.start, frames=frames, more=more, recipe=recipe
        )
    checkpoint = load("leadline.training.loop:fit")(
        network,
        frames=frames,
        held_out=[samples[index] for index in held_out],
        recipe=recipe,
        out=request.out,
        more=more,
    )
    weights = request.out / f"{recipe.export.name}.onnx"
    load("leadline.exporters.onnx:export_network")(network.folded(), weights, record=recipe.record)
    return TrainReport(weights, checkpoint, len(train_on), tuple(samples[index].id for index in held_out))


def _place(recipe: Any, data: Path | None) -> str:
    if data is None and not DATASETS.get(recipe.data.dataset).endless:
        raise InputError(
            f"recipe {recipe.name!r} learns from dataset {recipe.data.dataset!r}, which is read from a folder",
            hint="give it with --data",
        )
    return "" if data is None else str(data)


def _check_start(recipe: Any, request: TrainRequest) -> None:
    wanted = recipe.network.starts_from
    if wanted and request.start is None:
        raise InputError(
            f"recipe {recipe.name!r} goes on from the model file of recipe {wanted!r}",
            hint=f"train that one first ('leadline train {wanted}'), then give its file with --start",
        )
    if request.start is not None and not wanted:
        raise InputError(
            f"recipe {recipe.name!r} begins anew, not from {str(request.start)!r}",
            hint="leave --start out, or set starts_from in the recipe",
        )


def _further(recipe: Any, places: tuple[str, ...]) -> list[Collection]:
    """The recipe's further datasets, opened, in its order."""
    given = dict(split_place(place) for place in places)
    wanted = [source.dataset for source in recipe.data.more]
    for name in given:
        if name not in wanted:
            raise InputError(
                f"recipe {recipe.name!r} learns from no further dataset {name!r}",
                hint=f"it wants {', '.join(wanted)}" if wanted else "leave --more out",
            )
    opened = []
    for source in recipe.data.more:
        found = open_dataset(given.get(source.dataset, ""), name=source.dataset, options=source.options)
        if len(found) < source.first + source.frames:
            raise DatasetError(
                f"dataset {source.dataset!r} has {len(found)} frames, the recipe wants {source.first + source.frames}",
                hint="copy it again, or lower frames in the recipe",
            )
        opened.append(found)
    return opened


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{str(path)!r} cannot be made: {error}", hint="choose another folder") from error
