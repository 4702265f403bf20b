"""Reading a scored sample again, with its prediction: for the pictures of a report."""

from __future__ import annotations

from collections.abc import Sequence

from leadline.core.errors import LeadlineError
from leadline.flows.evaluate.judging import judge
from leadline.flows.evaluate.planning import Planned
from leadline.flows.evaluate.records import Judged, Row
from leadline.flows.evaluate.sources import Source

__all__ = ["Rereader"]


class Rereader:
    """Reads the sample and the prediction of a row again.

    Args:
        planned: Samples and protocol.
        sources: Who predicted, still open.
    """

    def __init__(self, planned: Planned, sources: Sequence[Source]) -> None:
        self._planned = planned
        self._sources = {source.record.name: source for source in sources}
        self._places = {entry.id: place for place, entry in enumerate(planned.collection.entries)}

    def __call__(self, row: Row) -> Judged | None:
        """The sample of a row, its prediction, and what was scored.

        Args:
            row: A row of the evaluation.

        Returns:
            All three; None where the sample or the prediction cannot be read any more.
        """
        source, place = self._sources[row.model], self._places[row.sample]
        try:
            sample = self._planned.collection[place]
            (answered,) = source.answer([source.look(self._planned.collection.entries[place], sample)])
            verdict = judge(answered.depth, sample.truth, self._planned.protocol)
        except LeadlineError:
            return None
        return Judged(sample, source.record, verdict.prediction, verdict.depth, row)
