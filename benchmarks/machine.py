"""Measures this machine, engine by engine, into benchmarks/results/machine_*.json.

    python benchmarks/machine.py             # the embedded model; Depth Anything V2-small of random weights beside the pipeline
    python benchmarks/machine.py indoor      # one of the two
    python benchmarks/machine.py --int8-photos rooms   # int8 too, calibrated on these photos

It is ``leadline benchmark`` with fixed models, sizes and rounds, so that results of several machines can be laid side by side.
Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from leadline.cli.main import cli
from leadline.plugins.registry import ENGINES, MODELS

RESULTS = Path(__file__).resolve().parent / "results"
ROUNDS, SECONDS, STARTS = "9", "3", "3"


def _measure(name: str, *arguments: str) -> None:
    out = RESULTS / f"machine_{name}.json"
    timing = ("--rounds", ROUNDS, "--seconds", SECONDS, "--starts", STARTS)
    print(f"leadline benchmark {' '.join(arguments)}", flush=True)
    try:
        cli.main(["benchmark", *arguments, *timing, "-o", str(out)], prog_name="leadline")
    except SystemExit as ended:
        if ended.code:
            raise


def _precisions(model: str) -> str:
    """All that an engine of the model has; those that another lacks become rows that say so."""
    names = [name for engine in MODELS.get(model).engines for name in ENGINES.get(engine).precisions]
    return ",".join(dict.fromkeys(names))


def indoor(*more: str) -> None:
    """The embedded model, 640x480, two threads, alone and in batches."""
    name = "leadline-indoor-small"
    _measure(
        "indoor",
        name,
        "--size",
        "640x480",
        "--threads",
        "2",
        "--batch",
        "1,8",
        "--precision",
        _precisions(name),
        *more,
    )


def depth_anything(*more: str) -> None:
    """Depth Anything V2-small of random weights, 741x500, two threads, beside transformers' pipeline."""
    from leadline.testing.full_size import depth_anything_v2_small

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = depth_anything_v2_small(Path(folder))
        _measure(
            "depth_anything_v2_small",
            *(str(checkpoint), "--kind", "affine-inverse", "--size", "741x500", "--threads", "2"),
            *("--precision", _precisions("depth-anything-v2-small"), "--against", "pipeline", *more),
        )


PARTS: dict[str, Callable[..., None]] = {part.__name__: part for part in (indoor, depth_anything)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--int8-photos", default="", help="photos that int8 networks are calibrated on")
    asked = parser.parse_args()
    for name in asked.parts:
        if name not in PARTS:
            parser.error(f"no part is called {name!r}")
    more = ["--int8-photos", str(Path(asked.int8_photos).resolve())] if asked.int8_photos else []
    for name in asked.parts or PARTS:
        PARTS[name](*more)


if __name__ == "__main__":
    main()
