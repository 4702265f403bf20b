"""Lists of pairs in every form, checked row by row."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadline.core.errors import DatasetError
from leadline.flows.data.opening import open_dataset
from leadline.testing.layouts import folder as plain
from leadline.testing.layouts import manifest as layout
from leadline.testing.layouts.pairs import pairs

ROWS = [
    {
        "photo": f"rgb/room_{k}_color.png", "depth": f"depth/room_{k}_depth.png", "scene": "room", "split": "train",
        "encoding": "mm", "fx": 52.0, "fy": 53.0, "cx": 31.0, "cy": 22.0,
    }
    for k in range(3)
]  # fmt: skip


def write(folder: Path, form: str) -> Path:
    plain.write(folder)
    path = folder / f"pairs.{form}"
    if form in ("csv", "tsv"):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, list(ROWS[0]), delimiter="," if form == "csv" else "\t")
            writer.writeheader()
            writer.writerows(ROWS)
    elif form == "jsonl":
        path.write_text("\n".join(map(json.dumps, ROWS)))
    elif form == "json":
        files = [
            {
                "rgb": f"data/made/{row['photo']}", "depth": f"data/made/{row['depth']}", "depth_scale": 1000.0,
                "cam_in": [52.0, 53.0, 31.0, 22.0],
            }
            for row in ROWS
        ]  # fmt: skip
        path.write_text(json.dumps({"files": files}))
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_every_form_reads_the_same(tmp_path: Path, form: str) -> None:
    opened = open_dataset(write(tmp_path, form))
    assert opened.spec.name == "manifest"
    for sample, (_, depth) in zip(opened, pairs(plain.CAMERA), strict=True):
        assert np.allclose(sample.truth.values, depth.values, atol=0.00051)
        assert sample.truth.camera == plain.CAMERA
        assert (sample.scene, sample.split) == (("room", "train") if form != "json" else ("", ""))


def test_a_folder_that_holds_a_list_is_that_list(tmp_path: Path) -> None:
    layout.write(tmp_path)
    opened = open_dataset(tmp_path)
    assert opened.spec.name == "manifest"
    assert [entry.split for entry in opened.entries] == ["train", "train", "test"]


def test_what_no_column_says_options_say(tmp_path: Path) -> None:
    plain.write(tmp_path)
    (tmp_path / "a.csv").write_text("image,depth\nrgb/room_0_color.png,depth/room_0_depth.png\n")
    assert open_dataset(tmp_path / "a.csv", options={"encoding": "mm"})[0].truth.valid.all()
    by_step = open_dataset(tmp_path / "a.csv", options={"step": 0.002})[0]
    assert by_step.truth.values.max() == pytest.approx(
        2 * pairs(plain.CAMERA).__next__()[1].values.max(), abs=0.01
    )
    with pytest.raises(DatasetError, match="whose unit is not said"):
        open_dataset(tmp_path / "a.csv")[0]


HEAD = "photo,depth,split,encoding,fx,fy,cx,cy\n"
GOOD = "rgb/room_0_color.png,depth/room_0_depth.png"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD}{GOOD},train,mm,abc,1,1,1\n", r"row 1: fx = 'abc' is not a number"),
        (f"{HEAD}{GOOD},train,mm,52,53,31,22\n{GOOD},train,mm,inf,1,1,1\n", "row 2: fx = 'inf' is not a number"),
        (f"{HEAD}{GOOD},train,mm,52,53,,\n", "row 1: only fx, fy are given"),
        (f"{HEAD}{GOOD},holdout,mm,52,53,31,22\n", "row 1: split 'holdout' is not train, val or test"),
        (f"{HEAD}{GOOD},train,inches,52,53,31,22\n", "row 1: no depth encoding is called 'inches'"),
        (f"{HEAD}nothing.png,depth/room_0_depth.png,,mm,,,,\n", r"row 1: 'nothing\.png' is not there"),
        (f"{HEAD},x,,mm,,,,\n", "row 1: photo = '' is no file name"),
        (f"{HEAD}{GOOD},,mm,,,,\n{GOOD},,mm,,,,\n", "have the id"),
        ("photo,depth,kind\n" + f"{GOOD},metric-depth\n" + "rgb/room_1_color.png,depth/room_1_depth.png,disparity\n", "mixes kinds"),
        (HEAD, "holds no frame"),
    ],
)  # fmt: skip
def test_rows_are_checked_when_it_is_opened(tmp_path: Path, text: str, message: str) -> None:
    plain.write(tmp_path)
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DatasetError, match=message):
        open_dataset(tmp_path / "a.csv", name="manifest")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.jsonl", b"{", "is no list of pairs"),
        ("a.json", b'{"other": 1}', "is no list of pairs"),
        ("a.json", b'[1, 2]', "is no list of pairs"),
        ("a.json", b'[{"photo": 3, "depth": "x"}]', "photo = 3 is no file name"),
        ("a.json", b'[{"photo": "rgb/room_0_color.png", "depth": "depth/room_0_depth.png", "cam_in": [1]}]', "is not fx, fy, cx, cy"),
        ("a.json", b'[{"photo": "rgb/room_0_color.png", "depth": "depth/room_0_depth.png", "scene": [1]}]', "is no text"),
        ("a.parquet", b"PAR1", "is no Parquet file"),
    ],
)  # fmt: skip
def test_files_that_are_no_lists_are_named(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    plain.write(tmp_path)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DatasetError, match=message):
        open_dataset(tmp_path / name, name="manifest")


def test_a_folder_without_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no list"):
        open_dataset(tmp_path, name="manifest")


def test_real_annotations_find_their_files(shared_data: Path) -> None:
    opened = open_dataset(shared_data / "kitti_and_nyu_png/kitti_demo")
    assert (opened.spec.name, len(opened)) == ("manifest", 3)
    assert opened[0].image.camera.fx == pytest.approx(707.0493)
