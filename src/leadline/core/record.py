"""The record that travels with every depth file and every answer (law 7)."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from leadline.core.camera import Camera
from leadline.core.errors import InputError
from leadline.core.kind import Kind
from leadline.core.results import ModelRecord

__all__ = ["RECORD_KEY", "Encoding", "Record"]

RECORD_KEY = "leadline"
"""Name of the text chunk, tag, attribute or member that holds the record."""

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Encoding:
    """How stored numbers become values: value = stored x scale + offset.

    Args:
        scale: Units per stored step.
        offset: Value of stored 0 (before markers are taken out).
        invalid: Stored number that marks an unknown pixel, or None (NaN in float files).
        infinite: Stored number that marks known sky, or None.

    Raises:
        InputError: Scale or offset is not a finite number, or the scale is 0.
    """

    scale: float = 1.0
    offset: float = 0.0
    invalid: float | None = None
    infinite: float | None = None

    def __post_init__(self) -> None:
        numbers = all(isinstance(value, Real) and math.isfinite(value) for value in (self.scale, self.offset))
        if not numbers or self.scale == 0:
            raise InputError(
                f"depth encoding with scale {self.scale!r} and offset {self.offset!r} decodes nothing",
                hint="give a finite scale other than 0 and a finite offset",
            )


@dataclass(frozen=True, slots=True)
class Record:
    """Kind, unit, encoding, camera and maker of a depth map, as JSON.

    Args:
        kind: What the values mean.
        encoding: How they are stored.
        camera: Who saw them.
        model: Who made them; None for measured depth.
        source: What the photo was called.
        scale_uncertain: Whether the metre rests on a focal length that was only assumed; files that do not say are read
            as False.

    Example:
        >>> Record.from_json(Record(Kind()).to_json()).kind == Kind()
        True
    """

    kind: Kind
    encoding: Encoding = field(default_factory=Encoding)
    camera: Camera | None = None
    model: ModelRecord | None = None
    source: str = ""
    scale_uncertain: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        encoding = self.encoding
        return {
            "leadline": FORMAT_VERSION,
            "kind": str(self.kind),
            "unit": self.kind.unit,
            "encoding": {
                "scale": encoding.scale,
                "offset": encoding.offset,
                "invalid": encoding.invalid,
                "infinite": encoding.infinite,
            },
            "camera": None if self.camera is None else self.camera.to_dict(),
            "model": None if self.model is None else self.model.to_dict(),
            "source": self.source,
            "scale_uncertain": self.scale_uncertain,
        }

    def to_json(self) -> str:
        """The record as one line of JSON, ASCII only."""
        return json.dumps(self.to_dict(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Reads what ``to_json`` wrote.

        Args:
            text: One JSON object.

        Returns:
            The record.

        Raises:
            InputError: The text is not a record of a version this leadline knows.
        """
        try:
            data = json.loads(text)
            if data["leadline"] > FORMAT_VERSION:
                raise InputError(
                    f"depth record of format {data['leadline']} is newer than this leadline knows",
                    hint="update leadline",
                )
            camera, model, uncertain = data["camera"], data["model"], data.get("scale_uncertain", False)
            if not isinstance(uncertain, bool):
                raise TypeError(f"scale_uncertain is {uncertain!r}")
            return cls(
                Kind.parse(data["kind"]),
                Encoding(**data["encoding"]),
                None if camera is None else Camera.from_dict(camera),
                None if model is None else ModelRecord(**model),
                data["source"],
                uncertain,
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise InputError(
                f"the depth record is damaged ({error})", hint="read the file with an explicit kind instead"
            ) from error
