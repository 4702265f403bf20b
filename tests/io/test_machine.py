"""What a machine says of itself, from files as Linux has them."""

from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from leadline.io import machine
from leadline.io.machine import Machine, gpu_names, load_average, peak_memory_bytes, this_machine

HERE = Machine("AMD EPYC 9654", 2, 25_000_000_000, (), "Linux x86_64")


def test_this_machine_has_processors_and_memory() -> None:
    found = this_machine()
    assert found.cpu
    assert found.processors >= 1
    assert found.system == f"{platform.system()} {platform.machine()}"
    assert found.to_dict()["key"] == found.key


def test_the_key_is_of_hardware_and_not_of_a_few_megabytes() -> None:
    assert replace(HERE, memory_bytes=HERE.memory_bytes + 50_000_000).key == HERE.key
    others = [
        replace(HERE, cpu="AMD EPYC 7763"),
        replace(HERE, processors=4),
        replace(HERE, memory_bytes=2 * HERE.memory_bytes),
        replace(HERE, gpus=("NVIDIA H100",)),
        replace(HERE, system="Linux aarch64"),
    ]
    assert len({HERE.key, *(other.key for other in others)}) == 6


def test_words_name_what_is_there() -> None:
    assert HERE.words == "AMD EPYC 9654, 2 processors, 23 GiB, Linux x86_64"
    bare = replace(HERE, memory_bytes=0, gpus=("NVIDIA H100", "NVIDIA H100"))
    assert bare.words == "AMD EPYC 9654, 2 processors, NVIDIA H100, NVIDIA H100, Linux x86_64"


def test_the_processors_name_is_the_first_that_linux_tells(tmp_path: Path) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\nmodel name\t: Fast One\nmodel name\t: Fast Two\n")
    assert machine._cpu(told) == "Fast One"
    assert machine._cpu(tmp_path / "none")


@pytest.mark.skipif(sys.platform == "darwin", reason="there the GPU is the machine's own")
def test_cards_are_read_from_the_driver_or_its_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 0):
        card = tmp_path / f"0000:0{number}:00.0"
        card.mkdir()
        (card / "information").write_text(f"Model: \t\t NVIDIA T{number}\nIRQ:  5\n")
    assert gpu_names(driver=tmp_path) == ("NVIDIA T0", "NVIDIA T1")
    done = subprocess.CompletedProcess([], 0, stdout="NVIDIA A10\n\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert gpu_names(driver=tmp_path / "none") == ("NVIDIA A10",)
    done.returncode = 9
    assert gpu_names(driver=tmp_path / "none") == ()

    def fail(*_: object, **__: object) -> None:
        raise FileNotFoundError("nvidia-smi")

    monkeypatch.setattr(subprocess, "run", fail)
    assert gpu_names(driver=tmp_path / "none") == ()


def test_an_apple_machine_has_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert gpu_names() == ("Apple GPU",)
    done = subprocess.CompletedProcess([], 0, stdout="Apple M2\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert machine._cpu(Path("none")) == "Apple M2"


def test_peak_memory_is_what_the_system_says(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("VmPeak:\t  999 kB\nVmHWM:\t  2000 kB\n")
    assert peak_memory_bytes(status=status) == 2_048_000
    status.write_text("Name: x\n")
    assert peak_memory_bytes(status=status) is None
    assert (peak_memory_bytes(status=tmp_path / "none") or 0) > 10_000_000


def test_a_system_without_memory_figures_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(machine.os, "sysconf", fail)
    assert machine._memory_bytes() == 0
    monkeypatch.setitem(sys.modules, "resource", None)
    assert peak_memory_bytes(status=tmp_path / "none") is None
    monkeypatch.delattr(machine.os, "getloadavg")
    assert load_average() is None
