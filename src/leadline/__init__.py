"""Depth from a single image, with numbers that know what they mean.

>>> import leadline
>>> leadline.Kind.parse("metric-depth").words
'metres'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leadline._version import __version__ as __version__
from leadline.core import display as _display

if TYPE_CHECKING:
    from leadline.core import errors as errors
    from leadline.core.camera import Camera as Camera
    from leadline.core.camera import Origin as Origin
    from leadline.core.cloud import PointCloud as PointCloud
    from leadline.core.depth_map import DepthMap as DepthMap
    from leadline.core.errors import InputError as InputError
    from leadline.core.errors import KindError as KindError
    from leadline.core.errors import LeadlineError as LeadlineError
    from leadline.core.image import Image as Image
    from leadline.core.kind import Along as Along
    from leadline.core.kind import Freedom as Freedom
    from leadline.core.kind import Kind as Kind
    from leadline.core.kind import Quantity as Quantity
    from leadline.core.results import Prediction as Prediction
    from leadline.core.sample import Sample as Sample
    from leadline.flows.data.opening import list_datasets as list_datasets
    from leadline.flows.data.opening import open_dataset as open_dataset
    from leadline.flows.evaluate.protocol_files import list_protocols as list_protocols
    from leadline.flows.evaluate.run import evaluate as evaluate
    from leadline.flows.fiftyone import to_fiftyone as to_fiftyone
    from leadline.flows.model import open_model as open_model
    from leadline.flows.model import predict as predict
    from leadline.flows.models import list_models as list_models
    from leadline.flows.models import register_model as register_model
    from leadline.flows.pipeline import pipeline as pipeline
    from leadline.io.calibrations import read_calibration as read_calibration
    from leadline.io.calibrations import write_calibration as write_calibration
    from leadline.io.clouds import write_cloud as write_cloud
    from leadline.io.depth_files import read_depth as read_depth
    from leadline.io.depth_files import write_depth as write_depth
    from leadline.io.images import read_image as read_image
    from leadline.ops.align import align as align
    from leadline.ops.calibrate import calibrate as calibrate
    from leadline.ops.colour import ColourOptions as ColourOptions
    from leadline.ops.colour import colourise as colourise
    from leadline.ops.crop import crop as crop
    from leadline.ops.flip import flip as flip
    from leadline.ops.geometry import to_depth as to_depth
    from leadline.ops.geometry import to_inverse as to_inverse
    from leadline.ops.geometry import unproject as unproject
    from leadline.ops.known_points import KnownPoints as KnownPoints
    from leadline.ops.resize import resize as resize

_HOMES = {
    "core.camera": ("Camera", "Origin"),
    "core.cloud": ("PointCloud",),
    "core.depth_map": ("DepthMap",),
    "core.errors": ("InputError", "KindError", "LeadlineError"),
    "core.image": ("Image",),
    "core.kind": ("Along", "Freedom", "Kind", "Quantity"),
    "core.results": ("Prediction",),
    "core.sample": ("Sample",),
    "flows.data.opening": ("list_datasets", "open_dataset"),
    "flows.evaluate.protocol_files": ("list_protocols",),
    "flows.evaluate.run": ("evaluate",),
    "flows.fiftyone": ("to_fiftyone",),
    "flows.model": ("open_model", "predict"),
    "flows.models": ("list_models", "register_model"),
    "flows.pipeline": ("pipeline",),
    "io.calibrations": ("read_calibration", "write_calibration"),
    "io.clouds": ("write_cloud",),
    "io.depth_files": ("read_depth", "write_depth"),
    "io.images": ("read_image",),
    "ops.align": ("align",),
    "ops.calibrate": ("calibrate",),
    "ops.colour": ("ColourOptions", "colourise"),
    "ops.crop": ("crop",),
    "ops.flip": ("flip",),
    "ops.geometry": ("to_depth", "to_inverse", "unproject"),
    "ops.known_points": ("KnownPoints",),
    "ops.resize": ("resize",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", "errors", *_HOME_OF]


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first asked for (PEP 562), so that ``import leadline`` loads next to nothing."""
    if name == "errors":
        value: Any = import_module("leadline.core.errors")
    elif name in _HOME_OF:
        value = getattr(import_module(f"leadline.{_HOME_OF[name]}"), name)
    else:
        raise AttributeError(f"module 'leadline' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _present(value: Any) -> bytes | None:
    """The notebook's picture of a value; what draws is loaded when the first one is shown."""
    picture: bytes | None = import_module("leadline.exporters.colour").present(value)
    return picture


_display.set_presenter(_present)
