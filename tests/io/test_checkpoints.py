"""Checkpoints of the Hugging Face hub, from a stand-in that speaks its API on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadline.core.errors import OutputError, WeightsError
from leadline.io import checkpoints
from leadline.io.checkpoints import resolved_revision
from leadline.io.weights import cached, clear, fetch_config, fingerprint, locate, pull
from leadline.plugins.specs import Weights
from leadline.testing.hub import COMMIT, StandInHub, served

pytest.importorskip("huggingface_hub")

TENSORS = b"tensors " * 40_000
FILES = {
    "config.json": b'{"model_type": "dpt"}',
    "preprocessor_config.json": b"{}",
    "model.safetensors": TENSORS,
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StandInHub]:
    made = StandInHub(dict(FILES))
    with served(made) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        yield made


NET = Weights("hf:org/net")


def test_a_checkpoint_is_fetched_once(hub: StandInHub) -> None:
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


def test_the_configuration_comes_alone(hub: StandInHub) -> None:
    assert fetch_config(NET, name="net").read_bytes() == FILES["config.json"]
    assert not any("safetensors" in asked for asked in hub.asked)
    path = pull(NET, name="net", progress="none")
    asked = len(hub.asked)
    assert fetch_config(NET, name="net") == path / "config.json"
    assert len(hub.asked) == asked


def test_checkpoints_of_diffusers_come_without_second_copies(hub: StandInHub) -> None:
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


def test_pickled_weights_are_not_fetched(hub: StandInHub) -> None:
    hub.files["pytorch_model.bin"] = hub.files.pop("model.safetensors")
    with pytest.raises(
        WeightsError, match=r"holds no \.safetensors file, and pickled weights are not opened"
    ):
        pull(NET, name="net", progress="none")
    assert not any("pytorch_model" in asked for asked in hub.asked)


def test_a_download_that_breaks_off_goes_on(hub: StandInHub) -> None:
    hub.stop_after = 100_000
    path = pull(NET, name="net", progress="none")
    assert (path / "model.safetensors").read_bytes() == TENSORS


def test_a_download_that_was_given_up_goes_on_the_next_time(hub: StandInHub) -> None:
    hub.stop_after, hub.stays_down = 100_000, True
    with pytest.raises(
        WeightsError, match=r"weights of 'net' cannot be fetched from .*: the server answers 503"
    ):
        pull(NET, name="net", progress="none")
    (part,) = [entry for entry in cached() if entry.size_bytes == 100_000]
    assert (part.path.name, part.complete) == ("model.safetensors.part", False)
    hub.status = 200
    hub.ranges.clear()
    path = pull(NET, name="net", progress="none")
    assert hub.ranges == ["bytes=100000-"]
    assert (path / "model.safetensors").read_bytes() == TENSORS


def test_a_wrong_hash_is_noticed_and_the_file_removed(hub: StandInHub) -> None:
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
def test_what_the_hub_refuses_is_told(hub: StandInHub, status: int, code: str, message: str) -> None:
    hub.status, hub.code = status, code
    with pytest.raises(WeightsError, match=message):
        pull(Weights("hf:org/net", revision="v9"), name="net", progress="none")


def test_without_a_network_the_way_is_told(hub: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    how = r"hf download org/net --local-dir FOLDER, then --model FOLDER"
    with pytest.raises(WeightsError, match=how):
        pull(NET, name="net", progress="none")


def test_without_room_nothing_is_begun(hub: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr(checkpoints.shutil, "disk_usage", lambda path: Usage)
    with pytest.raises(OutputError, match=r"'net' needs 0 MB, and '.*' has 0 MB free; free some space"):
        pull(NET, name="net", progress="none")
    assert not any("resolve" in asked for asked in hub.asked)


def test_a_token_is_sent_and_never_told(hub: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.status, hub.code = 403, "GatedRepo"
    with pytest.raises(WeightsError) as caught:
        pull(NET, name="net", progress="none")
    assert "Bearer hf_secret" in hub.tokens
    assert "secret" not in str(caught.value)


def test_large_files_come_from_elsewhere_and_the_token_does_not_go_there(
    hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    store = StandInHub(dict(FILES))
    with served(store) as hub.elsewhere:
        path = pull(NET, name="net", progress="none")
        assert (path / "model.safetensors").read_bytes() == TENSORS
        assert store.tokens == [""]
        assert "Bearer hf_secret" in hub.tokens
        clear()
        store.status = 500
        with pytest.raises(WeightsError, match="the server answers 500") as caught:
            pull(NET, name="net", progress="none")
        assert "Signature" not in str(caught.value), "an address that is signed is told"


def test_a_mirror_that_keeps_large_files_itself_gets_the_token(
    hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    pull(NET, name="net", progress="none")
    large = [
        token for asked, token in zip(hub.asked, hub.tokens, strict=True) if asked.endswith("safetensors")
    ]
    assert set(large) == {"Bearer hf_secret"}
