"""What surfaces look like from near: tiles of noise with the statistics of fabric, fur, stone or photographs.

No tile is a picture of anything. They exist so that models see more than flat paint before they meet real pixels.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.data.actors.rows import where

SIDE: Final = 128
"""Texels of a tile's side; tiles repeat."""
LEVELS: Final = 5


def textured(color: Tensor, kind: str, seed: int, place: Tensor, soft: Tensor, strength: float) -> Tensor:
    """Colours with a texture laid over them.

    Args:
        color: [N, 3] in 0..1.
        kind: one of `TEXTURES`.
        seed: of the tile.
        place: [N, 2] in tiles; one tile repeats every 1.
        soft: [N] width of a pixel in tiles; what is finer is averaged away.
        strength: 0 (nothing) to 1.
    """
    if kind == "weave" or strength <= 0:
        return color
    grain = _sample(_tile(kind, seed), place, soft)  # [N, 3] about zero
    if kind == "photo":
        return (color * (1 - strength) + strength * (0.5 + 0.5 * color - 0.25 + 0.55 * grain)).clamp(0, 1)
    return (color * (1 + strength * 0.9 * grain) + 0.04 * strength * grain).clamp(0, 1)


def photo_like(seed: int, *, width: int, height: int) -> Tensor:
    """[H, W, 3] in 0..1: a picture with the statistics of a photograph that shows nothing."""
    rng = np.random.Generator(np.random.PCG64([seed, 0xF070]))
    light = np.stack([_noise(rng, 1.25) for _ in range(3)])
    tint = 0.55 * light[:1] + 0.35 * light + 0.5 * np.sign(_noise(rng, 1.7)) * rng.normal(0.5, 0.5, (3, 1, 1))
    tile = torch.from_numpy(tint * 0.16 + rng.uniform(0.3, 0.65, (3, 1, 1))).float()[None]
    side = max(width, height)
    large = F.interpolate(tile, size=(side, side), mode="bicubic", align_corners=False)[0, :, :height, :width]
    return large.permute(1, 2, 0).clamp(0, 1)


def _sample(levels: tuple[Tensor, ...], place: Tensor, soft: Tensor) -> Tensor:
    """Bilinear samples [N, 3] of a repeating tile, from the level whose texels are as wide as a pixel."""
    wanted = (soft * SIDE).clamp(min=1).log2().round().clamp(max=LEVELS - 1).numpy()
    out = torch.zeros(3, len(place))
    for level, tile in enumerate(levels):
        here = where(wanted == level)
        if not len(here):
            continue
        side = SIDE >> level
        x, y = (row.index_select(0, here) * side - 0.5 for row in place.unbind(-1))
        left, top = x.floor(), y.floor()
        u, v = x - left, y - top
        x0, y0 = left.long() % side, top.long() % side
        x1, y1 = (x0 + 1) % side, (y0 + 1) % side
        corners = [y0 * side + x0, y0 * side + x1, y1 * side + x0, y1 * side + x1]
        for channel, texels in zip(out, tile, strict=True):
            a, b, c, d = (texels.index_select(0, corner) for corner in corners)
            channel.scatter_(0, here, (a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + d * u) * v)
    return out.T


@lru_cache(maxsize=64)
def _tile(kind: str, seed: int) -> tuple[Tensor, ...]:
    """A tile [3, S * S] about zero with spread about 0.3, and its halved copies."""
    rng = np.random.Generator(np.random.PCG64([seed, 0x7E47]))
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    if kind == "denim":
        value = (
            0.6 * _noise(rng, 0.3, stretch=(1, 4)) + 0.5 * _noise(rng, 1.4) + 0.4 * np.sin(2 * np.pi * 32 * (rows + columns))
        )
    elif kind == "knit":
        value = np.sin(2 * np.pi * 16 * (rows + 0.5 / 16 * np.abs(np.sin(2 * np.pi * 8 * columns)))) + 0.3 * _noise(rng, 0.8)
    elif kind == "fur":
        value = _noise(rng, 0.7, stretch=(1, 6)) + 0.4 * _noise(rng, 1.4)
    elif kind == "marble":
        value = np.sin(2 * np.pi * (2 * columns + 0.55 * _noise(rng, 1.8))) + 0.2 * _noise(rng, 0.8)
    elif kind == "photo":
        # Light shared by all channels, weaker colour, and patches with hard edges: what photographs have in common.
        light, patches = _noise(rng, 1.1), np.sign(_noise(rng, 1.6)) * 0.7
        tints = np.stack([_noise(rng, 1.3) for _ in range(3)], -1)
        return _halved(_spread(light[..., None] + 0.7 * patches[..., None] * rng.normal(1, 0.3, 3) + 0.55 * tints))
    else:
        value = _noise(rng, 1.0)
    return _halved(_spread(np.repeat(value[..., None], 3, axis=-1)))


def _noise(rng: np.random.Generator, slope: float, *, stretch: tuple[int, int] = (1, 1)) -> np.ndarray:
    """[S, S] repeating noise whose amplitude falls as frequency to the power -slope, spread 1; `stretch`: longer down."""
    across, down = np.meshgrid(np.fft.fftfreq(SIDE) * SIDE * stretch[0], np.fft.fftfreq(SIDE) * SIDE * stretch[1])
    size = np.hypot(across, down)
    size[0, 0] = 1
    wave = rng.normal(size=(SIDE, SIDE)) + 1j * rng.normal(size=(SIDE, SIDE))
    wave[0, 0] = 0
    value = np.fft.ifft2(wave / size**slope).real
    return value / value.std()


def _spread(tile: np.ndarray) -> np.ndarray:
    tile = tile - tile.mean()
    return np.clip(tile / tile.std() * 0.33, -1, 1)


def _halved(tile: np.ndarray) -> tuple[Tensor, ...]:
    levels = [torch.from_numpy(tile).float()]
    for _ in range(LEVELS - 1):
        last = levels[-1]
        levels.append((last[::2, ::2] + last[1::2, ::2] + last[::2, 1::2] + last[1::2, 1::2]) / 4)
    return tuple(level.permute(2, 0, 1).flatten(1) for level in levels)
