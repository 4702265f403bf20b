"""Trains the U-Net on real frames and on made-up rooms, and draws how its loss falls.

    python benchmarks/curves.py NYU_FOLDER --out RUNS
    python benchmarks/curves.py NYU_FOLDER --out RUNS --only unet-nyu

Each run is a line of ``leadline train``; one that was stopped goes on, one that is finished is only read. What they came to goes
into ``results/curves.json`` beside this file, the picture into ``docs/images``. Runs that were not asked for stay as they are.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadline.flows.train import TrainRequest, train

HERE = Path(__file__).resolve().parent
RESULTS, IMAGES = HERE / "results" / "curves.json", HERE.parent / "docs" / "images"

FAITHFUL = (
    "network.builder=leadline.models.unet.net:build_tutorial",
    "optimiser.method=sgd",
    "optimiser.encoder_lr=1e-5",
    "optimiser.decoder_lr=1e-5",
    "optimiser.warm_up=0",
    "optimiser.fall=0",
    "loss.0.options={span=256, window=7, k1=1e-4, k2=9e-4}",
    'loss.2={name="target-edge-smoothness", weight=0.9}',
)
"""The tutorial's network, losses and optimiser; see docs/training.md."""

ROOMS = (
    "data.dataset=synthetic",
    "data.options={frames=288, views_per_room=3, width=256, height=256}",
    "data.held_out_scenes=10",
    "export.training_data=Made-up rooms of the dataset 'synthetic'",
)


@dataclass(frozen=True)
class Run:
    """A run.

    Args:
        what: What it is, in a picture.
        recipe: The recipe's name.
        data: ``"nyu"`` or ``"synthetic"``.
        changes: What the recipe does otherwise.
    """

    what: str
    recipe: str
    data: str
    changes: tuple[str, ...] = ()


RUNS = {
    "unet-nyu": Run("recipe unet-nyu, NYU", "unet-nyu", "nyu"),
    "unet-synthetic": Run("recipe unet-diode, made-up rooms", "unet-diode", "synthetic", ROOMS),
    "unet-tutorial": Run("as in the tutorial, made-up rooms", "unet-diode", "synthetic", (*ROOMS, *FAITHFUL)),
}


def history(folder: Path) -> dict[str, list[float]]:
    """Loss and scores by epoch."""
    with open(folder / "history" / "metrics.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    told = ("loss", "abs_rel", "delta1", "data_wait")
    return {name: [float(row[name]) for row in rows if row.get(name)] for name in told}


def learned(name: str, nyu: Path, runs: Path) -> dict[str, Any]:
    """Trains, and says what came of it."""
    run = RUNS[name]
    report = train(
        TrainRequest(
            recipe=run.recipe,
            data=f"nyu:{nyu}" if run.data == "nyu" else None,
            out=runs / name,
            changes=run.changes,
            no_evaluation=True,
        )
    )
    return {
        "what": run.what,
        "recipe": run.recipe,
        "changes": list(run.changes),
        "trained_on": report.trained_on,
        "held_out": len(report.held_out),
        **history(runs / name),
    }


def draw(lines: dict[str, list[float]], path: Path, *, relative: bool) -> None:
    """Draws losses by epoch.

    Args:
        lines: Losses by what they are of.
        path: The picture.
        relative: Whether each is drawn as a share of its first, so that losses of different terms can stand together.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for what, losses in lines.items():
        shown = [loss / losses[0] for loss in losses] if relative else losses
        axes.plot(range(1, len(shown) + 1), shown, marker=".", label=what)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss, as a share of the first epoch's" if relative else "loss")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Trains what is asked for, and draws."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the folder of NYU frames, with image/ and depth/ in it")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="+", default=list(RUNS), choices=list(RUNS))
    asked = parser.parse_args()
    for name in asked.only:
        made = learned(name, asked.data, asked.out)
        results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
        results[name] = made
        RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
        draw({run["what"]: run["loss"] for run in results.values()}, IMAGES / "unet_loss.png", relative=True)


if __name__ == "__main__":
    main()
