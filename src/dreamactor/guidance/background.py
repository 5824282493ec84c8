"""What stands behind the person in the reference, and where it shows in a picture that a model made of the person.

The fill: lines that run into the hidden part go on, and blur with the way.

Skylines, skirting boards and shadows go on behind people, so the hole is filled by OpenCV's Navier-Stokes inpainting, which
prolongs the lines of equal brightness (Bertalmio, Bertozzi and Sapiro 2001). Where what grows in from two sides meets, that
leaves seams, and far from everything known it is a guess: so the fill is the softer the deeper it lies in the hole.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor

from dreamactor.guidance.inpaint import fill_holes, grow

_REACH_PX: Final = 3
"""Pixels around a place that its colour is continued from."""
_BLURS_PX: Final = (0.0, 2.0, 4.0, 8.0, 16.0)
_BLUR_PER_DEPTH: Final = 0.1
"""Standard deviation of the blur, per pixel of distance to the next known one."""
_LEAST_KNOWN: Final = 0.02
"""Share of the picture that must be known for lines to be seen at all."""

_ALIKE: Final = 24.0
"""Colours that differ by less in every channel, 0..255, are taken for the background's."""


def fill_background(picture: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The background without the person.

    Args:
        picture: [H, W, 3] uint8.
        seen: [H, W] bool, False where the person hides it.

    Returns:
        [H, W, 3] float32 in 0..255; equal to the picture wherever it is seen.
    """
    known = picture.astype(np.float32)
    if seen.mean() < _LEAST_KNOWN:
        return fill_holes(known, seen)
    hole = (~seen).astype(np.uint8)
    filled = cv2.inpaint(picture, hole, _REACH_PX, cv2.INPAINT_NS).astype(np.float32)
    depth = cv2.distanceTransform(hole, cv2.DIST_L2, 3)
    softer = np.stack([filled, *(cv2.GaussianBlur(filled, (0, 0), blur) for blur in _BLURS_PX[1:])])
    level = np.interp(depth * _BLUR_PER_DEPTH, _BLURS_PX, np.arange(len(_BLURS_PX)))
    below = np.minimum(level.astype(np.int64), len(_BLURS_PX) - 2)
    share = (level - below)[..., None].astype(np.float32)
    rows, columns = np.indices(depth.shape)
    soft = softer[below, rows, columns] * (1 - share) + softer[below + 1, rows, columns] * share
    return np.where(seen[..., None], known, soft)


def without_background(frames: Tensor, figure: Tensor, background: np.ndarray) -> Tensor:
    """Made pictures whose drawn figure is all person: [T, H, W, 3] uint8.

    A proxy's outline is rough, and where it is too wide, as between an arm and the body, a model paints background, which
    would be carried along as the person's. Whatever in the figure looks like it and can be reached from outside is painted
    over, a pixel of its rim included, with the person's colours around it. The outline stays: a rough one hurts less than
    one that changes from view to view. Colours further inside stay, even where they are the background's.

    Args:
        frames: [T, H, W, 3] uint8, what was made.
        figure: [T, H, W] uint8, 255 where it was drawn.
        background: [H, W, 3] float32 in 0..255, see `fill_background`.
    """
    mended = frames.numpy().copy()
    for picture, drawn in zip(mended, figure.numpy() > 127, strict=True):
        alike = np.abs(picture - background).max(axis=-1) < _ALIKE
        _, region = cv2.connectedComponents((~drawn | alike).astype(np.uint8), connectivity=4)
        reached = np.isin(region, np.unique(region[~drawn]))
        wrong = drawn & grow(drawn & reached, 1)
        filled = fill_holes(picture.astype(np.float32), drawn & ~wrong)
        picture[wrong] = np.rint(filled[wrong]).astype(np.uint8)
    return torch.from_numpy(mended)
