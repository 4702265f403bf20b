"""``torch.compile`` with programs that are kept for the next time."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import torch

from leadline.io.weights import cache_folder

__all__ = ["Programs", "why_not"]

_FOLDER = "TORCHINDUCTOR_CACHE_DIR"
_LIST = "leadline.json"


def why_not(device: str) -> str:
    """Why networks cannot be compiled here.

    Args:
        device: Where they would run.

    Returns:
        A few words, or nothing where they can.
    """
    if device.startswith("mps"):
        return "PyTorch does not compile for Apple GPUs well enough"
    if device.startswith("cuda"):
        return "" if _has_triton() else "the package triton is not installed"
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except (InvalidCxxCompiler, RuntimeError):
        return "there is no C++ compiler (install g++ or clang, or set CXX)"
    return ""


def _has_triton() -> bool:
    from torch.utils._triton import has_triton

    return bool(has_triton())


class Programs:
    """The folder in which compiled programs are kept, in leadline's cache; one a build of PyTorch and a processor.

    PyTorch reads what it finds there without a doubt, so what was written is listed with its hashes, and a folder that does
    not agree with its list is removed before PyTorch sees it.

    Args:
        home: The cache; leadline's own where None.
    """

    def __init__(self, *, home: Path | None = None) -> None:
        self._home = home or cache_folder().parent / "compiled"
        capability = torch.backends.cpu.get_cpu_capability().replace(" ", "-")
        self.folder = self._home / f"torch-{torch.__version__}-{capability}"

    def open(self) -> tuple[str, ...]:
        """Removes what is stale or broken and points PyTorch to the folder.

        Returns:
            A sentence on each thing that was removed.
        """
        remarks = [
            f"programs compiled by {old.name} were stale and are removed: {str(old)!r}"
            for old in self._others()
        ]
        for old in self._others():
            shutil.rmtree(old, ignore_errors=True)
        if self._broken():
            self.clear()
            remarks.append(
                f"the kept programs in {str(self.folder)!r} were broken and are removed; they are made anew"
            )
        # It says on every machine without a GPU that there is none.
        logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
        self.folder.mkdir(parents=True, exist_ok=True)
        os.environ[_FOLDER] = str(self.folder)
        return tuple(remarks)

    def keep(self) -> None:
        """Lists what is there now, with its hashes."""
        files = {file.relative_to(self.folder).as_posix(): _hash(file) for file in self._files()}
        part = self.folder / f".{_LIST}.{os.getpid()}"
        part.write_text(json.dumps(files))
        part.replace(self.folder / _LIST)

    def clear(self) -> None:
        """Removes all that is kept for this build and processor."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _others(self) -> list[Path]:
        found = sorted(self._home.glob("torch-*")) if self._home.is_dir() else []
        return [folder for folder in found if folder != self.folder]

    def _files(self) -> list[Path]:
        return [file for file in sorted(self.folder.rglob("*")) if file.is_file() and _LIST not in file.name]

    def _broken(self) -> bool:
        listed = self.folder / _LIST
        if not listed.is_file():
            return False  # another process may be at its first program right now
        try:
            known: dict[str, Any] = dict(json.loads(listed.read_text()))
        except (ValueError, OSError, TypeError):
            return True
        return any(_hash(self.folder / name) != value for name, value in known.items())


def _hash(file: Path) -> str:
    try:
        return hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return ""
