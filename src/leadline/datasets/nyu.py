"""NYU Depth V2 (Silberman, Hoiem, Kohli & Fergus, ECCV 2012): photos of rooms with Kinect depth, in all its layouts.

One name for all of them: which layout a place has is seen from its files, or said. Depth is in metres along the axis of
the colour camera in every one. What differs is the truth itself: filled (inpainted by colourisation) or raw (with the
Kinect's holes), 8-bit or 16-bit or float; published figures differ by it.
"""

from __future__ import annotations

from collections.abc import Iterator

from leadline.core.errors import DatasetError
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames
from leadline.datasets.nyu_calibration import CAMERA, EIGEN_CROP
from leadline.datasets.nyu_densedepth import NyuDenseDepth
from leadline.datasets.nyu_h5 import NyuH5
from leadline.datasets.nyu_mat import NyuMat
from leadline.datasets.nyu_mirrored import NyuMirrored
from leadline.datasets.nyu_raw import NyuRaw
from leadline.datasets.nyu_sync import NyuSync
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["CAMERA", "EIGEN_CROP", "SPEC", "Nyu", "recognise"]

_LAYOUTS: dict[str, type[Frames]] = {
    "mat": NyuMat,
    "h5": NyuH5,
    "densedepth": NyuDenseDepth,
    "sync": NyuSync,
    "mirrored": NyuMirrored,
    "raw": NyuRaw,
}

SPEC = DatasetSpec(
    name="nyu",
    adapter="leadline.datasets.nyu:Nyu",
    recognise="leadline.datasets.nyu:recognise",
    summary="NYU Depth V2: labelled .mat, .h5 folders, DenseDepth's zip, sync_depth PNGs, raw Kinect frames",
    licence="research use; no commercial terms are published",
    layout="""nyu_depth_v2_labeled.mat                          mat: 1449 labelled frames, filled and raw depth
train/<scene>/00001.h5, val/official/00001.h5     h5: rgb and depth arrays, filled
data/nyu2_train.csv, data/nyu2_test.csv           densedepth: 8-bit training, 16-bit test depth, filled
<scene>/rgb_00000.jpg, sync_depth_00000.png       sync: 16-bit millimetres, raw
image/0000.jpg, depth/0000.png                    mirrored: labelled frames, 8-bit, turned left to right, filled
<scene>/r-*.ppm, d-*.pgm                          raw: Kinect disparities, brought to the colour camera, raw""",
    options=(
        DatasetOption("layout", "Which of the layouts it is.", "auto", ("auto", *_LAYOUTS)),
        DatasetOption(
            "truth",
            "Filled or raw depth; auto takes the layout's own, and filled where it has both (mat).",
            "auto",
            ("auto", "filled", "raw"),
        ),
        DatasetOption(
            "window",
            "Known pixels: full, or eigen for the benchmark's crop, rows 45:471, columns 41:601.",
            "full",
            ("full", "eigen"),
        ),
        DatasetOption(
            "registration",
            "Raw Kinect frames: calibrated brings depth to the colour camera, none leaves it.",
            "calibrated",
            ("calibrated", "none"),
        ),
    ),
    paper="https://cs.nyu.edu/~fergus/datasets/nyu_depth_v2.html",
)


def recognise(tree: Tree) -> str:
    """Says why a place is one of NYU's layouts, or nothing."""
    return next((why for why in (_why(tree, name) for name in _LAYOUTS) if why), "")


def _why(tree: Tree, layout: str) -> str:
    why: str = _LAYOUTS[layout].recognise(tree)  # type: ignore[attr-defined]  # each has one
    return why


class Nyu:
    """NYU Depth V2 in whichever layout is there.

    Args:
        tree: The .mat file, folder or archive.
        layout: Which layout; seen from the files where ``"auto"``.
        truth: ``"filled"``, ``"raw"``, or ``"auto"`` for the layout's own, filled where it has both.
        window: ``"full"`` or ``"eigen"``: whether only the benchmark's crop counts as known.
        registration: Whether raw Kinect depth is brought to the colour camera.

    Raises:
        DatasetError: The place has none of the layouts, or not the one that was said; or the layout lacks that truth.
    """

    kind = Kind()

    def __init__(
        self,
        tree: Tree,
        *,
        layout: str = "auto",
        truth: str = "auto",
        window: str = "full",
        registration: str = "calibrated",
    ) -> None:
        name = layout if layout != "auto" else next((n for n in _LAYOUTS if _why(tree, n)), "")
        if not name:
            raise DatasetError(
                f"{str(tree.path / tree.focus)!r} has none of NYU's layouts",
                hint="'leadline data info nyu' draws them; say layout=… where the files are named otherwise",
            )
        truths: tuple[str, ...] = _LAYOUTS[name].truths  # type: ignore[attr-defined]  # each has them
        if truth not in ("auto", *truths):
            raise DatasetError(
                f"layout {name!r} of NYU holds {truths[0]} depth only, so truth={truth} cannot be had from it",
                hint="use the labelled .mat, which holds raw and filled depth",
            )
        self.holds = {"truth": truths[0] if truth == "auto" else truth}
        self.layout, self.window = name, window
        if name == "mat":
            self.frames: Frames = NyuMat(tree, truth=self.holds["truth"])
        elif name == "raw":
            self.frames = NyuRaw(tree, registration=registration)
        else:
            self.frames = _LAYOUTS[name](tree)  # type: ignore[call-arg]  # these take the tree alone

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is known of every frame without decoding any."""
        return self.frames.entries

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Sample:
        """One frame.

        Args:
            index: Position in the order of entries.

        Returns:
            The sample.

        Raises:
            DatasetError: A file is missing or damaged.
        """
        sample = self.frames[index]
        return within_eigen(sample) if self.window == "eigen" else sample


def within_eigen(sample: Sample) -> Sample:
    """A frame of which only the pixels inside the Eigen crop count as known.

    Args:
        sample: A 640x480 frame.

    Returns:
        The frame with a smaller mask.

    Raises:
        DatasetError: It has another size.
    """
    import numpy as np

    from leadline.core.depth_map import DepthMap

    truth = sample.truth
    if truth.shape != (CAMERA.height, CAMERA.width):
        raise DatasetError(
            f"frame {sample.id!r} is {truth.width}x{truth.height}; the Eigen crop is of 640x480",
            hint="use window=full",
        )
    inside = np.zeros(truth.shape, bool)
    inside[EIGEN_CROP] = True
    masked = DepthMap(
        truth.values,
        truth.kind,
        valid=truth.valid & inside,
        infinite=truth.infinite & inside,
        camera=truth.camera,
    )
    return Sample(sample.id, sample.image, masked, sample.scene, sample.split, sample.T_world_camera)
