"""Published figures that can be checked, one file a source. No code."""
