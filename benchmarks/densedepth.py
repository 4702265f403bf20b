"""Trains DenseDepth with each of its three encoders and prints the article's table: rel, rms, log10 on held-out frames.

    python benchmarks/densedepth.py NYU_FOLDER --out RUNS                         # the recipe as it ships
    python benchmarks/densedepth.py NYU_FOLDER --out RUNS --weights FOLDER        # encoders from FOLDER/ENCODER.pth
    python benchmarks/densedepth.py NYU_FOLDER --out RUNS --weights none --every 16   # a few frames, for a look

A run that was stopped goes on; one that is finished is only scored. Scores are means over the recipe's held-out frames, in the
Eigen crop, nothing aligned. The losses of every epoch stay in RUNS/ENCODER/history and are drawn into ``docs/images``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from curves import IMAGES, draw, history

import leadline
from leadline.flows.train import TrainReport, TrainRequest, train
from leadline.ops.metrics import score

HERE = Path(__file__).resolve().parent
ENCODERS = ("densenet169", "densenet121", "resnet50")
LIMITS_M = (1e-3, 10.0)


FEW = (
    "data.held_out_blocks=3",
    "data.held_out_frames=4",
    "data.dropped_frames=0",
    "optimiser.batch=4",
    "optimiser.epochs=8",
)
"""What the recipe does otherwise where frames are left out: the rest are no neighbours any more, and few."""


def subset(data: Path, folder: Path, *, every: int) -> Path:
    """A folder of links to some of the frames."""
    for part in ("image", "depth"):
        (folder / part).mkdir(parents=True, exist_ok=True)
        for file in sorted((data / part).iterdir())[::every]:
            link = folder / part / file.name
            if not link.exists():
                link.symlink_to(file.resolve())
    return folder


def weights_of(encoder: str, folder: str) -> str:
    """What a recipe calls an encoder's weights."""
    if folder == "none":
        return ""
    return f"{folder}/{encoder}.pth" if folder else f"hf:timm/{encoder}.tv_in1k"


def trained(encoder: str, asked: argparse.Namespace) -> TrainReport:
    """One run of the recipe with this encoder."""
    changes = (
        f"network.encoder={encoder}",
        f"network.encoder_weights={weights_of(encoder, asked.weights)}",
        *(FEW if asked.every > 1 else ()),
        *asked.set,
    )
    return train(
        TrainRequest(recipe="densedepth-nyu", data=str(asked.data), out=asked.out / encoder, changes=changes)
    )


def scored(report: TrainReport, data: Path) -> dict[str, float]:
    """Means over the held-out frames of the finished file."""
    samples = leadline.open_dataset(data, name="nyu", options={"window": "eigen"})
    held_out = [sample for sample in samples if sample.id in set(report.held_out)]
    with leadline.open_model(f"onnx:{report.weights}") as model:
        scores = [asdict(score(model.predict(s.image).depth, s.truth, limits_m=LIMITS_M)) for s in held_out]
    return {
        name: float(np.mean([s[name] for s in scores])) for name in ("abs_rel", "rmse", "log10", "delta1")
    }


def main() -> None:
    """Trains, scores, prints, and writes ``results/densedepth.json`` beside this file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights", default="")
    parser.add_argument(
        "--every", type=int, default=1, help="learn from and score every so-manieth frame only"
    )
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--encoders", nargs="+", default=ENCODERS, choices=ENCODERS)
    asked = parser.parse_args()
    if asked.every > 1:
        asked.data = subset(asked.data, asked.out / f"every-{asked.every}", every=asked.every)
    found: dict[str, dict[str, Any]] = {}
    for encoder in asked.encoders:
        report = trained(encoder, asked)
        found[encoder] = {
            **scored(report, asked.data),
            "trained_on": report.trained_on,
            "held_out": len(report.held_out),
            "loss": history(asked.out / encoder)["loss"],
        }
    draw({name: row["loss"] for name, row in found.items()}, IMAGES / "densedepth_loss.png", relative=False)
    print(f"{'encoder':12} {'rel':>7} {'rms':>7} {'log10':>7} {'delta1':>7}")
    for encoder, row in found.items():
        print(
            f"{encoder:12} {row['abs_rel']:7.3f} {row['rmse']:7.3f} {row['log10']:7.3f} {row['delta1']:7.3f}"
        )
    told = {"weights": asked.weights, "every": asked.every, "set": asked.set, "encoders": found}
    (HERE / "results" / "densedepth.json").write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
