"""The index of all that ships: names, and the strings that say where their specs are."""

from __future__ import annotations

__all__ = ["DATASETS", "ENGINES", "EXPORTERS", "MODELS", "REFERENCES"]

MODELS = {
    "leadline-indoor-small": "leadline.models.leadline_indoor.spec:SMALL",
    "leadline-indoor-tiny": "leadline.models.leadline_indoor.spec:TINY",
    "dpt-tiny": "leadline.models.dpt.spec:TINY",
}

ENGINES = {
    "onnxruntime": "leadline.engines.onnxruntime:SPEC",
    "torch": "leadline.engines.torch:SPEC",
}

EXPORTERS = {
    "png16": "leadline.exporters.png16:SPEC",
    "colour": "leadline.exporters.colour:SPEC",
    "side-by-side": "leadline.exporters.side_by_side:SPEC",
    "npz": "leadline.exporters.npz:SPEC",
    "tiff": "leadline.exporters.tiff:SPEC",
    "pfm": "leadline.exporters.pfm:SPEC",
    "exr": "leadline.exporters.exr:SPEC",
    "ply": "leadline.exporters.ply:SPEC",
    "glb": "leadline.exporters.glb:SPEC",
}

DATASETS = {
    "leadline": "leadline.datasets.leadline:SPEC",
    "nyu": "leadline.datasets.nyu:SPEC",
    "sunrgbd": "leadline.datasets.sunrgbd:SPEC",
    "kitti": "leadline.datasets.kitti:SPEC",
    "diode": "leadline.datasets.diode:SPEC",
    "tum": "leadline.datasets.tum:SPEC",
    "sevenscenes": "leadline.datasets.sevenscenes:SPEC",
    "scannet": "leadline.datasets.scannet:SPEC",
    "hypersim": "leadline.datasets.hypersim:SPEC",
    "sintel": "leadline.datasets.sintel:SPEC",
    "eth3d": "leadline.datasets.eth3d:SPEC",
    "middlebury": "leadline.datasets.middlebury:SPEC",
    "arkitscenes": "leadline.datasets.arkitscenes:SPEC",
    "redwood": "leadline.datasets.redwood:SPEC",
    "posed": "leadline.datasets.posed:SPEC",
    "huggingface": "leadline.datasets.huggingface:SPEC",
    "manifest": "leadline.datasets.manifest:SPEC",
    "folder": "leadline.datasets.folder:SPEC",
    "synthetic": "leadline.datasets.synthetic:SPEC",
}
"""Particular layouts before general ones: the first that recognises a place is taken for it."""

REFERENCES = {
    "hf": "leadline.models.transformers_checkpoint:REFERENCE",
    "onnx": "leadline.models.onnx_file:REFERENCE",
}
"""Ways to name a model that is in no list: the word before the colon, and who makes a spec of the rest."""
