"""What a training will do, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["TrainPlan"]


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """What a training will do.

    Args:
        recipe: Name of the recipe.
        digest: Its SHA-256.
        dataset: Where it learns from, as typed.
        trained_on: Frames learned from.
        held_out: Ids of the frames kept for validation.
        scenes: Scenes learned from and held out; zeros where the dataset names none.
        photo_px: Columns and rows of the first photo.
        shapes_px: Columns and rows the network learns at.
        epochs: Passes over the frames.
        steps: Changes of the weights in all of them.
        batch: Views in a batch, over all processes.
        processes: Processes that share it.
        precision: What the network computes in.
        parameters: Numbers of the network.
        trained: Those that move.
        frames_bytes: Memory of the frames.
        state_bytes: Memory of weights, average, gradients and optimiser.
        checkpoint_bytes: Size of a checkpoint, about.
        step_bytes: Memory of a batch in one process, about.
        protocol: How the finished model is scored.
        teacher: Name and SHA-256 of the model whose depth is learned from beside the truth; empty for none.
        out: Where everything is written.
        writes: What is written there.
    """

    recipe: str
    digest: str
    dataset: str
    trained_on: int
    held_out: tuple[str, ...]
    scenes: tuple[int, int]
    photo_px: tuple[int, int]
    shapes_px: tuple[tuple[int, int], ...]
    epochs: int
    steps: int
    batch: int
    processes: int
    precision: str
    parameters: int
    trained: int
    frames_bytes: int
    state_bytes: int
    checkpoint_bytes: int
    step_bytes: int
    protocol: str
    teacher: str
    out: Path
    writes: tuple[str, ...]

    def lines(self) -> list[str]:
        """The plan in words, a line each."""
        shared = f" over {self.processes} processes" if self.processes > 1 else ""
        scenes = f" ({self.scenes[0]} and {self.scenes[1]} scenes)" if any(self.scenes) else ""
        moving = "" if self.trained == self.parameters else f", of which {self.trained / 1e6:.2f} M move"
        shapes = ", ".join(f"{columns}x{rows}" for columns, rows in self.shapes_px)
        memory = (self.frames_bytes, self.state_bytes, self.step_bytes)
        frames, state, step = (f"{size / 1e9:.2f} GB" for size in memory)
        teacher = [f"teacher     {self.teacher}"] if self.teacher else []
        return [
            f"recipe      {self.recipe} ({self.digest[:16]})",
            f"data        {self.dataset}: {self.trained_on} frames to learn from, {len(self.held_out)} held out{scenes}",
            *teacher,
            f"sizes       photos of {self.photo_px[0]}x{self.photo_px[1]}; the network learns at {shapes}",
            f"steps       {self.steps} in {self.epochs} epochs, {self.batch} views a batch{shared}, {self.precision}",
            f"network     {self.parameters / 1e6:.2f} M parameters{moving}",
            f"memory      about {sum(memory) / 1e9:.2f} GB: frames {frames}, weights and optimiser {state}, a batch {step}",
            f"scored by   {self.protocol or 'nothing: no frame is held out'}",
            f"writes      {self.out}: {', '.join(self.writes)}",
        ]
