"""The windows that benchmarks score inside."""

from __future__ import annotations

from collections.abc import Callable

from leadline.core.errors import InputError, UnknownName

__all__ = ["WINDOWS", "window"]

Span = tuple[slice, slice]


def _whole(height: int, width: int) -> Span:
    return slice(0, height), slice(0, width)


def _nyu_eigen(height: int, width: int) -> Span:
    """Rows 45:471 and columns 41:601 of 640x480; in the same proportion elsewhere."""
    rows = slice(round(45 * height / 480), round(471 * height / 480))
    return rows, slice(round(41 * width / 640), round(601 * width / 640))


def _shares(top: float, bottom: float, left: float, right: float) -> Callable[[int, int], Span]:
    def span(height: int, width: int) -> Span:
        # Truncated to whole pixels, as the published code does.
        return slice(int(top * height), int(bottom * height)), slice(int(left * width), int(right * width))

    return span


def _kitti_benchmark(height: int, width: int) -> Span:
    """The lowest 352 rows and the middle 1216 columns; all of what is smaller."""
    top, left = max(0, height - 352), max(0, (width - 1216) // 2)
    return slice(top, height), slice(left, min(width, left + 1216))


def _inside(
    outer: Callable[[int, int], Span], inner: Callable[[int, int], Span]
) -> Callable[[int, int], Span]:
    """A window laid on what another one leaves."""

    def span(height: int, width: int) -> Span:
        rows, columns = outer(height, width)
        within = inner(rows.stop - rows.start, columns.stop - columns.start)
        return (
            slice(rows.start + within[0].start, rows.start + within[0].stop),
            slice(columns.start + within[1].start, columns.start + within[1].stop),
        )

    return span


_GARG = _shares(0.40810811, 0.99189189, 0.03594771, 0.96405229)
_EIGEN = _shares(0.3324324, 0.91351351, 0.0359477, 0.96405229)

WINDOWS: dict[str, Callable[[int, int], Span]] = {
    "none": _whole,
    "nyu-eigen": _nyu_eigen,
    "kitti-garg": _GARG,
    "kitti-eigen": _EIGEN,
    "kitti-benchmark": _kitti_benchmark,
    "kitti-benchmark-garg": _inside(_kitti_benchmark, _GARG),
    "kitti-benchmark-eigen": _inside(_kitti_benchmark, _EIGEN),
}
"""Windows by name: the whole image; Eigen et al. 2014 on NYU; Garg et al. 2016 and Eigen et al. 2014 on KITTI; the frame
of KITTI's depth benchmark, and both windows laid on that frame."""


def window(name: str, *, height: int, width: int) -> Span:
    """Rows and columns of a benchmark's window.

    Args:
        name: One of ``WINDOWS``.
        height: Rows of the image.
        width: Columns of the image.

    Returns:
        Slices of rows and columns, at least one pixel each.

    Raises:
        UnknownName: There is no such window.
        InputError: The image is too small for it.

    Example:
        >>> window("nyu-eigen", height=480, width=640)
        (slice(45, 471, None), slice(41, 601, None))
    """
    if name not in WINDOWS:
        raise UnknownName("window", name, known=WINDOWS)
    rows, columns = WINDOWS[name](height, width)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise InputError(f"the window {name!r} of {width}x{height} holds no pixel", hint="score larger maps")
    return rows, columns
