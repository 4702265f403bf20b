"""A loopback web server that behaves, and misbehaves, as real ones do; and files as others write them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pil


@dataclass
class Site:
    """What the server serves and what it was asked."""

    base: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    stop_after: list[int] = field(default_factory=list)
    """For each coming answer, the number of bytes after which the connection is dropped."""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def url(self, name: str) -> str:
        return f"{self.base}/{name}"


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.path[1:].partition("?")[0]
            wanted = self.headers.get("Range", "")
            site.asked.append((name, wanted))
            if name == "slow.jpg":
                threading.Event().wait(3)
            if name == "elsewhere.jpg":
                self.send_response(302)
                self.send_header("Location", "ftp://127.0.0.1/x.jpg")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data = site.files.get(name)
            if data is None:
                self.send_error(404)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and site.ranges else 0
            if start >= len(data) > 0:
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            if name != "unsized.bin":
                self.send_header("Content-Length", str(len(data) - start))
            else:
                self.send_header("Connection", "close")
            self.end_headers()
            end = start + site.stop_after.pop(0) if site.stop_after else len(data)
            self.wfile.write(data[start:end])
            if end < len(data) or name == "unsized.bin":
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    server.daemon_threads = True
    site.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bare() -> Callable[[Path, NDArray[Any]], Path]:
    """Writes depth files as others write them: without a record."""

    def write(path: Path, array: NDArray[Any]) -> Path:
        """Files as others write them."""
        if path.suffix in (".png", ".tif", ".tiff"):
            Pil.fromarray(array).save(path)
        elif path.suffix == ".npz":
            np.savez(path, depth=array)
        elif path.suffix == ".pfm":
            head = f"Pf\n{array.shape[1]} {array.shape[0]}\n1.0\n".encode()
            path.write_bytes(head + np.flipud(array).astype(">f4").tobytes())
        else:
            import OpenEXR

            header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
            with OpenEXR.File(header, {"Y": array}) as file:
                file.write(str(path))
        return path

    return write
