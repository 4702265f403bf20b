"""Compares every family's numbers with transformers' and diffusers' own, with the same weights.

    python benchmarks/parity.py

Random-weight checkpoints in the true format stand in for downloads. Photos are made, of nine odd sizes and aspect ratios.
For each family: the largest difference over the largest reference value, against the pipeline and against processor, network
and post-processing by hand, over all photos; how much the reference varies (its least standard deviation over its largest
value); and how far the metric families keep within what the network said before it was enlarged (before the comparison the
reference is brought to the same bounds; without that the difference is the last column).
"""

from __future__ import annotations

import io
import json
import platform
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from diffusers import MarigoldDepthPipeline
from numpy.typing import NDArray
from PIL import Image as PilImage

import leadline
from leadline.core.depth_map import DepthMap
from leadline.core.kind import Kind
from leadline.io.weights import locate
from leadline.plugins.registry import MODELS

HERE = Path(__file__).resolve().parent
SIZES = [(37, 53), (64, 64), (101, 77), (120, 160), (40, 160), (160, 40), (75, 248), (33, 40), (97, 211)]
"""Heights and widths."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """One family's figures."""

    model: str
    pipeline: float | None
    by_hand: float | None
    least_variation: float
    without_bounds: float


def photos() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint16]]]:
    """Smooth shapes with noise, and a depth map in millimetres at a quarter of the size, for the prompted family."""
    for seed, (height, width) in enumerate(SIZES):
        rng = np.random.default_rng(seed)
        rows, columns = np.mgrid[:height, :width]
        waves = [
            127 + 90 * np.sin(rows / rng.uniform(4, 30) + columns / rng.uniform(4, 30) + k) for k in range(3)
        ]
        noisy = np.stack(waves, -1) + rng.normal(0, 12, (height, width, 3))
        rows, columns = np.mgrid[: height // 4, : width // 4]
        prompt_mm = (1500 + 40 * rows + 300 * np.sin(columns / 3)).astype(np.uint16)
        yield np.clip(noisy, 0, 255).astype(np.uint8), prompt_mm


def apart(ours: Array, reference: Array) -> float:
    """max|difference| / max|reference|."""
    assert np.isfinite(ours).all()
    return float(np.abs(ours - reference).max() / np.abs(reference).max())


def transformers_row(name: str) -> Row:
    """A family of transformers."""
    folder = str(locate(MODELS.get(name).weights, name=name))
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    net = transformers.AutoModelForDepthEstimation.from_pretrained(folder).eval()
    prompted = MODELS.get(name).prompted
    pipe = None if prompted else transformers.pipeline("depth-estimation", model=folder)
    metric = MODELS.get(name).kind == Kind() and name != "depth-pro-tiny"
    piped, hand, bare, variation = [], [], [], []
    with leadline.open_model(name) as model:
        for rgb, prompt_mm in photos():
            photo = PilImage.fromarray(rgb)
            more: dict[str, Any] = {"prompt_depth": PilImage.fromarray(prompt_mm)} if prompted else {}
            with torch.no_grad():
                outputs = net(**processor(images=photo, return_tensors="pt", **more))
            (done,) = processor.post_process_depth_estimation(outputs, [rgb.shape[:2]])
            reference = done["predicted_depth"].squeeze().numpy()
            low, high = float(outputs.predicted_depth.min()), float(outputs.predicted_depth.max())
            prompt = DepthMap(prompt_mm.astype(np.float32) / 1000, Kind()) if prompted else None
            ours = model.predict(rgb, prompt=prompt).depth.values
            within = reference.clip(low, high) if metric else reference
            hand.append(apart(ours, within))
            bare.append(apart(ours, reference))
            variation.append(float(reference.std() / np.abs(reference).max()))
            if pipe is not None:
                answer = pipe(photo)["predicted_depth"].squeeze().numpy()
                piped.append(apart(ours, answer.clip(low, high) if metric else answer))
    return Row(name, max(piped) if piped else None, max(hand), min(variation), max(bare))


def marigold_row() -> Row:
    """Marigold through diffusers, the same seed on both sides."""
    name = "marigold-tiny"
    pipe = MarigoldDepthPipeline.from_pretrained(str(locate(MODELS.get(name).weights, name=name)))
    pipe.set_progress_bar_config(disable=True)
    piped, variation = [], []
    with leadline.open_model(name, inputs={"seed": 7}) as model:
        for rgb, _ in photos():
            generator = torch.Generator("cpu").manual_seed(7)
            answer = pipe(PilImage.fromarray(rgb), generator=generator, output_type="np").prediction
            reference = answer.squeeze().astype(np.float32)
            piped.append(apart(model.predict(rgb).depth.values, reference))
            variation.append(float(reference.std() / np.abs(reference).max()))
    return Row(name, max(piped), None, min(variation), max(piped))


def table(rows: list[Row]) -> str:
    """The figures as Markdown."""

    def cell(value: float | None) -> str:
        return "–" if value is None else "0" if value == 0 else f"{value:.1e}"

    lines = [
        "| family | pipeline | by hand | the reference varies by | without bounds |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row.model}` | {cell(row.pipeline)} | {cell(row.by_hand)} | {row.least_variation:.2f} | {cell(row.without_bounds)} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Measures, prints the table, and keeps the figures."""
    transformers.utils.logging.set_verbosity_error()
    names = [
        spec.name
        for spec in MODELS
        if spec.weights.scheme == "code" and spec.network and "marigold" not in spec.name
    ]
    with redirect_stderr(io.StringIO()):
        rows = [*map(transformers_row, names), marigold_row()]
    print(table(rows))
    packages = ("leadline", "torch", "transformers", "diffusers", "numpy", "pillow")
    kept = {
        "python": platform.python_version(),
        "packages": {package: version(package) for package in packages},
        "photos": [f"{width}x{height}" for height, width in SIZES],
        "rows": [asdict(row) for row in rows],
    }
    (HERE / "results" / "parity.json").write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
