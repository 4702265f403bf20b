"""Training throughput of the tutorial's U-Net: ours beside Keras 3, the same batch and loss; and how long steps wait for data.

    python benchmarks/training.py                       # Keras on PyTorch
    python benchmarks/training.py --backends torch jax  # and on others that are installed

Each side trains on one batch in memory (mean absolute difference, plain gradient descent, batch normalisation in training
mode) in a process of its own, in turn, ROUNDS times; the best round counts. Waiting is the share of a pass over made-up
rooms that the loop spends asking for its next batch. Nothing else should run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import numpy as np

HERE = Path(__file__).resolve().parent
KERAS = HERE.parent / "tests" / "models" / "keras_unet.py"
ROUNDS = 3


def steps_per_second(step: Any, *, steps: int) -> float:
    """After two steps that do not count."""
    for _ in range(2):
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return steps / (time.perf_counter() - start)


def ours(batch: int, steps: int) -> float:
    """Images a second of our network, as the loop runs it."""
    import torch

    from leadline.models.unet.net import build_tutorial
    from leadline.training.network import DepthNetwork
    from leadline.training.objective import Objective
    from leadline.training.recipe import LossRecipe

    rng = np.random.default_rng(0)
    rgb = torch.from_numpy(rng.integers(0, 256, (batch, 3, 256, 256)).astype(np.float32))
    rgb = rgb.contiguous(memory_format=torch.channels_last)
    truth_m = torch.from_numpy(rng.uniform(1, 2.7, (batch, 1, 256, 256)).astype(np.float32))
    net = build_tutorial().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    objective = Objective([LossRecipe("l1", 1.0)], network=cast(DepthNetwork, net))
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-5)

    def step() -> None:
        loss = objective(net(rgb), truth_m, rgb=rgb)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return batch * steps_per_second(step, steps=steps)


def keras(batch: int, steps: int) -> float:
    """Images a second of the same network in Keras, on the backend that the environment names."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("keras_unet", KERAS)
    assert spec is not None
    assert spec.loader is not None
    built = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(built)
    from keras import optimizers

    rng = np.random.default_rng(0)
    rgb = rng.uniform(0, 1, (batch, 256, 256, 3)).astype(np.float32)
    target = rng.uniform(0.1, 1, (batch, 256, 256, 1)).astype(np.float32)
    model = built.network()
    model.compile(optimizer=optimizers.SGD(1e-5), loss="mae")
    return batch * steps_per_second(lambda: model.train_on_batch(rgb, target), steps=steps)


def waiting(frames: int) -> float:
    """The share of a pass over made-up rooms that is spent waiting for the next batch."""
    import torch

    import leadline
    from leadline.training.batches import FrameData, pixels_of
    from leadline.training.network import DepthNetwork, build_network
    from leadline.training.objective import Objective
    from leadline.training.recipe_files import load_recipe
    from leadline.training.views import pack

    recipe = load_recipe("unet-nyu", changes=["optimiser.batch=16"])
    net = build_network(recipe).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rooms = leadline.open_dataset("synthetic", options={"frames": frames, "width": 640, "height": 480})
    data = FrameData([pack(s) for s in rooms], [], recipe=recipe, network=cast(DepthNetwork, net))
    objective = Objective(recipe.loss, network=cast(DepthNetwork, net))
    waited, start = 0.0, time.perf_counter()
    asked = start
    for batch in data.train_dataloader():
        waited += time.perf_counter() - asked
        rgb, truth_m = pixels_of(batch)
        objective(net(rgb), truth_m, rgb=rgb).backward()
        asked = time.perf_counter()
    return waited / (time.perf_counter() - start)


def apart(side: str, asked: argparse.Namespace, backend: str = "torch") -> float:
    """One side in a process of its own."""
    command = [
        sys.executable,
        __file__,
        "--side",
        side,
        "--batch",
        str(asked.batch),
        "--steps",
        str(asked.steps),
    ]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measures, prints, and writes ``results/training.json`` beside this file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--backends", nargs="+", default=["torch"])
    parser.add_argument("--side", choices=("ours", "keras", "waiting"))
    asked = parser.parse_args()
    if asked.side:
        made = {"ours": ours, "keras": keras}
        print(waiting(96) if asked.side == "waiting" else made[asked.side](asked.batch, asked.steps))
        return
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        row = {"ours": apart("ours", asked)}
        row |= {f"keras on {b}": apart("keras", asked, b) for b in asked.backends}
        rounds.append(row)
    best = {side: max(row[side] for row in rounds) for side in rounds[0]}
    found = {
        "machine": {
            "processor": platform.processor(),
            "cores": os.cpu_count(),
            "python": sys.version.split()[0],
        },
        "batch": asked.batch,
        "images_per_second": {side: round(value, 2) for side, value in best.items()},
        "times_keras": {s: round(best["ours"] / v, 2) for s, v in best.items() if s != "ours"},
        "share_of_time_waiting_for_data": round(apart("waiting", asked), 4),
    }
    print(json.dumps(found, indent=2))
    (HERE / "results" / "training.json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
