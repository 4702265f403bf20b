"""Training a network by a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from leadline.core.errors import OutputError
from leadline.flows.data.opening import open_dataset
from leadline.flows.options import Told, told
from leadline.plugins.need import need
from leadline.plugins.registry import load

__all__ = ["TrainReport", "TrainRequest", "train"]

PACKAGES = ("torch", "timm", "lightning", "onnx", "onnxscript")


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What ``leadline train`` is asked for."""

    recipe: str = field(
        metadata=told(Told("Name of a recipe that ships, or path of a TOML file.", positional=True))
    )
    data: Path = field(metadata=told(Told("Folder that holds the recipe's dataset.", metavar="FOLDER")))
    out: Path = field(
        metadata=told(
            Told(
                "Folder for checkpoints, history and the finished weights; a run that stopped goes on.",
                metavar="FOLDER",
            )
        )
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
        DatasetError: The data is not what the recipe needs.
        WeightsError: The pretrained encoder is not installed.
        OutputError: The folder or the file cannot be written.
    """
    for package in PACKAGES:
        need(package, who="training", extra="train")
    recipe = load("leadline.training.recipe_files:load_recipe")(request.recipe)
    samples = open_dataset(request.data, name=recipe.data.dataset, options=recipe.data.options)
    train_on, held_out = load("leadline.training.splits:split_blocks")(len(samples), recipe=recipe.data)
    network = load("leadline.training.network:build_network")(recipe)
    pack = load("leadline.training.views:pack")
    _make_folder(request.out)
    checkpoint = load("leadline.training.loop:fit")(
        network,
        frames=[pack(samples[index]) for index in tqdm(train_on, desc="reading", unit="frame")],
        held_out=[samples[index] for index in held_out],
        recipe=recipe,
        out=request.out,
    )
    weights = request.out / f"{recipe.export.name}.onnx"
    load("leadline.exporters.onnx:export_network")(network.folded(), weights, record=recipe.record)
    return TrainReport(weights, checkpoint, len(train_on), tuple(samples[index].id for index in held_out))


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{str(path)!r} cannot be made: {error}", hint="choose another folder") from error
