"""Low-resolution depth maps that go with photos, for models that are prompted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.io.depth_files import DEPTH_SUFFIXES, read_depth
from leadline.io.sources import Photo
from leadline.plugins.specs import ModelSpec

__all__ = ["Prompts"]


class Prompts:
    """The depth files beside the photos of a run.

    Args:
        place: One depth file, for one photo; or a folder that holds a file for each, by the photo's name and sub-folder:
            ``a.png`` or ``a_depth.png`` for ``a.jpg``. None where there are none.
        scale: Metres a stored step of files that do not say what they hold: 0.001 for millimetres.
        models: The models that will predict.
        photos: The photos.

    Raises:
        InputError: A model needs prompts and there are none, none needs them, the place is not there, or one file was
            named for several photos.
    """

    def __init__(
        self,
        place: Path | None,
        *,
        scale: float | None,
        models: Sequence[ModelSpec],
        photos: Sequence[Photo],
    ) -> None:
        self._place, self._scale = place, scale
        needing = [spec.name for spec in models if spec.prompted]
        if place is None:
            if needing:
                raise InputError(
                    f"model {needing[0]!r} needs a low-resolution depth map with each photo",
                    hint="name the file, or the folder that holds one a photo: --prompt",
                )
            return
        if not needing:
            names = ", ".join(repr(spec.name) for spec in models)
            raise InputError(f"{names} takes no prompt", hint="leave --prompt out, or use a prompted model")
        if not place.exists():
            raise InputError(f"there is no prompt at {str(place)!r}", hint="check the path")
        if place.is_file() and len(photos) > 1:
            raise InputError(
                f"one prompt, {str(place)!r}, cannot go with {len(photos)} photos",
                hint="name a folder that holds a depth file a photo, of the same name",
            )

    def of(self, photo: Photo) -> DepthMap | None:
        """The prompt of a photo.

        Args:
            photo: The photo.

        Returns:
            Its depth map; None where the run has no prompts.

        Raises:
            InputError: No file or several are the photo's, or its file cannot be read.
            KindError: The file does not say what it holds, and neither did the user.
        """
        if self._place is None:
            return None
        path = self._place if self._place.is_file() else self._found(self._place, photo)
        if self._scale is not None:
            return read_depth(path, kind="metric-depth", scale=self._scale)[0]
        try:
            return read_depth(path)[0]
        except KindError as error:
            raise KindError(
                error.message, hint="say it: --prompt-scale 0.001 for millimetres, 1 for metres"
            ) from error

    def _found(self, folder: Path, photo: Photo) -> Path:
        found = [path for path in _candidates(folder, photo) if path.is_file() and not _same(path, photo)]
        if len(found) != 1:
            told = ", ".join(path.name for path in found) or "none"
            raise InputError(
                f"{str(folder)!r} holds {told} for {photo.source!r}, where it should hold one depth file",
                hint=f"such as {photo.relative.name}.png or {photo.relative.name}_depth.npz",
            )
        return found[0]


def _candidates(folder: Path, photo: Photo) -> Iterator[Path]:
    for suffix in DEPTH_SUFFIXES:
        yield photo.output(folder, suffix=suffix)
        yield photo.output(folder, suffix=f"_depth{suffix}")


def _same(path: Path, photo: Photo) -> bool:
    """Whether a file is the photo itself, where photos and prompts share a folder."""
    return path.resolve() == Path(photo.source).resolve()
