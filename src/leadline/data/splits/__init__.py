"""Public splits as data."""
