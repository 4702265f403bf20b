"""A stand-in for the Hugging Face hub, on loopback, that speaks as much of its API as fetching a checkpoint needs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["COMMIT", "StandInHub", "served"]

COMMIT = "c" * 40
"""The only commit that the stand-in has."""


@dataclass
class StandInHub:
    """What the stand-in has, and what it was asked. It has one repository, ``org/net``.

    Args:
        files: Its files, by name; ``.safetensors`` are large ones, with a SHA-256.
        status: What is answered to everything, where it is not 200.
        code: The hub's own code of that answer, such as ``"GatedRepo"``.
        lie: A SHA-256 that is said in place of the true one.
        stop_after: Bytes after which the next large file breaks off.
        stays_down: Whether everything is answered with 503 after that.
        elsewhere: Address of another server that large files are fetched from, as from the hub's own stores.
        asked: Method and path of every request so far.
        ranges: The bytes that were asked for, of requests that asked for some.
        tokens: What came as authorisation.
    """

    files: dict[str, bytes]
    status: int = 200
    code: str = ""
    lie: str = ""
    stop_after: int | None = None
    stays_down: bool = False
    elsewhere: str = ""
    asked: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def info(self) -> dict[str, Any]:
        """What the hub says of the repository."""
        siblings: list[dict[str, Any]] = []
        for name, data in self.files.items():
            entry: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": sha1(data).hexdigest()}
            if name.endswith(".safetensors"):
                digest = self.lie or sha256(data).hexdigest()
                entry["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 134}
            siblings.append(entry)
        return {
            "id": "org/net",
            "modelId": "org/net",
            "sha": COMMIT,
            "siblings": siblings,
            "tags": [],
            "private": False,
        }

    def tree(self) -> list[dict[str, Any]]:
        """What the hub says of its files."""
        rows = []
        for name, data in self.files.items():
            row: dict[str, Any] = {
                "type": "file",
                "path": name,
                "size": len(data),
                "oid": sha1(data).hexdigest(),
            }
            if name.endswith(".safetensors"):
                row["lfs"] = {
                    "oid": self.lie or sha256(data).hexdigest(),
                    "size": len(data),
                    "pointerSize": 134,
                }
            rows.append(row)
        return rows


def _handler(hub: StandInHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            path = self.path.partition("?")[0]
            hub.asked.append(f"{self.command} {path}")
            if "Range" in self.headers:
                hub.ranges.append(self.headers["Range"])
            hub.tokens.append(self.headers.get("Authorization", ""))
            if hub.status != 200:
                self._send(hub.status, b"{}", {"X-Error-Code": hub.code} if hub.code else {}, body)
            elif path.startswith("/api/models/org/net/tree/"):
                self._send(200, json.dumps(hub.tree()).encode(), {"Content-Type": "application/json"}, body)
            elif path.startswith("/api/models/org/net"):
                self._send(200, json.dumps(hub.info()).encode(), {"Content-Type": "application/json"}, body)
            elif path.startswith(f"/org/net/resolve/{COMMIT}/"):
                self._file(path.rpartition(f"{COMMIT}/")[2], body)
            else:
                self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)

        def _file(self, name: str, body: bool) -> None:
            if name not in hub.files:
                self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, body)
                return
            data = hub.files[name]
            if hub.elsewhere and name.endswith(".safetensors"):
                linked = {
                    "Location": f"{hub.elsewhere}/org/net/resolve/{COMMIT}/{name}?Signature=secret",
                    "X-Linked-ETag": f'"{sha256(data).hexdigest()}"',
                    "X-Linked-Size": str(len(data)),
                    "X-Repo-Commit": COMMIT,
                }
                self._send(302, b"", linked, body)
                return
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
            etag = sha256(data).hexdigest() if name.endswith(".safetensors") else sha1(data).hexdigest()
            headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
            part = data[start:]
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            if body and hub.stop_after is not None and name.endswith(".safetensors"):
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(part)))
                for key, value in headers.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(part[: hub.stop_after])
                hub.stop_after = None
                if hub.stays_down:
                    hub.status = 503
                self.close_connection = True
                return
            self._send(206 if start else 200, part, headers, body)

        def _send(self, status: int, data: bytes, headers: dict[str, str], body: bool) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            for key, value in headers.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    return Handler


@contextmanager
def served(hub: StandInHub) -> Iterator[str]:
    """Serves a hub on a free port of loopback.

    Args:
        hub: What it has.

    Yields:
        Its address, for ``HF_ENDPOINT``.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
