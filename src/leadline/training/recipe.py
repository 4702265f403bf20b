"""Recipes: everything that decides a training run, as data."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from hashlib import sha256
from typing import Any

from leadline.core.errors import InputError
from leadline.core.kind import Kind

__all__ = [
    "DataRecipe",
    "EvaluateRecipe",
    "ExportRecipe",
    "LossRecipe",
    "MoreData",
    "NetworkRecipe",
    "OptimiserRecipe",
    "Recipe",
    "TeacherRecipe",
    "ViewRecipe",
]


def _require(ok: bool, name: str, value: object, need: str) -> None:
    if not ok:
        raise InputError(
            f"recipe: {name} = {value!r} is not {need}", hint="correct it in the recipe, or where it is set"
        )


def _chances(record: object, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        _require(0 <= value <= 1, name, value, "between 0 and 1")


def _positive(record: object, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        _require(value > 0, name, value, "positive")


def _not_negative(record: object, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        _require(value >= 0, name, value, "at least 0")


PARTS = ("all", "head", "low-rank")


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """Which network is trained.

    Args:
        builder: ``MODULE:FUNCTION`` that makes the network.
        widths: Channels of its blocks, in the order the network states; its own where empty.
        encoder: Name of its encoder; empty where it has none of its own.
        encoder_weights: Pretrained weights: ``PACKAGE:FILE``, ``hf:`` and a checkpoint on the Hugging Face hub, or a path; empty
            for random ones.
        drop_path: Chance that a residual branch is left out in training.
        starts_from: Name of the recipe whose model file the training begins with; empty where it begins anew.
        pretrained: A depth model that is trained on as it is: a name, ``hf:ORG/NAME`` or a checkpoint's folder; else empty.
        trains: What of a pretrained model moves: ``"all"``, ``"head"`` (all but its encoder) or ``"low-rank"`` (the head, and
            low-rank changes of the encoder's attention; Hu et al., "LoRA", ICLR 2022).
        rank: Rank of those changes.
    """

    builder: str
    widths: tuple[int, ...] = ()
    encoder: str = ""
    encoder_weights: str = ""
    drop_path: float = 0.0
    starts_from: str = ""
    pretrained: str = ""
    trains: str = "all"
    rank: int = 8

    def __post_init__(self) -> None:
        _require(":" in self.builder, "builder", self.builder, "MODULE:FUNCTION")
        _require(self.trains in PARTS, "trains", self.trains, f"one of {', '.join(PARTS)}")
        _positive(self, "rank")
        _require(min(self.widths, default=1) > 0, "widths", self.widths, "a list of positive numbers")
        _chances(self, "drop_path")


@dataclass(frozen=True, slots=True)
class MoreData:
    """A further dataset of which some frames join each epoch.

    Args:
        dataset: Registry name of the dataset.
        first: Position of the first frame that may be used.
        frames: How many may be used, from there on.
        frames_per_epoch: How many of them are drawn for each epoch.
        far_m: What lies beyond counts as unknown.
        options: What the dataset is opened with.
    """

    dataset: str
    first: int
    frames: int
    frames_per_epoch: int
    far_m: float
    options: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _not_negative(self, "first")
        _positive(self, "frames", "frames_per_epoch", "far_m")
        ok = self.frames_per_epoch <= self.frames
        _require(ok, "frames_per_epoch", self.frames_per_epoch, f"at most frames = {self.frames}")


@dataclass(frozen=True, slots=True)
class DataRecipe:
    """Which frames are trained on, and which are kept for validation.

    Args:
        dataset: Registry name of the dataset; empty for whatever is given.
        held_out_blocks: Number of contiguous, evenly spaced blocks of frames kept for validation.
        held_out_frames: Frames in each block.
        dropped_frames: Frames left out on each side of a block, because they may show the same scene.
        held_out_scenes: Number of whole scenes, evenly spaced by name, kept for validation where the dataset names them.
        options: What the dataset is opened with.
        dropped_ids: Ids of further frames that are left out, because they show a place that is held out.
        more: Further datasets that are learned from.
        held_out_share: Share of what is given that is kept for validation: the split ``val`` where there is one, else whole scenes
            where they are named, else the last frames. What the dataset calls ``test`` is then left alone.
    """

    dataset: str
    held_out_blocks: int = 0
    held_out_frames: int = 0
    dropped_frames: int = 0
    held_out_scenes: int = 0
    options: dict[str, str] = field(default_factory=dict)
    dropped_ids: tuple[str, ...] = ()
    more: tuple[MoreData, ...] = ()
    held_out_share: float = 0.0

    def __post_init__(self) -> None:
        _not_negative(self, "held_out_blocks", "held_out_frames", "dropped_frames", "held_out_scenes")
        one = not (self.held_out_blocks and self.held_out_scenes)
        _require(one, "held_out_scenes", self.held_out_scenes, "0 beside held_out_blocks")
        _require(
            0 <= self.held_out_share < 1, "held_out_share", self.held_out_share, "at least 0 and below 1"
        )
        alone = not (self.held_out_share and (self.held_out_blocks or self.held_out_scenes))
        _require(alone, "held_out_share", self.held_out_share, "0 beside held_out_blocks and held_out_scenes")
        if self.held_out_blocks:
            _positive(self, "held_out_frames")

    @property
    def holds_out(self) -> bool:
        """Whether anything is kept for validation."""
        return bool(self.held_out_blocks or self.held_out_scenes or self.held_out_share)


@dataclass(frozen=True, slots=True)
class ViewRecipe:
    """How views of a frame are drawn.

    Args:
        shapes: Rows, columns and relative frequency of each batch shape; empty for a pretrained model's own.
        whole_frame_chance: Chance that the whole frame is taken where the shape fits it.
        smallest_zoom: Smallest side of a crop, as a share of the largest crop that fits.
        aspect_jitter: Largest change of a crop's aspect ratio, as a share.
        flip_chance: Chance of a mirrored view.
        brightness_jitter: Largest change of brightness, as a share.
        gamma_jitter: Largest change of gamma, as a share.
        channel_jitter: Largest change of one channel's gain, as a share.
        saturation_jitter: Largest change of saturation, as a share.
        blur_chance: Chance of a blur.
        blur_max_px: Largest radius of the blur.
        noise_chance: Chance of noise.
        noise_max: Largest standard deviation of the noise, in 8-bit steps.
    """

    shapes: tuple[tuple[int, int, int], ...]
    whole_frame_chance: float
    smallest_zoom: float
    aspect_jitter: float
    flip_chance: float
    brightness_jitter: float
    gamma_jitter: float
    channel_jitter: float
    saturation_jitter: float
    blur_chance: float
    blur_max_px: float
    noise_chance: float
    noise_max: float

    def __post_init__(self) -> None:
        for shape in self.shapes:
            ok = len(shape) == 3 and min(shape) > 0
            _require(ok, "shapes", shape, "[rows, columns, frequency], all positive")
        _chances(self, "whole_frame_chance", "flip_chance", "blur_chance", "noise_chance")
        _chances(self, "smallest_zoom", "aspect_jitter", "brightness_jitter", "gamma_jitter")
        _chances(self, "channel_jitter", "saturation_jitter")
        _positive(self, "smallest_zoom")
        _not_negative(self, "blur_max_px", "noise_max")


@dataclass(frozen=True, slots=True)
class LossRecipe:
    """One term of what is made small.

    Args:
        name: Name of the loss.
        weight: Its weight in the sum.
        options: What the loss lets one choose.
        only: Kind of the networks that this term is for, such as ``"metric-depth"``; empty for all.
    """

    name: str
    weight: float
    options: dict[str, str] = field(default_factory=dict)
    only: str = ""

    def __post_init__(self) -> None:
        _positive(self, "weight")
        if self.only:
            Kind.parse(self.only)


@dataclass(frozen=True, slots=True)
class TeacherRecipe:
    """Another model, a larger one as a rule, whose depth is learned from beside the truth (Hinton et al. 2015).

    Args:
        model: Name of a metric model, or its file; empty for none.
        share: How far the target goes from the truth, 0, to what the teacher says, 1, in the logarithm of depth.
        trust: Largest difference of logarithms at which it is heeded: where it says something else altogether, as at edges that
            it blurs, the truth stands.
    """

    model: str = ""
    share: float = 0.5
    trust: float = 0.2

    def __post_init__(self) -> None:
        _chances(self, "share")
        _positive(self, "trust")


METHODS = ("adamw", "adam", "sgd")
SCHEDULES = ("cosine", "linear", "polynomial")
PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class OptimiserRecipe:
    """How weights are changed.

    Args:
        epochs: Passes over the training frames.
        batch: Views in a step.
        encoder_lr: Peak learning rate of the pretrained encoder.
        decoder_lr: Peak learning rate of the rest.
        weight_decay: AdamW's weight decay.
        warm_up: Share of all steps in which the rates rise.
        ema_decay: Decay of the moving average of the weights, which is what is kept; less in the first steps (``rising``).
        settle_batches: Batches on which the average's batch normalisation is measured anew.
        clip_norm: Largest norm of the gradient.
        validate_every: Epochs between validations.
        fall: Share of all steps, at the end, in which the rates fall as a cosine; 1 from the warm-up on, 0 never.
        method: ``"adamw"``, ``"adam"`` or ``"sgd"`` (plain gradient descent).
        schedule: How the rates fall: ``"cosine"``, ``"linear"`` or ``"polynomial"`` (to the power of 0.9).
        precision: What the network computes in: ``"float32"``, or mixed with ``"bfloat16"`` or (on a GPU) ``"float16"``.
        accumulate: Batches whose gradients are added up for a step.
        patience: Validations without a better one after which training ends; 0 never ends it early.
        explosion: Times the usual loss (the median of the last ones) at which training stops and names the samples.
        start_share: Share of the weights the run began with in those that are kept (WiSE-FT); 0 for none.
    """

    epochs: int
    batch: int
    encoder_lr: float
    decoder_lr: float
    weight_decay: float
    warm_up: float
    ema_decay: float
    settle_batches: int
    clip_norm: float
    validate_every: int
    fall: float = 1.0
    method: str = "adamw"
    schedule: str = "cosine"
    precision: str = "float32"
    accumulate: int = 1
    patience: int = 0
    explosion: float = 100.0
    start_share: float = 0.0

    def __post_init__(self) -> None:
        for name, known in (("method", METHODS), ("schedule", SCHEDULES), ("precision", PRECISIONS)):
            _require(getattr(self, name) in known, name, getattr(self, name), f"one of {', '.join(known)}")
        _positive(self, "accumulate")
        _not_negative(self, "patience")
        _require(self.explosion > 1, "explosion", self.explosion, "above 1")
        _positive(
            self,
            "epochs",
            "batch",
            "encoder_lr",
            "decoder_lr",
            "clip_norm",
            "validate_every",
            "settle_batches",
        )
        _not_negative(self, "weight_decay")
        _chances(self, "warm_up", "ema_decay", "fall", "start_share")


@dataclass(frozen=True, slots=True)
class EvaluateRecipe:
    """How the finished model is scored on what was held out.

    Args:
        protocol: Name of the protocol; the dataset's own where empty.
        changes: Fields of the protocol changed by hand, ``FIELD=VALUE`` each.
        far_m: Farthest truth that counts in the validations while it learns.
    """

    protocol: str = ""
    changes: tuple[str, ...] = ()
    far_m: float = 10.0

    def __post_init__(self) -> None:
        _positive(self, "far_m")


FORMS = ("onnx", "transformers")


@dataclass(frozen=True, slots=True)
class ExportRecipe:
    """What the finished file says of itself.

    Args:
        name: Name of the model.
        version: Its version.
        kind: What its numbers mean.
        licence: Licence of the weights.
        commercial: Whether they may be used commercially: ``"yes"``, ``"no"`` or ``"unclear"``.
        training_data: What it was trained on.
        form: ``"onnx"``, a file that holds its own pre- and post-processing; or ``"transformers"``, a checkpoint's folder.
        checkpoint: Which weights it holds: those of the ``"last"`` step or of the ``"best"`` validation.
    """

    name: str
    version: str
    kind: str
    licence: str
    commercial: str
    training_data: str
    form: str = "onnx"
    checkpoint: str = "last"

    def __post_init__(self) -> None:
        Kind.parse(self.kind)
        _require(self.form in FORMS, "form", self.form, f"one of {', '.join(FORMS)}")
        _require(self.checkpoint in ("last", "best"), "checkpoint", self.checkpoint, "'last' or 'best'")
        known = self.commercial in ("yes", "no", "unclear")
        _require(known, "commercial", self.commercial, "'yes', 'no' or 'unclear'")


def _said(value: Any) -> Any:
    """What is said in a recipe: options that are left at their default are not."""
    if isinstance(value, tuple):
        return [_said(item) for item in value]
    if not is_dataclass(value):
        return value
    said = {option.name: getattr(value, option.name) for option in fields(value)}
    return {name: _said(kept) for name, kept in said.items() if kept != _default(type(value), name)}


def _default(cls: Any, name: str) -> object:
    option = next(option for option in fields(cls) if option.name == name)
    return option.default_factory() if option.default_factory is not MISSING else option.default


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training run.

    Args:
        name: What ``leadline train`` calls it.
        seed: Start of all randomness.
        network: Which network.
        data: Which frames.
        views: How views of a frame are drawn.
        loss: The terms of what is made small.
        optimiser: How.
        export: What the finished file says of itself.
        evaluate: How it is scored.
        teacher: Whose depth is learned from beside the truth.
    """

    name: str
    seed: int
    network: NetworkRecipe
    data: DataRecipe
    views: ViewRecipe
    loss: tuple[LossRecipe, ...]
    optimiser: OptimiserRecipe
    export: ExportRecipe
    evaluate: EvaluateRecipe = EvaluateRecipe()
    teacher: TeacherRecipe = TeacherRecipe()

    def __post_init__(self) -> None:
        _require(bool(self.loss), "loss", self.loss, "one or more terms, each a table [[loss]]")
        shaped = bool(self.views.shapes or self.network.pretrained)
        _require(shaped, "shapes", self.views.shapes, "a list of [rows, columns, frequency]")
        if not (self.data.holds_out and self.optimiser.validate_every <= self.optimiser.epochs):
            never = "where nothing is ever validated (data.held_out_*, optimiser.validate_every)"
            _require(
                self.export.checkpoint == "last", "checkpoint", self.export.checkpoint, f"'last', {never}"
            )
            _require(not self.optimiser.patience, "patience", self.optimiser.patience, f"0, {never}")

    @property
    def digest(self) -> str:
        """SHA-256 of all values, whatever the file's comments and order.

        Options that have a default count only where they differ from it, so that a new one leaves old digests as they are.
        """
        return sha256(json.dumps(_said(self), sort_keys=True).encode()).hexdigest()

    @property
    def record(self) -> dict[str, str]:
        """What goes into the finished file's metadata."""
        said = {
            name: value for name, value in asdict(self.export).items() if name not in ("form", "checkpoint")
        }
        return {**said, "recipe": self.name, "recipe_sha256": self.digest}
