"""Programs that are kept: read again, and removed where they are stale or broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.engines import store as store_module
from leadline.engines.openvino.engine import OpenVinoEngine
from leadline.engines.openvino.session import OpenVinoSession
from leadline.engines.store import Store
from leadline.plugins.ports import EngineOptions
from leadline.plugins.specs import ModelSpec
from leadline.testing.graphs import brightness_depth
from leadline.testing.scenes import noise_photo


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "openvino"


@pytest.fixture
def network(brightness: ModelSpec, tmp_path: Path) -> tuple[ModelSpec, Path]:
    """The closed-form network of PyTorch, whose file has no suffix that says it is a graph."""
    path = tmp_path / "weights.bin"
    path.write_bytes(Path(brightness.weights.source.removeprefix("file:")).read_bytes())
    return replace(brightness, name="a/b model"), path


def _run(network: tuple[ModelSpec, Path], **options: Any) -> OpenVinoSession:
    spec, path = network
    session = OpenVinoEngine().open(spec, weights=path, options=EngineOptions(**options))
    photo = noise_photo(12, 16, f_px=70.0)
    (answer,) = session.run([photo])
    np.testing.assert_allclose(answer.values, brightness_depth(photo), rtol=1e-5)
    return session


def _files(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.kept"))


def test_a_program_is_made_once(
    network: tuple[ModelSpec, Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _run(network).remarks == ()
    (kept,) = _files(cache)
    assert kept.parent.name == "a-b-model"
    monkeypatch.setattr(
        "leadline.engines.openvino.tracing.converted", lambda *_, **__: pytest.fail("it was made again")
    )
    assert _run(network).remarks == ()
    assert _files(cache) == [kept]


def test_other_weights_threads_and_precisions_have_programs_of_their_own(
    network: tuple[ModelSpec, Path], cache: Path
) -> None:
    _run(network, threads=1)
    _run(network, threads=2)
    assert len(_files(cache)) == 2
    spec, path = network
    path.write_bytes(
        path.read_bytes() + b"\x72\x00"
    )  # a model's empty doc string: another file, the same network
    _run((spec, path), threads=1)
    assert len(_files(cache)) == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-7],
        lambda content: content[: len(content) // 2] + b"\0" + content[len(content) // 2 + 1 :],
        lambda content: content + b"more",
        lambda content: b"hello",
        lambda content: b"[1]\n" + content,
        lambda content: b'{"sizes": ["a"]}\n',
        lambda content: b"",
    ],
)
def test_what_is_broken_is_removed_told_and_made_again(
    network: tuple[ModelSpec, Path], cache: Path, damage: Any
) -> None:
    _run(network)
    (kept,) = _files(cache)
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    (remark,) = _run(network).remarks
    assert "is broken: it is removed and made again" in remark
    assert json.loads(kept.read_bytes().split(b"\n")[0])["sizes"]
    assert _run(network).remarks == ()


def test_what_openvino_cannot_read_is_removed_told_and_made_again(
    network: tuple[ModelSpec, Path], cache: Path
) -> None:
    _run(network)
    (kept,) = _files(cache)
    head = json.loads(kept.read_bytes().split(b"\n")[0])
    kept.unlink()
    store = Store(network[0].name, engine="openvino", build=head["build"])
    store.put(head["what"], [b"no program"])
    assert _files(cache) == [kept]
    (remark,) = _run(network).remarks
    assert "cannot be read by this OpenVINO" in remark


def test_what_another_openvino_made_is_removed_and_told(
    network: tuple[ModelSpec, Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(network)
    before = _files(cache)
    monkeypatch.setattr("openvino.__version__", "1999.1")
    (remark,) = _run(network).remarks
    assert "1 kept network(s)" in remark
    assert "made by another build of openvino or for another processor" in remark
    assert len(_files(cache)) == 1
    assert _files(cache) != before


def test_a_disk_that_takes_no_more_is_a_remark_and_no_error(
    network: tuple[ModelSpec, Path], cache: Path, tmp_path: Path
) -> None:
    cache.parent.mkdir()
    cache.write_text("a file where the folder should be")
    (remark,) = _run(network).remarks
    assert "is not kept for the next time" in remark


def test_the_oldest_go_where_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setattr(store_module, "MOST_BYTES", 2500)
    store = Store("model", engine="openvino", build="b", home=tmp_path)
    for place, name in enumerate("abc"):
        store.put({"name": name}, [bytes(1000)])
        for file in tmp_path.rglob("*.kept"):
            if json.loads(file.read_bytes().split(b"\n")[0])["what"]["name"] == name:
                os.utime(file, (place, place))
    assert store.get({"name": "a"}) is None
    assert store.get({"name": "c"}) == [bytes(1000)]
    assert store.newest({"name": "c"}) == {"name": "c"}
    assert store.newest({"name": "a"}) is None


def test_few_programs_are_held_at_once(
    brightness: ModelSpec, cache: Path, network: tuple[ModelSpec, Path]
) -> None:
    from leadline.engines.openvino import programs

    session = _run(network)
    assert len(session._programs._held) == 1
    session._programs._held |= {(str(k), False): object() for k in range(programs.MOST_HELD)}
    session.run([noise_photo(5, 5)])
    assert len(session._programs._held) == programs.MOST_HELD
    session.close()
    assert not session._programs._held


def test_the_command_line_says_what_was_removed(
    command: Callable[..., Any], known: ModelSpec, cache: Path, tmp_path: Path
) -> None:
    PilImage.fromarray(np.full((8, 9, 3), 90, np.uint8)).save(tmp_path / "a.png")
    line = ("predict", tmp_path / "a.png", "-m", known.name, "--engine", "openvino", "-o", tmp_path / "out")
    first = command(*line)
    assert (first.status, first.err) == (0, "")
    (kept,) = _files(cache)
    kept.write_bytes(kept.read_bytes()[:-1])
    second = command(*line)
    assert second.status == 0
    assert f"leadline: the kept network {str(kept)!r} is broken: it is removed" in second.err
