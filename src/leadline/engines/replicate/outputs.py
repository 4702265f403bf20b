"""What a remote model gives back: which file of it is the depth, its bytes, and its numbers as values of the stated kind."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, EngineError, InputError, KindError
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind
from leadline.core.results import Answer
from leadline.io.fetch import fetch, is_url
from leadline.io.numbers import Numbers, numbers_in
from leadline.ops.resize import resize

__all__ = ["Reading", "fetched", "file_of"]

FETCHES = 3
FIRST_WAIT_S = 0.5
_EIGHT_BITS = 255
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file of a remote model becomes depth.

    Args:
        model: The model, for messages.
        kind: What its numbers mean.
        channel: Which channel holds them; empty where all are equal.
        scale: Metres (or 1/metres, or arbitrary units) a stored step; 0 where nothing is said.
    """

    model: str
    kind: Kind
    channel: str = ""
    scale: float = 0.0

    def answer(self, data: bytes, name: str, image: Image) -> Answer:
        """Reads depth at the photo's size.

        Convention:
            At AFFINE, integers are brought from their whole range to 0 to 1, so that 8 and 16 bits are alike. Below AFFINE,
            values are stored numbers times the scale, and what is not positive is unknown.

        Args:
            data: The file.
            name: What to call it in messages.
            image: The photo it belongs to.

        Returns:
            The answer.

        Raises:
            EngineError: It holds no numbers, or none that means anything.
            KindError: Its numbers cannot be of the stated kind.
        """
        try:
            numbers = numbers_in(data, name, channel=self.channel)
        except (InputError, DatasetError) as error:
            raise EngineError(
                f"{self.model} answers nonsense: {error.message}",
                hint="--input remote.output= and remote.channel= say which file and channel are the depth",
            ) from error
        values = self._values(numbers)
        finite = np.isfinite(values)
        if self.kind.freedom < Freedom.AFFINE:
            finite &= values > 0
        if not bool(finite.any()):
            raise EngineError(
                f"{self.model} answers nonsense: {name!r} holds no number that is a value of {self.kind}",
                hint="look at what it gives at its page, or try another photo",
            )
        depth = DepthMap(np.where(finite, values, np.float32(np.nan)), self.kind, finite)
        return Answer(np.array(resize(depth, width=image.width, height=image.height).values))

    def _values(self, numbers: Numbers) -> NDArray[np.float32]:
        plane = numbers.plane_HW
        if self.kind.freedom is Freedom.AFFINE:
            scale = self.scale or (1.0 / numbers.highest if numbers.highest else 1.0)
        else:
            scale = self._known_scale(numbers)
        with np.errstate(over="ignore"):
            return (plane.astype(np.float64) * scale).astype(np.float32)

    def _known_scale(self, numbers: Numbers) -> float:
        if 0 < numbers.highest <= _EIGHT_BITS:
            raise KindError(
                f"{self.model} gives {numbers.form} of 8 bits, whose grey values cannot be {self.kind}",
                hint=f"they are affine at best: --kind {self.kind.coarsened(Freedom.AFFINE)}",
            )
        if numbers.highest and not self.scale:
            raise KindError(
                f"{self.model} gives {numbers.form} of integers, and nothing says what a step of them is",
                hint=f"--input remote.scale=0.001 for millimetres, or --kind {self.kind.coarsened(Freedom.AFFINE)}",
            )
        return self.scale or 1.0


def file_of(output: Any, selector: str, *, model: str) -> str:
    """The address of the file that is the depth.

    Args:
        output: What the model gave: an address, a list or a mapping of them, or these in one another.
        selector: Which one, as ``"1"``, ``"depth"`` or ``"depth.0"``; empty where there is one only.
        model: The model, for messages.

    Returns:
        An http, https or data address.

    Raises:
        EngineError: There is no file, no such one, or several and none was named.
    """
    if selector:
        output = _selected(output, selector, model)
    files = dict(_files(output, selector))
    if len(files) == 1:
        return next(iter(files.values()))
    if not files:
        raise EngineError(
            f"{model} gave no file but {_short(output)}",
            hint="use a model whose output is a depth picture or array",
        )
    names = ", ".join(f"{place} ({_called(address)})" for place, address in files.items())
    raise EngineError(
        f"{model} gave {len(files)} files, and nothing says which one is the depth: {names}",
        hint=f"say it: --input remote.output={next(iter(files))}",
    )


def fetched(address: str, *, model: str) -> bytes:
    """The bytes of a file that a model gave. The account's token is not sent along.

    Args:
        address: An http, https or data address.
        model: The model, for messages.

    Returns:
        The bytes.

    Raises:
        EngineError: They cannot be had.
    """
    if address.startswith("data:"):
        try:
            return base64.b64decode(address.partition(",")[2], validate=True)
        except binascii.Error as error:
            raise EngineError(f"{model} gave a damaged data address ({error})", hint="try again") from error
    for tried in range(1, FETCHES + 1):
        try:
            return fetch(address)
        except InputError as error:
            if tried == FETCHES:
                raise EngineError(
                    f"what {model} gave cannot be fetched: {error.message}",
                    hint="outputs are kept for an hour: run it again",
                ) from error
        time.sleep(FIRST_WAIT_S * 2 ** (tried - 1))
    raise AssertionError("the last try returns or raises")


def _selected(output: Any, selector: str, model: str) -> Any:
    for part in selector.split("."):
        there: Mapping[str, Any] = {}
        if isinstance(output, Mapping):
            there = {str(key): value for key, value in output.items()}
        elif isinstance(output, Sequence) and not isinstance(output, str):
            there = {str(place): value for place, value in enumerate(output)}
        if part not in there:
            has = f"outputs {', '.join(there)}" if there else f"one output: {_short(output)}"
            raise EngineError(
                f"{model} has no output {selector!r}; it has {has}",
                hint="leave --input remote.output out, or name one",
            )
        output = there[part]
    return output


def _files(output: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(output, str) and (is_url(output) or output.startswith("data:")):
        yield place, output
    elif isinstance(output, Mapping):
        for key, value in output.items():
            yield from _files(value, f"{place}.{key}".lstrip("."))
    elif isinstance(output, Sequence) and not isinstance(output, str):
        for index, value in enumerate(output):
            yield from _files(value, f"{place}.{index}".lstrip("."))


def _short(output: Any) -> str:
    text = "nothing" if output is None else repr(output)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _called(address: str) -> str:
    """The name of a file in its address."""
    return "data" if address.startswith("data:") else address.partition("?")[0].rpartition("/")[2] or address
