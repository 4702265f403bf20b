"""Networks compiled by OpenVINO for one device: made once, kept, and read again the next time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from leadline.core.errors import EngineError
from leadline.engines.openvino.graphs import first_words
from leadline.engines.store import Store

__all__ = ["Programs", "Setting"]

_HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
MOST_HELD = 8
"""Programs of one model that are held in memory; the one not used for longest makes room."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How programs run.

    Args:
        device: OpenVINO's name of the device: ``"CPU"``.
        precision: ``"fp32"``, ``"bf16"``, ``"fp16"`` or ``"int8"``.
        threads: CPU threads.
        around: What numbers of an int8 network are held in that are not quantised.
    """

    device: str
    precision: str
    threads: int
    around: str = "f32"

    def config(self, *, several: bool) -> dict[str, Any]:
        """OpenVINO's properties.

        Args:
            several: Whether photos come in numbers: then each has a thread of its own, else all threads work on one.

        Returns:
            Properties by name.
        """
        config: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": _HINTS.get(self.precision, self.around),
            "PERFORMANCE_HINT": "THROUGHPUT" if several else "LATENCY",
        }
        if self.device == "CPU":
            config["INFERENCE_NUM_THREADS"] = self.threads
            config["NUM_STREAMS"] = self.threads if several else 1
            # Photos are decoded and encoded on the same cores, so the system shall place the threads.
            config["ENABLE_CPU_PINNING"] = False
        return config


class Programs:
    """The programs of one model.

    Args:
        core: OpenVINO's core.
        setting: How they run.
        store: Where they are kept.
        what: What they depend on besides: weights, choices.
        name: The model's name, for messages.
    """

    def __init__(self, core: Any, setting: Setting, store: Store, what: Mapping[str, str], name: str) -> None:
        self._core, self._setting, self._store, self._name = core, setting, store, name
        self._what = dict(what)
        self._held: dict[tuple[str, bool], Any] = {}
        self._lock = threading.Lock()

    def get(self, shapes: str, make: Callable[[], Any], *, several: bool) -> Any:
        """A program for inputs of these shapes.

        Args:
            shapes: The shapes, in words.
            make: Makes the graph, where no program is kept.
            several: Whether photos come in numbers.

        Returns:
            An ``openvino.CompiledModel``.

        Raises:
            EngineError: OpenVINO cannot compile it.
        """
        with self._lock:
            program = self._held.pop((shapes, several), None)
            if program is None:
                program = self._kept(shapes, several) or self._made(shapes, make, several)
            self._held[shapes, several] = program
            while len(self._held) > MOST_HELD:
                self._held.pop(next(iter(self._held)))
            return program

    @property
    def exact(self) -> bool:
        """Whether numbers are those of the network itself, but for the order of sums."""
        return self._setting.precision == "fp32"

    @property
    def device(self) -> str:
        """Where they run, as ``--device`` calls it."""
        return self._setting.device.lower()

    def forget(self) -> None:
        """Gives the memory back."""
        with self._lock:
            self._held.clear()

    def _told(self, shapes: str, several: bool) -> dict[str, str]:
        config = {name: str(value) for name, value in self._setting.config(several=several).items()}
        return {
            **self._what,
            **config,
            "device": self._setting.device,
            "precision": self._setting.precision,
            "shapes": shapes,
        }

    def _kept(self, shapes: str, several: bool) -> Any | None:
        told = self._told(shapes, several)
        parts = self._store.get(told)
        if parts is None:
            return None
        try:
            return self._core.import_model(
                parts[0], self._setting.device, self._setting.config(several=several)
            )
        except RuntimeError:
            self._store.drop(told, why="cannot be read by this OpenVINO")
            return None

    def _made(self, shapes: str, make: Callable[[], Any], several: bool) -> Any:
        graph = make()
        try:
            program = self._core.compile_model(
                graph, self._setting.device, self._setting.config(several=several)
            )
        except RuntimeError as error:
            raise EngineError(
                f"openvino cannot compile {self._name!r} for {self._setting.device}: {first_words(error)}",
                hint="use another engine, or --fallback to have that done by itself",
            ) from error
        self._store.put(self._told(shapes, several), [program.export_model().getvalue()])
        return program
