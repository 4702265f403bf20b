"""A stand-in for replicate.com on loopback: it speaks the API that the official client speaks, and misbehaves when told to."""

from __future__ import annotations

import base64
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pil

TOKEN = "r8_aTokenThatNobodyMaySee"
NEWEST, OLDER = "b" * 64, "a" * 64

SCHEMAS: dict[str, Any] = {
    "Input": {
        "type": "object",
        "properties": {
            "image": {"type": "string", "format": "uri", "description": "Input image"},
            "model_type": {"allOf": [{"$ref": "#/components/schemas/model_type"}], "default": "dpt_large"},
            "steps": {"type": "integer", "description": "How many steps.", "minimum": 1},
            "strength": {"type": "number"},
            "half": {"type": "boolean"},
            "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "points": {"type": "array", "items": {"type": "integer"}},
        },
    },
    "model_type": {"enum": ["dpt_large", "dpt_beit_large_512"], "type": "string"},
}


@dataclass
class StandIn:
    """What the server knows, what it was asked, and how it shall misbehave."""

    base: str = ""
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Schemas by version, newest last, of each model; a model without versions is run by its name."""
    predict: Callable[[NDArray[np.uint8], dict[str, Any]], Any] = lambda photo, inputs: None
    """The remote model: pixels and inputs in, its output as JSON out."""
    failure: Callable[[NDArray[np.uint8]], str] = lambda photo: ""
    """What the model says when it fails on a photo; empty where it does not."""
    on_the_way: list[str] = field(default_factory=lambda: ["starting", "processing"])
    ends: str = "succeeded"
    faults: list[tuple[str, str, Any]] = field(default_factory=list)
    """Method, part of a path, and what to do once instead: a status, ``"drop"``, ``"html"``."""
    retry_after: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    """The ``Authorization`` header of the last request to each path."""
    inputs: list[dict[str, Any]] = field(default_factory=list)
    photos: list[bytes] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    running: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def give(self, name: str, data: bytes) -> str:
        """Puts a file where outputs are fetched from, and tells its address."""
        self.files[name] = data
        return f"{self.base}/out/{name}"

    def picture(self, name: str, pixels: NDArray[Any], **saving: Any) -> str:
        stream = io.BytesIO()
        Pil.fromarray(pixels).save(stream, name.rpartition(".")[2].upper().replace("JPG", "JPEG"), **saving)
        return self.give(name, stream.getvalue())

    def fail(self, method: str, path: str, *instead: Any) -> None:
        self.faults += [(method, path, what) for what in instead]

    def count(self, method: str, path: str) -> int:
        return sum(m == method and path in p for m, p in self.asked)


def _handler(stand: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 2**16  # head and body in one packet, which is not held back until the head is acknowledged

        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def do_DELETE(self) -> None:
            self._serve("DELETE")

        def _serve(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            stand.asked.append((method, path))
            stand.tokens[path] = self.headers.get("Authorization", "")
            for fault in stand.faults:
                if fault[0] == method and fault[1] in path:
                    stand.faults.remove(fault)
                    self._misbehave(fault[2])
                    return
            if path.startswith("/out/"):
                self._file(path.removeprefix("/out/"))
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._json(401, _problem(401, "Unauthenticated", "You did not pass a valid token."))
            else:
                self._json(*self._answer(method, path, body))

        def _misbehave(self, what: Any) -> None:
            if what == "drop":
                self.close_connection = True
            elif what == "html":
                self._send(200, b"<html>a captive portal</html>", "text/html")
            else:
                extra = {"Retry-After": stand.retry_after} if stand.retry_after else {}
                self._json(what, _problem(what, "Told to", f"the stand-in was told to say {what}"), **extra)

        def _answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
            parts = path.strip("/").split("/")[1:]
            if parts[0] == "files":
                return self._upload(method, parts, body)
            if parts[0] == "predictions":
                return self._prediction(method, parts, body)
            if parts[0] == "models" and "/".join(parts[1:3]) in stand.models:
                return self._model(method, parts, body)
            return 404, _problem(404, "Not found", "The requested resource could not be found.")

        def _model(self, method: str, parts: list[str], body: bytes) -> tuple[int, Any]:
            name = "/".join(parts[1:3])
            versions = stand.models[name]
            if method == "POST" and parts[3:] == ["predictions"]:
                return 201, self._begun(json.loads(body)["input"], name, "hidden")
            if parts[3:4] == ["versions"]:
                found = parts[4] in versions
                return (
                    (200, _version(parts[4], versions[parts[4]])) if found else (404, _problem(404, "-", "-"))
                )
            newest = list(versions)[-1] if versions else None
            return 200, {
                "url": f"https://replicate.com/{name}",
                "owner": parts[1],
                "name": parts[2],
                "description": None,
                "visibility": "public",
                "github_url": None,
                "paper_url": None,
                "license_url": None,
                "run_count": 7,
                "cover_image_url": None,
                "default_example": None,
                "latest_version": None if newest is None else _version(newest, versions[newest]),
            }

        def _prediction(self, method: str, parts: list[str], body: bytes) -> tuple[int, Any]:
            if len(parts) == 1:
                asked = json.loads(body)
                name = next((n for n, known in stand.models.items() if asked["version"] in known), None)
                if name is None:
                    return 422, _problem(422, "Invalid version", "The specified version does not exist.")
                return 201, self._begun(asked["input"], name, asked["version"])
            state = stand.running.get(parts[1])
            if state is None:
                return 404, _problem(404, "Not found", "The requested resource could not be found.")
            if parts[2:] == ["cancel"]:
                stand.cancelled.append(parts[1])
                state["status"] = "canceled"
            elif state["to_come"]:
                state["status"] = state["to_come"].pop(0)
            elif state["status"] not in ("canceled",) and stand.ends != "never":
                self._end(state)
            return 200, {key: value for key, value in state.items() if key != "to_come"}

        def _begun(self, inputs: dict[str, Any], model: str, version: str) -> dict[str, Any]:
            state = {
                "id": f"p{len(stand.running)}",
                "model": model,
                "version": version,
                "status": "starting",
                "input": inputs,
                "output": None,
                "logs": "",
                "error": None,
                "metrics": None,
                "created_at": "2026-01-01T00:00:00.000Z",
                "started_at": None,
                "completed_at": None,
                "urls": {"get": "-", "cancel": "-"},
            }
            stand.inputs.append(inputs)
            stand.photos.append(_photo(stand, inputs))
            stand.running[state["id"]] = state | {"to_come": list(stand.on_the_way)}
            return state

        def _end(self, state: dict[str, Any]) -> None:
            state["status"] = stand.ends
            if stand.ends != "succeeded":
                return
            pixels = np.asarray(Pil.open(io.BytesIO(_photo(stand, state["input"]))).convert("RGB"))
            words = stand.failure(pixels)
            if words:
                state["status"], state["error"] = "failed", words
            else:
                state["output"] = stand.predict(pixels, state["input"])

        def _upload(self, method: str, parts: list[str], body: bytes) -> tuple[int, Any]:
            if method == "DELETE":
                del stand.uploads[parts[1]]
                return 204, None
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            (part,) = BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()
            name = f"f{len(stand.asked)}"
            stand.uploads[name] = part.get_payload(decode=True)
            return 201, {
                "id": name,
                "name": part.get_filename(),
                "content_type": part.get_content_type(),
                "size": len(stand.uploads[name]),
                "etag": "-",
                "checksums": {},
                "metadata": {},
                "created_at": "2026-01-01T00:00:00.000Z",
                "expires_at": None,
                "urls": {"get": f"{stand.base}/v1/files/{name}"},
            }

        def _file(self, name: str) -> None:
            if name in stand.files:
                self._send(200, stand.files[name], "application/octet-stream")
            else:
                self._send(404, b"gone", "text/plain")

        def _json(self, status: int, value: Any, **headers: str) -> None:
            self._send(
                status, b"" if value is None else json.dumps(value).encode(), "application/json", **headers
            )

        def _send(self, status: int, data: bytes, media_type: str, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler


def _problem(status: int, title: str, detail: str) -> dict[str, Any]:
    return {"title": title, "detail": detail, "status": status}


def _version(name: str, schemas: Any) -> dict[str, Any]:
    return {
        "id": name,
        "created_at": "2026-01-01T00:00:00.000Z",
        "cog_version": "0.9.0",
        "openapi_schema": {"components": {"schemas": schemas}},
    }


def _photo(stand: StandIn, inputs: dict[str, Any]) -> bytes:
    """The photo among the inputs, wherever it lies: in its own address, or uploaded."""
    for value in inputs.values():
        if str(value).startswith("data:image/"):
            return base64.b64decode(value.partition(",")[2])
        found = re.fullmatch(r".*/v1/files/(\w+)", str(value))
        if found:
            return stand.uploads[found[1]]
    return b""


def red_as_depth(stand: StandIn) -> Callable[[NDArray[np.uint8], dict[str, Any]], str]:
    """A remote model whose depth is the red channel: known in closed form."""
    return lambda photo, inputs: stand.picture("out.png", np.ascontiguousarray(photo[..., 0]))


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The stand-in with one model of two versions, and the environment of somebody who has an account there."""
    pytest.importorskip("replicate")
    stand = StandIn(models={"acme/depth": {OLDER: {}, NEWEST: SCHEMAS}})
    stand.predict = red_as_depth(stand)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stand))
    server.daemon_threads = True
    stand.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("REPLICATE_API_TOKEN", TOKEN)
    monkeypatch.setenv("REPLICATE_BASE_URL", stand.base)
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "0.005")
    monkeypatch.setattr("leadline.engines.replicate.patience.FIRST_WAIT_S", 0.002)
    monkeypatch.setattr("leadline.engines.replicate.outputs.FIRST_WAIT_S", 0.002)
    yield stand
    server.shutdown()
    thread.join()
    server.server_close()
