from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from leadline.core.errors import InputError, OutputError
from leadline.io import atomic
from leadline.io.atomic import is_of_disk, output_error, write_whole


def break_off(target: Path, error: BaseException | type[BaseException]) -> None:
    with write_whole(target) as part:
        part.write_text("half")
        raise error


def test_a_new_file_appears_whole_with_its_folders_and_ordinary_permissions(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "c.txt"
    with write_whole(target) as part:
        part.write_text("new")
        assert part.parent == target.parent
        assert part.suffix == ".txt"
        assert part.name.startswith(".")
        assert not target.exists()
    assert target.read_text() == "new"
    assert [p.name for p in target.parent.iterdir()] == ["c.txt"]
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError("x"), InputError("x")])
def test_what_goes_wrong_inside_leaves_the_old_file_and_no_half_file(
    tmp_path: Path, error: BaseException | type[BaseException]
) -> None:
    target = tmp_path / "c.txt"
    target.write_text("old")
    expected = error if isinstance(error, type) else type(error)
    with pytest.raises(expected):
        break_off(target, error)
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["c.txt"]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match=r"'.*c.txt' cannot be written: the disk is full; free some space"):
        break_off(tmp_path / "c.txt", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert os.listdir(tmp_path) == []

    def full(_: object, __: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, "replace", full)
    with pytest.raises(OutputError, match="the disk is full"), write_whole(tmp_path / "c.txt") as part:
        part.write_text("whole")
    assert os.listdir(tmp_path) == []


def test_a_folder_of_that_name_and_a_file_in_the_way_are_told(tmp_path: Path) -> None:
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(OutputError, match="a folder has that name"), write_whole(tmp_path / "taken.png"):
        pass
    (tmp_path / "file").touch()
    inside = tmp_path / "file" / "x.png"
    with pytest.raises(OutputError, match="a part of its path is a file"), write_whole(inside):
        pass
    with pytest.raises(OutputError, match="its name is too long"), write_whole(tmp_path / ("n" * 300)):
        pass
    assert sorted(os.listdir(tmp_path)) == ["file", "taken.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    told = "permission is denied; choose a folder you may write to"
    with pytest.raises(OutputError, match=told), write_whole(tmp_path / "x.png"):
        pass


def test_permission_and_removed_folder_by_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(atomic.Path, "mkdir", denied)
        with pytest.raises(OutputError, match="permission is denied"), write_whole(tmp_path / "x.png"):
            pass
    with monkeypatch.context() as patch:
        # Even where the half file cannot be removed any more, the error that is told is the first one.
        patch.setattr(atomic.Path, "unlink", denied)
        with pytest.raises(OutputError, match="the disk is full"), write_whole(tmp_path / "x.png"):
            raise OSError(errno.ENOSPC, "")


def test_libraries_that_only_tell_in_words_are_understood() -> None:
    told = output_error(Path("a.exr"), OSError(f"Failed to write. {os.strerror(errno.ENOSPC)}."))
    assert "the disk is full" in str(told)
    other = output_error(Path("a.exr"), OSError("the moon is full"))
    assert "the moon is full; choose another folder" in str(other)


def test_disk_errors_are_told_from_network_errors() -> None:
    from urllib.error import URLError

    assert is_of_disk(OSError(errno.ENOSPC, "full"))
    assert not is_of_disk(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
    assert not is_of_disk(URLError(PermissionError(errno.EACCES, "blocked")))
