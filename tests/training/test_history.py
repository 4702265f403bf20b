"""The history holds each epoch once."""

from __future__ import annotations

import csv
from pathlib import Path

from leadline.training.history import History, read_history


def lines(out: Path) -> list[dict[str, str]]:
    with (out / "history/metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_an_epoch_that_is_done_again_replaces_its_line_and_those_after_it(tmp_path: Path) -> None:
    first = History(tmp_path, rows={})
    for epoch in range(3):
        first.log_metrics({"epoch": epoch, "abs_rel": 0.5 - epoch / 10}, step=2 * epoch + 2)
        first.log_metrics({"epoch": epoch, "loss": 1.0 / (epoch + 1)}, step=2 * epoch + 1)
    assert [line["epoch"] for line in lines(tmp_path)] == ["0", "1", "2"]
    again = History(tmp_path, rows=read_history(tmp_path))
    again.log_metrics({"epoch": 1, "loss": 0.25}, step=3)
    assert lines(tmp_path) == [
        {"epoch": "0", "step": "1", "abs_rel": "0.5", "loss": "1.0"},
        {"epoch": "1", "step": "3", "abs_rel": "0.4", "loss": "0.25"},
    ]
    anew = History(tmp_path, rows={})
    anew.log_metrics({"epoch": 0, "loss": 2.0}, step=1)
    assert lines(tmp_path) == [{"epoch": "0", "step": "1", "loss": "2.0"}]
    assert [path.name for path in (tmp_path / "history").iterdir()] == ["metrics.csv"]


def test_a_run_of_an_earlier_version_goes_on_in_one_file(tmp_path: Path) -> None:
    """It had a file for each start, in which the epoch that was broken off stood twice, and maybe half a line at the end."""
    parts = {
        "version_0": "epoch,loss,abs_rel,step\n0,,0.5,2\n0,1.0,,1\n1,,0.4,4\n1,0.",
        "version_2": "epoch,loss,abs_rel,step\n2,0.2,,5\n",
        "version_10": "epoch,loss,abs_rel,step\n2,0.1,,5\n3",
        "version_1": "epoch,loss,abs_rel,step\n1,,0.41,4\n1,0.5,,3\n,7,,\n\0\0,8,,\n",
    }
    for name, text in parts.items():
        (tmp_path / "history" / name).mkdir(parents=True)
        (tmp_path / "history" / name / "metrics.csv").write_text(text)
    rows = read_history(tmp_path)
    assert rows[0] == {"epoch": "0", "loss": "1.0", "abs_rel": "0.5", "step": "1"}
    assert rows[1] == {"epoch": "1", "loss": "0.5", "abs_rel": "0.41", "step": "3"}
    assert rows[2]["loss"] == "0.1"
    assert read_history(tmp_path / "nothing") == {}
    History(tmp_path, rows=rows).log_metrics({"epoch": 4, "loss": 0.05}, step=9)
    assert [line["epoch"] for line in lines(tmp_path)] == ["0", "1", "2", "3", "4"]
