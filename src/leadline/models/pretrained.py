"""What the families of transformers share: a checkpoint folder becomes a network with its own processing."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, WeightsError
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.ops.processing import Processing
from leadline.plugins.need import need

__all__ = ["PretrainedNetwork", "load_processor", "quiet"]

_MOST_SLENDER = 8


class PretrainedNetwork:
    """A network of transformers, with the checkpoint's own image processor before and after it.

    A family derives from it, says which architecture its checkpoints have, and overrides what is odd in it.

    Args:
        checkpoint: Folder with ``config.json``, ``preprocessor_config.json`` and the weights.

    Raises:
        WeightsError: A file is missing, or the weights are not all there or do not fit the architecture.
        EngineError: The checkpoint is of another architecture.
    """

    architecture: ClassVar[str]
    """``model_type`` of its configuration: ``"dpt"``."""

    least_side: ClassVar[int] = 1
    """Photos with a shorter side get more of their last row or column, which is cut off the depth again."""

    way_back: ClassVar[str] = "cubic"
    """How the processor brings depth to the photo's size, as ``Processing`` calls it; empty where it does more than that."""

    cuts_overshoot: bool = False
    """Whether depth stays within what the network said before it was enlarged: cubic interpolation swings beyond it,
    below zero or above the farthest a metric network knows."""

    def __init__(self, checkpoint: Path) -> None:
        _check_files(checkpoint)
        self.checkpoint, self.config = checkpoint, _configuration(checkpoint, architecture=self.architecture)
        self._where: dict[str, str] = {}

    @cached_property
    def module(self) -> Any:
        """The network, a ``torch.nn.Module`` in float32.

        It is loaded when it is first asked for: an engine that has kept it as a program of its own does not need it.
        """
        return _load_module(self.checkpoint, architecture=self.architecture)

    @cached_property
    def processor(self) -> Any:
        """What prepares photos and enlarges depth: the checkpoint's own image processor."""
        return load_processor(self.checkpoint, architecture=self.architecture)

    def place(self, device: str) -> None:
        """Lets the processor resize and normalise on a device, where it is one that can.

        Args:
            device: Such as ``"cuda:0"``.
        """
        if getattr(self.processor, "backend", "") == "torchvision":
            self._where = {"device": device}

    @property
    def native_px(self) -> int:
        """The side at which the processor shows photos to the network; 0 where it keeps their size."""
        size = getattr(self.processor, "size", None) or {}
        sides = [getattr(size, name, None) for name in ("height", "width", "shortest_edge", "longest_edge")]
        return max((int(side) for side in sides if side), default=0)

    def key(self, image: Image) -> Hashable:
        """Photos of one size share a batch."""
        return image.rgb_HW3.shape

    def prepare(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> Mapping[str, Any]:
        """The checkpoint's own resizing and normalising."""
        pixels = self.processor(images=self.photos(images), return_tensors="pt", **self._where)
        return {"pixel_values": pixels["pixel_values"]}

    def declared(self, image: Image) -> Processing:
        """The processor's steps as a record that goes beside a file.

        Args:
            image: A photo; its size settles the network's.

        Returns:
            The record, for photos of this shape.

        Raises:
            EngineError: The processor does what no record says.
        """
        told = self.processor
        resample = {2: "bilinear", 3: "bicubic"}.get(int(told.resample), "")
        if not resample or getattr(told, "do_pad", False) or not self.way_back:
            raise EngineError(
                f"the processing of a {self.architecture} checkpoint is more than a file can declare",
                hint="run the checkpoint itself, with --engine openvino or --engine torch",
            )
        shape = self.prepare([image])["pixel_values"].shape
        normal = bool(getattr(told, "do_normalize", False))
        return Processing(
            int(shape[2]),
            int(shape[3]),
            _three(told.image_mean) if normal else (0.0, 0.0, 0.0),
            _three(told.image_std) if normal else (1.0, 1.0, 1.0),
            resample=cast(Literal["bilinear", "bicubic"], resample),
            way_back=cast(Literal["linear", "cubic"], self.way_back),
            keeps_range=self.cuts_overshoot,
        )

    def photos(self, images: Sequence[Image]) -> list[Any]:
        """The photos as Pillow images of their padded sizes, as processors take them."""
        return [_pillow(image, self.padded(image)) for image in images]

    def padded(self, image: Image) -> tuple[int, int]:
        """The size a photo is brought to by repeating its last row or column.

        The processors of several families make photos of no height out of very slender ones.

        Args:
            image: The photo.

        Returns:
            (height, width): its own size, unless it is shorter than ``least_side`` or more slender than one to eight.
        """
        least = max(self.least_side, -(-max(image.height, image.width) // _MOST_SLENDER))
        return max(image.height, least), max(image.width, least)

    def restore(
        self, outputs: Mapping[str, Any], images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()
    ) -> list[Answer]:
        """The processor's own way back to the photo's size."""
        done = self.post_process(outputs, images)
        return [
            self.answer(one, raw, image)
            for one, raw, image in zip(done, outputs["predicted_depth"], images, strict=True)
        ]

    def post_process(self, outputs: Mapping[str, Any], images: Sequence[Image]) -> list[dict[str, Any]]:
        """``post_process_depth_estimation`` of the checkpoint's processor.

        Args:
            outputs: What the module gave.
            images: The photos.

        Returns:
            One mapping a photo, with ``predicted_depth`` at its padded size.
        """
        sizes = [self.padded(image) for image in images]
        # The sizes go by place, as the pipeline gives them: they are target sizes to all families but ZoeDepth, to which
        # they are source sizes.
        done: list[dict[str, Any]] = self.processor.post_process_depth_estimation(_Attributes(outputs), sizes)
        return done

    def answer(self, done: Mapping[str, Any], raw: Any, image: Image) -> Answer:
        """One photo's answer.

        Args:
            done: What the processor gave for it.
            raw: What the network gave for it, before it was enlarged.
            image: The photo.

        Returns:
            Its values.
        """
        depth = done["predicted_depth"]
        if self.cuts_overshoot:
            depth = depth.clamp(raw.min(), raw.max())
        return Answer(self.plane(depth, image))

    def plane(self, tensor: Any, image: Image) -> NDArray[np.float32]:
        """A tensor of a photo's padded size as float32 values of its own size."""
        array: NDArray[np.float32] = tensor.detach().cpu().numpy().astype(np.float32, copy=False)
        whole = array.reshape(self.padded(image))
        return np.ascontiguousarray(whole[: image.height, : image.width])


def _three(numbers: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = (float(number) for number in numbers)
    return red, green, blue


class _Attributes(dict[str, Any]):
    """A mapping whose keys are attributes too, and absent ones None, as transformers' outputs are."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name)


def _configuration(folder: Path, *, architecture: str) -> Mapping[str, Any]:
    """The configuration of a checkpoint, as it is written.

    Args:
        folder: Its folder.
        architecture: The ``model_type`` it should be of.

    Returns:
        What ``config.json`` says; what it leaves out, transformers fills in.

    Raises:
        WeightsError: The file is damaged.
        EngineError: It is of another architecture.
    """
    path = folder / "config.json"
    try:
        told = json.loads(path.read_text("utf-8"))
        if not isinstance(told, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{str(path)!r} is no configuration of a model ({error})", hint="fetch the checkpoint again"
        ) from error
    if told.get("model_type") != architecture:
        raise EngineError(
            f"checkpoint {str(folder)!r} is a {told.get('model_type')!r}, not a {architecture!r}",
            hint=f"open it as hf: or by its folder, which reads its architecture: --model {folder}",
        )
    return told


def load_processor(folder: Path, *, architecture: str) -> Any:
    """The image processor of a checkpoint folder.

    Args:
        folder: The folder.
        architecture: Its architecture, for messages.

    Returns:
        The processor, as transformers makes it.

    Raises:
        MissingExtra: transformers is not installed.
    """
    transformers = need("transformers", who=f"a {architecture} checkpoint", extra="transformers")
    with quiet(transformers):
        return transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)


def _load_module(folder: Path, *, architecture: str) -> Any:
    """The network of a checkpoint folder; nobody outside is asked.

    Args:
        folder: The folder.
        architecture: Its architecture, for messages.

    Returns:
        The ``torch.nn.Module`` in float32.

    Raises:
        WeightsError: The weights are damaged, not all there, or of other shapes.
        MissingExtra: transformers is not installed.
    """
    transformers = need("transformers", who=f"a {architecture} checkpoint", extra="transformers")
    with quiet(transformers):
        module, report = _weights_of(transformers, folder)
    missing = sorted(report["missing_keys"])
    if missing:
        raise WeightsError(
            f"checkpoint {str(folder)!r} lacks {len(missing)} of its weights, such as {missing[0]!r}",
            hint="fetch it again, or check that config.json belongs to these weights",
        )
    return module


def _check_files(folder: Path) -> None:
    """Says what is missing in leadline's words: transformers speaks of its hub, where a folder of one's own is not.

    Args:
        folder: Of a checkpoint.

    Raises:
        WeightsError: A file is missing.
    """
    wanted = {
        "configuration (config.json)": ("config.json",),
        "image processor (preprocessor_config.json)": ("preprocessor_config.json", "processor_config.json"),
        "weights (model.safetensors)": ("*.safetensors", "*.bin"),
    }
    for what, patterns in wanted.items():
        if not any(path.is_file() for pattern in patterns for path in folder.glob(pattern)):
            raise WeightsError(
                f"checkpoint {str(folder)!r} holds no {what}",
                hint="copy or fetch it again, with every file that save_pretrained wrote",
            )


def _weights_of(transformers: Any, folder: Path) -> tuple[Any, Any]:
    from safetensors import SafetensorError

    try:
        module, report = transformers.AutoModelForDepthEstimation.from_pretrained(
            folder, local_files_only=True, output_loading_info=True, dtype="float32"
        )
    except SafetensorError as error:
        raise WeightsError(
            f"the weights in {str(folder)!r} are damaged or cut short ({error})",
            hint="fetch or copy them again",
        ) from error
    return module, report


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """Without the bars and warnings that transformers writes for those who develop models.

    Args:
        transformers: The package.
    """
    import io

    logging = transformers.utils.logging
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def _pillow(image: Image, size: tuple[int, int]) -> Any:
    from PIL import Image as Pil

    below, right = size[0] - image.height, size[1] - image.width
    pixels = image.rgb_HW3
    return Pil.fromarray(
        np.pad(pixels, ((0, below), (0, right), (0, 0)), "edge") if below or right else pixels
    )
