"""The error tree is what its docstring draws, and errors travel whole."""

from __future__ import annotations

import builtins
import copy
import pickle
import re

import pytest

from leadline.core import errors
from leadline.core.errors import (
    DatasetError,
    EngineError,
    InputError,
    KindError,
    LeadlineError,
    MissingExtra,
    OutputError,
    TrainingError,
    UnknownName,
    WeightsError,
)

DRAWN = re.findall(r"[├└]── (\w+) +\((\w+)\) +exit (\d+) +HTTP (\d+) ", errors.__doc__ or "")


def test_the_tree_is_drawn_as_it_is() -> None:
    classes = {cls.__name__: cls for cls in LeadlineError.__subclasses__()}
    assert {name for name, *_ in DRAWN} == set(classes)
    for name, standard, exit_status, http_status in DRAWN:
        cls = classes[name]
        assert issubclass(cls, getattr(builtins, standard))
        assert (cls.exit_status, cls.http_status) == (int(exit_status), int(http_status))
        assert not cls.__subclasses__()


def test_codes_and_exit_statuses_are_unique_and_leave_room() -> None:
    leaves = LeadlineError.__subclasses__()
    assert len({leaf.code for leaf in leaves}) == len(leaves)
    assert len({leaf.exit_status for leaf in leaves} | {0, 1, 2}) == len(leaves) + 3


def test_all_names_are_public() -> None:
    assert set(errors.__all__) == {"LeadlineError", "pip_line", *(name for name, *_ in DRAWN)}


PLAIN = [InputError, KindError, WeightsError, EngineError, DatasetError, OutputError, TrainingError]


@pytest.mark.parametrize("cls", PLAIN)
def test_message_and_hint_make_one_line(cls: type[LeadlineError]) -> None:
    assert str(cls("bad 'x'", hint="say y")) == "bad 'x'; say y"
    assert str(cls("bad 'x'")) == "bad 'x'"


MADE: list[LeadlineError] = [
    *(cls("bad 'x'", hint="say y") for cls in PLAIN),
    UnknownName("model", "dpt", known=["dpt-large", "glpn"]),
    MissingExtra("model 'x'", "torch", extra="torch"),
]


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_errors_are_copied_and_pickled_whole(error: LeadlineError, way: object) -> None:
    again = way(error)  # type: ignore[operator]
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_unknown_names_offer_near_matches_or_all() -> None:
    near = UnknownName("model", "dpt-larg", known=["glpn", "dpt-large"])
    assert str(near) == "no model is called 'dpt-larg'; did you mean 'dpt-large'?"
    assert near.known == ("dpt-large", "glpn")
    assert str(UnknownName("model", "zzz", known=["b", "a"])) == "no model is called 'zzz'; known: a, b"
    assert str(UnknownName("model", "zzz", known=["b", "a"], hidden=["a"])).endswith("known: b")
    assert str(UnknownName("engine", "onnx", known=["onnxruntime", "torch"])).endswith("mean 'onnxruntime'?")
    assert "mean" not in str(UnknownName("format", "bogus", known=["out", "npz", "glb"]))
    assert str(UnknownName("model", "ab", known=["abc", "b"], hidden=["abc"])).endswith(
        "did you mean 'abc' or 'b'?"
    )
    assert str(UnknownName("model", "zzz", known=[])).endswith("known: none")


def test_a_missing_extra_ends_in_the_line_to_type() -> None:
    error = MissingExtra("model 'x'", "torch", extra="torch")
    assert str(error) == "model 'x' needs 'torch': pip install 'leadline[torch]'"
    assert (error.package, error.extra) == ("torch", "torch")
