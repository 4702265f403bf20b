"""The records of the Depth Anything 3 family. Reading them loads nothing heavy."""

from __future__ import annotations

from leadline.core.kind import Freedom, Kind, Quantity
from leadline.plugins.specs import Commercial, ModelSpec, Option, Weights

__all__ = [
    "BASE",
    "LARGE",
    "METRIC_LARGE",
    "METRIC_TINY",
    "MONO_LARGE",
    "MONO_TINY",
    "PUBLISHED",
    "SMALL",
    "TINY",
]

METRES = Kind()
UP_TO_SCALE = Kind(Quantity.DEPTH, Freedom.SCALE)
UP_TO_SCALE_AND_SHIFT = Kind(Quantity.DEPTH, Freedom.AFFINE)

_PAPER = "https://arxiv.org/abs/2511.10647"
_INSTALL = "--no-deps depth-anything-3==0.1.1"
_OPTIONS = (
    Option("process_res", "Pixels along the longer side that the network sees, from 112.", default=504),
)
_TEST_ONLY = "very small, with random weights: for tests, its depth means nothing"


def _published(
    name: str,
    hub: str,
    kind: Kind,
    network: str,
    summary: str,
    *,
    parameters: int,
    good_for: str,
    licence: str = "Apache-2.0",
    commercial: Commercial = Commercial.YES,
    step_up: str = "",
) -> ModelSpec:
    return ModelSpec(
        name=name,
        kind=kind,
        summary=summary,
        weights=Weights(f"hf:depth-anything/{hub}", size_bytes=4 * parameters),  # float32
        licence=licence,
        commercial=commercial,
        engines=("torch",),
        paper=_PAPER,
        good_for=good_for,
        step_up=step_up,
        scale_needs_focal=kind == METRES,
        network=f"leadline_depth_anything_3.net:{network}",
        options=_OPTIONS,
        packages=("depth_anything_3",),
        install=_INSTALL,
    )


def _tiny(name: str, kind: Kind, network: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        kind=kind,
        summary=f"the {network} network of Depth Anything 3, {_TEST_ONLY}",
        weights=Weights(f"code:leadline_depth_anything_3.tiny:{network}"),
        licence="Apache-2.0",
        commercial=Commercial.YES,
        engines=("torch",),
        version="1",
        good_for="tests of everything around a model",
        scale_needs_focal=kind == METRES,
        network=f"leadline_depth_anything_3.net:{network}",
        options=_OPTIONS,
        packages=("depth_anything_3",),
        install=_INSTALL,
    )


METRIC_LARGE = _published(
    "depth-anything-3-metric-large",
    "DA3METRIC-LARGE",
    METRES,
    "metric",
    "metres where the lens is known, and the sky, 334 M parameters",
    parameters=334_171_394,
    good_for="metric depth indoors and out, of photos whose focal length is known",
)
MONO_LARGE = _published(
    "depth-anything-3-mono-large",
    "DA3MONO-LARGE",
    UP_TO_SCALE_AND_SHIFT,
    "mono",
    "relative depth up to scale and shift, and the sky, 334 M parameters",
    parameters=334_171_394,
    good_for="the order and shape of things in any photo",
    step_up="depth-anything-3-metric-large",
)
SMALL = _published(
    "depth-anything-3-small",
    "DA3-SMALL",
    UP_TO_SCALE,
    "anyview",
    "depth up to scale, with the lens estimated, 34 M parameters",
    parameters=34_299_463,
    good_for="shapes in three dimensions without a known lens, quickly",
    step_up="depth-anything-3-base",
)
BASE = _published(
    "depth-anything-3-base",
    "DA3-BASE",
    UP_TO_SCALE,
    "anyview",
    "depth up to scale, with the lens estimated, 135 M parameters",
    parameters=135_366_599,
    good_for="shapes in three dimensions without a known lens",
    step_up="depth-anything-3-large, where its licence allows",
)
LARGE = _published(
    "depth-anything-3-large",
    "DA3-LARGE-1.1",
    UP_TO_SCALE,
    "anyview",
    "depth up to scale, with the lens estimated, 411 M parameters",
    parameters=410_941_767,
    good_for="shapes in three dimensions without a known lens, at its best; streets too",
    licence="CC BY-NC 4.0",
    commercial=Commercial.NO,
)

PUBLISHED = (METRIC_LARGE, MONO_LARGE, SMALL, BASE, LARGE)
"""Those whose weights are on the hub."""

METRIC_TINY = _tiny("depth-anything-3-metric-tiny", METRES, "metric")
MONO_TINY = _tiny("depth-anything-3-mono-tiny", UP_TO_SCALE_AND_SHIFT, "mono")
TINY = _tiny("depth-anything-3-tiny", UP_TO_SCALE, "anyview")
