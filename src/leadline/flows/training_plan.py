"""What a training will do, settled and checked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leadline.core.errors import DatasetError, InputError
from leadline.core.kind import Kind
from leadline.flows.data.choosing import options_said
from leadline.flows.data.collection import Collection
from leadline.flows.data.opening import open_dataset, split_place
from leadline.flows.evaluate.protocol_files import load_protocol
from leadline.flows.naming import resolve_model
from leadline.flows.train_request import TrainRequest
from leadline.flows.training_score import protocol_for
from leadline.plugins.need import has, need
from leadline.plugins.registry import DATASETS, load
from leadline.plugins.specs import ModelSpec, Stated

__all__ = ["Prepared", "TrainPlan", "prepare"]

PACKAGES = ("torch", "timm", "lightning", "onnx", "onnxscript")
FRAME_BYTES_PER_PIXEL = 5
"""Of a frame in memory: three of colour, two of depth."""


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """What a training will do.

    Args:
        recipe: Name of the recipe.
        digest: Its SHA-256.
        dataset: Where it learns from, as typed.
        trained_on: Frames learned from.
        held_out: Ids of the frames kept for validation.
        scenes: Scenes learned from and held out; zeros where the dataset names none.
        photo_px: Columns and rows of the first photo.
        shapes_px: Columns and rows the network learns at.
        epochs: Passes over the frames.
        steps: Changes of the weights in all of them.
        batch: Views in a batch, over all processes.
        processes: Processes that share it.
        precision: What the network computes in.
        parameters: Numbers of the network.
        trained: Those that move.
        frames_bytes: Memory of the frames.
        state_bytes: Memory of weights, average, gradients and optimiser.
        checkpoint_bytes: Size of a checkpoint, about.
        step_bytes: Memory of a batch in one process, about.
        protocol: How the finished model is scored.
        out: Where everything is written.
        writes: What is written there.
    """

    recipe: str
    digest: str
    dataset: str
    trained_on: int
    held_out: tuple[str, ...]
    scenes: tuple[int, int]
    photo_px: tuple[int, int]
    shapes_px: tuple[tuple[int, int], ...]
    epochs: int
    steps: int
    batch: int
    processes: int
    precision: str
    parameters: int
    trained: int
    frames_bytes: int
    state_bytes: int
    checkpoint_bytes: int
    step_bytes: int
    protocol: str
    out: Path
    writes: tuple[str, ...]

    def lines(self) -> list[str]:
        """The plan in words, a line each."""
        shared = f" over {self.processes} processes" if self.processes > 1 else ""
        scenes = f" ({self.scenes[0]} and {self.scenes[1]} scenes)" if any(self.scenes) else ""
        moving = "" if self.trained == self.parameters else f", of which {self.trained / 1e6:.2f} M move"
        shapes = ", ".join(f"{columns}x{rows}" for columns, rows in self.shapes_px)
        memory = (self.frames_bytes, self.state_bytes, self.step_bytes)
        frames, state, step = (f"{size / 1e9:.2f} GB" for size in memory)
        return [
            f"recipe      {self.recipe} ({self.digest[:16]})",
            f"data        {self.dataset}: {self.trained_on} frames to learn from, {len(self.held_out)} held out{scenes}",
            f"sizes       photos of {self.photo_px[0]}x{self.photo_px[1]}; the network learns at {shapes}",
            f"steps       {self.steps} in {self.epochs} epochs, {self.batch} views a batch{shared}, {self.precision}",
            f"network     {self.parameters / 1e6:.2f} M parameters{moving}",
            f"memory      about {sum(memory) / 1e9:.2f} GB: frames {frames}, weights and optimiser {state}, a batch {step}",
            f"scored by   {self.protocol or 'nothing: no frame is held out'}",
            f"writes      {self.out}: {', '.join(self.writes)}",
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A training that can begin.

    Args:
        request: What was asked for.
        recipe: The recipe, all of it settled.
        samples: The dataset.
        sources: The recipe's further datasets.
        train_on: Places of the samples to learn from.
        held_out: Places of those kept for validation.
        network: The network.
        spec: The model that is trained on, where there is one.
        out: Where everything is written.
        plan: The same in numbers.
    """

    request: TrainRequest
    recipe: Any
    samples: Collection
    sources: list[Collection]
    train_on: list[int]
    held_out: list[int]
    network: Any
    spec: ModelSpec | None
    out: Path
    plan: TrainPlan


def prepare(request: TrainRequest) -> Prepared:
    """Settles and checks all of a training that can be, reading one sample.

    Args:
        request: Recipe, data and output folder.

    Returns:
        The training, ready to begin; nothing is written.

    Raises:
        MissingExtra: A package of the extra ``train`` is not installed.
        UnknownName: No such recipe, dataset, loss, protocol or model.
        InputError: The recipe is not sound, or the network cannot take its shapes.
        KindError: A loss of the recipe cannot compare what its network says.
        DatasetError: The data is not what the recipe needs.
        WeightsError: Pretrained weights are not there, or those to begin or go on with are of another network.
    """
    for package in PACKAGES:
        need(package, who="training", extra="train")
    recipe = load("leadline.training.recipe_files:load_recipe")(request.recipe, changes=request.changes)
    said = {key: str(value) for key, value in options_said(request.option).items()}
    recipe = replace(recipe, data=replace(recipe.data, options={**recipe.data.options, **said}))
    recipe, spec = _with_model(recipe, request)
    _check_start(recipe, request)
    samples = _opened(recipe, request.data)
    sources = further(recipe, request.more)
    train_on, held_out = load("leadline.training.splits:split_samples")(samples.entries, recipe=recipe.data)
    protocol, changes = protocol_for(recipe, samples)
    scored = load_protocol(
        protocol, dataset=samples.spec.name, options=recipe.data.options, changes=dict(changes)
    )
    network = load("leadline.training.network:build_network")(recipe, pretrained=spec)
    load("leadline.training.objective:Objective")(recipe.loss, network=network)  # refuses before data is read
    image = samples[train_on[0]].image
    if not recipe.views.shapes:
        own = (*network.target_size(image.height, image.width), 1)
        recipe = replace(recipe, views=replace(recipe.views, shapes=(own,)))
    out = request.out or Path("runs") / recipe.name
    if request.start is not None and spec is None:
        load("leadline.training.start:check_start")(network, Path(request.start))
    load("leadline.training.resuming:check_going_on")(network, recipe=recipe, out=out, resume=request.resume)
    processes = request.devices * request.nodes
    size = load("leadline.training.sizing:measure_size")(network, recipe=recipe, processes=processes)
    plan = TrainPlan(
        recipe=recipe.name,
        digest=recipe.digest,
        dataset=f"{samples.spec.name}:{samples.place}" if samples.place else samples.spec.name,
        trained_on=len(train_on),
        held_out=tuple(samples.entries[k].id for k in held_out),
        scenes=_scenes(samples, train_on, held_out),
        photo_px=(image.width, image.height),
        shapes_px=tuple((columns, rows) for rows, columns, _ in recipe.views.shapes),
        epochs=recipe.optimiser.epochs,
        steps=load("leadline.training.loop:steps_of_run")(len(train_on), recipe=recipe),
        batch=recipe.optimiser.batch,
        processes=processes,
        precision=recipe.optimiser.precision,
        parameters=size.parameters,
        trained=size.trained,
        frames_bytes=len(train_on) * image.width * image.height * FRAME_BYTES_PER_PIXEL,
        state_bytes=size.state_bytes,
        checkpoint_bytes=size.checkpoint_bytes,
        step_bytes=size.step_bytes,
        protocol=scored.name if held_out and not request.no_evaluation else "",
        out=out,
        writes=_writes(recipe, bool(held_out)),
    )
    return Prepared(request, recipe, samples, sources, train_on, held_out, network, spec, out, plan)


def further(recipe: Any, places: tuple[str, ...]) -> list[Collection]:
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


def _with_model(recipe: Any, request: TrainRequest) -> tuple[Any, ModelSpec | None]:
    """The recipe with the model it trains on, and that model."""
    if not recipe.network.pretrained:
        return recipe, None
    name = request.start or recipe.network.pretrained
    spec = resolve_model(name, stated=Stated(kind=Kind.parse(request.kind) if request.kind else None))
    if "transformers" not in spec.packages or "diffusers" in spec.packages or not spec.network:
        raise InputError(
            f"model {spec.name!r} is no network of transformers, which is what can be trained on",
            hint="give a DPT, GLPN, ZoeDepth, Depth Anything or TIPSv2-DPT with --start",
        )
    if spec.scale_needs_focal or spec.prompted:
        raise InputError(
            f"model {spec.name!r} needs more than a photo to make its metres, and cannot be trained on here",
            hint="give a DPT, GLPN, ZoeDepth, Depth Anything or TIPSv2-DPT with --start",
        )
    for package in spec.packages:
        need(package, who=f"model {spec.name!r}", extra=spec.extra, install=spec.install)
    network = replace(recipe.network, pretrained=name)
    export = replace(recipe.export, kind=str(spec.kind), licence=f"that of {spec.name}: {spec.licence}")
    return replace(recipe, network=network, export=export), spec


def _check_start(recipe: Any, request: TrainRequest) -> None:
    wanted = recipe.network.starts_from
    if wanted and request.start is None:
        raise InputError(
            f"recipe {recipe.name!r} goes on from the model file of recipe {wanted!r}",
            hint=f"train that one first ('leadline train {wanted}'), then give its file with --start",
        )
    if request.start is not None and not (wanted or recipe.network.pretrained):
        raise InputError(
            f"recipe {recipe.name!r} begins anew, not from {str(request.start)!r}",
            hint="leave --start out, or set starts_from in the recipe",
        )


def _opened(recipe: Any, given: str | None) -> Collection:
    wanted = recipe.data.dataset
    layout, path = split_place(given) if given is not None else ("", "")
    if wanted and layout and layout != wanted:
        raise InputError(
            f"recipe {recipe.name!r} learns from dataset {wanted!r}, not {layout!r}",
            hint=f"give {wanted}:PATH, or set data.dataset={layout}",
        )
    name = wanted or layout
    if not path and not (name and DATASETS.get(name).endless):
        raise InputError(
            f"recipe {recipe.name!r} learns from {f'dataset {name!r}, which is' if name else 'what is'} read from a folder",
            hint="give it with --data",
        )
    return open_dataset(path, name=name, options=recipe.data.options)


def _scenes(samples: Collection, train_on: list[int], held_out: list[int]) -> tuple[int, int]:
    learned, kept = ({samples.entries[k].scene for k in part} - {""} for part in (train_on, held_out))
    return len(learned), len(kept)


def _writes(recipe: Any, held_out: bool) -> tuple[str, ...]:
    model = f"{recipe.export.name}.onnx" if recipe.export.form == "onnx" else f"{recipe.export.name}/"
    scored = ("best.ckpt", "held_out.txt", "evaluation/") if held_out else ()
    board = ("tensorboard/",) if has("tensorboard") else ()
    return ("last.ckpt", *scored, "history/", *board, model, "MODEL_CARD.md")
