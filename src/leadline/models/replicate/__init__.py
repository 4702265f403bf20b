"""Models at Replicate: those that are known, and any other by reference."""
