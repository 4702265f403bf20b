"""A teacher: another model that is asked once about every frame that is learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.kind import Freedom
from leadline.flows.model import open_model
from leadline.flows.naming import resolve_model
from leadline.ops.geometry import to_axis
from leadline.plugins.need import need
from leadline.plugins.registry import load

__all__ = ["check_teacher", "taught"]


def check_teacher(name: str) -> None:
    """Refuses a teacher that cannot teach, before any data is read.

    Args:
        name: Name of the model, or its file.

    Raises:
        UnknownName: There is no such model or file.
        InputError: It does not say metres.
        MissingExtra: A package that it needs is not installed.
    """
    spec = resolve_model(name)
    if spec.kind.freedom is not Freedom.NONE or spec.prompted:
        what = "needs a prompt" if spec.prompted else f"says {spec.kind.words}, not metres"
        raise InputError(f"model {name!r} cannot teach: it {what}", hint="give a metric model with --teacher")
    for package in spec.packages:
        need(package, who=f"model {spec.name!r}", extra=spec.extra, install=spec.install)


def taught(
    groups: Sequence[Sequence[Any]], *, recipe: Any, step: Callable[[], object] = lambda: None
) -> list[list[Any]]:
    """Frames with the depth that a teacher and the truth agree on.

    The teacher sees each photo whole and as it is, and mirrored, and the mean counts; views are taken of the result, so what
    learns sees harder pictures than its teacher did.

    Args:
        groups: Frames of each dataset, all in memory.
        recipe: The recipe's ``teacher``.
        step: Is called after each frame.

    Returns:
        The frames, in order.

    Raises:
        InputError: Frames do not fit into memory.
        EngineError: The teacher failed.
    """
    if not all(isinstance(frames, list) for frames in groups):
        raise InputError(
            "the frames do not fit into memory, where a teacher's depth is kept with them",
            hint="give them more with --memory-gb, or learn without a teacher: --set teacher.model=",
        )
    teach = load("leadline.training.teacher:teach")
    with open_model(recipe.model, tta="flip") as model:

        def changed(frame: Any) -> Any:
            depth = to_axis(model.predict(Image(frame.rgb_HW3, frame.camera)).depth)
            step()
            return teach(frame, depth.values, recipe=recipe)

        return [[changed(frame) for frame in frames] for frames in groups]
