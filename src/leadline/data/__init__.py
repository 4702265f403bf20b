"""What ships as data; no code."""
