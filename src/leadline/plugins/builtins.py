"""The index of all that ships: names, and the strings that say where their specs are."""

from __future__ import annotations

__all__ = ["DATASETS", "ENGINES", "EXPORTERS", "MODELS", "REFERENCES"]

MODELS = {
    "leadline-indoor-small": "leadline.models.leadline_indoor.spec:SMALL",
    "leadline-indoor-tiny": "leadline.models.leadline_indoor.spec:TINY",
    "unet-tiny": "leadline.models.unet.spec:TINY",
    "densedepth-tiny": "leadline.models.densedepth.spec:TINY",
    "dpt-large": "leadline.models.dpt.spec:LARGE",
    "dpt-hybrid-midas": "leadline.models.dpt.spec:HYBRID_MIDAS",
    "dpt-beit-base-384": "leadline.models.dpt.spec:BEIT_BASE_384",
    "dpt-beit-large-384": "leadline.models.dpt.spec:BEIT_LARGE_384",
    "dpt-beit-large-512": "leadline.models.dpt.spec:BEIT_LARGE_512",
    "dpt-swinv2-tiny-256": "leadline.models.dpt.spec:SWINV2_TINY_256",
    "dpt-swinv2-base-384": "leadline.models.dpt.spec:SWINV2_BASE_384",
    "dpt-swinv2-large-384": "leadline.models.dpt.spec:SWINV2_LARGE_384",
    "dpt-tiny": "leadline.models.dpt.spec:TINY",
    "dpt-hybrid-tiny": "leadline.models.dpt.spec:HYBRID_TINY",
    "dpt-beit-tiny": "leadline.models.dpt.spec:BEIT_TINY",
    "dpt-swin-tiny": "leadline.models.dpt.spec:SWIN_TINY",
    "glpn-nyu": "leadline.models.glpn.spec:NYU",
    "glpn-kitti": "leadline.models.glpn.spec:KITTI",
    "glpn-tiny": "leadline.models.glpn.spec:TINY",
    "zoedepth-nyu": "leadline.models.zoedepth.spec:NYU",
    "zoedepth-kitti": "leadline.models.zoedepth.spec:KITTI",
    "zoedepth-nyu-kitti": "leadline.models.zoedepth.spec:NYU_KITTI",
    "zoedepth-tiny": "leadline.models.zoedepth.spec:TINY",
    "zoedepth-two-tiny": "leadline.models.zoedepth.spec:TINY_TWO",
    "depth-anything-small": "leadline.models.depth_anything.spec:V1_SMALL",
    "depth-anything-base": "leadline.models.depth_anything.spec:V1_BASE",
    "depth-anything-large": "leadline.models.depth_anything.spec:V1_LARGE",
    "depth-anything-v2-small": "leadline.models.depth_anything.spec:V2_SMALL",
    "depth-anything-v2-base": "leadline.models.depth_anything.spec:V2_BASE",
    "depth-anything-v2-large": "leadline.models.depth_anything.spec:V2_LARGE",
    "depth-anything-v2-metric-indoor-small": "leadline.models.depth_anything.spec:V2_INDOOR_SMALL",
    "depth-anything-v2-metric-indoor-base": "leadline.models.depth_anything.spec:V2_INDOOR_BASE",
    "depth-anything-v2-metric-indoor-large": "leadline.models.depth_anything.spec:V2_INDOOR_LARGE",
    "depth-anything-v2-metric-outdoor-small": "leadline.models.depth_anything.spec:V2_OUTDOOR_SMALL",
    "depth-anything-v2-metric-outdoor-base": "leadline.models.depth_anything.spec:V2_OUTDOOR_BASE",
    "depth-anything-v2-metric-outdoor-large": "leadline.models.depth_anything.spec:V2_OUTDOOR_LARGE",
    "depth-anything-tiny": "leadline.models.depth_anything.spec:TINY",
    "depth-anything-metric-tiny": "leadline.models.depth_anything.spec:METRIC_TINY",
    "prompt-depth-anything-small": "leadline.models.prompt_depth_anything.spec:SMALL",
    "prompt-depth-anything-small-transparent": "leadline.models.prompt_depth_anything.spec:SMALL_TRANSPARENT",
    "prompt-depth-anything-large": "leadline.models.prompt_depth_anything.spec:LARGE",
    "prompt-depth-anything-tiny": "leadline.models.prompt_depth_anything.spec:TINY",
    "depth-pro": "leadline.models.depth_pro.spec:DEPTH_PRO",
    "depth-pro-tiny": "leadline.models.depth_pro.spec:TINY",
    "tipsv2-dpt-b14": "leadline.models.tipsv2_dpt.spec:B14",
    "tipsv2-dpt-l14": "leadline.models.tipsv2_dpt.spec:L14",
    "tipsv2-dpt-so400m14": "leadline.models.tipsv2_dpt.spec:SO400M14",
    "tipsv2-dpt-g14": "leadline.models.tipsv2_dpt.spec:G14",
    "tipsv2-dpt-tiny": "leadline.models.tipsv2_dpt.spec:TINY",
    "marigold-v1-0": "leadline.models.marigold.spec:V1_0",
    "marigold-lcm-v1-0": "leadline.models.marigold.spec:LCM_V1_0",
    "marigold-depth-v1-1": "leadline.models.marigold.spec:DEPTH_V1_1",
    "marigold-tiny": "leadline.models.marigold.spec:TINY",
    "replicate-midas": "leadline.models.replicate.spec:MIDAS",
    "replicate-marigold": "leadline.models.replicate.spec:MARIGOLD",
}

ENGINES = {
    "onnxruntime": "leadline.engines.onnxruntime:SPEC",
    "torch": "leadline.engines.torch:SPEC",
    "openvino": "leadline.engines.openvino.spec:SPEC",
    "replicate": "leadline.engines.replicate.spec:SPEC",
}

EXPORTERS = {
    "png16": "leadline.exporters.png16:SPEC",
    "colour": "leadline.exporters.colour:SPEC",
    "side-by-side": "leadline.exporters.side_by_side:SPEC",
    "uncertainty": "leadline.exporters.uncertainty:SPEC",
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
    "openvino": "leadline.models.onnx_file:OPENVINO",
    "replicate": "leadline.models.replicate.reference:REFERENCE",
}
"""Ways to name a model that is in no list: the word before the colon, and who makes a spec of the rest."""
