"""Pose maps -> pose latent on the latent grid, with the VAE's own causal stride in time and space (section 3.2).

Nothing mixes between latent frames: a change of one frame's pose stays in the latent frame it belongs to.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from dreamactor.models.attention import working_dtype

_UNSHUFFLE = 4


class FrameUnshuffle(nn.Module):
    """Maps [B, 6, T, H, W] in -1..1 -> frames [B T, 96, H / 4, W / 4] where black is zero.

    One copy into the working dtype and channels-last memory, which halves the stem's time on a CPU.
    """

    def forward(self, maps: Tensor) -> Tensor:
        frames = rearrange(
            maps.to(working_dtype(maps)), "b c t (h p) (w q) -> (b t) h w (c p q)", p=_UNSHUFFLE, q=_UNSHUFFLE
        )
        return rearrange(frames + 1, "n h w c -> n c h w")


class PoseEncoder(nn.Module):
    """A cheap per-frame stem, then the frames of one latent side by side in channels."""

    def __init__(self, *, temporal: int, spatial: int, channels: int) -> None:
        super().__init__()
        if spatial < _UNSHUFFLE or spatial & (spatial - 1):
            raise ValueError(f"spatial must be a power of two of at least {_UNSHUFFLE}, got {spatial}")
        self.temporal = temporal
        stem = max(32, channels // 2)
        layers: list[nn.Module] = [
            FrameUnshuffle(),
            nn.Conv2d(6 * _UNSHUFFLE**2, stem, 3, padding=1),
            nn.SiLU(),
        ]
        size = _UNSHUFFLE
        while size < spatial:
            layers += [nn.Conv2d(stem, stem, 4, stride=2, padding=1), nn.SiLU()]
            size *= 2
        self.stem = nn.Sequential(*layers, nn.Conv2d(stem, channels, 3, padding=1), nn.SiLU())
        self.join = nn.Linear(temporal * channels, channels)

    def forward(self, maps: Tensor, *, first_frames: int) -> Tensor:
        """Maps [B, 6, T, H, W] in -1..1 -> [B, F, h, w, channels]; latent frame 0 stands for `first_frames` frames."""
        batch = maps.shape[0]
        features = rearrange(self.stem(maps), "(b t) c h w -> b t c h w", b=batch)
        if first_frames == 1:
            features = torch.cat([features[:, :1].expand(-1, self.temporal, -1, -1, -1), features[:, 1:]], dim=1)
        joined = rearrange(features, "b (f s) c h w -> b f h w (s c)", s=self.temporal)
        return F.silu(self.join(joined))
