"""Functions on core values: geometry, alignment, metrics, colour."""
