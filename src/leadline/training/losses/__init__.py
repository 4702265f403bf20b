"""Losses: what each compares, and which kinds of depth it can compare."""
