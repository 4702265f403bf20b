"""The corridor of an evaluation: decoding, network and scoring overlap, and only a few samples are in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from leadline.core.errors import DatasetError, InputError, KindError, LeadlineError
from leadline.flows.corridor import Corridor
from leadline.flows.data.collection import Collection
from leadline.flows.evaluate.judging import judge
from leadline.flows.evaluate.planning import Planned
from leadline.flows.evaluate.records import Judged, Row
from leadline.flows.evaluate.sources import Answered, Seen, Source

__all__ = ["judged"]


def judged(planned: Planned, source: Source, places: Sequence[int], *, batch: int) -> Iterator[Judged | Row]:
    """What came of every sample.

    Args:
        planned: Samples and protocol.
        source: Who predicts.
        places: Places of the samples that are to be scored.
        batch: Photos of one size that go through a network together.

    Yields:
        What was scored, in the order in which it is finished; of a sample that could not be, a row with the reason.
    """
    collection, protocol = planned.collection, planned.protocol
    entries = collection.entries

    def read(place: int) -> Seen:
        return source.look(entries[place], collection[place])

    def score(place: int, answered: Answered) -> Judged:
        sample = answered.sample
        source.keep(answered)
        verdict = judge(answered.depth, sample.truth, protocol)
        row = Row(
            source.record.name,
            sample.id,
            sample.scene,
            verdict.scores,
            answered.time_s,
            verdict.profile,
            remarks=verdict.remarks,
        )
        return Judged(sample, source.record, verdict.prediction, verdict.depth, row)

    size = _pixels(collection)
    corridor: Corridor[int, Seen, Answered, Judged] = Corridor(
        load=read,
        work=source.answer,
        save=score,
        size=lambda _: size,
        alike=Seen.alike,
        spares=(InputError, DatasetError, KindError),
        work_spares=(InputError, KindError),
        batch=batch,
        room=16_000_000,
        save_room=8_000_000,
    )
    for outcome in corridor.run(places):
        if outcome.saved is not None:
            yield outcome.saved
        else:
            entry = entries[outcome.item]
            yield Row(source.record.name, entry.id, entry.scene, {}, skipped=_reason(outcome.error))


def _pixels(collection: Collection) -> int:
    """Pixels of the largest of a few photos of the set, for knowing how many fit into memory."""
    sizes = [1_000_000]
    for place in {0, len(collection) // 2, len(collection) - 1}:
        with suppress(DatasetError):
            image = collection[place].image
            sizes.append(image.width * image.height)
    return max(sizes)


def _reason(error: Exception | None) -> str:
    return error.message if isinstance(error, LeadlineError) else str(error)
