"""Scoring what a training made, on what it did not learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leadline.core.errors import InputError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.flows.data.collection import Collection
from leadline.flows.evaluate.protocol_files import default_protocol
from leadline.flows.evaluate.records import Evaluation
from leadline.flows.evaluate.request import EvaluateRequest
from leadline.flows.evaluate.run import run

__all__ = ["HELD_OUT", "protocol_for", "score_held_out"]

HELD_OUT = "held_out.txt"
"""Name of the list of ids that were held out."""

PLAIN = "scannet"
"""Metres as they are, all pixels: what a dataset without a protocol of its own is scored under, with another far end."""


def protocol_for(recipe: Any, samples: Collection) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The protocol that the recipe names, or that its model's kind and its dataset ask for.

    Args:
        recipe: The recipe.
        samples: The dataset.

    Returns:
        Its name, and the fields of it that are changed.
    """
    chosen = recipe.evaluate
    if chosen.protocol:
        pairs = (change.partition("=") for change in chosen.changes)
        return chosen.protocol, tuple((name, value) for name, _, value in pairs)
    kind = Kind.parse(recipe.export.kind)
    far = (("far_m", f"{chosen.far_m:g}"), ("data_range_m", f"{chosen.far_m:g}"))
    if kind.freedom is not Freedom.NONE:
        space = "inverse-depth" if kind.quantity is Quantity.INVERSE else "depth"
        return f"zero-shot-affine-{space}", far
    try:
        return default_protocol(samples.spec.name, recipe.data.options), ()
    except InputError:
        return PLAIN, (("dataset", "any"), *far)


def score_held_out(model: Path, *, recipe: Any, samples: Collection, out: Path) -> Evaluation:
    """Scores a finished model on the samples that were held out.

    Args:
        model: Its file or folder.
        recipe: The recipe.
        samples: The dataset.
        out: The run's folder, with the list of what was held out.

    Returns:
        The evaluation; its rows, tables and report are in ``evaluation``.

    Raises:
        LeadlineError: As an evaluation.
    """
    protocol, changes = protocol_for(recipe, samples)
    name = samples.spec.name
    request = EvaluateRequest(
        f"{name}:{samples.place}" if samples.place else name,
        models=(str(model),),
        protocol=protocol,
        changes=tuple(f"{field}={value}" for field, value in changes),
        option=tuple(f"{key}={value}" for key, value in recipe.data.options.items()),
        ids=out / HELD_OUT,
        out=out / "evaluation",
        again=True,
        no_cache=True,
    )
    return run(request)
