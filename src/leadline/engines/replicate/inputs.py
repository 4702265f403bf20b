"""A remote model's own inputs: what it takes, by its schema, and values as it wants them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from leadline.core.errors import EngineError, InputError, UnknownName

__all__ = ["Inputs"]

_PHOTO = "image"
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a version of a model takes.

    Args:
        model: The model, for messages.
        schemas: The schemas of its OpenAPI description, by name; empty where it has none, and then nothing is checked.
    """

    model: str
    schemas: Mapping[str, Any]

    @property
    def forms(self) -> dict[str, Mapping[str, Any]]:
        """The schema of each input, by its name."""
        own = self.schemas.get("Input", {}).get("properties", {})
        return {name: self._settled(form) for name, form in own.items()}

    def photo(self, stated: str) -> str:
        """The input that takes the photo.

        Args:
            stated: What the user says; empty for the one named ``image``, or the only one that takes a file.

        Returns:
            Its name.

        Raises:
            UnknownName: There is no such input.
            EngineError: It must be said which one.
        """
        forms = self.forms
        if stated:
            if forms and stated not in forms:
                raise UnknownName(f"input of {self.model}", stated, known=forms)
            return stated
        if not forms or _PHOTO in forms:
            return _PHOTO
        files = [name for name, form in forms.items() if form.get("format") == "uri"]
        if len(files) != 1:
            raise EngineError(
                f"nothing says which input of {self.model} takes the photo: {', '.join(files or forms)}",
                hint=f"say it: --input remote.photo={(files or list(forms))[0]}",
            )
        return files[0]

    def typed(self, values: Mapping[str, str | int | float]) -> dict[str, Any]:
        """Values as the model wants them.

        Args:
            values: As typed, by name.

        Returns:
            JSON values.

        Raises:
            UnknownName: The model has no such input.
            InputError: A value is of another type, or none of the model's choices.
        """
        forms = self.forms
        for name in values:
            if forms and name not in forms:
                raise UnknownName(f"input of {self.model}", name, known=forms)
        return {name: self._typed(name, str(value), forms.get(name, {})) for name, value in values.items()}

    def _typed(self, name: str, text: str, form: Mapping[str, Any]) -> Any:
        kind = str(form.get("type", ""))
        try:
            value = _READERS.get(kind, _guessed)(text)
        except ValueError as error:
            raise InputError(
                f"input {name} = {text!r} of {self.model} is no {kind}",
                hint=str(form.get("description") or f"give a value of type {kind}"),
            ) from error
        choices = form.get("enum")
        if choices and value not in choices:
            raise InputError(
                f"input {name} = {text!r} of {self.model} is not one of {', '.join(map(str, choices))}",
                hint="choose one",
            )
        return value

    def _settled(self, form: Mapping[str, Any]) -> Mapping[str, Any]:
        """A schema with what it refers to written out, and without the alternative that nothing is given."""
        settled = dict(form)
        for part in (*form.get("allOf", ()), *form.get("anyOf", ())):
            if part.get("type") != "null":
                settled |= self.schemas.get(str(part.get("$ref", "")).rpartition("/")[2], part)
        return settled


def _truth(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise ValueError(text)


def _guessed(text: str) -> Any:
    """Numbers, true, false, lists and objects as JSON has them; all else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


_READERS: Mapping[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": _truth,
    "string": str,
}
