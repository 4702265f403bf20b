"""OpenVINO: runs ONNX files and the networks of a family's ``net.py`` on Intel's and other CPUs, GPUs and NPUs, int8 too."""

from leadline.engines.openvino.spec import SPEC

__all__ = ["SPEC"]
