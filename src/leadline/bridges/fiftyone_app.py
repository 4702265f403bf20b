"""The FiftyOne app, opened on a dataset in viridis."""

from __future__ import annotations

import socket
from types import ModuleType
from typing import Any

from leadline.bridges.fiftyone_database import connected
from leadline.core.errors import InputError

__all__ = ["App", "check_port", "colours", "open_app"]


class App:
    """The FiftyOne app, served until it is closed.

    Args:
        session: FiftyOne's session.
        url: Where a browser finds it.
    """

    def __init__(self, session: Any, url: str) -> None:
        self._session, self.url = session, url

    def wait(self) -> None:
        """Serves until it is interrupted."""
        self._session.wait(-1)

    def close(self) -> None:
        """Ends it."""
        connected().close_app()


def open_app(name: str, *, port: int = 5151, remote: bool = False) -> App:
    """Opens the app on a dataset, in viridis.

    Args:
        name: The dataset.
        port: The port it is served at.
        remote: Whether no browser is to be opened here.

    Returns:
        The app.

    Raises:
        InputError: The port is taken, or there is no such dataset.
        OutputError: FiftyOne's database is not to be had.
    """
    fo = connected()
    if not fo.dataset_exists(name):
        raise InputError(
            f"FiftyOne has no dataset {name!r}", hint=f"it has {', '.join(fo.list_datasets()) or 'none'}"
        )
    address = check_port(port)
    config = fo.app_config.copy()
    config.colorscale = "viridis"
    session = fo.launch_app(
        fo.load_dataset(name),
        port=port,
        address=address,
        remote=remote,
        color_scheme=colours(fo),
        config=config,
    )
    return App(session, f"http://{address}:{port}/datasets/{name}")


def colours(fo: ModuleType) -> Any:
    """How maps are coloured.

    Args:
        fo: FiftyOne.

    Returns:
        ``fo.ColorScheme``: viridis, opaque.
    """
    return fo.ColorScheme(
        color_by="value", color_pool=[], opacity=1.0, default_colorscale={"name": "viridis", "list": None}
    )


def check_port(port: int) -> str:
    """Refuses a port that somebody else listens at.

    Args:
        port: The port the app is to be served at.

    Returns:
        The address it is served at.

    Raises:
        InputError: The port is taken, or may not be had.
        OutputError: FiftyOne's database is not to be had.
    """
    address: str = connected().config.default_app_address or "127.0.0.1"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise InputError(
                f"port {port} of {address} cannot be had: {error.strerror}", hint="name another with --port"
            ) from error
    return address
