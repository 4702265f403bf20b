"""What engines made of networks, kept in leadline's cache so that it is made once."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leadline.core.errors import OutputError
from leadline.io.atomic import write_whole
from leadline.io.weights import cache_folder

__all__ = ["Store"]

MOST_BYTES = 8 << 30
"""What all kept programs of an engine may take together where it does not say; those not used for longest go first."""

_SUFFIX = ".kept"


class Store:
    """The programs that are kept of one model, each in a file of its own that carries its record and its hash.

    Engines read what they are given without a doubt, so a file is handed on only where its hash agrees; one that does not,
    and one of another build or processor, is removed and told in ``remarks``.

    Args:
        model: The model's name.
        engine: The engine's name.
        build: What can read it: the engine's version and the device.
        home: The folder of all models; the engine's in leadline's cache where None.
        most_bytes: What all programs of that folder may take together.
    """

    def __init__(
        self, model: str, *, engine: str, build: str, home: Path | None = None, most_bytes: int = 0
    ) -> None:
        self._home = home or cache_folder().parent / engine
        self._folder = self._home / (re.sub(r"[^\w.-]+", "-", model).strip("-.") or "model")
        self._engine, self._build = engine, build
        self._most_bytes = most_bytes or MOST_BYTES
        self.remarks: list[str] = []
        self._drop_stale()

    def get(self, what: Mapping[str, str]) -> list[bytes] | None:
        """What is kept.

        Args:
            what: All that it depends on.

        Returns:
            Its parts; None where it is not there, or was broken.
        """
        path = self._path(what)
        if not path.is_file():
            return None
        parts = _parts(path)
        if parts is None:
            self.drop(what, why="is broken")
            return None
        os.utime(path)
        return parts

    def put(self, what: Mapping[str, str], parts: Sequence[bytes | memoryview]) -> None:
        """Keeps something; where the disk does not take it, that is a remark and no error.

        Args:
            what: All that it depends on.
            parts: Its parts.
        """
        head = {
            "build": self._build,
            "what": dict(what),
            "sizes": [len(part) for part in parts],
            "sha256": _hash(parts),
        }
        try:
            with write_whole(self._path(what)) as part, open(part, "wb") as stream:
                stream.write(json.dumps(head).encode() + b"\n")
                for piece in parts:
                    stream.write(piece)
        except OutputError as error:
            self.remarks.append(f"the network is not kept for the next time: {error}")
            return
        self._prune(self._path(what))

    def newest(self, what: Mapping[str, str]) -> dict[str, str] | None:
        """What the newest of those depends on that were kept with all of this.

        Args:
            what: Some of what it depends on.

        Returns:
            All of it; None where there is none.
        """
        heads = [(path.stat().st_mtime, _head(path)) for path in _files(self._folder)]
        fitting = [
            (time_s, dict(head["what"]))
            for time_s, head in heads
            if isinstance(head.get("what"), dict) and what.items() <= head["what"].items()
        ]
        return max(fitting, key=lambda pair: pair[0])[1] if fitting else None

    def drop(self, what: Mapping[str, str], *, why: str) -> None:
        """Removes something that is kept, and says so.

        Args:
            what: All that it depends on.
            why: What is wrong with it: ``"is broken"``.
        """
        path = self._path(what)
        path.unlink(missing_ok=True)
        self.remarks.append(f"the kept network {str(path)!r} {why}: it is removed and made again")

    def _path(self, what: Mapping[str, str]) -> Path:
        told = json.dumps({"build": self._build, **what}, sort_keys=True)
        return self._folder / f"{hashlib.sha256(told.encode()).hexdigest()[:20]}{_SUFFIX}"

    def _drop_stale(self) -> None:
        stale = [path for path in _files(self._folder) if _head(path).get("build") not in (None, self._build)]
        for path in stale:
            path.unlink(missing_ok=True)
        if stale:
            self.remarks.append(
                f"{len(stale)} kept network(s) in {str(self._folder)!r} were made by another build of {self._engine} or "
                "for another processor: they are removed"
            )

    def _prune(self, newest: Path) -> None:
        """Keeps all models' programs below what they may take, but always the one just written."""
        files = [path for path in self._home.glob(f"*/*{_SUFFIX}") if path != newest]
        states = sorted(((path.stat().st_mtime, path.stat().st_size, path) for path in files), reverse=True)
        total = newest.stat().st_size
        for _, size, path in states:
            total += size
            if total > self._most_bytes:
                path.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else []


def _head(path: Path) -> dict[str, Any]:
    with open(path, "rb") as stream:
        line = stream.readline(1 << 16)
    try:
        head = json.loads(line)
    except ValueError:
        return {}
    return head if isinstance(head, dict) else {}


def _parts(path: Path) -> list[bytes] | None:
    """The parts of a file; None where it is not what its head says."""
    head = _head(path)
    sizes, sha256 = head.get("sizes"), head.get("sha256")
    if not isinstance(sizes, list) or not all(isinstance(size, int) and size >= 0 for size in sizes):
        return None
    with open(path, "rb") as stream:
        stream.readline(1 << 16)
        parts = [stream.read(size) for size in sizes]
        more = stream.read(1)
    return parts if not more and _hash(parts) == sha256 else None


def _hash(parts: Sequence[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
