"""From what a user typed for a model to the model's spec."""

from __future__ import annotations

import os
from pathlib import Path

from leadline.core.errors import InputError, LeadlineError, UnknownName
from leadline.plugins.registry import MODELS, REFERENCES, load
from leadline.plugins.specs import ModelSpec, ReferenceSpec, Stated

__all__ = ["registered", "resolve_model"]

_INDEXES = ("config.json", "model_index.json")
"""What a checkpoint's folder holds: of transformers, and of diffusers."""

_FILES = {".onnx": "onnx", ".xml": "openvino"}
"""Files that are models by themselves, and who makes a spec of them."""


def resolve_model(name: str | os.PathLike[str] | ModelSpec, *, stated: Stated | None = None) -> ModelSpec:
    """The spec of a model.

    Args:
        name: A model's name; ``hf:ORG/NAME``, ``onnx:FILE`` or another known reference; the path of a
            checkpoint folder, of an ONNX file or of OpenVINO's ``.xml``; or a spec, which is given back.
        stated: What the user states of a model that does not say it itself.

    Returns:
        The spec.

    Raises:
        UnknownName: No model has that name, and it is no reference either.
        InputError: The reference cannot be followed, something must be stated, or something was stated of a model whose
            own record says it.
    """
    if isinstance(name, ModelSpec):
        return name
    if not isinstance(name, str | os.PathLike):
        raise InputError(
            f"{name!r} is no model: it is a {type(name).__name__}",
            hint="give a name ('leadline models'), a path or a spec",
        )
    name, given = os.fspath(name), stated or Stated()
    word, colon, rest = name.partition(":")
    if colon and word in REFERENCES.names():
        return _followed(word, rest, given)
    path = Path(name).expanduser()
    if path.is_dir() and any((path / file).is_file() for file in _INDEXES):
        return _followed(_recognised(path) or "hf", name, given)
    if path.suffix.lower() in _FILES and path.is_file():
        return _followed(_FILES[path.suffix.lower()], name, given)
    spec = registered(name)
    if given.kind is not None and given.kind != spec.kind:
        raise InputError(
            f"model {name!r} predicts {spec.kind}; it cannot be told to be {given.kind}",
            hint="leave the kind out, or convert the result",
        )
    return spec


def registered(name: str) -> ModelSpec:
    """The spec of a model in the list.

    Args:
        name: Its name.

    Returns:
        The spec.

    Raises:
        UnknownName: No model has that name; those of random weights are offered only where they are near.
        InputError: It is a path at which no model is.
    """
    try:
        return MODELS.get(name)
    except UnknownName as error:
        _refuse_path(Path(name).expanduser(), error)
        if "/" not in name and ":" not in name:
            random = [spec.name for spec in MODELS.sound() if spec.weights.scheme == "code"]
            raise UnknownName("model", name, known=MODELS.names(), hidden=random) from error
        forms = ", ".join(REFERENCES.get(word).form for word in REFERENCES.names())
        raise InputError(
            f"model {name!r} is no model's name, no folder with a config.json and no ONNX or OpenVINO file that is here",
            hint=f"check the path, or use one of {forms}",
        ) from error


def _refuse_path(path: Path, cause: UnknownName) -> None:
    """Says of a path that is no model's why not."""
    if path.is_dir():
        raise InputError(
            f"folder {str(path)!r} holds no {' or '.join(_INDEXES)}, so that it is no checkpoint",
            hint="name the folder that save_pretrained wrote, or a model: 'leadline models' lists them",
        ) from cause
    if path.is_file():
        raise InputError(
            f"{str(path)!r} is no ONNX file by its name and no folder of a checkpoint",
            hint="name an .onnx file, a checkpoint's folder, or a model: 'leadline models' lists them",
        ) from cause
    if path.suffix.lower() == ".onnx":
        raise InputError(f"there is no file {str(path)!r}", hint="check the path") from cause


def _recognised(folder: Path) -> str:
    """The first reference that knows the checkpoint in a folder for its own; empty where none does."""
    for spec in REFERENCES.sound():
        if spec.recognise and _looks(spec, folder):
            return spec.name
    return ""


def _looks(spec: ReferenceSpec, folder: Path) -> bool:
    try:
        return bool(load(spec.recognise)(folder))
    except LeadlineError:
        raise
    except Exception as error:
        # Another package's code runs here and may raise anything; it is told as what it is.
        raise InputError(
            f"{spec.name!r} of {REFERENCES.origin(spec.name)} cannot look into {str(folder)!r}: {type(error).__name__}: {error}",
            hint="mend, update or uninstall that package",
        ) from error


def _followed(word: str, rest: str, stated: Stated) -> ModelSpec:
    if not rest:
        raise InputError(f"'{word}:' names no model", hint=f"give {REFERENCES.get(word).form}")
    spec: ModelSpec = load(REFERENCES.get(word).resolve)(rest, stated=stated)
    return spec
