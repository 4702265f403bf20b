"""Measures the embedded model: error on the scenes its recipe holds out, other cameras, half precision, time.

    python benchmarks/embedded_indoor.py SHARED/data                              # all that needs the shipped file only
    python benchmarks/embedded_indoor.py SHARED/data --run OUT                    # and half against single precision
    python benchmarks/embedded_indoor.py SHARED/data --run SECOND --recipe embedded-indoor-2 --start FIRST/leadline-indoor-small.onnx
    python benchmarks/embedded_indoor.py SHARED/data --peers SHARED/peers         # and small published models beside it
    python benchmarks/embedded_indoor.py SHARED/data --file OTHER.onnx            # another file of ours, and its mean with the shipped one's; writes nothing

SHARED/data is a folder of RGB-D frames (``nyu_train795``, ``redwood``, ``hololens_video``). Scores are means over images,
without alignment; on NYU in the Eigen crop, truth up to 10 m. For times, nothing else should run.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PilImage
from skimage import data as photos

import leadline
from leadline.core.camera import Camera, Origin
from leadline.core.sample import Sample
from leadline.datasets.nyu import EIGEN_CROP
from leadline.models.leadline_indoor.spec import SMALL
from leadline.ops.crop import crop
from leadline.ops.flip import flip
from leadline.ops.metrics import Scores, score
from leadline.plugins.specs import Stated
from leadline.training.recipe_files import load_recipe
from leadline.training.splits import split_blocks

HERE = Path(__file__).resolve().parent
LIMITS_M = (1e-3, 10.0)
Predictor = Callable[[leadline.Image], leadline.DepthMap]


def held_out(data: Path) -> list[Sample]:
    """The samples of the recipe's held-out blocks."""
    folder = leadline.open_dataset(data / "nyu_train795", name="nyu", options={"window": "eigen"})
    _, positions = split_blocks(len(folder), recipe=load_recipe("embedded-indoor").data)
    return [folder[position] for position in positions]


SEEN_SHOP = {*(f"{number:04}" for number in range(103, 116)), "0119"}
"""Held-out frames of a large shop whose other corners the recipe trains on: its three dropped frames are too few there."""


WALK_END = slice(110, None, 5)
"""Of 150 frames of the HoloLens walk, the first 100 are learned from and ten are dropped. It is one office: not unseen."""


def unseen(samples: Sequence[Sample]) -> list[Sample]:
    """The held-out samples of places of which no frame was trained on."""
    return [sample for sample in samples if sample.id not in SEEN_SHOP]


def mean_scores(predict: Predictor, samples: Sequence[Sample]) -> dict[str, float]:
    """Every score's mean over the images."""
    scores: list[Scores] = [score(predict(s.image), s.truth, limits_m=LIMITS_M) for s in samples]
    names = [name for name, value in asdict(scores[0]).items() if not math.isnan(value)]
    means = {name: float(np.mean([getattr(s, name) for s in scores])) for name in names}
    return {name: round(value, 4) for name, value in means.items()} | {"images": len(samples)}


def flip_averaged(predict: Predictor) -> Predictor:
    """The mean of a photo's depth and its mirrored photo's."""

    def averaged(image: leadline.Image) -> leadline.DepthMap:
        plain, mirrored = predict(image), flip(predict(flip(image)))
        return leadline.DepthMap((plain.values + mirrored.values) / 2, plain.kind, camera=plain.camera)

    return averaged


def constant(samples: Sequence[Sample]) -> Predictor:
    """What knows nothing: 2.5 m everywhere."""
    del samples
    return lambda image: leadline.DepthMap(np.full((image.height, image.width), 2.5), leadline.Kind())


def zoomed(samples: Sequence[Sample], *, told: bool) -> list[Sample]:
    """The middle of each photo, as a camera of 1.6 times the focal length sees it; told so, or left to be assumed."""
    window = {"left": 120, "top": 90, "width": 400, "height": 300}
    cut = []
    for sample in samples:
        image, truth = crop(sample.image, **window), crop(sample.truth, **window)
        if not told:
            image = leadline.Image(image.rgb_HW3, Camera.assumed(400, 300))
            truth = leadline.DepthMap(truth.values, truth.kind, truth.valid)
        cut.append(replace(sample, image=image, truth=truth))
    return cut


def millimetre_frames(
    photos: list[Path], depths: list[Path], camera: Camera, *, far_m: float
) -> list[Sample]:
    """Samples of a photo and a 16-bit depth PNG in millimetres, 0 where unknown."""
    samples = []
    for photo, depth in zip(photos, depths, strict=True):
        rgb = np.asarray(PilImage.open(photo).convert("RGB"))
        metres = np.asarray(PilImage.open(depth)).astype(np.float32) / 1000
        at = replace(camera, width=rgb.shape[1], height=rgb.shape[0])
        valid = (metres > 0) & (metres <= far_m)
        truth = leadline.DepthMap(metres, leadline.Kind(), valid=valid, camera=at)
        samples.append(Sample(photo.stem, leadline.Image(rgb, at), truth))
    return samples


def motorcycle() -> Sample:
    """Middlebury's garage (Scharstein et al., GCPR 2014), as scikit-image carries it, with its structured-light truth."""
    left, _, disparity_px = photos.stereo_motorcycle()
    camera = Camera(994.978, 994.978, 311.193, 254.877, left.shape[1], left.shape[0])
    with np.errstate(invalid="ignore"):
        metres = 994.978 * 0.193001 / (disparity_px + 31.086)
    known = np.isfinite(disparity_px)
    truth = leadline.DepthMap(np.where(known, metres, 0), leadline.Kind(), valid=known, camera=camera)
    return Sample("motorcycle", leadline.Image(left, camera), truth)


def other_cameras(data: Path) -> dict[str, list[Sample]]:
    """Indoor frames of other sets and cameras; all but the walk's were never seen."""
    k = np.loadtxt(data / "hololens_video" / "K.txt")
    rgbd, video = data / "redwood" / "RGBD", data / "hololens_video"
    return {
        "Middlebury motorcycle (1 photo)": [motorcycle()],
        "redwood (5 frames)": millimetre_frames(
            sorted(rgbd.glob("color/*.jpg")),
            sorted(rgbd.glob("depth/*.png")),
            Camera(525.0, 525.0, 319.5, 239.5, 640, 480, Origin.GIVEN),
            far_m=5.0,
        ),
        "hololens video (end of the walk, every 5th frame)": millimetre_frames(
            sorted(video.glob("images/*.png"))[WALK_END],
            sorted(video.glob("depth/*.png"))[WALK_END],
            Camera(k[0, 0], k[1, 1], k[0, 2], k[1, 2], 640, 480, Origin.GIVEN),
            far_m=5.0,
        ),
    }


def published(data: Path, peers: Path) -> dict[str, Any]:
    """Small published models on the same held-out frames.

    Both were trained on tens of thousands of frames of NYU's raw set, most likely of these very rooms among them.
    FastDepth was trained on the middle of the frame: it is scored on whole frames, and on its own crop.
    """
    meter = Stated(kind=leadline.Kind(), unit="cm", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    files = {
        "METER-XXS": (peers / "meter_xxs_nyu" / "meter_xxs_nyu_reexport.onnx", meter),
        "FastDepth": (
            peers / "fastdepth_nyu" / "fastdepth_dequantised_fp32.onnx",
            Stated(kind=leadline.Kind()),
        ),
    }
    samples = held_out(data)
    middle = {"left": 28, "top": 21, "width": 584, "height": 438}  # its 304x228 of 333x250
    cut = [replace(s, image=crop(s.image, **middle), truth=crop(s.truth, **middle)) for s in samples]
    found: dict[str, Any] = {}
    for name, (path, stated) in files.items():
        with leadline.open_model(f"onnx:{path}", stated=stated) as model:

            def predict(image: leadline.Image, model: leadline.Model = model) -> leadline.DepthMap:
                return model.predict(image).depth

            found[f"{name}, places never seen by us"] = mean_scores(predict, unseen(samples))
            found[f"{name}, all held-out frames"] = mean_scores(predict, samples)
            if name == "FastDepth":
                found[f"{name}, its own crop, places never seen by us"] = mean_scores(predict, unseen(cut))
                found[f"{name}, its own crop, all held-out frames"] = mean_scores(predict, cut)
    return found


def errors(data: Path, name: str) -> dict[str, Any]:
    """All scores of a file."""
    samples = held_out(data)
    with leadline.open_model(name) as model:

        def predict(image: leadline.Image) -> leadline.DepthMap:
            return model.predict(image).depth

        found: dict[str, Any] = {
            "held-out frames of places never seen": mean_scores(predict, unseen(samples)),
            "held-out frames of places never seen, 2.5 m everywhere": mean_scores(
                constant(samples), unseen(samples)
            ),
            "held-out scenes": mean_scores(predict, samples),
            "held-out scenes, averaged with the mirrored photo": mean_scores(flip_averaged(predict), samples),
            "held-out scenes, 2.5 m everywhere": mean_scores(constant(samples), samples),
            "middle of the photo, focal length told": mean_scores(predict, zoomed(samples, told=True)),
            "middle of the photo, focal length assumed": mean_scores(predict, zoomed(samples, told=False)),
        }
        for name, frames in other_cameras(data).items():
            found[name] = mean_scores(predict, frames)
    return found


def beside_shipped(data: Path, name: str) -> dict[str, Any]:
    """Scores of the geometric mean of a file's depth and the shipped file's."""
    with leadline.open_model(SMALL.name) as shipped, leadline.open_model(name) as other:

        def predict(image: leadline.Image) -> leadline.DepthMap:
            ours, theirs = shipped.predict(image).depth, other.predict(image).depth
            return leadline.DepthMap(np.sqrt(ours.values * theirs.values), ours.kind, camera=ours.camera)

        samples = held_out(data)
        groups = {"held-out frames of places never seen": unseen(samples), "held-out scenes": samples}
        return {group: mean_scores(predict, some) for group, some in (groups | other_cameras(data)).items()}


def precision(data: Path, run: Path, *, recipe: str, start: Path | None) -> dict[str, Any]:
    """The network of a finished training in single precision and with the half precision of its file, both in torch."""
    from leadline.flows.train import TrainRequest, frames_of
    from leadline.flows.training_preparation import prepare
    from leadline.models.leadline_indoor.net import IndoorNet
    from leadline.models.leadline_indoor.whole import load_file_weights, predict_whole
    from leadline.training.loop import fit
    from leadline.training.network import build_network
    from leadline.training.start import start_from

    told = load_recipe(recipe)
    file = run / f"{told.export.name}.onnx"
    if not (file.is_file() and (run / "last.ckpt").is_file()):
        raise SystemExit(f"{run} holds no finished training: {file.name} and last.ckpt are wanted")
    wants_walk = any(more.dataset == "posed" for more in told.data.more)
    prepared = prepare(
        TrainRequest(
            recipe=recipe,
            data=f"nyu:{data / 'nyu_train795'}",
            more=(f"posed:{data / 'hololens_video'}",) if wants_walk else (),
            start=None if start is None else str(start),
            out=run,
        )
    )
    single, half = prepared.network, build_network(prepared.recipe)
    assert isinstance(single, IndoorNet)
    assert isinstance(half, IndoorNet)
    frames, more = frames_of(prepared)
    if start is not None:
        start_from(single, start, frames=frames, more=more, recipe=prepared.recipe)
    # In a copy of a finished run nothing is left to learn: the average is read and settled again.
    with tempfile.TemporaryDirectory() as work:
        shutil.copy(run / "last.ckpt", work)
        fit(single, frames=frames, held_out=[], recipe=prepared.recipe, out=Path(work), more=more)
    single.folded()
    load_file_weights(half, file)

    def predictor(net: IndoorNet) -> Predictor:
        def predict(image: leadline.Image) -> leadline.DepthMap:
            focal_px = np.array([np.sqrt(image.camera.fx * image.camera.fy)], np.float32)
            return leadline.DepthMap(
                predict_whole(net, image.rgb_HW3[None], focal_px=focal_px)[0], SMALL.kind
            )

        return predict

    samples = held_out(data)
    apart = [
        np.abs(predictor(single)(s.image).values / predictor(half)(s.image).values - 1)[EIGEN_CROP]
        for s in samples[::6]
    ]
    return {
        "single precision": mean_scores(predictor(single), samples),
        "half precision, as in the file": mean_scores(predictor(half), samples),
        "mean relative difference": float(np.mean(apart)),
        "largest relative difference": float(np.max(apart)),
    }


def speed(*, threads: int) -> dict[str, float]:
    """Milliseconds for one photo of 640x480, pre- and post-processing included."""
    photo = leadline.Image.from_array(
        np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    )
    with leadline.open_model(SMALL.name, threads=threads) as model:
        times = []
        for _ in range(120):
            start = time.perf_counter()
            model.infer([photo])
            times.append((time.perf_counter() - start) * 1000)
    kept = times[20:]
    return {
        "median_ms": round(statistics.median(kept), 2),
        "min_ms": round(min(kept), 2),
        "max_ms": round(max(kept), 2),
    }


def main() -> None:
    """Measures, prints, and writes ``results/embedded_indoor.json`` beside this file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--run", type=Path, help="folder of a finished training")
    parser.add_argument("--recipe", default="embedded-indoor", help="its recipe, by name or file")
    parser.add_argument("--start", type=Path, help="the model file it began with, where it went on from one")
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--file", type=Path)
    asked = parser.parse_args()
    name = SMALL.name if asked.file is None else f"onnx:{asked.file}"
    found: dict[str, Any] = {"errors": errors(asked.data, name)}
    if asked.peers is not None:
        found["published models"] = published(asked.data, asked.peers)
    if asked.file is not None:
        found["its mean with the shipped file's"] = beside_shipped(asked.data, name)
        print(json.dumps(found, indent=2))
        return
    if asked.run is not None:
        found["precision"] = precision(asked.data, asked.run, recipe=asked.recipe, start=asked.start)
    found["640x480"] = {f"{threads} threads": speed(threads=threads) for threads in (1, 2)}
    print(json.dumps(found, indent=2))
    (HERE / "results" / "embedded_indoor.json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
