"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leadline.core.errors import LeadlineError, OutputError

__all__ = ["is_of_disk", "output_error", "write_whole"]

_FULL = (errno.ENOSPC, "the disk is full", "free some space or choose another folder")
_REASONS = {
    code: (reason, hint)
    for code, reason, hint in (
        _FULL,
        (getattr(errno, "EDQUOT", errno.ENOSPC), "the disk quota is used up", _FULL[2]),
        (errno.EACCES, "permission is denied", "choose a folder you may write to"),
        (errno.EPERM, "permission is denied", "choose a folder you may write to"),
        (errno.EROFS, "the disk is read-only", "choose a folder you may write to"),
        (errno.ENOTDIR, "a part of its path is a file", "choose another folder"),
        (errno.EEXIST, "a part of its path is a file", "choose another folder"),
        (errno.EISDIR, "a folder has that name", "move the folder or choose another name"),
        (errno.ENAMETOOLONG, "its name is too long", "choose a shorter name"),
        (errno.EFBIG, "it is larger than this file system allows", "choose another disk"),
    )
}


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Hands out a temporary file beside ``path`` that takes its place when the block ends well.

    The temporary name starts with a dot, keeps the suffix and is removed when anything goes wrong, Ctrl-C included,
    so that a reader finds the old file, the new file or none, never half of one. Missing parent folders are made.

    Args:
        path: Where the file shall be.

    Yields:
        The path to write to: an empty file in the same folder.

    Raises:
        OutputError: The file cannot be written: disk full, no permission, a folder of that name.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with write_whole(folder / "new" / "a.txt") as part:
        ...     _ = part.write_text("whole")
        >>> [p.name for p in (folder / "new").iterdir()]
        ['a.txt']
    """
    path = Path(path)
    part = path.parent / f".leadline-{secrets.token_hex(6)}{path.suffix}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "xb"):
            pass
        yield part
        os.replace(part, path)
    except LeadlineError:
        raise
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        _forget(part)


def _forget(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError:
        # The folder has become unreachable meanwhile; the error that matters is already on its way.
        return


def is_of_disk(error: OSError) -> bool:
    """Whether an operating-system error is about writing a file, rather than about a network."""
    return error.errno in _REASONS and not hasattr(error, "reason")


def output_error(path: Path, error: OSError) -> OutputError:
    """What an operating-system error means for a file that was to be written.

    Args:
        path: The file.
        error: What the operating system, or a library that speaks for it, said.

    Returns:
        The error to raise: it names the file, the reason and the next step.

    Example:
        >>> print(output_error(Path("a.png"), OSError(28, "No space left on device")))
        'a.png' cannot be written: the disk is full; free some space or choose another folder
    """
    code = error.errno
    if code is None:
        code = next((known for known in _REASONS if os.strerror(known) in str(error)), None)
    reason, hint = _REASONS.get(code or 0, (error.strerror or str(error), "choose another folder"))
    return OutputError(f"{str(path)!r} cannot be written: {reason}", hint=hint)
