"""Flow times: how they are drawn in training and stepped through in sampling."""

from __future__ import annotations

import torch
from torch import Tensor


def draw_times(batch: int, *, shift: float = 1.0, generator: torch.Generator) -> Tensor:
    """Logit-normal times in 0..1, [B]; a shift above 1 moves them towards noise."""
    return shift_times(torch.sigmoid(torch.randn(batch, generator=generator)), shift)


def sampling_times(num_steps: int, *, shift: float = 1.0) -> Tensor:
    """Falling grid from 1 to 0: [num_steps + 1]."""
    return shift_times(torch.linspace(1, 0, num_steps + 1), shift)


def shift_times(times: Tensor, shift: float) -> Tensor:
    """t -> shift t / (1 + (shift - 1) t); keeps 0 and 1."""
    return shift * times / (1 + (shift - 1) * times)
