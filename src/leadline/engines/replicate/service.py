"""Replicate's service through its official client, with its errors in leadline's words."""

from __future__ import annotations

import io
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from leadline.core.errors import EngineError, InputError, LeadlineError
from leadline.engines.replicate.patience import Busy, PatientTransport
from leadline.plugins.need import need

__all__ = ["Chosen", "Service"]

TOKEN = "REPLICATE_API_TOKEN"
_TOKENS = "https://replicate.com/account/api-tokens"
_LONGEST_POLL_S = 5.0
_LAST_LOOK_S = 10.0
"""How much later than its time-out the last question after a prediction may be answered."""

_SETTLED = ("succeeded", "failed", "canceled")
_FILE_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}

_SAID: Mapping[int, tuple[str, str]] = {
    401: (f"Replicate does not accept the token in {TOKEN}", f"make one at {_TOKENS} and export it"),
    402: ("Replicate wants to be paid", "set up billing at https://replicate.com/account/billing"),
    403: ("Replicate forbids it to this account", f"check whose token {TOKEN} is"),
    404: ("Replicate does not have what was asked for any more", "run it again"),
    410: ("Replicate does not have what was asked for any more", "use another model or version"),
    422: (
        "Replicate refuses these inputs",
        "'--input NAME=VALUE' gives the model's own; its page lists them",
    ),
}
_UNKNOWN, _TOO_LARGE = 404, 413

_NOT_UNDERSTOOD: tuple[type[Exception], ...] = (ValueError, TypeError, AttributeError, KeyError)
"""What the client has been seen to raise when it reads anything but a proper answer into its records."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A model at Replicate, as it is run.

    Args:
        name: ``OWNER/MODEL``.
        version: The id of its version; empty for models that are run by their name alone.
        schemas: The schemas of its OpenAPI description, by name.
    """

    name: str
    version: str
    schemas: Mapping[str, Any]


class Service:
    """The account that a token opens.

    Raises:
        MissingExtra: The client is not installed.
        EngineError: There is no token in the environment, or it is none.
    """

    def __init__(self) -> None:
        self._token = _token()
        replicate = need("replicate", who="engine 'replicate'", extra="replicate")
        self._errors: tuple[type[Exception], ...] = (replicate.exceptions.ReplicateException,)
        self._foreign: tuple[type[Exception], ...] = (*self._errors, httpx.HTTPError, *_NOT_UNDERSTOOD)
        self._transport = PatientTransport(httpx.HTTPTransport(verify=_certificates()))
        self._client = replicate.client.Client(api_token=self._token, transport=self._transport)

    def choose(self, name: str, version: str) -> Chosen:
        """Looks a model up.

        Args:
            name: ``OWNER/MODEL``.
            version: The id of a version; empty takes the newest.

        Returns:
            The model.

        Raises:
            InputError: There is no such model or version.
            EngineError: Replicate cannot be reached, or refuses.
        """
        page = f"https://replicate.com/{name}"
        with self._told(InputError(f"Replicate has no model {name!r}", hint=f"check the spelling: {page}")):
            model = self._client.models.get(name)
        newest = model.latest_version
        if not version:
            if newest is None:
                return Chosen(name, "", {})
            return Chosen(name, str(newest.id), _schemas(newest))
        absent = InputError(
            f"Replicate has no version {version!r} of {name!r}", hint=f"{page}/versions lists those there are"
        )
        with self._told(absent):
            found = model.versions.get(version)
        return Chosen(name, version, _schemas(found))

    @contextmanager
    def sent(self, data: bytes, media_type: str) -> Iterator[str]:
        """A file that is at Replicate while a block lasts.

        Args:
            data: Its bytes.
            media_type: Such as ``"image/png"``.

        Yields:
            Its address.

        Raises:
            EngineError: It cannot be sent.
            InputError: It is too large.
        """
        name = f"photo{_FILE_SUFFIXES[media_type]}"
        with self._told():
            file = self._client.files.create(io.BytesIO(data), filename=name, content_type=media_type)
        try:
            yield str(file.urls["get"])
        finally:
            self._quietly(lambda: self._client.files.delete(file.id))

    def run(self, chosen: Chosen, inputs: Mapping[str, Any], *, photo: str, timeout_s: float) -> Any:
        """Runs a model once, and waits for it.

        Args:
            chosen: The model.
            inputs: Its inputs.
            photo: The photo, for messages.
            timeout_s: Longest wait in all, for a machine to start and for the model.

        Returns:
            Its output: addresses of files, alone, in lists or in mappings.

        Raises:
            InputError: The model failed on this photo.
            EngineError: It was cancelled, takes too long, or Replicate refuses or cannot be reached.
        """
        deadline = self._transport.deadline = time.monotonic() + timeout_s
        running = None
        try:
            with self._told():
                running = self._created(chosen, inputs)
            self._transport.deadline = deadline + _LAST_LOOK_S
            self._wait(running, deadline)
            return self._output_of(running, chosen.name, photo, timeout_s)
        finally:
            self._transport.deadline = float("inf")
            if running is not None and running.status not in _SETTLED:
                # A time-out, Ctrl-C or a lost connection: what runs on would be paid for.
                self._quietly(running.cancel)

    def _output_of(self, ended: Any, name: str, photo: str, timeout_s: float) -> Any:
        if ended.status == "succeeded":
            return ended.output
        if ended.status == "failed":
            raise InputError(
                f"{name} failed on {photo!r}: {self._safe(str(ended.error or 'it does not say why'))}",
                hint=f"see https://replicate.com/p/{ended.id}",
            )
        if ended.status == "canceled":
            raise EngineError(
                f"prediction {ended.id} of {name} was cancelled at Replicate", hint="run it again"
            )
        raise EngineError(
            f"{name} took longer than {timeout_s:g} s and was cancelled (it was {ended.status})",
            hint="a machine that was asleep takes minutes to start: run it again, or --input remote.timeout=1200",
        )

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def _created(self, chosen: Chosen, inputs: Mapping[str, Any]) -> Any:
        if chosen.version:
            return self._client.predictions.create(version=chosen.version, input=dict(inputs))
        return self._client.models.predictions.create(model=chosen.name, input=dict(inputs))

    def _wait(self, running: Any, deadline: float) -> None:
        pause = self._client.poll_interval
        while running.status not in _SETTLED and time.monotonic() + pause < deadline:
            time.sleep(pause)
            with self._told():
                running.reload()
            pause = min(_LONGEST_POLL_S, 1.5 * pause)

    def _quietly(self, call: Callable[[], object]) -> None:
        """Tidies up where it can: whatever went wrong before is what is told."""
        self._transport.deadline = time.monotonic() + 10.0
        try:
            call()
        except self._foreign:
            return
        finally:
            self._transport.deadline = float("inf")

    @contextmanager
    def _told(self, absent: LeadlineError | None = None) -> Iterator[None]:
        """Translates what the client raises.

        Args:
            absent: What a 404 means here.
        """
        try:
            yield
        except self._errors as error:
            status = getattr(error, "status", None)
            if status == _UNKNOWN and absent is not None:
                raise absent from error
            raise self._refused(status, str(getattr(error, "detail", "") or error)) from error
        except httpx.HTTPError as error:
            raise _unreached(error) from error
        except _NOT_UNDERSTOOD as error:
            raise EngineError(
                f"Replicate's answer cannot be understood ({self._safe(str(error))})",
                hint="check REPLICATE_BASE_URL where you set it, or update the client: pip install -U replicate",
            ) from error

    def _refused(self, status: int | None, detail: str) -> LeadlineError:
        if status == _TOO_LARGE:
            return InputError("the photo is too large for Replicate", hint="make it smaller")
        words, hint = _SAID.get(status or 0, (f"Replicate answers {status}", "try again later"))
        return EngineError(f"{words}: {self._safe(detail)}", hint=hint)

    def _safe(self, text: str) -> str:
        """One line, without the token should anybody have put it there."""
        return " ".join(text.replace(self._token, "…").split()).rstrip(".")


@cache
def _certificates() -> ssl.SSLContext:
    """The certificates that are trusted, read once a process: it takes a tenth of a second."""
    return httpx.create_ssl_context()


def _token() -> str:
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise EngineError(
            f"Replicate needs an account: there is no token in {TOKEN}",
            hint=f"make one at {_TOKENS}, then: export {TOKEN}=…",
        )
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise EngineError(
            f"what is in {TOKEN} is no token: it holds blanks or letters that none has",
            hint=f"copy it again from {_TOKENS}",
        )
    return token


def _schemas(version: Any) -> Mapping[str, Any]:
    described = version.openapi_schema or {}
    found: Mapping[str, Any] = described.get("components", {}).get("schemas", {})
    return found


def _unreached(error: httpx.HTTPError) -> EngineError:
    if isinstance(error, Busy):
        return EngineError(
            f"Replicate answers {error}, after {error.tries} {'try' if error.tries == 1 else 'tries'}",
            hint="try again later, or with fewer photos; what was begun is at https://replicate.com/predictions",
        )
    if isinstance(error, httpx.TimeoutException):
        return EngineError("Replicate gave no answer in time", hint="try again, or check the network")
    return EngineError(
        f"Replicate cannot be reached: {str(error) or type(error).__name__}",
        hint="check the network; what was begun is at https://replicate.com/predictions",
    )
