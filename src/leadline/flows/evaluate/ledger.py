"""The rows of an evaluation on disk: added as they come, found again when it goes on."""

from __future__ import annotations

import errno
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from leadline.core.errors import InputError
from leadline.core.results import ModelRecord
from leadline.flows.data.collection import Collection
from leadline.flows.data.fingerprint import state_of
from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.records import Row
from leadline.flows.evaluate.row_files import line_of, row_of
from leadline.io.atomic import output_error, write_whole

__all__ = ["Identity", "Ledger", "RowFile"]

MANIFEST = "evaluation.json"
ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Identity:
    """What the rows of one folder have in common.

    Args:
        protocol: The protocol's name.
        fingerprint: Its fingerprint.
        dataset: The dataset's layout.
        options: What it was opened with.
        samples: How many samples were chosen.
        ids: SHA-256 of their ids in order.
        files: What changes when a file of theirs does.
    """

    protocol: str
    fingerprint: str
    dataset: str
    options: Mapping[str, str]
    samples: int
    ids: str
    files: str

    @classmethod
    def of(cls, protocol: Protocol, collection: Collection) -> Identity:
        """That of samples scored under a protocol.

        Args:
            protocol: The protocol.
            collection: The samples.
        """
        ids = "\n".join(entry.id for entry in collection.entries)
        return cls(
            protocol.name,
            protocol.fingerprint,
            collection.spec.name,
            {key: str(value) for key, value in sorted(collection.options.items())},
            len(collection),
            hashlib.sha256(ids.encode()).hexdigest(),
            state_of(collection),
        )


class Ledger:
    """A folder that holds one evaluation: a manifest, and a file of rows a model.

    Args:
        folder: The folder; made where it is not there.
        identity: What its rows have in common.

    Raises:
        InputError: It holds another evaluation.
        OutputError: It cannot be written.
    """

    def __init__(self, folder: Path, identity: Identity) -> None:
        self.folder, self.identity = folder, identity
        there = _read(folder / MANIFEST)
        if there is not None and there.get("identity") != asdict(identity):
            raise InputError(
                _differs(folder, there.get("identity") or {}, asdict(identity)), hint="name another --out"
            )
        self.write_manifest({})

    def rows_of(self, model: ModelRecord, choices: Mapping[str, str], *, again: bool) -> RowFile:
        """The rows of a model, for reading those that are there and adding more.

        Args:
            model: Who predicts; another version, other weights or another engine are another file.
            choices: What else decides its numbers.
            again: Whether those that are there are put away first.

        Returns:
            The file, to be used in a ``with`` block.
        """
        state = json.dumps([asdict(model), sorted(choices.items())], sort_keys=True)
        name = re.sub(r"[^\w.-]+", "-", model.name).strip("-.") or "model"
        path = self.folder / ROWS / f"{name}-{hashlib.sha256(state.encode()).hexdigest()[:10]}.jsonl"
        if again:
            path.unlink(missing_ok=True)
        return RowFile(path)

    def write_manifest(self, more: Mapping[str, Any]) -> None:
        """Writes what the folder holds, whole or not at all.

        Args:
            more: Plain JSON values besides the identity.
        """
        with write_whole(self.folder / MANIFEST) as part:
            part.write_text(json.dumps({"identity": asdict(self.identity), **more}, indent=1) + "\n", "utf-8")


class RowFile:
    """Rows of one model, one a line; what is added is on disk at once.

    Args:
        path: The file. A last line that was cut short is left out, and written over by the next row.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self.rows: dict[str, Row] = {}

    def __enter__(self) -> RowFile:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._load()
            self._file = self._path.open("ab", buffering=0)
        except OSError as error:
            raise output_error(self._path, error) from error
        return self

    def add(self, row: Row) -> None:
        """Adds a row; one that was skipped before is replaced.

        Args:
            row: The row.

        Raises:
            OutputError: The disk is full.
        """
        assert self._file is not None
        try:
            line = f"{line_of(row)}\n".encode()
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, "no space left")
        except OSError as error:
            raise output_error(self._path, error) from error
        self.rows[row.sample] = row

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def _load(self) -> None:
        if not self._path.is_file():
            return
        with self._path.open("r+b") as file:
            whole, end, cut = file.read().rpartition(b"\n")
            if cut:
                file.truncate(len(whole) + len(end))
        for number, line in enumerate(whole.decode(errors="replace").splitlines(), 1):
            try:
                row = row_of(line)
            except InputError as error:
                raise InputError(
                    f"line {number} of {str(self._path)!r} is {error.message}", hint=error.hint
                ) from error
            self.rows[row.sample] = row


def _read(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        there = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{str(path)!r} is no manifest of an evaluation ({error})", hint="name another --out"
        ) from error
    if not isinstance(there, dict) or "identity" not in there:
        raise InputError(f"{str(path)!r} is no manifest of an evaluation", hint="name another --out")
    return there


_HASHED = {"ids": "of other samples", "files": "of other files", "fingerprint": "of another protocol"}
"""Words for what differs where the values themselves say nothing to a person."""


def _differs(folder: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    differing = [key for key in here if there.get(key) != here[key]]
    told = [
        _HASHED[key] if key in _HASHED else f"{key} {there.get(key)!r}, not {here[key]!r}"
        for key in differing
    ]
    return f"{str(folder)!r} holds another evaluation: {'; '.join(told[:2])}"
