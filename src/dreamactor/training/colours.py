"""Turns the colours of training pictures: few clips show many colours."""

from __future__ import annotations

import math

import torch
from torch import Tensor

MAX_HUE_DEG = 70.0


def turn_colours(pictures: list[Tensor], *, generator: torch.Generator) -> list[Tensor]:
    """Turns the hue, saturation and brightness of pictures [..., 3] in 0..255, all alike."""

    def between(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    angle = math.radians(between(-MAX_HUE_DEG, MAX_HUE_DEG))
    grey = torch.full((3, 3), 1 / 3)
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    turn = math.cos(angle) * torch.eye(3) + (1 - math.cos(angle)) * grey + math.sin(angle) * cross
    saturation = between(0.6, 1.25)
    mix = between(0.8, 1.1) * (saturation * turn + (1 - saturation) * grey)
    lift = between(-15, 15)
    return [(picture @ mix.T + lift).clamp(0, 255) for picture in pictures]
