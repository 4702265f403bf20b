"""The index of all that ships: names, and the strings that say where their specs are."""

from __future__ import annotations

__all__ = ["DATASETS", "ENGINES", "EXPORTERS", "MODELS"]

MODELS = {
    "leadline-indoor-small": "leadline.models.leadline_indoor.spec:SMALL",
    "leadline-indoor-tiny": "leadline.models.leadline_indoor.spec:TINY",
}

ENGINES = {
    "onnxruntime": "leadline.engines.onnxruntime:SPEC",
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
    "nyu": "leadline.datasets.nyu:SPEC",
}
