"""How many CPU threads an engine should use when nobody says."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["physical_cores"]


def physical_cores(*, system: Path = Path("/sys")) -> int:
    """The physical cores this process may use.

    Two hardware threads of one core share its arithmetic units, so a network gains nothing from the second. Where the
    system does not tell (macOS, Windows), logical processors are counted. A container's CPU quota is respected.

    Args:
        system: Where Linux tells about processors and control groups.

    Returns:
        At least 1.

    Example:
        >>> physical_cores() >= 1
        True
    """
    allowed = _allowed()
    cores = {_siblings(system, cpu) for cpu in allowed}
    quota = _quota(system)
    return max(1, len(cores) if quota is None else min(len(cores), round(quota)))


def _allowed() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _siblings(system: Path, cpu: int) -> str:
    topology = system / "devices/system/cpu" / f"cpu{cpu}" / "topology"
    try:
        return (topology / "thread_siblings_list").read_text().strip()
    except OSError:
        return str(cpu)


def _quota(system: Path) -> float | None:
    """Cores' worth of time that the control group grants, versions 2 and 1, or None where it grants all."""
    group = system / "fs/cgroup"
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            words = " ".join((group / name).read_text() for name in files).split()
        except OSError:
            continue
        if len(words) == 2 and words[0] not in ("max", "-1"):
            return int(words[0]) / int(words[1])
        return None
    return None
