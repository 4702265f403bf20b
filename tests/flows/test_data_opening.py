"""Opening by name and place, and the layout guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, InputError, MissingExtra, UnknownName
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.flows.data.listing import describe_layout
from leadline.flows.data.opening import guess_layout, list_datasets, open_dataset, split_place
from leadline.io.trees import Tree, open_tree
from leadline.plugins.registry import DATASETS
from leadline.plugins.specs import DatasetOption, DatasetSpec
from leadline.testing.scenes import noise_photo

HERE = "test_data_opening_adapter"


class Album:
    """A dataset in memory that remembers how it was opened."""

    kind = Kind()

    def __init__(self, tree: Tree | None = None, *, frames: int = 3, side: str = "left") -> None:
        self.tree, self.frames, self.side = tree, frames, side
        self.entries = [
            Entry(f"{k:02}", scene="hall" if k < 2 else "attic", split="test" if k < 1 else "train")
            for k in range(frames)
        ]

    def __len__(self) -> int:
        return self.frames

    def __getitem__(self, index: int) -> Sample:
        entry = self.entries[index]
        return Sample(
            entry.id, noise_photo(2, 3), DepthMap(np.full((2, 3), 2.0), Kind()), entry.scene, entry.split
        )

    def __iter__(self) -> Any:
        return (self[k] for k in range(self.frames))


def recognise(tree: Tree) -> str:
    return "album.txt is there" if "album.txt" in tree else ""


@pytest.fixture(autouse=True)
def albums(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import SimpleNamespace

    for table in ("_entries", "_origins", "problems"):
        monkeypatch.setattr(DATASETS, table, dict(getattr(DATASETS, table)))
    monkeypatch.setitem(sys.modules, HERE, SimpleNamespace(Album=Album, recognise=recognise))
    options = (
        DatasetOption("frames", "How many.", default=3),
        DatasetOption("side", "Which side.", default="left", choices=("left", "right")),
    )
    common = {"adapter": f"{HERE}:Album", "summary": "a dataset in memory", "options": options}
    DATASETS.add("album", DatasetSpec("album", **common, recognise=f"{HERE}:recognise"))  # type: ignore[arg-type]
    DATASETS.add("made", DatasetSpec("made", **common, endless=True))  # type: ignore[arg-type]
    DATASETS.add(
        "heavy", DatasetSpec("heavy", f"{HERE}:Album", "needs much", extra="data", packages=("nowhere_pkg",))
    )


def test_by_name_and_path(tmp_path: Path) -> None:
    opened = open_dataset(f"album:{tmp_path}", options={"frames": "5", "side": "right"})
    assert len(opened) == 5
    assert isinstance(opened.dataset, Album)
    assert opened.dataset.side == "right"
    assert opened.dataset.tree is not None
    assert opened.dataset.tree.path == tmp_path
    assert opened.options == {"frames": 5, "side": "right"}
    assert repr(opened) == f"Dataset 'album' at {str(tmp_path)!r}: 5 samples, metres"
    assert len(open_dataset(tmp_path, name="album")) == 3


def test_a_bare_path_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "album.txt").write_text("")
    assert guess_layout(open_tree(tmp_path))[0].why == "album.txt is there"
    assert open_dataset(tmp_path).spec.name == "album"


def test_what_is_made_needs_no_path() -> None:
    assert len(open_dataset("made")) == 3
    assert split_place("made") == ("made", "")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("album:x/y", ("album", "x/y")),
        ("x/y", ("", "x/y")),
        ("C:\\data", ("", "C:\\data")),
        ("./album:x", ("", "./album:x")),
    ],
)
def test_names_stand_before_the_colon(place: str, expected: tuple[str, str]) -> None:
    assert split_place(place) == expected


def test_a_path_with_a_colon_that_is_there_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd:name").mkdir()
    monkeypatch.chdir(tmp_path)
    assert split_place("odd:name") == ("", "odd:name")


def test_faults_say_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="no dataset is called 'albun'; did you mean 'album'"):
        open_dataset("albun:x")
    with pytest.raises(DatasetError, match="there is nothing at"):
        open_dataset(f"album:{tmp_path / 'none'}")
    with pytest.raises(DatasetError, match="dataset 'album' needs a place; write album:PATH"):
        open_dataset("album")
    with pytest.raises(DatasetError, match="looks like no dataset layout that is known; say which it is"):
        open_dataset(tmp_path)
    with pytest.raises(InputError, match="dataset 'album' has no option 'sied'; it has frames, side"):
        open_dataset(f"album:{tmp_path}", options={"sied": "left"})
    with pytest.raises(InputError, match="option side = 'up' is not one of left, right"):
        open_dataset(f"album:{tmp_path}", options={"side": "up"})
    with pytest.raises(InputError, match="option frames = 'many' is not a number; How many"):
        open_dataset(f"album:{tmp_path}", options={"frames": "many"})
    with pytest.raises(
        MissingExtra, match=r"dataset 'heavy' needs 'nowhere_pkg': pip install 'leadline\[data\]'"
    ):
        open_dataset(f"heavy:{tmp_path}")


def test_what_no_extra_brings_is_asked_for_as_its_record_says(
    tmp_path: Path, command: Callable[..., Any]
) -> None:
    own = DatasetSpec("own", f"{HERE}:Album", "-", packages=("nowhere_pkg",), install="acme-data")
    DATASETS.add("own", own, origin="acme-depth")
    with pytest.raises(MissingExtra, match=r"dataset 'own' needs 'nowhere_pkg': pip install acme-data$"):
        open_dataset(f"own:{tmp_path}")
    assert "needs: pip install acme-data" in describe_layout("own")
    assert "  -  (needs: pip install acme-data)" in command("data", "list").out


def test_all_layouts_are_listed() -> None:
    assert {"album", "made", "heavy"} <= {spec.name for spec in list_datasets()}
