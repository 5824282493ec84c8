"""A visible line in the corner of pictures that says what they are."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

TEXT = "AI-generated"
_SHARE = 24
"""The text's height is this part of the picture's shorter side."""


def draw_label(frames: Tensor) -> Tensor:
    """Pictures [T, H, W, 3] uint8 with the words in the lower left corner, white on a darkened strip."""
    _, height, width, _ = frames.shape
    ink = _ink(int(height), int(width))  # [h, w] float 0..1
    tall, wide = ink.shape
    labelled = frames.clone()
    corner = labelled[:, height - tall :, :wide].float()
    white = ink[None, :, :, None]
    labelled[:, height - tall :, :wide] = (corner * 0.4 * (1 - white) + 255 * white).round().to(torch.uint8)
    return labelled


@cache
def _ink(height: int, width: int) -> Tensor:
    """[h, w] float32 in 0..1: how much of each pixel of the strip the letters cover."""
    size = max(9.0, min(height, width) / _SHARE)
    font = ImageFont.load_default(size=size)
    wide, tall = min(width, round(font.getlength(TEXT) + size)), min(height, round(size * 1.6))
    strip = Image.new("L", (wide, tall))
    ImageDraw.Draw(strip).text((wide / 2, tall / 2), TEXT, font=font, fill=255, anchor="mm")
    return torch.from_numpy(np.array(strip)).float() / 255
