"""GLPN."""
