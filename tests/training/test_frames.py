"""Reading what is learned from: in memory as far as it goes, and everything looked at first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.kind import Kind
from leadline.core.sample import Sample
from leadline.training.frames import PackedLater, look_at_held_out, read_frames

FRAME_BYTES = 48 * 64 * 5


def test_frames_that_fit_are_kept_and_others_are_read_again(tiny_samples: list[Sample]) -> None:
    steps: list[int] = []
    kept = read_frames(tiny_samples, [4, 1], keep_bytes=2 * FRAME_BYTES, step=lambda: steps.append(1))
    later = read_frames(tiny_samples, [4, 1], keep_bytes=2 * FRAME_BYTES - 1)
    assert isinstance(kept, list)
    assert isinstance(later, PackedLater)
    assert len(steps) == len(kept) == len(later) == 2
    for one, two in zip(kept, (later[k] for k in range(2)), strict=True):
        assert one.id == two.id
        assert np.array_equal(one.depth_mm, two.depth_mm)
        assert np.array_equal(one.rgb_HW3, two.rgb_HW3)
    assert [frame.id for frame in kept] == ["4", "1"]


def test_all_that_cannot_be_learned_from_is_counted_up_to_a_point(tiny_samples: list[Sample]) -> None:
    blind = DepthMap(np.ones((48, 64)), Kind(), valid=np.zeros((48, 64), bool))
    samples = [replace(s, truth=blind) if s.id in "03" else s for s in tiny_samples]
    with pytest.raises(
        DatasetError, match="2 of 6 frames cannot be learned from, such as this: sample '0' has no pixel"
    ):
        read_frames(samples, range(6), keep_bytes=1e9)
    with pytest.raises(DatasetError, match="at least 20 of 90 frames"):
        read_frames(samples, [0] * 90, keep_bytes=1e9)


def test_held_out_frames_are_looked_at_as_they_will_be_validated(tiny_samples: list[Sample]) -> None:
    steps: list[int] = []
    look_at_held_out(tiny_samples, range(6), far_m=10.0, step=lambda: steps.append(1))
    assert len(steps) == 6
    look_at_held_out(tiny_samples, [], far_m=10.0)
    with pytest.raises(
        DatasetError,
        match=r"at least 20 of 90 held-out frames cannot be validated on, such as this: sample '0' has no pixel of known "
        r"depth within 0\.5 m; mend them, or take them out",
    ):
        look_at_held_out(tiny_samples, [0] * 90, far_m=0.5)
    tall = replace(tiny_samples[1], truth=DepthMap(np.ones((64, 48)), Kind()))
    with pytest.raises(
        DatasetError, match=r"1 of 1 .* a photo of 64x48 and a depth of 48x64, which are not of one shape"
    ):
        look_at_held_out([tall], [0], far_m=10.0)
