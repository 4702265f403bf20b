"""Synthetic scenes and contract suites for plugin authors."""
