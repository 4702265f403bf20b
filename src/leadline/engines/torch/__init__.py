"""PyTorch: runs the networks that a family's ``net.py`` makes, on the CPU, CUDA or Apple's MPS."""

from leadline.engines.torch.spec import SPEC

__all__ = ["SPEC"]
