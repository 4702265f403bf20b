"""Choices of models' own; where several models are asked at once, each takes those that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadline.core.errors import UnknownName
from leadline.plugins.specs import ModelSpec

__all__ = ["check_inputs", "choices_of", "inputs_of"]


def check_inputs(inputs: Mapping[str, str], specs: Sequence[ModelSpec]) -> None:
    """Refuses a choice that none of the models has.

    Args:
        inputs: Values by name, as typed.
        specs: The models.

    Raises:
        UnknownName: None of them has it.
    """
    known = [option.name for spec in specs for option in spec.options]
    for name in inputs:
        if name not in known:
            raise UnknownName(f"input of {', '.join(spec.name for spec in specs)}", name, known=known)


def inputs_of(spec: ModelSpec, inputs: Mapping[str, str]) -> dict[str, str]:
    """The choices that a model has, of those that were made.

    Args:
        spec: The model.
        inputs: Values by name, as typed.

    Returns:
        Its own.
    """
    return {option.name: inputs[option.name] for option in spec.options if option.name in inputs}


def choices_of(spec: ModelSpec, inputs: Mapping[str, str | int | float]) -> dict[str, str | int | float]:
    """The choices that were made of one model, as its engine is told them.

    Args:
        spec: The model.
        inputs: Values by name, typed or not.

    Returns:
        Values of the options' own types.

    Raises:
        UnknownName: The model has no such choice.
        InputError: A value is none of its option's.
    """
    options = {option.name: option for option in spec.options}
    for name in inputs:
        if name not in options:
            raise UnknownName(f"input of model {spec.name!r}", name, known=options)
    return {name: options[name].parse(value) for name, value in inputs.items()}
