"""What an evaluation will do: samples and protocol settled, nothing predicted."""

from __future__ import annotations

from dataclasses import dataclass

from leadline.core.errors import DatasetError, InputError
from leadline.flows.data.choosing import options_said
from leadline.flows.data.collection import Collection
from leadline.flows.data.opening import open_dataset
from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.protocol_files import default_protocol, load_protocol
from leadline.flows.evaluate.request import EvaluateRequest

__all__ = ["Planned", "plan"]


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """What an evaluation will do: samples and protocol are settled, nothing is predicted yet.

    Args:
        collection: The samples.
        protocol: How they are scored.
    """

    collection: Collection
    protocol: Protocol


def plan(request: EvaluateRequest) -> Planned:
    """Opens the dataset as the protocol wants it, and chooses the samples.

    Args:
        request: What is asked for.

    Returns:
        Samples and protocol.

    Raises:
        UnknownName: No protocol, field or dataset has such a name.
        InputError: The protocol is for another dataset, or fixes an option otherwise than is asked.
        DatasetError: There is nothing there.
    """
    said = options_said(request.option)
    opened = open_dataset(request.data, options=said)
    layout = opened.spec.name
    protocol = load_protocol(
        request.protocol or default_protocol(layout, said),
        dataset=layout,
        options=said,
        changes=request.changed,
    )
    if protocol.dataset not in ("", "any", layout):
        raise InputError(
            f"protocol {protocol.name!r} is for {protocol.dataset}, and {request.data!r} is {layout}",
            hint="choose another protocol, or take this one for any data: --set dataset=any",
        )
    fixed = protocol.options if protocol.dataset == layout else {}
    for key, value in fixed.items():
        if str(said.get(key, value)) != value:
            raise InputError(
                f"protocol {protocol.name!r} scores {key}={value}, and {key}={said[key]} is asked for",
                hint="leave the option out, or choose another protocol",
            )
    if fixed:
        opened = open_dataset(request.data, options={**said, **fixed})
    return Planned(_chosen(request, opened), protocol)


def _chosen(request: EvaluateRequest, opened: Collection) -> Collection:
    ids: list[str] = []
    if request.ids is not None:
        try:
            ids = [line.strip() for line in request.ids.read_text("utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{str(request.ids)!r} cannot be read ({error})", hint="check the path"
            ) from error
        if not ids:
            raise InputError(f"{str(request.ids)!r} names no sample", hint="write one id a line")
    chosen = opened.select(split=request.split, ids=ids, first=request.first)
    if request.spread is not None:
        chosen = chosen.spread(request.spread)
    if not len(chosen):
        raise DatasetError(
            f"{request.data!r} holds no sample", hint="'leadline data info' shows what was found"
        )
    return chosen
