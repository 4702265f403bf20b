"""What an evaluation is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from leadline.core.errors import InputError
from leadline.flows.data.choosing import OPTION_HELP, PLACE_HELP, options_said
from leadline.flows.model import DEFAULT_MODEL
from leadline.flows.options import Told, check_bounds, like, told
from leadline.flows.predict_request import PredictRequest, stated_of
from leadline.flows.surer import looks_of
from leadline.flows.typed import named_values
from leadline.plugins.specs import Stated

__all__ = ["EvaluateRequest"]


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """What ``leadline evaluate`` is asked for.

    Raises:
        InputError: Something is out of range, or nobody is to be scored.
    """

    data: str = field(metadata=told(Told(PLACE_HELP, short="d", metavar="PLACE")))
    models: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                f"Model: a name, hf:ORG/NAME, a checkpoint's folder, or an ONNX file; repeat it to compare; "
                f"{DEFAULT_MODEL} where nothing is named.",
                flag="model",
                short="m",
                names="model",
            )
        ),
    )
    predictions: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Folder of depth files that another tool made, named by sample or photo; bare files need --kind and "
                "--unit or --scale.",
                metavar="[NAME=]FOLDER",
                whole=True,
            )
        ),
    )
    protocol: str = field(
        default="",
        metadata=told(
            Told(
                "Protocol: a name ('leadline protocols' lists them) or a TOML file; the dataset's own by default.",
                short="p",
                names="protocol",
            )
        ),
    )
    changes: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Field of the protocol changed by hand: it is another protocol then, and its name says so.",
                flag="set",
                metavar="FIELD=VALUE",
                whole=True,
            )
        ),
    )
    option: tuple[str, ...] = field(
        default=(), metadata=told(Told(OPTION_HELP, metavar="KEY=VALUE", whole=True))
    )
    split: str = field(
        default="", metadata=told(Told("Only this split.", choices=("", "train", "val", "test")))
    )
    first: int | None = field(default=None, metadata=told(Told("The first so many only.", minimum=1)))
    spread: int | None = field(
        default=None, metadata=told(Told("So many samples, spread evenly, instead of all.", minimum=1))
    )
    ids: Path | None = field(
        default=None,
        metadata=told(Told("Only the samples whose ids stand in this file, one a line.", metavar="FILE")),
    )
    out: Path = field(
        default=Path("evaluation"),
        metadata=told(
            Told("Folder for rows, tables and the report; a run that was stopped goes on in it.", short="o")
        ),
    )
    again: bool = field(
        default=False, metadata=told(Told("Score anew what the folder holds rows of already."))
    )
    no_report: bool = field(default=False, metadata=told(Told("Write no HTML report.")))
    no_cache: bool = field(
        default=False, metadata=told(Told("Neither read nor keep predictions between runs."))
    )
    cache_gb: float = field(
        default=10.0,
        metadata=told(Told("Most gigabytes of predictions that are kept; the oldest go.", minimum=0)),
    )
    engine: str = like(PredictRequest, "engine")
    device: str = like(PredictRequest, "device")
    threads: int = like(PredictRequest, "threads")
    precision: str = like(PredictRequest, "precision")
    int8_photos: tuple[str, ...] = like(PredictRequest, "int8_photos")
    batch: int = like(PredictRequest, "batch")
    tta: tuple[str, ...] = like(PredictRequest, "tta")
    inputs: tuple[str, ...] = like(PredictRequest, "inputs")
    kind: str = field(
        default="",
        metadata=told(
            Told(
                "What models or bare prediction files hold, where they do not say so themselves.",
                metavar="KIND",
            )
        ),
    )
    unit: str = field(
        default="",
        metadata=told(
            Told("Unit of an ONNX file's output, or of bare prediction files.", choices=("", "m", "cm", "mm"))
        ),
    )
    scale: float | None = field(
        default=None,
        metadata=told(
            Told(
                "Metres a stored step of bare prediction files, instead of --unit: 0.0002 for 5000 a metre.",
                metavar="METRES",
                minimum=1e-9,
            )
        ),
    )
    input_size: str = like(PredictRequest, "input_size")
    mean: str = like(PredictRequest, "mean")
    std: str = like(PredictRequest, "std")
    layout: str = like(PredictRequest, "layout")

    def __post_init__(self) -> None:
        check_bounds(self)
        _ = self.stated, looks_of(self.tta), self.changed, options_said(self.option)
        if self.first is not None and self.spread is not None:
            raise InputError(
                f"the first {self.first} and {self.spread} spread evenly are both asked for",
                hint="give one of --first and --spread",
            )
        if self.unit and self.scale is not None:
            raise InputError(
                f"unit {self.unit!r} and a scale of {self.scale:g} are both given",
                hint="give one of --unit and --scale",
            )

    @property
    def stated(self) -> Stated:
        """What is said of models that do not say it themselves."""
        return stated_of(self)

    @property
    def changed(self) -> dict[str, str]:
        """The fields of the protocol that are changed, by name."""
        return named_values(self.changes, what="--set far_m=8")

    @property
    def stored_step(self) -> float | None:
        """Metres a stored step of bare prediction files; None where it is not said."""
        return {"": self.scale, "m": 1.0, "cm": 0.01, "mm": 0.001}[self.unit]

    @property
    def asked_models(self) -> tuple[str, ...]:
        """The models, each once; the embedded one where nobody is named."""
        named = tuple(dict.fromkeys(self.models))
        return named or (() if self.predictions else (DEFAULT_MODEL,))
