from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest

from leadline.core.image import Image
from leadline.engines.memory import no_memory


def _photo(height: int, width: int) -> Image:
    return Image.from_array(np.zeros((height, width, 3), np.uint8))


def _as_it_is(photo: Image) -> dict[str, Any]:
    return {"image": photo.rgb_HW3[None], "focal_px": np.ones(1)}


def _nothing_fits(photo: Image) -> None:
    raise MemoryError


def _hint(device: str, seen: Any, count: int = 1) -> str:
    photos = [_photo(64, 96)] * count
    error = no_memory(
        MemoryError(), photos, name="m", device=device, seen=seen, run=_nothing_fits, failures=(MemoryError,)
    )
    return str(error).partition("; ")[2]


@pytest.mark.parametrize(("device", "way"), [("cpu", "close other programs"), ("cuda:1", "--device cpu")])
def test_where_nothing_fits_the_way_out_is_one_that_there_is(device: str, way: str) -> None:
    assert _hint(device, _as_it_is) == f"nor does a photo of 12x8 fit: use a smaller model, or {way}"


@pytest.mark.parametrize("shape", [(1, 3, 20, 30), (1, 20, 30, 3)])
def test_a_network_that_sees_all_photos_at_one_size_is_not_tried_with_smaller_ones(
    shape: tuple[int, ...],
) -> None:
    hint = _hint("cpu", lambda photo: {"pixels": np.zeros(shape)})
    assert hint.startswith("its network takes a photo of any size as 30x20, so a smaller one needs no less")


def test_a_photo_that_cannot_even_be_shown_whole_is_tried_smaller() -> None:
    """Under a real limit of memory, preparing the whole photo again fails as running it did."""

    def seen(photo: Image) -> dict[str, Any]:
        if photo.height > 16:
            raise MemoryError
        return {"image": photo.rgb_HW3[None]}

    ran: list[int] = []
    error = no_memory(
        MemoryError(), [_photo(64, 96)], name="m", device="cpu", seen=seen, run=lambda photo: ran.append(photo.height),
        failures=(),
    )  # fmt: skip
    assert ran == [16]
    assert "a photo of 24x16 fits" in str(error)


def test_what_failed_lets_its_memory_go_before_smaller_photos_are_tried() -> None:
    class Large:
        pass

    alive: list[weakref.ref[Large]] = []

    def fail() -> None:
        held = Large()
        alive.append(weakref.ref(held))
        raise MemoryError

    def run(photo: Image) -> None:
        assert alive[0]() is None

    try:
        fail()
    except MemoryError as error:
        no_memory(
            error, [_photo(64, 96)], name="m", device="cpu", seen=_as_it_is, run=run, failures=(MemoryError,)
        )
