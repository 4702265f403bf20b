"""A run that is killed goes on as if it had not been: the same weights, bit by bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Sample
from leadline.training.loop import fit
from leadline.training.network import build_network
from leadline.training.recipe import Recipe
from leadline.training.recipe_files import load_recipe
from leadline.training.setting import Setting
from leadline.training.views import Frame

SETTING = Setting(save_every=1, accelerator="cpu")


def recipe_of_many_parts() -> Recipe:
    """Random depth of the network, batches added up, an average, rates that rise and fall, batch shapes that vary."""
    whole = load_recipe("embedded-indoor")
    network = replace(
        whole.network,
        encoder="test_efficientnet",
        encoder_weights="",
        widths=(16, 12, 8, 8, 4),
        drop_path=0.5,
    )
    optimiser = replace(
        whole.optimiser,
        epochs=4,
        batch=2,
        accumulate=2,
        ema_decay=0.7,
        settle_batches=2,
        validate_every=2,
        precision="bfloat16",
    )
    return replace(
        whole,
        network=network,
        optimiser=optimiser,
        views=replace(whole.views, shapes=((32, 64, 1), (64, 32, 1))),
    )


def frames_of_noise() -> list[Frame]:
    rng = np.random.default_rng(3)
    return [
        Frame(
            rng.integers(0, 256, (48, 64, 3), dtype=np.uint8),
            rng.integers(1000, 4000, (48, 64), dtype=np.uint16),
            Camera.assumed(64, 48),
            (0, 0, 64, 48),
            f"noise-{number}",
        )
        for number in range(14)
    ]


class Deadly(Sequence[Frame]):
    """Frames the reading of one of which kills the process, as nothing else can: no hook runs, no file is closed."""

    def __init__(self, frames: list[Frame], *, after: int) -> None:
        self.frames, self.left = frames, after

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.frames[index]


def held_out() -> list[Sample]:
    rng = np.random.default_rng(4)
    image = Image(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8), Camera.assumed(64, 48))
    return [Sample("held-out", image, DepthMap(rng.uniform(1, 4, (48, 64)), Kind()))]


def run(out: Path, frames: Sequence[Frame]) -> torch.nn.Module:
    recipe = recipe_of_many_parts()
    network = build_network(recipe)
    fit(network, frames=frames, held_out=held_out(), recipe=recipe, out=out, setting=SETTING)
    return network


def state_of(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(out / "last.ckpt", weights_only=True)
    return found


@pytest.mark.parametrize("seed", [0, 1])
def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(tmp_path: Path, seed: int) -> None:
    straight = run(tmp_path / "straight", frames_of_noise())
    killed = tmp_path / "killed"
    after = int(np.random.default_rng(seed).integers(10, 50))  # of 56 views; the readers are ahead by a few
    command = [sys.executable, __file__, str(killed), str(after)]
    done = subprocess.run(command, capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    broken_off = state_of(killed)
    assert 0 < broken_off["global_step"] < 16
    resumed = run(killed, frames_of_noise())
    for (name, one), (_, two) in zip(
        straight.state_dict().items(), resumed.state_dict().items(), strict=True
    ):
        assert torch.equal(one, two), name
    whole, again = state_of(tmp_path / "straight"), state_of(killed)
    assert whole["global_step"] == again["global_step"] == 16
    for part in ("state_dict", "current_model_state"):
        for name, value in whole[part].items():
            assert torch.equal(value, again[part][name]), f"{part}: {name}"
    assert whole["lr_schedulers"] == again["lr_schedulers"]
    for one, two in zip(
        whole["optimizer_states"][0]["state"].values(),
        again["optimizer_states"][0]["state"].values(),
        strict=True,
    ):
        assert torch.equal(one["exp_avg"], two["exp_avg"])
        assert torch.equal(one["exp_avg_sq"], two["exp_avg_sq"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(Path(sys.argv[1]), Deadly(frames_of_noise(), after=int(sys.argv[2])))
