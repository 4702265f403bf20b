"""Bad input on the command line: a clear error, the right exit status, and nothing lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leadline.io.depth_files import read_depth
from leadline.plugins.specs import ModelSpec

pytestmark = pytest.mark.usefixtures("known")

Command = Callable[..., Any]
MODEL = ("-m", "brightness-test", "--focal", "500")


@pytest.fixture
def predict(command: Command, tmp_path: Path, known: ModelSpec) -> Command:
    """Runs ``leadline predict`` into a folder of the test; checks that an error is one line and no traceback."""

    def run(*arguments: str | Path) -> Any:
        ended = command("predict", *arguments, "-o", tmp_path / "out", *MODEL)
        assert "Traceback" not in ended.err
        if ended.status not in (0, 2):
            assert all(line.startswith("leadline: ") for line in ended.err.splitlines())
        assert not list(tmp_path.rglob(".leadline-*"))
        return ended

    return run


def _red(out: Path, stem: str) -> Any:
    """The red channel as the closed-form model saw it."""
    depth, _record = read_depth(out / f"{stem}_depth.png")
    return np.round((depth.values - 1) * 255)


def test_no_such_path(predict: Command, folder: Path) -> None:
    ended = predict(folder / "god.jpg")
    assert ended.status == 3
    assert f"there is no {str(folder / 'god.jpg')!r}; did you mean" in ended.err
    assert "good.jpg" in ended.err


def test_an_empty_folder(predict: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = predict(tmp_path / "empty")
    assert ended.status == 3
    assert "holds no photo (.jpg" in ended.err
    assert not (tmp_path / "out").exists()


def test_a_folder_whose_sub_folders_hold_photos(predict: Command, folder: Path) -> None:
    ended = predict(folder.parent)
    assert ended.status == 3
    assert "add --recursive" in ended.err
    assert predict(folder.parent, "-r").status == 0


def test_a_glob_without_matches(predict: Command, folder: Path) -> None:
    ended = predict(folder / "*.webp")
    assert ended.status == 3
    assert "matches no photo" in ended.err


def test_a_list_with_a_photo_that_is_not_there(predict: Command, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"# photos\n{folder / 'good.jpg'}\n{folder / 'gone.jpg'}\n")
    ended = predict(f"@{tmp_path / 'list.txt'}")
    assert ended.status == 1
    assert "gone.jpg" in ended.err
    assert (tmp_path / "out" / "good_depth.png").is_file()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path, good: path.write_bytes(b""), "is empty (0 bytes)"),
        (lambda path, good: path.write_bytes(good[: len(good) // 2]), "damaged or cut short"),
        (lambda path, good: path.write_bytes(good[:10]), "damaged or cut short"),
        (lambda path, good: path.write_text("To whom it may concern"), "looks like"),
    ],
    ids=["zero-byte", "half", "ten-bytes", "text"],
)
def test_a_file_that_is_no_photo_alone_and_among_others(
    predict: Command, folder: Path, tmp_path: Path, make: Callable[[Path, bytes], None], words: str
) -> None:
    make(folder / "bad.jpg", (folder / "good.jpg").read_bytes())
    alone = predict(folder / "bad.jpg")
    assert alone.status == 3
    assert "bad.jpg" in alone.err
    assert words in alone.err
    among = predict(folder)
    assert among.status == 1
    assert words in among.err
    assert "1 photo done" in among.out
    assert "1 failed" in among.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["good_colour.png", "good_depth.png"]


def test_a_decompression_bomb(predict: Command, bomb: Path) -> None:
    ended = predict(bomb)
    assert ended.status == 3
    assert "10,000,000,000 pixels" in ended.err
    assert "the limit is 256,000,000" in ended.err
    assert "--max-pixels" in ended.err


def test_the_limit_can_be_set(predict: Command, folder: Path) -> None:
    assert "the limit is 3,071" in predict(folder / "good.jpg", "--max-pixels", "3071").err
    assert predict(folder / "good.jpg", "--max-pixels", "3072").status == 0


@pytest.mark.parametrize(
    ("name", "convert", "error"),
    [
        ("cmyk.jpg", lambda picture: picture.convert("CMYK"), 12),
        ("sixteen.png", lambda picture: _sixteen(picture), 1),
        ("one.png", lambda picture: picture.convert("1"), 0),
        ("palette.png", lambda picture: picture.quantize(256), 40),
        ("grey.png", lambda picture: picture.convert("L"), 0),
    ],
)
def test_pictures_of_other_modes_are_read_as_they_look(
    predict: Command,
    tmp_path: Path,
    gradient: Image.Image,
    name: str,
    convert: Callable[..., Any],
    error: int,
) -> None:
    picture = convert(gradient)
    picture.save(tmp_path / name, **({"quality": 95} if name.endswith("jpg") else {}))
    assert predict(tmp_path / name).status == 0
    if name == "sixteen.png":
        truth = np.asarray(gradient.convert("L"))
    else:
        truth = np.asarray(picture.convert("RGB"))[..., 0]
    assert np.abs(_red(tmp_path / "out", Path(name).stem) - truth).max() <= error + 1


def _sixteen(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)


def test_an_animated_gif_gives_its_first_frame(predict: Command, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 6), (shade, shade, shade)) for shade in (60, 120, 180)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:], duration=50)
    assert predict(tmp_path / "moving.gif").status == 0
    assert (_red(tmp_path / "out", "moving") == 60).all()


def test_names_that_are_unknown_get_near_matches(command: Command, folder: Path, tmp_path: Path) -> None:
    for arguments, near in (
        (
            ("-m", "leadline-indoor-smal"),
            "no model is called 'leadline-indoor-smal'; did you mean 'leadline-indoor-small'",
        ),
        (("-f", "pgn16"), "no format is called 'pgn16'; did you mean 'png16'"),
        (("--engine", "onnx"), "no engine is called 'onnx'; did you mean 'onnxruntime'"),
        (("--colormap", "virdis"), "no colour map is called 'virdis'; did you mean 'viridis'"),
        (("--range", "roboust"), "did you mean 'robust'"),
    ):
        ended = command("predict", folder, "-o", tmp_path / "out", *arguments)
        assert ended.status == 5
        assert near in ended.err
        assert not (tmp_path / "out").exists()


def test_a_device_that_is_not_there(predict: Command, folder: Path) -> None:
    ended = predict(folder, "--device", "tpu")
    assert ended.status == 8
    assert "no device 'tpu' here; it has" in ended.err


def test_two_lenses(predict: Command, folder: Path) -> None:
    ended = predict(folder, "--fov", "60")
    assert ended.status == 3
    assert "give one of --fov and --focal" in ended.err


def test_an_output_folder_that_cannot_be_made(command: Command, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        ended = command("predict", folder, "-o", out, *MODEL)
        assert ended.status == 10
        assert "cannot be written" in ended.err
        assert "Traceback" not in ended.err
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc here")
def test_an_output_folder_in_a_place_of_the_system(command: Command, folder: Path) -> None:
    ended = command("predict", folder, "-o", "/proc/leadline", *MODEL)
    assert ended.status == 10
    assert ended.err.startswith("leadline: '/proc/leadline/")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_folder_without_permission(command: Command, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o555)
    ended = command("predict", folder, "-o", tmp_path / "mine", *MODEL)
    assert ended.status == 10
    assert "permission is denied" in ended.err
