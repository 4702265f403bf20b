"""Marigold: depth by a diffusion model of images."""
