"""What this machine is, how busy it is, and how much memory a process has had."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["Machine", "gpu_names", "load_average", "peak_memory_bytes", "this_machine"]

_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Machine:
    """The hardware that figures depend on.

    Args:
        cpu: The processor's name.
        processors: Logical processors that this process may use.
        memory_bytes: Main memory; 0 where the system does not tell.
        gpus: Names of the graphics processors.
        system: Operating system and architecture, without its version.
    """

    cpu: str
    processors: int
    memory_bytes: int
    gpus: tuple[str, ...]
    system: str

    @property
    def key(self) -> str:
        """What tells this machine from others: the same after an update of its system, another with other hardware.

        Example:
            >>> Machine("A", 2, 8_000_000_000, (), "Linux x86_64").key == Machine("B", 2, 0, (), "Linux").key
            False
        """
        # Firmware and kernel take a little of the memory, a little more or less with each version.
        parts = (self.cpu, self.processors, round(self.memory_bytes / _GIB), *self.gpus, self.system)
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]

    @property
    def words(self) -> str:
        """The machine in one line."""
        memory = f", {self.memory_bytes / _GIB:.0f} GiB" if self.memory_bytes else ""
        cards = "".join(f", {name}" for name in self.gpus)
        return f"{self.cpu}, {self.processors} processors{memory}{cards}, {self.system}"

    def to_dict(self) -> dict[str, Any]:
        """The machine as plain JSON values."""
        return {**asdict(self), "gpus": list(self.gpus), "key": self.key}


@lru_cache(maxsize=1)
def this_machine() -> Machine:
    """The machine this process runs on.

    Returns:
        Its record.

    Example:
        >>> this_machine().processors >= 1
        True
    """
    return Machine(
        _cpu(Path("/proc/cpuinfo")),
        _processors(),
        _memory_bytes(),
        gpu_names(),
        f"{platform.system()} {platform.machine()}",
    )


def _cpu(told: Path) -> str:
    if sys.platform == "darwin":
        found = _said(["sysctl", "-n", "machdep.cpu.brand_string"])
        return found[0] if found else platform.machine()
    try:
        lines = told.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        # Windows has no sysconf, and some systems have it without these names.
        return 0


def gpu_names(*, driver: Path = Path("/proc/driver/nvidia/gpus")) -> tuple[str, ...]:
    """The graphics processors that networks could run on.

    Args:
        driver: Where NVIDIA's driver tells of its cards on Linux.

    Returns:
        Their names; empty where there is none that is known of.
    """
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return ("Apple GPU",)
    files = sorted(driver.glob("*/information")) if driver.is_dir() else []
    lines = [line for file in files for line in file.read_text(errors="replace").splitlines()]
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
    return tuple(named or _said(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]))


def _said(command: list[str]) -> list[str]:
    """The lines a system's own tool prints; none where it is not there or has nothing to say."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []


def load_average() -> float | None:
    """Processes that wanted to run in the last minute, on average.

    Returns:
        The number; None where the system does not count them.
    """
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def peak_memory_bytes(*, status: Path = Path("/proc/self/status")) -> int | None:
    """The most main memory that this process has held.

    Args:
        status: Where Linux tells of this process.

    Returns:
        Bytes; None where the system does not tell.
    """
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return _rusage_bytes()
    peak = next((line for line in lines if line.startswith("VmHWM:")), None)
    return None if peak is None else int(peak.split()[1]) * 1024


def _rusage_bytes() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) * (1 if sys.platform == "darwin" else 1024)
