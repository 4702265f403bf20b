"""A teacher: another model that is asked once about every frame that is learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind
from leadline.flows.model import open_model
from leadline.flows.naming import resolve_model
from leadline.io.weights import fingerprint, locate
from leadline.ops.geometry import to_axis, to_depth
from leadline.plugins.need import need
from leadline.plugins.registry import load
from leadline.plugins.specs import ModelSpec

__all__ = ["ask_teacher", "settle_teacher"]


def settle_teacher(recipe: Any, *, processes: int) -> tuple[Any, ModelSpec | None]:
    """Looks at a recipe's teacher before any data is read.

    Args:
        recipe: The recipe; its ``teacher.model`` is a name or a file.
        processes: How many train together.

    Returns:
        The recipe, which now tells the teacher by its name and the SHA-256 of its weights, wherever they lie; and the teacher.
        Without a teacher, the recipe as it is, and None.

    Raises:
        UnknownName: There is no such model or file.
        InputError: It does not say metres, or several processes train together.
        MissingExtra: A package that it needs is not installed.
        WeightsError: Its weights are not there, or cannot be fetched.
    """
    name = recipe.teacher.model
    if not name:
        return recipe, None
    if processes > 1:
        raise InputError(
            f"{processes} processes cannot learn from a teacher: each would ask it about every frame",
            hint="train on one device",
        )
    try:
        spec = resolve_model(name)
    except InputError as error:
        if "--kind" not in error.hint:
            raise
        raise InputError(
            f"{name!r} cannot teach: it does not say what its numbers mean",
            hint="give a model that does, such as a file that leadline train or leadline export made",
        ) from error
    if spec.kind.freedom is not Freedom.NONE or spec.prompted:
        what = "needs a prompt" if spec.prompted else f"says {spec.kind.words}, not metres"
        raise InputError(f"model {name!r} cannot teach: it {what}", hint="give a metric model with --teacher")
    for package in spec.packages:
        need(package, who=f"model {spec.name!r}", extra=spec.extra, install=spec.install)
    weights = fingerprint(locate(spec.weights, name=spec.name))
    told = f"{Path(spec.name).name} {weights}".rstrip()
    return replace(recipe, teacher=replace(recipe.teacher, model=told)), spec


def ask_teacher(
    groups: Sequence[Sequence[Any]],
    *,
    spec: ModelSpec,
    recipe: Any,
    step: Callable[[], object] = lambda: None,
) -> None:
    """Lays what a teacher says upon the truth of frames, in their place.

    The teacher sees each photo whole and as it is, and mirrored, and the mean counts; views are taken of the result, so what
    learns sees harder pictures than its teacher did.

    Args:
        groups: Frames of each dataset, all in memory; each is replaced by one with the depth that is learned from.
        spec: The teacher.
        recipe: The recipe's ``teacher``.
        step: Is called after each frame.

    Raises:
        InputError: Frames do not fit into memory, or an answer is not in metres.
        WeightsError: The teacher's weights are damaged.
        EngineError: The teacher failed.
    """
    if not all(isinstance(frames, list) for frames in groups):
        raise InputError(
            "the frames do not fit into memory, where a teacher's depth is kept with them",
            hint="give them more with --memory-gb, or learn without a teacher",
        )
    teach, as_before = (load(f"leadline.training.teacher:{name}") for name in ("teach", "threads_as_before"))
    with as_before(), open_model(spec, tta="flip") as model:
        for frames in groups:
            for place, frame in enumerate(frames):
                depth = model.predict(Image(frame.rgb_HW3, frame.camera)).depth
                if depth.kind.freedom is not Freedom.NONE:
                    raise InputError(
                        f"model {spec.name!r} cannot teach: it says {depth.kind.words}", hint="give another"
                    )
                z = depth if depth.kind == Kind() else to_axis(to_depth(depth))
                frames[place] = teach(frame, z.values, recipe=recipe)  # type: ignore[index]
                step()
