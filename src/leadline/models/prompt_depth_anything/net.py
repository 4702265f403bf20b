"""The network of the Prompt Depth Anything family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.models.pretrained import PretrainedNetwork
from leadline.models.prompt_depth_anything.prompt import check_prompt, whole_prompt

__all__ = ["PromptDepthAnythingNetwork", "network"]


class PromptDepthAnythingNetwork(PretrainedNetwork):
    """Prompt Depth Anything as transformers has it.

    Convention:
        The network brings the prompt to 0 to 1 by its own least and largest value, and its answer back by the same two. So
        what the prompt's numbers mean, its answer's mean too.
    """

    architecture: ClassVar[str] = "prompt_depth_anything"
    cuts_overshoot = True

    def prepare(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> Mapping[str, Any]:
        """The checkpoint's own resizing and normalising, and the prompts, whole.

        Args:
            images: Photos of one key.
            prompts: A depth map a photo, all of one size.

        Raises:
            InputError: A prompt is missing, knows nothing, or does not show what its photo shows.
            KindError: A prompt is not depth along the axis.
        """
        if len(prompts) != len(images):
            raise InputError(
                f"prompt-depth-anything was given {len(prompts)} prompts for {len(images)} photos",
                hint="give a low-resolution depth map with each photo",
            )
        for prompt, image in zip(prompts, images, strict=True):
            check_prompt(prompt, image)
        photos = self.photos(images)
        depths = [
            whole_prompt(prompt, image, shape=self.padded(image))
            for prompt, image in zip(prompts, images, strict=True)
        ]
        # What is stored is metres, or whatever the prompt's unit is: the processor's own default is millimetres.
        pixels = self.processor(
            images=photos, prompt_depth=depths, prompt_scale_to_meter=1.0, return_tensors="pt"
        )
        return {"pixel_values": pixels["pixel_values"], "prompt_depth": pixels["prompt_depth"]}

    def restore(
        self, outputs: Mapping[str, Any], images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()
    ) -> list[Answer]:
        """The processor's own way back to the photo's size, of the kind that the prompt is."""
        answers = super().restore(outputs, images)
        return [replace(answer, kind=prompt.kind) for answer, prompt in zip(answers, prompts, strict=True)]


def network(checkpoint: Path) -> PromptDepthAnythingNetwork:
    """Makes the network of a checkpoint folder.

    Args:
        checkpoint: The folder.

    Returns:
        The network.
    """
    return PromptDepthAnythingNetwork(checkpoint)
