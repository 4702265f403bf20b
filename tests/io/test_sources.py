from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pil

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Kind
from leadline.io import sources
from leadline.io.depth_files import write_depth
from leadline.io.images import read_image
from leadline.io.sources import Photo, find_photos


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(*sources: Any, recursive: bool = False) -> dict[str, str]:
    return {
        Path(photo.source).name: photo.relative.as_posix()
        for photo in find_photos(sources, recursive=recursive)
    }


def test_a_folder_in_natural_order_without_hidden_and_foreign_files(tmp_path: Path) -> None:
    touch(
        tmp_path, "10.jpg", "9.jpg", "Ab.PNG", "aa.jpeg", ".hidden.jpg", "notes.txt", "sub/x.jpg", "x2y10.png"
    )
    touch(tmp_path, "x2y9.png", "01.tif")
    photos = find_photos([tmp_path])
    assert [Path(p.source).name for p in photos] == [
        *("01.tif", "9.jpg", "10.jpg", "aa.jpeg", "Ab.PNG", "x2y9.png", "x2y10.png"),
    ]
    assert photos[0] == Photo(str(tmp_path / "01.tif"), Path("01"))


def test_sub_folders_are_mirrored_and_hidden_ones_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "day2/b.jpg", "day10/c.jpg", "day2/.cache/d.jpg", "day2/deep/e.jpg")
    assert list(found(tmp_path, recursive=True).values()) == ["a", "day2/b", "day2/deep/e", "day10/c"]
    assert list(found(tmp_path).values()) == ["a"]


def test_several_folders_keep_apart(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.jpg", "two/a.jpg", "three/one/a.jpg")
    assert [p.relative.as_posix() for p in find_photos([tmp_path / "one", tmp_path / "two"])] == [
        "one/a",
        "two/a",
    ]
    same_name = find_photos([tmp_path / "one", tmp_path / "three" / "one"])
    assert [p.relative.as_posix() for p in same_name] == ["one/a", "one/a-2"]


def test_photos_with_one_stem_do_not_overwrite_each_other(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "a.png", "A.TIF", "b.jpg", "a.jpg.png")
    assert found(tmp_path) == {
        "a.jpg": "a.jpg",
        "a.png": "a.png",
        "A.TIF": "A.TIF",
        "b.jpg": "b",
        "a.jpg.png": "a.jpg-2",
    }
    touch(tmp_path, "p/c.jpg", "q/c.jpg", "q/c.png")
    assert [p.relative.as_posix() for p in find_photos([tmp_path / "p/c.jpg", tmp_path / "q/c.jpg"])] == [
        "c",
        "c-2",
    ]


@given(
    names=st.lists(st.sampled_from(["a", "A", "a.jpg", "a-2", "b"]), min_size=1, max_size=6), data=st.data()
)
def test_places_are_unique_without_regard_to_case(names: list[str], data: st.DataObject) -> None:
    suffixes = st.sampled_from([".jpg", ".png", ".JPG", ""])
    urls = [f"https://h{i}.example/{name}{data.draw(suffixes)}" for i, name in enumerate(names)]
    photos = find_photos(urls)
    assert [p.source for p in photos] == urls
    assert len({p.relative.as_posix().lower() for p in photos}) == len(urls)


def test_a_photo_named_twice_is_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.jpg", "b.jpg")
    monkeypatch.chdir(tmp_path)
    assert found("a.jpg", "./a.jpg", tmp_path, "*.jpg", "-", "-") == {
        "a.jpg": "a",
        "b.jpg": "b",
        "-": "stdin",
    }


def test_globs(tmp_path: Path) -> None:
    touch(tmp_path, "x/10.jpg", "x/9.jpg", "x/y/8.png", "x/n.txt", "lit[1].jpg")
    assert list(found(f"{tmp_path}/x/*").values()) == ["9", "10"]
    assert list(found(f"{tmp_path}/x/**/*.png").values()) == ["y/8"]
    assert list(found(f"{tmp_path}/lit[1].jpg").values()) == ["lit[1]"]
    with pytest.raises(InputError, match=r"'.*\*.gif' matches no photo \(.jpg, .jpeg"):
        find_photos([f"{tmp_path}/x/*.gif"])


def test_addresses_and_standard_input() -> None:
    urls = [
        "https://e.org/p/My%20Photo.jpg?w=3",
        "http://e.org/",
        "https://e.org/..%2F..%2Fetc%2Fpasswd",
        "-",
    ]
    assert [p.relative.as_posix() for p in find_photos(urls)] == ["My Photo", "photo", "passwd", "stdin"]
    assert [p.source for p in find_photos(urls)] == urls


def test_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "set/a.jpg", "set/rgb/b.jpg", "c.jpg")
    monkeypatch.chdir(tmp_path)
    text = "\ufeff# photos\n\na.jpg\n rgb/b.jpg \nset/rgb/b.jpg\nc.jpg\nmissing.jpg\nhttps://e.org/d.jpg\n"
    (tmp_path / "set" / "list.txt").write_text(text + f"{tmp_path}/c.jpg\n../c.jpg\n")
    photos = find_photos(["@set/list.txt"])
    assert [(p.source, p.relative.as_posix()) for p in photos] == [
        ("set/a.jpg", "a"),
        ("set/rgb/b.jpg", "rgb/b"),
        ("c.jpg", "c"),
        ("missing.jpg", "missing"),
        ("https://e.org/d.jpg", "d"),
    ]
    (tmp_path / "up.txt").write_text("set/../c.jpg\n")
    assert find_photos(["@up.txt"]) == [Photo("set/../c.jpg", Path("c"))]


def test_lists_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no '.*none.txt'"):
        find_photos([f"@{tmp_path}/none.txt"])
    (tmp_path / "empty.txt").write_text("# nothing\n\n")
    with pytest.raises(InputError, match="names no photo; give one photo a line"):
        find_photos([f"@{tmp_path}/empty.txt"])
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(InputError, match=r"cannot be read .*give a text file"):
        find_photos([f"@{tmp_path}/photo.jpg"])


def test_real_lists_name_more_files_than_are_there(shared_data: Path) -> None:
    folder = shared_data / "tum_style_lists"
    listed = next(folder.rglob("rgb.txt"))
    entries = [
        line.split()[-1] for line in listed.read_text().splitlines() if line and not line.startswith("#")
    ]
    made = [sources._entry(entry, listed.parent) for entry in entries]
    there = [Path(item.source).exists() for item in made]
    assert 10 < sum(there) < len(there)


def test_nothing_to_do_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no photo was named; name files"):
        find_photos([])
    with pytest.raises(
        InputError, match=r"folder '.*' holds no photo \(.jpg, .*\); name a folder with photos"
    ):
        find_photos([tmp_path])
    touch(tmp_path, "sub/a.jpg")
    with pytest.raises(InputError, match="its sub-folders do: add --recursive"):
        find_photos([tmp_path])
    with pytest.raises(InputError, match=r"there is no '.*subb'; did you mean '.*sub'"):
        find_photos([tmp_path / "subb"])


def test_one_of_several_that_gives_nothing_fails_by_itself(tmp_path: Path) -> None:
    touch(tmp_path, "good.jpg", "set/b.jpg")
    (tmp_path / "empty").mkdir()
    missing = [str(tmp_path / name) for name in ("nope.jpg", "empty", "*.gif")]
    named = [str(tmp_path / "good.jpg"), *missing, str(tmp_path / "set")]
    photos = find_photos(named)
    assert [p.source for p in photos] == [*named[:-1], str(tmp_path / "set" / "b.jpg")]
    assert [p.relative.as_posix() for p in photos] == ["good", "nope", "empty", "*", "set/b"]
    for photo in photos[1:4]:
        with pytest.raises(InputError, match=r"there is no '.*(nope.jpg|\*.gif)'|empty' is a folder"):
            read_image(photo.source)
    with pytest.raises(InputError, match=r"there is no '.*nope.jpg'"):
        find_photos(missing)


def test_an_unreadable_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    def denied(_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        find_photos([tmp_path])


def test_what_leadline_wrote_is_not_found_again_but_like_named_photos_are(tmp_path: Path) -> None:
    Pil.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    Pil.new("RGB", (4, 4)).save(tmp_path / "b_depth.png")
    for suffix in (".png", ".tiff"):
        write_depth(tmp_path / f"a_depth{suffix}", DepthMap(np.ones((4, 4)), Kind()))
    assert found(tmp_path) == {"a.jpg": "a", "b_depth.png": "b_depth"}
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere")
    assert "dangling.jpg" in found(tmp_path)


def test_outputs_lie_below_the_folder() -> None:
    photo = Photo("x/v1.2.jpg", Path("x/v1.2"))
    assert photo.output(Path("out"), suffix="_depth.png") == Path("out/x/v1.2_depth.png")
    assert find_photos(["https://e.org/v1.2"])[0].relative == Path("v1.2")
