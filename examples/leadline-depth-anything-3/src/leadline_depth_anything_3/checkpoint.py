"""Checkpoints of Depth Anything 3: ``config.json`` and ``model.safetensors``, as its own class writes them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leadline.core.errors import EngineError, WeightsError

__all__ = ["load_weights", "model_name", "published_network", "quiet"]

_CONFIG = "config.json"
_WEIGHTS = "model.safetensors"


def model_name(folder: Path) -> str:
    """Which of the family's networks a checkpoint is of.

    Args:
        folder: The checkpoint.

    Returns:
        ``model_name`` of its ``config.json``, such as ``"da3metric-large"``.

    Raises:
        WeightsError: There is no such file, or it cannot be read.
        EngineError: It names no network.
    """
    path = folder / _CONFIG
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{str(path)!r} cannot be read ({error})", hint="fetch or copy the checkpoint again"
        ) from error
    name = config.get("model_name") if isinstance(config, dict) else None
    if not isinstance(name, str):
        raise EngineError(
            f"{str(path)!r} names no network of Depth Anything 3: it has no model_name",
            hint="name a checkpoint that DepthAnything3.save_pretrained wrote",
        )
    return name


def published_network(name: str) -> Any:
    """One of the networks that depth-anything-3 has, with fresh weights.

    Args:
        name: Its name there: ``"da3metric-large"``.

    Returns:
        The ``torch.nn.Module``.

    Raises:
        EngineError: The installed version has none of that name.
    """
    with quiet():
        from depth_anything_3.cfg import create_object, load_config
        from depth_anything_3.registry import MODEL_REGISTRY

        if name not in MODEL_REGISTRY:
            raise EngineError(
                f"depth-anything-3 has no network {name!r}", hint=f"it has {', '.join(MODEL_REGISTRY)}"
            )
        return create_object(load_config(MODEL_REGISTRY[name]))


def load_weights(module: Any, folder: Path) -> None:
    """Fills a network with a checkpoint's weights: all of them, of the right shapes.

    Args:
        module: The network; the names of its weights are those of the file.
        folder: The checkpoint.

    Raises:
        WeightsError: The file is absent, damaged or cut short, or weights are missing or of other shapes.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    path = folder / _WEIGHTS
    try:
        _check_shapes(module, _shapes(path), path)
        missing, _ = load_model(module, path, strict=False)
    except (SafetensorError, OSError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(
            f"the weights at {str(path)!r} are absent, damaged or cut short ({error})",
            hint="fetch or copy them again",
        ) from error
    if missing:
        raise WeightsError(
            f"{str(path)!r} lacks {len(missing)} of the network's weights, such as {min(missing)!r}",
            hint="fetch it again, or check that config.json belongs to these weights",
        )


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    from safetensors import safe_open

    with safe_open(path, "pt") as held:
        return {name: tuple(held.get_slice(name).get_shape()) for name in held.keys()}  # noqa: SIM118  # no mapping


def _check_shapes(module: Any, held: Mapping[str, tuple[int, ...]], path: Path) -> None:
    for name, weight in module.state_dict().items():
        if held.get(name, tuple(weight.shape)) != tuple(weight.shape):
            raise WeightsError(
                f"{name!r} in {str(path)!r} has the shape {held[name]}, and the network wants {tuple(weight.shape)}",
                hint="check that config.json belongs to these weights",
            )


@contextmanager
def quiet() -> Iterator[None]:
    """Without what depth-anything-3 prints to standard output and what its packages warn of when they are loaded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from depth_anything_3.utils.logger import LOG_LEVELS, logger

        before, logger.level = logger.level, LOG_LEVELS["ERROR"]
        try:
            yield
        finally:
            logger.level = before
