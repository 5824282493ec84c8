"""Finds cuts while frames stream by. Knows only pictures; remembers a few numbers per frame, never a frame.

Plain numpy: on such small arrays torch's threads cost far more than they give when other work keeps the cores busy."""

from __future__ import annotations

from collections import deque
from statistics import median

import numpy as np
from torch import Tensor

_MIN_COLOUR_CHANGE = 0.25
"""Share of the picture whose colour class is another one (histograms do not see movement)."""

_MIN_PIXEL_CHANGE = 0.08
"""Mean change of the coarse picture, 0..1."""

_TIMES_USUAL = 4.0
"""A cut changes the coarse picture so many times more than the frames before it did."""


class CutDetector:
    """Says of each frame whether it starts a new shot.

    A cut must change both the colours of the whole picture and the coarse picture itself, the latter much more than the
    frames just before did: fast limbs change no colours, a fade or a moving camera changes every frame alike.
    """

    def __init__(self) -> None:
        self._coarse: np.ndarray | None = None
        self._histogram: np.ndarray | None = None
        self._recent: deque[float] = deque(maxlen=8)

    def is_cut(self, image: Tensor) -> bool:
        """Looks at the next frame, [H, W, 3] uint8 RGB; the first frame is no cut."""
        pixels_seen = image.numpy()
        coarse, histogram = _coarse(pixels_seen), _histogram(pixels_seen)
        cut = False
        if self._coarse is not None and coarse.shape != self._coarse.shape:
            cut = True  # pictures of another size
        elif self._coarse is not None and self._histogram is not None:
            pixels = float(np.abs(coarse - self._coarse).mean())
            colours = float(np.abs(histogram - self._histogram).sum()) / 2
            usual = median(self._recent) if self._recent else 0.0
            cut = colours > _MIN_COLOUR_CHANGE and pixels > max(_MIN_PIXEL_CHANGE, _TIMES_USUAL * usual)
            if cut:
                self._recent.clear()
            else:
                self._recent.append(pixels)
        self._coarse, self._histogram = coarse, histogram
        return cut


def _coarse(image: np.ndarray) -> np.ndarray:
    """[rows, columns, 3] float32 in 0..1: means over blocks, about 18 along the shorter side."""
    thin = _thin(image, 144)
    block = max(1, min(thin.shape[:2]) // 18)
    rows, columns = thin.shape[0] // block, thin.shape[1] // block
    blocks = thin[: rows * block, : columns * block].reshape(rows, block, columns, block, 3)
    return blocks.mean(axis=(1, 3), dtype=np.float32) / 255


def _histogram(image: np.ndarray) -> np.ndarray:
    """[512] float summing to 1: shares of 8 x 8 x 8 colour classes with soft borders."""
    pixels = _thin(image, 72).reshape(-1, 3).astype(np.int32)
    total = np.zeros(512)
    for offset in (-16, 0, 16):
        red, green, blue = ((pixels + offset).clip(0, 255) >> 5).T
        total += np.bincount((red << 6) + (green << 3) + blue, minlength=512)
    return total / total.sum()


def _thin(image: np.ndarray, rows: int) -> np.ndarray:
    """Every n-th pixel both ways, so that at least about `rows` rows and columns are left."""
    step = max(1, min(image.shape[:2]) // rows)
    return image[::step, ::step]
