"""The network: shapes, sizes, padding, folding."""

from __future__ import annotations

import math

import pytest
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.camera import ASSUMED_FOCAL_PER_WIDTH
from leadline.models.leadline_indoor.net import CANONICAL_F_PX, LOG_DEPTH_RANGE, IndoorNet, build, target_size
from leadline.testing.tiny import indoor_net


@given(st.integers(1, 20000), st.integers(1, 20000))
def test_target_sizes_are_whole_strides_of_about_one_area(height: int, width: int) -> None:
    rows, columns = target_size(height, width)
    assert rows % 32 == columns % 32 == 0
    assert 32 <= rows <= 1536
    assert 32 <= columns <= 1536
    if max(height, width) <= 4 * min(height, width):
        assert 0.7 < rows * columns / (192 * 256) < 1.4
        assert abs(math.log(rows / columns * width / height)) < 0.36


def test_the_canonical_camera_is_the_assumed_one() -> None:
    assert pytest.approx(ASSUMED_FOCAL_PER_WIDTH * 256) == CANONICAL_F_PX


def test_output_is_half_the_input_and_within_range() -> None:
    net = indoor_net().eval()
    with torch.inference_mode():
        for shape in ((32, 32), (64, 160)):
            out = net(torch.rand(2, 3, *shape) * 255)
            assert out.shape == (2, 1, shape[0] // 2, shape[1] // 2)
            assert LOG_DEPTH_RANGE[0] <= out.min() <= out.max() <= LOG_DEPTH_RANGE[1]
        net.head.bias.fill_(100.0)
        assert net(torch.zeros(1, 3, 32, 32)).max().item() == pytest.approx(LOG_DEPTH_RANGE[1])


def test_even_padding_is_timms_same_padding() -> None:
    timms = timm.create_model("tf_efficientnet_lite0", features_only=True).eval()
    net = IndoorNet().eval()
    net.encoder.load_state_dict(timms.state_dict())
    pixels = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for ours, theirs in zip(net.encoder(pixels), timms(pixels), strict=True):
            assert torch.equal(ours, theirs)


def test_folding_changes_no_number_and_leaves_no_normalisation() -> None:
    net = indoor_net().eval()
    pixels = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 255
    with torch.inference_mode():
        before = net(pixels)
        assert torch.allclose(net.folded()(pixels), before, atol=1e-5)
    assert before.std() > 0.01
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())


def test_the_shipped_shape_is_small() -> None:
    net = build()
    assert sum(p.numel() for p in net.parameters()) < 3.3e6


def test_what_is_far_away_in_the_picture_counts() -> None:
    net = build().double().eval()
    pixels = torch.rand(1, 3, 32, 1536, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 255
    changed = pixels.clone()
    changed[..., 1500:] = 0.0
    with torch.inference_mode():
        assert (net(pixels)[..., :16] - net(changed)[..., :16]).abs().max() > 1e-12
        net.top[3].mix.weight.zero_()  # without the surroundings it would not
        assert torch.equal(net(pixels)[..., :16], net(changed)[..., :16])
