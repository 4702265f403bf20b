"""Depth from a single image, with numbers that know what they mean."""

from leadline._version import __version__ as __version__
