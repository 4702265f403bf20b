"""Depth from the photo that ships with leadline."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from leadline.core.errors import InputError
from leadline.flows.options import Told, told
from leadline.flows.predict_request import SIDE_BY_SIDE, PredictRequest

__all__ = ["DemoRequest", "bundled_photo", "demo_request"]


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What ``leadline demo`` is asked for."""

    out: Path = field(
        default=Path("leadline-demo"),
        metadata=told(Told("Folder for what is made.", short="o", metavar="FOLDER")),
    )


def bundled_photo() -> Path:
    """The photo that ships with leadline; its credit lies beside it.

    Returns:
        Its path.

    Raises:
        InputError: It is not there.
    """
    folder = Path(str(files("leadline.data"))) / "photos"
    found = sorted(folder.glob("*.jpg"))
    if not found:
        raise InputError(f"the photo that ships is not at {str(folder)!r}", hint="install leadline again")
    return found[0]


def demo_request(request: DemoRequest) -> PredictRequest:
    """The prediction that shows most at once: depth in millimetres, a picture, photo and depth side by side, points.

    Args:
        request: Where to.

    Returns:
        What to run.

    Raises:
        InputError: The photo is not there.
    """
    return PredictRequest(
        (str(bundled_photo()),), out=request.out, formats=("png16", "colour", SIDE_BY_SIDE, "glb")
    )
