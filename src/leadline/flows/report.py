"""What a run over photos tells: events while it goes on, and a report at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from leadline.core.camera import Camera
from leadline.core.results import ModelRecord, Prediction

__all__ = [
    "Event",
    "Failed",
    "Fetching",
    "Listener",
    "Made",
    "Photo",
    "Predicted",
    "Report",
    "Skipped",
    "Started",
]


@dataclass(frozen=True, slots=True)
class Made:
    """What one model made of a photo.

    Args:
        model: Its name.
        words: The depth as one honest line.
        kind: The kind of the depth, as text.
        unit: Its unit.
        low: Smallest valid value, or None where no pixel is valid.
        high: Largest valid value, or None where no pixel is valid.
        valid: Share of valid pixels.
        camera: The photo's camera.
        time_s: Seconds the network took.
        scale_uncertain: Whether its metres rest on a focal length that was only assumed.
    """

    model: str
    words: str
    kind: str
    unit: str
    low: float | None
    high: float | None
    valid: float
    camera: Camera
    time_s: float
    scale_uncertain: bool = False

    @classmethod
    def of(cls, prediction: Prediction) -> Made:
        """Reads it off a prediction.

        Args:
            prediction: The prediction.

        Returns:
            What is worth keeping when the pixels are gone.
        """
        depth = prediction.depth
        low, high = depth.range() or (None, None)
        return cls(
            prediction.model.name,
            repr(depth),
            str(depth.kind),
            depth.unit,
            low,
            high,
            float(depth.valid.mean()),
            prediction.image.camera,
            prediction.time_s,
            depth.scale_uncertain,
        )

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return {
            "model": self.model,
            "depth": self.words,
            "kind": self.kind,
            "unit": self.unit,
            "low": self.low,
            "high": self.high,
            "valid": self.valid,
            "camera": self.camera.to_dict(),
            "time_s": self.time_s,
        }


@dataclass(frozen=True, slots=True)
class Fetching:
    """A model's weights are not here, and will be fetched.

    Args:
        model: Its name.
        words: How much it is, and on what terms.
    """

    model: str
    words: str

    def to_dict(self) -> dict[str, Any]:
        """The event as plain JSON values."""
        return {"event": "fetching", "model": self.model, "terms": self.words}


@dataclass(frozen=True, slots=True)
class Started:
    """The run begins.

    Args:
        total: Photos that were found.
        models: Who will predict.
        notices: What must be known before the first photo: that photos leave this machine, or cost money.
    """

    total: int
    models: tuple[ModelRecord, ...]
    notices: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The event as plain JSON values."""
        return {
            "event": "started",
            "total": self.total,
            "models": [model.to_dict() for model in self.models],
            "notices": list(self.notices),
        }


@dataclass(frozen=True, slots=True)
class Predicted:
    """A photo is done.

    Args:
        source: What the photo was called.
        outputs: The files that were written.
        made: What each model made of it.
    """

    source: str
    outputs: tuple[Path, ...]
    made: tuple[Made, ...]

    def to_dict(self) -> dict[str, Any]:
        """The event as plain JSON values."""
        return {
            "event": "done",
            "source": self.source,
            "outputs": [str(path) for path in self.outputs],
            "made": [made.to_dict() for made in self.made],
        }


@dataclass(frozen=True, slots=True)
class Skipped:
    """A photo was left out because all its outputs are there.

    Args:
        source: What the photo was called.
    """

    source: str

    def to_dict(self) -> dict[str, Any]:
        """The event as plain JSON values."""
        return {"event": "skipped", "source": self.source}


@dataclass(frozen=True, slots=True)
class Failed:
    """A photo cannot be used; the others go on.

    Args:
        source: What the photo was called.
        reason: Why, and what to do.
        code: The error's code.
        error: The error itself.
    """

    source: str
    reason: str
    code: str
    error: Exception

    def to_dict(self) -> dict[str, Any]:
        """The event as plain JSON values."""
        return {"event": "failed", "source": self.source, "reason": self.reason, "code": self.code}


Photo: TypeAlias = Predicted | Skipped | Failed
Event: TypeAlias = Fetching | Started | Photo
Listener: TypeAlias = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What a run over photos came to, each list in the order the photos were found.

    Args:
        out: The output folder.
        models: Who predicted.
        done: Photos that were predicted.
        skipped: Photos whose outputs were there.
        failed: Photos that could not be used, with reasons.
        time_s: Seconds of wall time, models' loading not counted.
        remarks: What came up meanwhile that its user should know: that another engine took over, for one.
    """

    out: Path
    models: tuple[ModelRecord, ...]
    done: tuple[Predicted, ...]
    skipped: tuple[Skipped, ...]
    failed: tuple[Failed, ...]
    time_s: float
    remarks: tuple[str, ...] = ()

    @property
    def photos_per_s(self) -> float:
        """Photos done in a second of wall time."""
        return len(self.done) / self.time_s if self.time_s > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The sums as plain JSON values; the photos themselves were events."""
        return {
            "event": "summary",
            "out": str(self.out),
            "models": [model.to_dict() for model in self.models],
            "done": len(self.done),
            "skipped": len(self.skipped),
            "failed": len(self.failed),
            "time_s": self.time_s,
            "photos_per_s": self.photos_per_s,
            "remarks": list(self.remarks),
        }
