"""HTML pages from templates."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from leadline.io.atomic import write_whole

__all__ = ["render_page", "write_page"]

_ROOM = "leadline.data.templates"


def render_page(template: str, *, page: object) -> str:
    """A page as HTML. What is not markup in the template is escaped, and what is not in the values is an error.

    Args:
        template: A file of ``leadline/data/templates``.
        page: What the template calls ``page``.

    Returns:
        The page.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(page=page)


def write_page(template: str, path: Path, *, page: object) -> None:
    """Writes a page, whole or not at all.

    Args:
        template: A file of ``leadline/data/templates``.
        path: The file.
        page: What the template calls ``page``.

    Raises:
        OutputError: The file cannot be written.
    """
    text = render_page(template, page=page)
    with write_whole(path) as part:
        # A file name that is no UTF-8 reached Python with surrogates, which no page can hold.
        part.write_bytes(text.encode("utf-8", "backslashreplace"))


def _text(name: str) -> str:
    return resources.files(_ROOM).joinpath(name).read_text("utf-8")
