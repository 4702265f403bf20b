from __future__ import annotations

import hashlib
import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadline.core.errors import InputError, UnknownName, WeightsError
from leadline.io import weights as module
from leadline.io.weights import cache_folder, cached, clear, locate, pull, sha256_of
from leadline.plugins.specs import Weights

DATA = b"onnx" * 5000
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with weights, and a function that makes some."""
    folder = tmp_path / "site" / "deepnets"
    (folder / "weights").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "weights" / "net.onnx").write_bytes(DATA)
    (folder / "make.py").write_text(
        textwrap.dedent("""
            from pathlib import Path

            def build(folder):
                log = Path(__file__).with_name("calls.txt")
                log.write_text(log.read_text() + "x" if log.exists() else "x")
                path = folder / "net.onnx"
                path.write_bytes(b"made")
                return path

            def nothing(folder):
                return folder / "none.onnx"

            def broken(folder):
                raise RuntimeError("no luck")
        """)
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "deepnets"]:
        del sys.modules[name]


def test_the_cache_is_where_the_variable_says_or_where_the_system_has_it(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cache_folder() == cache
    monkeypatch.delenv("LEADLINE_CACHE")
    import platformdirs

    assert cache_folder() == Path(platformdirs.user_cache_dir("leadline", appauthor=False)) / "weights"


def test_weights_in_a_package(package: Path) -> None:
    for source in ("package:deepnets.weights/net.onnx", "package:deepnets/weights/net.onnx"):
        assert locate(Weights(source, SHA, len(DATA)), name="net").samefile(package / "weights" / "net.onnx")
    with pytest.raises(WeightsError, match=r"'net' are not at '.*none.onnx'; install the package again"):
        locate(Weights("package:deepnets/none.onnx", SHA), name="net")
    with pytest.raises(WeightsError, match="are in package 'not_there', which is not installed"):
        locate(Weights("package:not_there/net.onnx", SHA), name="net")
    with pytest.raises(
        WeightsError, match=rf"have SHA-256 {SHA[:16]}…, not {'0' * 16}…; the file is damaged"
    ):
        locate(Weights("package:deepnets/weights/net.onnx", "0" * 64), name="net")


def test_damage_in_a_package_is_noticed_though_an_earlier_check_went_well(package: Path) -> None:
    told = Weights("package:deepnets/weights/net.onnx", SHA, len(DATA))
    path = locate(told, name="net")
    path.write_bytes(DATA[:-1] + b"X")
    os.utime(path, ns=(1, 1))
    with pytest.raises(WeightsError, match="the file is damaged"):
        locate(told, name="net")


def test_the_hash_is_worked_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(DATA)
    assert sha256_of(path) == SHA
    calls: list[Any] = []
    monkeypatch.setattr(module.hashlib, "file_digest", lambda *a: calls.append(a))
    assert sha256_of(path) == SHA
    assert calls == []


def test_weights_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(DATA)
    for source in (f"file:{path}", f"file://{path}"):
        assert locate(Weights(source), name="net") == path
        assert pull(Weights(source, SHA), name="net") == path
    monkeypatch.setenv("HOME", str(tmp_path))
    assert locate(Weights("file:~/net.onnx"), name="net") == path
    with pytest.raises(WeightsError, match=r"are not at .*; check the path"):
        locate(Weights("file:/nowhere/net.onnx"), name="net")
    with pytest.raises(WeightsError, match="have SHA-256"):
        locate(Weights(f"file:{path}", "1" * 64), name="net")


def test_weights_that_travel_come_once_and_stay(site: Any, cache: Path) -> None:
    site.files["net.onnx"] = DATA
    told = Weights(site.url("net.onnx?download=true"), SHA, len(DATA))
    path = locate(told, name="net", progress="none")
    assert path == cache / "net" / f"{SHA[:16]}.onnx"
    assert path.read_bytes() == DATA
    assert locate(told, name="net") == pull(told, name="net") == path
    assert len(site.asked) == 1
    path.write_bytes(b"short")
    assert pull(told, name="net", progress="none").read_bytes() == DATA
    site.files["net.onnx"] = b"other"
    newer = Weights(site.url("net.onnx"), hashlib.sha256(b"other").hexdigest(), 5)
    assert pull(newer, name="net", progress="none") != path


def test_what_lies_in_the_cache_is_listed_and_cleared(site: Any, cache: Path) -> None:
    assert cached() == []
    assert clear() == []
    site.files["net.onnx"] = DATA
    for name in ("a-small", "b-large"):
        pull(Weights(site.url("net.onnx"), SHA, len(DATA)), name=name, progress="none")
    (cache / "b-large" / "0123456789abcdef.onnx.part").write_bytes(b"half")
    assert [(e.name, e.size_bytes, e.complete) for e in cached()] == [
        *(("a-small", len(DATA), True), ("b-large", 4, False), ("b-large", len(DATA), True))
    ]
    with pytest.raises(UnknownName, match="no cached model is called 'b-larg'; did you mean 'b-large'"):
        clear("b-larg")
    assert [e.name for e in clear("a-small")] == ["a-small"]
    assert {e.name for e in cached()} == {"b-large"}
    assert len(clear()) == 2
    assert cached() == []
    assert list(cache.iterdir()) == []


def test_what_leadline_did_not_put_into_the_cache_is_neither_listed_nor_removed(
    site: Any, package: Path, cache: Path
) -> None:
    foreign = [
        "README",
        "mine/file.txt",
        "net/notes.txt",
        f"net/{SHA[:16]}/deep.txt",
        "net-tiny/built-x/a.onnx",
    ]
    for name in foreign:
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_text("keep me")
    left = cache / "net-tiny" / ".building-killed" / "net.onnx"
    left.parent.mkdir()
    left.write_bytes(b"half")
    site.files["net"] = DATA
    pulled = pull(Weights(site.url("net"), SHA, len(DATA)), name="other", progress="none")
    built = locate(Weights("code:deepnets.make:build"), name="net-tiny")
    assert [(e.name, e.path, e.complete) for e in cached()] == [
        *(("net-tiny", left, False), ("net-tiny", built, True), ("other", pulled, True))
    ]
    with pytest.raises(UnknownName, match="no cached model is called 'mine'"):
        clear("mine")
    assert len(clear()) == 3
    assert sorted(p.relative_to(cache).as_posix() for p in cache.rglob("*") if p.is_file()) == sorted(foreign)
    assert not built.parent.exists()
    assert not left.parent.exists()
    assert not pulled.parent.exists()


def test_weights_that_a_function_makes_are_made_once_for_each_state_of_its_source(
    package: Path, cache: Path
) -> None:
    told = Weights("code:deepnets.make:build")
    path = locate(told, name="net-tiny")
    assert path.read_bytes() == b"made"
    assert path.is_relative_to(cache / "net-tiny")
    assert locate(told, name="net-tiny") == path
    assert (package / "calls.txt").read_text() == "x"
    other = locate(Weights("code:deepnets.make:build", revision="2"), name="net-tiny")
    assert other != path
    with open(package / "make.py", "a") as stream:
        stream.write("# changed\n")
    assert locate(told, name="net-tiny") not in (path, other)
    assert [p.name for p in cache.rglob(".building*")] == []
    assert {entry.name for entry in cached()} == {"net-tiny"}


def test_a_function_that_makes_nothing_or_fails_leaves_nothing(package: Path, cache: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"'deepnets.make:nothing' made nothing for 'net-tiny'; return the path"
    ):
        locate(Weights("code:deepnets.make:nothing"), name="net-tiny")
    with pytest.raises(RuntimeError, match="no luck"):
        locate(Weights("code:deepnets.make:broken"), name="net-tiny")
    with pytest.raises(InputError, match="names nothing"):
        locate(Weights("code:deepnets.make:absent"), name="net-tiny")
    assert cached() == []


def test_two_that_build_at_once_end_with_one(
    package: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process finishes the same weights while this one is still building."""
    real = module.load

    def slow(target: str) -> Any:
        build = real(target)

        def meanwhile(folder: Path) -> Path:
            monkeypatch.setattr(module, "load", real)
            locate(Weights("code:deepnets.make:build"), name="net-tiny")
            made: Path = build(folder)
            return made

        return meanwhile

    monkeypatch.setattr(module, "load", slow)
    assert locate(Weights("code:deepnets.make:build"), name="net-tiny").read_bytes() == b"made"
    assert len(cached()) == 1
    assert (package / "calls.txt").read_text() == "xx"
