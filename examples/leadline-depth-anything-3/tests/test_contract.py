"""The model contract of leadline, run as any author of a plugin runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import leadline
from leadline.plugins.registry import MODELS
from leadline.testing.contracts.models import MODEL_CHECKS, spec_is_complete
from leadline_depth_anything_3.spec import METRIC_TINY, MONO_TINY, PUBLISHED, TINY


@pytest.fixture(scope="module", params=[METRIC_TINY.name, MONO_TINY.name, TINY.name])
def model(request: pytest.FixtureRequest, networks: None) -> Iterator[leadline.Model]:
    with leadline.open_model(request.param, inputs={"process_res": 112}) as opened:
        yield opened


@pytest.mark.parametrize("check", MODEL_CHECKS, ids=lambda check: check.__name__)
def test_model(check: Callable[[leadline.Model], None], model: leadline.Model) -> None:
    check(model)


@pytest.mark.parametrize("spec", PUBLISHED, ids=lambda spec: spec.name)
def test_every_record_is_complete_and_found_through_its_entry_point(spec: leadline.ModelSpec) -> None:
    spec_is_complete(spec)
    assert MODELS.get(spec.name) is spec
    assert MODELS.origin(spec.name) == "leadline-depth-anything-3"
    assert spec.paper
    assert spec.weights.size_bytes


def test_the_tiny_ones_see_sky_and_ground(networks: None) -> None:
    """So that the contract is run on both."""
    from leadline.testing.scenes import noise_photo

    for spec in (METRIC_TINY, MONO_TINY):
        with leadline.open_model(spec, inputs={"process_res": 112}) as model:
            depth = model.predict(noise_photo(37, 53)).depth
        assert 0.02 < depth.infinite.mean() < 0.98
