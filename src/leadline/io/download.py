"""Large downloads: resumed, checked, and never half there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from leadline.core.errors import LeadlineError, WeightsError
from leadline.io.atomic import is_of_disk, output_error
from leadline.io.fetch import network_errors, reason, request

if TYPE_CHECKING:
    from http.client import HTTPResponse

__all__ = ["download"]

_CHUNK = 2**20
_TRIES = 3
_PARTIAL, _BEYOND = 206, 416


class _CutShort(OSError):
    """The server closed before all bytes came."""


def download(
    url: str,
    path: Path,
    *,
    sha256: str,
    size_bytes: int,
    name: str,
    bar: bool,
    headers: Mapping[str, str] | None = None,
    shown: str = "",
) -> Path:
    """Fetches a file, whole and checked or not at all.

    What came so far is kept in ``<file>.part``, and the next call goes on there where the server allows it.

    Args:
        url: An http or https address.
        path: Where the file shall be.
        sha256: What its SHA-256 must be.
        size_bytes: What its size must be; 0 where that is not known.
        name: The model it belongs to, for messages.
        bar: Whether a bar is shown when standard error is a terminal.
        headers: Further request headers, such as a token.
        shown: The address in messages, where the true one is signed and holds what is nobody's business.

    Returns:
        ``path``.

    Raises:
        WeightsError: No answer, or not the file that was expected, which is then removed.
        OutputError: The disk is full or may not be written.
    """
    part = path.with_name(f"{path.name}.part")
    told = shown or url
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "ab") as stream, _alone(stream):
            if path.is_file():
                # Another process brought it while this one waited.
                part.unlink(missing_ok=True)
                return path
            _fill(stream, _Source(url, told, headers or {}), size_bytes, name, bar)
            _check(part, sha256, size_bytes, name, told)
            os.replace(part, path)
    except LeadlineError:
        raise
    except _CutShort as error:
        raise WeightsError(f"{error}", hint="run again: it goes on where it stopped") from error
    except network_errors() as error:
        if isinstance(error, OSError) and is_of_disk(error):
            raise output_error(path, error) from error
        raise WeightsError(
            f"weights of {name!r} cannot be fetched from {told}: {reason(error)}",
            hint=f"fetch that file where there is a network and put it at {str(path)!r}",
        ) from error
    finally:
        if part.is_file() and part.stat().st_size == 0:
            part.unlink(missing_ok=True)
    return path


@dataclass(frozen=True, slots=True)
class _Source:
    """An address, what it is called in messages, and what is sent along."""

    url: str
    told: str
    headers: Mapping[str, str]


def _fill(stream: BinaryIO, source: _Source, size_bytes: int, name: str, bar: bool) -> None:
    """Appends what is missing; a connection that breaks after some progress is taken up again."""
    from http.client import IncompleteRead

    for left in reversed(range(_TRIES)):
        before = stream.seek(0, os.SEEK_END)
        try:
            _append(stream, source, size_bytes, name, bar)
            return
        except (_CutShort, IncompleteRead, TimeoutError, ConnectionResetError):
            if not left or stream.seek(0, os.SEEK_END) <= before:
                raise


def _append(stream: BinaryIO, source: _Source, size_bytes: int, name: str, bar: bool) -> None:
    have = stream.seek(0, os.SEEK_END)
    if size_bytes and have >= size_bytes:
        return
    with _answer(source, have) as answer:
        if have and not _continues(answer, have):
            stream.truncate(0)
            have = 0
        offered = None if answer.length is None else have + answer.length
        if size_bytes and offered not in (None, size_bytes):
            raise _wrong(name, source.told, f"the server has {offered:,} bytes, {size_bytes:,} were expected")
        total = size_bytes or offered or 0
        with _bar(name, have, total, bar) as tick:
            while chunk := answer.read(_CHUNK):
                stream.write(chunk)
                have += len(chunk)
                tick.update(len(chunk))
                if size_bytes and have > size_bytes:
                    return
        stream.flush()
    if have < total:
        raise _CutShort(f"weights of {name!r} stopped after {have:,} of {total:,} bytes from {source.told}")


def _answer(source: _Source, have: int) -> HTTPResponse:
    from urllib.error import HTTPError

    try:
        part = {"Range": f"bytes={have}-"} if have else {}
        return request(source.url, headers={**source.headers, **part})
    except HTTPError as error:
        error.close()  # its socket would stay open as long as somebody remembers the error
        if error.code != _BEYOND:
            raise
        return request(source.url, headers=source.headers)


def _continues(answer: HTTPResponse, have: int) -> bool:
    told = answer.headers.get("Content-Range", "")
    return answer.status == _PARTIAL and told.replace("bytes ", "").startswith(f"{have}-")


def _check(part: Path, sha256: str, size_bytes: int, name: str, url: str) -> None:
    with open(part, "rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    size = part.stat().st_size
    if found == sha256 and size_bytes in (0, size):
        return
    part.unlink()
    expected = f"{size_bytes:,} bytes with " if size_bytes else ""
    raise _wrong(
        name,
        url,
        f"{size:,} bytes with SHA-256 {found[:16]}…, expected {expected}{sha256[:16]}… (removed)",
    )


def _wrong(name: str, url: str, what: str) -> WeightsError:
    return WeightsError(
        f"weights of {name!r} from {url} are not what they should be: {what}",
        hint="run again; if it stays so, the file at that address was changed",
    )


@contextmanager
def _alone(stream: BinaryIO) -> Iterator[None]:
    """Waits until no other process writes the same file, where the system can tell."""
    try:
        import fcntl
    except ImportError:
        # Windows: two processes that fetch one model at once are told apart by the checksum alone.
        yield
        return
    fcntl.flock(stream, fcntl.LOCK_EX)
    yield


def _bar(name: str, have: int, total: int, bar: bool) -> Any:
    from tqdm import tqdm

    return tqdm(
        desc=name,
        initial=have,
        total=total or None,
        unit="B",
        unit_scale=True,
        unit_divisor=1024,
        disable=None if bar else True,
        leave=False,
    )
