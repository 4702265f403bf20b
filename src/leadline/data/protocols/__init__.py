"""Evaluation protocols, one TOML file each, and the fingerprints they are locked to; no code."""
