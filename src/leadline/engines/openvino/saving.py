"""Graphs written as OpenVINO's own files, in floats or calibrated int8."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from leadline.core.errors import OutputError
from leadline.core.image import Image
from leadline.engines.openvino.faces import TorchFace, file_face
from leadline.engines.openvino.graphs import first_words
from leadline.engines.openvino.quantising import photos_to_calibrate_on, quantised
from leadline.engines.openvino.runtime import core, runtime
from leadline.io.atomic import write_whole
from leadline.plugins.ports import Network
from leadline.plugins.specs import ModelSpec

__all__ = ["save"]


def save(
    source: Network | Path, spec: ModelSpec, path: Path, *, image: Image, int8_photos: Sequence[str] = ()
) -> None:
    """Writes what OpenVINO runs of a model: of a family's network the step from prepared pixels to raw depth.

    Args:
        source: The network, or a file of ONNX or OpenVINO.
        spec: The model.
        path: The ``.xml``; its ``.bin`` goes beside it.
        image: A photo of the size it is for.
        int8_photos: What to calibrate on, where it is to be int8.

    Raises:
        EngineError: OpenVINO lacks an operator.
        InputError: The photos to calibrate on are too few or all alike.
        OutputError: The files cannot be written.
    """
    face = file_face(core(), source, spec) if isinstance(source, Path) else TorchFace(source, spec)
    openvino = runtime()
    photos = photos_to_calibrate_on(int8_photos) if int8_photos else []
    graph = face.graph(image, ())
    if photos:
        graph = quantised(graph, [face.feed(face.like(photo, image), ()) for photo in photos], name=spec.name)
    with write_whole(path) as part:
        weights = part.with_suffix(".bin")
        try:
            openvino.save_model(graph, part, compress_to_fp16=False)
            with write_whole(path.with_suffix(".bin")) as other:
                weights.replace(other)
        except RuntimeError as error:
            raise OutputError(
                f"{str(path)!r} cannot be written: {first_words(error)}",
                hint="free some space or choose another folder",
            ) from error
        finally:
            weights.unlink(missing_ok=True)
