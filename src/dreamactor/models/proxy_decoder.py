"""The proxy-aware decoder (ours, beyond the paper): joins what the VAE decodes with the pixels the textured proxy carries.

Known pixels travel as pixels and the latent carries what must be invented: a small per-frame U-Net sees the decoded frame,
the textured proxy, and where the proxy was copied from a reference, and returns a gated mixture plus a correction. Without
a proxy the same network sees black and "nothing seen", and is an ordinary sharpening decoder head. It is per frame, so it
streams as it is.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxyDecoderConfig:
    """Shape of the network.

    Attributes:
        channels: width of each level, finest (half resolution) first.
        blocks: residual blocks per level, on the way down and up each.
    """

    channels: tuple[int, ...]
    blocks: int


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.conv2(F.silu(self.conv1(F.silu(self.norm(hidden)))))


class ProxyDecoder(nn.Module):
    """Decoded frame + textured proxy -> final frame."""

    def __init__(self, config: ProxyDecoderConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        self.conv_in = nn.Conv2d(8 * 4, channels[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(*(_ResidualBlock(width) for _ in range(config.blocks))) for width in channels
        )
        self.shrink = nn.ModuleList(nn.Conv2d(4 * fine, coarse, 1) for fine, coarse in itertools.pairwise(channels))
        self.grow = nn.ModuleList(nn.Conv2d(coarse, 4 * fine, 1) for fine, coarse in itertools.pairwise(channels))
        self.up = nn.ModuleList(
            nn.Sequential(*(_ResidualBlock(width) for _ in range(config.blocks))) for width in channels[:-1]
        )
        self.conv_out = nn.Conv2d(channels[0], 4 * 4, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, decoded: Tensor, proxy: Tensor | None, seen: Tensor | None, figure: Tensor | None) -> Tensor:
        """Joins one batch of videos.

        Args:
            decoded: [B, 3, T, H, W] what the VAE decoded, -1..1.
            proxy: [B, 3, T, H, W] textured proxy, -1..1; None where there is none.
            seen: [B, 1, T, H, W] in 0..1, where the proxy was copied from a reference.
            figure: [B, 1, T, H, W] in 0..1, the proxy's silhouette.

        Returns:
            [B, 3, T, H, W], about -1..1.
        """
        batch, _, _, _, _ = decoded.shape
        if proxy is None or seen is None or figure is None:
            proxy = torch.zeros_like(decoded)
            seen = figure = torch.zeros_like(decoded[:, :1])
        frames = rearrange(torch.cat([decoded, proxy, seen, figure], dim=1), "b c t h w -> (b t) c h w")
        hidden = self.conv_in(F.pixel_unshuffle(frames, 2).contiguous(memory_format=torch.channels_last))
        skips = []
        for level, blocks in enumerate(self.down):
            hidden = blocks(hidden)
            if level < len(self.shrink):
                skips.append(hidden)
                hidden = self.shrink[level](F.pixel_unshuffle(hidden, 2))
        for level in reversed(range(len(self.grow))):
            hidden = F.pixel_shuffle(self.grow[level](hidden), 2) + skips[level]
            hidden = self.up[level](hidden)
        mixed = F.pixel_shuffle(self.conv_out(F.silu(hidden)), 2)
        delta, gate_logit = mixed[:, :3], mixed[:, 3:]
        base, known, sure = frames[:, :3], frames[:, 3:6], frames[:, 6:7]
        gate = torch.sigmoid(gate_logit.float()) * sure
        joined = gate * known + (1 - gate) * base + delta.float()
        return rearrange(joined, "(b t) c h w -> b c t h w", b=batch)
