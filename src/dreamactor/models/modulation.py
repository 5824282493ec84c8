"""Flow time -> embedding and the six modulation vectors of a block, as in Wan. Always in single precision at least."""

from __future__ import annotations

import torch
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
        with torch.autocast(times.device.type, enabled=False):  # a handful of rows: half precision would only blur them
            waves = waves.view(*times.shape, -1).to(self.linear_1.weight.dtype)
            embedded = self.linear_2(F.silu(self.linear_1(waves)))
            return embedded, self.time_proj(F.silu(embedded)).unflatten(-1, (6, -1))


def modulate(tokens: Tensor, scale: Tensor, shift: Tensor, dtype: torch.dtype) -> Tensor:
    """Layer norm without weights, then scale and shift.

    Args:
        tokens: [B, F L, D], F frames of L tokens each.
        scale, shift: [B or 1, F, 1, D] float32, one per latent frame.
        dtype: of the result.
    """
    frames = scale.shape[1]
    normed = F.layer_norm(tokens.float(), tokens.shape[-1:], eps=1e-6).unflatten(1, (frames, -1))
    return torch.addcmul(shift, normed, 1 + scale).flatten(1, 2).to(dtype)


def add_gated(tokens: Tensor, update: Tensor, gate: Tensor) -> Tensor:
    """tokens + update * gate in float32, back in the dtype of the tokens; shapes as in `modulate`."""
    frames = gate.shape[1]
    wide = torch.addcmul(tokens.float().unflatten(1, (frames, -1)), update.float().unflatten(1, (frames, -1)), gate)
    return wide.flatten(1, 2).to(tokens.dtype)
