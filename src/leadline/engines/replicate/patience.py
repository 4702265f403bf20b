"""HTTP that asks again: with back-off, a bounded number of times, and within a deadline."""

from __future__ import annotations

import random
import time

import httpx

__all__ = ["Busy", "PatientTransport"]

TRIES = 5
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
STEP_S = 60.0
"""Longest wait for the next bytes of an answer; the client asks for none at all when it creates and uploads."""

_CONNECT_S = 10.0
_TOO_MANY, _FAULTS, _NOT_NOW = 429, 500, 503
_NEVER_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Busy(httpx.TransportError):
    """The server answers 429 or 5xx, and is not asked again.

    Args:
        response: Its last answer, read to its end.
        tries: How often it was asked.
    """

    def __init__(self, response: httpx.Response, tries: int) -> None:
        super().__init__(f"{response.status_code} {response.reason_phrase}".rstrip())
        self.status = response.status_code
        self.tries = tries


class PatientTransport(httpx.BaseTransport):
    """Asks again after 429, 5xx and connections that fail, waiting twice as long each time or as long as the server says.

    A request that creates a prediction is sent again only where none can have begun: the server was not reached, or it says
    429, or 503 with when to come back. After any other fault, or an answer lost on the way, a prediction may run, and a second
    one would be paid for too.

    Args:
        wrapped: What carries a request once.
    """

    def __init__(self, wrapped: httpx.BaseTransport) -> None:
        self._wrapped = wrapped
        self.deadline = float("inf")
        """When, by ``time.monotonic``, nothing is waited for any more."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carries a request, several times where need be.

        Args:
            request: The request.

        Returns:
            The answer.

        Raises:
            Busy: The last answer was 429 or 5xx, or a prediction may have begun in spite of it.
            httpx.TransportError: The connection failed on the last try, or time ran out.
        """
        request.read()
        tried = 0
        while True:
            tried += 1
            last = tried >= TRIES
            request.extensions = {**request.extensions, "timeout": self._limits(request)}
            try:
                response = self._wrapped.handle_request(request)
            except httpx.TransportError as error:
                if last or (_creates(request) and not isinstance(error, _NEVER_ARRIVED)):
                    raise
                self._wait(tried, "", request)
                continue
            if response.status_code != _TOO_MANY and response.status_code < _FAULTS:
                return response
            response.read()
            response.close()
            if last or (_creates(request) and not _declined(response)):
                raise Busy(response, tried)
            self._wait(tried, response.headers.get("Retry-After", ""), request)

    def close(self) -> None:
        """Closes the connections."""
        self._wrapped.close()

    def _limits(self, request: httpx.Request) -> dict[str, float]:
        left = self._left(request)
        step, connect = min(STEP_S, left), min(_CONNECT_S, left)
        return {"connect": connect, "read": step, "write": step, "pool": connect}

    def _left(self, request: httpx.Request) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout("time ran out", request=request)
        return left

    def _wait(self, tried: int, told: str, request: httpx.Request) -> None:
        wait = FIRST_WAIT_S * 2 ** (tried - 1) * random.uniform(0.9, 1.1)
        if told.isdecimal():
            wait = float(told)
        time.sleep(min(wait, LONGEST_WAIT_S, self._left(request)))


def _creates(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path.endswith("/predictions")


def _declined(response: httpx.Response) -> bool:
    """Whether the server says that it did not begin."""
    later = "Retry-After" in response.headers
    return response.status_code == _TOO_MANY or (response.status_code == _NOT_NOW and later)
