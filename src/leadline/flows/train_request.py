"""What a training is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from leadline.flows.data.choosing import OPTION_HELP
from leadline.flows.options import Told, check_bounds, told

__all__ = ["TrainRequest"]


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What ``leadline train`` is asked for.

    Raises:
        InputError: A number is out of range.
    """

    recipe: str = field(
        metadata=told(Told("Name of a recipe that ships, or path of a TOML or YAML file.", positional=True))
    )
    data: str | None = field(
        default=None,
        metadata=told(
            Told(
                "Place of the recipe's dataset: a folder or archive, or NAME:PATH; left out for made-up rooms.",
                short="d",
                metavar="PLACE",
            )
        ),
    )
    out: Path | None = field(
        default=None,
        metadata=told(
            Told(
                "Folder for checkpoints, history and the finished model; a run that stopped goes on in it; runs/RECIPE "
                "where not said.",
                short="o",
                metavar="FOLDER",
            )
        ),
    )
    option: tuple[str, ...] = field(
        default=(), metadata=told(Told(OPTION_HELP, metavar="KEY=VALUE", whole=True))
    )
    more: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Place of a further dataset of the recipe, NAME:FOLDER; again for each.",
                metavar="NAME:FOLDER",
                whole=True,
            )
        ),
    )
    start: str | None = field(
        default=None,
        metadata=told(
            Told(
                "What the training begins with: for 'finetune' a model's name, hf:ORG/NAME or a checkpoint's folder; for "
                "recipes that go on from another one, its model file.",
                metavar="MODEL",
            )
        ),
    )
    kind: str = field(
        default="",
        metadata=told(Told("What that model predicts, where it does not say so itself.", metavar="KIND")),
    )
    teacher: str = field(
        default="",
        metadata=told(
            Told(
                "Metric model whose depth is learned from beside the truth, such as a larger one that you trained before: its "
                "name or its file.",
                metavar="MODEL",
            )
        ),
    )
    resume: Path | None = field(
        default=None,
        metadata=told(
            Told("Checkpoint to go on from, where it is not the last one in --out.", metavar="FILE")
        ),
    )
    changes: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Set an option of the recipe otherwise, such as optimiser.batch=8; again for each.",
                flag="set",
                metavar="TABLE.OPTION=VALUE",
                whole=True,
            )
        ),
    )
    accelerator: str = field(
        default="auto", metadata=told(Told("Where the network runs.", choices=("auto", "cpu", "gpu")))
    )
    devices: int = field(
        default=1, metadata=told(Told("Devices of each machine that share a batch.", minimum=1))
    )
    nodes: int = field(default=1, metadata=told(Told("Machines that train together.", minimum=1)))
    strategy: str = field(
        default="auto",
        metadata=told(Told("How they share the work, as Lightning calls it, such as ddp.", metavar="NAME")),
    )
    readers: int = field(
        default=2,
        metadata=told(
            Told("Threads that make views while the network learns; 0 makes them between steps.", minimum=0)
        ),
    )
    save_every: int = field(
        default=500,
        metadata=told(Told("Steps between checkpoints within an epoch; its end is always kept.", minimum=1)),
    )
    memory_gb: float = field(
        default=0.0,
        metadata=told(
            Told(
                "Most gigabytes of frames kept in memory; beyond it they are read again each time; 0 takes half of what "
                "the machine has.",
                minimum=0,
            )
        ),
    )
    compile: bool = field(
        default=False,
        metadata=told(Told("Compile the network first: minutes to begin with, faster steps after.")),
    )
    no_evaluation: bool = field(
        default=False, metadata=told(Told("Do not score the finished model on what was held out."))
    )

    def __post_init__(self) -> None:
        check_bounds(self)
