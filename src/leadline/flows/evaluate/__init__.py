"""Scoring models, or files from elsewhere, on a dataset under a named and locked protocol."""
