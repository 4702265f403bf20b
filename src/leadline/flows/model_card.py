"""The card of a model that was trained: what it learned from, how, how good it is, and what it cannot do."""

from __future__ import annotations

from pathlib import Path

from leadline._version import __version__
from leadline.core.kind import Freedom, Kind
from leadline.flows.evaluate.records import Evaluation
from leadline.flows.training_preparation import Prepared
from leadline.io.atomic import write_whole

__all__ = ["card_text", "write_card"]


FEW = 30
"""Frames; fewer say little."""


def write_card(path: Path, *, prepared: Prepared, model: Path, evaluation: Evaluation | None) -> Path:
    """Writes the card of a finished model.

    Args:
        path: The file.
        prepared: The training.
        model: The finished file or folder.
        evaluation: Its scores, where there are any.

    Returns:
        The file.

    Raises:
        OutputError: It cannot be written.
    """
    with write_whole(path) as part:
        part.write_text(card_text(prepared, model=model, evaluation=evaluation), "utf-8")
    return path


def card_text(prepared: Prepared, *, model: Path, evaluation: Evaluation | None) -> str:
    """The card as Markdown.

    Args:
        prepared: The training.
        model: The finished file or folder.
        evaluation: Its scores, where there are any.

    Returns:
        The text.
    """
    recipe, plan = prepared.recipe, prepared.plan
    export, kind = recipe.export, Kind.parse(recipe.export.kind)
    origin = f"It was trained on from {prepared.spec.name}. " if prepared.spec is not None else ""
    taught = _taught(prepared)
    most = "At most " if recipe.optimiser.patience else ""
    parts = [
        f"# {export.name}",
        f"`{model.name}` predicts {kind.words} from one photo. {origin}Made by leadline {__version__}.",
        "## Data",
        f"{export.training_data}. {plan.trained_on} frames were learned from"
        + (f" ({plan.scenes[0]} scenes)" if any(plan.scenes) else "")
        + f", {len(plan.held_out)} held out"
        + (f" ({plan.scenes[1]} scenes)" if any(plan.scenes) else "")
        + (": `held_out.txt` lists them." if plan.held_out else ".")
        + taught,
        "## Recipe",
        f"`{plan.recipe}`, SHA-256 `{plan.digest}`. {most}{plan.epochs} epochs, {plan.steps} steps of "
        f"{plan.batch} views in {plan.precision}; {plan.parameters / 1e6:.2f} M parameters, {plan.trained / 1e6:.2f} M of them trained.",
        "## Figures",
        _figures(evaluation),
        "## Limits",
        _limits(kind, prepared, evaluation),
        "## Licence",
        f"{export.licence}. Commercial use: {export.commercial}.",
    ]
    return "\n\n".join(parts) + "\n"


def _taught(prepared: Prepared) -> str:
    teacher = prepared.teacher
    if teacher is None:
        return ""
    told = prepared.recipe.teacher.model
    return (
        f" It learned from the depth of `{told}` beside the truth (licence of that model: {teacher.licence})."
    )


def _figures(evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return "None: it was not scored."
    summary = evaluation.summaries[0]
    rows = [
        f"| {name} | {figure.mean:.4g} | {figure.low:.4g} to {figure.high:.4g} | {figure.images} |"
        for name, figure in summary.figures.items()
    ]
    return "\n".join(
        [
            f"On what was held out, under the protocol `{evaluation.protocol.name}`: means over images with 95 % bootstrap "
            "intervals.",
            "",
            "| metric | mean | interval | images |",
            "|---|---|---|---|",
            *rows,
        ]
    )


def _limits(kind: Kind, prepared: Prepared, evaluation: Evaluation | None) -> str:
    limits = [
        "How good it is, nobody has looked at."
        if evaluation is None
        else "The figures tell of photos like those it learned from. What looks otherwise (another camera, place, light) was "
        "not looked at."
    ]
    if kind.freedom is Freedom.NONE and getattr(prepared.network, "canonical_f_px", None) is None:
        limits.append(
            "Its metres are those of the cameras it learned from: it makes nothing of the focal length."
        )
    if kind.freedom is not Freedom.NONE:
        limits.append("Its numbers are not metres: scale and shift differ from photo to photo.")
    if prepared.samples.spec.endless:
        limits.append("It learned from made-up rooms; of real photos expect less.")
    if evaluation is not None and len(prepared.held_out) < FEW:
        limits.append(f"{len(prepared.held_out)} frames held out say little: see the intervals.")
    return "\n".join(f"- {line}" for line in limits)
