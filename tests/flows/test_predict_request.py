from __future__ import annotations

import pytest

from leadline.core.errors import InputError, UnknownName
from leadline.flows.predict_request import PredictRequest, parse_range


@pytest.mark.parametrize(
    ("values", "error", "match"),
    [
        ({"threads": -1}, InputError, "threads = -1 is out of range"),
        ({"batch": -1}, InputError, "batch = -1 is out of range"),
        ({"fov_deg": 180.0}, InputError, "fov_deg = 180 is out of range"),
        ({"focal_px": 0.0}, InputError, "focal_px = 0 is out of range"),
        ({"fov_deg": 60.0, "focal_px": 500.0}, InputError, "are both given"),
        ({"formats": ()}, InputError, "formats is empty"),
        ({"models": ()}, InputError, "models is empty"),
        ({"colormap": "viridi"}, UnknownName, "did you mean 'viridis'"),
        ({"range": "robst"}, UnknownName, "did you mean 'robust'"),
        ({"range": "0.5 6"}, InputError, "two numbers are written 0.5,6"),
        ({"range": "1,two"}, InputError, "'1,two' is not two numbers"),
        ({"range": "3,3"}, InputError, "no width"),
        ({"range": (1.0, float("nan"))}, InputError, "no width"),
        ({"tta": ("flop",)}, UnknownName, "did you mean 'flip'"),
        ({"inputs": ("steps",)}, InputError, "'steps' is not NAME=VALUE"),
        ({"inputs": ("=4",)}, InputError, "'=4' is not NAME=VALUE"),
        ({"prompt_scale": 0.001}, InputError, "no prompt"),
        ({"input_size": "192"}, InputError, "'192' is not HEIGHTxWIDTH"),
        ({"input_size": "0x4"}, InputError, "'0x4' is not HEIGHTxWIDTH"),
        ({"mean": "1,2"}, InputError, "mean '1,2' is not three numbers"),
        ({"std": "a,b,c"}, InputError, "std 'a,b,c' is not three numbers"),
        ({"kind": "metres"}, InputError, "'metres' is not a kind of depth"),
        ({"precision": "fp31"}, InputError, "precision = 'fp31' is not one of"),
        ({"compile": "maybe"}, InputError, "compile = 'maybe' is not one of"),
        ({"tile": "on"}, InputError, "'on' is neither off, auto nor a side"),
        ({"tile": "63"}, InputError, "at least 64 pixels"),
        ({"layout": "CHWN"}, InputError, "layout = 'CHWN' is not one of"),
    ],
)
def test_a_request_checks_itself(values: dict[str, object], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        PredictRequest(("x.jpg",), **values)  # type: ignore[arg-type]


def test_ranges_are_read() -> None:
    assert [parse_range(text) for text in ("robust", "full", "0.5, 6", (1.0, 2.0))] == [
        "robust",
        "full",
        (0.5, 6.0),
        (1.0, 2.0),
    ]
