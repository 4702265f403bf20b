"""The command line and the requests say the same: one source of truth, and a test that they agree."""

from __future__ import annotations

from dataclasses import MISSING, fields
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from leadline.cli.main import COMMANDS, cli
from leadline.cli.options import request_of
from leadline.core.errors import InputError
from leadline.flows.benchmark_request import BenchmarkRequest
from leadline.flows.calibrate import CalibrateRequest
from leadline.flows.demo import DemoRequest
from leadline.flows.options import told_of
from leadline.flows.predict_request import PredictRequest
from leadline.flows.reproduce.run import ReproduceRequest
from leadline.flows.train import TrainRequest

FACES = {
    "predict": PredictRequest,
    "benchmark": BenchmarkRequest,
    "demo": DemoRequest,
    "train": TrainRequest,
    "calibrate": CalibrateRequest,
    "reproduce": ReproduceRequest,
}
ONLY_HERE = {
    "predict": {"as_json"},
    "benchmark": {"as_json"},
    "demo": set(),
    "train": set(),
    "calibrate": {"as_json"},
    "reproduce": {"as_json"},
}


def _parameters(name: str) -> dict[str, click.Parameter]:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return {str(parameter.name): parameter for parameter in command.params}


@pytest.mark.parametrize("name", FACES)
def test_every_field_is_an_option_and_every_option_a_field(name: str) -> None:
    names = {field.name for field in fields(FACES[name])}
    assert set(_parameters(name)) == names | ONLY_HERE[name]


@pytest.mark.parametrize("name", FACES)
def test_defaults_ranges_and_help_are_the_requests(name: str) -> None:
    parameters = _parameters(name)
    for field in fields(FACES[name]):
        parameter, option = parameters[field.name], told_of(field)
        assert parameter.required == (field.default is MISSING), field.name
        assert option.help, f"{field.name} has no help"
        if isinstance(parameter, click.Argument):
            continue
        assert isinstance(parameter, click.Option)
        assert str(parameter.help).startswith(option.help), field.name
        assert f"--{option.flag or field.name.replace('_', '-')}" in parameter.opts
        if field.default is not MISSING:
            assert parameter.get_default(click.Context(cli)) == field.default, field.name
        if isinstance(parameter.type, click.IntRange | click.FloatRange):
            assert (parameter.type.min, parameter.type.max) == (option.minimum, option.maximum), field.name
        else:
            assert option.minimum is None, field.name


def test_parameters_become_the_request_they_were_made_from(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[PredictRequest] = []
    monkeypatch.setattr(
        import_module("leadline.cli.predict"), "carry_out", lambda request, as_json: seen.append(request)
    )
    line = "a.jpg b.jpg -o x -f png16,npz -f ply -m one -m two --colormap turbo --range 1,2 --side-by-side --engine e"
    more = "--device cpu --threads 2 --batch 4 -r --skip-existing --fov 60 --max-pixels 9 --commercial-ok"
    with pytest.raises(AttributeError):
        cli.main(["predict", *line.split(), *more.split()], standalone_mode=False)
    assert seen == [
        PredictRequest(
            ("a.jpg", "b.jpg"),
            out=Path("x"),
            formats=("png16", "npz", "ply"),
            models=("one", "two"),
            colormap="turbo",
            range="1,2",
            side_by_side=True,
            engine="e",
            device="cpu",
            threads=2,
            batch=4,
            recursive=True,
            skip_existing=True,
            fov_deg=60.0,
            max_pixels=9,
            commercial_ok=True,
        )
    ]


def test_values_that_are_no_fields_are_left_out() -> None:
    values: dict[str, Any] = {"sources": ("a",), "as_json": True}
    assert request_of(PredictRequest, values) == PredictRequest(("a",))
    with pytest.raises(InputError):
        request_of(PredictRequest, {**values, "batch": 257})


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_and_the_short_help_of_the_list(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert "Example" in str(command.epilog)
    assert command.get_short_help_str(200).rstrip(".").startswith(COMMANDS[name].rstrip("."))
    if isinstance(command, click.Group):
        for sub in command.commands.values():
            assert "Example" in str(sub.epilog), sub.name


def test_examples_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example line in every help is a command line that leadline understands."""
    import shlex

    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        every = [command, *(command.commands.values() if isinstance(command, click.Group) else ())]
        for one in every:
            for line in str(one.epilog).splitlines():
                words = shlex.split(line.partition(" | ")[2] or line.partition(" > ")[0].partition("  #")[0])
                if words[:1] != ["leadline"]:
                    continue
                found = cli.get_command(click.Context(cli), words[1])
                assert found is not None, line
                rest = words[2:]
                if isinstance(found, click.Group) and rest and rest[0] in found.commands:
                    found, rest = found.commands[rest[0]], rest[1:]
                found.make_context(words[1], rest, resilient_parsing=False)
