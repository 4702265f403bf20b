"""Whether the files of a dataset are still those they were."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path

from leadline.core.sample import Entry
from leadline.flows.data.collection import Collection
from leadline.io.trees import ARCHIVES

__all__ = ["state_of"]


def state_of(collection: Collection) -> str:
    """What tells the files of samples from others of the same ids, without reading them.

    Sizes and times of change are looked at: of every sample's files in a folder, of the archive where they are in one, of all
    files of the place where samples do not say theirs. Where nothing lies on this machine, because samples are made or are
    fetched, options and place are all there is. A folder that was moved with its times keeps its state.

    Args:
        collection: The samples.

    Returns:
        SHA-256, lower-case hex.
    """
    digest = hashlib.sha256()
    for part in _parts(collection):
        digest.update(f"{part}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _parts(collection: Collection) -> Iterator[str]:
    yield collection.spec.name
    place, entries = Path(collection.place).expanduser(), collection.entries
    if collection.spec.endless or not collection.place or not place.exists():
        yield f"{collection.place} {sorted(collection.options.items())}"
    elif place.is_dir():
        yield from _of_folder(place, entries)
        return
    elif place.name.lower().endswith(ARCHIVES):
        yield _stamp(place.parent, place.name)
    else:
        yield _stamp(place.parent, place.name)
        yield from _of_folder(place.parent, [entry for entry in entries if entry.files])
    yield from (entry.id for entry in entries)


def _of_folder(root: Path, entries: Sequence[Entry]) -> Iterator[str]:
    stamp = cache(partial(_stamp, root))
    for entry in entries:
        yield " ".join([entry.id, *map(stamp, entry.files)])
    if not all(entry.files for entry in entries):
        files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        yield from (f"{name} {stamp(name)}" for name in files)


def _stamp(root: Path, name: str) -> str:
    """Size and time of a file; of one that is not there, that it is not."""
    try:
        seen = os.stat(f"{root}/{name}")
    except OSError:
        return "absent"
    return f"{seen.st_size}:{seen.st_mtime_ns}"
