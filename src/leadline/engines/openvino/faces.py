"""The three sorts of models that OpenVINO runs here, each with its way from a photo to tensors and back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, InputError, LeadlineError
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.engines.openvino.graphs import read_graph
from leadline.ops.processing import Processing, prepare, restore
from leadline.ops.resize import resize
from leadline.plugins.need import need
from leadline.plugins.ports import Network
from leadline.plugins.specs import ModelSpec

__all__ = ["Arrays", "DeclaredFile", "Face", "TorchFace", "WholeFile", "file_face", "loading", "shapes_of"]

Arrays = dict[str, NDArray[Any]]

_WRONG = 1e-2
"""Relative to the largest value: farther from PyTorch's numbers, a graph is not the network."""


@contextmanager
def loading(spec: ModelSpec) -> Iterator[None]:
    """Says of what PyTorch or a family's package cannot load which model it was.

    Args:
        spec: The model.

    Raises:
        EngineError: It cannot be loaded.
    """
    try:
        yield
    except LeadlineError:
        raise
    except (RuntimeError, ValueError, TypeError, KeyError, OSError) as error:
        raise EngineError(
            f"openvino cannot load {spec.name!r} from {spec.weights.source}: {str(error).splitlines()[0] if str(error) else error!r}",
            hint=f"check that this is a checkpoint of that architecture, or {spec.weights.again(spec.name)}",
        ) from error


class Face(Protocol):
    """How a sort of model meets photos."""

    def feed(self, image: Image, prompts: Sequence[DepthMap]) -> Arrays:
        """The graph's inputs for one photo, with a batch of one."""
        ...

    def shapes(self, feed: Arrays) -> str:
        """What a program must be made for."""
        ...

    def graph(self, image: Image, prompts: Sequence[DepthMap]) -> Any:
        """The graph for photos like this one."""
        ...

    def answer(self, outputs: Arrays, image: Image, prompts: Sequence[DepthMap]) -> Answer:
        """What the outputs say of a photo."""
        ...

    def like(self, photo: Image, image: Image) -> Image:
        """A photo to calibrate on, at a size that goes through the graph made for another."""
        ...


def shapes_of(feed: Arrays) -> str:
    """Shapes in words.

    Args:
        feed: Arrays by name.

    Returns:
        Such as ``"pixel_values 1x3x518x770"``.
    """
    return ", ".join(f"{name} {'x'.join(map(str, array.shape))}" for name, array in feed.items())


class WholeFile:
    """A file that holds its own processing: 8-bit photos of any size in, depth at their size out.

    Args:
        core: OpenVINO's core.
        path: The file.
        spec: The model.
    """

    def __init__(self, core: Any, path: Path, spec: ModelSpec) -> None:
        self._name = spec.name
        self._graph = read_graph(core, path, name=spec.name)
        inputs = {port.get_any_name(): str(port.get_element_type()) for port in self._graph.inputs}
        outputs = {name for port in self._graph.outputs for name in port.get_names()}
        fits = "uint8" in inputs.get("image", "") and set(inputs) <= {"image", "focal_px"}
        if not fits or "depth" not in outputs:
            raise EngineError(
                f"{spec.name!r} takes ({', '.join(inputs)}) and gives ({', '.join(sorted(outputs))}): not a whole graph, "
                "which takes image uint8 (and focal_px) and gives depth",
                hint="declare a Processing in its spec",
            )
        self._wants_focal = "focal_px" in inputs

    def feed(self, image: Image, prompts: Sequence[DepthMap]) -> Arrays:
        """The photo as it is, and its focal length."""
        feed: Arrays = {"image": np.ascontiguousarray(image.rgb_HW3)[None]}
        if self._wants_focal:
            focal_px = math.sqrt(image.camera.fx * image.camera.fy)
            feed["focal_px"] = np.asarray([focal_px], np.float32)
        return feed

    def shapes(self, feed: Arrays) -> str:
        """One program takes all sizes."""
        return "any"

    def graph(self, image: Image, prompts: Sequence[DepthMap]) -> Any:
        """The file's own."""
        return self._graph.clone()

    def answer(self, outputs: Arrays, image: Image, prompts: Sequence[DepthMap]) -> Answer:
        """The output ``depth``."""
        depth = outputs["depth"]
        wanted = (1, image.height, image.width)
        if depth.shape != wanted:
            raise EngineError(
                f"{self._name!r} answered {depth.shape} where {wanted} was due",
                hint="its graph must give depth at the photo's size, or its spec must declare a Processing",
            )
        return Answer(depth[0])

    def like(self, photo: Image, image: Image) -> Image:
        """Any size will do."""
        return photo


class DeclaredFile:
    """A file with one float image input, whose processing is declared beside it.

    Args:
        core: OpenVINO's core.
        path: The file.
        spec: The model.
        processing: What is declared.
    """

    def __init__(self, core: Any, path: Path, spec: ModelSpec, processing: Processing) -> None:
        self._name, self._processing = spec.name, processing
        self._graph = read_graph(core, path, name=spec.name)
        inputs = self._graph.inputs
        sound = len(inputs) == 1 and "float32" in str(inputs[0].get_element_type())
        if not sound or len(inputs[0].get_partial_shape()) != 4:
            has = ", ".join(
                f"{port.get_any_name()} {port.get_element_type()} {port.get_partial_shape()}"
                for port in inputs
            )
            raise EngineError(
                f"{spec.name!r} takes ({has}), but a Processing feeds one float input of four axes",
                hint="export the network with one image input, or put its processing into the graph",
            )
        self._input = inputs[0].get_any_name()

    def feed(self, image: Image, prompts: Sequence[DepthMap]) -> Arrays:
        """The photo as the declaration says."""
        return {self._input: prepare(image.rgb_HW3, processing=self._processing)[None]}

    def shapes(self, feed: Arrays) -> str:
        """One program: the size is declared."""
        return shapes_of(feed)

    def graph(self, image: Image, prompts: Sequence[DepthMap]) -> Any:
        """The file's own, for the declared size."""
        graph = self._graph.clone()
        try:
            graph.reshape({graph.inputs[0]: list(self.feed(image, prompts)[self._input].shape)})
        except RuntimeError as error:
            raise EngineError(
                f"{self._name!r} does not take one photo of {self._processing.width}x{self._processing.height}",
                hint="export it for that size, with a batch of one or of any length",
            ) from error
        return graph

    def answer(self, outputs: Arrays, image: Image, prompts: Sequence[DepthMap]) -> Answer:
        """The first output."""
        first = next(iter(outputs.values()))
        try:
            depth = restore(first, processing=self._processing, height=image.height, width=image.width)
        except InputError as error:
            raise EngineError(f"{self._name!r}: {error.message}", hint=error.hint) from error
        return Answer(depth)

    def like(self, photo: Image, image: Image) -> Image:
        """Any size will do: all are resized."""
        return photo


def file_face(core: Any, path: Path, spec: ModelSpec) -> Face:
    """How a file meets photos, by whether its processing is declared.

    Args:
        core: OpenVINO's core.
        path: A file of ONNX or OpenVINO.
        spec: The model.

    Returns:
        A ``DeclaredFile`` or a ``WholeFile``.

    Raises:
        EngineError: It cannot be read, or takes or gives something else.
    """
    if spec.processing is None:
        return WholeFile(core, path, spec)
    return DeclaredFile(core, path, spec, spec.processing)


class TorchFace:
    """A family's network in PyTorch: its own steps before and after, and the one between as a graph.

    Args:
        network: The family's network. Its module is asked for only where a graph must be made.
        spec: The model.
    """

    def __init__(self, network: Network, spec: ModelSpec) -> None:
        self._network, self._spec, self._name = network, spec, spec.name
        self._tracing = need("leadline.engines.openvino.tracing", who="", extra="torch")

    def feed(self, image: Image, prompts: Sequence[DepthMap]) -> Arrays:
        """What the family prepares."""
        return {name: tensor.numpy() for name, tensor in self._prepared(image, prompts).items()}

    def shapes(self, feed: Arrays) -> str:
        """The shapes of all inputs: a graph holds sizes that were worked out from them."""
        return shapes_of(feed)

    def graph(self, image: Image, prompts: Sequence[DepthMap]) -> Any:
        """The network for inputs of these shapes."""
        return self._tracing.converted(self._module(), self._prepared(image, prompts), name=self._name)

    def check(self, outputs: Arrays, image: Image, prompts: Sequence[DepthMap]) -> None:
        """Holds a new graph's numbers against PyTorch's.

        Args:
            outputs: What the graph gave for a photo.
            image: The photo.
            prompts: Its prompt, for families that are prompted.

        Raises:
            EngineError: They are other numbers.
        """
        wanted: Mapping[str, NDArray[Any]] = self._tracing.run_module(
            self._module(), self._prepared(image, prompts)
        )
        for name, array in wanted.items():
            error = float(np.abs(outputs[name] - array).max() / max(np.abs(array).max(), 1e-30))
            if not error <= _WRONG:
                raise EngineError(
                    f"openvino works out {name!r} of {self._name!r} otherwise than torch does: off by {error:.2g} of the largest",
                    hint="use --engine torch, or --fallback torch to have that done by itself",
                )

    def answer(self, outputs: Arrays, image: Image, prompts: Sequence[DepthMap]) -> Answer:
        """What the family restores."""
        prompted: dict[str, Any] = {"prompts": prompts} if prompts else {}
        return self._network.restore(self._tracing.tensors_of(outputs), [image], **prompted)[0]

    def like(self, photo: Image, image: Image) -> Image:
        """The photo at the other's size, so that both are prepared to one shape."""
        return resize(photo, width=image.width, height=image.height)

    def _module(self) -> Any:
        with loading(self._spec):
            return self._network.module.eval().requires_grad_(False)

    def _prepared(self, image: Image, prompts: Sequence[DepthMap]) -> Mapping[str, Any]:
        return self._network.prepare([image], prompts=prompts)
