"""Reading over http and https, with limits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from leadline._version import __version__
from leadline.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPResponse

__all__ = ["fetch", "is_url", "network_errors", "reason", "request"]

TIMEOUT_S = 20.0
"""Longest wait for a connection, or for the next bytes of an answer."""

DEADLINE_S = 300.0
"""Longest time for one photo in all."""

MAX_BYTES = 512 * 2**20
"""Largest photo that is fetched."""

_CHUNK = 2**18


def is_url(text: str) -> bool:
    """Whether a name is an http or https address."""
    return text.lower().startswith(("http://", "https://"))


def network_errors() -> tuple[type[Exception], ...]:
    """What urllib raises when an address cannot be read: timeouts are OSErrors, bad addresses ValueErrors."""
    from http.client import HTTPException

    return (OSError, HTTPException, ValueError)


def request(
    url: str, *, headers: Mapping[str, str] | None = None, timeout_s: float = TIMEOUT_S
) -> HTTPResponse:
    """Opens an address.

    Args:
        url: An http or https address.
        headers: Further request headers.
        timeout_s: Longest wait for the connection or the next bytes.

    Returns:
        The answer, to be closed by the caller.

    Raises:
        OSError: No answer, or one with an error status (``urllib.error.HTTPError``).
        ValueError: The address cannot be understood.
    """
    from http.client import HTTPResponse
    from urllib.request import Request, urlopen

    asked = Request(url, headers={"User-Agent": f"leadline/{__version__}", **(headers or {})})
    answer = urlopen(asked, timeout=timeout_s)
    if not isinstance(answer, HTTPResponse):
        raise ValueError("the server leads to an address that is neither http nor https")
    return answer


def fetch(url: str, *, max_bytes: int = MAX_BYTES, timeout_s: float = TIMEOUT_S) -> bytes:
    """Reads a whole photo from an address.

    Args:
        url: An http or https address.
        max_bytes: Largest answer that is taken.
        timeout_s: Longest wait for the connection or the next bytes.

    Returns:
        The bytes.

    Raises:
        InputError: No answer, an error status, an answer cut short, too slow or too large.
    """
    from urllib.error import HTTPError

    try:
        with request(url, timeout_s=timeout_s) as answer:
            return _read(answer, url, max_bytes)
    except InputError:
        raise
    except network_errors() as error:
        if isinstance(error, HTTPError):
            error.close()
        raise InputError(
            f"{url!r} cannot be read: {reason(error)}", hint="check the address, or download the photo first"
        ) from error


def _read(answer: HTTPResponse, url: str, max_bytes: int) -> bytes:
    deadline = time.monotonic() + DEADLINE_S
    stated = answer.length
    body = bytearray()
    while (stated or 0) <= max_bytes and len(body) <= max_bytes:
        chunk = answer.read(_CHUNK)
        if not chunk:
            if stated is not None and len(body) < stated:
                raise InputError(
                    f"{url!r} was cut short: {len(body):,} of {stated:,} bytes came", hint="try again"
                )
            return bytes(body)
        body += chunk
        if time.monotonic() > deadline:
            raise InputError(f"{url!r} took longer than {DEADLINE_S:.0f} s", hint="download the photo first")
    raise InputError(
        f"{url!r} holds {f'{stated:,}' if stated else f'more than {max_bytes:,}'} bytes; the limit is {max_bytes:,}",
        hint="download the photo first and name the file",
    )


def reason(error: BaseException) -> str:
    """Why an address could not be read, in words.

    Args:
        error: What urllib raised.

    Returns:
        A short phrase.

    Example:
        >>> reason(TimeoutError("timed out"))
        'no answer in time'
    """
    from urllib.error import HTTPError, URLError

    if isinstance(error, HTTPError):
        return f"the server answers {error.code} {error.reason}".rstrip()
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        return reason(error.reason)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "the server refuses the connection"
    import socket

    if isinstance(error, socket.gaierror):
        return "the server's name is not known (is the network up?)"
    return str(error) or type(error).__name__
