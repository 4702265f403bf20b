"""What a teacher says, laid upon the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from leadline.core.camera import Camera
from leadline.core.errors import InputError
from leadline.training.recipe import TeacherRecipe
from leadline.training.teacher import teach, threads_as_before
from leadline.training.views import Frame


def frame_of(
    depth_mm: list[list[int]], *, known: tuple[int, int, int, int], steps_per_m: int = 1000
) -> Frame:
    depth = np.array(depth_mm, np.uint16)
    rows, columns = depth.shape
    rgb = np.zeros((rows, columns, 3), np.uint8)
    return Frame(rgb, depth, Camera.assumed(columns, rows), known, "one", steps_per_m)


def said(metres: list[list[float]]) -> np.ndarray:
    return np.array(metres, np.float32)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_target_is_the_weighted_mean_of_logarithms_where_they_nearly_agree(share: float) -> None:
    frame = frame_of([[2000, 4000]], known=(0, 0, 2, 1))
    taught = teach(frame, said([[2.2, 3.8]]), recipe=TeacherRecipe("m", share=share))
    expected = [2.0 ** (1 - share) * 2.2**share, 4.0 ** (1 - share) * 3.8**share]
    assert taught.depth_mm[0] == pytest.approx(np.array(expected) * 1000, abs=0.51)
    assert (taught.id, taught.known, taught.steps_per_m) == ("one", (0, 0, 2, 1), 1000)
    assert frame.depth_mm.tolist() == [[2000, 4000]]  # it is left as it was


def test_what_is_said_far_from_the_truth_is_not_heeded() -> None:
    frame = frame_of([[1000, 1000, 1000]], known=(0, 0, 3, 1))
    edge = math.exp(0.1)
    taught = teach(
        frame,
        said([[edge * 1.01, edge * 0.99, 1 / (edge * 1.01)]]),
        recipe=TeacherRecipe("m", share=1.0, trust=0.1),
    )
    assert taught.depth_mm[0, [0, 2]].tolist() == [1000, 1000]
    assert taught.depth_mm[0, 1] == pytest.approx(edge * 990, abs=0.51)


def test_what_is_unknown_stays_unknown() -> None:
    """It may be sky, or lie farther than a dataset can be trusted."""
    frame = frame_of([[0, 0, 0, 0], [0, 900, 0, 900]], known=(1, 1, 4, 2))
    taught = teach(
        frame, said([[5, 5, 5, 5], [5, 0.9, 5, 0.9]]), recipe=TeacherRecipe("m", share=1.0, trust=9.0)
    )
    assert taught.depth_mm.tolist() == frame.depth_mm.tolist()


def test_a_teacher_leaves_torch_its_threads() -> None:
    before = torch.get_num_threads()
    with threads_as_before():
        torch.set_num_threads(before + 1)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf, -1.0, 0.0, 700.0])
def test_a_teacher_that_says_nothing_or_more_than_can_be_kept_changes_nothing(nothing: float) -> None:
    frame = frame_of([[0, 900], [900, 900]], known=(0, 0, 2, 2))
    taught = teach(
        frame, np.full((2, 2), nothing, np.float32), recipe=TeacherRecipe("m", share=1.0, trust=100.0)
    )
    assert taught.depth_mm.tolist() == frame.depth_mm.tolist()


def test_far_depth_keeps_its_own_steps() -> None:
    frame = frame_of([[7000, 60000]], known=(0, 0, 2, 1), steps_per_m=100)
    taught = teach(frame, said([[77.0, 650.0]]), recipe=TeacherRecipe("m", share=1.0))
    assert taught.depth_mm.tolist() == [[7700, 65000]]


@pytest.mark.parametrize(("option", "value"), [("share", 1.1), ("share", -0.1), ("trust", 0.0)])
def test_options_out_of_range_are_refused(option: str, value: float) -> None:
    with pytest.raises(InputError, match=option):
        TeacherRecipe("m", **{option: value})
