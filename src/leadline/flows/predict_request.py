"""What a prediction can be asked for: every option, default, range and help sentence, once for all faces."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from leadline.core.errors import InputError
from leadline.core.kind import Kind
from leadline.flows.engine_choice import AUTO
from leadline.flows.model import DEFAULT_MODEL
from leadline.flows.options import Told, check_bounds, told
from leadline.flows.surer import LOOKS, looks_of
from leadline.flows.typed import named_values, size_of, three_numbers, tile_of
from leadline.io.decode import DEFAULT_MAX_PIXELS
from leadline.ops.colour import ColourOptions
from leadline.plugins.builtins import EXPORTERS as FORMATS
from leadline.plugins.ports import COMPILES, PRECISIONS
from leadline.plugins.specs import Stated

__all__ = ["SIDE_BY_SIDE", "PredictRequest", "States", "parse_range", "stated_of"]

SIDE_BY_SIDE = "side-by-side"


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """What ``leadline predict`` is asked for."""

    sources: tuple[str, ...] = field(
        metadata=told(
            Told(
                "Photos, folders, globs, @lists of photos, http(s) addresses, or - for standard input.",
                positional=True,
            )
        )
    )
    out: Path = field(
        default=Path("depth"), metadata=told(Told("Folder for what is made.", short="o", metavar="FOLDER"))
    )
    formats: tuple[str, ...] = field(
        default=("png16", "colour"),
        metadata=told(
            Told(
                f"What to make, of {', '.join(FORMATS)}; repeat it or use commas.",
                flag="format",
                short="f",
                names="exporter",
            )
        ),
    )
    models: tuple[str, ...] = field(
        default=(DEFAULT_MODEL,),
        metadata=told(
            Told(
                "Model: a name, hf:ORG/NAME, replicate:OWNER/MODEL, a checkpoint's folder, or an ONNX file; "
                "several are laid side by side.",
                flag="model",
                short="m",
                names="model",
            )
        ),
    )
    colormap: str = field(
        default="viridis",
        metadata=told(
            Told(
                "Colour map of pictures: viridis, magma, inferno, plasma, turbo, jet, gray, Spectral; _r reverses.",
                names="colormap",
            )
        ),
    )
    range: str | tuple[float, float] = field(
        default="robust",
        metadata=told(
            Told(
                "Values the colours span: 2nd to 98th percentile, all, or two numbers in the depth's unit.",
                metavar="robust|full|LO,HI",
            )
        ),
    )
    side_by_side: bool = field(
        default=False, metadata=told(Told("Also make a picture of photo and depth side by side."))
    )
    engine: str = field(
        default=AUTO,
        metadata=told(
            Told(
                "Engine; auto: the one that 'leadline benchmark' found fastest here, else the model's first.",
                names="engine",
            )
        ),
    )
    device: str = field(
        default="auto", metadata=told(Told("Device: auto, cpu, cuda … as the engine offers."))
    )
    threads: int = field(
        default=0,
        metadata=told(Told("CPU threads of the network; 0: one a physical core.", minimum=0, maximum=1024)),
    )
    precision: str = field(
        default="auto",
        metadata=told(
            Told(
                "What the network's numbers are held in while it runs; auto: fp32 on a CPU.",
                choices=PRECISIONS,
            )
        ),
    )
    compile: str = field(
        default="auto",
        metadata=told(
            Told(
                "Whether the engine makes a program of the network first, kept for the next time; auto: where it pays.",
                choices=COMPILES,
            )
        ),
    )
    int8_photos: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Photos that --precision int8 is calibrated on, once: files, folders, globs; like those to be predicted.",
                metavar="PHOTOS",
            )
        ),
    )
    fallback: str = field(
        default="",
        metadata=told(
            Told(
                "Engine that takes over where the other cannot run the model; none does by itself.",
                metavar="ENGINE",
                names="engine",
            )
        ),
    )
    batch: int = field(
        default=0,
        metadata=told(
            Told(
                "Photos of one size that go through the network together; 0: one on a CPU, several on a GPU.",
                minimum=0,
                maximum=256,
            )
        ),
    )
    recursive: bool = field(default=False, metadata=told(Told("Search folders to the bottom.", short="r")))
    skip_existing: bool = field(
        default=False, metadata=told(Told("Leave out what is made already, known by its file name."))
    )
    fov_deg: float | None = field(
        default=None,
        metadata=told(
            Told(
                "Field of view across the longer side, in degrees; metres depend on it.",
                flag="fov",
                metavar="DEGREES",
                minimum=0.1,
                maximum=179.9,
            )
        ),
    )
    focal_px: float | None = field(
        default=None,
        metadata=told(
            Told(
                "Focal length in pixels, instead of --fov.",
                flag="focal",
                metavar="PIXELS",
                minimum=0.001,
            )
        ),
    )
    max_pixels: int = field(
        default=DEFAULT_MAX_PIXELS,
        metadata=told(Told("Largest photo that is decoded, in pixels.", minimum=1)),
    )
    commercial_ok: bool = field(
        default=False, metadata=told(Told("Refuse models whose weights do not allow commercial use."))
    )

    kind: str = field(
        default="",
        metadata=told(
            Told(
                "What the model predicts, where it does not say so itself: metric-depth, affine-invariant-inverse-depth …",
                metavar="KIND",
            )
        ),
    )
    unit: str = field(
        default="", metadata=told(Told("Unit of an ONNX file's output.", choices=("", "m", "cm", "mm")))
    )
    input_size: str = field(
        default="",
        metadata=told(
            Told("Input size of an ONNX file, where its shape leaves it open.", metavar="HEIGHTxWIDTH")
        ),
    )
    mean: str = field(
        default="",
        metadata=told(Told("Mean of an ONNX file's input, for pixels from 0 to 1.", metavar="R,G,B")),
    )
    std: str = field(
        default="",
        metadata=told(Told("Standard deviation of an ONNX file's input, likewise.", metavar="R,G,B")),
    )
    layout: str = field(
        default="",
        metadata=told(Told("Order of an ONNX file's input axes.", choices=("", "NCHW", "NHWC"))),
    )
    inputs: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "A choice of the model's own, such as steps=4; repeat it. 'leadline models show NAME' lists them.",
                flag="input",
                metavar="NAME=VALUE",
                whole=True,
            )
        ),
    )
    tta: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Look at each photo several ways, take the mean and keep the spread as uncertainty: "
                f"{', '.join(LOOKS)}, or both with a comma.",
                metavar="LOOKS",
            )
        ),
    )
    tile: str = field(
        default="off",
        metadata=told(
            Told(
                "Look at large photos in overlapping tiles, for detail: auto chooses their side by the model, or give it.",
                metavar="off|auto|PIXELS",
            )
        ),
    )
    calibration: Path | None = field(
        default=None,
        metadata=told(
            Told("What 'leadline calibrate' found for this model and camera: metres.", metavar="FILE")
        ),
    )
    prompt: Path | None = field(
        default=None,
        metadata=told(
            Told(
                "Low-resolution depth for models that are prompted: a file, or a folder with one of each photo's name.",
                metavar="FILE|FOLDER",
            )
        ),
    )
    prompt_scale: float | None = field(
        default=None,
        metadata=told(
            Told(
                "Metres a stored step of prompts that do not say it themselves: 0.001 for millimetres.",
                metavar="METRES",
                minimum=1e-9,
            )
        ),
    )

    def __post_init__(self) -> None:
        check_bounds(self)
        _ = self.colours, self.stated, looks_of(self.tta), tile_of(self.tile)
        for name in ("formats", "models"):
            if not getattr(self, name):
                raise InputError(f"{name} is empty", hint="name at least one")
        if self.fov_deg is not None and self.focal_px is not None:
            raise InputError(
                f"field of view {self.fov_deg:g}° and focal length {self.focal_px:g} px are both given",
                hint="give one of --fov and --focal",
            )
        if self.calibration is not None and len(set(self.models)) > 1:
            raise InputError(
                f"a calibration is for one model, and {', '.join(dict.fromkeys(self.models))} are asked for",
                hint="predict with one model at a time",
            )
        if self.prompt_scale is not None and self.prompt is None:
            raise InputError(
                "a scale of prompts is given, and no prompt", hint="add --prompt, or leave it out"
            )

    @property
    def colours(self) -> ColourOptions:
        """Colour map and range."""
        return ColourOptions(self.colormap, parse_range(self.range))

    @property
    def stated(self) -> Stated:
        """What is said of models that do not say it themselves."""
        return stated_of(self)

    @property
    def all_formats(self) -> tuple[str, ...]:
        """The formats, with the picture that ``side_by_side`` asks for."""
        return (*self.formats, SIDE_BY_SIDE) if self.side_by_side else self.formats


class States(Protocol):
    """The part of a request that says what models do not say themselves."""

    @property
    def kind(self) -> str:
        """What the model predicts."""
        ...

    @property
    def unit(self) -> str:
        """Unit of its output."""
        ...

    @property
    def input_size(self) -> str:
        """Size of its input."""
        ...

    @property
    def mean(self) -> str:
        """Mean of its input."""
        ...

    @property
    def std(self) -> str:
        """Standard deviation of its input."""
        ...

    @property
    def layout(self) -> str:
        """Order of its input's axes."""
        ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """Choices of its own."""
        ...


def stated_of(request: States) -> Stated:
    """What a request says of models that do not say it themselves.

    Args:
        request: The request.

    Returns:
        The same as a record.

    Raises:
        InputError: A value is not of its form.
    """
    height, width = size_of(request.input_size)
    return Stated(
        Kind.parse(request.kind) if request.kind else None,
        request.unit,
        height,
        width,
        three_numbers(request.mean, what="mean"),
        three_numbers(request.std, what="std"),
        request.layout,
        named_values(request.inputs),
    )


def parse_range(text: str | tuple[float, float]) -> str | tuple[float, float]:
    """Reads the range that colours span.

    Args:
        text: ``"robust"``, ``"full"``, ``"LO,HI"``, or two numbers.

    Returns:
        The word as it is, or the two numbers.

    Raises:
        InputError: There is a comma, but not a number on each side of it.

    Example:
        >>> parse_range("0.5,6")
        (0.5, 6.0)
    """
    if not isinstance(text, str) or "," not in text:
        return text
    try:
        low, high = map(float, text.split(","))
    except ValueError as error:
        raise InputError(f"range {text!r} is not two numbers", hint="such as 0.5,6") from error
    return (low, high)
