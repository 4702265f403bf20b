"""Memory that a step gives back is there for the next one."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from leadline.io import allocator

FAULTS = """
import resource, sys
import numpy as np
from leadline.io.allocator import hold_freed_memory
if sys.argv[1] == "held":
    print(hold_freed_memory())
np.ones(4_000_000); before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(4_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def lines(word: str) -> list[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))
    }
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, word], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.split()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_a_block_that_was_freed_is_not_paid_for_again() -> None:
    said, faults = lines("held")
    assert said == "True"
    assert int(faults) * 20 < int(lines("fresh")[0])


@pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_whoever_told_the_c_library_something_is_left_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    monkeypatch.setattr(allocator, "_mallopt", lambda: pytest.fail("it was told otherwise"))
    assert allocator.hold_freed_memory.__wrapped__() is False


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert allocator.hold_freed_memory.__wrapped__() is False
