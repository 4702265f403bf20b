"""Any ONNX file by reference: ``onnx:FILE``, with what it does not say of itself from a TOML file beside it or from the user."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, cast

from leadline.core.errors import InputError
from leadline.core.kind import Freedom, Kind
from leadline.ops.processing import Processing
from leadline.plugins.registry import load
from leadline.plugins.specs import Commercial, ModelSpec, ReferenceSpec, Stated, Weights

__all__ = ["OPENVINO", "REFERENCE", "resolve", "resolve_openvino"]

REFERENCE = ReferenceSpec(
    name="onnx",
    resolve="leadline.models.onnx_file:resolve",
    form="onnx:FILE",
    summary="an ONNX file of your own",
)

OPENVINO = ReferenceSpec(
    name="openvino",
    resolve="leadline.models.onnx_file:resolve_openvino",
    form="openvino:FILE",
    summary="an OpenVINO file (.xml, with its .bin) of your own",
)

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}
_LAYOUTS = {"NCHW": 1, "NHWC": 3}
"""Which axis holds the colours."""
_CHOICES = {
    "commercial": ("yes", "no", "unclear"),
    "resample": ("bilinear", "bicubic"),
    "way_back": ("antialiased", "linear", "cubic"),
}
_FLAGS = ("scale_needs_focal", "keeps_range")


@dataclass(frozen=True, slots=True)
class _Told:
    """What a TOML file beside the network may say; the user's word wins over it."""

    kind: str = ""
    unit: str = ""
    input_size: tuple[int, int] | None = None
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None
    layout: str = ""
    licence: str = ""
    commercial: str = "unclear"
    scale_needs_focal: bool = False
    resample: str = "bilinear"
    way_back: str = "antialiased"
    keeps_range: bool = False
    version: str = ""


def resolve(reference: str, *, stated: Stated) -> ModelSpec:
    """The spec of an ONNX file.

    A whole graph, such as leadline exports (8-bit photos in, depth at the photo's size out), needs only its kind and unit,
    and says them itself where leadline wrote it. Of any other network, what its input's shape does not tell must be said: kind, unit,
    input size, mean and standard deviation, layout.

    Args:
        reference: The path.
        stated: What the user says.

    Returns:
        The spec.

    Raises:
        InputError: There is no such file, something must be said, or the network takes or gives something else.
        EngineError: It is no ONNX file, or is damaged.
    """
    path = Path(reference).expanduser()
    if not path.is_file():
        raise InputError(f"there is no ONNX file {str(path)!r}", hint="check the path")
    return _spec(path, load("leadline.engines.onnxruntime:graph_of")(path), stated)


def resolve_openvino(reference: str, *, stated: Stated) -> ModelSpec:
    """The spec of a file of OpenVINO; what must be said of it is that of an ONNX file.

    Args:
        reference: The path of the ``.xml``; its ``.bin`` lies beside it.
        stated: What the user says.

    Returns:
        The spec.

    Raises:
        InputError: There is no such file, something must be said, or the network takes or gives something else.
        EngineError: It is no such file, or is damaged.
        MissingExtra: OpenVINO is not installed.
    """
    path = Path(reference).expanduser()
    for file in (path, path.with_suffix(".bin")):
        if not file.is_file():
            raise InputError(f"there is no OpenVINO file {str(file)!r}", hint="it takes both .xml and .bin")
    spec = _spec(path, load("leadline.engines.openvino.graphs:graph_of")(path), stated)
    return replace(spec, engines=("openvino",), summary=f"the OpenVINO file {path.name}")


def _spec(path: Path, graph: Any, stated: Stated) -> ModelSpec:
    told = _told_beside(path)
    kind = stated.kind or _kind(told.kind or graph.metadata.get("kind", ""), path)
    whole = "image" in graph.inputs and graph.inputs["image"][0] == "tensor(uint8)"
    if whole and _unit(graph, told, stated, kind, path, whole=True) != "m":
        raise InputError(
            f"{path.name!r} does all its processing itself, and then gives metres, not {stated.unit or told.unit}",
            hint="leave the unit out, or bring it to metres inside the graph",
        )
    return ModelSpec(
        name=path.stem,
        kind=kind,
        summary=f"the ONNX file {path.name}",
        weights=Weights(f"file:{path}"),
        licence=told.licence or "unknown: it is your file",
        commercial=Commercial(told.commercial),
        version=graph.metadata.get("version", "") or told.version,
        scale_needs_focal=told.scale_needs_focal or "focal_px" in graph.inputs,
        processing=None if whole else _processing(graph, told, stated, kind, path),
        says_uncertainty=False,
    )


def _kind(words: str, path: Path) -> Kind:
    if not words:
        raise InputError(
            f"nothing says what {path.name!r} predicts",
            hint=f'say it: --kind metric-depth (and so on), or kind = "metric-depth" in {path.stem}.toml beside it',
        )
    return Kind.parse(words)


def _told_beside(path: Path) -> _Told:
    beside = path.with_suffix(".toml")
    if not beside.is_file():
        return _Told()
    try:
        table = tomllib.loads(beside.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{str(beside)!r} cannot be read ({error})", hint="mend it, or move it away"
        ) from error
    known = {field.name for field in fields(_Told)}
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            raise InputError(
                f"{str(beside)!r} has an unknown key {key!r}",
                hint=f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}",
            )
    for key, choices in _CHOICES.items():
        if table.get(key, choices[0]) not in choices:
            raise InputError(
                f"{str(beside)!r}: {key} = {table[key]!r} is not {', '.join(choices[:-1])} or {choices[-1]}",
                hint="choose one",
            )
    return _Told(**{key: _checked(key, value, beside) for key, value in table.items()})


def _checked(key: str, value: Any, beside: Path) -> Any:
    wanted: Mapping[str, tuple[type, int]] = {"input_size": (int, 2), "mean": (float, 3), "std": (float, 3)}
    if key not in wanted:
        sound = isinstance(value, bool if key in _FLAGS else str)
    else:
        each, count = wanted[key]
        sound = isinstance(value, list) and len(value) == count
        sound = sound and all(isinstance(v, int | each) and not isinstance(v, bool) for v in value)
    if not sound:
        what = f"a list of {wanted[key][1]} numbers" if key in wanted else "of that type"
        raise InputError(f"{str(beside)!r}: {key} = {value!r} is not {what}", hint="see docs/models.md")
    return tuple(value) if key in wanted else value


def _processing(graph: Any, told: _Told, stated: Stated, kind: Kind, path: Path) -> Processing:
    if len(graph.inputs) != 1:
        raise InputError(
            f"{path.name!r} takes {len(graph.inputs)} inputs ({', '.join(graph.inputs)}), and only photos are given",
            hint="export it with one image input",
        )
    ((name, (number_type, shape)),) = graph.inputs.items()
    if number_type != "tensor(float)" or len(shape) != 4:
        raise InputError(
            f"{path.name!r} takes {name} {number_type} {shape}, not float photos of four axes",
            hint="export it with one float input of shape (N, 3, H, W) or (N, H, W, 3)",
        )
    layout = stated.layout or told.layout or _layout_of(shape)
    if layout not in _LAYOUTS:
        raise InputError(
            f"nothing says which axis of {path.name!r}'s input {shape} holds the colours",
            hint="say --layout NCHW or --layout NHWC",
        )
    colours = shape[_LAYOUTS[layout]]
    if isinstance(colours, int) and colours != 3:
        raise InputError(
            f"{path.name!r} takes an input of {shape}, {_layout_of(shape) or 'without three colours'}, not {layout}",
            hint="leave --layout out" if _layout_of(shape) else "export it with an input of three colours",
        )
    height, width = _size(shape, layout, told, stated, path)
    return Processing(
        height,
        width,
        stated.mean or told.mean or (0.0, 0.0, 0.0),
        stated.std or told.std or (1.0, 1.0, 1.0),
        cast(Literal["NCHW", "NHWC"], layout),
        output_scale=_METRES[_unit(graph, told, stated, kind, path)],
        resample=cast(Literal["bilinear", "bicubic"], told.resample),
        way_back=cast(Literal["antialiased", "linear", "cubic"], told.way_back),
        keeps_range=told.keeps_range,
    )


def _layout_of(shape: list[Any]) -> str:
    if shape[1] == 3:
        return "NCHW"
    return "NHWC" if shape[3] == 3 else ""


def _size(shape: list[Any], layout: str, told: _Told, stated: Stated, path: Path) -> tuple[int, int]:
    own = shape[2:] if layout == "NCHW" else shape[1:3]
    fixed = tuple(n if isinstance(n, int) and n > 0 else None for n in own)
    said = (stated.height, stated.width) if stated.height and stated.width else told.input_size
    size = tuple(mine or other for mine, other in zip(fixed, said or (None, None), strict=True))
    if None in size:
        raise InputError(
            f"{path.name!r} takes photos of any size, and nothing says which one it was trained on",
            hint="say --input-size HEIGHTxWIDTH",
        )
    if said is not None and tuple(said) != size:
        raise InputError(
            f"{path.name!r} takes {size[0]}x{size[1]} only, not {said[0]}x{said[1]}",
            hint="leave the size out",
        )
    return cast(tuple[int, int], size)


def _unit(graph: Any, told: _Told, stated: Stated, kind: Kind, path: Path, *, whole: bool = False) -> str:
    """The unit of a network's output; "m" where its kind has none.

    A whole graph that says what it predicts is of leadline's own form, and that is metres.
    """
    own = graph.metadata.get("unit", "m" if whole and "kind" in graph.metadata else "")
    unit = stated.unit or told.unit or own
    has_units = kind == Kind(along=kind.along)
    if not unit and kind.freedom is Freedom.NONE:
        choices = "--unit m, --unit cm or --unit mm" if has_units else "--unit m, for values in 1/m"
        raise InputError(
            f"nothing says in which unit {path.name!r} gives its {kind}",
            hint=f'say {choices}, or write unit = "m" (and so on) into {path.stem}.toml beside it',
        )
    if unit and unit not in _METRES:
        raise InputError(f"unit {unit!r} is not one of {', '.join(_METRES)}", hint="choose one")
    if unit not in ("", "m") and not has_units:
        raise InputError(
            f"{kind} has no unit {unit!r}: only metric depth is in {unit}", hint="leave the unit out"
        )
    return unit or "m"
