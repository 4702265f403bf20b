"""Makes the pictures of the documents from the bundled photo, the embedded model and made-up rooms."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

import leadline
from leadline.augment.pipeline import Augmentation
from leadline.augment.recipe import Recipe
from leadline.flows.data.augment import draw_grid
from leadline.flows.demo import bundled_photo
from leadline.flows.predict import PredictRequest, run
from leadline.ops.colour import picture, value_range
from leadline.ops.geometry import project, to_ray
from leadline.ops.metrics import score
from leadline.ops.resize import resize

IMAGES = Path(__file__).resolve().parent / "images"
BACKGROUND = (255, 255, 255)


def side_by_side() -> None:
    """Photo and depth with its scale, as ``leadline predict --side-by-side`` makes them."""
    with tempfile.TemporaryDirectory() as folder:
        report = run(PredictRequest((str(bundled_photo()),), out=Path(folder), formats=("side-by-side",)))
        PilImage.open(report.done[0].outputs[0]).convert("RGB").save(IMAGES / "demo.jpg", quality=88)


def turned(cloud: leadline.PointCloud, yaw_deg: float, pitch_deg: float) -> leadline.PointCloud:
    """The cloud turned about its own middle."""
    yaw, pitch = np.radians([yaw_deg, pitch_deg])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    middle = np.median(cloud.points_N3, axis=0)
    points = (cloud.points_N3 - middle) @ (about_x @ about_y).T + middle
    return leadline.PointCloud(points.astype(np.float32), cloud.rgb_N3, cloud.unit)


def splat(cloud: leadline.PointCloud, camera: leadline.Camera) -> NDArray[np.uint8]:
    """Points drawn far to near, one pixel each."""
    assert cloud.rgb_N3 is not None
    uv, z = project(cloud, camera=camera)
    columns, rows = np.round(np.nan_to_num(uv, nan=-1.0)).astype(int).T
    inside = (z > 0.05) & (columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height)
    order = np.argsort(-z[inside])
    picture = np.full((camera.height, camera.width, 3), BACKGROUND, np.uint8)
    picture[rows[inside][order], columns[inside][order]] = cloud.rgb_N3[inside][order]
    return picture


def cloud_views() -> None:
    """The same photo's point cloud seen from the left, from where it was taken, and from above."""
    result = leadline.predict(bundled_photo())
    image, depth = (resize(value, width=1100, height=1100) for value in (result.image, result.depth))
    cloud = leadline.unproject(depth, image=image)
    camera = leadline.Camera.from_fov(68, 420, 420)
    views = [splat(turned(cloud, yaw, pitch), camera) for yaw, pitch in ((-18, 0), (0, 0), (18, -10))]
    PilImage.fromarray(np.concatenate(views, axis=1)).save(IMAGES / "cloud.jpg", quality=88)


def rooms() -> None:
    """Nine made-up rooms as ``leadline data preview`` lays them out."""
    place = leadline.open_dataset("synthetic", options={"seed": 3})
    sheet = place.select(first=64).preview(count=9, columns=3, width=200)
    sheet.save(IMAGES / "rooms.jpg")


def augmented() -> None:
    """The same photo and its depth as nine epochs see them."""
    result = leadline.predict(bundled_photo())
    sample = leadline.Sample("astronaut", result.image, result.depth)
    augmentation = Augmentation(Recipe(rows=384, columns=384))
    views = [augmentation(sample, epoch=epoch) for epoch in range(9)]
    PilImage.fromarray(draw_grid(views, width=180)).save(IMAGES / "augmented.jpg", quality=88)


MEASURED = ((400, 60), (160, 270), (250, 440))
"""Column and row of what is measured in the made-up room: a far wall, something in the middle, the floor."""


def calibrated() -> None:
    """A made-up room: photo with measured points, depth before and after they were told, and the truth, in one range."""
    sample = leadline.open_dataset("synthetic", options={"seed": 7, "width": 640, "height": 480})[3]
    with leadline.open_model("leadline-indoor-small") as model:
        said = model.predict(sample.image)
    columns, rows = np.array(MEASURED).T
    distances_m = to_ray(sample.truth).values[rows, columns].astype(float).round(2)
    points = leadline.KnownPoints(rows, columns, distances_m, leadline.Along.RAY)
    found = leadline.calibrate(said, points)
    maps = (said.depth, found.apply(said.depth), sample.truth)
    span = leadline.ColourOptions(range=value_range(sample.truth))
    errors = [100 * score(depth, sample.truth).abs_rel for depth in maps[:2]]
    print("calibrated:", found.words, points.depth_m, [f"{error:.1f} %" for error in errors], found.worst)
    titles = (
        "photo, and what was measured",
        f"before: off by {errors[0]:.0f} % on average",
        f"after: off by {errors[1]:.0f} %",
        "the truth",
    )
    panels = [marked(sample.image.rgb_HW3, points), *(picture(depth, options=span) for depth in maps)]
    sheet = PilImage.new("RGB", (640 * 2 + 12, 2 * (max(map(len, panels)) + 34)), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(22)
    for place, (panel, title) in enumerate(zip(panels, titles, strict=True)):
        x, y = 652 * (place % 2), (sheet.height // 2) * (place // 2)
        draw.text((x + 4, y + 4), title, (30, 30, 30), font)
        sheet.paste(PilImage.fromarray(panel), (x, y + 34))
    sheet.save(IMAGES / "calibrated.jpg", quality=86)


def marked(rgb_HW3: NDArray[np.uint8], points: leadline.KnownPoints) -> NDArray[np.uint8]:
    """A photo with a ring and a distance at each point."""
    shown = PilImage.fromarray(rgb_HW3)
    draw, font = ImageDraw.Draw(shown), ImageFont.load_default(22)
    for row, column, metres in zip(points.rows, points.columns, points.depth_m, strict=True):
        for radius, colour in ((9, "black"), (7, "white")):
            draw.ellipse(
                (column - radius, row - radius, column + radius, row + radius), outline=colour, width=2
            )
        words = f"{metres:g} m"
        box = draw.textbbox((column + 14, row - 14), words, font)
        draw.rectangle((box[0] - 4, box[1] - 3, box[2] + 4, box[3] + 3), fill="white")
        draw.text((column + 14, row - 14), words, "black", font)
    return np.asarray(shown)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    side_by_side()
    cloud_views()
    rooms()
    augmented()
    calibrated()
