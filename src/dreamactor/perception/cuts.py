"""Finds cuts while frames stream by. Knows only pictures; remembers a few numbers per frame, never a frame."""

from __future__ import annotations

from collections import deque
from statistics import median

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

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
        self._coarse: Tensor | None = None
        self._histogram: Tensor | None = None
        self._recent: deque[float] = deque(maxlen=8)

    def is_cut(self, image: Tensor) -> bool:
        """Looks at the next frame, [H, W, 3] uint8 RGB; the first frame is no cut."""
        coarse, histogram = _coarse(image), _histogram(image)
        cut = False
        if self._coarse is not None and self._histogram is not None:
            pixels = float((coarse - self._coarse).abs().mean())
            colours = float((histogram - self._histogram).abs().sum()) / 2
            usual = median(self._recent) if self._recent else 0.0
            cut = colours > _MIN_COLOUR_CHANGE and pixels > max(_MIN_PIXEL_CHANGE, _TIMES_USUAL * usual)
            if cut:
                self._recent.clear()
            else:
                self._recent.append(pixels)
        self._coarse, self._histogram = coarse, histogram
        return cut


def _coarse(image: Tensor) -> Tensor:
    """[3, 18, 32] float in 0..1: the picture without detail."""
    thin = image[:: max(1, image.shape[0] // 180), :: max(1, image.shape[1] // 320)]
    return adaptive_avg_pool2d(thin.permute(2, 0, 1).to(torch.float32) / 255, (18, 32))


def _histogram(image: Tensor) -> Tensor:
    """[512] float summing to 1: shares of 8 x 8 x 8 colour classes with soft borders."""
    thin = image[:: max(1, image.shape[0] // 180), :: max(1, image.shape[1] // 320)].reshape(-1, 3).to(torch.int64)
    total = torch.zeros(512)
    for offset in (-16, 0, 16):
        shifted = (thin + offset).clamp(0, 255) // 32
        total += torch.bincount(shifted @ torch.tensor([64, 8, 1]), minlength=512)
    return total / total.sum()
