"""The network of the Marigold family: the pipeline of diffusers, behind the same port as every other network."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, InputError, WeightsError
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.ops.fit import MAD_TO_SIGMA
from leadline.plugins.need import need

__all__ = ["MarigoldModule", "MarigoldNetwork", "network", "quiet"]

_PIPELINES = ("MarigoldDepthPipeline", "MarigoldPipeline")
"""What ``model_index.json`` calls it; the second is its name before diffusers took it in."""

_FEWEST_FOR_SPREAD = 3


class MarigoldModule(torch.nn.Module):
    """The pipeline as a module, so that its networks move and are cast as those of any module.

    Args:
        pipeline: ``MarigoldDepthPipeline``.
        steps: Denoising steps; 0 for the checkpoint's own.
        ensemble: Predictions that are brought together.
        resolution: Longer side in pixels at which it runs; 0 for the photo's own, -1 for the checkpoint's.
        seed: Where the noise of each photo starts.
    """

    def __init__(self, pipeline: Any, *, steps: int, ensemble: int, resolution: int, seed: int) -> None:
        super().__init__()
        self.unet, self.vae, self.text_encoder = pipeline.unet, pipeline.vae, pipeline.text_encoder
        self._pipeline = pipeline
        self._seed = seed
        self._call = {
            "num_inference_steps": steps or None,
            "processing_resolution": None if resolution < 0 else resolution,
            "ensemble_size": ensemble,
            "output_uncertainty": ensemble >= _FEWEST_FOR_SPREAD,
            "output_type": "pt",
        }

    def forward(self, rgb_N3HW: torch.Tensor) -> dict[str, torch.Tensor]:
        """Runs the pipeline on each photo by itself.

        Args:
            rgb_N3HW: Photos, uint8.

        Returns:
            ``prediction``, (N, 1, H, W), and ``uncertainty``, of the same shape, where there are draws enough.
        """
        with quiet():
            outputs = [self._one(photo) for photo in torch.split(rgb_N3HW, 1)]
        done = {"prediction": torch.cat([output.prediction for output in outputs])}
        if self._call["output_uncertainty"]:
            done["uncertainty"] = torch.cat([output.uncertainty for output in outputs])
        return done

    def _one(self, rgb_13HW: torch.Tensor) -> Any:
        """Noise is drawn on the CPU, so that a seed means the same noise on every device."""
        generator = torch.Generator("cpu").manual_seed(self._seed)
        return self._pipeline(rgb_13HW, generator=generator, **self._call)


class MarigoldNetwork:
    """Marigold as diffusers has it.

    Args:
        module: The pipeline as a module.
        resolution: Longer side at which it runs, in pixels; 0 for the photo's own.
    """

    def __init__(self, module: MarigoldModule, *, resolution: int) -> None:
        self.module = module
        self._resolution = resolution

    def key(self, image: Image) -> Hashable:
        """Photos of one size share a batch."""
        return image.rgb_HW3.shape

    def prepare(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> Mapping[str, Any]:
        """The photos' pixels as they are; the pipeline scales and resizes them."""
        pixels = [torch.from_numpy(_padded(image, self._shape(image))) for image in images]
        # Channels stay last in memory, as in a Pillow photo: the networks then add up in the same order, to the bit.
        return {"rgb_N3HW": torch.stack(pixels).permute(0, 3, 1, 2)}

    def restore(
        self, outputs: Mapping[str, Any], images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()
    ) -> list[Answer]:
        """The pipeline's prediction, and the median absolute deviation of its draws as a standard deviation."""
        spread = outputs.get("uncertainty")
        return [
            Answer(
                _plane(outputs["prediction"][place], image),
                uncertainty=None
                if spread is None
                else _plane(spread[place], image) * np.float32(MAD_TO_SIGMA),
            )
            for place, image in enumerate(images)
        ]

    def _shape(self, image: Image) -> tuple[int, int]:
        """Height and width that leave a pixel of the shorter side where the longer one is brought to the resolution."""
        if not self._resolution:
            return image.height, image.width
        least = -(-max(image.height, image.width) // self._resolution)
        return max(image.height, least), max(image.width, least)


def network(
    checkpoint: Path,
    *,
    steps: int = 0,
    ensemble: int = 1,
    processing_resolution: int = -1,
    seed: int = 0,
) -> MarigoldNetwork:
    """Makes the network of a checkpoint folder.

    Args:
        checkpoint: The folder, with ``model_index.json``.
        steps: Denoising steps; 0 for what the checkpoint recommends.
        ensemble: Predictions from different noise that are brought together.
        processing_resolution: Longer side in pixels at which it runs; 0 for the photo's own, -1 for the checkpoint's.
        seed: Where the noise of each photo starts.

    Returns:
        The network.

    Raises:
        InputError: A choice is out of range, or the checkpoint recommends nothing where it should.
        WeightsError: A file is missing or damaged.
        EngineError: The checkpoint is of another pipeline.
    """
    need("diffusers", who="a Marigold checkpoint", extra="diffusers")
    with quiet():
        pipeline = _pipeline(checkpoint)
    resolution = _checked(pipeline, steps, ensemble, processing_resolution)
    module = MarigoldModule(
        pipeline, steps=steps, ensemble=ensemble, resolution=processing_resolution, seed=seed
    )
    return MarigoldNetwork(module, resolution=resolution)


def _pipeline(folder: Path) -> Any:
    from diffusers import AutoencoderKL, MarigoldDepthPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel

    kind = _pipeline_named(folder)
    if kind not in _PIPELINES:
        raise EngineError(
            f"checkpoint {str(folder)!r} is a {kind or 'folder without a pipeline'!r}, not Marigold for depth",
            hint="use a checkpoint of MarigoldDepthPipeline, such as prs-eth/marigold-depth-v1-1",
        )
    parts = {"unet": UNet2DConditionModel, "vae": AutoencoderKL, "text_encoder": CLIPTextModel}
    loaded = {name: _part(part, folder, name) for name, part in parts.items()}
    pipeline = MarigoldDepthPipeline.from_pretrained(folder, local_files_only=True, **loaded)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _pipeline_named(folder: Path) -> str:
    path = folder / "model_index.json"
    try:
        index = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{str(path)!r} is not there or is damaged ({error})",
            hint="fetch the checkpoint again, or point to the folder that holds model_index.json",
        ) from error
    return str(index.get("_class_name", "")) if isinstance(index, dict) else ""


def _part(kind: Any, folder: Path, name: str) -> Any:
    """One network of the pipeline, with all its weights there."""
    for path in sorted((folder / name).glob("*.safetensors")):
        _check_whole(path)
    module, report = kind.from_pretrained(
        folder, subfolder=name, local_files_only=True, output_loading_info=True, torch_dtype=torch.float32
    )
    missing = sorted(report["missing_keys"])
    if missing:
        raise WeightsError(
            f"checkpoint {str(folder / name)!r} lacks {len(missing)} of its weights, such as {missing[0]!r}",
            hint="fetch it again, or check that config.json belongs to these weights",
        )
    return module


def _check_whole(path: Path) -> None:
    """Refuses a file that is cut short, which diffusers tells in many words."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt"):
            pass
    except SafetensorError as error:
        raise WeightsError(
            f"the weights {str(path)!r} are damaged or cut short ({error})", hint="fetch or copy them again"
        ) from error


def _checked(pipeline: Any, steps: int, ensemble: int, resolution: int) -> int:
    """The resolution at which it will run, once every choice is known to be in its range."""
    if ensemble < 1:
        raise InputError(
            f"ensemble = {ensemble} is not at least 1", hint="1 takes one draw, 5 or 10 are usual"
        )
    chosen = pipeline.default_processing_resolution if resolution == -1 else resolution
    step = pipeline.vae_scale_factor
    if chosen is None or chosen < 0 or chosen % step:
        raise InputError(
            f"processing_resolution = {chosen} is not 0 or a positive multiple of {step}",
            hint="768 is what these networks were trained at; 0 takes the photo's own size",
        )
    wanted = steps or pipeline.default_denoising_steps or 0
    try:
        if wanted < 1:
            raise ValueError("it must be at least 1, and the checkpoint recommends none")
        pipeline.scheduler.set_timesteps(wanted)
    except ValueError as error:
        raise InputError(
            f"steps = {wanted} cannot be run by {type(pipeline.scheduler).__name__}: {error}",
            hint="1 to 4 are usual, 10 to 50 for marigold-v1-0",
        ) from error
    return int(chosen)


def _padded(image: Image, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """A photo with its last row and column repeated up to a shape."""
    more = ((0, shape[0] - image.height), (0, shape[1] - image.width), (0, 0))
    return np.pad(image.rgb_HW3, more, mode="edge")


def _plane(tensor_1HW: torch.Tensor, image: Image) -> NDArray[np.float32]:
    whole: NDArray[np.float32] = tensor_1HW[0].cpu().numpy().astype(np.float32, copy=False)
    return np.ascontiguousarray(whole[: image.height, : image.width])


@contextmanager
def quiet() -> Iterator[None]:
    """Without the bars and warnings that diffusers and transformers write for those who develop models."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    told = (diffusers_logging, transformers_logging)
    before = [logging.get_verbosity() for logging in told]
    bars = [logging.is_progress_bar_enabled() for logging in told]
    for logging in told:
        logging.set_verbosity_error()
        logging.disable_progress_bar()
    try:
        yield
    finally:
        for logging, verbosity, bar in zip(told, before, bars, strict=True):
            logging.set_verbosity(verbosity)
            if bar:
                logging.enable_progress_bar()
