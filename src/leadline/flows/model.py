"""A model that is open: photos in, predictions out."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType

from leadline.core.camera import Origin
from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, InputError
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind
from leadline.core.results import Answer, ModelRecord, Prediction
from leadline.flows.engine_choice import AUTO
from leadline.flows.inputs import choices_of
from leadline.flows.naming import resolve_model
from leadline.flows.sessions import opened_session, settled_engine
from leadline.flows.surer import SurerSession, looks_of
from leadline.flows.tiled import TiledSession, batch_of, side_of
from leadline.flows.typed import tile_of
from leadline.io.calibrations import read_calibration
from leadline.io.images import DEFAULT_MAX_PIXELS, PhotoSource, read_image
from leadline.io.weights import fingerprint, locate, version_of
from leadline.ops.calibration import Calibration
from leadline.plugins.ports import EngineOptions, Session
from leadline.plugins.specs import ModelSpec, Stated

__all__ = ["DEFAULT_MODEL", "Model", "open_model", "predict"]

DEFAULT_MODEL = "leadline-indoor-small"


class Model:
    """A depth model, loaded and ready. ``open_model`` makes one; a ``with`` block gives its memory back.

    Args:
        spec: What it is.
        session: The engine's session.
        record: What its predictions carry.
        calibration: What turns its predictions into metres, where it was calibrated.

    Example:
        >>> import numpy as np
        >>> with open_model("leadline-indoor-small") as model:
        ...     model.predict(np.zeros((48, 64, 3), np.uint8)).depth.shape
        (48, 64)
    """

    def __init__(
        self, spec: ModelSpec, session: Session, record: ModelRecord, calibration: Calibration | None = None
    ) -> None:
        self.spec = spec
        self.record = record
        self.calibration = calibration
        self._session = session

    @property
    def batch(self) -> int:
        """Photos of one size that go through the network together where nobody says: 1 on a CPU, more on a GPU."""
        return batch_of(self._session)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What its user should know of how it runs, a sentence each: that something was removed, or does without."""
        return tuple(getattr(self._session, "remarks", ()))

    def predict(
        self,
        source: PhotoSource,
        *,
        fov_deg: float | None = None,
        focal_px: float | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        prompt: DepthMap | None = None,
    ) -> Prediction:
        """Predicts the depth of one photo.

        Args:
            source: A path, an address, ``"-"``, bytes, a binary file, a Pillow image, a uint8 array or an ``Image``.
            fov_deg: Field of view across the longer side, in degrees, where you know it.
            focal_px: Focal length in pixels, where you know it.
            max_pixels: Largest number of pixels that is decoded.
            prompt: A low-resolution depth map of the same view, for models that are prompted.

        Returns:
            The photo, its depth at the photo's size, and who made it.

        Raises:
            InputError: The photo cannot be used.
            EngineError: The engine failed.
        """
        image = read_image(source, fov_deg=fov_deg, focal_px=focal_px, max_pixels=max_pixels)
        return self._predict([image], () if prompt is None else (prompt,))[0]

    def predict_batch(
        self,
        sources: Sequence[PhotoSource],
        *,
        fov_deg: float | None = None,
        focal_px: float | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        prompts: Sequence[DepthMap] = (),
    ) -> list[Prediction]:
        """Predicts the depth of several photos; neighbours of one size go through the network together.

        Args:
            sources: The photos, each as ``predict`` takes it. All are held in memory at once.
            fov_deg: Field of view of all across the longer side, in degrees, where you know it.
            focal_px: Focal length of all, in pixels, where you know it.
            max_pixels: Largest number of pixels that is decoded.
            prompts: A low-resolution depth map a photo, for models that are prompted.

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
        return self._predict(images, prompts)

    def _predict(self, images: Sequence[Image], prompts: Sequence[DepthMap]) -> list[Prediction]:
        answers, time_s = self.infer(images, prompts=prompts)
        return [self.pack(image, answer, time_s) for image, answer in zip(images, answers, strict=True)]

    def infer(
        self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()
    ) -> tuple[list[Answer], float]:
        """Runs the network alone; ``pack`` makes predictions of what it gives.

        Args:
            images: The photos.
            prompts: A low-resolution depth map a photo, for models that are prompted.

        Returns:
            What it says of each, and the seconds a photo took.

        Raises:
            InputError: The model is prompted and a prompt is missing, or it is not and one is there.
            EngineError: The engine failed, or its values have another size than the photo.
        """
        self._check_prompts(images, prompts)
        images = [self.seen(image) for image in images]
        start_s = time.perf_counter()
        answers = self._session.run(images, prompts=prompts)
        time_s = (time.perf_counter() - start_s) / max(1, len(images))
        if self._session.description != self.record.engine:
            self.record = replace(self.record, engine=self._session.description)  # another engine took over
        shapes = [answer.values.shape for answer in answers]
        if shapes != [(image.height, image.width) for image in images]:
            raise EngineError(
                f"{self.record.engine} gave depth of {shapes} for {list(images)}",
                hint="an engine must answer at the photo's size",
            )
        return answers, time_s

    def seen(self, image: Image) -> Image:
        """The photo as the calibrated camera saw it.

        Args:
            image: A photo.

        Returns:
            The very same where the model is not calibrated or the photo knows its lens; else with the calibrated camera.

        Raises:
            InputError: It cannot be of the camera that was calibrated.
        """
        if self.calibration is None:
            return image
        camera = self.calibration.lens(image.camera, needed=self.spec.scale_needs_focal)
        return image if camera is image.camera else replace(image, camera=camera)

    def _check_prompts(self, images: Sequence[Image], prompts: Sequence[DepthMap]) -> None:
        if self.spec.prompted and len(prompts) != len(images):
            raise InputError(
                f"model {self.spec.name!r} was given {len(prompts)} prompts for {len(images)} photos",
                hint="give a low-resolution depth map with each photo: prompt=, or --prompt",
            )
        if prompts and not self.spec.prompted:
            raise InputError(
                f"model {self.spec.name!r} takes no prompt",
                hint="leave it out, or use prompt-depth-anything-small",
            )

    def pack(self, image: Image, answer: Answer, time_s: float) -> Prediction:
        """Gives raw values their meaning.

        Args:
            image: The photo.
            answer: What ``infer`` gave for it; its arrays are read-only from here on.
            time_s: Seconds the network took for it.

        Returns:
            The prediction. Its camera is the network's own where the photo's is assumed and the network estimates one;
            its scale is uncertain where the model's metres rest on a focal length that is assumed. A calibrated model's is
            in metres.

        Raises:
            InputError: The photo is not of the camera that was calibrated.
        """
        for array in (answer.values, answer.uncertainty):
            if array is not None:
                array.flags.writeable = False
        image = self.seen(image)
        kind, camera = answer.kind or self.spec.kind, image.camera
        if answer.camera is not None and camera.origin is Origin.ASSUMED:
            camera = answer.camera
        rests_on_focal = self.spec.scale_needs_focal and kind.freedom is Freedom.NONE
        uncertain = rests_on_focal and camera.origin is Origin.ASSUMED
        sky = {} if answer.infinite is None else {"infinite": answer.infinite}
        depth = DepthMap(answer.values, kind, camera=camera, scale_uncertain=uncertain, **sky)
        spread = answer.uncertainty
        if self.calibration is not None:
            depth = self.calibration.apply(depth)
            spread = None if spread is None else self.calibration.uncertainty(spread, depth)
        return Prediction(image, depth, self.record, time_s, spread)

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
        kind = self.spec.kind if self.calibration is None else self.calibration.result
        how = "" if self.calibration is None else " (calibrated)"
        return f"Model {self.spec.name!r}, {kind.words}{how}, on {self.record.engine}"


def open_model(
    name: str | os.PathLike[str] | ModelSpec = DEFAULT_MODEL,
    *,
    engine: str = AUTO,
    threads: int = 0,
    device: str = "auto",
    kind: Kind | str | None = None,
    stated: Stated | None = None,
    inputs: Mapping[str, str | int | float] | None = None,
    tta: str | Sequence[str] = (),
    precision: str = "auto",
    compile: str = "auto",
    tile: str | int = "off",
    calibration: Calibration | str | os.PathLike[str] | None = None,
    int8_photos: Sequence[str] = (),
    fallback: str = "",
) -> Model:
    """Opens a model.

    Args:
        name: A model's name; ``hf:ORG/NAME`` or a checkpoint folder; ``onnx:FILE``; ``replicate:OWNER/MODEL``; or a spec of
            your own: any ONNX file with a declared ``Processing``.
        engine: The engine; ``"auto"`` takes the one that was fastest when it was measured here (``leadline benchmark``), else
            the first that the model names.
        threads: CPU threads; 0 lets the engine choose, one a physical core.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` and so on, as the engine offers.
        kind: What the model predicts, where it does not say so itself: a ``Kind``, or words such as ``"metric-depth"``.
        stated: What else must be said of it: unit, input size, mean, layout of a bare ONNX file.
        inputs: Values of the model's own options, such as ``{"steps": 4}``.
        tta: Test-time augmentation: what else each photo is looked at as, ``"flip"``, ``"scales"`` or both; predictions are
            then the mean of the looks, and their ``uncertainty`` is how far the looks disagree.
        precision: What the network's numbers are held in while it runs: ``"fp32"``, ``"bf16"``, ``"fp16"`` or ``"int8"``, as
            the engine offers; ``"auto"`` is fp32 on a CPU.
        compile: Whether the engine makes a program of the network first: ``"no"``, ``"yes"``, or ``"auto"``, which leaves it to
            the engine.
        tile: Whether large photos are seen in overlapping tiles, for detail: ``"off"``, ``"auto"``, or the tiles' side in
            pixels. Photos that are no larger than a tile are seen as they are.
        calibration: What turns its predictions into metres for the camera that was calibrated: what ``calibrate`` found, or
            the file it was written to.
        int8_photos: Photos that an int8 network is calibrated on (files, folders, globs); it is kept, so that none are needed
            the next time.
        fallback: An engine that takes over where the other one cannot run the model, and says so; none does by itself.

    Returns:
        The model.

    Raises:
        UnknownName: No model, engine, option, look or precision has that name.
        InputError: Something must be stated of this model that was not, an input is none of its options' values, or the
            calibration is another model's.
        KindError: The calibration is for another kind.
        MissingExtra: The model or engine needs a package that is not installed.
        WeightsError: Its weights are not here, cannot be fetched, or are damaged.
        EngineError: The engine cannot run this model, or has no such device or precision.
    """
    if isinstance(calibration, str | os.PathLike):
        calibration = read_calibration(calibration)
    given = inputs or {}
    said = replace(stated or Stated(), inputs={key: str(value) for key, value in given.items()})
    if kind is not None:
        said = replace(said, kind=Kind.parse(kind) if isinstance(kind, str) else kind)
    spec = resolve_model(name, stated=said)
    choices = choices_of(spec, given)
    looks = looks_of(tta)
    options = EngineOptions(threads, device, choices, precision, compile, tuple(int8_photos))
    cut = tile_of(str(tile))
    chosen = settled_engine(spec, options, engine=engine, fallback=fallback)
    weights = locate(spec.weights, name=spec.name)
    record = ModelRecord(
        spec.name,
        spec.version or version_of(spec.weights, weights),
        spec.weights.sha256 or fingerprint(weights),
        spec.licence,
        spec.commercial.value,
    )
    if calibration is not None:
        calibration.check_model(record, spec.kind)
        record = replace(record, calibrated=calibration.words)
    session = opened_session(spec, weights, options, engine=chosen, fallback=fallback)
    if cut != "off":
        side = side_of(cut, spec, session)
        session = TiledSession(session, spec.kind, side=side, chosen=cut == "auto", batch=batch_of(session))
    if looks:
        session = SurerSession(session, spec.kind, looks=looks)
    return Model(spec, session, replace(record, engine=session.description), calibration)


def predict(
    source: PhotoSource,
    *,
    model: str | os.PathLike[str] | ModelSpec = DEFAULT_MODEL,
    engine: str = AUTO,
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
        engine: The engine; ``"auto"`` takes the one that was fastest when it was measured here (``leadline benchmark``), else
            the first that the model names.
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
        >>> import numpy as np
        >>> predict(np.zeros((48, 64, 3), np.uint8), fov_deg=70.0).depth.unit
        'm'
    """
    with open_model(model, engine=engine, threads=threads, device=device) as opened:
        return opened.predict(source, fov_deg=fov_deg, focal_px=focal_px, max_pixels=max_pixels)
