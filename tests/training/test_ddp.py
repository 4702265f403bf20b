"""Two processes that share each batch learn as one does, on a network without batch statistics."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

NETWORK = """
import math
import torch
from torch import nn
from leadline.core.kind import Kind


class Plain(nn.Module):
    canonical_f_px, output_stride, output_kind, output_scale = None, 1, Kind(), "logarithmic"
    net_size_px, net_area_px, stride_px, max_side_px = (32, 32), 1024, 1, 32

    def __init__(self):
        super().__init__()
        self.encoder = nn.Conv2d(3, 8, 5, padding=2)
        self.head = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, rgb):
        return self.head(torch.tanh(self.encoder(rgb / 255 - 0.5))) + math.log(2.5)

    def target_size(self, height, width):
        return 32, 32

    def known(self, metres):
        return metres > 0

    def target(self, metres):
        return torch.log(metres.clamp(min=0.01))

    def metres(self, output):
        return torch.exp(output)

    def folded(self):
        return self.eval()


def build(**options):
    torch.manual_seed(options["seed"])
    return Plain()
"""

CHANGES = (
    "network={builder='plain_network:build'}",
    "data={dataset='synthetic', held_out_scenes=1, options={frames=12, width=48, height=36, views_per_room=2}}",
    "views.shapes=[[32, 32, 1]]",
    "optimiser.epochs=3",
    "optimiser.batch=4",
    "loss=[{name='l1', weight=1}, {name='gradient', weight=0.5}]",
)


def run(folder: Path, out: str, *words: str) -> list[float]:
    (folder / "plain_network.py").write_text(NETWORK)
    changes = [word for change in CHANGES for word in ("--set", change)]
    line = [
        sys.executable,
        "-m",
        "leadline",
        "train",
        "unet-diode",
        "--out",
        out,
        "--no-evaluation",
        *changes,
    ]
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*line, "--accelerator", "cpu", *words],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("trained on") == 1  # one process tells
    with (folder / out / "history/metrics.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file) if row["loss"]]


@pytest.mark.slow
def test_two_processes_learn_as_one_does(tmp_path: Path) -> None:
    alone = run(tmp_path, "alone")
    shared = run(tmp_path, "shared", "--devices", "2", "--strategy", "ddp")
    assert len(alone) == len(shared) == 3
    assert alone[-1] < alone[0]
    assert np.allclose(alone, shared, rtol=1e-4), (alone, shared)
