"""ONNX Runtime: runs models on the CPU, or on what else the installed build offers.

Two sorts of files are run. A *whole graph* holds its own pre- and post-processing: input ``image`` uint8 (N, H, W, 3),
optional input ``focal_px`` float32 (N,), output ``depth`` float32 (N, H, W). Any other network has its ``Processing``
declared in its spec, one image input and depth as its first output.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, InputError
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.engines.answers import sound
from leadline.engines.memory import is_out_of_memory, no_memory
from leadline.engines.offered import precision_of, refuse_compiling
from leadline.engines.threads import physical_cores
from leadline.ops.processing import Processing, prepare, restore
from leadline.plugins.need import need
from leadline.plugins.ports import EngineOptions
from leadline.plugins.specs import EngineSpec, ModelSpec

__all__ = ["SPEC", "Graph", "OnnxRuntimeEngine", "OnnxRuntimeSession", "graph_of"]

SPEC = EngineSpec(
    name="onnxruntime",
    adapter="leadline.engines.onnxruntime:OnnxRuntimeEngine",
    summary="ONNX Runtime; in the base install, on the CPU",
    packages=("onnxruntime",),
)

# The official builds note what they run, to be sent to their maker, from the moment they are imported. leadline tells
# nobody what its user does; whoever wants it sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "rocm": "MIGraphXExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
_NAMES = {"cpu": "CPU", "cuda": "CUDA", "tensorrt": "TensorRT", "rocm": "ROCm", "coreml": "Core ML"}
_ONLY_ENDS = 4
"""ONNX Runtime's log severity ``FATAL``: its warnings are for those who build graphs, and its errors are raised as well."""


@dataclass(frozen=True, slots=True)
class Graph:
    """What an ONNX file says of itself.

    Args:
        inputs: Type and shape by name; axes of any length are words or None.
        outputs: Likewise.
        metadata: What its maker wrote into it.
    """

    inputs: dict[str, tuple[str, list[int | str | None]]]
    outputs: dict[str, tuple[str, list[int | str | None]]]
    metadata: dict[str, str]


def graph_of(path: Path) -> Graph:
    """Reads what an ONNX file takes and gives.

    Args:
        path: The file.

    Returns:
        Its record.

    Raises:
        EngineError: It is no ONNX file, or is damaged.
    """
    runtime = _runtime()
    settings = _settings(runtime, 1)
    settings.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = runtime.InferenceSession(str(path), settings, providers=[_PROVIDERS["cpu"]])
    except _foreign(runtime) as error:
        raise EngineError(
            f"{str(path)!r} is no ONNX file that can be read: {_first_line(error)}",
            hint="copy or export it again",
        ) from error
    inputs, outputs = (
        {node.name: (node.type, list(node.shape)) for node in nodes}
        for nodes in (session.get_inputs(), session.get_outputs())
    )
    return Graph(inputs, outputs, dict(session.get_modelmeta().custom_metadata_map))


class OnnxRuntimeEngine:
    """The engine port over ONNX Runtime."""

    def open(self, spec: ModelSpec, *, weights: Path, options: EngineOptions) -> OnnxRuntimeSession:
        """Loads a model.

        Args:
            spec: The model; its ``processing`` is applied where it is given.
            weights: The ONNX file.
            options: Threads (0: one a physical core) and device (``auto``: the CPU).

        Returns:
            A session.

        Raises:
            EngineError: The file cannot be loaded, its inputs are not the agreed ones, or the device or the precision is
                not there.
        """
        device = self._device(options.device)
        precision_of(options, engine=SPEC.name, offered=("fp32",), where=device)
        refuse_compiling(options, engine=SPEC.name)
        runtime = _runtime()
        settings = _settings(runtime, options.threads)
        provider = _PROVIDERS[device]
        chain = [provider] if device == "cpu" else [provider, _PROVIDERS["cpu"]]
        try:
            session = runtime.InferenceSession(str(weights), settings, providers=chain)
        except _foreign(runtime) as error:
            raise EngineError(
                f"onnxruntime cannot load {spec.name!r} from {weights}: {_first_line(error)}",
                hint=f"check that this is an ONNX file, or {spec.weights.again(spec.name)}",
            ) from error
        if provider not in session.get_providers():
            raise EngineError(
                f"onnxruntime offers {device!r} but could not start it",
                hint="check the driver, or use device 'cpu'",
            )
        return OnnxRuntimeSession(session, spec, device)

    def devices(self) -> tuple[str, ...]:
        """The devices that the installed build of ONNX Runtime has, the CPU last."""
        there = set(_runtime().get_available_providers())
        found = [device for device, provider in _PROVIDERS.items() if provider in there]
        return tuple(sorted(found, key=lambda device: device == "cpu"))

    def _device(self, asked: str) -> str:
        if asked == "auto":
            return "cpu"
        there = self.devices()
        if asked not in there:
            raise EngineError(
                f"onnxruntime has no device {asked!r} here; it has {', '.join(there)}",
                hint="use one of those, or install a build with that device, such as onnxruntime-gpu",
            )
        return asked


class OnnxRuntimeSession:
    """A model loaded in ONNX Runtime.

    Args:
        session: ONNX Runtime's own session.
        spec: The model.
        device: The device it runs on.

    Raises:
        EngineError: The graph's inputs or outputs are not the agreed ones.
    """

    def __init__(self, session: Any, spec: ModelSpec, device: str) -> None:
        self._session: Any | None = session
        self._name = spec.name
        self._processing = spec.processing
        self._device = device
        self.description = f"onnxruntime ({_NAMES.get(device, device)})"
        inputs = {node.name: node for node in session.get_inputs()}
        if spec.processing is None:
            _check_whole_graph(spec.name, inputs, {node.name for node in session.get_outputs()})
            self._wants_focal = "focal_px" in inputs
            self._largest_batch = 0
        else:
            _check_network(spec.name, list(inputs.values()))
            self._input = next(iter(inputs))
            first = next(iter(inputs.values())).shape[0]
            self._largest_batch = first if isinstance(first, int) else 0

    def run(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> list[Answer]:
        """Predicts raw values for photos; neighbours of one size go through the network together.

        Args:
            images: Photos of any sizes.
            prompts: None: no ONNX file is prompted.

        Returns:
            One answer a photo, at the photo's own size.

        Raises:
            EngineError: The session is closed, ONNX Runtime failed, there is no memory for a photo of this size, or the graph's
                answer is not one map a photo or holds no finite number.
        """
        answers: list[Answer] = []
        failures = (*_foreign(_runtime()), MemoryError)
        for group in self._groups(images):
            try:
                answers += [sound(Answer(depth), name=self._name) for depth in self._run_group(group)]
            except (EngineError, MemoryError) as error:
                if not is_out_of_memory(error.__cause__ or error):
                    raise
                raise no_memory(
                    error,
                    group,
                    name=self._name,
                    device=self._device,
                    seen=lambda photo: self._feed([photo]),
                    run=lambda photo: self._run_group([photo]),
                    failures=failures,
                ) from error
        return answers

    def close(self) -> None:
        """Gives the memory back."""
        self._session = None

    def _groups(self, images: Sequence[Image]) -> Iterator[list[Image]]:
        """Runs of images that can share one call: of one size, or of any where the network's own size is fixed."""
        group: list[Image] = []
        for image in images:
            full = self._largest_batch and len(group) == self._largest_batch
            other = self._processing is None and group and group[0].rgb_HW3.shape != image.rgb_HW3.shape
            if full or other:
                yield group
                group = []
            group.append(image)
        if group:
            yield group

    def _run_group(self, images: list[Image]) -> list[NDArray[np.float32]]:
        if self._processing is None:
            return self._run_whole(images)
        return self._run_declared(images, self._processing)

    def _feed(self, images: Sequence[Image]) -> dict[str, NDArray[Any]]:
        """What the graph is given."""
        if self._processing is not None:
            return {
                self._input: np.stack(
                    [prepare(image.rgb_HW3, processing=self._processing) for image in images]
                )
            }
        # One photo is a view: a 24-megapixel photo is not copied to be put in a batch of one.
        pixels = [np.ascontiguousarray(image.rgb_HW3) for image in images]
        feed: dict[str, NDArray[Any]] = {"image": pixels[0][None] if len(pixels) == 1 else np.stack(pixels)}
        if self._wants_focal:
            focals = [math.sqrt(image.camera.fx * image.camera.fy) for image in images]
            feed["focal_px"] = np.asarray(focals, np.float32)
        return feed

    def _run_whole(self, images: list[Image]) -> list[NDArray[np.float32]]:
        depth = self._call("depth", self._feed(images))
        wanted = (len(images), images[0].height, images[0].width)
        if depth.shape != wanted:
            raise EngineError(
                f"{self._name!r} answered {depth.shape} where {wanted} was due",
                hint="its graph must give depth at the photo's size, or its spec must declare a Processing",
            )
        return list(depth)

    def _run_declared(self, images: list[Image], processing: Processing) -> list[NDArray[np.float32]]:
        outputs = self._call(None, self._feed(images))
        if outputs.ndim < 1 or len(outputs) != len(images):
            raise EngineError(
                f"{self._name!r} answered {outputs.shape} for a batch of {len(images)}",
                hint="its first output must hold one depth map a photo",
            )
        try:
            return [
                restore(output, processing=processing, height=image.height, width=image.width)
                for output, image in zip(outputs, images, strict=True)
            ]
        except InputError as error:
            raise EngineError(f"{self._name!r}: {error.message}", hint=error.hint) from error

    def _call(self, output: str | None, feed: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        if self._session is None:
            raise EngineError(f"the session of {self._name!r} is closed", hint="open the model again")
        try:
            answer = self._session.run(None if output is None else [output], feed)[0]
        except _foreign(_runtime()) as error:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in feed.items())
            raise EngineError(
                f"onnxruntime failed in {self._name!r} on {shapes}: {_first_line(error)}",
                hint="try a smaller photo, or --batch 1",
            ) from error
        return np.asarray(answer, np.float32)


def _runtime() -> Any:
    runtime = need("onnxruntime", who="engine 'onnxruntime'", extra="")
    runtime.set_default_logger_severity(_ONLY_ENDS)
    return runtime


def _settings(runtime: Any, threads: int) -> Any:
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = threads or physical_cores()
    settings.log_severity_level = _ONLY_ENDS
    # Photos differ in size: an arena and a pattern kept for the largest one would never be given back.
    settings.enable_cpu_mem_arena = False
    settings.enable_mem_pattern = False
    # Threads that wait by spinning take the cores from those that decode and encode.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return settings


def _foreign(runtime: Any) -> tuple[type[Exception], ...]:
    """ONNX Runtime's own errors (they share no base), and what its Python layer raises on odd inputs."""
    state = runtime.capi.onnxruntime_pybind11_state
    names = (
        "Fail InvalidArgument NoSuchFile NoModel EngineError RuntimeException InvalidProtobuf "
        "ModelLoaded NotImplemented InvalidGraph EPFail"
    )
    own = [getattr(state, name) for name in names.split() if hasattr(state, name)]
    return (*own, RuntimeError, ValueError)


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].removeprefix("[ONNXRuntimeError] : ")


def _check_whole_graph(name: str, inputs: dict[str, Any], outputs: set[str]) -> None:
    image = inputs.get("image")
    fits = image is not None and image.type == "tensor(uint8)" and set(inputs) <= {"image", "focal_px"}
    if not fits or "depth" not in outputs:
        has = ", ".join(f"{key} {node.type}" for key, node in inputs.items())
        raise EngineError(
            f"{name!r} takes ({has}) and gives ({', '.join(sorted(outputs))}): not a whole graph, "
            "which takes image uint8 (and focal_px) and gives depth",
            hint="declare a Processing in its spec",
        )


def _check_network(name: str, inputs: list[Any]) -> None:
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
        has = ", ".join(f"{node.name} {node.type} {node.shape}" for node in inputs)
        raise EngineError(
            f"{name!r} takes ({has}), but a Processing feeds one float input of four axes",
            hint="export the network with one image input, or put its processing into the graph",
        )
