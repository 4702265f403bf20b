"""The one error tree.

Every error a user can meet is a leaf of this tree. It carries a stable ``code``, a ``hint`` (the next step), the exit
status the command line ends with and the HTTP status the API answers with, and it is also a standard type, so that
code which knows nothing of leadline can still catch it::

    LeadlineError
    ├── InputError     (ValueError)    exit 3   HTTP 422   a photo, file or value that cannot be used
    ├── KindError      (TypeError)     exit 4   HTTP 409   an operation that the kind of depth forbids
    ├── UnknownName    (LookupError)   exit 5   HTTP 404   no such model, format, engine or dataset
    ├── MissingExtra   (ImportError)   exit 6   HTTP 501   an optional package is not installed
    ├── WeightsError   (OSError)       exit 7   HTTP 503   weights absent, damaged or not to be had
    ├── EngineError    (RuntimeError)  exit 8   HTTP 500   the inference engine failed
    ├── DatasetError   (OSError)       exit 9   HTTP 422   a dataset that is not what it says
    ├── OutputError    (OSError)       exit 10  HTTP 507   a result that cannot be written
    └── TrainingError  (RuntimeError)  exit 12  HTTP 500   training that leads nowhere

A batch in which some photos failed ends with exit status 1; a command line that cannot be parsed, with 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

__all__ = [
    "DatasetError",
    "EngineError",
    "InputError",
    "KindError",
    "LeadlineError",
    "MissingExtra",
    "OutputError",
    "TrainingError",
    "UnknownName",
    "WeightsError",
    "pip_line",
]


class LeadlineError(Exception):
    """What all leadline errors share: a message, and the next step.

    Args:
        message: What is wrong, naming the offending value.
        hint: What to do next; empty where the message says it all.

    Example:
        >>> str(InputError("'x.jpg' is empty (0 bytes)", hint="copy the photo again"))
        "'x.jpg' is empty (0 bytes); copy the photo again"
    """

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.hint, dict(self.__dict__)))


def _rebuild(cls: type[LeadlineError], message: str, hint: str, state: dict[str, object]) -> LeadlineError:
    error = cls.__new__(cls)
    LeadlineError.__init__(error, message, hint=hint)
    error.__dict__.update(state)
    return error


class InputError(LeadlineError, ValueError):
    """A photo, a file or a value that cannot be used."""

    code = "input"
    exit_status = 3
    http_status = 422


class KindError(LeadlineError, TypeError):
    """An operation that the kind of a depth map forbids."""

    code = "kind"
    exit_status = 4
    http_status = 409


class UnknownName(LeadlineError, LookupError):
    """A name that no registry entry bears; near matches are offered, never taken.

    Args:
        what: What kind of thing was looked for, such as ``"model"``.
        name: The name that was asked for.
        known: Every name there is.
        hidden: Those of them that are offered where they are near, and not listed else.
    """

    code = "unknown-name"
    exit_status = 5
    http_status = 404

    def __init__(self, what: str, name: str, *, known: Iterable[str], hidden: Iterable[str] = ()) -> None:
        self.what, self.name, self.known = what, name, tuple(sorted(known))
        begun = [each for each in self.known if len(name) > 2 and each.startswith(name)]
        near = get_close_matches(name, self.known, n=3, cutoff=0.6) or begun[:3]
        listed = [each for each in self.known if each not in set(hidden)]
        hint = (
            f"did you mean {' or '.join(map(repr, near))}?"
            if near
            else f"known: {', '.join(listed) or 'none'}"
        )
        super().__init__(f"no {what} is called {name!r}", hint=hint)


class MissingExtra(LeadlineError, ImportError):
    """An optional package is not installed; the message ends in the exact line to type.

    Args:
        who: What needs the package, such as ``"model 'dpt-large'"``.
        package: The package that is missing.
        extra: The leadline extra that brings it; empty for the base install.
        install: What pip is given to bring it, where no extra of leadline does.
    """

    code = "missing-extra"
    exit_status = 6
    http_status = 501

    def __init__(self, who: str, package: str, *, extra: str, install: str = "") -> None:
        self.package, self.extra, self.install = package, extra, install
        super().__init__(f"{who} needs {package!r}: {pip_line(extra=extra, install=install)}")


def pip_line(*, extra: str, install: str = "") -> str:
    """The exact line to type for a package that is missing.

    Args:
        extra: The leadline extra that brings it; empty for the base install.
        install: What pip is given to bring it, where no extra of leadline does.

    Returns:
        The line.

    Example:
        >>> pip_line(extra="torch"), pip_line(extra="", install="acme-net>=2")
        ("pip install 'leadline[torch]'", 'pip install acme-net>=2')
    """
    if install:
        return f"pip install {install}"
    return f"pip install 'leadline[{extra}]'" if extra else "pip install leadline"


class WeightsError(LeadlineError, OSError):
    """Weights that are absent, damaged or cannot be fetched."""

    code = "weights"
    exit_status = 7
    http_status = 503


class EngineError(LeadlineError, RuntimeError):
    """The inference engine could not load or run a network."""

    code = "engine"
    exit_status = 8
    http_status = 500


class DatasetError(LeadlineError, OSError):
    """A dataset that is absent, incomplete or not in the layout it should have."""

    code = "dataset"
    exit_status = 9
    http_status = 422


class OutputError(LeadlineError, OSError):
    """A result that cannot be written: folder not writable, disk full, name taken."""

    code = "output"
    exit_status = 10
    http_status = 507


class TrainingError(LeadlineError, RuntimeError):
    """Training that leads nowhere: a loss that is no number any more, or far from what it was."""

    code = "training"
    exit_status = 12
    http_status = 500
