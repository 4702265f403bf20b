"""What every model must do. Each check takes an open model."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Freedom
from leadline.core.results import Prediction
from leadline.flows.model import Model
from leadline.plugins.specs import ModelSpec
from leadline.testing.scenes import noise_photo, prompt_for

__all__ = ["MODEL_CHECKS", "spec_is_complete"]

SIZES = ((1, 1), (1, 400), (400, 1), (37, 53), (48, 64))
"""Heights and widths that every model must take."""

TOLERANCE = 1e-4
"""Largest difference between runs that should agree, relative to the largest value: sums in another order."""

SKY_TOLERANCE = 0.005
"""Share of pixels that may be sky in one of two runs that should agree: those at the very threshold."""


def answers_at_the_photos_size(model: Model) -> None:
    """Any size in, that size out, down to one pixel."""
    for height, width in SIZES:
        depth = _seen(model, noise_photo(height, width)).depth
        assert depth.shape == (height, width), f"{depth.shape} for a photo of {(height, width)}"


def gives_the_kind_its_spec_says(model: Model) -> None:
    """Kind and camera travel with the values."""
    photo = noise_photo(24, 32, f_px=30.0)
    depth = _seen(model, photo).depth
    assert depth.kind == model.spec.kind, f"{depth.kind}, but the spec says {model.spec.kind}"
    assert depth.camera == photo.camera, f"{depth.camera}, but the photo has {photo.camera}"


def gives_usable_values(model: Model) -> None:
    """Finite everywhere; positive below AFFINE: a model that can say nothing of a pixel is a rare thing."""
    for seed, (height, width) in enumerate(SIZES):
        depth = _seen(model, noise_photo(height, width, seed=seed)).depth
        share = float((depth.valid | depth.infinite).mean())
        assert share == 1.0, f"only {share:.0%} of pixels are usable at {(height, width)}"
        if model.spec.kind.freedom < Freedom.AFFINE:
            low, _high = depth.range() or (np.inf, np.inf)
            assert low > 0, f"the smallest value is {low}"


def sees_the_photo(model: Model) -> None:
    """Other photos, other depths."""
    one, other = (_seen(model, noise_photo(48, 64, seed=seed)).depth.values for seed in (1, 2))
    assert not np.allclose(one, other, rtol=1e-6, atol=0), "two different photos get the same depth"


def is_deterministic(model: Model) -> None:
    """The same photo twice, the same depth to the bit."""
    photo = noise_photo(37, 53, seed=3)
    first, second = (_seen(model, photo).depth.values for _ in range(2))
    assert np.array_equal(first, second, equal_nan=True), "the same photo gets two depths"


def answers_in_batches_as_one_by_one(model: Model) -> None:
    """A batch of equal and unequal sizes, in order."""
    photos = [noise_photo(*size, seed=k) for k, size in enumerate(((37, 53), (37, 53), (20, 40), (37, 53)))]
    batch = model.predict_batch(photos, prompts=_prompts(model, photos))
    for k, (together, photo) in enumerate(zip(batch, photos, strict=True)):
        alone = _seen(model, photo).depth
        differing = int((alone.infinite != together.depth.infinite).sum())
        assert differing <= SKY_TOLERANCE * alone.values.size, (
            f"photo {k} of a batch has {differing} other pixels of sky"
        )
        known = alone.valid & together.depth.valid
        one, other = alone.values[known], together.depth.values[known]
        error = float(np.abs(other - one).max(initial=0) / np.abs(one).max(initial=1e-30))
        assert error <= TOLERANCE, f"photo {k} of a batch differs by {error:.1e} from the same photo alone"
    assert model.predict_batch([]) == [], "an empty batch is not empty"


def scales_with_the_focal_length(model: Model) -> None:
    """Where metres depend on the lens: the same pixels through twice the focal length are twice as far."""
    if not model.spec.scale_needs_focal:
        return
    near, far = (_seen(model, noise_photo(37, 53, f_px=f_px)).depth for f_px in (40.0, 80.0))
    known = near.valid & far.valid
    assert known.any(), "no pixel is known through both lenses"
    ratio = far.values[known] / near.values[known]
    error = float(np.abs(ratio - 2).max())
    assert error <= 2e-3, f"twice the focal length gives {float(np.median(ratio)):.4f} times the depth"


def says_who_made_it(model: Model) -> None:
    """Name, weights, licence and engine are with every prediction."""
    record = _seen(model, noise_photo(5, 7)).model
    assert record.name == model.spec.name, f"{record.name!r} is not {model.spec.name!r}"
    assert re.fullmatch("[0-9a-f]{64}", record.weights_sha256), f"{record.weights_sha256!r} is no SHA-256"
    assert record.licence, "no licence is said"
    assert record.commercial == model.spec.commercial.value, "commercial use is not what the spec says"
    assert record.engine, "no engine is said"


def has_a_complete_spec(model: Model) -> None:
    """Its record says all that a list shows."""
    spec_is_complete(model.spec)


def spec_is_complete(spec: ModelSpec) -> None:
    """A name like ``family-size``, a line of summary, a licence, engines, and how to install what it needs; nothing is opened.

    Args:
        spec: The record.
    """
    assert re.fullmatch(r"[a-z0-9.]+(-[a-z0-9.]+)+", spec.name), f"{spec.name!r} does not read family-size"
    assert spec.summary, "there is no summary"
    assert "\n" not in spec.summary, "the summary is longer than a line"
    assert spec.licence, "no licence is said"
    assert spec.engines, "no engine is named"
    assert spec.extra or spec.install or not spec.packages, (
        f"nothing says how {', '.join(spec.packages)} are installed: give extra= or install="
    )


def _seen(model: Model, photo: Image) -> Prediction:
    """A model's prediction; with a prompt of the kind that its spec says, where it is prompted."""
    prompts = _prompts(model, [photo])
    return model.predict(photo, prompt=prompts[0] if prompts else None)


def _prompts(model: Model, photos: list[Image]) -> list[DepthMap]:
    return [prompt_for(photo, model.spec.kind) for photo in photos] if model.spec.prompted else []


MODEL_CHECKS: tuple[Callable[[Model], None], ...] = (
    has_a_complete_spec,
    answers_at_the_photos_size,
    gives_the_kind_its_spec_says,
    gives_usable_values,
    sees_the_photo,
    is_deterministic,
    answers_in_batches_as_one_by_one,
    scales_with_the_focal_length,
    says_who_made_it,
)
