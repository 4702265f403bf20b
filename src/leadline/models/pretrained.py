"""What the families of transformers share: a checkpoint folder becomes a network with its own processing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, WeightsError
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.plugins.need import need

__all__ = ["PretrainedNetwork", "load_checkpoint"]


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

    def __init__(self, checkpoint: Path) -> None:
        self.module, self.processor = load_checkpoint(checkpoint, architecture=self.architecture)

    def key(self, image: Image) -> Hashable:
        """Photos of one size share a batch."""
        return image.rgb_HW3.shape

    def prepare(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> Mapping[str, Any]:
        """The checkpoint's own resizing and normalising."""
        pixels = self.processor(images=[_pillow(image) for image in images], return_tensors="pt")
        return {"pixel_values": pixels["pixel_values"]}

    def restore(self, outputs: Mapping[str, Any], images: Sequence[Image]) -> list[Answer]:
        """The processor's own way back to the photo's size."""
        sizes = [(image.height, image.width) for image in images]
        done = self.post_process(outputs, sizes)
        return [self.answer(one, image) for one, image in zip(done, images, strict=True)]

    def post_process(self, outputs: Mapping[str, Any], sizes: list[tuple[int, int]]) -> list[dict[str, Any]]:
        """``post_process_depth_estimation`` of the checkpoint's processor.

        Args:
            outputs: What the module gave.
            sizes: (height, width) of the photos.

        Returns:
            One mapping a photo, with ``predicted_depth``.
        """
        done: list[dict[str, Any]] = self.processor.post_process_depth_estimation(
            _Attributes(outputs), target_sizes=sizes
        )
        return done

    def answer(self, done: Mapping[str, Any], image: Image) -> Answer:
        """One photo's answer.

        Args:
            done: What the processor gave for it.
            image: The photo.

        Returns:
            Its values.
        """
        return Answer(plane(done["predicted_depth"], image))


class _Attributes(dict[str, Any]):
    """A mapping whose keys are attributes too, and absent ones None, as transformers' outputs are."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name)


def plane(tensor: Any, image: Image) -> NDArray[np.float32]:
    """A tensor as float32 values of a photo's shape (a photo one pixel high or wide loses no axis)."""
    array: NDArray[np.float32] = tensor.detach().cpu().numpy().astype(np.float32, copy=False)
    return np.ascontiguousarray(array.reshape(image.height, image.width))


def load_checkpoint(folder: Path, *, architecture: str) -> tuple[Any, Any]:
    """The network and the image processor of a checkpoint folder; the network asked nobody outside.

    Args:
        folder: The folder.
        architecture: The ``model_type`` it should be of.

    Returns:
        The ``torch.nn.Module`` in float32, and the processor.

    Raises:
        WeightsError: A file is missing or damaged, or weights are missing or of other shapes.
        EngineError: It is of another architecture.
    """
    transformers = need("transformers", who=f"a {architecture} checkpoint", extra="transformers")
    with _quiet(transformers):
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        if config.model_type != architecture:
            raise EngineError(
                f"checkpoint {str(folder)!r} is a {config.model_type!r}, not a {architecture!r}",
                hint=f"open it as hf: or by its folder, which reads its architecture: --model {folder}",
            )
        processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        module, report = transformers.AutoModelForDepthEstimation.from_pretrained(
            folder, local_files_only=True, output_loading_info=True, dtype="float32"
        )
    missing = sorted(report["missing_keys"])
    if missing:
        raise WeightsError(
            f"checkpoint {str(folder)!r} lacks {len(missing)} of its weights, such as {missing[0]!r}",
            hint="fetch it again, or check that config.json belongs to these weights",
        )
    return module, processor


@contextmanager
def _quiet(transformers: Any) -> Any:
    """Without the bars and warnings that transformers writes for those who develop models."""
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


def _pillow(image: Image) -> Any:
    from PIL import Image as Pil

    return Pil.fromarray(image.rgb_HW3)
