"""Replicate behind the engine port: photos are sent, and what comes back becomes depth at their size."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from pathlib import Path
from typing import Any

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, InputError
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.engines.offered import precision_of, refuse_compiling
from leadline.engines.replicate.inputs import Inputs
from leadline.engines.replicate.outputs import Reading, fetched, file_of
from leadline.engines.replicate.service import Chosen, Service
from leadline.plugins.ports import EngineOptions
from leadline.plugins.specs import ModelSpec

__all__ = ["ReplicateEngine", "ReplicateSession", "encoded"]

_DEVICE = "remote"
_SCHEME = "remote:replicate.com/"
_OURS = "remote."
"""What begins a choice of ours. The inputs of models are Python names, so that none can be one of these."""

_IN_THE_ADDRESS = 256 * 1024
"""Replicate advises data addresses up to this size, and uploads beyond it."""

_LARGEST_PNG = 32 * 2**20
_LONGEST_JPEG = 65_500
_PNG_LEVEL, _JPEG_QUALITY = 1, 95

Value = str | int | float


class ReplicateEngine:
    """The engine port over replicate.com."""

    def open(self, spec: ModelSpec, *, weights: Path, options: EngineOptions) -> ReplicateSession:
        """Looks a model up; nothing is run, sent or paid for yet.

        Args:
            spec: The model; its weights' source names it, their revision is its version.
            weights: Unused: they stay where they are.
            options: Device (``auto``) and the model's choices; threads mean nothing here.

        Returns:
            A session.

        Raises:
            InputError: There is no such model or version, or a choice is no value of its input.
            UnknownName: The model has no such input.
            EngineError: There is no token, Replicate cannot be reached or refuses, the model is no model of Replicate, or
                there is no such device.
        """
        precision_of(options, engine="replicate", offered=("auto",), where="other machines")
        refuse_compiling(options, engine="replicate")
        if options.device not in ("auto", _DEVICE):
            raise EngineError(
                f"engine 'replicate' has no device {options.device!r}: Replicate chooses the machine",
                hint="leave the device out",
            )
        if not spec.weights.source.startswith(_SCHEME):
            raise EngineError(
                f"{spec.name!r} is no model of Replicate: its weights are {spec.weights.source!r}",
                hint=f"use one of {', '.join(spec.engines)}",
            )
        choices = {option.name: option.default for option in spec.options if option.default != ""}
        ours = {
            name: value for name, value in {**choices, **options.choices}.items() if name.startswith(_OURS)
        }
        timeout_s = _positive(ours, "timeout") or 600.0
        scale = _positive(ours, "scale")
        with ExitStack() as stack:
            service = stack.enter_context(closing(Service()))
            chosen = service.choose(spec.weights.source.removeprefix(_SCHEME), spec.weights.revision)
            takes = Inputs(chosen.name, chosen.schemas)
            photo = takes.photo(str(ours.get("remote.photo", "")))
            inputs = takes.typed(_sent(choices, options.choices, takes))
            stack.pop_all()
        return ReplicateSession(
            service,
            chosen,
            photo=photo,
            inputs=inputs,
            output=str(ours.get("remote.output", "")),
            reading=Reading(chosen.name, spec.kind, str(ours.get("remote.channel", "")), scale),
            timeout_s=timeout_s,
        )

    def devices(self) -> tuple[str, ...]:
        """One, whose name says that it is not here."""
        return (_DEVICE,)


class ReplicateSession:
    """A model at Replicate.

    Args:
        service: The account.
        chosen: The model.
        photo: The input that takes the photo.
        inputs: Its other inputs.
        output: Which of its outputs is the depth; empty for the only one.
        reading: How that becomes depth.
        timeout_s: Longest wait for one photo.
    """

    def __init__(
        self,
        service: Service,
        chosen: Chosen,
        *,
        photo: str,
        inputs: Mapping[str, Any],
        output: str,
        reading: Reading,
        timeout_s: float,
    ) -> None:
        self._service: Service | None = service
        self._chosen = chosen
        self._photo, self._inputs = photo, inputs
        self._output, self._reading = output, reading
        self._timeout_s = timeout_s
        version = f":{chosen.version[:12]}" if chosen.version else ""
        self.description = f"replicate.com ({chosen.name}{version})"

    def run(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> list[Answer]:
        """Sends photos, one after the other, and reads what comes back. Each is paid for.

        Args:
            images: Photos of any sizes.
            prompts: None: nothing says how a remote model would take them.

        Returns:
            One answer a photo, at its own size.

        Raises:
            InputError: The model failed on a photo, or a photo is too large.
            KindError: What comes back cannot be of the stated kind.
            EngineError: The session is closed, or Replicate or the model fails, is too slow or answers nonsense.
        """
        if self._service is None:
            raise EngineError(f"the session of {self._chosen.name!r} is closed", hint="open the model again")
        return [self._one(self._service, image) for image in images]

    def close(self) -> None:
        """Closes the connections."""
        if self._service is not None:
            self._service.close()
        self._service = None

    def _one(self, service: Service, image: Image) -> Answer:
        with _at_hand(service, *encoded(image)) as address:
            output = service.run(
                self._chosen,
                {**self._inputs, self._photo: address},
                photo=image.source,
                timeout_s=self._timeout_s,
            )
        file = file_of(output, self._output, model=self._chosen.name)
        data = fetched(file, model=self._chosen.name)
        return self._reading.answer(data, f"output of {image.source}", image)


def encoded(image: Image) -> tuple[bytes, str]:
    """The upright pixels of a photo as a file.

    PNG, so that the remote model sees the very pixels that a local one would: turned upright already (many models ignore
    EXIF), in sRGB, and not compressed a second time. Where that would take more than 32 MB, a JPEG of quality 95 with whole
    colour, which is a tenth of it.

    Args:
        image: The photo.

    Returns:
        The bytes and their media type.
    """
    from PIL import Image as Pil

    picture = Pil.fromarray(image.rgb_HW3)
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=_PNG_LEVEL)
    if stream.tell() <= _LARGEST_PNG or max(picture.size) > _LONGEST_JPEG:
        return stream.getvalue(), "image/png"
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return stream.getvalue(), "image/jpeg"


def _at_hand(service: Service, data: bytes, media_type: str) -> AbstractContextManager[str]:
    """The photo as an address: in the address itself where it is small, else uploaded and deleted afterwards."""
    if len(data) > _IN_THE_ADDRESS:
        return service.sent(data, media_type)
    return nullcontext(f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}")


def _sent(defaults: Mapping[str, Value], said: Mapping[str, Value], takes: Inputs) -> dict[str, Value]:
    """The model's own inputs: what is said, and of our record's defaults those that this version knows."""
    known = {**{name: value for name, value in defaults.items() if name in takes.forms}, **said}
    return {name: value for name, value in known.items() if not name.startswith(_OURS)}


def _positive(ours: Mapping[str, Value], name: str) -> float:
    value = float(ours.get(f"{_OURS}{name}", 0.0))
    if not 0 <= value < float("inf"):
        raise InputError(f"{_OURS}{name} = {value:g} is not a positive number", hint="give one above 0")
    return value
