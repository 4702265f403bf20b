"""Model weights: found in packages, fetched once into a cache, checked by their SHA-256."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Literal

from leadline._version import __version__
from leadline.core.errors import UnknownName, WeightsError
from leadline.io.checkpoints import complete, fetch_checkpoint, fetch_file, resolved_revision
from leadline.io.download import download
from leadline.io.kept_hashes import kept_sha256
from leadline.plugins.registry import load
from leadline.plugins.specs import Weights

__all__ = [
    "CachedWeights",
    "cache_folder",
    "cached",
    "clear",
    "fetch_config",
    "fingerprint",
    "locate",
    "pull",
    "sha256_of",
    "size_on_disk",
    "version_of",
]

Progress = Literal["bar", "none"]

_CONFIGS = ("config.json", "model_index.json")

_OURS = re.compile(
    r"[^/]+/(?:[0-9a-f]{16}(?:\.[^/]*)?|built-[0-9a-f]{12}/.+|(?P<begun>\.building-[^/]+/.+))"
    r"|hub--[^/]+/(?P<commit>[0-9a-f]{40}|[\w.-]+)/.+"
)
"""Paths below the cache that leadline writes: downloads, what functions made, and what they left when killed."""


@dataclass(frozen=True, slots=True)
class CachedWeights:
    """One file in the cache.

    Args:
        name: The model it belongs to.
        path: Where it is.
        size_bytes: How large it is.
        complete: False for a download that was interrupted and can be resumed.
    """

    name: str
    path: Path
    size_bytes: int
    complete: bool = True


def cache_folder() -> Path:
    """Where weights are kept: ``$LEADLINE_CACHE``, or the user's cache folder of this system."""
    told = os.environ.get("LEADLINE_CACHE")
    if told:
        return Path(told).expanduser() / "weights"
    from platformdirs import user_cache_path

    return user_cache_path("leadline", appauthor=False) / "weights"


def locate(weights: Weights, *, name: str, progress: Progress = "bar") -> Path:
    """The file of a model's weights, fetched or built first where it is not there yet.

    A file that ships in a package is checked by its SHA-256 each time (once a process while it does not change), a
    downloaded one when it is fetched and by its size afterwards.

    Args:
        weights: Where they are.
        name: The model's name.
        progress: Whether a download shows a bar on a terminal.

    Returns:
        The path.

    Raises:
        WeightsError: They are absent or damaged, or cannot be fetched; the message says what to fetch and where to
            put it.
        OutputError: The cache cannot be written.
    """
    scheme, _, rest = weights.source.partition(":")
    if scheme == "package":
        return _checked(_in_package(rest, name), weights, name)
    if scheme == "file":
        return _checked(_on_disk(rest, name), weights, name)
    if scheme == "folder":
        return _folder(rest, name)
    if scheme == "remote":
        return Path()
    if scheme == "code":
        return _built(rest, weights, name)
    return pull(weights, name=name, progress=progress)


def pull(weights: Weights, *, name: str, progress: Progress = "bar") -> Path:
    """Fetches a model's weights into the cache, resuming where an earlier download stopped.

    Args:
        weights: Where they are. What does not travel is only located.
        name: The model's name.
        progress: Whether a bar is shown on a terminal.

    Returns:
        The path in the cache.

    Raises:
        WeightsError: They cannot be fetched, or are not what their SHA-256 says; such a file is removed.
        OutputError: The cache cannot be written.
    """
    if weights.scheme not in ("http", "https", "hf"):
        return locate(weights, name=name, progress=progress)
    if weights.scheme == "hf":
        return fetch_checkpoint(weights, name=name, folder=_home_of(weights), bar=progress == "bar")
    path = _cached_path(weights, name)
    if path.is_file() and weights.size_bytes in (0, path.stat().st_size):
        return path
    path.unlink(missing_ok=True)
    return download(
        weights.source,
        path,
        sha256=weights.sha256,
        size_bytes=weights.size_bytes,
        name=name,
        bar=progress == "bar",
    )


def fetch_config(weights: Weights, *, name: str) -> Path:
    """The file that says what a checkpoint is, fetched alone where the checkpoint is not here.

    Args:
        weights: ``folder:PATH`` or ``hf:ORG/NAME``.
        name: The model, for messages.

    Returns:
        ``config.json`` of transformers, or ``model_index.json`` of diffusers.

    Raises:
        WeightsError: It is not there, or cannot be fetched.
    """
    if weights.scheme == "hf":
        return fetch_file(weights, *_CONFIGS, name=name, folder=_home_of(weights))
    folder = _folder(weights.source.partition(":")[2], name)
    there = [folder / file for file in _CONFIGS if (folder / file).is_file()]
    if not there:
        raise WeightsError(
            f"there is no {str(folder / _CONFIGS[0])!r}", hint="name a folder that save_pretrained wrote"
        )
    return there[0]


def _home_of(weights: Weights) -> Path:
    """Where checkpoints of a repository are kept, whatever name they are asked for by."""
    return cache_folder() / ("hub--" + weights.source.partition(":")[2].replace("/", "--"))


def _cached_path(weights: Weights, name: str) -> Path:
    suffix = Path(weights.source.partition("?")[0]).suffix
    return cache_folder() / name / f"{weights.sha256[:16]}{suffix}"


def _in_package(rest: str, name: str) -> Path:
    module, _, file = rest.partition("/")
    try:
        path = Path(str(files(module).joinpath(file)))
    except ModuleNotFoundError as error:
        raise WeightsError(
            f"weights of {name!r} are in package {module!r}, which is not installed", hint="install it"
        ) from error
    if not path.is_file():
        raise WeightsError(f"weights of {name!r} are not at {str(path)!r}", hint="install the package again")
    return path


def _on_disk(rest: str, name: str) -> Path:
    path = Path(rest.removeprefix("//")).expanduser()
    if not path.is_file():
        raise WeightsError(f"weights of {name!r} are not at {str(path)!r}", hint="check the path")
    return path


def _folder(rest: str, name: str) -> Path:
    path = Path(rest).expanduser()
    if not path.is_dir():
        raise WeightsError(f"the checkpoint of {name!r} is not at {str(path)!r}", hint="check the path")
    return path


def _checked(path: Path, weights: Weights, name: str) -> Path:
    found = sha256_of(path) if weights.sha256 else ""
    if found != weights.sha256:
        raise WeightsError(
            f"weights of {name!r} at {str(path)!r} have SHA-256 {found[:16]}…, not {weights.sha256[:16]}…",
            hint="the file is damaged or another one: install or copy it again",
        )
    return path


def _built(rest: str, weights: Weights, name: str) -> Path:
    """Weights made by a function, once for each state of its source."""
    import shutil
    import tempfile

    module = rest.partition(":")[0]
    source = getattr(import_module(module), "__file__", None)
    state = f"{weights.revision} {__version__} {sha256_of(Path(source)) if source else ''}"
    home = cache_folder() / name / f"built-{hashlib.sha256(state.encode()).hexdigest()[:12]}"
    ready = sorted(home.glob("*")) if home.is_dir() else []
    if ready:
        return ready[0]
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=home.parent) as folder:
        made = Path(load(rest)(Path(folder)))
        if not made.exists():
            raise WeightsError(
                f"{rest!r} made nothing for {name!r}", hint="return the path of the file or folder it wrote"
            )
        staged = Path(folder) / "ready"
        staged.mkdir()
        shutil.move(made, staged / made.name)
        if not home.is_dir():
            os.rename(staged, home)
    return next(iter(sorted(home.glob("*"))))


def cached() -> list[CachedWeights]:
    """What leadline put into the cache, by model; files of other shapes that lie there are left out.

    Returns:
        One entry a file, interrupted downloads among them.
    """
    folder = cache_folder()
    entries = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        below = path.relative_to(folder)
        ours = _OURS.fullmatch(below.as_posix())
        if ours is not None and path.is_file():
            whole = ours["begun"] is None and path.suffix != ".part"
            if ours["commit"] is not None:
                whole = complete(folder / below.parts[0] / below.parts[1])
            entries.append(CachedWeights(_called(below.parts[0]), path, path.stat().st_size, whole))
    return entries


def _called(folder: str) -> str:
    """What a folder of the cache belongs to: a model's name, or ``hf:ORG/NAME``."""
    return (
        "hf:" + folder.removeprefix("hub--").replace("--", "/", 1) if folder.startswith("hub--") else folder
    )


def clear(name: str | None = None) -> list[CachedWeights]:
    """Removes what leadline put into the cache, and folders that are empty then; other files stay.

    Args:
        name: Only this model's files; None takes all.

    Returns:
        What was removed.

    Raises:
        UnknownName: The cache holds nothing of that model.
    """
    entries = cached()
    removed = [entry for entry in entries if name in (None, entry.name)]
    if name is not None and not removed:
        raise UnknownName("cached model", name, known={entry.name for entry in entries})
    for entry in removed:
        entry.path.unlink(missing_ok=True)
        _drop_empty(entry.path.parent)
    return removed


def _drop_empty(folder: Path) -> None:
    """Removes a folder, and those around it up to the cache, as far as they are empty."""
    while folder != cache_folder() and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def fingerprint(path: Path) -> str:
    """What tells these weights from all others: the SHA-256 of a file, or that of a checkpoint's list of files.

    Hashes of large files are kept from one process to the next while the files stay as they were.

    Args:
        path: A file; a folder; or the empty path, of weights that are elsewhere.

    Returns:
        Lower-case hex; empty for weights that are elsewhere. OpenVINO's ``.xml`` goes with its ``.bin``. A folder's is the SHA-256 of the lines ``SHA-256  NAME`` of its
        files in order of their names, as ``sha256sum`` writes them.
    """
    if path == Path():
        return ""
    store = cache_folder().parent / "hashes.json"
    beside = path.with_suffix(".bin")
    if path.suffix == ".xml" and path.is_file() and beside.is_file():
        pair = "".join(f"{kept_sha256(file, store=store)}  {file.name}\n" for file in (beside, path))
        return hashlib.sha256(pair.encode()).hexdigest()
    if path.is_file():
        return kept_sha256(path, store=store)
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    lines = "".join(
        f"{kept_sha256(file, store=store)}  {file.relative_to(path).as_posix()}\n" for file in files
    )
    return hashlib.sha256(lines.encode()).hexdigest()


def size_on_disk(weights: Weights) -> int:
    """How large weights are that lie in a file or folder of the user's own.

    Args:
        weights: The record.

    Returns:
        Bytes; 0 of weights of another sort, or that are not there.
    """
    if weights.scheme not in ("file", "folder"):
        return 0
    path = Path(weights.source.partition(":")[2].removeprefix("//")).expanduser()
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def version_of(weights: Weights, path: Path) -> str:
    """The revision of weights that are here: what was asked for, or for a checkpoint of the hub what was got.

    Args:
        weights: The record.
        path: Where they are.

    Returns:
        A commit, tag or version; empty where there is none.
    """
    return resolved_revision(path) or weights.revision


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, worked out once a process while its size and time stay the same.

    Args:
        path: The file.

    Returns:
        Lower-case hex.
    """
    state = path.stat()
    return _sha256(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _sha256(path: Path, mtime_ns: int, size: int) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
