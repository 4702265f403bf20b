"""Any albumentations pipeline changes photo, depth, masks, camera and pose together, and keeps metric depth true."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import albumentations as A  # noqa: N812 - its users' own name for it
import cv2
import numpy as np
import pytest

from leadline.augment.pipeline import Augmentation, augmentation_of
from leadline.augment.recipe import Recipe
from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.image import Image
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.core.sample import Sample
from leadline.ops.geometry import unproject
from leadline.testing.scenes import as_kind, noise_photo, sphere

HEIGHT, WIDTH = 120, 160
CAMERA = Camera(130.0, 130.0, 83.25, 57.5, WIDTH, HEIGHT)
NORMAL, DISTANCE_M = (0.1, 0.25, 0.9631), 2.0
"""What the fixture ``sample`` is made of."""

RIGID: dict[str, list[Any]] = {
    "crop": [A.RandomCrop(60, 90)],
    "centre crop": [A.CenterCrop(61, 91)],
    "smaller": [A.Resize(60, 80)],
    "larger, other aspect": [A.Resize(200, 190)],
    "crop and zoom": [A.RandomSizedCrop((50, 80), (90, 100), p=1)],
    "random resized crop": [A.RandomResizedCrop((64, 72), p=1)],
    "longest side": [A.LongestMaxSize(70)],
    "zoom": [A.Affine(scale=1.3, translate_px={"x": 3, "y": -2}, p=1)],
    "zoom out, sampled by area": [A.RandomScale((-0.5, -0.4), area_for_downscale="image_mask", p=1)],
    "rotation": [A.Rotate((20, 20), p=1)],
    "rotation with reflected border": [A.Rotate((-33, -33), border_mode=cv2.BORDER_REFLECT_101, p=1)],
    "quarter turn": [A.RandomRotate90(p=1)],
    "padding": [A.PadIfNeeded(150, 200, border_mode=cv2.BORDER_CONSTANT)],
    "reflected padding": [A.PadIfNeeded(150, 200, border_mode=cv2.BORDER_REFLECT)],
    "padding with a loud mask": [A.PadIfNeeded(150, 200, border_mode=cv2.BORDER_CONSTANT, fill_mask=255)],
    "holes": [A.CoarseDropout(fill_mask=0, p=1)],
    "where truth is": [A.CropNonEmptyMaskIfExists(40, 50)],
    "a chain": [A.RandomCrop(100, 130), A.Rotate((10, 10), p=1), A.Resize(80, 90), A.VerticalFlip(p=1), A.HorizontalFlip(p=1)],
}  # fmt: skip
MIRRORS: dict[str, list[Any]] = {
    "horizontal": [A.HorizontalFlip(p=1)],
    "vertical": [A.VerticalFlip(p=1)],
    "transpose": [A.Transpose(p=1)],
    "in a chain": [A.RandomCrop(70, 90), A.HorizontalFlip(p=1), A.Resize(90, 120)],
}
BENT: dict[str, list[Any]] = {
    "perspective": [A.Perspective(scale=(0.1, 0.1), p=1)],
    "elastic": [A.ElasticTransform(alpha=60, sigma=6, p=1)],
    "grid": [A.GridDistortion(distort_limit=(0.3, 0.3), p=1)],
    "shear": [A.Affine(shear=(12, 12), p=1)],
    "shuffled": [A.RandomGridShuffle(p=1)],
}
COLOURS: list[Any] = [
    A.RandomBrightnessContrast(p=1),
    A.GaussNoise(p=1),
    A.MotionBlur(p=1),
    A.ToGray(p=1),
    A.ImageCompression(p=1),
    A.RandomShadow(p=1),
]


def _halved(image: Any, **_: Any) -> Any:
    return image[::2, ::2]


def _plane_error_m(view: Sample) -> float:
    """Largest distance of a point of the view from the plane of the scene, in the world."""
    cloud = unproject(view.truth).points_N3
    assert len(cloud) > 50
    assert view.T_world_camera is not None
    world = cloud @ view.T_world_camera[:3, :3].T + view.T_world_camera[:3, 3]
    return float(np.abs(_to_plane(world)).max())


def _to_plane(world: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The scene's pose undone by hand: x_camera = y_world + 1 and so on, from the matrix in the fixture."""
    x, y, z = world[:, 1] + 1, world[:, 2] - 0.5, world[:, 0] - 3
    out: np.ndarray[Any, Any] = np.stack([x, y, z], 1) @ np.array(NORMAL) - DISTANCE_M
    return out


@pytest.mark.parametrize("name", RIGID)
def test_points_stay_where_they_are_in_the_world(name: str, sample: Sample) -> None:
    """Half a source pixel of the plane's slope is what nearest sampling may cost; one pixel wrong is more than that."""
    slope_m = 2 * DISTANCE_M / CAMERA.fx * np.hypot(NORMAL[0], NORMAL[1])
    for epoch in range(3):
        view = Augmentation(A.Compose(RIGID[name]))(sample, epoch=epoch)
        assert view.truth.camera == view.image.camera
        assert _plane_error_m(view) < slope_m


@pytest.mark.parametrize("name", MIRRORS)
def test_a_mirror_image_is_the_mirrored_scene_without_a_pose(name: str, sample: Sample) -> None:
    """The mirrored points lie on the plane with x (or y, or both swapped) turned round."""
    view = Augmentation(A.Compose(MIRRORS[name]))(sample)
    assert view.T_world_camera is None
    x, y, z = unproject(view.truth).points_N3.T
    undone = {"vertical": (x, -y, z), "transpose": (y, x, z)}.get(name, (-x, y, z))
    slope_m = 2 * DISTANCE_M / CAMERA.fx * np.hypot(NORMAL[0], NORMAL[1])
    assert np.abs(np.stack(undone, 1) @ np.array(NORMAL) - DISTANCE_M).max() < slope_m


def test_a_flip_is_exact(sample: Sample) -> None:
    view = Augmentation(A.Compose([A.HorizontalFlip(p=1)]))(sample)
    assert view.image.camera == replace(CAMERA, cx=WIDTH - 1 - CAMERA.cx)
    assert np.array_equal(view.image.rgb_HW3, sample.image.rgb_HW3[:, ::-1])
    assert np.array_equal(view.truth.values, sample.truth.values[:, ::-1])


def test_crop_and_zoom_give_the_cameras_own_law(sample: Sample) -> None:
    """The window that was taken is read from albumentations itself."""
    compose = A.Compose([A.RandomSizedCrop((50, 80), (90, 100), p=1)])
    view = Augmentation(compose)(sample, epoch=4)
    seen: dict[str, Any] = {}
    original = A.RandomSizedCrop.get_params_dependent_on_data

    def spy(self: Any, params: Any, data: Any) -> Any:
        seen.update(original(self, params, data))
        return seen

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(A.RandomSizedCrop, "get_params_dependent_on_data", spy)
        Augmentation(compose)(sample, epoch=4)
    left, top, right, bottom = seen["crop_coords"]
    expected = CAMERA.cropped(left, top, right - left, bottom - top).resized(100, 90)
    got = view.image.camera
    assert [got.fx, got.fy] == pytest.approx([expected.fx, expected.fy], rel=1e-6)
    assert [got.cx, got.cy] == pytest.approx([expected.cx, expected.cy], abs=1e-4)


@pytest.mark.parametrize("name", BENT)
def test_what_leaves_no_pinhole_camera_is_refused_or_forgotten(name: str, sample: Sample) -> None:
    compose = A.Compose(BENT[name])
    with pytest.raises(KindError, match="no pinhole camera sees sample 'plane/1'"):
        Augmentation(compose)(sample)
    view = Augmentation(compose, bent="forget")(sample)
    assert view.truth.camera is None
    assert view.T_world_camera is None
    assert view.truth.valid.mean() > 0.5
    assert set(view.truth.values[view.truth.valid]) <= set(sample.truth.values.ravel())


def test_rotation_of_pixels_that_are_not_square_is_shear(sample: Sample) -> None:
    camera = replace(CAMERA, fy=CAMERA.fy * 1.2)
    odd = replace(sample, image=Image(sample.image.rgb_HW3, camera), truth=sample.truth.with_camera(camera))
    with pytest.raises(KindError, match="Rotate"):
        Augmentation(A.Compose([A.Rotate((20, 20), p=1)]))(odd)


def test_invalid_pixels_never_leak(sample: Sample) -> None:
    """Wild numbers scattered among the valid ones: none of them, and no blend with them, comes through."""
    rows, columns = np.indices((HEIGHT, WIDTH))
    wild = np.random.default_rng(3).random((HEIGHT, WIDTH)) < 0.5
    values = np.where(wild, np.where(rows % 3 == 0, -1e30, 1e30), 1 + columns / 100)
    truth = DepthMap(values, Kind(), valid=~wild, camera=CAMERA)
    holes = replace(sample, truth=truth)
    known = set((1 + np.arange(WIDTH) / 100).astype(np.float32))
    for transforms in (*RIGID.values(), *MIRRORS.values()):
        compose = A.Compose(transforms, mask_interpolation=cv2.INTER_CUBIC)
        view = Augmentation(compose)(holes).truth
        assert set(view.values[view.valid]) <= known
        assert np.isnan(view.values[~view.valid]).all()
        assert 0 < view.valid.mean() < 0.7


@pytest.mark.parametrize("transform", COLOURS, ids=lambda t: type(t).__name__)
def test_colours_never_touch_depth(transform: Any, sample: Sample) -> None:
    view = Augmentation(A.Compose([transform]))(sample)
    assert not np.array_equal(view.image.rgb_HW3, sample.image.rgb_HW3)
    assert np.array_equal(view.truth.values, sample.truth.values)
    assert view.image.camera == CAMERA
    assert np.array_equal(view.T_world_camera, sample.T_world_camera)


def test_what_is_filled_or_reflected_is_unknown(sample: Sample) -> None:
    for mode, fill in ((cv2.BORDER_CONSTANT, 0), (cv2.BORDER_CONSTANT, 0.625), (cv2.BORDER_REFLECT_101, 0), (cv2.BORDER_REPLICATE, 0)):  # fmt: skip
        view = Augmentation(A.Compose([A.PadIfNeeded(140, 200, border_mode=mode, fill_mask=fill)]))(sample)
        valid = np.zeros((140, 200), bool)
        valid[10:130, 20:180] = True
        assert np.array_equal(view.truth.valid, valid)


@pytest.mark.parametrize(
    "kind",
    [
        Kind(Quantity.INVERSE, Freedom.AFFINE),
        Kind(Quantity.INVERSE),
        Kind(Quantity.DEPTH, Freedom.SCALE),
        Kind(along=Along.RAY),
    ],
    ids=str,
)
def test_every_kind_keeps_its_kind_and_values(kind: Kind, sample: Sample) -> None:
    other = replace(sample, truth=as_kind(sample.truth, kind))
    compose = A.Compose([A.HorizontalFlip(p=1), A.CenterCrop(50, 60)])
    view = Augmentation(compose)(other).truth
    assert view.kind == kind
    assert np.array_equal(view.values, other.truth.values[35:85, 50:110][:, ::-1])


def test_sky_stays_sky(sample: Sample) -> None:
    truth = sphere(CAMERA, centre_m=(0.1, 0.0, 3.0), radius_m=0.8)
    for kind in (Kind(), Kind(Quantity.INVERSE)):
        values = truth if kind == Kind() else DepthMap(np.nan_to_num(1 / truth.values), kind, truth.valid, truth.infinite, CAMERA)  # fmt: skip
        view = Augmentation(A.Compose([A.Rotate((15, 15), p=1)]))(replace(sample, truth=values)).truth
        assert 0.3 < view.infinite.mean() < truth.infinite.mean()
        assert not (view.infinite & view.valid).any()
        assert set(view.values[view.infinite]) == {np.float32(np.inf if kind == Kind() else 0)}


def test_a_small_truth_comes_out_at_the_photos_size(sample: Sample) -> None:
    small = CAMERA.resized(40, 30)
    values = np.arange(1, 1201, dtype=np.float32).reshape(30, 40)
    other = replace(sample, truth=DepthMap(values, Kind(), camera=small))
    for transforms in (A.Compose([A.CenterCrop(60, 80)]), Recipe(rows=60, columns=80, flip_chance=0)):
        view = Augmentation(transforms)(other)
        assert view.truth.shape == (60, 80)
        assert view.truth.camera is not None
        assert [view.truth.camera.fx, view.truth.camera.cx] == pytest.approx(
            [view.image.camera.fx, view.image.camera.cx]
        )
    centre = Augmentation(A.Compose([A.CenterCrop(60, 80)]))(other).truth
    assert np.array_equal(centre.values, np.kron(values, np.ones((4, 4)))[30:90, 40:120])


def test_a_truth_with_another_camera_keeps_its_own(sample: Sample) -> None:
    own = replace(CAMERA, fx=140.0, cx=80.0)
    other = replace(sample, truth=sample.truth.with_camera(own))
    view = Augmentation(A.Compose([A.HorizontalFlip(p=1)]))(other)
    assert view.truth.camera == own.flipped()
    assert view.image.camera == CAMERA.flipped()
    bare = replace(sample, truth=sample.truth.with_camera(None))
    assert Augmentation(A.Compose([A.HorizontalFlip(p=1)]))(bare).truth.camera is None


def test_the_same_seed_epoch_and_sample_give_the_same_everywhere(sample: Sample) -> None:
    """In another order, from a pickle, in threads at once; and another seed, epoch or id gives another view."""
    transforms = A.Compose([A.RandomCrop(60, 80), A.HorizontalFlip(p=0.5), A.GaussNoise(p=1), A.Rotate(p=1)])
    augmentation = Augmentation(transforms, seed=5)
    first = [augmentation(sample, epoch=epoch).image.rgb_HW3 for epoch in range(6)]
    twin = pickle.loads(pickle.dumps(augmentation))
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda epoch: twin(sample, epoch=epoch).image.rgb_HW3, range(5, -1, -1)))[::-1]
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    others = [
        augmentation(replace(sample, id="plane/2"), epoch=0),
        Augmentation(transforms, seed=6)(sample, epoch=0),
        augmentation(sample, epoch=1),
    ]
    assert not any(np.array_equal(other.image.rgb_HW3, first[0]) for other in others)


def test_chances_are_independent_of_each_other(sample: Sample) -> None:
    """albumentations' own seed gives every transform the same draws, so that a flip would always come with noise."""
    augmentation = Augmentation(A.Compose([A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5)]))
    rgb = sample.image.rgb_HW3
    kinds = {"none": rgb, "left-right": rgb[:, ::-1], "up-down": rgb[::-1], "both": rgb[::-1, ::-1]}
    counts = dict.fromkeys(kinds, 0)
    for epoch in range(60):
        view = augmentation(sample, epoch=epoch).image.rgb_HW3
        counts[next(name for name, one in kinds.items() if np.array_equal(view, one))] += 1
    assert min(counts.values()) >= 6


def test_another_process_draws_the_same(sample: Sample) -> None:
    code = (
        "import numpy as np, albumentations as A, zlib\n"
        "from leadline.augment.pipeline import Augmentation\n"
        "from leadline.core.camera import Camera\nfrom leadline.core.image import Image\n"
        "from leadline.core.sample import Sample\n"
        "from leadline.testing.scenes import noise_photo, plane\n"
        f"camera = Camera(130.0, 130.0, 83.25, 57.5, {WIDTH}, {HEIGHT})\n"
        f"s = Sample('plane/1', Image(noise_photo({HEIGHT}, {WIDTH}).rgb_HW3, camera), plane(camera, normal=(0, 0, 1), distance_m=2))\n"
        "a = Augmentation(A.Compose([A.RandomCrop(60, 80), A.GaussNoise(p=1), A.HorizontalFlip()]), seed=3)\n"
        "print(zlib.crc32(a(s, epoch=2).image.rgb_HW3.tobytes()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names: dict[str, Any] = {}
    exec(code.replace("print(", "crc = ("), names)
    assert int(done.stdout) == names["crc"]


def test_the_users_own_pipeline_is_left_as_it_was(sample: Sample) -> None:
    compose = A.Compose([A.Resize(60, 80)])
    before = A.to_dict(compose)
    Augmentation(compose)(sample)
    assert A.to_dict(compose) == before
    assert "leadline_places" not in compose.available_keys


@pytest.mark.parametrize(
    ("transforms", "message"),
    [
        ([A.Normalize()], "not 8-bit RGB; leave normalising and tensors to the loader"),
        ([A.RandomCrop(500, 500)], "sample 'plane/1' of 160x120 cannot be augmented: Crop size"),
        ([A.Crop(0, 0, 1, 1)], "no pinhole camera"),
        ([A.Lambda(image=_halved)], "a photo of (60, 80) and depth of (120, 160)"),
    ],
    ids=["normalised", "too large a crop", "nothing left", "photo alone"],
)
def test_what_cannot_be_done_is_told(transforms: list[Any], message: str, sample: Sample) -> None:
    with pytest.raises((InputError, KindError)) as told:
        Augmentation(A.Compose(transforms))(sample)
    assert message in str(told.value)


def test_what_is_no_pipeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a Recipe nor an albumentations Compose"):
        Augmentation([A.HorizontalFlip()])
    with pytest.raises(InputError, match="bent = 'maybe'"):
        Augmentation(bent="maybe")  # type: ignore[arg-type]
    broken = tmp_path / "mine.json"
    broken.write_text("{")
    with pytest.raises(InputError, match=r"mine.json' is no pipeline saved by albumentations"):
        augmentation_of(size=(0, 0), file=broken, seed=0)


def test_a_saved_pipeline_is_used(sample: Sample, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    A.save(A.Compose([A.CenterCrop(20, 30)]), file)
    view = augmentation_of(size=(448, 576), file=file, seed=0)(sample)
    assert view.truth.shape == (20, 30)


def test_a_large_photo_is_tracked_to_the_pixel() -> None:
    """Coordinates are float32: they must still be whole pixels at the far end of a 24-megapixel photo's side."""
    camera = Camera.centred(5000.0, 6000, 64)
    photo = Image(np.repeat(noise_photo(1, 6000).rgb_HW3, 64, 0), camera)
    values = np.tile(np.arange(1, 6001, dtype=np.float32), (64, 1))
    view = Augmentation(A.Compose([A.HorizontalFlip(p=1)]))(
        Sample("wide", photo, DepthMap(values, Kind(), camera=camera))
    )
    assert np.array_equal(view.truth.values, values[:, ::-1])
    assert view.image.camera == camera.flipped()
