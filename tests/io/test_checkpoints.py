"""Checkpoints of the Hugging Face hub, from a stand-in that speaks its API on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from leadline.core.errors import OutputError, WeightsError
from leadline.io import checkpoints
from leadline.io.checkpoints import resolved_revision
from leadline.io.weights import cached, clear, fetch_config, fingerprint, locate, pull
from leadline.plugins.specs import Weights

pytest.importorskip("huggingface_hub")

COMMIT = "c" * 40
TENSORS = b"tensors " * 40_000
FILES = {
    "config.json": b'{"model_type": "dpt"}',
    "preprocessor_config.json": b"{}",
    "model.safetensors": TENSORS,
}


@dataclass
class Hub:
    """What the stand-in has, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    status: int = 200
    code: str = ""
    lie: str = ""
    stop_after: int | None = None
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def info(self) -> dict[str, Any]:
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


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            path = self.path.partition("?")[0]
            hub.asked.append(f"{self.command} {path}")
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


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    made = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    yield made
    server.shutdown()
    server.server_close()


NET = Weights("hf:org/net")


def test_a_checkpoint_is_fetched_once(hub: Hub) -> None:
    path = pull(NET, name="net-small", progress="none")
    assert {file.name: file.read_bytes() for file in path.iterdir() if not file.name.startswith(".")} == FILES
    assert resolved_revision(path) == COMMIT
    asked = len(hub.asked)
    assert locate(NET, name="another-name", progress="none") == path
    assert len(hub.asked) == asked
    assert len(fingerprint(path)) == 64
    assert {entry.name for entry in cached()} == {"hf:org/net"}
    assert all(entry.complete for entry in cached())
    assert len(clear("hf:org/net")) >= 3
    assert cached() == []


def test_the_configuration_comes_alone(hub: Hub) -> None:
    assert fetch_config(NET, name="net").read_bytes() == FILES["config.json"]
    assert not any("safetensors" in asked for asked in hub.asked)
    path = pull(NET, name="net", progress="none")
    asked = len(hub.asked)
    assert fetch_config(NET, name="net") == path / "config.json"
    assert len(hub.asked) == asked


def test_checkpoints_of_diffusers_come_without_second_copies(hub: Hub) -> None:
    hub.files = {
        "README.md": b"#",
        "model_index.json": b"{}",
        "tokenizer/merges.txt": b"#version: 0.2",
        "unet/diffusion_pytorch_model.safetensors": TENSORS,
        "unet/diffusion_pytorch_model.fp16.safetensors": TENSORS,
        "unet/diffusion_pytorch_model.bin": TENSORS,
    }
    assert fetch_config(NET, name="net").name == "model_index.json"
    path = pull(NET, name="net", progress="none")
    found = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    assert {file for file in found if not file.startswith(".")} == {
        "model_index.json",
        "tokenizer/merges.txt",
        "unet/diffusion_pytorch_model.safetensors",
    }
    assert fetch_config(NET, name="net") == path / "model_index.json"


def test_pickled_weights_are_not_fetched(hub: Hub) -> None:
    hub.files["pytorch_model.bin"] = hub.files.pop("model.safetensors")
    with pytest.raises(
        WeightsError, match=r"holds no \.safetensors file, and pickled weights are not opened"
    ):
        pull(NET, name="net", progress="none")
    assert not any("pytorch_model" in asked for asked in hub.asked)


def test_a_download_that_breaks_off_goes_on(hub: Hub) -> None:
    hub.stop_after = 100_000
    path = pull(NET, name="net", progress="none")
    assert (path / "model.safetensors").read_bytes() == TENSORS


def test_a_wrong_hash_is_noticed_and_the_file_removed(hub: Hub) -> None:
    hub.lie = "0" * 64
    with pytest.raises((WeightsError, OutputError)):
        pull(NET, name="net", progress="none")
    hub.lie = ""
    with pytest.raises(WeightsError, match="is not what its SHA-256 says"):
        pull(Weights("hf:org/net", sha256="1" * 64), name="net", progress="none")
    assert not any(entry.complete for entry in cached())


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, "RepoNotFound", "has no 'org/net' that can be read without a token"),
        (404, "RevisionNotFound", "has no revision 'v9'"),
        (403, "GatedRepo", "is gated: its terms must be accepted first; accept them at https://huggingface.co/org/net"),
        (401, "", "the hub wants a token for 'org/net'"),
        (500, "", "the hub answered 500"),
    ],
)  # fmt: skip
def test_what_the_hub_refuses_is_told(hub: Hub, status: int, code: str, message: str) -> None:
    hub.status, hub.code = status, code
    with pytest.raises(WeightsError, match=message):
        pull(Weights("hf:org/net", revision="v9"), name="net", progress="none")


def test_without_a_network_the_way_is_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    how = r"hf download org/net --local-dir FOLDER, then --model FOLDER"
    with pytest.raises(WeightsError, match=how):
        pull(NET, name="net", progress="none")


def test_without_room_nothing_is_begun(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr(checkpoints.shutil, "disk_usage", lambda path: Usage)
    with pytest.raises(OutputError, match=r"'net' needs 0 MB, and '.*' has 0 MB free; free some space"):
        pull(NET, name="net", progress="none")
    assert not any("resolve" in asked for asked in hub.asked)


def test_a_token_is_sent_and_never_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.status, hub.code = 403, "GatedRepo"
    with pytest.raises(WeightsError) as caught:
        pull(NET, name="net", progress="none")
    assert "Bearer hf_secret" in hub.tokens
    assert "secret" not in str(caught.value)
