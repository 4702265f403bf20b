"""What layouts there are, and what a place holds, in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from leadline.core.errors import InputError, pip_line
from leadline.flows.data.choosing import OPTION_HELP, chosen
from leadline.flows.data.opening import guess_layout, list_datasets, split_place
from leadline.flows.options import Told, check_bounds, told
from leadline.io.trees import open_tree
from leadline.plugins.need import has
from leadline.plugins.registry import DATASETS
from leadline.plugins.specs import DatasetSpec

__all__ = ["DataInfoRequest", "PlaceInfo", "describe_layout", "describe_place", "layout_rows"]


@dataclass(frozen=True, slots=True)
class DataInfoRequest:
    """What ``leadline data info`` is asked for."""

    place: str = field(metadata=told(Told("Name of a layout, NAME:PATH, or a path.", positional=True)))
    option: tuple[str, ...] = field(
        default=(), metadata=told(Told(OPTION_HELP, metavar="KEY=VALUE", whole=True))
    )
    split: str = field(
        default="", metadata=told(Told("Only this split.", choices=("", "train", "val", "test")))
    )
    first: int | None = field(default=None, metadata=told(Told("The first so many only.", minimum=1)))

    def __post_init__(self) -> None:
        check_bounds(self)


@dataclass(frozen=True, slots=True)
class PlaceInfo:
    """What a place holds.

    Args:
        name: Its layout.
        why: What it was recognised by; empty where the layout was said.
        kind: What its numbers mean.
        samples: How many.
        scenes: How many; 0 where unknown.
        splits: Samples in each split.
        size: Of the first photo.
        depth_size: Of the first truth.
        camera: Of the first photo.
        known: Share of known pixels of the first truth.
        ids: The first ids.
    """

    name: str
    why: str
    kind: str
    samples: int
    scenes: int
    splits: dict[str, int]
    size: str
    depth_size: str
    camera: str
    known: float
    ids: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {key: getattr(self, key) for key in self.__dataclass_fields__}

    def lines(self) -> list[str]:
        """The facts in words."""
        splits = ", ".join(f"{key} {count:,}" for key, count in self.splits.items())
        return [
            f"{self.name}: {self.samples:,} samples, {self.kind}"
            + (f" (seen from {self.why})" if self.why else ""),
            f"scenes: {self.scenes or 'not known'}; splits: {splits}",
            f"first: {', '.join(self.ids)}",
            f"first photo {self.size}, {self.camera}; depth {self.depth_size}, {100 * self.known:.3g}% known",
        ]


def describe_place(request: DataInfoRequest) -> PlaceInfo:
    """Opens a place and says what it holds; one sample is read.

    Args:
        request: The place, and how to open it.

    Returns:
        The facts.

    Raises:
        DatasetError: It is no dataset.
    """
    said, path = split_place(request.place)
    why = ""
    if not said:
        guesses = guess_layout(open_tree(path))
        why = guesses[0].why if guesses else ""
    opened = chosen(request)
    entries, sample = opened.entries[:1000], opened[0]
    everything = opened.entries if len(opened) <= 100_000 else entries
    return PlaceInfo(
        name=opened.spec.name,
        why=why,
        kind=opened.kind.words,
        samples=len(opened),
        scenes=len({entry.scene for entry in everything} - {""}),
        splits=dict(Counter(entry.split or "none" for entry in everything)),
        size=f"{sample.image.width}x{sample.image.height}",
        depth_size=f"{sample.truth.width}x{sample.truth.height}",
        camera=str(sample.image.camera),
        known=float(sample.truth.valid.mean()),
        ids=tuple(entry.id for entry in entries[:3]),
    )


def describe_layout(name: str) -> list[str]:
    """A layout in words: its files, options, terms and paper.

    Args:
        name: Its name.

    Returns:
        Lines.

    Raises:
        UnknownName: There is none of that name.
    """
    spec = DATASETS.get(name)
    lines = [f"{spec.name}: {spec.summary}"]
    if spec.layout:
        lines += ["", *(f"    {line}" for line in spec.layout.splitlines()), ""]
    for option in spec.options:
        values = f" ({', '.join(option.choices)})" if option.choices else ""
        default = f" [{option.default}]" if option.default not in ("", 0.0) else ""
        lines.append(f"--option {option.name}=…  {option.help}{values}{default}")
    lines += [f"terms: {spec.licence}"] if spec.licence else []
    lines += [f"paper: {spec.paper}"] if spec.paper else []
    if spec.extra or spec.install:
        lines.append(f"needs: {pip_line(extra=spec.extra, install=spec.install)}")
    return lines


def layout_rows() -> list[tuple[DatasetSpec, tuple[str, ...]]]:
    """Every layout with the packages it lacks here."""
    return [
        (spec, tuple(package for package in spec.packages if not has(package))) for spec in list_datasets()
    ]


def is_layout(place: str) -> bool:
    """Whether what was typed is the name of a layout rather than a place.

    Args:
        place: What was typed.

    Returns:
        True for a name.

    Raises:
        InputError: It is empty.
    """
    if not place:
        raise InputError("no dataset is named", hint="'leadline data list' shows the names")
    return place in DATASETS.names()
