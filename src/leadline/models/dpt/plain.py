"""What the families share whose checkpoints come with DPT's image processor."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from leadline.models.dpt.steps import DptSteps, plain_steps
from leadline.models.pretrained import PretrainedNetwork, load_processor

__all__ = ["PlainStepsNetwork"]


class PlainStepsNetwork(PretrainedNetwork):
    """A network of transformers whose steps before and after are done in PyTorch alone, where its checkpoint asks for plain ones."""

    @cached_property
    def processor(self) -> Any:
        """The checkpoint's plain steps, which need no transformers, or its own image processor."""
        return self.settled(plain_steps(self.checkpoint) or self._whole_processor())

    @property
    def deferred(self) -> bool:
        """Whether the steps before and after need no transformers."""
        return isinstance(self.processor, DptSteps)

    def place(self, device: str) -> None:
        """Lets transformers' processor resize and normalise on a device.

        Args:
            device: Such as ``"cuda:0"``.
        """
        self.processor = self.settled(self._whole_processor())
        super().place(device)

    def settled(self, processor: Any) -> Any:
        """What a family changes of its processor: nothing, where it does not say otherwise.

        Args:
            processor: The steps, or transformers' processor.

        Returns:
            The same.
        """
        return processor

    def _whole_processor(self) -> Any:
        return load_processor(self.checkpoint, architecture=self.architecture)
