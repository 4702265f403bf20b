"""NYU Depth V2's own calibration, as its toolbox publishes it (``camera_params.m``), and the benchmark's window."""

from __future__ import annotations

import numpy as np

from leadline.core.camera import Camera

__all__ = ["CAMERA", "DEPTH_CAMERA", "EIGEN_CROP", "T_COLOUR_DEPTH"]

CAMERA = Camera(518.8579, 519.4696, 325.5824, 253.7362, 640, 480)
"""The colour camera."""

DEPTH_CAMERA = Camera(582.62448, 582.69103, 313.04476, 238.44390, 640, 480)
"""The Kinect's depth camera."""

EIGEN_CROP = (slice(45, 471), slice(41, 601))
"""Rows and columns that every NYU table scores (Eigen, Puhrsch & Fergus, NeurIPS 2014)."""

_R = np.array(
    [
        [9.9997798940829263e-01, 5.0518419386157446e-03, 4.3011152014118693e-03],
        [-5.0359919480810989e-03, 9.9998051861143999e-01, -3.6879781309514218e-03],
        [-4.3196624923060242e-03, 3.6662365748484798e-03, 9.9998394948385538e-01],
    ]
)
_T_M = np.array([2.5031875059141302e-02, -2.9342312935846411e-04, 6.6238747008330102e-04])

T_COLOUR_DEPTH = np.eye(4)
"""From the depth camera's axes to the colour camera's, metres. The toolbox applies -R⁻¹ and +t and then divides by z,
which is R⁻¹ and -t."""
T_COLOUR_DEPTH[:3, :3] = _R.T
T_COLOUR_DEPTH[:3, 3] = -_T_M
