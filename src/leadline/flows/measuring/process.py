"""The other end of the process that runs one variant."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
import time
from typing import IO, Any

from leadline.core.errors import EngineError
from leadline.flows.measuring.order import Begun, Memory, Order

__all__ = ["Process", "begin"]

_WORKER = "leadline.flows.measuring.worker"
_GRACE_S = 3.0


def begin(order: Order) -> Process:
    """Starts a process that opens a variant and predicts the first photo.

    Args:
        order: What to run.

    Returns:
        The process, its start being timed.

    Raises:
        EngineError: The variant cannot be run; the message is the reason.
    """
    return Process(order)


class Process:
    """A variant in a process of its own.

    It does not get the terminal's Ctrl-C: whoever started it ends it.

    Args:
        order: What to run.

    Raises:
        EngineError: The variant cannot be run; the message is the reason.
    """

    def __init__(self, order: Order) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        start_s = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )
        try:
            told = self._ask(pickle.dumps(order))
        except BaseException:
            self.close()
            raise
        whole_s = time.perf_counter() - start_s
        self.begun = Begun(told["ran"], whole_s, told["open_s"], told["first_s"], tuple(told["remarks"]))

    def time(self, seconds: float) -> list[float]:
        """Seconds a photo of several calls, for about so long; a first call is not counted."""
        times: list[float] = self._line(do="time", seconds=seconds)["times_s"]
        return times

    def files(self, photos: int) -> float:
        """Photos a second from so many photo files to as many 16-bit PNG files."""
        return float(self._line(do="files", photos=photos)["photos_per_s"])

    def memory(self) -> Memory:
        """What it has held at most."""
        told = self._line(do="memory")
        return Memory(told["main_bytes"], told["gpu_bytes"])

    def close(self) -> None:
        """Ends the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                _shut(stream)
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _line(self, **asked: Any) -> dict[str, Any]:
        return self._ask(json.dumps(asked).encode() + b"\n")

    def _ask(self, data: bytes) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise self._ended()
        told: dict[str, Any] = json.loads(line)
        if "error" in told:
            raise EngineError(told["error"])
        return told

    def _ended(self) -> EngineError:
        """Why the process ended without an answer: what it said last."""
        status = self._process.wait()
        self._errors.seek(0)
        lines = [line for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        if status < 0:
            return EngineError(
                f"its process was ended by signal {-status}",
                hint="signal 9 often means that memory ran out: try a smaller model or batch",
            )
        return EngineError(f"its process ended with status {status}: {lines[-1] if lines else 'no word'}")


def _shut(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        # The process is gone already, with what was still to be told to it.
        return
