"""Datasets as they lie about: a folder, a ZIP or a tar, read by relative names."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
import tempfile
import threading
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from leadline.core.errors import DatasetError

__all__ = ["ARCHIVES", "Tree", "open_tree"]

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""File name endings that are opened as archives."""

_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, NotImplementedError)


class _Store(Protocol):
    def names(self) -> Iterator[str]: ...
    def read(self, name: str) -> bytes: ...


class Tree:
    """Files by relative name, whatever they lie in.

    Reading is safe from several threads, and a tree can be sent to other processes: open handles stay behind. Hidden
    files and what macOS adds to archives are not seen.

    Convention:
        Names are relative POSIX paths in one fixed order (sorted). In patterns ``*`` and ``?`` stay within one folder,
        ``**/`` stands for any number of folders, none included.

    Args:
        path: What the user named.
        focus: Where the user named a plain file (a .mat, a .csv): its name; the tree is then the folder it lies in.
        prefix: Only what lies below this folder is seen, with names relative to it.

    Raises:
        DatasetError: There is nothing at ``path``, or it is a damaged archive.
    """

    def __init__(self, path: Path, *, focus: str = "", prefix: str = "") -> None:
        self.path, self.focus, self.prefix = path, focus, prefix
        self._store: _Store = _Folder(path) if path.is_dir() else _archive(path)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every file's name."""
        skip = len(self.prefix)
        seen = (name[skip:] for name in self._store.names() if name.startswith(self.prefix))
        return tuple(sorted(name for name in seen if not _is_hidden(name)))

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.names)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def match(self, pattern: str) -> tuple[str, ...]:
        """Names that fit a pattern.

        Args:
            pattern: Such as ``"*/depth/*.png"`` or ``"**/calib.txt"``.

        Returns:
            The names, sorted.
        """
        fits = re.compile(_regex(pattern)).fullmatch
        return tuple(name for name in self.names if fits(name))

    def first(self, *patterns: str) -> str:
        """The first name that fits the first pattern that fits any; empty where none does."""
        return next((names[0] for names in map(self.match, patterns) if names), "")

    def below(self, folder: str) -> Tree:
        """The same tree seen from one of its folders."""
        return Tree(self.path, prefix=f"{self.prefix}{folder.strip('/')}/")

    def read(self, name: str) -> bytes:
        """A file's bytes.

        Args:
            name: Its name.

        Returns:
            The bytes.

        Raises:
            DatasetError: There is no such file, it cannot be read, it is damaged, or it changed while it was read.
        """
        try:
            return self._store.read(self.prefix + name)
        except (KeyError, FileNotFoundError) as error:
            raise DatasetError(
                f"{self.called(name)!r} is not there", hint="copy or unpack the dataset again"
            ) from error
        except _DAMAGED as error:
            raise DatasetError(
                f"{self.called(name)!r} is damaged or cut short ({error})", hint="fetch the archive again"
            ) from error
        except OSError as error:
            if isinstance(error, DatasetError):
                raise
            raise DatasetError(
                f"{self.called(name)!r} cannot be read ({error.strerror or error})",
                hint="check its permissions and the disk",
            ) from error

    def text(self, name: str) -> str:
        """A text file's contents, UTF-8 or Latin-1, with any byte-order mark taken off."""
        data = self.read(name)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return data.decode("latin-1")

    def local(self, name: str) -> Path:
        """A path at which a library can open the file; out of an archive it is unpacked for as long as the tree lives.

        Args:
            name: Its name.

        Returns:
            The path.

        Raises:
            DatasetError: There is no such file.
        """
        if self.path.is_dir() and (self.path / self.prefix / name).is_file():
            return self.path / self.prefix / name
        target = self._unpacked / f"{zlib.crc32(name.encode()):08x}-{PurePosixPath(name).name}"
        if not target.exists():
            target.write_bytes(self.read(name))
        return target

    @cached_property
    def _unpacked(self) -> Path:
        folder = tempfile.mkdtemp(prefix="leadline-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    def stamp(self, name: str) -> tuple[int, int]:
        """Size in bytes and time of change in nanoseconds, to tell whether a file is still the same.

        Args:
            name: Its name; where it lies in an archive, the archive is looked at.

        Returns:
            Size and time.

        Raises:
            DatasetError: There is no such file.
        """
        path = self.path / self.prefix / name if self.path.is_dir() else self.path
        try:
            seen = path.stat()
        except OSError as error:
            raise DatasetError(
                f"{self.called(name)!r} is not there", hint="copy or unpack the dataset again"
            ) from error
        return seen.st_size, seen.st_mtime_ns

    def called(self, name: str) -> str:
        """What to call a file in messages."""
        return f"{self.path}/{self.prefix}{name}"

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "focus": self.focus, "prefix": self.prefix, "names": self.names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._store = _Folder(self.path) if self.path.is_dir() else _archive(self.path)

    def __repr__(self) -> str:
        return f"Tree {str(self.path / self.prefix)!r}"


def open_tree(path: str | os.PathLike[str]) -> Tree:
    """Opens what a user named as a dataset.

    Args:
        path: A folder, an archive, or a plain file such as a .mat or a manifest.

    Returns:
        The tree; for a plain file, that of its folder with ``focus`` set.

    Raises:
        DatasetError: There is nothing there, or the archive is damaged.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise DatasetError(
            f"there is nothing at {str(path)!r}", hint="name the dataset's folder, archive or file"
        )
    if path.is_dir() or path.name.lower().endswith(ARCHIVES):
        return Tree(path)
    return Tree(path.parent, focus=path.name)


class _Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> Iterator[str]:
        for folder, below, files in os.walk(self.path):
            below[:] = [name for name in below if not name.startswith(".")]
            lead = Path(folder).relative_to(self.path).as_posix()
            for file in files:
                yield file if lead == "." else f"{lead}/{file}"

    def read(self, name: str) -> bytes:
        with open(f"{self.path}/{name}", "rb", buffering=0) as file:  # joining paths takes as long as reading
            before = os.fstat(file.fileno())
            data = file.read()
            after = os.fstat(file.fileno())
        if len(data) != before.st_size or (before.st_size, before.st_mtime_ns) != (
            after.st_size,
            after.st_mtime_ns,
        ):
            raise DatasetError(
                f"{str(self.path / name)!r} changed while it was read",
                hint="wait until whatever writes it is done",
            )
        return data


class _Zip:
    def __init__(self, path: Path) -> None:
        self.path, self.lock = path, threading.Lock()
        self.file = zipfile.ZipFile(path)
        weakref.finalize(self, self.file.close)

    def names(self) -> Iterator[str]:
        return (item.filename for item in self.file.infolist() if not item.is_dir())

    def read(self, name: str) -> bytes:
        with self.lock:
            return self.file.read(name)


class _Tar:
    def __init__(self, path: Path) -> None:
        self.path, self.lock = path, threading.Lock()
        self.file = tarfile.open(path)  # noqa: SIM115 - kept open for as long as the tree lives
        weakref.finalize(self, self.file.close)
        self.members = {member.name.removeprefix("./"): member for member in self.file if member.isfile()}

    def names(self) -> Iterator[str]:
        return iter(self.members)

    def read(self, name: str) -> bytes:
        with self.lock:
            stream = self.file.extractfile(self.members[name])
            data = b"" if stream is None else stream.read()
        if len(data) != self.members[name].size:
            raise EOFError(f"{len(data):,} of {self.members[name].size:,} bytes")
        return data


def _archive(path: Path) -> _Store:
    try:
        return _Zip(path) if path.name.lower().endswith(".zip") else _Tar(path)
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise DatasetError(
                f"there is nothing at {str(path)!r}", hint="name the dataset's folder or archive"
            ) from error
        raise DatasetError(
            f"{str(path)!r} is no archive that can be read, or is cut short after {path.stat().st_size:,} bytes ({error})",
            hint="fetch it again",
        ) from error


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _regex(pattern: str) -> str:
    parts = []
    for piece in pattern.split("**/"):
        parts.append("".join(_piece(character) for character in re.split(r"(\*|\?|\[[^\]]*\])", piece)))
    return "(?:.*/)?".join(parts)


def _piece(text: str) -> str:
    if text == "*":
        return "[^/]*"
    if text == "?":
        return "[^/]"
    return text.replace("[!", "[^") if text.startswith("[") else re.escape(text)
