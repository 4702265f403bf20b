"""Training a network by a recipe: from a folder of photos and depth to a model that is scored and described."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from leadline.core.errors import LeadlineError, OutputError
from leadline.flows.evaluate.records import Evaluation
from leadline.flows.model_card import write_card
from leadline.flows.teaching import ask_teacher
from leadline.flows.train_request import TrainRequest
from leadline.flows.training_plan import TrainPlan
from leadline.flows.training_preparation import Prepared, prepare, setting_of
from leadline.flows.training_score import HELD_OUT, protocol_for, score_held_out
from leadline.io.atomic import write_whole
from leadline.plugins.registry import load

__all__ = ["TrainReport", "TrainRequest", "frames_of", "plan", "train"]

UNKNOWN_MEMORY_BYTES = 16e9


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What a training run left behind.

    Args:
        weights: The finished model: a file, or a checkpoint's folder.
        checkpoint: The last checkpoint, from which a run goes on.
        trained_on: Number of frames learned from.
        held_out: Ids of the samples that were kept for validation.
        evaluation: Its scores on them; None where it was not scored.
        card: The model card; None in processes that write nothing.
        steps_per_s: Steps in a second; NaN where none were left to do.
        waited: Share of that time in which the network waited for data.
        remarks: What its user should know.
        following: Lines to type next.
    """

    weights: Path
    checkpoint: Path
    trained_on: int
    held_out: tuple[str, ...]
    evaluation: Evaluation | None = None
    card: Path | None = None
    steps_per_s: float = float("nan")
    waited: float = float("nan")
    remarks: tuple[str, ...] = ()
    following: tuple[str, ...] = ()


def plan(request: TrainRequest) -> TrainPlan:
    """What a training would do; nothing is written, one sample is read.

    Args:
        request: Recipe, data and output folder.

    Returns:
        The plan.

    Raises:
        LeadlineError: As ``prepare``.
    """
    return prepare(request).plan


def train(request: TrainRequest, *, on_plan: Callable[[TrainPlan], None] | None = None) -> TrainReport:
    """Trains, or goes on where a run into the same folder stopped; then scores, exports and describes what was made.

    Args:
        request: Recipe, data and output folder.
        on_plan: Is told the plan before anything starts.

    Returns:
        What was made.

    Raises:
        MissingExtra: A package of the extra ``train`` is not installed.
        UnknownName: No such recipe or dataset.
        InputError: The recipe is not sound.
        KindError: A loss of the recipe cannot compare what its network says.
        DatasetError: The data is not what the recipe needs.
        WeightsError: Pretrained weights are not there, or a checkpoint is damaged or of another network.
        TrainingError: The loss or its gradient is no number any more, or the loss explodes.
        EngineError: The teacher failed.
        OutputError: The folder or a file cannot be written.
    """
    prepared = prepare(request)
    if on_plan is not None:
        on_plan(prepared.plan)
    _make_folder(prepared.out)
    _check_room(prepared)
    frames, more = frames_of(prepared)
    if request.start is not None and prepared.spec is None:
        load("leadline.training.start:start_from")(
            prepared.network, Path(request.start), frames=frames, more=more, recipe=prepared.recipe
        )
    outcome = load("leadline.training.loop:fit")(
        prepared.network,
        frames=frames,
        held_out=_Chosen(prepared),
        recipe=prepared.recipe,
        out=prepared.out,
        more=more,
        setting=setting_of(request),
    )
    return _finished(prepared, outcome)


class _Chosen:
    """The samples that are held out, each read when it is asked for.

    Args:
        prepared: The training.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.samples, self.places = prepared.samples, prepared.held_out

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self.samples[place] for place in self.places[index]]
        return self.samples[self.places[index]]


def frames_of(prepared: Prepared) -> tuple[Any, list[Any]]:
    """What is learned from, all of it read once, with what a teacher says of it; what is held out is looked at.

    Args:
        prepared: The training.

    Returns:
        Frames of the recipe's dataset, and of each of its further ones, as ``leadline.training.loop.fit`` takes them.

    Raises:
        DatasetError: A frame cannot be read, or has no truth that counts.
        InputError: There is a teacher, and the frames do not fit into memory.
        WeightsError: The teacher's weights are damaged.
        EngineError: The teacher failed.
    """
    read, look = (load(f"leadline.training.frames:{name}") for name in ("read_frames", "look_at_held_out"))
    request, recipe = prepared.request, prepared.recipe
    keep = request.memory_gb * 1e9 or _memory_bytes() / 2
    total = len(prepared.train_on) + sum(source.frames for source in recipe.data.more)
    total += len(prepared.held_out)
    with tqdm(total=total, desc="reading", unit="frame") as bar:
        look(prepared.samples, prepared.held_out, far_m=recipe.evaluate.far_m, step=bar.update)
        frames = read(prepared.samples, prepared.train_on, keep_bytes=keep, step=bar.update)
        more = [
            read(
                source,
                range(data.first, data.first + data.frames),
                keep_bytes=keep,
                far_m=data.far_m,
                step=bar.update,
            )
            for data, source in zip(recipe.data.more, prepared.sources, strict=True)
        ]
    if prepared.teacher is not None:
        with tqdm(total=sum(map(len, (frames, *more))), desc="asking the teacher", unit="frame") as bar:
            ask_teacher([frames, *more], spec=prepared.teacher, recipe=recipe.teacher, step=bar.update)
    return frames, more


def _memory_bytes() -> float:
    """What the machine has, where its system says it."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return UNKNOWN_MEMORY_BYTES


def _finished(prepared: Prepared, outcome: Any) -> TrainReport:
    """Exports, scores and describes, in the one process that does."""
    recipe, out, ids = prepared.recipe, prepared.out, prepared.plan.held_out
    model = out / (
        recipe.export.name if recipe.export.form == "transformers" else f"{recipe.export.name}.onnx"
    )
    if not outcome.leads:
        return TrainReport(model, outcome.checkpoint, len(prepared.train_on), ids)
    with write_whole(out / HELD_OUT) as part:
        part.write_text("".join(f"{name}\n" for name in ids), "utf-8")
    _export(prepared, model)
    evaluation, remarks = _scored(prepared, model)
    if recipe.export.checkpoint == "best" and not outcome.best:
        remarks += ("it holds the last step's weights: the best validation was not in this folder",)
    card = write_card(out / "MODEL_CARD.md", prepared=prepared, model=model, evaluation=evaluation)
    if model.is_dir():
        with write_whole(model / "README.md") as part:
            shutil.copyfile(card, part)
    return TrainReport(
        model,
        outcome.checkpoint,
        len(prepared.train_on),
        ids,
        evaluation,
        card,
        outcome.steps_per_s,
        outcome.waited,
        remarks,
        _following(prepared, model),
    )


def _export(prepared: Prepared, model: Path) -> None:
    network = prepared.network.folded()
    if prepared.recipe.export.form == "transformers":
        network.save(model)
    else:
        load("leadline.exporters.onnx:export_network")(network, model, record=prepared.recipe.record)


def _scored(prepared: Prepared, model: Path) -> tuple[Evaluation | None, tuple[str, ...]]:
    if prepared.request.no_evaluation:
        return None, ()
    if not prepared.held_out:
        return None, ("it was not scored: the recipe holds no frame out",)
    try:
        evaluation = score_held_out(
            model,
            recipe=prepared.recipe,
            samples=prepared.samples,
            out=prepared.out,
        )
    except LeadlineError as error:  # hours of training are not thrown away for it
        return None, (f"it was not scored: {error}",)
    return evaluation, ()


def _following(prepared: Prepared, model: Path) -> tuple[str, ...]:
    protocol, changes = protocol_for(prepared.recipe, prepared.samples)
    words = ["--data", prepared.plan.dataset, "--model", str(model), "--protocol", protocol]
    for field, value in changes:
        words += ["--set", f"{field}={value}"]
    for key, value in prepared.recipe.data.options.items():
        words += ["--option", f"{key}={value}"]
    if prepared.held_out:
        words += ["--ids", str(prepared.out / HELD_OUT)]
    predict = ["leadline", "predict", "PHOTO", "--model", str(model)]
    return shlex.join(predict), shlex.join(["leadline", "evaluate", *words])


def _check_room(prepared: Prepared) -> None:
    """Refuses a disk without room for the checkpoints: each stays until the next one is whole."""
    kept = ("last.ckpt", "best.ckpt") if prepared.held_out else ("last.ckpt",)
    due = 1 + sum(not (prepared.out / name).exists() for name in kept)
    need, free = due * prepared.plan.checkpoint_bytes, shutil.disk_usage(prepared.out).free
    if need > free:
        raise OutputError(
            f"the checkpoints take {need / 1e6:,.0f} MB, and {str(prepared.out)!r} has room for {free / 1e6:,.0f} MB",
            hint="free some space or choose another folder",
        )


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{str(path)!r} cannot be made: {error}", hint="choose another folder") from error
