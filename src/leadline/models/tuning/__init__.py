"""Depth models of transformers, trained on."""
