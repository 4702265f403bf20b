"""SHA-256 of large files, kept from one process to the next while the file stays as it was."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from leadline.core.errors import OutputError
from leadline.io.atomic import write_whole

__all__ = ["kept_sha256"]

_LARGE = 8_000_000
"""Bytes; smaller files are hashed sooner than the store is read."""


def kept_sha256(path: Path, *, store: Path) -> str:
    """SHA-256 of a file.

    A file is taken for the same while its size, its inode and both of its times (of its content and of its entry, which nobody
    can set) are.

    Args:
        path: The file.
        store: Where hashes are kept, JSON; one that is damaged is begun anew, one that cannot be written does no harm.

    Returns:
        Lower-case hex.
    """
    state = path.stat()
    if state.st_size < _LARGE:
        return _hashed(path)
    mark = [state.st_size, state.st_ino, state.st_mtime_ns, state.st_ctime_ns]
    known = _read(store)
    name = str(path.resolve())
    if isinstance(known.get(name), dict) and known[name].get("mark") == mark:
        return str(known[name].get("sha256"))
    known[name] = {"mark": mark, "sha256": _hashed(path)}
    try:
        with write_whole(store) as part:
            part.write_text(json.dumps(known, indent=1))
    except OutputError:
        # It is hashed again next time, which costs a second.
        return str(known[name]["sha256"])
    return str(known[name]["sha256"])


def _hashed(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read(store: Path) -> dict[str, Any]:
    try:
        found = json.loads(store.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
