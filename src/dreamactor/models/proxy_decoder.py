"""The proxy-aware decoder (ours, beyond the paper): joins what the VAE decodes with the pixels the textured proxy carries.

Known pixels travel as pixels and the latent carries what must be invented: a per-frame U-Net sees the decoded frame, the
textured proxy, where the proxy was copied from a reference, and the controls (skeleton, sphere, face motion code) that the
picture must follow, and returns a gated mixture plus a correction. Without a proxy the same network sees black and "nothing
seen", and is an ordinary sharpening decoder head. It is per frame, so it streams as it is.

Left to itself it mends too much: where it is unsure by a pixel or two, a smear costs less than a clean eye beside the true
one, and people see the smear. So well inside what a reference saw of the figure, a share of the pixel is kept whatever the
network says, on the head (where the sphere is drawn) more than elsewhere. Not while it learns: it would learn to undo that.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from dreamactor.models.inputs import DecodeInput

_FOLD = 2
"""Pixels enter and leave in squares of this side, side by side in channels."""
_SEEN = 0.8
"""From here on a reference saw the surface itself; below, its mirror image or nothing."""
_SOFT_PX = 7
"""What is kept begins half as far inside its outline and is whole as far again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxyDecoderConfig:
    """Shape of the network.

    Attributes:
        channels: width of each level, finest (half resolution) first.
        blocks: residual blocks per level, on the way down and up each.
        face_code_dim: E, size of a face motion code.
        face_width: width of the embedding of the face motion code.
        keep_head, keep_body: least share of the proxy, 0..1, well inside what a reference saw of the figure.
    """

    channels: tuple[int, ...]
    blocks: int
    face_code_dim: int
    face_width: int = 64
    keep_head: float = 0.0
    keep_body: float = 0.0


class _ResidualBlock(nn.Module):
    """Two convolutions; the face motion code scales and shifts what is between them."""

    def __init__(self, channels: int, face_width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.face = nn.Linear(face_width, 2 * channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        for layer in (self.conv2, self.face):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, hidden: Tensor, face: Tensor) -> Tensor:
        scale, shift = self.face(face)[:, :, None, None].chunk(2, dim=1)
        inner = self.conv1(F.silu(self.norm(hidden)))
        return hidden + self.conv2(F.silu(inner * (1 + scale) + shift))


class ProxyDecoder(nn.Module):
    """Decoded frame + textured proxy + controls -> final frame."""

    def __init__(self, config: ProxyDecoderConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels

        def blocks(widths: tuple[int, ...]) -> nn.ModuleList:
            return nn.ModuleList(
                nn.ModuleList(_ResidualBlock(width, config.face_width) for _ in range(config.blocks)) for width in widths
            )

        self.face_mlp = nn.Sequential(
            nn.Linear(config.face_code_dim + 1, config.face_width), nn.SiLU(),
            nn.Linear(config.face_width, config.face_width), nn.SiLU(),
        )  # fmt: skip
        self.conv_in = nn.Conv2d((3 + 3 + 2 + 6) * _FOLD**2, channels[0], 3, padding=1)
        self.down = blocks(channels)
        self.shrink = nn.ModuleList(nn.Conv2d(4 * fine, coarse, 1) for fine, coarse in itertools.pairwise(channels))
        self.grow = nn.ModuleList(nn.Conv2d(coarse, 4 * fine, 1) for fine, coarse in itertools.pairwise(channels))
        self.up = blocks(channels[:-1])
        self.conv_out = nn.Conv2d(channels[0], 4 * _FOLD**2, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, given: DecodeInput) -> Tensor:
        """Joins one batch of videos: [B, 3, T, H, W], about -1..1. H and W are multiples of 2 to the number of levels."""
        frames = self._frames(given)
        face = self.face_mlp(self._face(given))
        hidden = self.conv_in(F.pixel_unshuffle(frames, _FOLD).contiguous(memory_format=torch.channels_last))
        skips = []
        for level, blocks in enumerate(self.down):
            for block in blocks:  # type: ignore[attr-defined]
                hidden = block(hidden, face)
            if level < len(self.shrink):
                skips.append(hidden)
                hidden = self.shrink[level](F.pixel_unshuffle(hidden, 2))
        for level in reversed(range(len(self.grow))):
            hidden = F.pixel_shuffle(self.grow[level](hidden), 2) + skips[level]
            for block in self.up[level]:  # type: ignore[attr-defined]
                hidden = block(hidden, face)
        mixed = F.pixel_shuffle(self.conv_out(F.silu(hidden)), _FOLD)
        delta, gate_logit = mixed[:, :3], mixed[:, 3:]
        base, known, sure = frames[:, :3], frames[:, 3:6], frames[:, 6:7]
        gate = torch.sigmoid(gate_logit.float()) * sure
        joined = gate * known + (1 - gate) * base + delta.float()
        if not self.training:
            joined = torch.lerp(joined, known, self._kept(frames))
        return rearrange(joined, "(b t) c h w -> b c t h w", b=given.decoded.shape[0])

    def _kept(self, frames: Tensor) -> Tensor:
        """[B T, 1, H, W] in 0..1: least share of the proxy, from what `_frames` gives."""
        seen = (frames[:, 6:7] > _SEEN).float() * (frames[:, 7:8] > 0.5).float()
        inside = 1 - F.max_pool2d(1 - seen, _SOFT_PX, 1, _SOFT_PX // 2)
        head = (frames[:, 11:14].amax(dim=1, keepdim=True) > 0).float()
        inside, head = (F.avg_pool2d(mask, _SOFT_PX, 1, _SOFT_PX // 2) for mask in (inside, head))
        return inside * torch.lerp(head.new_tensor(self.config.keep_body), head.new_tensor(self.config.keep_head), head)

    def _frames(self, given: DecodeInput) -> Tensor:
        """[B T, 14, H, W]: decoded, proxy, seen, figure, controls (black is zero); zeros where something is absent."""
        decoded = given.decoded
        empty = torch.zeros_like(decoded[:, :1])
        parts = [decoded]
        if given.proxy is None or given.seen is None or given.figure is None:
            parts += [empty.expand(-1, 5, -1, -1, -1)]
        else:
            parts += [given.proxy, given.seen, given.figure]
        parts.append(empty.expand(-1, 6, -1, -1, -1) if given.pose_maps is None else given.pose_maps + 1)
        return rearrange(torch.cat(parts, dim=1), "b c t h w -> (b t) c h w")

    def _face(self, given: DecodeInput) -> Tensor:
        """[B T, E + 1]: code, and whether there is one."""
        batch, _, frames, _, _ = given.decoded.shape
        if given.face is None:
            return given.decoded.new_zeros(batch * frames, self.config.face_code_dim + 1)
        tracked = torch.ones_like(given.face[..., 0]) if given.face_tracked is None else given.face_tracked.float()
        return rearrange(torch.cat([given.face * tracked[..., None], tracked[..., None]], dim=-1), "b t e -> (b t) e")
