"""Training recipes, one TOML file each; no code."""
