"""Random-weight models, made in an environment that has what their extra brings and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

for package in ("torch", "torchvision", "transformers", "diffusers"):
    pytest.importorskip(package)

NOT_THEIRS = ("timm", "onnx", "onnxscript", "lightning", "albumentations", "matplotlib", "jinja2")
MADE = f"""
import sys
sys.modules.update(dict.fromkeys({NOT_THEIRS!r}))
from leadline.io.weights import locate
from leadline.plugins.need import has
from leadline.plugins.registry import BUILT_IN, MODELS
for spec in MODELS.sound():
    if spec.weights.scheme == "code" and MODELS.origin(spec.name) == BUILT_IN and all(map(has, spec.packages)):
        locate(spec.weights, name=spec.name)
        print(spec.name)
"""


def test_each_is_made_of_its_own_extra_alone_and_in_silence(tmp_path: Path) -> None:
    environment = {**os.environ, "LEADLINE_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", MADE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {"prompt-depth-anything-tiny", "marigold-tiny", "dpt-tiny"} <= set(done.stdout.split())
    assert "leadline-indoor-tiny" not in done.stdout
    assert "Writing model shards" not in done.stderr
