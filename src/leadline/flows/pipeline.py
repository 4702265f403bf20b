"""The ``depth-estimation`` pipeline of transformers, for those who swap leadline in."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypedDict, overload

from leadline.core.errors import InputError, UnknownName
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.flows.model import DEFAULT_MODEL, Model, open_model
from leadline.flows.naming import resolve_model
from leadline.io.images import PhotoSource, read_image
from leadline.plugins.registry import MODELS, load
from leadline.plugins.specs import Stated

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["TASK", "DepthEstimation", "DepthPipeline", "pipeline"]

TASK = "depth-estimation"
_HUB = re.compile(r"[\w.-]+/[\w.-]+")


class DepthEstimation(TypedDict):
    """What the pipeline of transformers calls its answer, key for key.

    Args:
        predicted_depth: The model's own numbers at the photo's size, (H, W) float32.
        depth: Them as an 8-bit picture: the least black, the largest white, whichever of them is near.
    """

    predicted_depth: Any
    depth: PilImage


class DepthPipeline:
    """Photos in, the dicts of transformers' pipeline out. ``pipeline`` makes one.

    Args:
        model: The open model.
        tensors: What ``predicted_depth`` is: ``"torch"`` or ``"numpy"``.
        batch_size: Photos of one size that go through the network together, unless a call says otherwise.
    """

    task = TASK

    def __init__(self, model: Model, *, tensors: str, batch_size: int) -> None:
        self.model = model
        self._tensors = tensors
        self._batch_size = batch_size

    @property
    def kind(self) -> Kind:
        """What the numbers mean: transformers calls all of them metres, and most are not."""
        return self.model.spec.kind

    @overload
    def __call__(self, inputs: PhotoSource, *, batch_size: int | None = None) -> DepthEstimation: ...
    @overload
    def __call__(
        self, inputs: list[PhotoSource] | tuple[PhotoSource, ...], *, batch_size: int | None = None
    ) -> list[DepthEstimation]: ...
    @overload
    def __call__(
        self, inputs: Generator[PhotoSource, None, None], *, batch_size: int | None = None
    ) -> Iterator[DepthEstimation]: ...
    def __call__(
        self,
        inputs: PhotoSource
        | list[PhotoSource]
        | tuple[PhotoSource, ...]
        | Generator[PhotoSource, None, None],
        *,
        batch_size: int | None = None,
    ) -> DepthEstimation | list[DepthEstimation] | Iterator[DepthEstimation]:
        """Predicts the depth of one photo or of several.

        Args:
            inputs: A path, an address, a Pillow image, or what else ``predict`` takes; a list or a tuple of them; or a
                generator of them, which is read as the answers are.
            batch_size: Photos of one size that go through the network together.

        Returns:
            One dict for one photo, a list of dicts for a list, an iterator over dicts for a generator; each with
            ``predicted_depth``, (H, W) float32 at the photo's size, and ``depth``, an 8-bit Pillow image.

        Raises:
            InputError: A photo cannot be used, or the batch size is below 1.
            MissingExtra: Tensors are wanted and torch is not installed.
            EngineError: The engine failed.
        """
        size = self._batch_size if batch_size is None else batch_size
        if size < 1:
            raise InputError(f"batch_size = {size} is no photo at all", hint="give at least 1")
        if isinstance(inputs, list | tuple):
            return list(self._each(inputs, size))
        if isinstance(inputs, Generator):
            return self._each(inputs, size)
        return next(self._each([inputs], 1))

    def close(self) -> None:
        """Gives the model's memory back."""
        self.model.close()

    def __enter__(self) -> DepthPipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"DepthPipeline of {self.model!r}"

    def _each(self, inputs: Iterable[PhotoSource], size: int) -> Iterator[DepthEstimation]:
        waiting: list[Image] = []
        for photo in map(read_image, inputs):
            waiting.append(photo)
            if len(waiting) == size:
                yield from self._done(waiting)
                waiting = []
        yield from self._done(waiting)

    def _done(self, photos: list[Image]) -> Iterator[DepthEstimation]:
        made = load("leadline.bridges.pipeline:as_depth_estimation")
        for prediction in self.model.predict_batch(photos):
            yield made(prediction.depth, tensors=self._tensors)


def pipeline(
    task: str = TASK,
    *,
    model: str = DEFAULT_MODEL,
    revision: str = "",
    device: str | int = "auto",
    batch_size: int = 1,
    tensors: str = "torch",
    kind: Kind | str | None = None,
    threads: int = 0,
) -> DepthPipeline:
    """Stands in for ``transformers.pipeline("depth-estimation", model=...)``.

    The numbers are those of transformers for the same checkpoint, except that metric depth stays within what the network
    said before it was enlarged, and that Depth Pro uses the lens that a photo's EXIF tells. ``pipeline.kind`` says what they
    mean. Where you are free to choose, ``open_model`` gives depth maps that say it themselves.

    Args:
        task: ``"depth-estimation"``.
        model: A model's name, as ``open_model`` takes it; or a checkpoint on the Hugging Face hub, ``"ORG/NAME"``.
        revision: Commit, branch or tag of a checkpoint on the hub.
        device: ``"auto"``, ``"cpu"``, ``"cuda:0"`` and so on; or a number as transformers takes it: -1 for the CPU.
        batch_size: Photos of one size that go through the network together.
        tensors: What ``predicted_depth`` is: a ``"torch"`` tensor on the CPU, or a ``"numpy"`` array, which needs no torch.
        kind: What the model predicts, where it does not say so itself; a DPT on the hub that leadline does not list.
        threads: CPU threads; 0 lets the engine choose.

    Returns:
        The pipeline: call it with photos.

    Raises:
        UnknownName: It is another task, or no model has that name.
        InputError: The model needs a prompt with each photo, its kind must be stated, or tensors are neither.
        MissingExtra: A package that is needed is not installed.
        WeightsError: The weights are not here, cannot be fetched, or are damaged.
        EngineError: The engine cannot run this model, or has no such device.

    Example:
        >>> import numpy as np
        >>> with pipeline("depth-estimation", tensors="numpy") as estimate:
        ...     answer = estimate(np.zeros((48, 64, 3), np.uint8))
        >>> answer["predicted_depth"].shape, answer["depth"].size
        ((48, 64), (64, 48))
    """
    if task != TASK:
        raise UnknownName("task of a pipeline", task, known=(TASK,))
    load("leadline.bridges.pipeline:check_tensors")(tensors)
    name = _reference(model, revision)
    stated = Stated(kind=Kind.parse(kind) if isinstance(kind, str) else kind)
    spec = resolve_model(name, stated=stated)
    if spec.prompted:
        raise InputError(
            f"model {spec.name!r} needs a low-resolution depth map with each photo, and a pipeline takes none",
            hint="use open_model(...).predict(photo, prompt=...)",
        )
    opened = open_model(spec, device=_device(device), threads=threads)
    return DepthPipeline(opened, tensors=tensors, batch_size=batch_size)


def _reference(model: str, revision: str) -> str:
    """A name as transformers takes it, ``ORG/NAME`` beside a revision, as leadline takes it."""
    bare = model.removeprefix("hf:")
    on_hub = _HUB.fullmatch(bare) is not None and not Path(bare).exists() and model not in MODELS.names()
    if revision and not on_hub:
        raise InputError(
            f"model {model!r} is no ORG/NAME of the hub, and so has no revision {revision!r}",
            hint="leave the revision out, or name the checkpoint: hf:ORG/NAME",
        )
    if not on_hub:
        return model
    return f"hf:{bare}@{revision}" if revision else f"hf:{bare}"


def _device(device: str | int) -> str:
    """A device as leadline says it: transformers numbers GPUs, and -1 is its CPU."""
    if not isinstance(device, int):
        return str(device)
    return "cpu" if device < 0 else f"cuda:{device}"
