"""Prompt Depth Anything."""
