"""Depth Anything 3 for leadline."""
