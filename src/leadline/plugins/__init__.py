"""Ports, specs, the registry and the index of what ships."""
