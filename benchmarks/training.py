"""Measures how many images a second the Keras tutorial's U-Net learns from here, beside Keras 3.

    python benchmarks/training.py [--batch 8] [--rounds 7] [--backend torch] [--device cpu]

The same network (256x256, tests hold the two builds together), the tutorial's three losses, Adam, the same number of images a
step, from memory. Each side runs its own usual loop whole: ``leadline.training.loop.fit``, which also makes the views, and
``keras.Model.fit`` on arrays that are ready. Two processes stay open and take turns, a round each, so that whatever else the
machine does falls on both; the ratio is the median over pairs of rounds. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
STEPS, IMAGES, SIDE = 6, 512, 256
SIDES = ("leadline", "keras")


def data() -> tuple[np.ndarray, np.ndarray]:
    """Photos and log depth of made-up rooms, squashed to a square."""
    from PIL import Image as PilImage

    from leadline.datasets.synthetic import render

    photos, depths = [], []
    for number in range(8):
        view = render(0, number, 0, width=SIDE, height=SIDE)
        photos += [view.image.rgb_HW3] * (IMAGES // 8)
        depths += [np.asarray(PilImage.fromarray(view.depth.values))] * (IMAGES // 8)
    return np.stack(photos), np.stack(depths)


class Turns:
    """Runs a round of steps each time the parent says so, and says how long it took."""

    def __init__(self, settle: Any) -> None:
        self.settle, self.step = settle, 0
        self.began = 0.0

    def wait(self) -> None:
        """Until it is this side's turn; the end of its input is the end."""
        if not sys.stdin.readline():
            os._exit(0)
        self.began = time.perf_counter()

    def count(self) -> None:
        """One step is done."""
        self.step += 1
        if self.step % STEPS == 0:
            self.settle()
            print(f"took {time.perf_counter() - self.began}", file=sys.__stdout__, flush=True)
            self.wait()


def settle_for(device: str) -> Any:
    """Waits until the device has done all it was given."""
    import torch

    return torch.cuda.synchronize if device == "gpu" else (lambda: None)


def ours(batch: int, device: str, compiled: bool) -> None:
    """This side: the whole loop, views made by threads while the network learns."""
    from lightning.pytorch.callbacks import Callback

    from leadline.core.camera import Camera
    from leadline.training import loop
    from leadline.training.network import build_network
    from leadline.training.recipe_files import load_recipe
    from leadline.training.setting import Setting
    from leadline.training.views import Frame

    photos, depths = data()
    camera = Camera.assumed(SIDE, SIDE)
    frames = [
        Frame(rgb, (depth * 1000).astype(np.uint16), camera, (0, 0, SIDE, SIDE), str(k))
        for k, (rgb, depth) in enumerate(zip(photos, depths, strict=True))
    ]
    recipe = load_recipe(
        "unet-diode",
        changes=[
            "network.builder=leadline.models.unet.net:build_tutorial",
            "optimiser.method=adam",
            "optimiser.epochs=100000",
            f"optimiser.batch={batch}",
            "loss.0.options={span = 256, window = 7, k1 = 1e-4, k2 = 9e-4}",
            "loss.2={name = 'target-edge-smoothness', weight = 0.9}",
        ],
    )
    recipe = replace(recipe, optimiser=replace(recipe.optimiser, settle_batches=1))
    turns = Turns(settle_for(device))

    class Turn(Callback):  # type: ignore[misc]
        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            print("ready", file=sys.__stdout__, flush=True)
            turns.wait()

        def on_train_batch_end(self, *_: Any) -> None:
            turns.count()

    made = loop._trainer

    def with_turns(*words: Any) -> Any:
        trainer = made(*words)
        trainer.callbacks.append(Turn())
        return trainer

    loop._trainer = with_turns
    setting = Setting(accelerator=device, compiled=compiled, save_every=10**9)
    with tempfile.TemporaryDirectory() as out:
        loop.fit(
            build_network(recipe), frames=frames, held_out=[], recipe=recipe, out=Path(out), setting=setting
        )


def theirs(batch: int, device: str, backend: str) -> None:
    """The other side: Keras' own loop on arrays that are ready."""
    os.environ["KERAS_BACKEND"] = backend
    import keras
    from keras import ops

    sys.path.insert(0, str(HERE.parent / "tests/models"))
    from keras_unet import network

    photos, depths = data()
    rgb = photos.astype(np.float32) / 255
    target = np.log(np.clip(depths, math.exp(0.1), 300.0)).astype(np.float32)[..., None]
    bell = np.exp(-((np.arange(7) - 3.0) ** 2) / (2 * 1.5**2))
    window = ops.convert_to_tensor(
        (np.outer(bell, bell) / bell.sum() ** 2)[..., None, None].astype(np.float32)
    )

    def blurred(x: Any) -> Any:
        return ops.conv(x, window, padding="valid")

    def loss(y: Any, said: Any) -> Any:
        c1, c2 = (1e-4 * 256) ** 2, (9e-4 * 256) ** 2
        mean_y, mean_s = blurred(y), blurred(said)
        var_y, var_s = blurred(y * y) - mean_y**2, blurred(said * said) - mean_s**2
        both = blurred(y * said) - mean_y * mean_s
        same = (2 * mean_y * mean_s + c1) * (2 * both + c2)
        ssim = same / ((mean_y**2 + mean_s**2 + c1) * (var_y + var_s + c2))
        smooth = 0.0
        for one, two in (
            (y[:, 1:] - y[:, :-1], said[:, 1:] - said[:, :-1]),
            (y[:, :, 1:] - y[:, :, :-1], said[:, :, 1:] - said[:, :, :-1]),
        ):
            smooth = smooth + ops.mean(ops.abs(two * ops.exp(ops.mean(ops.abs(one)))))
        return 0.85 * ops.mean(1 - ssim) + 0.1 * ops.mean(ops.abs(y - said)) + 0.9 * smooth

    turns = Turns(settle_for(device) if backend == "torch" else (lambda: None))

    class Turn(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_begin(self, logs: Any = None) -> None:
            print("ready", file=sys.__stdout__, flush=True)
            turns.wait()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            turns.count()

    model = network()
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
    model.fit(rgb, target, batch_size=batch, epochs=10**6, verbose=0, callbacks=[Turn()])


def worker(side: str, options: argparse.Namespace) -> subprocess.Popen[str]:
    """A side's process."""
    words = [f"--{name}={getattr(options, name)}" for name in ("batch", "backend", "device")]
    line = [sys.executable, __file__, f"--side={side}", *words, *(["--compile"] if options.compile else [])]
    return subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)


def said(process: subprocess.Popen[str], word: str) -> str:
    """The next line of a side that begins with a word."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word):
            return line.removeprefix(word).strip()
    raise SystemExit(f"a side ended: {process.args}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", choices=SIDES)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--backend", default="torch", help="Keras' backend: torch, jax or tensorflow")
    parser.add_argument("--device", default="cpu", choices=("cpu", "gpu"))
    parser.add_argument("--compile", action="store_true", help="compile this side's network")
    options = parser.parse_args()
    if options.side:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - bars and notices; what the parent reads goes to the true one
    if options.side == "leadline":
        ours(options.batch, options.device, options.compile)
    elif options.side == "keras":
        theirs(options.batch, options.device, options.backend)
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Both sides in turns, and what came of it."""
    processes = {side: worker(side, options) for side in SIDES}
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    for process in processes.values():
        said(process, "ready")
    for round_number in range(options.rounds + 1):  # the first warms up
        for side in SIDES if round_number % 2 else SIDES[::-1]:
            stdin = processes[side].stdin
            assert stdin is not None
            print("go", file=stdin, flush=True)
            seconds[side].append(float(said(processes[side], "took")))
    for process in processes.values():
        process.kill()
    pairs = list(zip(*(seconds[side][1:] for side in SIDES), strict=True))
    speeds = {side: STEPS * options.batch / statistics.median(seconds[side][1:]) for side in SIDES}
    result = {
        "images_per_s": speeds,
        "ratio": statistics.median(theirs / ours for ours, theirs in pairs),
        "ratios": [theirs / ours for ours, theirs in pairs],
        "batch": options.batch,
        "steps_per_round": STEPS,
        "keras_backend": options.backend,
        "device": options.device,
        "compiled": options.compile,
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "versions": {name: version(name) for name in ("torch", "lightning", "keras", "numpy")},
    }
    print(json.dumps(result, indent=1))
    name = f"training_{options.backend}_{options.device}.json"
    (HERE / "results" / name).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
