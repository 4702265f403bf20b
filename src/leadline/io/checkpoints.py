"""Checkpoints on the Hugging Face hub: a folder of files, fetched once, resumed, checked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from leadline.core.errors import OutputError, WeightsError
from leadline.io.download import download
from leadline.plugins.need import need
from leadline.plugins.specs import Weights

__all__ = ["complete", "fetch_checkpoint", "fetch_file", "resolved_revision"]

WANTED = ("*.json", "*.safetensors", "*merges.txt")
"""What is fetched: configurations, weights that hold numbers alone, and the one text that a tokenizer needs. Pickled weights
are never fetched, for unpacking them runs whatever code they hold."""

UNWANTED = ("*.fp16.safetensors", "*.bf16.safetensors", "*.non_ema.safetensors")
"""What is left out of it: second copies of the weights, in half precision or of another state of training."""

_DONE = ".leadline-complete"


def fetch_checkpoint(weights: Weights, *, name: str, folder: Path, bar: bool) -> Path:
    """Fetches a checkpoint into a folder, going on where an earlier download stopped.

    The hub's own SHA-256 of every large file is compared, besides the one in the record where there is one.

    Args:
        weights: ``hf:ORG/NAME`` with a revision, or none for the newest.
        name: The model, for messages.
        folder: Where the model's checkpoints are kept; each revision has a folder of its own.
        bar: Whether bars are shown on a terminal.

    Returns:
        The checkpoint's folder.

    Raises:
        MissingExtra: huggingface_hub is not installed.
        WeightsError: It cannot be fetched; the message says what to fetch and how.
        OutputError: The cache cannot be written.
    """
    there = _here(weights, folder)
    if there is not None:
        return there
    hub = need("huggingface_hub", who=f"fetching {name!r}", extra="transformers")
    with _translated(weights, name), _bars(bar):
        info = hub.HfApi(endpoint=_endpoint()).model_info(
            _repo(weights), revision=weights.revision or None, files_metadata=True, timeout=30
        )
        _check_room(folder, info, name)
        target = folder / str(info.sha)
        for file in info.siblings or ():
            if _wanted(file.rfilename):
                _fetch(hub, weights, file, target, name=name, bar=bar)
    _check_hashes(target, info, weights, name)
    shutil.rmtree(target / ".cache", ignore_errors=True)
    (target / _DONE).write_text(f"{info.sha}\n{weights.revision}\n")
    return target


def _fetch(hub: Any, weights: Weights, file: Any, target: Path, *, name: str, bar: bool) -> None:
    """One file: a small one by the hub's client, a large one by ours, which goes on where an earlier call stopped."""
    from huggingface_hub.utils import build_hf_headers as hub_headers

    repo, commit = _repo(weights), target.name
    if file.lfs is None:
        hub.hf_hub_download(repo, file.rfilename, revision=commit, local_dir=target, endpoint=_endpoint())
        return
    path = target / file.rfilename
    if path.is_file() and path.stat().st_size == file.lfs.size:
        return
    address = hub.hf_hub_url(repo, file.rfilename, revision=commit, endpoint=_endpoint())
    place = hub.get_hf_file_metadata(address).location
    # Large files lie elsewhere, at a signed address; a token goes to the hub itself and to nobody else.
    same = urlsplit(place).netloc == urlsplit(address).netloc
    headers = {key.lower(): value for key, value in hub_headers().items()} if same else {}
    download(
        place,
        path,
        sha256=file.lfs.sha256,
        size_bytes=file.lfs.size,
        name=name,
        bar=bar,
        headers={"Authorization": headers["authorization"]} if "authorization" in headers else {},
        shown=address,
    )


def fetch_file(weights: Weights, *files: str, name: str, folder: Path) -> Path:
    """Fetches one small file of a checkpoint, or takes it from where the checkpoint is already.

    Args:
        weights: ``hf:ORG/NAME``.
        files: Names such as ``config.json``; the first that the checkpoint has.
        name: The model, for messages.
        folder: Where the model's checkpoints are kept.

    Returns:
        The file.

    Raises:
        MissingExtra: huggingface_hub is not installed.
        WeightsError: It cannot be fetched.
    """
    there = _here(weights, folder)
    for file in files:
        if there is not None and (there / file).is_file():
            return there / file
    hub = need("huggingface_hub", who=f"fetching {name!r}", extra="transformers")
    with _translated(weights, name), _bars(False):
        info = hub.HfApi(endpoint=_endpoint()).model_info(
            _repo(weights), revision=weights.revision or None, timeout=30
        )
        offered = {sibling.rfilename for sibling in info.siblings or ()}
        file = next((file for file in files if file in offered), files[0])
        return Path(
            hub.hf_hub_download(
                _repo(weights),
                file,
                revision=info.sha,
                local_dir=folder / str(info.sha),
                endpoint=_endpoint(),
            )
        )


def complete(folder: Path) -> bool:
    """Whether a folder of the cache is a checkpoint that was fetched to its end.

    Args:
        folder: The folder of one revision.
    """
    return (folder / _DONE).is_file()


def resolved_revision(path: Path) -> str:
    """The commit that a fetched checkpoint is of.

    Args:
        path: The checkpoint's folder.

    Returns:
        The commit; empty for other folders and files.
    """
    try:
        return (path / _DONE).read_text().splitlines()[0]
    except (OSError, IndexError):
        return ""


def _here(weights: Weights, folder: Path) -> Path | None:
    """The checkpoint where it is complete: of the revision asked for, or the newest that was fetched."""
    found = sorted(folder.glob(f"*/{_DONE}"), key=lambda mark: mark.stat().st_mtime, reverse=True)
    for mark in found:
        asked = mark.read_text().splitlines()[1:2] == [weights.revision]
        if asked or mark.parent.name == weights.revision or not weights.revision:
            return mark.parent
    return None


def _repo(weights: Weights) -> str:
    return weights.source.partition(":")[2]


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


def _check_room(folder: Path, info: Any, name: str) -> None:
    size = sum(file.size or 0 for file in info.siblings or () if _wanted(file.rfilename))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise OutputError(
            f"{str(folder)!r} cannot be written: {error.strerror}",
            hint="set LEADLINE_CACHE to another folder",
        ) from error
    if free < size:
        raise OutputError(
            f"{name!r} needs {size / 1e6:,.0f} MB, and {str(folder)!r} has {free / 1e6:,.0f} MB free",
            hint="free some space, or set LEADLINE_CACHE to another folder",
        )


def _wanted(file: str) -> bool:
    return any(fnmatch(file, wanted) for wanted in WANTED) and not any(
        fnmatch(file, unwanted) for unwanted in UNWANTED
    )


def _check_hashes(target: Path, info: Any, weights: Weights, name: str) -> None:
    from leadline.io.weights import sha256_of

    large = {file.rfilename: file.lfs.sha256 for file in info.siblings or () if file.lfs is not None}
    tensors = [file for file in large if file.endswith(".safetensors")]
    if not any(target.rglob("*.safetensors")):
        raise WeightsError(
            f"{_repo(weights)!r} holds no .safetensors file, and pickled weights are not opened",
            hint="convert it: save_pretrained(..., safe_serialization=True), then name the folder",
        )
    if weights.sha256 and len(tensors) == 1:
        large[tensors[0]] = weights.sha256
    for file, due in large.items():
        path = target / file
        if path.is_file() and sha256_of(path) != due:
            path.unlink()
            raise WeightsError(
                f"{file!r} of {name!r} is not what its SHA-256 says ({due[:16]}…); it was removed",
                hint=f"fetch it again: leadline models pull {name}",
            )


@contextmanager
def _bars(shown: bool) -> Iterator[None]:
    from huggingface_hub import utils

    before = utils.are_progress_bars_disabled()
    if not shown:
        utils.disable_progress_bars()
    try:
        yield
    finally:
        if not before:
            utils.enable_progress_bars()


@contextmanager
def _translated(weights: Weights, name: str) -> Iterator[None]:
    """What the hub and the way there raise, as one line with the next step."""
    from huggingface_hub import errors

    repo = _repo(weights)
    how = f"on a machine with a network: hf download {repo} --local-dir FOLDER, then --model FOLDER"
    try:
        yield
    except errors.GatedRepoError as error:
        raise WeightsError(
            f"{repo!r} is gated: its terms must be accepted first",
            hint=f"accept them at https://huggingface.co/{repo}, then set HF_TOKEN or run hf auth login",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise WeightsError(
            f"{repo!r} has no revision {weights.revision!r}", hint="leave it out, or look at its page"
        ) from error
    except (errors.RepositoryNotFoundError, errors.EntryNotFoundError) as error:
        raise WeightsError(
            f"the hub has no {repo!r} that can be read without a token, or it lacks a file",
            hint=f"check the name at https://huggingface.co/{repo}; for a private one set HF_TOKEN",
        ) from error
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError) as error:
        raise WeightsError(f"{name!r} is not here, and the network is switched off", hint=how) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no"
        if status in (401, 403):
            raise WeightsError(
                f"the hub wants a token for {repo!r}, or another one ({status})",
                hint="set HF_TOKEN, or run hf auth login",
            ) from error
        raise WeightsError(
            f"the hub answered {status} for {repo!r}", hint=f"try again later, or {how}"
        ) from error
    except OSError as error:
        if isinstance(error, (WeightsError, OutputError)):
            raise
        if isinstance(error, (TimeoutError, ConnectionError)):
            raise WeightsError(
                f"{name!r} is not here and the hub cannot be reached ({type(error).__name__})", hint=how
            ) from error
        raise OutputError(
            f"{name!r} cannot be written to the cache: {error}",
            hint="free some space, or set LEADLINE_CACHE to another folder",
        ) from error
    except Exception as error:
        # The hub's client raises its HTTP library's own errors, and that library changes with its version.
        if not type(error).__module__.startswith("http"):
            raise
        raise WeightsError(
            f"{name!r} is not here and the hub cannot be reached ({type(error).__name__})", hint=how
        ) from error
