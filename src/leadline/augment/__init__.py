"""Image and depth changed together, for training."""
