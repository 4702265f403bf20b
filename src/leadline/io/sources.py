"""Finding photos: files, folders, globs, lists, addresses and standard input."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import unquote, urlsplit

from leadline.core.errors import InputError
from leadline.io.decode import PHOTO_SUFFIXES
from leadline.io.fetch import is_url
from leadline.io.images import no_such_path
from leadline.io.marks import is_marked

__all__ = ["Photo", "find_photos", "source_name"]

_MAGIC = re.compile(r"[*?\[]")
_UNSAFE = re.compile(r"[^\w.\- ()+]+")


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo that was asked for, and where what is made of it goes.

    Args:
        source: What ``read_image`` takes: a path, an address, or ``"-"``.
        relative: Sub-folder and stem below the output folder, without suffix; unique in its batch.

    Example:
        >>> Photo("trip/day1/a.jpg", Path("day1/a")).output(Path("out"), suffix="_depth.png").as_posix()
        'out/day1/a_depth.png'
    """

    source: str
    relative: Path

    def output(self, folder: Path, *, suffix: str) -> Path:
        """The file that an exporter writes for this photo.

        Args:
            folder: The output folder.
            suffix: What is put behind the stem, such as ``"_depth.png"``.

        Returns:
            The path.
        """
        return folder / self.relative.parent / f"{self.relative.name}{suffix}"


def source_name(source: str) -> str:
    """What a file that travels says of its photo: its name, not the folders or secrets of who made it.

    Args:
        source: A path, an address, or another name.

    Returns:
        The last part of a path; an address without user, query and fragment.

    Example:
        >>> source_name("holiday/trip/a.jpg"), source_name("https://ann:pw@e.org/a.jpg?token=1")
        ('a.jpg', 'https://e.org/a.jpg')
    """
    if not is_url(source):
        return PurePath(source).name or source
    parts = urlsplit(source)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(frozen=True, slots=True)
class _Found:
    source: str
    below: PurePosixPath
    """Path below the place that was asked for, suffix included."""


def find_photos(sources: Sequence[str | os.PathLike[str]], *, recursive: bool = False) -> list[Photo]:
    """Finds the photos that were asked for.

    A folder gives the photos in it, a glob those it matches (``**`` goes into sub-folders), both in natural order
    (``2.jpg`` before ``10.jpg``); hidden files, and pictures and depth files that leadline wrote, are left out.
    ``@list.txt`` names one photo a line (empty lines and lines with ``#`` in front are left out); a path in it is
    looked for from the working directory, then from the list's own folder, and one that is not there is kept, so
    that it fails by itself and the rest is done. So is one of several sources that gives nothing, as long as another
    gives photos. A photo that is named twice is taken once.

    Where outputs go: photos of a folder or glob keep their sub-folders; several folders each get a sub-folder of
    their own name. Photos that would share a stem (``a.jpg`` and ``a.png``) keep their suffix (``a.jpg_depth.png``),
    and those that would still collide are numbered (``a-2``). Names are compared without regard to case.

    Args:
        sources: Paths, folders, globs, ``@`` lists, http or https addresses, ``"-"`` for standard input.
        recursive: Whether folders are searched through all their sub-folders.

    Returns:
        At least one photo.

    Raises:
        InputError: Nothing was asked for, no source gives a photo (a path is not there, a folder or glob holds
            none), or a list or folder cannot be read.

    Example:
        >>> [p.relative.as_posix() for p in find_photos(["https://example.org/a.jpg", "https://example.org/a.png"])]
        ['a.jpg', 'a.png']
    """
    names = [os.fspath(source) for source in sources]
    if not names:
        raise InputError("no photo was named", hint="name files, folders, globs, addresses or '-'")
    folders = [name for name in names if os.path.isdir(name)]
    given = [_expand(name, recursive=recursive, alone=len(folders) < 2) for name in names]
    if not any(given):
        raise _nothing(names[0], recursive=recursive)
    kept = ([_Found(name, PurePosixPath(_last(name)))] for name in names)
    return _placed(_once([item for some, itself in zip(given, kept, strict=True) for item in some or itself]))


def _expand(name: str, *, recursive: bool, alone: bool) -> list[_Found]:
    """What one source gives; nothing where it is not there or holds no photo."""
    if name == "-":
        return [_Found("-", PurePosixPath("stdin"))]
    if is_url(name):
        return [_Found(name, PurePosixPath(_url_stem(name)))]
    if name.startswith("@"):
        return _from_list(Path(name[1:]))
    if os.path.isdir(name):
        return _from_folder(name, recursive=recursive, alone=alone)
    if os.path.lexists(name):
        return [_Found(name, PurePosixPath(os.path.basename(name)))]
    return _from_glob(name) if _MAGIC.search(name) else []


def _nothing(name: str, *, recursive: bool) -> InputError:
    """The error for a source that gives nothing."""
    suffixes = ", ".join(PHOTO_SUFFIXES)
    if os.path.isdir(name):
        deeper = not recursive and any(_is_photo(path) for path in _walk(name, recursive=True))
        return InputError(
            f"folder {name!r} holds no photo ({suffixes})",
            hint="its sub-folders do: add --recursive" if deeper else "name a folder with photos in it",
        )
    if _MAGIC.search(name):
        return InputError(f"{name!r} matches no photo ({suffixes})", hint="check the pattern")
    return no_such_path(Path(name))


def _last(name: str) -> str:
    return os.path.basename(os.path.abspath(name)) or "photo"


def _url_stem(url: str) -> str:
    last = PurePosixPath(unquote(urlsplit(url).path)).name
    return _UNSAFE.sub("_", last).strip(". ") or "photo"


def _from_folder(folder: str, *, recursive: bool, alone: bool) -> list[_Found]:
    prefix = PurePosixPath("." if alone else Path(os.path.abspath(folder)).name)
    paths = [path for path in _walk(folder, recursive=recursive) if _is_photo(path)]
    return [_Found(path, prefix / Path(os.path.relpath(path, folder)).as_posix()) for path in paths]


def _walk(folder: str, *, recursive: bool) -> Iterator[str]:
    for root, folders, files in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted((f for f in folders if not f.startswith(".")), key=_natural) if recursive else []
        for file in sorted(files, key=_natural):
            yield os.path.join(root, file)


def _unreadable(error: OSError) -> None:
    raise InputError(
        f"folder {str(error.filename)!r} cannot be read: {error.strerror}", hint="check its permissions"
    ) from error


def _is_photo(path: str) -> bool:
    name = os.path.basename(path).lower()
    return not name.startswith(".") and name.endswith(PHOTO_SUFFIXES) and not is_marked(Path(path))


def _natural(text: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", text.casefold())
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts if part]


def _from_glob(pattern: str) -> list[_Found]:
    matched = (path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))
    paths = sorted((path for path in matched if _is_photo(path)), key=_natural)
    fixed = _MAGIC.split(pattern)[0]
    start = os.path.dirname(fixed) or "."
    return [_Found(path, PurePosixPath(Path(os.path.relpath(path, start)).as_posix())) for path in paths]


def _from_list(path: Path) -> list[_Found]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise no_such_path(path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"list {str(path)!r} cannot be read ({error})", hint="give a text file, one photo a line"
        ) from error
    entries = [entry for line in lines if (entry := line.strip()) and not entry.startswith("#")]
    if not entries:
        raise InputError(f"list {str(path)!r} names no photo", hint="give one photo a line")
    return [_entry(entry, path.parent) for entry in entries]


def _entry(entry: str, folder: Path) -> _Found:
    if is_url(entry):
        return _Found(entry, PurePosixPath(_url_stem(entry)))
    beside = folder / entry
    source = str(beside) if not os.path.exists(entry) and beside.exists() else entry
    inside = PurePosixPath(Path(entry).as_posix())
    safe = not inside.is_absolute() and ".." not in inside.parts
    return _Found(source, inside if safe else PurePosixPath(inside.name))


def _once(found: Iterable[_Found]) -> list[_Found]:
    """Each photo once, the first time it is named."""
    first: dict[str, _Found] = {}
    for item in found:
        same = item.source if item.source == "-" or is_url(item.source) else os.path.realpath(item.source)
        first.setdefault(same, item)
    return list(first.values())


def _placed(found: list[_Found]) -> list[Photo]:
    stems = [_stem(item.below) for item in found]
    shared = Counter(_key(stem) for stem in stems)
    wholes = Counter(_key(item.below) for item in found)
    photos: list[Photo] = []
    taken: set[str] = set()
    for item, stem in zip(found, stems, strict=True):
        tells = shared[_key(stem)] > 1 and wholes[_key(item.below)] == 1
        photo = Photo(item.source, Path(item.below if tells else stem))
        number = 1
        while _key(photo.relative) in taken:
            number += 1
            photo = replace(photo, relative=photo.relative.with_name(f"{stem.name}-{number}"))
        taken.add(_key(photo.relative))
        photos.append(photo)
    return photos


def _stem(path: PurePosixPath) -> PurePosixPath:
    return path.with_suffix("") if path.suffix.lower() in PHOTO_SUFFIXES else path


def _key(path: PurePosixPath | Path) -> str:
    return path.as_posix().casefold()
