"""A model that is open: photos in, predictions out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Origin
from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, InputError
from leadline.core.image import Image
from leadline.core.kind import Freedom
from leadline.core.results import ModelRecord, Prediction
from leadline.io.images import DEFAULT_MAX_PIXELS, PhotoSource, read_image
from leadline.io.weights import locate, sha256_of
from leadline.plugins.need import need
from leadline.plugins.ports import Engine, EngineOptions, Session
from leadline.plugins.registry import ENGINES, MODELS, load
from leadline.plugins.specs import ModelSpec

__all__ = ["DEFAULT_MODEL", "Model", "open_model", "predict"]

DEFAULT_MODEL = "leadline-indoor-small"


class Model:
    """A depth model, loaded and ready. ``open_model`` makes one; a ``with`` block gives its memory back.

    Args:
        spec: What it is.
        session: The engine's session.
        record: What its predictions carry.

    Example:
        >>> with open_model("leadline-indoor-small") as model:
        ...     model.predict(np.zeros((48, 64, 3), np.uint8)).depth.shape
        (48, 64)
    """

    def __init__(self, spec: ModelSpec, session: Session, record: ModelRecord) -> None:
        self.spec = spec
        self.record = record
        self._session = session

    def predict(
        self,
        source: PhotoSource,
        *,
        fov_deg: float | None = None,
        focal_px: float | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> Prediction:
        """Predicts the depth of one photo.

        Args:
            source: A path, an address, ``"-"``, bytes, a binary file, a Pillow image, a uint8 array or an ``Image``.
            fov_deg: Field of view across the longer side, in degrees, where you know it.
            focal_px: Focal length in pixels, where you know it.
            max_pixels: Largest number of pixels that is decoded.

        Returns:
            The photo, its depth at the photo's size, and who made it.

        Raises:
            InputError: The photo cannot be used.
            EngineError: The engine failed.
        """
        image = read_image(source, fov_deg=fov_deg, focal_px=focal_px, max_pixels=max_pixels)
        return self._predict([image])[0]

    def predict_batch(
        self,
        sources: Sequence[PhotoSource],
        *,
        fov_deg: float | None = None,
        focal_px: float | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> list[Prediction]:
        """Predicts the depth of several photos; neighbours of one size go through the network together.

        Args:
            sources: The photos, each as ``predict`` takes it. All are held in memory at once.
            fov_deg: Field of view of all across the longer side, in degrees, where you know it.
            focal_px: Focal length of all, in pixels, where you know it.
            max_pixels: Largest number of pixels that is decoded.

        Returns:
            One prediction a photo, in order.

        Raises:
            InputError: A photo cannot be used.
            EngineError: The engine failed.
        """
        if isinstance(sources, str | bytes):
            raise InputError(
                f"{sources[:80]!r} is one photo, not a list of photos", hint="use predict, or pass a list"
            )
        images = [
            read_image(source, fov_deg=fov_deg, focal_px=focal_px, max_pixels=max_pixels)
            for source in sources
        ]
        return self._predict(images)

    def _predict(self, images: Sequence[Image]) -> list[Prediction]:
        arrays, time_s = self.infer(images)
        return [self.pack(image, values, time_s) for image, values in zip(images, arrays, strict=True)]

    def infer(self, images: Sequence[Image]) -> tuple[list[NDArray[np.float32]], float]:
        """Runs the network alone; ``pack`` makes predictions of what it gives.

        Args:
            images: The photos.

        Returns:
            The raw values (H, W) of each, and the seconds a photo took.

        Raises:
            EngineError: The engine failed, or its values have another size than the photo.
        """
        start_s = time.perf_counter()
        arrays = self._session.run(images)
        time_s = (time.perf_counter() - start_s) / max(1, len(images))
        shapes = [array.shape for array in arrays]
        if shapes != [(image.height, image.width) for image in images]:
            raise EngineError(
                f"{self.record.engine} gave depth of {shapes} for {list(images)}",
                hint="an engine must answer at the photo's size",
            )
        return arrays, time_s

    def pack(self, image: Image, values: NDArray[np.float32], time_s: float) -> Prediction:
        """Gives raw values their meaning.

        Args:
            image: The photo.
            values: What ``infer`` gave for it; read-only from here on.
            time_s: Seconds the network took for it.

        Returns:
            The prediction; its scale is uncertain where the model's metres rest on a focal length that is assumed.
        """
        values.flags.writeable = False
        kind, camera = self.spec.kind, image.camera
        rests_on_focal = self.spec.scale_needs_focal and kind.freedom is Freedom.NONE
        uncertain = rests_on_focal and camera.origin is Origin.ASSUMED
        depth = DepthMap(values, kind, camera=camera, scale_uncertain=uncertain)
        return Prediction(image, depth, self.record, time_s)

    def close(self) -> None:
        """Gives the memory back; the model is not used afterwards."""
        self._session.close()

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Model {self.spec.name!r}, {self.spec.kind.words}, on {self.record.engine}"


def open_model(
    name: str | ModelSpec = DEFAULT_MODEL,
    *,
    engine: str | None = None,
    threads: int = 0,
    device: str = "auto",
) -> Model:
    """Opens a model.

    Args:
        name: A model's name, or a spec of your own: any ONNX file with a declared ``Processing``.
        engine: The engine; the first that the model names where None.
        threads: CPU threads; 0 lets the engine choose, one a physical core.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` and so on, as the engine offers.

    Returns:
        The model.

    Raises:
        UnknownName: No model or engine has that name.
        MissingExtra: The model or engine needs a package that is not installed.
        WeightsError: Its weights are not here, cannot be fetched, or are damaged.
        EngineError: The engine cannot run this model, or has no such device.
    """
    spec = name if isinstance(name, ModelSpec) else MODELS.get(name)
    chosen = engine or spec.engines[0]
    engine_spec = ENGINES.get(chosen)
    if chosen not in spec.engines:
        raise EngineError(
            f"engine {chosen!r} cannot run {spec.name!r}", hint=f"use one of {', '.join(spec.engines)}"
        )
    for package in spec.packages:
        need(package, who=f"model {spec.name!r}", extra=spec.extra)
    for package in engine_spec.packages:
        need(package, who=f"engine {chosen!r}", extra=engine_spec.extra)
    adapter: Engine = load(engine_spec.adapter)()
    weights = locate(spec.weights, name=spec.name)
    session = adapter.open(spec, weights=weights, options=EngineOptions(threads, device))
    record = ModelRecord(
        spec.name,
        spec.version,
        spec.weights.sha256 or sha256_of(weights),
        spec.licence,
        spec.commercial.value,
        session.description,
    )
    return Model(spec, session, record)


def predict(
    source: PhotoSource,
    *,
    model: str | ModelSpec = DEFAULT_MODEL,
    engine: str | None = None,
    threads: int = 0,
    device: str = "auto",
    fov_deg: float | None = None,
    focal_px: float | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Prediction:
    """Predicts the depth of one photo. For many, open the model once with ``open_model``.

    Args:
        source: A path, an address, ``"-"``, bytes, a binary file, a Pillow image, a uint8 array or an ``Image``.
        model: A model's name, or a spec of your own.
        engine: The engine; the first that the model names where None.
        threads: CPU threads; 0 lets the engine choose.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` and so on, as the engine offers.
        fov_deg: Field of view across the longer side, in degrees, where you know it.
        focal_px: Focal length in pixels, where you know it.
        max_pixels: Largest number of pixels that is decoded.

    Returns:
        The photo, its depth at the photo's size, and who made it.

    Raises:
        InputError: The photo cannot be used.
        UnknownName: No model or engine has that name.
        MissingExtra: A package that is needed is not installed.
        WeightsError: The weights are not here, cannot be fetched, or are damaged.
        EngineError: The engine failed.

    Example:
        >>> predict(np.zeros((48, 64, 3), np.uint8), fov_deg=70.0).depth.unit
        'm'
    """
    with open_model(model, engine=engine, threads=threads, device=device) as opened:
        return opened.predict(source, fov_deg=fov_deg, focal_px=focal_px, max_pixels=max_pixels)
