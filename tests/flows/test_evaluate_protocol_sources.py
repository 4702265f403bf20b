"""Every protocol that ships against the numbers of the paper or code that it names, written down here anew."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest

from leadline.flows.evaluate.protocol_files import list_protocols, load_protocol
from leadline.ops.windows import window


class Cited(NamedTuple):
    """What a source says: rows and columns of a frame of that size, limits in metres, which truth."""

    where: str
    size: tuple[int, int]
    rows: tuple[int, int]
    columns: tuple[int, int]
    near_m: float
    far_m: float
    fixes: dict[str, str]


OURS = "ours"
NYU, KITTI = (480, 640), (375, 1242)
_BTS = "BTS, utils/eval_with_pngs.py: eval_mask[45:471, 41:601], min_depth_eval 1e-3; arguments_test_nyu.txt: max_depth 10"
_BTS_TEST = "; utils/extract_official_train_test_set_from_mat.py: rawDepths"
_DENSE = "DenseDepth, eigen_test_crop.npy [20, 459, 24, 615] as crop[0]:crop[1]+1; utils.py: np.clip(…, 10, 1000) / 1000 * 10"
_MONO = "Monodepth2, evaluate_depth.py: MIN_DEPTH 1e-3, MAX_DEPTH 80, crop of .40810811, .99189189, .03594771, .96405229"
_ZOE = "ZoeDepth, zoedepth/utils/config.py: DATASETS_CONFIG"
_MARIGOLD = "Marigold, src/dataset/*_dataset.py; script/eval/eval.py: depth_raw_linear, valid_mask_raw"
_MIDAS = "MiDaS, section 6: depth caps of 72, 80, 10 and 10 m for ETH3D, KITTI, NYU and TUM, 72 m for Sintel"
_MIDAS_NYU = "; the authors' NYU evaluation: rawDepths, 0 < depth < 10, no window"
_MIDAS_KITTI = (
    "; the authors' KITTI evaluation: val_selection_cropped, groundtruth_depth, no window, depth_cap 80"
)

# 375 x 1242 by hand: .40810811 * 375 = 153.04, .99189189 * 375 = 371.96, .03594771 * 1242 = 44.65, .96405229 * 1242 = 1197.35.
_GARG = ((153, 371), (44, 1197))
# Marigold cuts to 352 x 1216 from row 23, column 13 on, and takes .3324324 * 352 = 117.02, .91351351 * 352 = 321.56,
# .0359477 * 1216 = 43.71, .96405229 * 1216 = 1172.29 of that.
_EIGEN = ((23 + 117, 23 + 321), (13 + 43, 13 + 1172))
_WHOLE_NYU, _WHOLE_KITTI = ((0, 480), (0, 640)), ((0, 375), (0, 1242))
_EIGEN_NYU = ((45, 471), (41, 601))

CITED = {
    "nyu-eigen-filled": Cited(_BTS, NYU, *_EIGEN_NYU, 1e-3, 10, {"truth": "filled"}),
    "nyu-eigen-raw": Cited(_BTS + _BTS_TEST, NYU, *_EIGEN_NYU, 1e-3, 10, {"truth": "raw"}),
    "nyu-densedepth": Cited(_DENSE, NYU, (20, 460), (24, 616), 0.1, 10, {"truth": "filled"}),
    "kitti-eigen-garg": Cited(_MONO, KITTI, *_GARG, 1e-3, 80, {}),
    "kitti-benchmark": Cited(
        "development kit: annotated depth, frames of 1216x352",
        KITTI,
        (23, 375),
        (13, 1229),
        1e-3,
        255,
        {"truth": "annotated"},
    ),
    "median-scaled": Cited(_MONO, KITTI, *_WHOLE_KITTI, 1e-3, 80, {}),
    "median-scaled/kitti": Cited(_MONO, KITTI, *_GARG, 1e-3, 80, {}),
    "median-scaled/nyu": Cited(OURS, NYU, *_EIGEN_NYU, 1e-3, 10, {"truth": "filled"}),
    "sunrgbd": Cited(_ZOE + ": sunrgbd, max_depth_eval 8", NYU, *_WHOLE_NYU, 1e-3, 8, {}),
    "diode-indoor": Cited(
        _ZOE + ": diode_indoor, 1e-3 to 10",
        NYU,
        *_WHOLE_NYU,
        1e-3,
        10,
        {"part": "indoors", "target": "metres"},
    ),
    "diode-outdoor": Cited(
        _ZOE + ": diode_outdoor, 1e-3 to 80",
        NYU,
        *_WHOLE_NYU,
        1e-3,
        80,
        {"part": "outdoor", "target": "metres"},
    ),
    "eth3d": Cited(OURS, NYU, *_WHOLE_NYU, 1e-3, 80, {"mask": "all"}),
    "scannet": Cited(_MARIGOLD + ": 1e-3 to 10", NYU, *_WHOLE_NYU, 1e-3, 10, {}),
    "fiftyone-tutorial": Cited("FiftyOne: no window, no limits", NYU, *_WHOLE_NYU, 0, 1000, {}),
    "fiftyone-tutorial/sunrgbd": Cited("FiftyOne: depth_bfx", NYU, *_WHOLE_NYU, 0, 1000, {"truth": "filled"}),
    "zero-shot-affine-depth": Cited(OURS, NYU, *_WHOLE_NYU, 1e-3, 10, {}),
    "zero-shot-affine-depth/nyu": Cited(
        _MARIGOLD + ": 1e-3 to 10, eval_mask[45:471, 41:601]", NYU, *_EIGEN_NYU, 1e-3, 10, {"truth": "raw"}
    ),
    "zero-shot-affine-depth/kitti": Cited(
        _MARIGOLD + ": 1e-5 to 80, depth / 256; data_kitti_eigen_test.yaml: kitti_bm_crop, eigen",
        KITTI,
        *_EIGEN,
        1e-5,
        80,
        {"truth": "annotated"},
    ),
    "zero-shot-affine-depth/eth3d": Cited(
        _MARIGOLD + ": 1e-5 to inf", NYU, *_WHOLE_NYU, 1e-5, math.inf, {"mask": "all"}
    ),
    "zero-shot-affine-depth/scannet": Cited(_MARIGOLD + ": 1e-3 to 10", NYU, *_WHOLE_NYU, 1e-3, 10, {}),
    "zero-shot-affine-depth/diode": Cited(
        _MARIGOLD + ": .6 to 350", NYU, *_WHOLE_NYU, 0.6, 350, {"target": "metres"}
    ),
    "zero-shot-affine-inverse-depth": Cited(OURS, NYU, *_WHOLE_NYU, 1e-3, 10, {}),
    "zero-shot-affine-inverse-depth/nyu": Cited(
        _MIDAS + _MIDAS_NYU, NYU, *_WHOLE_NYU, 0, 10, {"truth": "raw"}
    ),
    "zero-shot-affine-inverse-depth/kitti": Cited(
        _MIDAS + _MIDAS_KITTI, KITTI, *_WHOLE_KITTI, 0, 80, {"truth": "annotated"}
    ),
    "zero-shot-affine-inverse-depth/eth3d": Cited(_MIDAS, NYU, *_WHOLE_NYU, 0, 72, {"mask": "all"}),
    "zero-shot-affine-inverse-depth/tum": Cited(_MIDAS, NYU, *_WHOLE_NYU, 0, 10, {}),
    "zero-shot-affine-inverse-depth/sintel": Cited(_MIDAS, NYU, *_WHOLE_NYU, 0, 72, {"render": "final"}),
    "zero-shot-affine-inverse-depth/scannet": Cited(OURS, NYU, *_WHOLE_NYU, 0, 10, {}),
    "zero-shot-affine-inverse-depth/diode": Cited(OURS, NYU, *_WHOLE_NYU, 0, 300, {"target": "metres"}),
}


def test_every_protocol_that_ships_is_in_the_table() -> None:
    assert {protocol.name for protocol in list_protocols()} == set(CITED)


@pytest.mark.parametrize("name", CITED)
def test_window_limits_and_truth_are_those_of_the_source(name: str) -> None:
    cited, protocol = CITED[name], load_protocol(name)
    rows, columns = window(protocol.crop, height=cited.size[0], width=cited.size[1])
    assert ((rows.start, rows.stop), (columns.start, columns.stop)) == (cited.rows, cited.columns)
    # "Any depth above 0" is 1 mm here, and "no cap" is a kilometre; no sensor of these sets gives either.
    assert protocol.near_m == (cited.near_m or (0 if protocol.eight_bit else 1e-3))
    assert protocol.far_m == min(cited.far_m, 1000)
    assert dict(protocol.options) == cited.fixes
    who = cited.where.partition(":")[0].partition(",")[0]
    assert who.lower() in f"{protocol.summary} {protocol.source} {protocol.notes}".lower()


def test_only_densedepths_protocol_averages_mirrored_photos_and_pools() -> None:
    """DenseDepth, utils.py: 0.5 * pred_y + 0.5 * fliplr(pred_y_flip), np.stack over all images before compute_errors."""
    for protocol in list_protocols():
        dense = protocol.name == "nyu-densedepth"
        assert (protocol.flip, protocol.aggregate == "pooled") == (dense, dense)


def test_alignments_are_those_of_the_sources() -> None:
    """Marigold fits in depth; MiDaS in inverse depth (section 6); Monodepth2 takes np.median(gt) / np.median(pred)."""
    for start, alignment in (
        ("zero-shot-affine-depth", "affine-depth"),
        ("zero-shot-affine-inverse-depth", "affine-inverse-depth"),
        ("median-scaled", "median"),
    ):
        found = {one.alignment for one in list_protocols() if one.name.split("/")[0] == start}
        assert found == {alignment}
