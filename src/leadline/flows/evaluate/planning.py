"""What an evaluation will do: samples and protocol settled, nothing predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadline.core.errors import DatasetError, InputError
from leadline.flows.data.choosing import options_said
from leadline.flows.data.collection import Collection
from leadline.flows.data.opening import open_dataset
from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.protocol_files import default_protocol, load_protocol, twin_on
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
        Samples and protocol; where the data could hold another truth and the protocol fixes none, its name says which.

    Raises:
        UnknownName: No protocol, field or dataset has such a name.
        InputError: The protocol is for another dataset, or fixes an option otherwise than is asked; or frames of two truths
            would make one figure.
        DatasetError: There is nothing there, or not the truth that the protocol scores.
    """
    said = options_said(request.option)
    opened = open_dataset(request.data, options=said)
    layout = opened.spec.name
    protocol = load_protocol(
        request.protocol or default_protocol(layout, said),
        dataset=layout,
        options={**said, **opened.holds},
        changes=request.changed,
    )
    if protocol.dataset not in ("", "any", layout):
        raise InputError(
            f"protocol {protocol.name!r} is for {protocol.dataset}, and {request.data!r} is {layout}",
            hint="choose another protocol, or take this one for any data: --set dataset=any",
        )
    fixed = protocol.options if protocol.dataset == layout else {}
    for key, value in fixed.items():
        if str(said.get(key, "auto")) not in ("auto", value):
            raise InputError(
                f"protocol {protocol.name!r} scores {key}={value}, and {key}={said[key]} is asked for",
                hint="leave the option out, or choose another protocol",
            )
    if fixed:
        opened = _opened_as(fixed, opened, request.data, said, protocol)
    free = {key: value for key, value in opened.holds.items() if key not in fixed}
    _refuse_mixtures(free, request.data)
    return Planned(_chosen(request, opened), protocol.on_truth(free))


def _opened_as(
    fixed: Mapping[str, str],
    opened: Collection,
    data: str,
    said: Mapping[str, str | int | float],
    protocol: Protocol,
) -> Collection:
    """The dataset with the truth that the protocol fixes; refused where it holds another one only."""
    other = _differing(opened.holds, fixed)
    try:
        opened = open_dataset(data, options={**said, **fixed})
    except DatasetError as error:
        if other:
            raise _another_truth(other, data, protocol) from error
        raise
    other = _differing(opened.holds, fixed)
    if other:
        raise _another_truth(other, data, protocol)
    return opened


def _differing(holds: Mapping[str, str], fixed: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in holds.items() if fixed.get(key, value) != value}


def _another_truth(held: Mapping[str, str], data: str, protocol: Protocol) -> DatasetError:
    twin = twin_on(protocol, held)
    wanted = ", ".join(f"{key}={protocol.options[key]}" for key in held)
    return DatasetError(
        f"protocol {protocol.name!r} scores {wanted}, and {data!r} holds {_told(held)} only",
        hint=f"score it under {twin}"
        if twin
        else "bring that truth, or score this one under another name: --set dataset=any",
    )


def _refuse_mixtures(held: Mapping[str, str], data: str) -> None:
    for key, value in held.items():
        if "+" in value:
            raise InputError(
                f"some frames of {data!r} have {value.replace('+', ' depth and others ')} depth; no one figure is of both",
                hint=f"choose: {' or '.join(f'--option {key}={one}' for one in value.split('+'))}",
            )


def _told(options: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in options.items())


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
