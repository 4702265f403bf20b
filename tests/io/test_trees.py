"""Folders, ZIPs and tars, read alike."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from leadline.core.errors import DatasetError
from leadline.io.trees import Tree, open_tree

FILES = {
    "a/one.txt": b"first",
    "a/two.png": b"second" * 1000,
    "b/c/three.png": b"third",
    "top.txt": b"\xef\xbb\xbfcaf\xc3\xa9",
}


def folder_at(path: Path) -> Path:
    for name, data in {**FILES, ".hidden/x": b"", "a/.DS_Store": b"", "__MACOSX/a": b""}.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def zip_at(path: Path) -> Path:
    with zipfile.ZipFile(path / "set.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/", b"")
        for name, data in {**FILES, "__MACOSX/a/._one.txt": b""}.items():
            file.writestr(name, data)
    return path / "set.zip"


def tar_at(path: Path, *, ending: str = ".tar") -> Path:
    target = path / f"set{ending}"
    with tarfile.open(target, "w:gz" if ending.endswith("gz") else "w") as file:
        for name, data in FILES.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return target


@pytest.fixture(params=["folder", "zip", "tar", "tgz"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    make = {
        "folder": folder_at,
        "zip": zip_at,
        "tar": tar_at,
        "tgz": lambda path: tar_at(path, ending=".tar.gz"),
    }[request.param]
    return open_tree(make(tmp_path))


def test_names_are_sorted_and_nothing_hidden_is_seen(tree: Tree) -> None:
    assert tree.names == tuple(sorted(FILES))
    assert "a/one.txt" in tree
    assert "a/.DS_Store" not in tree


def test_files_read_as_they_are(tree: Tree) -> None:
    assert {name: tree.read(name) for name in tree.names} == FILES
    assert tree.text("top.txt") == "café"


def test_patterns_stay_within_a_folder_unless_told(tree: Tree) -> None:
    assert tree.match("*.png") == ()
    assert tree.match("*/*.png") == ("a/two.png",)
    assert tree.match("**/*.png") == ("a/two.png", "b/c/three.png")
    assert tree.match("?/t[vw]o.png") == ("a/two.png",)
    assert tree.match("a/[!t]*") == ("a/one.txt",)
    assert tree.match("**/top.txt") == ("top.txt",)
    assert tree.first("none", "**/*.png") == "a/two.png"
    assert tree.first("none") == ""


def test_a_folder_of_it_is_a_tree(tree: Tree) -> None:
    below = tree.below("b")
    assert below.names == ("c/three.png",)
    assert below.read("c/three.png") == b"third"
    assert below.below("c").read("three.png") == b"third"


def test_a_library_gets_a_path(tree: Tree) -> None:
    path = tree.local("b/c/three.png")
    assert path.read_bytes() == b"third"
    assert path.name.endswith("three.png")
    assert tree.local("b/c/three.png") == path


def test_it_travels_to_other_processes(tree: Tree) -> None:
    tree.local("a/one.txt")
    other = pickle.loads(pickle.dumps(tree))
    assert other.names == tree.names
    assert other.read("a/one.txt") == b"first"


def test_many_threads_read_at_once(tree: Tree) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: tree.read("a/two.png"), range(64))) == {FILES["a/two.png"]}


def test_what_is_not_there_is_named(tree: Tree) -> None:
    with pytest.raises(DatasetError, match=r"nothing\.png.* is not there; copy or unpack"):
        tree.read("nothing.png")


def test_a_plain_file_is_the_focus_of_its_folder(tmp_path: Path) -> None:
    folder_at(tmp_path)
    tree = open_tree(tmp_path / "top.txt")
    assert tree.focus == "top.txt"
    assert tree.path == tmp_path
    assert "a/one.txt" in tree


def test_nothing_at_the_place(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is nothing at"):
        open_tree(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="there is nothing at"):
        Tree(tmp_path / "nowhere.zip")


@pytest.mark.parametrize("make", [zip_at, tar_at, lambda path: tar_at(path, ending=".tar.gz")])
def test_an_archive_that_is_cut_short_says_so(make: object, tmp_path: Path) -> None:
    archive = make(tmp_path)  # type: ignore[operator]
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size * 2 // 5])
    with pytest.raises(
        DatasetError, match=r"set\.(zip|tar|tar\.gz)' is no archive .*cut short.*fetch it again"
    ):
        open_tree(archive).read("a/two.png")


def test_damage_inside_an_archive_is_named(tmp_path: Path) -> None:
    archive = zip_at(tmp_path)
    data = bytearray(archive.read_bytes())
    at = data.index(b"b/c/three.png") + len("b/c/three.png")
    data[at] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(DatasetError, match=r"three\.png' is damaged or cut short"):
        open_tree(archive).read("b/c/three.png")


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_at(tmp_path)
    tree = open_tree(tmp_path)
    look = os.fstat

    def grow(number: int) -> os.stat_result:
        seen = look(number)
        if (tmp_path / "a/one.txt").stat().st_ino == seen.st_ino:
            with open(tmp_path / "a/one.txt", "ab") as file:
                file.write(b"more")
        return seen

    monkeypatch.setattr("leadline.io.trees.os.fstat", grow)
    with pytest.raises(DatasetError, match=r"one\.txt' changed while it was read; wait until"):
        tree.read("a/one.txt")


def test_stamps_tell_whether_a_file_is_the_same(tmp_path: Path) -> None:
    tree = open_tree(folder_at(tmp_path))
    before = tree.stamp("a/one.txt")
    assert before[0] == 5
    (tmp_path / "a/one.txt").write_bytes(b"longer than before")
    assert tree.stamp("a/one.txt") != before
    with pytest.raises(DatasetError, match="is not there"):
        tree.stamp("none")


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(DatasetError, match=r"a' cannot be read"):
        open_tree(tmp_path).read("a")
