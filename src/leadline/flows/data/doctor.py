"""The data doctor: guesses the layout of a place and finds what is wrong with its photos and depths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import DatasetError, InputError, LeadlineError
from leadline.core.sample import Sample
from leadline.flows.data.choosing import OPTION_HELP, PLACE_HELP, options_said
from leadline.flows.data.collection import Collection, Skipped
from leadline.flows.data.doctor_checks import CHECKS
from leadline.flows.data.doctor_look import Looked, look
from leadline.flows.data.doctor_pictures import card, titled
from leadline.flows.data.doctor_sets import leftovers, unreadable
from leadline.flows.data.doctor_stored import holes, misread
from leadline.flows.data.doctor_units import encoding_guess
from leadline.flows.data.findings import SEVERITIES, Finding, Report
from leadline.flows.data.opening import guess_layout, open_dataset, split_place
from leadline.flows.data.sheet import Sheet
from leadline.flows.options import Told, check_bounds, told
from leadline.io.trees import Tree, open_tree
from leadline.plugins.registry import DATASETS

__all__ = ["DoctorRequest", "examine", "examine_place"]


@dataclass(frozen=True, slots=True)
class DoctorRequest:
    """What ``leadline data doctor`` is asked for."""

    place: str = field(metadata=told(Told(PLACE_HELP, positional=True)))
    option: tuple[str, ...] = field(
        default=(), metadata=told(Told(OPTION_HELP, metavar="KEY=VALUE", whole=True))
    )
    frames: int = field(
        default=1000, metadata=told(Told("At most so many frames are read, spread evenly.", minimum=1))
    )
    pictures: Path | None = field(
        default=None,
        metadata=told(Told("Write a picture of each finding into this folder.", metavar="FOLDER")),
    )
    fail_on: str = field(
        default="fault",
        metadata=told(Told("Exit with status 1 from this severity on.", choices=SEVERITIES)),
    )
    notes: bool = field(default=False, metadata=told(Told("Tell notes too, and what could not be judged.")))

    def __post_init__(self) -> None:
        check_bounds(self)


def examine_place(request: DoctorRequest, *, step: Callable[[int, int], None] | None = None) -> Report:
    """Examines a place, and writes pictures where they are asked for.

    Args:
        request: The place and how to look.
        step: Is told how many frames are done, of how many.

    Returns:
        The report.

    Raises:
        DatasetError: There is nothing there, or nothing in it pairs.
        OutputError: A picture cannot be written.
    """
    report = examine(request.place, options=options_said(request.option), frames=request.frames, step=step)
    if request.pictures is not None:
        for number, finding in enumerate(report.findings, 1):
            name = f"{number:02}-{finding.code.replace(' ', '-')}.png"
            Sheet(_drawn(finding)).save(request.pictures / name)
    return report


def examine(
    place: str,
    *,
    options: dict[str, str | int | float] | None = None,
    frames: int = 1000,
    step: Callable[[int, int], None] | None = None,
) -> Report:
    """Examines a place.

    Args:
        place: ``NAME:PATH`` or a path.
        options: How it is opened.
        frames: At most so many are read, spread evenly.
        step: Is told how many frames are done, of how many.

    Returns:
        The report.

    Raises:
        DatasetError: There is nothing there, or nothing in it pairs.
    """
    findings: list[Finding] = []
    parts = _opened(place, options or {}, findings)
    looked: list[Looked] = []
    total = sum(min(frames, len(part)) for part in parts)
    broken: list[Skipped] = []
    entries = [entry for part in parts for entry in part.entries]
    for part in parts:
        chosen = part.spread(frames)
        for sample in _samples(chosen, broken):
            looked.append(look(sample))
            if step is not None:
                step(len(looked) + len(broken), total)
    if broken:
        findings.append(unreadable(broken, total))
    abstained: list[str] = []
    for check in CHECKS:
        findings += check(looked, entries, abstained)
    tree = open_tree(split_place(place)[1] or place)
    findings += leftovers(tree, parts)
    findings += holes(parts) + misread(parts)
    order = sorted(findings, key=lambda finding: -SEVERITIES.index(finding.severity))
    layout = parts[0].spec.name if parts else ""
    return Report(place, layout, len(entries), len(looked), tuple(order), tuple(abstained))


def _drawn(finding: Finding) -> NDArray[np.uint8]:
    headline = f"{finding.severity}: {finding.what}"
    if finding.picture is None:
        return titled(headline, card([finding.evidence, *finding.ids]))
    return titled(f"{headline} [{', '.join(finding.ids[:3])}]", finding.picture)


def _samples(part: Collection, broken: list[Skipped]) -> Iterator[Sample]:
    return part.read(workers=2, on_error="skip", told=broken.append)


def _opened(place: str, options: dict[str, str | int | float], findings: list[Finding]) -> list[Collection]:
    """The place as one collection, or, for bare pairs of unsaid units, one for each pair."""
    name, path = split_place(place)
    if not name:
        guesses = guess_layout(open_tree(path))
        if not guesses:
            raise DatasetError(
                f"{path!r} looks like no layout that is known, and no photos and depths pair by name in it",
                hint="name a layout, NAME:PATH, or photos and depths: --option photos=GLOB --option depths=GLOB",
            )
        name = guesses[0].name
    if name == "folder" and not {"encoding", "step", "kind"} & set(options):
        return _bare_pairs(open_tree(path), options, findings)
    try:
        return [open_dataset(path, name=name, options=options)]
    except DatasetError as error:
        findings.append(
            Finding(
                "incomplete", "fault", error.message, f"opened as {name}", error.hint or "complete the files"
            )
        )
        return _without(path, name, options)


def _without(path: str, name: str, options: dict[str, str | int | float]) -> list[Collection]:
    """What can still be read where files are missing."""
    if "missing" not in {option.name for option in DATASETS.get(name).options}:
        return []
    try:
        return [open_dataset(path, name=name, options={**options, "missing": "skip"})]
    except LeadlineError:
        # The finding already says what is missing; nothing is left to look at.
        return []


def _bare_pairs(
    tree: Tree, options: dict[str, str | int | float], findings: list[Finding]
) -> list[Collection]:
    """Pairs whose unit nobody said: it is seen from each file's own numbers."""
    common = {**options, "missing": "skip"}
    whole = open_dataset(tree.path, name="folder", options=common)
    alone = _alone(tree, options)
    if alone:
        findings.append(
            Finding("incomplete", "fault", alone.message, "photos and depths paired by name", alone.hint)
        )
    by_encoding: dict[str, list[str]] = {}
    for entry in whole.entries:
        by_encoding.setdefault(encoding_guess(tree, entry.files[1]), []).append(entry.id)
    parts = []
    for encoding, ids in by_encoding.items():
        said = {**common, **({"encoding": encoding} if encoding else {})}
        parts.append(open_dataset(tree.path, name="folder", options=said).select(ids=ids))
    said_of = ", ".join(
        f"{encoding or 'floats or records'} ({len(ids)})" for encoding, ids in by_encoding.items()
    )
    findings.append(
        Finding(
            "unit not said",
            "note",
            "nothing in the folder says the unit of its depth",
            f"by their numbers: {said_of}",
            "say it when you open the folder: --option encoding=NAME",
        )
    )
    return parts


def _alone(tree: Tree, options: dict[str, str | int | float]) -> DatasetError | None:
    try:
        open_dataset(tree.path, name="folder", options=options)
    except DatasetError as error:
        return error
    except InputError:
        return None
    return None
