"""Protocols as TOML files: those that ship, locked, and the user's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from leadline.core.errors import InputError, UnknownName
from leadline.flows.evaluate.protocol import Aggregate, Protocol

__all__ = ["default_protocol", "list_protocols", "load_protocol", "lock_of", "protocol_names"]

_ROOM = "leadline.data.protocols"
_LOCKS = "locks.toml"
_EITHER = {"nyu-eigen": ("nyu-eigen-filled", "nyu-eigen-raw")}
"""Short names that mean one protocol or another, by the truth that is asked for."""


def protocol_names() -> tuple[str, ...]:
    """Names of the protocols that ship.

    Example:
        >>> "nyu-eigen-filled" in protocol_names()
        True
    """
    found = (entry.name for entry in resources.files(_ROOM).iterdir())
    return tuple(
        sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml") and name != _LOCKS)
    )


def list_protocols() -> tuple[Protocol, ...]:
    """Every protocol that ships, with its variants for particular datasets.

    Returns:
        Protocols in order of their names.
    """
    return tuple(protocol for name in protocol_names() for protocol in _with_variants(name))


def load_protocol(
    name: str,
    *,
    dataset: str = "",
    options: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Protocol:
    """A protocol by name, as it holds for a dataset.

    Args:
        name: A name of ``protocol_names()``, ``NAME/DATASET`` for its variant for a dataset, or the path of a TOML file of the
            same form. ``"nyu-eigen"`` is the filled or the raw one, as ``options`` say.
        dataset: The dataset's layout: protocols that differ between datasets take their variant for it.
        options: What the dataset is opened with.
        changes: Fields changed by hand; they go into the name.

    Returns:
        The protocol. One that ships and whose file was edited bears the first letters of its fingerprint behind its name.

    Raises:
        UnknownName: There is no such protocol or field.
        InputError: The file is no protocol, or a value is none of its field.
    """
    said = {key: str(value) for key, value in (options or {}).items()}
    if name in _EITHER:
        name = _EITHER[name][said.get("truth") == "raw"]
    stem, slash, variant = name.partition("/")
    if slash and stem in protocol_names():
        name, dataset = stem, _known_variant(stem, variant)
    if name in protocol_names():
        protocol = _locked(_for_dataset(name, _shipped(name), dataset))
    else:
        path = Path(name)
        if path.suffix != ".toml" or not path.is_file():
            raise UnknownName("protocol", name, known=(*protocol_names(), *_EITHER))
        protocol = _locked(_for_dataset(path.stem, _tree(path.read_text("utf-8"), name), dataset))
    return protocol.changed(changes or {})


_DEFAULTS = {
    "nyu": "nyu-eigen",
    "kitti": "kitti-eigen-garg",
    "sunrgbd": "sunrgbd",
    "eth3d": "eth3d",
    "scannet": "scannet",
    "diode/indoors": "diode-indoor",
    "diode/outdoor": "diode-outdoor",
}


def default_protocol(dataset: str, options: Mapping[str, Any]) -> str:
    """The protocol that a dataset is scored under where none is named: its own, of metres as they are.

    Args:
        dataset: The layout.
        options: What it is opened with.

    Returns:
        The name.

    Raises:
        InputError: The dataset has none.

    Example:
        >>> default_protocol("diode", {"part": "indoors"})
        'diode-indoor'
    """
    part = options.get("part", "")
    name = _DEFAULTS.get(f"{dataset}/{part}" if part else dataset)
    if name is None:
        raise InputError(
            f"dataset {dataset!r} has no protocol of its own",
            hint="take one for any data, such as -p nyu-eigen-filled --set dataset=any --set crop=none, or another: "
            f"{', '.join(protocol_names())}",
        )
    return name


def lock_of(name: str) -> str:
    """The fingerprint that a protocol that ships is locked to; empty for those that do not ship.

    Args:
        name: Its name, with ``/DATASET`` for a variant.
    """
    locks = tomllib.loads(resources.files(_ROOM).joinpath(_LOCKS).read_text("utf-8"))
    return str(locks.get(name, ""))


def _locked(protocol: Protocol) -> Protocol:
    """The protocol under its name, if it is what the name promises; else with a mark behind it."""
    lock = lock_of(protocol.name)
    if not lock or lock == protocol.fingerprint:
        return protocol
    return replace(protocol, name=f"{protocol.name}~{protocol.fingerprint[:8]}")


def _shipped(name: str) -> dict[str, Any]:
    return _tree(resources.files(_ROOM).joinpath(f"{name}.toml").read_text("utf-8"), name)


def _tree(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"protocol {where!r} is not TOML: {error}", hint="correct that line") from error


def _known_variant(name: str, dataset: str) -> str:
    known = _shipped(name).get("variants", {})
    if dataset not in known:
        raise UnknownName(f"variant of protocol {name}", dataset, known=known)
    return dataset


def _with_variants(name: str) -> list[Protocol]:
    tree = _shipped(name)
    datasets = ("", *tree.get("variants", {}))
    return [_locked(_for_dataset(name, tree, dataset)) for dataset in datasets]


def _for_dataset(name: str, tree: dict[str, Any], dataset: str) -> Protocol:
    own = {key: value for key, value in tree.items() if key != "variants"}
    variants = tree.get("variants", {})
    if dataset in variants:
        own |= {**variants[dataset], "dataset": dataset}
        name = f"{name}/{dataset}"
    return _record(name, own)


def _record(name: str, tree: dict[str, Any]) -> Protocol:
    known = {item.name: item for item in fields(Protocol) if item.name != "name"}
    for key in tree:
        if key not in known:
            raise UnknownName(f"field of protocol {name}", key, known=known)
    lacking = [key for key, item in known.items() if _required(item) and key not in tree]
    if lacking:
        raise InputError(
            f"protocol {name!r} lacks {', '.join(lacking)}", hint="see those that ship: leadline protocols"
        )
    return Protocol(name, **{key: _value(name, key, value) for key, value in tree.items()})


def _required(item: Any) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


_TYPES: dict[str, Any] = {
    "metrics": list,
    "options": dict,
    "clamp": bool,
    "flip": bool,
    "eight_bit": bool,
    **dict.fromkeys(("near_m", "far_m", "data_range_m"), (int, float)),
}


def _value(name: str, key: str, value: Any) -> Any:
    wanted = _TYPES.get(key, str)
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise InputError(
            f"protocol {name!r}: {key} = {value!r} is of another type", hint="see those that ship"
        )
    if key == "aggregate" and value not in get_args(Aggregate):
        raise UnknownName("aggregate", value, known=get_args(Aggregate))
    if wanted is list:
        return tuple(str(item) for item in value)
    return float(value) if wanted == (int, float) else value
