"""Weights that ship in the wheel; no code."""
