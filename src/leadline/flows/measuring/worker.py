"""The process in which a benchmark runs one variant: ``python -m leadline.flows.measuring.worker``.

It is told an ``Order`` (pickled, by the process that started it and nobody else) on standard input, predicts the first photo,
and then does what each line of JSON asks for. Each answer is one line of JSON on what was standard output; whatever else
libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import IO, Any, Protocol

from leadline.core.errors import EngineError, InputError, LeadlineError
from leadline.flows.measuring.order import Order, Variant
from leadline.flows.measuring.photos import fill_prompts
from leadline.io.machine import peak_memory_bytes
from leadline.io.weights import locate
from leadline.plugins.registry import load

__all__ = ["Subject", "main"]

MOST_CALLS = 500


class Subject(Protocol):
    """What is measured."""

    @property
    def ran(self) -> str:
        """What runs, and where."""
        ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is done otherwise than it was asked for, in words."""
        ...

    def show(self, photos: Sequence[Path]) -> float:
        """Seconds it takes for photos that are decoded already, together."""
        ...

    def write(self, photos: Sequence[Path], out: Path) -> float:
        """Seconds from photo files to 16-bit PNG files."""
        ...


class OwnSubject:
    """A model as leadline runs it.

    Args:
        variant: How.
        photos: The photo files.
    """

    def __init__(self, variant: Variant, photos: Sequence[Path]) -> None:
        from leadline.flows.model import open_model

        options = variant.options
        self._batch = variant.batch
        self._model = open_model(
            variant.spec,
            engine=variant.engine,
            threads=options.threads,
            device=options.device,
            precision=options.precision,
            compile=options.compile,
            int8_photos=options.int8_photos,
        )
        self._folder: Path | None = None
        if variant.spec.prompted:
            self._folder = Path(tempfile.mkdtemp(prefix="prompts-", dir=photos[0].parent))
            self._prompt = fill_prompts(self._folder, photos, kind=variant.spec.kind)
        self.ran, self.remarks = self._model.record.engine, self._model.remarks

    def show(self, photos: Sequence[Path]) -> float:
        """The network alone, with what belongs before and after it."""
        from leadline.io.images import read_image

        images = [read_image(photo) for photo in photos]
        prompts = () if self._folder is None else (self._prompt,) * len(images)
        return self._model.infer(images, prompts=prompts)[1] * len(images)

    def write(self, photos: Sequence[Path], out: Path) -> float:
        """What ``leadline predict -f png16`` does, the model being open."""
        from leadline.flows.predict import run
        from leadline.flows.predict_request import PredictRequest

        request = PredictRequest(
            tuple(map(str, photos)),
            out=out,
            formats=("png16",),
            models=(self._model.spec.name,),
            batch=self._batch,
            prompt=self._folder,
        )
        report = run(request, opened=(self._model,))
        if report.failed:
            raise InputError(report.failed[0].reason)
        return report.time_s


def _subject(order: Order) -> Subject:
    variant = order.variant
    if not variant.is_pipeline:
        return OwnSubject(variant, order.photos)
    checkpoint = locate(variant.spec.weights, name=variant.spec.name)
    make = load("leadline.bridges.transformers_pipeline:DepthPipeline")
    pipeline: Subject = make(checkpoint, threads=variant.options.threads, device=variant.options.device)
    return pipeline


class _Worker:
    """One variant, and what is asked of it."""

    def __init__(self, order: Order) -> None:
        start_s = time.perf_counter()
        self.subject = _subject(order)
        self.open_s = time.perf_counter() - start_s
        self.batch = order.variant.batch
        self.photos = order.photos
        self._next = cycle(order.photos)
        start_s = time.perf_counter()
        self.subject.show(order.photos[:1])
        self.first_s = time.perf_counter() - start_s

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Does what is asked for, and says what it came to."""
        if asked["do"] == "time":
            return {"times_s": self._time(asked["seconds"])}
        if asked["do"] == "files":
            return {"photos_per_s": self._files(asked["photos"])}
        return {"main_bytes": peak_memory_bytes(), "gpu_bytes": _gpu_bytes()}

    def _time(self, seconds: float) -> list[float]:
        self._once()
        times = [self._once()]
        while sum(times) * self.batch < seconds and len(times) < MOST_CALLS:
            times.append(self._once())
        return times

    def _once(self) -> float:
        return self.subject.show(list(islice(self._next, self.batch))) / self.batch

    def _files(self, count: int) -> float:
        # Among the photos, which whoever started this process removes, however it ends.
        out = Path(tempfile.mkdtemp(prefix="made-", dir=self.photos[0].parent))
        try:
            return count / self.subject.write(self.photos[:count], out)
        finally:
            shutil.rmtree(out, ignore_errors=True)


def _gpu_bytes() -> int | None:
    """The most memory torch has held on a GPU; torch is not loaded to ask."""
    if "torch" not in sys.modules:
        return None
    held: int | None = load("leadline.bridges.torch_memory:peak_gpu_bytes")()
    return held


def main() -> int:
    """Measures what standard input asks for, until it ends.

    Returns:
        The exit status: 0, or 1 where the variant cannot be run.
    """
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        order: Order = pickle.load(sys.stdin.buffer)
        try:
            worker = _Worker(order)
            told = {"ran": worker.subject.ran, "remarks": worker.subject.remarks}
            _say(out, **told, open_s=worker.open_s, first_s=worker.first_s)
            for line in sys.stdin.buffer:
                _say(out, **worker.answer(json.loads(line)))
        except LeadlineError as error:
            _say(out, error=str(error))
            return 1
        except MemoryError:
            _say(out, error=str(EngineError("out of memory", hint="try smaller photos or a smaller batch")))
            return 1
    return 0


def _say(out: IO[str], **values: Any) -> None:
    out.write(json.dumps(values) + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
