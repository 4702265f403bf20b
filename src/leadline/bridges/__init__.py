"""Doors to other frameworks: their dataset classes over ours."""
