"""All of a training that can be, settled and checked before anything is written."""

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
from leadline.flows.teaching import settle_teacher
from leadline.flows.train_request import TrainRequest
from leadline.flows.training_plan import TrainPlan
from leadline.flows.training_score import protocol_for
from leadline.plugins.need import has, need
from leadline.plugins.registry import DATASETS, load
from leadline.plugins.specs import ModelSpec, Stated

__all__ = ["Prepared", "prepare", "setting_of"]

PACKAGES = ("torch", "timm", "lightning", "onnx", "onnxscript")
FRAME_BYTES_PER_PIXEL = 5
"""Of a frame in memory: three of colour, two of depth."""


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
        teacher: The model whose depth is learned from beside the truth, where there is one.
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
    teacher: ModelSpec | None
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
        InputError: The recipe is not sound, the network cannot take its shapes, or the devices are not there.
        KindError: A loss of the recipe cannot compare what its network says.
        DatasetError: The data is not what the recipe needs.
        WeightsError: Pretrained weights are not there, or those to begin or go on with are of another network.
    """
    recipe, spec = _settled(request)
    recipe, teacher = settle_teacher(recipe, processes=request.devices * request.nodes)
    for package in PACKAGES:  # they take seconds to load, which a slip in the recipe need not cost
        need(package, who="training", extra="train")
    load("leadline.training.loop:check_devices")(recipe, setting_of(request))
    samples = _opened(recipe, request.data)
    sources = further(recipe, request.more)
    train_on, held_out = load("leadline.training.splits:split_samples")(samples.entries, recipe=recipe.data)
    protocol = _protocol(recipe, samples)
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
    plan = _plan(
        request,
        recipe,
        samples,
        split=(train_on, held_out),
        network=network,
        photo_px=(image.width, image.height),
        protocol=protocol,
        out=out,
    )
    return Prepared(request, recipe, samples, sources, train_on, held_out, network, spec, teacher, out, plan)


def setting_of(request: TrainRequest) -> Any:
    """The machine's side of a request.

    Args:
        request: What was asked for.

    Returns:
        A ``leadline.training.setting.Setting``.

    Raises:
        InputError: A number is out of range.
    """
    return load("leadline.training.setting:Setting")(
        accelerator=request.accelerator,
        devices=request.devices,
        nodes=request.nodes,
        strategy=request.strategy,
        save_every=request.save_every,
        readers=request.readers,
        compiled=request.compile,
        tensorboard=has("tensorboard"),
        resume=request.resume,
    )


def _settled(request: TrainRequest) -> tuple[Any, ModelSpec | None]:
    """The recipe with all that is set from outside, and the model it trains on, where there is one."""
    recipe = load("leadline.training.recipe_files:load_recipe")(request.recipe, changes=request.changes)
    said = {key: str(value) for key, value in options_said(request.option).items()}
    recipe = replace(recipe, data=replace(recipe.data, options={**recipe.data.options, **said}))
    if request.teacher:
        recipe = replace(recipe, teacher=replace(recipe.teacher, model=request.teacher))
    recipe, spec = _with_model(recipe, request)
    _check_start(recipe, request)
    return recipe, spec


def _protocol(recipe: Any, samples: Collection) -> str:
    """Name of the protocol that the finished model is scored under, which must be there."""
    name, changes = protocol_for(recipe, samples)
    options = recipe.data.options
    return load_protocol(name, dataset=samples.spec.name, options=options, changes=dict(changes)).name


def _plan(
    request: TrainRequest,
    recipe: Any,
    samples: Collection,
    *,
    split: tuple[list[int], list[int]],
    network: Any,
    photo_px: tuple[int, int],
    protocol: str,
    out: Path,
) -> TrainPlan:
    """The training in numbers; the network is measured for it."""
    (train_on, held_out), options = split, recipe.optimiser
    processes = request.devices * request.nodes
    size = load("leadline.training.sizing:measure_size")(network, recipe=recipe, processes=processes)
    return TrainPlan(
        recipe=recipe.name,
        digest=recipe.digest,
        dataset=f"{samples.spec.name}:{samples.place}" if samples.place else samples.spec.name,
        trained_on=len(train_on),
        held_out=tuple(samples.entries[k].id for k in held_out),
        scenes=_scenes(samples, train_on, held_out),
        photo_px=photo_px,
        shapes_px=tuple((columns, rows) for rows, columns, _ in recipe.views.shapes),
        epochs=options.epochs,
        steps=load("leadline.training.loop:steps_of_run")(len(train_on), recipe=recipe),
        batch=options.batch,
        processes=processes,
        precision=options.precision,
        parameters=size.parameters,
        trained=size.trained,
        frames_bytes=len(train_on) * photo_px[0] * photo_px[1] * FRAME_BYTES_PER_PIXEL,
        state_bytes=size.state_bytes,
        checkpoint_bytes=size.checkpoint_bytes,
        step_bytes=size.step_bytes,
        protocol=protocol if held_out and not request.no_evaluation else "",
        teacher=recipe.teacher.model,
        out=out,
        writes=_writes(recipe, bool(held_out)),
    )


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
    if request.kind and not recipe.network.pretrained:
        raise InputError(
            f"recipe {recipe.name!r} trains a network of its own, which says its kind itself",
            hint="leave --kind out",
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
