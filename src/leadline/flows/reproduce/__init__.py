"""Checking published figures: what a paper prints, what comes out here, and why the two may differ."""
