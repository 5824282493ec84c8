"""Pose maps -> pose latent on the latent grid, with the VAE's own causal stride in time and space (section 3.2).

Nothing mixes between latent frames: a change of one frame's pose stays in the latent frame it belongs to.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


class PoseEncoder(nn.Module):
    """A cheap per-frame stem, then the frames of one latent side by side in channels."""

    def __init__(self, *, temporal: int, spatial: int, channels: int) -> None:
        super().__init__()
        if spatial < 4 or spatial & (spatial - 1):
            raise ValueError(f"spatial must be a power of two of at least 4, got {spatial}")
        self.temporal = temporal
        stem = max(32, channels // 2)
        layers: list[nn.Module] = [nn.PixelUnshuffle(4), nn.Conv2d(6 * 16, stem, 3, padding=1), nn.SiLU()]
        size = 4
        while size < spatial:
            layers += [nn.Conv2d(stem, stem, 4, stride=2, padding=1), nn.SiLU()]
            size *= 2
        self.stem = nn.Sequential(*layers, nn.Conv2d(stem, channels, 3, padding=1), nn.SiLU())
        self.join = nn.Linear(temporal * channels, channels)

    def forward(self, maps: Tensor, *, first_frames: int) -> Tensor:
        """Maps [B, 6, T, H, W] in -1..1 -> [B, F, h, w, channels]; latent frame 0 stands for `first_frames` frames."""
        batch = maps.shape[0]
        black = torch.full_like(maps[:, :, :1], -1)
        frames = rearrange(maps - black, "b c t h w -> (b t) c h w")
        features = rearrange(self.stem(frames), "(b t) c h w -> b t c h w", b=batch)
        if first_frames == 1:
            features = torch.cat([features[:, :1].expand(-1, self.temporal, -1, -1, -1), features[:, 1:]], dim=1)
        elif first_frames != self.temporal:
            raise ValueError(f"first_frames must be 1 or {self.temporal}, got {first_frames}")
        joined = rearrange(features, "b (f s) c h w -> b f h w (s c)", s=self.temporal)
        return F.silu(self.join(joined))
