"""How far a mouth and eyes are open, by the geometry of face points: shows whether somebody else reads a face rightly."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from dreamactor.geometry.skeleton import FACE_POINT

PROXIES: Final = ("mouth", "eyes")
LEAST_SPREAD: Final = {"mouth": 0.01, "eyes": 0.02}
"""Standard deviations over a clip below which a proxy counts as still: lips in face heights, eyes as height over width."""
LEAST_FRAMES: Final = 12
"""Frames below which nothing can be said to follow."""
_HEIGHT = ("forehead", "chin")
_LIPS = ("lip_inner_2", "lip_inner_6")
_LIDS = tuple(
    ((f"{s}_eye_1", f"{s}_eye_5"), (f"{s}_eye_2", f"{s}_eye_4"), (f"{s}_eye_0", f"{s}_eye_3")) for s in ("left", "right")
)


def face_proxies(points: Tensor) -> Tensor:
    """[T, 2] gap between the lips over the face's height (less that gap), and the eyes' mean height over width.

    Args:
        points: [T, P, D] face points in any unit, upright or not.
    """

    def apart(a: str, b: str) -> Tensor:
        return (points[:, FACE_POINT[a]] - points[:, FACE_POINT[b]]).norm(dim=-1)

    gap = apart(*_LIPS)
    mouth = gap / (apart(*_HEIGHT) - gap).clamp(min=1e-6)
    eyes = [(apart(*first) + apart(*second)) / 2 / apart(*width).clamp(min=1e-6) for first, second, width in _LIDS]
    return torch.stack([mouth, torch.stack(eyes).mean(dim=0)], dim=-1)


def follows(told: Tensor, shown: Tensor, proxy: str) -> float:
    """Correlation of two series [T]; NaN where the shown one is still or too short, 0 where the other is.

    Args:
        told: what somebody reads.
        shown: what the points show.
        proxy: one of `PROXIES`, which says what counts as still.
    """
    if len(shown) < LEAST_FRAMES or float(shown.std()) < LEAST_SPREAD[proxy]:
        return math.nan
    if float(told.std()) < 1e-6:
        return 0.0
    return float(torch.corrcoef(torch.stack([told, shown]).double())[0, 1])
