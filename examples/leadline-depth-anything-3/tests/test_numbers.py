"""Its numbers against those of depth-anything-3's own functions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import leadline
from leadline.core.camera import Camera, Origin
from leadline.core.image import Image
from leadline.testing.scenes import noise_photo

RES = 112


def _photo(height: int, width: int, camera: Camera | None = None) -> Image:
    """Blobs, for a network sees more in them than in noise."""
    small = noise_photo(6, 8, seed=4)
    return Image(
        leadline.resize(small, width=width, height=height).rgb_HW3, camera or Camera.assumed(width, height)
    )


def _opened(folder: Path) -> leadline.Model:
    return leadline.open_model(str(folder), inputs={"process_res": RES})


def test_metres_and_sky_are_those_of_its_own_functions(tiny: Callable[[str], Path]) -> None:
    import torch
    from depth_anything_3.utils.alignment import apply_metric_scaling, compute_sky_mask
    from depth_anything_3.utils.io.input_processor import InputProcessor

    from leadline_depth_anything_3.net import metric

    camera = Camera(90.0, 100.0, 55.5, 41.5, 112, 84)
    photo = _photo(84, 112, camera)
    folder = tiny("metric")
    net = metric(folder, process_res=RES)
    K = np.array([[90.0, 0, 56], [0, 100.0, 42], [0, 0, 1]])[None]
    pixels, _, seen_K = InputProcessor()([photo.rgb_HW3], intrinsics=K, process_res=RES, sequential=True)
    with torch.inference_mode():
        said = net.module.model.eval()(pixels[None])
        metres = apply_metric_scaling(said.depth, seen_K[None])[0, 0].numpy()
        ground = compute_sky_mask(said.sky)[0, 0].numpy()
    assert 0 < ground.mean() < 1
    with _opened(folder) as model:
        depth = model.predict(photo).depth
    np.testing.assert_array_equal(depth.infinite, ~ground)
    np.testing.assert_allclose(depth.values[ground], metres[ground], rtol=1e-4)
    assert depth.kind.words == "metres"


@pytest.mark.parametrize("size", [(84, 112), (168, 224), (100, 150), (150, 101)])
def test_the_focal_length_is_that_of_what_the_network_sees(
    size: tuple[int, int], tiny: Callable[[str], Path]
) -> None:
    """The original brings the intrinsics to the size that the network sees, along with the photo."""
    import torch
    from depth_anything_3.utils.alignment import apply_metric_scaling
    from depth_anything_3.utils.io.input_processor import InputProcessor

    from leadline_depth_anything_3.net import metric

    height, width = size
    photo = _photo(height, width, Camera(90.0, 130.0, 20.0, 30.0, width, height))
    K = np.array([[[90.0, 0, 20], [0, 130.0, 30], [0, 0, 1]]])
    pixels, _, seen_K = InputProcessor()([photo.rgb_HW3], intrinsics=K, process_res=RES, sequential=True)
    two = torch.full((1, *pixels.shape[-2:]), 2.0)
    metres = float(apply_metric_scaling(two[None], seen_K[None]).mean())
    net = metric(tiny("metric"), process_res=RES)
    (answer,) = net.restore({"depth": two, "sky": torch.zeros_like(two)}, [photo])
    np.testing.assert_allclose(answer.values, np.full(size, metres), rtol=1e-5)


def test_depth_is_enlarged_as_inverse_depth_between_known_pixels(tiny: Callable[[str], Path]) -> None:
    import torch

    from leadline_depth_anything_3.net import anyview

    photo = _photo(150, 200)
    net = anyview(tiny("anyview"), process_res=RES)
    with torch.inference_mode():
        outputs = net.module.eval()(**net.prepare([photo]))
        (answer,) = net.restore(outputs, [photo])
        smooth = torch.nn.functional.interpolate(1 / outputs["depth"][None], size=(150, 200), mode="bilinear")
    np.testing.assert_allclose(answer.values, (1 / smooth)[0, 0].numpy(), rtol=1e-4)
    assert answer.infinite is None


def test_the_lens_is_the_networks_own_where_the_photo_has_none(tiny: Callable[[str], Path]) -> None:
    import torch

    from leadline_depth_anything_3.net import anyview

    photo = _photo(150, 200)
    folder = tiny("anyview")
    net = anyview(folder, process_res=RES)
    with torch.inference_mode():
        K = net.module.eval()(**net.prepare([photo]))["intrinsics"][0].numpy()
    with _opened(folder) as model:
        camera = model.predict(photo).depth.camera
        given = model.predict(photo, focal_px=123.0).depth.camera
    assert camera is not None
    assert camera.origin is Origin.ESTIMATED
    across = 2 * np.degrees(np.arctan(RES / 2 / K[0, 0]))
    down = 2 * np.degrees(np.arctan(84 / 2 / K[1, 1]))
    assert camera.fov_deg == pytest.approx(across, rel=1e-5)
    assert 2 * np.degrees(np.arctan(150 / 2 / camera.fy)) == pytest.approx(down, rel=1e-5)
    assert (camera.cx, camera.cy) == (99.5, 74.5)
    assert given is not None
    assert given.fx == 123.0


@pytest.mark.parametrize("size", [(400, 2), (2, 400)])
def test_slender_photos_see_their_own_part_of_a_wider_one(
    size: tuple[int, int], tiny: Callable[[str], Path]
) -> None:
    photo = _photo(*size)
    height, width = max(size[0], 50), max(size[1], 50)
    padded = np.pad(photo.rgb_HW3, ((0, height - size[0]), (0, width - size[1]), (0, 0)), "edge")
    with _opened(tiny("anyview")) as model:
        own = model.predict(photo).depth.values
        wider = model.predict(Image.from_array(padded)).depth.values
    np.testing.assert_array_equal(own, wider[: size[0], : size[1]])


def test_a_depth_that_no_number_holds_is_no_sky(tiny: Callable[[str], Path]) -> None:
    """exp overflows to inf in a network that has no sky head; that pixel is unknown."""
    import torch

    from leadline_depth_anything_3.net import anyview

    photo = _photo(84, 112)
    net = anyview(tiny("anyview"), process_res=RES)
    outputs = {"depth": torch.full((1, 84, 112), 2.0), "intrinsics": torch.eye(3)[None] * 100}
    outputs["depth"][0, 3, 5] = torch.inf
    (answer,) = net.restore(outputs, [photo])
    assert np.isnan(answer.values[3, 5])
    assert np.isfinite(answer.values).sum() == 84 * 112 - 1


def test_the_published_form_is_read_and_its_own_class_gives_the_same_numbers(
    networks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint written by ``DepthAnything3.save_pretrained``; the original's half precision is left out on both sides."""
    import torch

    from leadline_depth_anything_3.checkpoint import quiet

    with quiet():
        try:
            from depth_anything_3.api import DepthAnything3
        except ImportError as error:
            pytest.skip(f"depth_anything_3.api needs {error.name}, which this package does without")
        torch.manual_seed(0)
        theirs = DepthAnything3("da3-small")
        with torch.no_grad():
            theirs.model.cam_dec.fc_fov[0].bias.fill_(1.0)
        theirs.save_pretrained(tmp_path)
        monkeypatch.setattr(torch, "autocast", lambda **_: contextlib.nullcontext())
        photo = _photo(84, 112)
        told = theirs.inference([photo.rgb_HW3], process_res=RES)
        monkeypatch.undo()
    with _opened(tmp_path) as model:
        assert model.spec.name == "depth-anything-3-small"
        depth = model.predict(photo).depth
    np.testing.assert_allclose(depth.values, told.depth[0], rtol=1e-4)
    assert depth.camera is not None
    assert depth.camera.fx == pytest.approx(told.intrinsics[0, 0, 0], rel=1e-5)
    assert depth.camera.fy == pytest.approx(told.intrinsics[0, 1, 1], rel=1e-5)
