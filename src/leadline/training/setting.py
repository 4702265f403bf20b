"""Where a run happens: the machine's side of it. Nothing here is part of a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from leadline.core.errors import InputError

__all__ = ["Setting"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What the loop needs to know of the machine it runs on.

    Args:
        accelerator: ``"auto"``, ``"cpu"``, ``"gpu"`` or another that Lightning knows.
        devices: Devices of each node.
        nodes: Machines that train together.
        strategy: How devices share the work, as Lightning calls it: ``"auto"``, ``"ddp"`` …
        save_every: Steps between checkpoints within an epoch; each epoch's end is kept besides.
        readers: Threads that make views ahead of the network; 0 makes them between the steps.
        compiled: Whether the network is compiled by ``torch.compile`` first.
        tensorboard: Whether a TensorBoard log with pictures is written beside the history.
        resume: The checkpoint to go on from, where it is not the run's own last one.

    Raises:
        InputError: A number is out of range.
    """

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    strategy: str = "auto"
    save_every: int = 500
    readers: int = 2
    compiled: bool = False
    tensorboard: bool = False
    resume: Path | None = None

    def __post_init__(self) -> None:
        for name, least in (("devices", 1), ("nodes", 1), ("save_every", 1), ("readers", 0)):
            if getattr(self, name) < least:
                raise InputError(
                    f"{name} = {getattr(self, name)} is too small", hint=f"give at least {least}"
                )
