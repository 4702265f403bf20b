"""What ``leadline fiftyone`` can be asked for: every option, default, range and help sentence, once for all faces."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from pathlib import Path

from leadline.flows.evaluate.request import EvaluateRequest
from leadline.flows.options import Told, check_bounds, like, told

__all__ = ["FiftyOneRequest"]


@dataclass(frozen=True, slots=True)
class FiftyOneRequest:
    """What ``leadline fiftyone`` is asked for.

    Raises:
        InputError: Something is out of range.
    """

    data: str = like(EvaluateRequest, "data")
    name: str = field(
        default="",
        metadata=told(
            Told(
                "Name of the FiftyOne dataset; the layout's where none is given. Models are added to one that is there."
            )
        ),
    )
    models: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Model: a name, hf:ORG/NAME, a checkpoint's folder, or an ONNX file; repeat it to compare; FIELD=MODEL says "
                "what its predictions are called.",
                flag="model",
                short="m",
                metavar="[FIELD=]MODEL",
                names="model",
                whole=True,
            )
        ),
    )
    predictions: tuple[str, ...] = like(EvaluateRequest, "predictions")
    protocol: str = like(EvaluateRequest, "protocol")
    changes: tuple[str, ...] = like(EvaluateRequest, "changes")
    option: tuple[str, ...] = like(EvaluateRequest, "option")
    split: str = like(EvaluateRequest, "split")
    first: int | None = like(EvaluateRequest, "first")
    spread: int | None = like(EvaluateRequest, "spread")
    ids: Path | None = like(EvaluateRequest, "ids")  # noqa: RUF009  # it makes a field
    out: Path | None = field(
        default=None,
        metadata=told(
            Told("Folder for maps, copied photos and rows; ~/fiftyone/NAME where none is given.", short="o")
        ),
    )
    maps: str = field(
        default="png16",
        metadata=told(
            Told(
                "Where depth is kept: 16-bit PNG files, small, to the millimetre or the truth's own step; or float32 metres in "
                "the database, exact and large.",
                choices=("png16", "float"),
            )
        ),
    )
    no_launch: bool = field(default=False, metadata=told(Told("Do not open the app.")))
    port: int = field(default=5151, metadata=told(Told("Port of the app.", minimum=1, maximum=65535)))
    remote: bool = field(
        default=False, metadata=told(Told("Serve the app without opening a browser on this machine."))
    )
    no_cache: bool = like(EvaluateRequest, "no_cache")
    engine: str = like(EvaluateRequest, "engine")
    device: str = like(EvaluateRequest, "device")
    threads: int = like(EvaluateRequest, "threads")
    batch: int = like(EvaluateRequest, "batch")
    tta: tuple[str, ...] = like(EvaluateRequest, "tta")
    inputs: tuple[str, ...] = like(EvaluateRequest, "inputs")
    kind: str = like(EvaluateRequest, "kind")
    unit: str = like(EvaluateRequest, "unit")
    scale: float | None = like(EvaluateRequest, "scale")
    input_size: str = like(EvaluateRequest, "input_size")
    mean: str = like(EvaluateRequest, "mean")
    std: str = like(EvaluateRequest, "std")
    layout: str = like(EvaluateRequest, "layout")

    def __post_init__(self) -> None:
        check_bounds(self)
        _ = self.evaluation(Path())

    @property
    def called(self) -> dict[str, str]:
        """Models as they were typed, and the field each shall have; empty where that is not said."""
        return {model: name for name, model in map(_split_model, self.models)}

    def evaluation(self, out: Path) -> EvaluateRequest:
        """The evaluation that is done on the way.

        Args:
            out: The folder of its rows.

        Returns:
            The request.
        """
        own = {field.name for field in fields(EvaluateRequest)} - {"models", "out"}
        same = {item.name: getattr(self, item.name) for item in fields(self) if item.name in own}
        return EvaluateRequest(**same, models=tuple(self.called), out=out, no_report=True)


def _split_model(text: str) -> tuple[str, str]:
    """``dpt=MODEL`` says what a model's field is called."""
    name, equals, model = text.partition("=")
    if equals and re.fullmatch(r"[A-Za-z]\w*", name) and not Path(text).exists():
        return name, model
    return "", text
