"""The truth decides a score, so a plan fixes it, names it, or refuses; nothing is predicted here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadline.core.errors import DatasetError, InputError
from leadline.flows.evaluate.planning import Planned, plan
from leadline.flows.evaluate.protocol_files import load_protocol, twin_on
from leadline.flows.evaluate.request import EvaluateRequest
from leadline.testing.layouts import kitti, nyu, sunrgbd

Write = Callable[[Path], tuple[str, dict[str, Any]]]


def planned(write: Write, folder: Path, *, name: str, truth: str = "", **more: Any) -> Planned:
    folder.mkdir(exist_ok=True)
    place, options = write(folder)
    said = tuple(f"{key}={value}" for key, value in options.items())
    said += (f"truth={truth}",) if truth else ()
    return plan(EvaluateRequest(f"{name}:{place}", option=said, **more))


def test_a_truth_that_the_protocol_leaves_open_is_in_its_name(tmp_path: Path) -> None:
    raw = planned(sunrgbd.write, tmp_path / "sun", name="sunrgbd")
    filled = planned(sunrgbd.write, tmp_path / "sun", name="sunrgbd", truth="filled")
    assert (raw.protocol.name, filled.protocol.name) == ("sunrgbd[truth=raw]", "sunrgbd[truth=filled]")
    assert raw.protocol.fingerprint != filled.protocol.fingerprint
    assert load_protocol("sunrgbd").fingerprint not in (raw.protocol.fingerprint, filled.protocol.fingerprint)


@pytest.mark.parametrize(
    ("write", "truth"),
    [(kitti.write, "velodyne"), (kitti.write_cropped, "annotated")],
)
def test_auto_is_what_the_data_really_have(write: Write, truth: str, tmp_path: Path) -> None:
    for asked in ("", "auto", truth):
        assert (
            planned(write, tmp_path, name="kitti", truth=asked).protocol.name
            == f"kitti-eigen-garg[truth={truth}]"
        )
    changed = planned(write, tmp_path, name="kitti", changes=("far_m=50",)).protocol
    assert changed.name == f"kitti-eigen-garg[truth={truth}]+far_m=50"
    scaled = planned(write, tmp_path, name="kitti", protocol="median-scaled").protocol
    assert scaled.name == f"median-scaled/kitti[truth={truth}]"


def test_frames_of_two_truths_make_no_figure(tmp_path: Path) -> None:
    kitti.write_annotated(tmp_path)
    with pytest.raises(
        InputError, match=r"some frames of .* have annotated depth and others velodyne depth"
    ) as refused:
        planned(kitti.write, tmp_path, name="kitti")
    assert refused.value.hint == "choose: --option truth=annotated or --option truth=velodyne"
    one = planned(kitti.write, tmp_path, name="kitti", truth="velodyne")
    assert (one.protocol.name, len(one.collection)) == ("kitti-eigen-garg[truth=velodyne]", 3)
    benchmark = planned(kitti.write, tmp_path, name="kitti", protocol="kitti-benchmark")
    assert (benchmark.protocol.name, len(benchmark.collection)) == ("kitti-benchmark", 2)


def test_a_truth_that_the_protocol_fixes_and_the_data_lack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"scores truth=annotated, and .* holds truth=velodyne only"):
        planned(kitti.write, tmp_path, name="kitti", protocol="zero-shot-affine-depth")


NYU = {
    "mat": (nyu.write, ("filled", "raw")),
    "h5": (nyu.write_h5, ("filled",)),
    "densedepth": (nyu.write_densedepth, ("filled",)),
    "mirrored": (nyu.write_mirrored, ("filled",)),
    "sync": (nyu.write_sync, ("raw",)),
    "raw": (nyu.write_raw, ("raw",)),
}


@pytest.mark.parametrize("layout", NYU)
def test_a_layout_of_nyu_is_scored_under_the_protocol_of_its_truth(layout: str, tmp_path: Path) -> None:
    write, truths = NYU[layout]
    place = write(tmp_path)[0]
    assert plan(EvaluateRequest(f"nyu:{place}")).protocol.name == f"nyu-eigen-{truths[0]}"
    for truth in ("filled", "raw"):
        request = EvaluateRequest(f"nyu:{place}", protocol=f"nyu-eigen-{truth}")
        if truth in truths:
            opened = plan(request)
            assert opened.protocol.name == request.protocol
            assert opened.collection.holds == {"truth": truth}
            continue
        with pytest.raises(
            DatasetError, match=f"scores truth={truth}, and .* holds truth={truths[0]} only"
        ) as no:
            plan(request)
        assert no.value.hint == f"score it under nyu-eigen-{truths[0]}"


def test_where_no_protocol_has_that_truth_another_name_is_the_way(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"name": "nyu", "protocol": "zero-shot-affine-depth"}
    with pytest.raises(DatasetError, match="scores truth=raw") as refused:
        planned(nyu.write_mirrored, tmp_path, **asked)
    assert "--set dataset=any" in refused.value.hint
    other = planned(nyu.write_mirrored, tmp_path, changes=("dataset=any",), **asked).protocol
    assert other.name == "zero-shot-affine-depth/nyu[truth=filled]+dataset=any"
    assert other.options == {"truth": "filled"}


def test_twins_differ_in_the_truth_only() -> None:
    assert twin_on(load_protocol("nyu-eigen-raw"), {"truth": "filled"}) == "nyu-eigen-filled"
    assert twin_on(load_protocol("nyu-densedepth"), {"truth": "raw"}) == ""


class Stubborn:
    """A dataset that opens the same whatever is asked."""

    def __init__(self, real: Any) -> None:
        self.dataset, self.spec, self.holds = real, real.spec, {"truth": "raw"}


def test_a_dataset_that_ignores_its_option_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leadline.flows.evaluate import planning

    opening = planning.open_dataset
    monkeypatch.setattr(planning, "open_dataset", lambda *args, **more: Stubborn(opening(*args, **more)))
    with pytest.raises(DatasetError, match=r"scores truth=filled, and .* holds truth=raw only"):
        planned(nyu.write, tmp_path, name="nyu", protocol="nyu-eigen-filled")
