"""Templates of pages, Jinja2; no code."""
