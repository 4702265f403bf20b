"""Looks of surfaces: colours and patterns in surface coordinates, and palettes as rooms have them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Look", "Pattern", "any_look", "cloth", "noise", "painted", "reflectance", "tile_floor", "wooden"]

Array = NDArray[np.float32]
Colour = tuple[float, float, float]
_TILE = 256


class Pattern(IntEnum):
    """How the two colours of a look are laid out."""

    PLAIN = 0
    CLOUDS = 1
    GRAIN = 2
    PLANKS = 3
    TILES = 4
    CHECKS = 5
    BRICKS = 6
    STRIPES = 7
    WEAVE = 8
    POSTER = 9
    BLIND = 10


@dataclass(frozen=True, slots=True)
class Look:
    """What a surface looks like.

    Args:
        pattern: How the colours are laid out.
        first: Linear reflectance, red, green, blue.
        second: The other colour.
        period_m: Size of the pattern.
        grit: Share of unevenness.
        gloss: Share of light that is mirrored.
        glow: Light that it sends by itself, as a multiple of its colour.
        shift: Where the pattern begins, in periods.
    """

    pattern: Pattern
    first: Colour
    second: Colour
    period_m: float = 0.3
    grit: float = 0.05
    gloss: float = 0.0
    glow: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)


@lru_cache(maxsize=1)
def _noise_tile() -> Array:
    """Fractal noise about 0 with deviation 1 that repeats without a seam."""
    rng = np.random.Generator(np.random.PCG64(20240501))
    total = np.zeros((_TILE, _TILE))
    for octave in range(2, 8):
        cells = 2**octave
        grid = rng.random((cells, cells))
        place = np.arange(_TILE) * cells / _TILE
        low = place.astype(int)
        share = place - low
        share = share * share * (3 - 2 * share)
        high = (low + 1) % cells
        rows = grid[low] * (1 - share)[:, None] + grid[high] * share[:, None]
        total += (rows[:, low] * (1 - share) + rows[:, high] * share) * 0.6**octave
    return np.asarray((total - total.mean()) / total.std(), np.float32)


def noise(s: Array, t: Array) -> Array:
    """Smooth noise about 0 with deviation 1; one unit of s and t is four of its coarsest bumps.

    Args:
        s: Surface coordinate.
        t: The other one.

    Returns:
        Noise, the same for the same coordinates.
    """
    tile = _noise_tile().ravel()
    s, t = s * np.float32(_TILE), t * np.float32(_TILE)
    column, row = np.floor(s), np.floor(t)
    a, b = s - column, t - row
    i, j = column.astype(np.int64) % _TILE, row.astype(np.int64) % _TILE
    right, below = (i + 1) % _TILE, (j + 1) % _TILE * _TILE
    j *= _TILE
    upper = tile[j + i] * (1 - a) + tile[j + right] * a
    lower = tile[below + i] * (1 - a) + tile[below + right] * a
    mixed: Array = upper * (1 - b) + lower * b
    return mixed


def reflectance(look: Look, s_m: Array, t_m: Array, *, footprint_m: Array) -> Array:
    """Colours of a surface at some of its points.

    Args:
        look: Its look.
        s_m: Surface coordinate, level where there is a level one.
        t_m: The other.
        footprint_m: How wide a pixel is there; patterns finer than that fade to their mean.

    Returns:
        Linear reflectance (N, 3).
    """
    s = s_m / np.float32(look.period_m) + np.float32(look.shift[0])
    t = t_m / np.float32(look.period_m) + np.float32(look.shift[1])
    share, mean, finest = _MIXES[look.pattern](s, t)
    keep = np.clip(1.5 - 2 * footprint_m / np.float32(look.period_m * finest), 0, 1)
    share = np.clip(mean + (share - mean) * keep, 0, 1)[:, None]
    first, second = np.asarray(look.first, np.float32), np.asarray(look.second, np.float32)
    colour = first + (second - first) * share
    if look.grit:
        near, far = noise(s_m * 0.9, t_m * 0.9), noise(s_m * 0.11 + 0.3, t_m * 0.13)
        colour = colour * (1 + np.float32(look.grit) * (near + far))[:, None]
    shown: Array = np.clip(colour, 0.005, 0.95)
    return shown


Mix = tuple[Array, float, float]


def _plain(s: Array, t: Array) -> Mix:
    return np.zeros_like(s), 0.0, 1.0


def _clouds(s: Array, t: Array) -> Mix:
    return 0.5 + 0.3 * noise(s * 0.25, t * 0.25), 0.5, 0.1


def _grain(s: Array, t: Array) -> Mix:
    bent = t * 6 + 0.8 * noise(s * 0.05, t * 0.3)
    return 0.5 + 0.3 * np.sin(6.28 * bent) + 0.2 * noise(s * 0.1, t * 2), 0.5, 0.15


def _planks(s: Array, t: Array) -> Mix:
    row = np.floor(t)
    along = s / 7 + _scatter(row, row)
    board = np.floor(along)
    seam = (t - row < 0.03) | (along - board < 0.004)
    own = _scatter(row, board)
    mix = 0.15 + 0.45 * own + 0.15 * noise(s * 0.06 + own, t * 0.9)
    return np.where(seam, np.float32(1), mix).astype(np.float32), 0.4, 0.5


def _tiles(s: Array, t: Array) -> Mix:
    i, j = np.floor(s), np.floor(t)
    joint = (s - i < 0.035) | (t - j < 0.035)
    return np.where(joint, np.float32(1), 0.25 * _scatter(i, j)).astype(np.float32), 0.18, 0.3


def _checks(s: Array, t: Array) -> Mix:
    return ((np.floor(s) + np.floor(t)) % 2).astype(np.float32), 0.5, 0.7


def _bricks(s: Array, t: Array) -> Mix:
    row = np.floor(t * 3)
    along = s + 0.5 * (row % 2)
    brick = np.floor(along)
    joint = (along - brick < 0.05) | (t * 3 - row < 0.13)
    mix = np.where(joint, np.float32(1), 0.5 * _scatter(brick, row) + 0.1 * noise(s, t))
    return mix.astype(np.float32), 0.4, 0.2


def _stripes(s: Array, t: Array) -> Mix:
    return (s - np.floor(s) < 0.45).astype(np.float32), 0.45, 0.6


def _weave(s: Array, t: Array) -> Mix:
    cells = _scatter(np.floor(s * 8), np.floor(t * 8))
    return 0.3 * cells + 0.35 + 0.15 * noise(s, t), 0.5, 0.15


def _poster(s: Array, t: Array) -> Mix:
    blobs = noise(s * 0.12 + 0.17, t * 0.12)
    return np.asarray(0.5 + 0.5 * np.tanh(3 * (blobs + 0.5 * np.sin(3 * t))), np.float32), 0.5, 0.2


def _blind(s: Array, t: Array) -> Mix:
    return np.asarray(t - np.floor(t), np.float32), 0.5, 0.6


_MIXES = {
    Pattern.PLAIN: _plain,
    Pattern.CLOUDS: _clouds,
    Pattern.GRAIN: _grain,
    Pattern.PLANKS: _planks,
    Pattern.TILES: _tiles,
    Pattern.CHECKS: _checks,
    Pattern.BRICKS: _bricks,
    Pattern.STRIPES: _stripes,
    Pattern.WEAVE: _weave,
    Pattern.POSTER: _poster,
    Pattern.BLIND: _blind,
}


def _scatter(i: Array, j: Array) -> Array:
    """A number between 0 and 1 for each cell, as good as random."""
    mixed = i.astype(np.int64) * 73856093 ^ j.astype(np.int64) * 19349663
    mixed = (mixed ^ (mixed >> 13)) * 1274126177 & 0xFFFFFF
    scattered: Array = (mixed / np.float32(0xFFFFFF)).astype(np.float32)
    return scattered


def painted(rng: np.random.Generator, *, value: tuple[float, float], colourful: float) -> Colour:
    """A random linear colour, mostly near grey.

    Args:
        rng: The source of chance.
        value: Least and most brightness, as people see it (sRGB, 0 to 1).
        colourful: How far from grey, 0 to 1.

    Returns:
        The colour.
    """
    hue = rng.choice([rng.normal(0.09, 0.05), rng.random()], p=[0.65, 0.35])
    saturation, brightness = colourful * rng.random() ** 1.5, rng.uniform(*value)
    waves = [0.5 + 0.5 * np.cos(2 * np.pi * (hue - k / 3)) for k in range(3)]
    red, green, blue = (float((brightness * (1 - saturation * (1 - wave))) ** 2.2) for wave in waves)
    return red, green, blue


def _shift(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.uniform(0, 9)), float(rng.uniform(0, 9))


def wooden(rng: np.random.Generator, *, pattern: Pattern = Pattern.GRAIN) -> Look:
    """Wood, from pale birch to black walnut, at times painted white."""
    if rng.random() < 0.2:
        white = painted(rng, value=(0.8, 0.97), colourful=0.05)
        return Look(Pattern.PLAIN, white, white, 0.3, 0.02, 0.06)
    value = rng.uniform(0.22, 0.85)
    red = np.array([1.0, rng.uniform(0.68, 0.85), rng.uniform(0.4, 0.68)]) * value
    first, second = red**2.2, (red * rng.uniform(0.55, 0.88)) ** 2.2
    period = float(rng.uniform(0.08, 0.18) if pattern is Pattern.PLANKS else rng.uniform(0.15, 0.6))
    a, b = (_colour(part) for part in (first, second))
    return Look(pattern, a, b, period, 0.05, float(rng.uniform(0, 0.12)), 0.0, _shift(rng))


def _colour(values: NDArray[np.float64]) -> Colour:
    return float(values[0]), float(values[1]), float(values[2])


def cloth(rng: np.random.Generator) -> Look:
    """Fabric of a sofa, a bed, a curtain or a carpet."""
    first = painted(rng, value=(0.12, 0.9), colourful=0.6)
    second = painted(rng, value=(0.12, 0.9), colourful=0.6) if rng.random() < 0.3 else _dimmed(first, 0.75)
    patterns = [Pattern.WEAVE, Pattern.CLOUDS, Pattern.STRIPES, Pattern.CHECKS]
    pattern = patterns[int(rng.choice(4, p=[0.5, 0.3, 0.12, 0.08]))]
    return Look(pattern, first, second, float(rng.uniform(0.05, 0.3)), 0.06, 0.0, 0.0, _shift(rng))


def _dimmed(colour: Colour, share: float) -> Colour:
    return colour[0] * share, colour[1] * share, colour[2] * share


def tile_floor(rng: np.random.Generator) -> Look:
    """Tiles of a floor or a kitchen wall, at times a chess board."""
    first = painted(rng, value=(0.4, 0.92), colourful=0.25)
    chess = rng.random() < 0.15
    second = (
        painted(rng, value=(0.1, 0.6), colourful=0.2)
        if chess
        else _dimmed(first, float(rng.uniform(0.3, 0.7)))
    )
    pattern = Pattern.CHECKS if chess else Pattern.TILES
    return Look(
        pattern,
        first,
        second,
        float(rng.uniform(0.12, 0.6)),
        0.03,
        float(rng.uniform(0.03, 0.2)),
        0,
        _shift(rng),
    )


def any_look(rng: np.random.Generator) -> Look:
    """Anything small: plastic, card, glaze, metal."""
    first = painted(rng, value=(0.08, 0.97), colourful=0.9)
    second = painted(rng, value=(0.08, 0.97), colourful=0.9)
    pattern = [Pattern.PLAIN, Pattern.CLOUDS, Pattern.STRIPES, Pattern.POSTER, Pattern.CHECKS]
    chosen = pattern[int(rng.choice(5, p=[0.6, 0.12, 0.1, 0.12, 0.06]))]
    return Look(
        chosen,
        first,
        second,
        float(rng.uniform(0.03, 0.25)),
        0.03,
        float(rng.uniform(0, 0.25)),
        0.0,
        _shift(rng),
    )
