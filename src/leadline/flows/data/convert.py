"""Rewriting a dataset as leadline's own form: a plain folder or tar shards, exact, checksummed, resumable."""

from __future__ import annotations

import io
import json
import tarfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from leadline._version import __version__
from leadline.core.errors import DatasetError, OutputError
from leadline.core.sample import Entry
from leadline.flows.data.choosing import OPTION_HELP, PLACE_HELP, chosen
from leadline.flows.data.collection import Collection, Skipped
from leadline.flows.data.opening import open_dataset
from leadline.flows.options import Told, check_bounds, told
from leadline.io.atomic import output_error, write_whole
from leadline.io.plain_form import FORM_VERSION, HEADER, MANIFEST, Packed, pack_depth, pack_photo, sample_of

__all__ = ["ConvertReport", "ConvertRequest", "convert", "convert_collection"]

_AHEAD = 2

Todo = list[tuple[int, Entry]]
_Made = tuple[int, Packed, Packed, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ConvertRequest:
    """What ``leadline data convert`` is asked for."""

    place: str = field(metadata=told(Told(PLACE_HELP, positional=True)))
    out: Path = field(metadata=told(Told("Folder to write; a run that stopped goes on.", positional=True)))
    option: tuple[str, ...] = field(
        default=(), metadata=told(Told(OPTION_HELP, metavar="KEY=VALUE", whole=True))
    )
    split: str = field(
        default="", metadata=told(Told("Only this split.", choices=("", "train", "val", "test")))
    )
    first: int | None = field(default=None, metadata=told(Told("At most this many samples.", minimum=1)))
    form: str = field(
        default="folder",
        metadata=told(Told("One file each, or tar shards for streaming.", choices=("folder", "shards"))),
    )
    shard_size: int = field(default=1000, metadata=told(Told("Samples in a shard.", minimum=1)))
    photo: str = field(
        default="keep",
        metadata=told(
            Told(
                "keep takes the original file where it decodes to the same pixels; jpeg loses a little.",
                choices=("keep", "png", "jpeg"),
            )
        ),
    )
    depth: str = field(
        default="npy",
        metadata=told(
            Told("npy is quickest to read, png smallest; values are exact in both.", choices=("npy", "png"))
        ),
    )
    workers: int = field(default=2, metadata=told(Told("Threads.", minimum=1, maximum=256)))
    on_error: str = field(
        default="raise",
        metadata=told(Told("What to do about a sample that cannot be read.", choices=("raise", "skip"))),
    )
    verify: bool = field(
        default=False,
        metadata=told(Told("Read everything back afterwards and compare checksums and values.")),
    )

    def __post_init__(self) -> None:
        check_bounds(self)


@dataclass(frozen=True, slots=True)
class ConvertReport:
    """What a conversion did.

    Args:
        out: The folder.
        samples: How many it holds now.
        written: How many of them this run wrote.
        size_bytes: Bytes of all photos and depths.
        skipped: What could not be read.
        verified: Whether everything was read back.
    """

    out: Path
    samples: int
    written: int
    size_bytes: int
    skipped: tuple[Skipped, ...]
    verified: bool


def convert(request: ConvertRequest, *, step: Callable[[int, int], None] | None = None) -> ConvertReport:
    """Converts, or goes on where a run into the same folder stopped.

    Args:
        request: What to convert and how.
        step: Is told how many are done, of how many.

    Returns:
        What was done.

    Raises:
        DatasetError: A sample cannot be read and it was not asked to go on, or what was written reads back otherwise.
        OutputError: The folder holds something else, or cannot be written.
    """
    return convert_collection(chosen(request), request=request, step=step)


def convert_collection(
    collection: Collection, *, request: ConvertRequest, step: Callable[[int, int], None] | None = None
) -> ConvertReport:
    """Converts an open dataset.

    Args:
        collection: The samples.
        request: Where to and how.
        step: Is told how many are done, of how many.

    Returns:
        What was done.

    Raises:
        DatasetError: As ``convert``.
        OutputError: As ``convert``.
    """
    out = request.out
    header = _header_of(collection, request)
    done = _begin(out, header)
    skipped: list[Skipped] = []
    todo = _todo(collection, done, request)
    total, before = len(collection), len(done)
    write = _write_folder if request.form == "folder" else _write_shards
    try:
        with open(out / MANIFEST, "a", encoding="utf-8", newline="\n") as manifest:
            for line in write(collection, todo, request, skipped):
                manifest.write(json.dumps(line) + "\n")
                manifest.flush()
                done[line["id"]] = line
                if step is not None:
                    step(len(done) + len(skipped), total)
    except OSError as error:
        if isinstance(error, (DatasetError, OutputError)):
            raise
        raise output_error(out / MANIFEST, error) from error
    _put(out / HEADER, {**header, "finished": True, "samples": len(done)})
    if request.verify:
        _verify(collection, out, skipped)
    size = sum(line[part]["bytes"] for line in done.values() for part in ("photo", "depth"))
    return ConvertReport(out, len(done), len(done) - before, size, tuple(skipped), request.verify)


def _header_of(collection: Collection, request: ConvertRequest) -> dict[str, Any]:
    ids = "\n".join(entry.id for entry in collection.entries)
    return {
        "leadline_dataset": FORM_VERSION,
        "leadline": __version__,
        "kind": str(collection.kind),
        "unit": collection.kind.unit,
        "form": request.form,
        "photo": request.photo,
        "depth": request.depth,
        **({"shard_size": request.shard_size} if request.form == "shards" else {}),
        "source": {
            "dataset": collection.spec.name,
            "options": collection.options,
            "licence": collection.spec.licence,
            "samples": len(collection),
            "ids_sha256": sha256(ids.encode()).hexdigest(),
        },
        "finished": False,
        "samples": 0,
    }


def _begin(out: Path, header: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Makes the folder ready and says which samples are done, whole lines only."""
    path = out / HEADER
    if not path.exists():
        try:
            out.mkdir(parents=True, exist_ok=True)
            if any(item for item in out.iterdir() if not item.name.startswith(".leadline-")):
                raise OutputError(f"{str(out)!r} is not empty", hint="name a new folder")
        except OSError as error:
            if isinstance(error, OutputError):
                raise
            raise output_error(out, error) from error
        _put(path, header)
    try:
        there = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"{str(path)!r} cannot be read ({error})", hint="name a new folder") from error
    differs = [
        key
        for key in header
        if key not in ("finished", "samples", "leadline") and there.get(key) != header[key]
    ]
    if differs:
        raise OutputError(
            f"{str(out)!r} holds another conversion: {differs[0]} is {there.get(differs[0])!r}, not {header[differs[0]]!r}",
            hint="name a new folder, or ask for the same as before",
        )
    done = _whole_lines(out)
    if header["form"] == "shards" and not there.get("finished") and done:
        # The last shard may have been told of in part only: it is made again.
        last = next(reversed(done.values()))["photo"]["file"]
        done = {name: line for name, line in done.items() if line["photo"]["file"] != last}
    text = "".join(json.dumps(line) + "\n" for line in done.values())
    with write_whole(out / MANIFEST) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return done


def _todo(collection: Collection, done: dict[str, dict[str, Any]], request: ConvertRequest) -> Todo:
    entries = list(enumerate(collection.entries))
    if request.form == "folder":
        return [(position, entry) for position, entry in entries if entry.id not in done]
    shards = {line["photo"]["file"] for line in done.values()}
    return [(k, entry) for k, entry in entries if _shard_name(k // request.shard_size) not in shards]


def _shard_name(number: int) -> str:
    return f"shard-{number:06}.tar"


def _whole_lines(out: Path) -> dict[str, dict[str, Any]]:
    """Lines up to the first that was cut short or whose files are not there in full."""
    done: dict[str, dict[str, Any]] = {}
    if not (out / MANIFEST).exists():
        return done
    for text in (out / MANIFEST).read_text("utf-8", "replace").splitlines():
        try:
            line = json.loads(text)
            whole = all(_is_there(out, line[part]) for part in ("photo", "depth"))
        except (ValueError, KeyError, TypeError):
            break
        if not whole:
            break
        done[line["id"]] = line
    return done


def _is_there(out: Path, part: dict[str, Any]) -> bool:
    path = out / part["file"]
    needed = int(part.get("offset", 0)) + int(part["bytes"])
    return bool(path.is_file() and path.stat().st_size >= needed)


def _put(path: Path, header: dict[str, Any]) -> None:
    with write_whole(path) as part:
        part.write_text(json.dumps(header, indent=1) + "\n", encoding="utf-8")


def _packed(collection: Collection, position: int, request: ConvertRequest) -> _Made:
    sample = collection[position]
    original = b""
    if request.photo == "keep":
        source = Path(sample.image.source)
        original = source.read_bytes() if source.is_file() else b""
    photo = pack_photo(sample.image.rgb_HW3, original, form=request.photo)
    return position, photo, pack_depth(sample.truth, form=request.depth), sample_of(sample)


def _in_order(
    collection: Collection,
    todo: Todo,
    request: ConvertRequest,
    skipped: list[Skipped],
    act: Callable[[_Made], Any],
) -> Iterator[Any]:
    """``act`` on every packed sample in worker threads; results in order, few held at once."""
    waiting: deque[tuple[Entry, Future[Any]]] = deque()

    def one(position: int) -> Any:
        return act(_packed(collection, position, request))

    def finished(entry: Entry, future: Future[Any]) -> Iterator[Any]:
        try:
            yield future.result()
        except DatasetError as error:
            if request.on_error == "raise":
                raise
            skipped.append(Skipped(entry.id, str(error)))

    with ThreadPoolExecutor(request.workers, thread_name_prefix="leadline-convert") as pool:
        try:
            for position, entry in todo:
                waiting.append((entry, pool.submit(one, position)))
                if len(waiting) > _AHEAD * request.workers:
                    yield from finished(*waiting.popleft())
            while waiting:
                yield from finished(*waiting.popleft())
        finally:
            for _, future in waiting:
                future.cancel()


def _part(file: str, packed: Packed, **more: Any) -> dict[str, Any]:
    return {"file": file, "bytes": len(packed.data), "sha256": sha256(packed.data).hexdigest(), **more}


def _write_folder(
    collection: Collection, todo: Todo, request: ConvertRequest, skipped: list[Skipped]
) -> Iterator[dict[str, Any]]:
    def put(made: _Made) -> dict[str, Any]:
        position, photo, depth, told_of_it = made
        files = (f"photos/{position:06}{photo.suffix}", f"depth/{position:06}{depth.suffix}")
        for name, packed in zip(files, (photo, depth), strict=True):
            with write_whole(request.out / name) as part:
                part.write_bytes(packed.data)
        return {
            **told_of_it,
            "photo": _part(files[0], photo),
            "depth": _part(files[1], depth, steps_per_unit=depth.steps_per_unit),
        }

    yield from _in_order(collection, todo, request, skipped, put)


def _write_shards(
    collection: Collection, todo: Todo, request: ConvertRequest, skipped: list[Skipped]
) -> Iterator[dict[str, Any]]:
    """Whole shards, each told of when it is whole."""
    size = request.shard_size
    for number in sorted({position // size for position, _ in todo}):
        part_of = [(position, entry) for position, entry in todo if position // size == number]
        name = _shard_name(number)
        lines = []
        with (
            write_whole(request.out / name) as part,
            tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for made in _in_order(collection, part_of, request, skipped, lambda made: made):
                lines.append(_into(tar, name, made))
        yield from lines


def _into(tar: tarfile.TarFile, name: str, made: _Made) -> dict[str, Any]:
    position, photo, depth, told_of_it = made
    told_of_it = {**told_of_it, "steps_per_unit": depth.steps_per_unit}
    key = f"{position:06}"
    offsets = [
        _member(tar, f"{key}{ending}", data)
        for ending, data in (
            (photo.suffix, photo.data),
            (f".depth{depth.suffix}", depth.data),
            (".json", json.dumps(told_of_it).encode()),
        )
    ]
    del told_of_it["steps_per_unit"]
    return {
        **told_of_it,
        "photo": _part(name, photo, offset=offsets[0]),
        "depth": _part(name, depth, offset=offsets[1], steps_per_unit=depth.steps_per_unit),
    }


def _member(tar: tarfile.TarFile, name: str, data: bytes) -> int:
    """Adds one file with no time and no owner, so that the same samples make the same bytes; gives where it begins."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    at = tar.offset + tarfile.BLOCKSIZE
    tar.addfile(member, io.BytesIO(data))
    return at


def _verify(collection: Collection, out: Path, skipped: list[Skipped]) -> None:
    again = open_dataset(out, name="leadline", options={"verify": "sha256"})
    left_out = {item.id for item in skipped}
    names = [entry.id for entry in collection.entries if entry.id not in left_out]
    places, places_again = (
        {entry.id: k for k, entry in enumerate(part.entries)} for part in (collection, again)
    )
    for name in names:
        # A frame that could be read only in a later run stands at the end.
        first, second = collection[places[name]].truth, again[places_again[name]].truth
        same = (
            first.kind == second.kind
            and first.values.tobytes() == second.values.tobytes()
            and bool((first.valid == second.valid).all())
            and bool((first.infinite == second.infinite).all())
        )
        if not same:
            raise DatasetError(f"sample {name!r} reads back otherwise than it was", hint="please report this")
