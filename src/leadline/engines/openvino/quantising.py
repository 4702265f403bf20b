"""Networks in 8-bit integers, calibrated on the user's own photos by NNCF."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import EngineError, InputError
from leadline.core.image import Image
from leadline.engines.openvino.faces import Face
from leadline.engines.openvino.graphs import first_words
from leadline.engines.openvino.runtime import runtime
from leadline.engines.store import Store
from leadline.io.images import read_image
from leadline.io.sources import find_photos
from leadline.ops.resize import resize
from leadline.plugins.need import need
from leadline.plugins.silence import silenced

__all__ = ["Quantiser", "photos_to_calibrate_on", "quantised"]

LEAST, MOST = 4, 32
"""Photos a calibration takes; of more, as many are taken evenly."""

RECIPE = "2"
"""Renewed where the way of calibrating changes, so that what was kept by another is not taken."""

_LAST, _LAST_OF_TRANSFORMER = 8, 1
_LONGEST_SIDE = 1024
_ALIKE = 3.0
_STATE = "calibrated"


def photos_to_calibrate_on(sources: Sequence[str]) -> list[Image]:
    """Reads the photos.

    Args:
        sources: Files, folders (to the bottom), globs, lists, as ``leadline predict`` takes them.

    Returns:
        At most ``MOST`` of them, none with a side longer than needed.

    Raises:
        InputError: There are too few, or they show the same.
    """
    found = find_photos(tuple(sources), recursive=True)
    if len(found) < LEAST:
        raise InputError(
            f"{len(found)} photo(s) to calibrate int8 on are too few: it takes {LEAST}, better {MOST}",
            hint="name a folder with photos like those that will be predicted",
        )
    step = max(1.0, len(found) / MOST)
    chosen = [found[int(place * step)] for place in range(min(len(found), MOST))]
    photos = [_bounded(read_image(photo.source)) for photo in chosen]
    looks = np.stack([_look(photo) for photo in photos])
    if float(np.abs(looks - looks[0]).mean(axis=(1, 2)).max()) < _ALIKE:
        raise InputError(
            f"the {len(photos)} photos to calibrate int8 on are all alike",
            hint="name photos of different scenes, like those that will be predicted",
        )
    return photos


class Quantiser:
    """Makes int8 graphs of graphs, and keeps them.

    Args:
        photos: What to calibrate on; none where what was calibrated earlier is to be used.
        store: Where calibrated graphs are kept.
        what: What they depend on besides: weights, choices.
        core: OpenVINO's core.
        name: The model's name, for messages.

    Raises:
        InputError: There are no photos, and nothing was calibrated earlier.
        MissingExtra: NNCF is not installed, and is needed.
    """

    def __init__(
        self, photos: Sequence[Image], *, store: Store, what: Mapping[str, str], core: Any, name: str
    ) -> None:
        self._photos, self._store, self._core, self._name = photos, store, core, name
        self._what = {**what, "state": _STATE, "recipe": RECIPE}
        if photos:
            need("nncf", who="int8", extra="openvino")
            self.digest = _digest(photos)
            return
        earlier = store.newest(self._what)
        if earlier is None:
            raise InputError(
                f"int8 of {name!r} must be calibrated once, on photos like those that will be predicted",
                hint="name them: --int8-photos FOLDER",
            )
        self.digest = earlier["photos"]

    def of(self, graph: Any, face: Face, image: Image, shapes: str) -> Any:
        """The int8 graph of a graph.

        Args:
            graph: What ``face`` made for photos like ``image``.
            face: How photos become its inputs.
            image: The photo.
            shapes: The shapes it is for.

        Returns:
            An ``openvino.Model``.

        Raises:
            InputError: It was calibrated for other shapes only, and no photos are here.
            EngineError: NNCF cannot do it.
        """
        told = {**self._what, "photos": self.digest, "shapes": shapes}
        kept = self._store.get(told)
        if kept is not None:
            try:
                return self._core.read_model(kept[0], kept[1])
            except RuntimeError:
                self._store.drop(told, why="cannot be read by this OpenVINO")
        if not self._photos:
            raise InputError(
                f"int8 of {self._name!r} was not calibrated for photos of {image.width}x{image.height} yet",
                hint="name photos to do it on: --int8-photos FOLDER",
            )
        feeds = [face.feed(face.like(photo, image), ()) for photo in self._photos]
        made = quantised(graph, feeds, name=self._name)
        self._store.put(told, _serialised(made))
        return made


def quantised(graph: Any, feeds: Sequence[Mapping[str, NDArray[Any]]], *, name: str) -> Any:
    """The int8 graph of a graph.

    Args:
        graph: An ``openvino.Model`` in floats.
        feeds: Its inputs for each photo to calibrate on.
        name: The model's name, for messages.

    Returns:
        An ``openvino.Model`` whose weights are int8, and whose activations are where it costs little.

    Raises:
        EngineError: NNCF cannot do it.
        MissingExtra: NNCF is not installed.
    """
    # NNCF tells its makers what it is used for, unless it believes to be tested. leadline tells nobody.
    os.environ.setdefault("NNCF_CI", "1")
    nncf = need("nncf", who="int8", extra="openvino")
    advanced = nncf.AdvancedQuantizationParameters()
    if not _attention(graph):
        # The farthest that any photo shows is not cut off: the mean of the photos' ranges, NNCF's own choice, loses it.
        ranges = need("nncf.quantization.range_estimator", who="int8", extra="openvino")
        advanced.activations_range_estimator_params = ranges.RangeEstimatorParametersSet.MINMAX
    # It writes bars too.
    with silenced(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            return nncf.quantize(
                graph,
                nncf.Dataset(list(feeds)),
                preset=nncf.QuantizationPreset.MIXED,
                model_type=nncf.ModelType.TRANSFORMER if _is_transformer(graph) else None,
                subset_size=len(feeds),
                ignored_scope=nncf.IgnoredScope(names=_left(graph), validate=False),
                advanced_parameters=advanced,
            )
        except (RuntimeError, ValueError, nncf.ValidationError, nncf.InternalError) as error:
            raise EngineError(
                f"{name!r} cannot be calibrated: {first_words(error)}", hint="use --precision fp32"
            ) from error


def _is_transformer(graph: Any) -> bool:
    """Whether a graph has attention in it, in one operator or in several."""
    types = {node.get_type_name() for node in graph.get_ops()}
    return "ScaledDotProductAttention" in types or {"Softmax", "MatMul"} <= types


def _left(graph: Any) -> list[str]:
    """What stays in floats: attention, the first convolution, those of one channel each, and the last before depth.

    Found by scoring published networks on real rooms (docs/engines.md): nearly all that int8 costs comes from there. Attention
    is no faster in int8 than in bf16.
    """
    nodes = graph.get_ordered_ops()
    attention = _attention(graph)
    by_channel = [node for node in nodes if node.get_type_name() == "GroupConvolution"]
    convolutions = [node for node in nodes if node.get_type_name() in ("Convolution", "GroupConvolution")]
    last = _LAST_OF_TRANSFORMER if attention else _LAST
    left = [*attention, *by_channel, *convolutions[:1], *convolutions[-last:]]
    return list(dict.fromkeys(node.get_friendly_name() for node in left))


def _attention(graph: Any) -> list[Any]:
    return [node for node in graph.get_ordered_ops() if node.get_type_name() == "ScaledDotProductAttention"]


def _bounded(photo: Image) -> Image:
    share = min(1.0, _LONGEST_SIDE / max(photo.width, photo.height))
    if share == 1.0:
        return photo
    return resize(photo, width=max(1, round(photo.width * share)), height=max(1, round(photo.height * share)))


def _look(photo: Image) -> NDArray[np.float64]:
    small = resize(photo, width=16, height=16).rgb_HW3
    return np.asarray(small.mean(axis=2), np.float64)


def _digest(photos: Sequence[Image]) -> str:
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(repr(photo.rgb_HW3.shape).encode())
        digest.update(np.ascontiguousarray(photo.rgb_HW3).data)
    return digest.hexdigest()


def _serialised(graph: Any) -> list[bytes]:
    """A graph's structure and its weights."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="leadline-") as folder:
        path = Path(folder) / "graph.xml"
        runtime().save_model(graph, path, compress_to_fp16=False)
        return [path.read_bytes(), path.with_suffix(".bin").read_bytes()]
