"""Flow time -> embedding and the six modulation vectors of a block, as in Wan."""

from __future__ import annotations

import torch.nn.functional as F
from diffusers.models.embeddings import get_timestep_embedding
from torch import Tensor, nn

FREQUENCY_DIM = 256
TIME_SCALE = 1000.0
"""Wan counts time 0..1000; ours is 0..1."""


class TimeEmbedding(nn.Module):
    """Times [B, F] in 0..1 -> embedding [B, F, D] and block projection [B, F, 6, D]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(FREQUENCY_DIM, width)
        self.linear_2 = nn.Linear(width, width)
        self.time_proj = nn.Linear(width, 6 * width)

    def forward(self, times: Tensor) -> tuple[Tensor, Tensor]:
        waves = get_timestep_embedding(
            times.flatten() * TIME_SCALE, FREQUENCY_DIM, flip_sin_to_cos=True, downscale_freq_shift=0
        )
        embedded = self.linear_2(F.silu(self.linear_1(waves.view(*times.shape, -1))))
        return embedded, self.time_proj(F.silu(embedded)).unflatten(-1, (6, -1))
