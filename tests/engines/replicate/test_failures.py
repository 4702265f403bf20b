"""Everything that goes wrong between here and Replicate: one clear line each, and nothing paid for that is not wanted."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadline.core.errors import EngineError, InputError, LeadlineError, MissingExtra
from leadline.flows.model import Model, open_model
from leadline.testing.scenes import noise_photo

pytest.importorskip("replicate")


PHOTO = noise_photo(24, 32, seed=1)


def opened(name: str = "replicate:acme/depth", **inputs: Any) -> Model:
    said = {key.replace("remote_", "remote."): value for key, value in inputs.items()}
    return open_model(name, kind="affine-invariant-inverse-depth", inputs=said)


def refused(error: type[LeadlineError], **inputs: Any) -> str:
    """What is said when one photo is tried."""
    with opened(**inputs) as model, pytest.raises(error) as told:
        model.predict(PHOTO)
    assert "\n" not in str(told.value)
    assert told.value.hint
    return str(told.value)


def test_without_a_token_the_next_step_is_said(stand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPLICATE_API_TOKEN")
    with pytest.raises(EngineError) as told:
        opened()
    assert str(told.value) == (
        "Replicate needs an account: there is no token in REPLICATE_API_TOKEN; "
        "make one at https://replicate.com/account/api-tokens, then: export REPLICATE_API_TOKEN=…"
    )
    assert stand.asked == []


@pytest.mark.parametrize("token", ["r8 with a blank", "r8_\N{LATIN SMALL LETTER E WITH ACUTE}", "r8_a\nb"])
def test_what_is_no_token_is_refused_and_not_repeated(
    stand: Any, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", token)
    with pytest.raises(EngineError, match="is no token") as told:
        opened()
    assert token not in str(told.value)
    assert stand.asked == []


def test_a_token_with_a_line_end_is_taken_without_it(stand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("REPLICATE_API_TOKEN", os.environ["REPLICATE_API_TOKEN"] + "\n")
    opened().close()


def test_a_token_that_is_not_accepted(stand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_wrong")
    with pytest.raises(
        EngineError, match=r"does not accept the token in REPLICATE_API_TOKEN: You did not pass"
    ) as told:
        opened()
    assert "r8_wrong" not in str(told.value)


def test_the_token_is_struck_out_of_what_others_say(stand: Any, caplog: pytest.LogCaptureFixture) -> None:
    token = "r8_aTokenThatNobodyMaySee"
    stand.failure = lambda photo: f"bad\n  header Bearer {token}."
    with caplog.at_level("DEBUG"):
        words = refused(InputError)
    assert (
        "acme/depth failed on 'noise': bad header Bearer …; see https://replicate.com/p/p0"
        in words.replace(PHOTO.source, "noise")
    )
    assert token not in caplog.text


def test_an_unknown_model_and_an_unknown_version(stand: Any) -> None:
    with pytest.raises(
        InputError, match=r"no model 'acme/deep'; check the spelling: https://replicate\.com/acme/deep"
    ):
        opened("replicate:acme/deep")
    with pytest.raises(InputError, match=r"no version 'c0ffee' of 'acme/depth'"):
        opened("replicate:acme/depth:c0ffee")


def test_what_the_model_says_when_it_fails_is_told(stand: Any) -> None:
    stand.failure = lambda photo: "CUDA out of memory. Tried to allocate 8 GiB"
    assert "CUDA out of memory. Tried to allocate 8 GiB; see" in refused(InputError)


def test_a_prediction_that_is_cancelled_there(stand: Any) -> None:
    stand.ends = "canceled"
    assert "prediction p0 of acme/depth was cancelled at Replicate" in refused(EngineError)
    assert stand.cancelled == []


def test_a_prediction_that_is_gone(stand: Any) -> None:
    stand.fail("GET", "/v1/predictions/", 404)
    assert "does not have what was asked for any more" in refused(EngineError)


def test_a_status_that_the_client_does_not_know(stand: Any) -> None:
    stand.ends = "aborted"
    assert "Replicate's answer cannot be understood" in refused(EngineError)


def test_a_prediction_that_takes_too_long_is_cancelled(stand: Any) -> None:
    stand.ends = "never"
    start_s = time.monotonic()
    words = refused(EngineError, remote_timeout=0.4)
    assert time.monotonic() - start_s < 5
    assert "took longer than 0.4 s and was cancelled" in words
    assert "remote.timeout=1200" in words
    assert stand.cancelled == ["p0"]


def test_the_time_of_one_photo_is_not_that_of_the_next(stand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadline.engines.replicate.service._LAST_LOOK_S", 0.0)
    with opened(remote_timeout=0.5) as model:
        model.predict(PHOTO)
        time.sleep(0.6)
        model.predict(noise_photo(400, 500))  # which is uploaded before its own time begins
    assert stand.count("POST", "/v1/files") == 1


def test_ctrl_c_cancels_what_runs(stand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    with opened() as model:
        monkeypatch.setattr("leadline.engines.replicate.service.time.sleep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.predict(PHOTO)
    assert stand.cancelled == ["p0"]


@pytest.mark.parametrize("instead", [429, 500, 502, 503, 504, "drop"])
def test_what_passes_is_waited_out(stand: Any, instead: Any) -> None:
    stand.fail("GET", "/v1/models/", instead, instead)
    stand.fail("GET", "/v1/predictions/", instead, instead)
    if instead == 429:
        stand.fail("POST", "/v1/predictions", instead, instead)
    with opened() as model:
        values = model.predict(PHOTO).depth.values
    assert np.allclose(values, PHOTO.rgb_HW3[..., 0] / 255, atol=1e-6)
    assert stand.count("POST", "/v1/predictions") == (3 if instead == 429 else 1)
    assert len(stand.running) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models/", "503 Service Unavailable"),
        ("POST", "/v1/predictions", "429 Too Many Requests"),
    ],
)
def test_what_does_not_pass_is_given_up(stand: Any, method: str, path: str, status: str) -> None:
    stand.fail(method, path, *[int(status[:3])] * 50)
    words = f"Replicate answers {status}, after 5 tries"
    with pytest.raises(EngineError, match=words), opened() as model:
        model.predict(PHOTO)
    assert stand.count(method, path) == 5


def test_the_server_says_how_long_to_wait_but_not_for_ever(
    stand: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("leadline.engines.replicate.patience.time.sleep", slept.append)
    stand.retry_after = "7"
    stand.fail("GET", "/v1/models/", 429)
    opened().close()
    stand.retry_after = "86400"
    stand.fail("GET", "/v1/models/", 429)
    opened().close()
    assert slept == [7.0, 30.0]


def test_back_off_doubles(stand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("leadline.engines.replicate.patience.time.sleep", slept.append)
    monkeypatch.setattr("leadline.engines.replicate.patience.random.uniform", lambda low, high: 1.0)
    monkeypatch.setattr("leadline.engines.replicate.patience.FIRST_WAIT_S", 0.5)
    stand.fail("GET", "/v1/models/", 500, 502, 503, 504)
    opened().close()
    assert slept == [0.5, 1.0, 2.0, 4.0]


def test_a_prediction_whose_answer_is_lost_is_not_paid_for_twice(stand: Any) -> None:
    stand.fail("POST", "/v1/predictions", "drop", "drop")
    words = refused(EngineError)
    assert "Replicate cannot be reached" in words
    assert "https://replicate.com/predictions" in words
    assert stand.count("POST", "/v1/predictions") == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_prediction_that_may_have_begun_is_not_created_again(stand: Any, status: int) -> None:
    """A gateway's fault says nothing of what happened behind it: five tries may be five charges."""
    stand.fail("POST", "/v1/predictions", *[status] * 5)
    words = refused(EngineError)
    assert f"Replicate answers {status}" in words
    assert "after 1 try;" in words
    assert "https://replicate.com/predictions" in words
    assert stand.count("POST", "/v1/predictions") == 1


def test_a_server_that_declines_and_says_when_to_come_back_is_asked_again(stand: Any) -> None:
    stand.retry_after = "0"
    stand.fail("POST", "/v1/predictions", 503, 503)
    with opened() as model:
        model.predict(PHOTO)
    assert stand.count("POST", "/v1/predictions") == 3
    assert len(stand.running) == 1


def test_waiting_for_a_busy_server_ends_with_the_time_out(
    stand: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadline.engines.replicate.patience.FIRST_WAIT_S", 100)
    stand.fail("POST", "/v1/predictions", 429)
    start_s = time.monotonic()
    assert "gave no answer in time" in refused(EngineError, remote_timeout=0.2)
    assert time.monotonic() - start_s < 3


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (402, "Replicate wants to be paid: the stand-in was told to say 402; set up billing"),
        (403, "Replicate forbids it to this account"),
        (410, "use another model or version"),
        (418, "Replicate answers 418: the stand-in was told to say 418"),
        (422, "Replicate refuses these inputs: the stand-in was told to say 422; '--input NAME=VALUE'"),
    ],
)
def test_refusals_are_told_and_not_tried_again(stand: Any, status: int, words: str) -> None:
    stand.fail("POST", "/v1/predictions", status)
    assert words in refused(EngineError)
    assert stand.count("POST", "/v1/predictions") == 1


def test_a_captive_portal(stand: Any) -> None:
    stand.fail("GET", "/v1/models/", "html")
    with pytest.raises(EngineError, match="answer cannot be understood") as told:
        opened()
    assert "\n" not in str(told.value)


def test_no_network(stand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("REPLICATE_BASE_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(EngineError, match=r"Replicate cannot be reached: .*refused.*check the network"):
            opened()


def test_a_server_that_takes_the_call_and_says_nothing(stand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadline.engines.replicate.patience.STEP_S", 0.05)
    monkeypatch.setattr("leadline.engines.replicate.patience.TRIES", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("REPLICATE_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(EngineError, match="gave no answer in time"):
            opened()


def _text(name: str) -> Any:
    return lambda stand: stand.give(name, b"<html>not a picture</html>")


def _npy(array: Any) -> Any:
    def give(stand: Any) -> str:
        import io

        stream = io.BytesIO()
        np.save(stream, array)
        return stand.give("depth.npy", stream.getvalue())

    return give


@pytest.mark.parametrize(
    ("output", "inputs", "words"),
    [
        (lambda stand: None, {}, "gave no file but nothing"),
        (lambda stand: "a kitchen with a table", {}, "gave no file but 'a kitchen with a table'"),
        (lambda stand: ["x" * 500], {}, "gave no file but ['xxx"),
        (lambda stand: [1, 2], {"remote_output": "1"}, "gave no file but 2"),
        (
            lambda stand: [_text("a.png")(stand)],
            {"remote_output": "1"},
            "has no output '1'; it has outputs 0",
        ),
        (lambda stand: "words", {"remote_output": "1"}, "has no output '1'; it has one output: 'words'"),
        (_text("a.png"), {}, "is no picture and no array of numbers: it looks like"),
        (lambda stand: stand.give("a.png", b""), {}, "nothing (0 bytes)"),
        (
            lambda stand: stand.give("a.png", b"\x89PNG\r\n\x1a\n" + b"0" * 99),
            {},
            "answers nonsense: 'output of",
        ),
        (lambda stand: f"{stand.base}/out/gone.png", {}, "cannot be fetched"),
        (
            _npy(np.full((4, 4), np.nan)),
            {},
            "holds no number that is a value of affine-invariant-inverse-depth",
        ),
        (_npy(np.zeros((4, 4, 4, 4))), {}, "holds an array of shape (4, 4, 4, 4)"),
        (_npy(np.zeros((4, 4), complex)), {}, "type complex128"),
        (_npy(np.zeros((4, 4))), {"remote_channel": "2"}, "has one channel, and no channel '2'"),
        (_npy(np.zeros((4, 5, 3))), {"remote_channel": "7"}, "has 3 channels, and no channel '7'; --input"),
    ],
)
def test_nonsense_is_told_as_nonsense(stand: Any, output: Any, inputs: dict[str, Any], words: str) -> None:
    stand.predict = lambda photo, given: output(stand)
    told = refused(EngineError, **inputs)
    assert words in told
    assert len(told) < 500


def test_an_output_that_comes_at_the_third_try(stand: Any) -> None:
    stand.fail("GET", "/out/", 500, 500)
    with opened() as model:
        model.predict(PHOTO)
    assert stand.count("GET", "/out/out.png") == 3


def test_without_the_client_the_pip_line_is_said(stand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadline.flows.sessions.has", lambda package: package != "replicate")
    with pytest.raises(MissingExtra) as told:
        opened()
    assert (
        str(told.value) == "model 'replicate:acme/depth' needs 'replicate': pip install 'leadline[replicate]'"
    )


# The command line, through the same door as a shell.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from PIL import Image as Pil

    made = tmp_path / "photos"
    made.mkdir()
    for k in range(3):
        Pil.fromarray(noise_photo(12, 16, seed=k).rgb_HW3).save(made / f"{k}.png")
    return made


ARGUMENTS = ("-m", "replicate:acme/depth", "--kind", "affine-inverse", "-f", "npz")


def test_the_cost_is_said_before_the_first_photo(
    stand: Any, command: Any, folder: Path, tmp_path: Path
) -> None:
    ended = command("predict", folder, "-o", tmp_path / "out", *ARGUMENTS)
    assert ended.status == 0
    lines = [line for line in ended.err.splitlines() if "replicate.com" in line]
    assert lines == [
        "leadline: acme/depth runs at replicate.com: every photo is sent there and every run is charged to your account; "
        "what one costs: https://replicate.com/acme/depth"
    ]
    assert "replicate.com" not in ended.out
    assert len(stand.running) == 3
    said = command("predict", folder, "-o", tmp_path / "out", *ARGUMENTS, "--json")
    assert json.loads(said.out.splitlines()[0])["notices"] == [lines[0].removeprefix("leadline: ")]


def test_a_batch_goes_on_past_the_photo_that_fails(
    stand: Any, command: Any, folder: Path, tmp_path: Path
) -> None:
    second = noise_photo(12, 16, seed=1).rgb_HW3
    stand.failure = lambda photo: "cannot see anything" if np.array_equal(photo, second) else ""
    ended = command("predict", folder, "-o", tmp_path / "out", *ARGUMENTS, "--batch", "3")
    assert ended.status == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0_depth.npz", "2_depth.npz"]
    assert "acme/depth failed on" in ended.err
    assert "cannot see anything" in ended.err
    assert len(stand.running) == 3


def test_a_batch_ends_where_it_is_not_the_photos_fault(
    stand: Any, command: Any, folder: Path, tmp_path: Path
) -> None:
    stand.fail("POST", "/v1/predictions", 402)
    ended = command("predict", folder, "-o", tmp_path / "out", *ARGUMENTS)
    assert ended.status == EngineError.exit_status
    assert "wants to be paid" in ended.err
    assert stand.running == {}


def test_a_kind_that_cannot_be_ends_the_run_at_the_first_photo(
    stand: Any, command: Any, folder: Path, tmp_path: Path
) -> None:
    ended = command(
        "predict", folder, "-o", tmp_path / "out", "-m", "replicate:acme/depth", "--kind", "metric-depth"
    )
    assert ended.status == 4
    assert "they are affine at best: --kind affine-invariant-depth" in ended.err
    assert len(stand.running) == 1


def test_looks_are_runs_too(stand: Any) -> None:
    with open_model("replicate:acme/depth", kind="affine-inverse", tta="flip") as model:
        prediction = model.predict(PHOTO)
    assert len(stand.running) == 2
    assert prediction.uncertainty is not None
    assert float(np.nanmax(prediction.uncertainty)) < 1e-5
