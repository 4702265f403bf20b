"""A model that is open in OpenVINO."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.engines.answers import sound
from leadline.engines.memory import is_out_of_memory, no_memory
from leadline.engines.openvino.faces import Arrays, Face, TorchFace, shapes_of
from leadline.engines.openvino.graphs import first_words
from leadline.engines.openvino.programs import Programs
from leadline.engines.openvino.quantising import Quantiser
from leadline.engines.store import Store

__all__ = ["OpenVinoSession"]


class OpenVinoSession:
    """A model loaded in OpenVINO.

    Args:
        face: How it meets photos.
        programs: Its programs.
        quantiser: What makes its graphs int8, where they are to be.
        store: Where programs are kept.
        name: The model's name.
        description: What runs, and where.
    """

    def __init__(
        self,
        face: Face,
        programs: Programs,
        quantiser: Quantiser | None,
        store: Store,
        *,
        name: str,
        description: str,
    ) -> None:
        self._face: Face | None = face
        self._programs, self._quantiser, self._store = programs, quantiser, store
        self._name = name
        self._lock = threading.Lock()
        self._graph: dict[
            str, Any
        ] = {}  # the last one: photos alone and in numbers take programs of their own
        self.description = description

    @property
    def remarks(self) -> tuple[str, ...]:
        """What its user should know: that something kept was stale or broken, or could not be kept."""
        return tuple(self._store.remarks)

    def run(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> list[Answer]:
        """Predicts raw values for photos; neighbours of one shape go through the network side by side.

        Args:
            images: Photos of any sizes.
            prompts: A depth map a photo, for families that are prompted.

        Returns:
            One answer a photo, at the photo's own size.

        Raises:
            EngineError: The session is closed, OpenVINO lacks an operator, or it failed.
            InputError: An int8 network is not calibrated for photos of this size yet, and no photos are given for it.
        """
        face = self._face
        if face is None:
            raise EngineError(f"the session of {self._name!r} is closed", hint="open the model again")
        theirs = [prompts[place : place + 1] for place in range(len(images))]
        feeds = [face.feed(image, told) for image, told in zip(images, theirs, strict=True)]
        answers: list[Answer] = []
        for places in _neighbours(face, feeds):
            try:
                answers += self._together(
                    face,
                    [feeds[place] for place in places],
                    [images[place] for place in places],
                    [theirs[place] for place in places],
                )
            except (EngineError, MemoryError) as error:
                if not is_out_of_memory(error.__cause__ or error):
                    raise
                raise no_memory(
                    error,
                    [images[place] for place in places],
                    name=self._name,
                    device=self._programs.device,
                    seen=partial(face.feed, prompts=theirs[places[0]]),
                    run=partial(self._alone, face, prompts=theirs[places[0]]),
                    failures=(RuntimeError, MemoryError),
                ) from error
        return answers

    def _together(
        self,
        face: Face,
        feeds: list[Arrays],
        images: list[Image],
        prompts: list[Sequence[DepthMap]],
    ) -> list[Answer]:
        """Photos of one shape."""
        with self._lock:
            outputs = self._outputs(face, feeds, images[0], prompts[0])
        return [
            sound(face.answer(each, image, told), name=self._name)
            for each, image, told in zip(outputs, images, prompts, strict=True)
        ]

    def _alone(self, face: Face, photo: Image, *, prompts: Sequence[DepthMap]) -> list[Answer]:
        return self._together(face, [face.feed(photo, prompts)], [photo], [prompts])

    def close(self) -> None:
        """Gives the memory back."""
        self._face = None
        self._graph = {}
        self._programs.forget()

    def _outputs(
        self, face: Face, feeds: list[Arrays], image: Image, prompts: Sequence[DepthMap]
    ) -> list[Arrays]:
        made: list[str] = []

        def graph() -> Any:
            made.append(shapes)
            if shapes not in self._graph:
                plain = face.graph(image, prompts)
                self._graph = {
                    shapes: plain
                    if self._quantiser is None
                    else self._quantiser.of(plain, face, image, shapes)
                }
            return self._graph[shapes]

        shapes = face.shapes(feeds[0])
        program = self._programs.get(shapes, graph, several=len(feeds) > 1)
        outputs = self._infer(program, feeds)
        if made and isinstance(face, TorchFace) and self._programs.exact:
            face.check(outputs[0], image, prompts)
        return outputs

    def _infer(self, program: Any, feeds: list[Arrays]) -> list[Arrays]:
        """One photo after the other; of several, as many at a time as the program has streams."""
        names = [
            port.get_any_name() if port.get_names() else str(k) for k, port in enumerate(program.outputs)
        ]
        count = program.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") if len(feeds) > 1 else 1
        requests = [program.create_infer_request() for _ in range(min(count, len(feeds)))]
        outputs: list[Arrays] = []
        try:
            for first in range(0, len(feeds), len(requests)):
                pairs = list(zip(requests, feeds[first : first + len(requests)], strict=False))
                for request, feed in pairs:
                    request.start_async(feed, share_inputs=True)
                for request, _ in pairs:
                    request.wait()
                    outputs.append(
                        {name: request.get_output_tensor(k).data.copy() for k, name in enumerate(names)}
                    )
        except RuntimeError as error:
            raise EngineError(
                f"openvino failed in {self._name!r} on {shapes_of(feeds[0])}: {first_words(error)}",
                hint="try a smaller photo, or --batch 1",
            ) from error
        return outputs


def _neighbours(face: Face, feeds: Sequence[Arrays]) -> Iterator[list[int]]:
    for _, places in groupby(range(len(feeds)), key=lambda place: shapes_of(feeds[place])):
        yield list(places)
