"""What is said of weights before they are fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.errors import WeightsError
from leadline.flows import models as flow
from leadline.flows.models import model_row, pull_model, told_of_model
from leadline.flows.terms import is_here, notices_of, size_words, terms
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import Commercial, ModelSpec, Weights


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def gated(known: ModelSpec) -> ModelSpec:
    weights = Weights("hf:org/net", size_bytes=1_234_000_000, gated=True)
    spec = replace(known, name="gated-net", weights=weights, licence="CC BY-NC 4.0", commercial=Commercial.NO)
    MODELS.add(spec.name, spec)
    return spec


SAID = (
    "gated-net: about 1.23 GB; licence: CC BY-NC 4.0; commercial use: no; gated: accept its terms at "
    "https://huggingface.co/org/net first, and set HF_TOKEN"
)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (Weights("hf:org/net", size_bytes=490_000_000), "about 490 MB"),
        (Weights("hf:org/net", size_bytes=99_200_000), "about 99.2 MB"),
        (Weights("hf:org/net", size_bytes=1_900_000_000), "about 1.9 GB"),
        (Weights("hf:org/net"), ""),
        (Weights("file:net.onnx", size_bytes=6_345_678), "6.3 MB"),
        (Weights("https://x.org/net.onnx", "a" * 64, 2_500_000_000), "2.50 GB"),
    ],
)
def test_sizes_in_words(weights: Weights, words: str) -> None:
    assert size_words(weights) == words


def test_size_licence_and_gate_are_told_before_anything_is_fetched(
    gated: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def fetch(weights: Weights, *, name: str) -> Path:
        told.append(f"fetched {weights.source}@{weights.revision}")
        return Path("there")

    monkeypatch.setattr(flow, "pull", fetch)
    pull_model("gated-net", told=told.append)
    assert told == [SAID, "fetched hf:org/net@"]
    told.clear()
    pull_model("hf:org/net@v2", told=told.append)
    assert told == [SAID, "fetched hf:org/net@v2"]
    told.clear()
    pull_model("hf:some/one", told=told.append)
    assert told[0] == (
        "hf:some/one: leadline knows neither its size nor its licence; see https://huggingface.co/some/one"
    )
    told.clear()
    pull_model("hf:vinvino02/glpn-kitti", told=told.append)
    assert told[1] == "fetched hf:vinvino02/glpn-kitti@refs/pr/1"
    told.clear()
    pull_model("leadline-indoor-small", told=told.append)
    assert told == ["fetched package:leadline.data.weights/leadline-indoor-small.onnx@2"]


def test_the_list_and_the_page_of_one_say_it_too(gated: ModelSpec, command: Callable[..., Any]) -> None:
    assert terms(gated) == SAID
    page = dict(told_of_model(model_row("gated-net")))
    assert page["weights"] == "about 1.23 GB, not here, hf:org/net"
    assert page["licence"] == "CC BY-NC 4.0; commercial use: no"
    assert page["gated"].startswith("accept its terms at its page first")
    row = model_row("gated-net").to_dict()
    assert (row["size_bytes"], row["gated"], row["revision"]) == (1_234_000_000, True, "")
    (line,) = [line for line in command("models").out.splitlines() if line.startswith("gated-net ")]
    assert "about 1.23 GB, not here" in line
    assert "  no  " in line
    unknown = dict(told_of_model(model_row("tipsv2-dpt-b14")))
    assert unknown["weights"] == "size unknown, not here, hf:google/tipsv2-b14-dpt"
    assert "of unknown size" in terms(MODELS.get("tipsv2-dpt-b14"))


def test_pull_and_predict_say_it_on_the_error_stream(
    known: ModelSpec, command: Callable[..., Any], tmp_path: Path
) -> None:
    far = Weights("http://127.0.0.1:9/far.onnx", "a" * 64, 5_000_000)
    MODELS.add("far", replace(known, name="far", weights=far, commercial=Commercial.NO))
    PilImage.fromarray(np.zeros((6, 8, 3), np.uint8)).save(tmp_path / "a.png")
    line = f"far: 5.0 MB; licence: {known.licence}; commercial use: no"
    pulled = command("models", "pull", "far")
    assert pulled.err.splitlines()[0] == line
    predicted = command("predict", tmp_path / "a.png", "-o", tmp_path / "out", "-m", "far")
    assert predicted.err.splitlines()[0] == f"fetching {line}"
    assert predicted.status == pulled.status == WeightsError.exit_status
    spoken = command("predict", tmp_path / "a.png", "-o", tmp_path / "out", "-m", "far", "--json")
    assert f'{{"event": "fetching", "model": "far", "terms": "{line}"}}' in spoken.out


@pytest.mark.parametrize("name", ["evaluate", "fiftyone"])
def test_evaluations_say_it_before_the_first_byte(
    name: str, known: ModelSpec, command: Callable[..., Any], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if name == "fiftyone":
        request.getfixturevalue("fiftyone")
    far = Weights("http://127.0.0.1:9/far.onnx", "a" * 64, 5_000_000)
    MODELS.add("far", replace(known, name="far", weights=far, notice="every photo costs a penny"))
    more = ("--no-launch", "--name", "far") if name == "fiftyone" else ()
    ended = command(
        *(name, "-d", "synthetic", "--first", "1", "-p", "nyu-eigen-filled", "--set", "dataset=any"),
        *("-m", "far", "-o", tmp_path / "out", *more),
    )
    assert ended.status == WeightsError.exit_status
    lines = ended.err.splitlines()
    assert lines.index("leadline: every photo costs a penny") < len(lines) - 1
    assert any(line.startswith("leadline: fetching far: 5.0 MB; licence: ") for line in lines[:-1])


def test_a_reproduction_says_it_too(known: ModelSpec, command: Callable[..., Any], tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    from leadline.testing.layouts.nyu import write

    (tmp_path / "nyu").mkdir()
    far = Weights("http://127.0.0.1:9/far.onnx", "a" * 64, 5_000_000)
    MODELS.add("far", replace(known, name="far", weights=far, notice="every photo costs a penny"))
    ended = command(
        *("reproduce", "glpn-nyu", "-m", "far", "--data", f"nyu:{write(tmp_path / 'nyu')[0]}"),
        *("-o", tmp_path / "out"),
    )
    assert ended.status == WeightsError.exit_status
    assert "leadline: every photo costs a penny" in ended.err.splitlines()


def test_what_is_here_is_not_announced(known: ModelSpec, command: Callable[..., Any], tmp_path: Path) -> None:
    PilImage.fromarray(np.zeros((6, 8, 3), np.uint8)).save(tmp_path / "a.png")
    ended = command("predict", tmp_path / "a.png", "-o", tmp_path / "out", "-m", "brightness-test")
    assert (ended.status, ended.err) == (0, "")
    assert is_here(known)
    assert not is_here(replace(known, weights=Weights("remote:somewhere")))


def test_notices_are_to_be_had_without_anything_being_printed(
    gated: ModelSpec, known: ModelSpec, capsys: pytest.CaptureFixture[str]
) -> None:
    assert notices_of(known) == ()
    assert notices_of(gated) == (f"fetching {SAID}",)
    elsewhere = replace(known, weights=Weights("remote:somewhere"), notice="photos go away")
    assert notices_of(elsewhere) == ("photos go away",)
    both = replace(gated, notice="it is slow")
    assert notices_of(both) == (f"fetching {SAID}", "it is slow")
    assert capsys.readouterr() == ("", "")


def test_calibrate_says_it_before_the_first_byte(
    known: ModelSpec, command: Callable[..., Any], tmp_path: Path
) -> None:
    far = Weights("http://127.0.0.1:9/far.onnx", "a" * 64, 5_000_000)
    MODELS.add("far", replace(known, name="far", weights=far, notice="every photo costs a penny"))
    PilImage.fromarray(np.zeros((6, 8, 3), np.uint8)).save(tmp_path / "a.png")
    ended = command("calibrate", tmp_path / "a.png", "-p", "1,1=1m", "-m", "far", "-o", tmp_path / "c.json")
    assert ended.status == WeightsError.exit_status
    assert ended.err.splitlines()[:2] == [
        f"leadline: fetching far: 5.0 MB; licence: {known.licence}; commercial use: {known.commercial.value}",
        "leadline: every photo costs a penny",
    ]
