"""Protocols: locked, named, and different under another name when changed."""

from __future__ import annotations

from dataclasses import fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from leadline.core.errors import InputError, KindError, UnknownName
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.flows.evaluate import protocol_files
from leadline.flows.evaluate.protocol import ALIGNMENTS, Protocol, can_become
from leadline.flows.evaluate.protocol_files import (
    default_protocol,
    list_protocols,
    load_protocol,
    lock_of,
    protocol_names,
)
from leadline.plugins.registry import DATASETS

SHIPPED = list_protocols()
NYU = load_protocol("nyu-eigen-filled")


@pytest.mark.parametrize("protocol", SHIPPED, ids=lambda protocol: protocol.name)
def test_what_ships_is_what_its_lock_says(protocol: Protocol) -> None:
    assert lock_of(protocol.name) == protocol.fingerprint
    assert "~" not in protocol.name
    assert protocol.summary
    assert protocol.source
    if protocol.dataset:
        offered = {option.name: option for option in DATASETS.get(protocol.dataset).options}
        for key, value in protocol.options.items():
            assert not offered[key].choices or value in offered[key].choices


def test_the_issue_of_nyu_is_two_protocols() -> None:
    assert load_protocol("nyu-eigen").name == "nyu-eigen-filled"
    assert load_protocol("nyu-eigen", options={"truth": "raw"}).name == "nyu-eigen-raw"
    assert (NYU.crop, NYU.near_m, NYU.far_m, NYU.clamp) == ("nyu-eigen", 1e-3, 10.0, True)


def test_a_variant_holds_for_its_dataset() -> None:
    assert load_protocol("median-scaled").far_m == 80
    assert load_protocol("median-scaled", dataset="nyu").name == "median-scaled/nyu"
    assert load_protocol("median-scaled", dataset="nyu").far_m == 10
    assert load_protocol("median-scaled", dataset="redwood").name == "median-scaled"


def test_a_variant_can_be_named() -> None:
    assert load_protocol("median-scaled/nyu", dataset="redwood").name == "median-scaled/nyu"
    with pytest.raises(
        UnknownName, match="no variant of protocol median-scaled is called 'nyuu'; did you mean 'nyu'"
    ):
        load_protocol("median-scaled/nyuu")


def test_a_file_that_was_edited_bears_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = protocol_files._shipped("nyu-eigen-filled") | {"far_m": 8.0}
    monkeypatch.setattr(protocol_files, "_shipped", lambda name: tree)
    edited = load_protocol("nyu-eigen-filled")
    assert edited.name == f"nyu-eigen-filled~{edited.fingerprint[:8]}"


def test_words_may_be_mended_without_a_new_name() -> None:
    assert replace(NYU, notes="said better").fingerprint == NYU.fingerprint
    assert replace(NYU, far_m=8.0).fingerprint != NYU.fingerprint


DECIDING = {
    "metrics": "rmse,delta1",
    "near_m": "0.1",
    "far_m": "8",
    "dataset": "any",
    "alignment": "median",
    "clamp": "no",
    "crop": "none",
    "flip": "true",
    "eight_bit": "yes",
    "aggregate": "pooled",
    "stored": "sunrgbd",
    "data_range_m": "80",
}


@pytest.mark.parametrize(("field", "text"), DECIDING.items())
def test_a_field_changed_by_hand_is_in_the_name(field: str, text: str) -> None:
    other = NYU.changed({field: text})
    assert other.name.startswith(f"nyu-eigen-filled+{field}=")
    assert other.fingerprint != NYU.fingerprint
    assert NYU.changed({field: getattr(NYU, field)}) == NYU


def test_every_field_that_decides_is_covered_above() -> None:
    words = {"name", "summary", "source", "notes", "doubts", "options"}
    assert set(DECIDING) == {field.name for field in fields(Protocol)} - words


def test_several_changes_stand_in_order() -> None:
    assert NYU.changed({"far_m": "8", "clamp": "false"}).name == "nyu-eigen-filled+clamp=false+far_m=8"


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"far": "8"}, UnknownName, "far_m"),
        ({"name": "x"}, UnknownName, "no field of protocol nyu-eigen-filled is called 'name'"),
        ({"far_m": "eight"}, InputError, "far_m = 'eight' is not a number"),
        ({"clamp": "maybe"}, InputError, "clamp = 'maybe' is neither true nor false"),
        ({"near_m": "20"}, InputError, "nearest 20 m and farthest 10 m are no range"),
        ({"crop": "garg"}, UnknownName, "kitti-garg"),
        ({"alignment": "affine"}, UnknownName, "affine-depth"),
        ({"aggregate": "sum"}, UnknownName, "mean"),
        ({"metrics": "absrel"}, UnknownName, "abs_rel"),
        ({"metrics": ()}, InputError, "reports no metric"),
        ({"data_range_m": "0"}, InputError, "data_range_m = 0 is not positive"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    changes: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        NYU.changed(changes)


OWN = 'summary = "s"\nsource = "t"\nmetrics = ["rmse"]\nnear_m = 0.5\nfar_m = 3\n'


def test_a_protocol_of_ones_own_bears_its_files_name(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(OWN)
    mine = load_protocol(str(tmp_path / "mine.toml"))
    assert (mine.name, mine.far_m, mine.metrics) == ("mine", 3.0, ("rmse",))


def test_a_protocol_of_ones_own_cannot_pass_for_one_that_ships(tmp_path: Path) -> None:
    (tmp_path / "nyu-eigen-filled.toml").write_text(OWN)
    mine = load_protocol(str(tmp_path / "nyu-eigen-filled.toml"))
    assert mine.name.startswith("nyu-eigen-filled~")
    shipped = resources.files("leadline.data.protocols").joinpath("nyu-eigen-filled.toml").read_text()
    (tmp_path / "nyu-eigen-filled.toml").write_text(shipped)
    assert load_protocol(str(tmp_path / "nyu-eigen-filled.toml")) == NYU


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("far_m = ", InputError, "is not TOML"),
        (OWN + "cap = 3\n", UnknownName, "no field of protocol mine is called 'cap'"),
        (OWN.replace("near_m = 0.5\n", ""), InputError, "lacks near_m"),
        (OWN + 'clamp = "yes"\n', InputError, "clamp = 'yes' is of another type"),
        (OWN.replace("0.5", "true"), InputError, "near_m = True is of another type"),
    ],
)
def test_a_file_that_is_no_protocol_is_refused(
    tmp_path: Path, text: str, error: type[Exception], said: str
) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(error, match=said):
        load_protocol(str(tmp_path / "mine.toml"))


def test_an_unknown_name_gets_near_matches() -> None:
    with pytest.raises(UnknownName, match="nyu-eigen-filled"):
        load_protocol("nyu-eigen-filed")


@pytest.mark.parametrize(
    ("dataset", "options", "name"),
    [
        ("nyu", {}, "nyu-eigen"),
        ("kitti", {}, "kitti-eigen-garg"),
        ("diode", {"part": "outdoor"}, "diode-outdoor"),
        ("sunrgbd", {}, "sunrgbd"),
    ],
)
def test_datasets_have_protocols_of_their_own(dataset: str, options: dict[str, str], name: str) -> None:
    assert default_protocol(dataset, options) == name
    load_protocol(name)


@pytest.mark.parametrize(("dataset", "options"), [("redwood", {}), ("diode", {"part": "all"}), ("diode", {})])
def test_a_dataset_without_one_says_so(dataset: str, options: dict[str, str]) -> None:
    with pytest.raises(InputError, match="has no protocol of its own"):
        default_protocol(dataset, options)


METRIC, SCALE, DEPTH, INVERSE = (
    Kind(),
    Kind(Quantity.DEPTH, Freedom.SCALE),
    Kind(Quantity.DEPTH, Freedom.AFFINE),
    Kind(Quantity.INVERSE, Freedom.AFFINE),
)


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("nyu-eigen-filled", [METRIC, Kind(Quantity.INVERSE)], [SCALE, DEPTH, INVERSE]),
        ("median-scaled", [METRIC, SCALE, Kind(Quantity.INVERSE, Freedom.SCALE)], [DEPTH, INVERSE]),
        ("zero-shot-affine-depth", [METRIC, SCALE, DEPTH], [INVERSE]),
        ("zero-shot-affine-inverse-depth", [METRIC, SCALE, INVERSE], [DEPTH]),
        ("fiftyone-tutorial", [METRIC, SCALE, DEPTH, INVERSE], []),
    ],
)
def test_a_protocol_takes_the_kinds_that_can_become_what_it_needs(
    name: str, taken: list[Kind], refused: list[Kind]
) -> None:
    protocol = load_protocol(name)
    for kind in taken:
        protocol.check(kind, who="it")
    for kind in refused:
        with pytest.raises(KindError, match=f"it predicts {kind}, and protocol '{name}' needs"):
            protocol.check(kind, who="it")


def test_the_refusal_names_a_protocol_that_takes_the_kind() -> None:
    for kind in (SCALE, DEPTH, INVERSE):
        with pytest.raises(KindError) as refused:
            NYU.check(kind, who="it")
        (way,) = [name for name in protocol_names() if name in refused.value.hint.replace(",", " ").split()]
        load_protocol(way).check(kind, who="it")


def test_alignments_bring_their_kinds_to_metres() -> None:
    for kind in ALIGNMENTS.values():
        assert can_become(METRIC, kind)
        assert can_become(kind, kind)
