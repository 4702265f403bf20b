"""ZoeDepth."""
