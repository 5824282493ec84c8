"""Fills holes in a picture from their surroundings (push and pull over a pyramid), and grows masks. Plain numpy."""

from __future__ import annotations

import numpy as np


def fill_holes(image: np.ndarray, known: np.ndarray, *, smooth_steps: int = 2) -> np.ndarray:
    """Keeps known pixels and fills all others smoothly from the known ones around them.

    Args:
        image: [H, W, C] float32.
        known: [H, W] bool; where it is nowhere true the result is all zero.
        smooth_steps: rounds of local averaging per level, inside holes only.

    Returns:
        [H, W, C] float32.
    """
    weight = known.astype(np.float32)[..., None]
    return _pull(image * weight, weight, smooth_steps)


def _pull(total: np.ndarray, weight: np.ndarray, smooth_steps: int) -> np.ndarray:
    """total [H, W, C] is colour times weight [H, W, 1]; returns colours everywhere."""
    height, width, _ = total.shape
    known = weight > 0
    colour = np.where(known, total / np.maximum(weight, 1e-6), 0.0)
    if known.all() or min(height, width) < 2:
        mean = total.sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(known, colour, mean).astype(np.float32)
    pad = ((0, height % 2), (0, width % 2), (0, 0))
    coarse = _pull(_halve(np.pad(total, pad)), _halve(np.pad(weight, pad)), smooth_steps)
    up = coarse.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    filled = np.where(known, colour, up)
    for _ in range(smooth_steps):
        filled = np.where(known, colour, _box3(filled))
    return filled.astype(np.float32)


def _halve(image: np.ndarray) -> np.ndarray:
    """Sums of 2 x 2 blocks."""
    rows = image[0::2] + image[1::2]
    return rows[:, 0::2] + rows[:, 1::2]


def _box3(image: np.ndarray) -> np.ndarray:
    """3 x 3 mean with edge pixels repeated."""
    padded = np.pad(image, ((1, 1), (0, 0), (0, 0)), mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    padded = np.pad(rows, ((0, 0), (1, 1), (0, 0)), mode="edge")
    return (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 9.0


def grow(mask: np.ndarray, steps: int) -> np.ndarray:
    """[H, W] bool grown by `steps` pixels, by turns in 4 and 8 directions (nearly round)."""
    grown = mask.copy()
    for step in range(steps):
        padded = np.pad(grown, 1)
        near = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
        if step % 2:
            near |= padded[:-2, :-2] | padded[2:, 2:] | padded[2:, :-2] | padded[:-2, 2:]
        grown |= near
    return grown
