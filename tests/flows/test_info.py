from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage
from PIL import PngImagePlugin

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Kind
from leadline.flows.info import InfoRequest, describe
from leadline.io.depth_files import write_depth


def test_a_depth_file_says_what_it_is(tmp_path: Path) -> None:
    depth = DepthMap(np.array([[1.0, 2.0], [0.0, 4.0]]), Kind())
    write_depth(tmp_path / "d.png", depth)
    found = describe(tmp_path / "d.png")
    assert found.role == "depth"
    assert found.summary == "DepthMap 2x2, metres, 1 to 4, 75% valid"
    assert any("metric-depth" in fact for fact in found.facts)
    json.dumps(found.to_dict())


def test_a_photo_says_that_it_is_one_and_what_is_known_of_its_lens(photo: Path) -> None:
    with PilImage.open(photo) as opened:
        size = f"{opened.width}x{opened.height}"
    found = describe(photo)
    assert found.role == "photo"
    assert found.summary == f"photo, {size}; it holds no depth"
    assert "63.3° across the longer side, assumed" in found.facts[0]
    assert found.to_dict()["camera"]["origin"] == "assumed"


def test_a_bare_file_says_so_until_its_kind_is_said(tmp_path: Path) -> None:
    PilImage.fromarray(np.array([[1000, 5000], [0, 2500]], np.uint16)).save(tmp_path / "bare.png")
    assert describe(tmp_path / "bare.png").role == "bare"
    told = describe(
        tmp_path / "bare.png", request=InfoRequest(("bare.png",), kind="metric-depth", scale=0.0002)
    )
    assert (told.role, told.summary) == ("depth", "DepthMap 2x2, metres, 0.2 to 1, 75% valid")
    json.dumps(told.to_dict())


@pytest.mark.parametrize("name", ["nowhere.png", "nowhere.xyz"])
def test_what_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="there is no"):
        describe(tmp_path / name)


def test_what_is_nothing_known_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "b.jpg").write_text("hello")
    for name in ("a.txt", "b.jpg"):
        with pytest.raises(InputError, match=name):
            describe(tmp_path / name)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder; name the files in it"):
        describe(tmp_path)


def test_a_depth_file_that_another_tool_resized_is_told_as_such(tmp_path: Path) -> None:
    write_depth(tmp_path / "d.png", DepthMap(np.full((6, 8), 2.0), Kind(), camera=Camera.assumed(8, 6)))
    with PilImage.open(tmp_path / "d.png") as opened:
        info = PngImagePlugin.PngInfo()
        info.add_text("leadline", opened.info["leadline"])
        PilImage.fromarray(np.asarray(opened)[::2, ::2]).save(tmp_path / "d.png", pnginfo=info)
    with pytest.raises(InputError) as caught:
        describe(tmp_path / "d.png")
    assert "no photo" not in str(caught.value)


def test_the_limit_on_pixels_holds_for_bare_files_too(tmp_path: Path) -> None:
    PilImage.fromarray(np.full((48, 64), 1000, np.uint16)).save(tmp_path / "bare.png")
    with pytest.raises(InputError, match="10"):
        describe(
            tmp_path / "bare.png",
            request=InfoRequest(("bare.png",), kind="metric-depth", scale=0.001, max_pixels=10),
        )


@pytest.mark.parametrize("more", [{"scale": 0.001}, {"offset": 1.0}, {"array": "Z"}])
def test_numbers_without_a_kind_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="without a kind"):
        InfoRequest(("a.png",), **more)


def test_a_kind_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(InputError, match="metrics"):
        InfoRequest(("a.png",), kind="metrics")


def test_a_channel_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", near=np.full((2, 2), 1.0), far=np.full((2, 2), 9.0))
    told = describe(tmp_path / "two.npz", request=InfoRequest(("two.npz",), kind="metric", array="far"))
    assert told.summary == "DepthMap 2x2, metres, 9 to 9"
