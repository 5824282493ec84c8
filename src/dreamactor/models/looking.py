"""Parts of small networks that read pictures of people: a trunk, heat maps read by their centres, and a closer look at
places that were found. The judge and the face encoders are made of them; they share no weights.

Axis letters: N pictures, P points, C channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """Two 3 x 3 convolutions around a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.conv2(F.silu(self.conv1(F.silu(self.norm(hidden)))))


def _level(entering: int, channels: int, blocks: int) -> nn.Sequential:
    """Halves the resolution, then `blocks` blocks."""
    return nn.Sequential(nn.Conv2d(entering, channels, 3, stride=2, padding=1), *(Block(channels) for _ in range(blocks)))


class Trunk(nn.Module):
    """A picture at a half, quarter, eighth and sixteenth of its resolution."""

    def __init__(self, channels: tuple[int, int, int, int], blocks: tuple[int, int, int, int]) -> None:
        super().__init__()
        entering = (3, *channels)
        self.levels = nn.ModuleList(_level(entering[i], channels[i], blocks[i]) for i in range(4))

    def forward(self, picture: Tensor) -> list[Tensor]:
        found = []
        for level in self.levels:
            picture = level(picture)
            found.append(picture)
        return found


class Patch(nn.Module):
    """Reads a part of a picture that was cut out from near: [N, 3, S, S] -> [N, features]."""

    def __init__(self, features: int, *, size_px: int, channels: tuple[int, int, int] = (16, 32, 48)) -> None:
        super().__init__()
        first, second, third = channels
        self.network = nn.Sequential(
            nn.Conv2d(3, first, 3, padding=1), nn.SiLU(),
            nn.Conv2d(first, second, 3, stride=2, padding=1), nn.GroupNorm(8, second), nn.SiLU(),
            nn.Conv2d(second, third, 3, stride=2, padding=1), nn.GroupNorm(8, third), nn.SiLU(),
            nn.Flatten(), nn.Linear(third * (size_px // 4) ** 2, features), nn.SiLU(),
        )  # fmt: skip

    def forward(self, part: Tensor) -> Tensor:
        return self.network(part)


def cut_squares(
    crops: Tensor, middle: Tensor, half: Tensor, *, size_px: int, axis: Tensor | None = None, mirror: bool = False
) -> Tensor:
    """Cuts squares out of pictures: [N, 3, size_px, size_px].

    Args:
        crops: [N, 3, H, W]; places in them are -1..1.
        middle: [N, 2] of the squares; half: [N] half their sides.
        size_px: side of the result.
        axis: [N, 2] unit vector along their upper edge; None for upright ones.
        mirror: cut them out mirrored.
    """
    line = (torch.arange(size_px, device=crops.device) + 0.5) / size_px * 2 - 1
    y, x = torch.meshgrid(line, -line if mirror else line, indexing="ij")
    if axis is None:
        place = torch.stack([x, y], dim=-1)[None]
    else:
        down = torch.stack([-axis[:, 1], axis[:, 0]], dim=-1)
        place = x[..., None] * axis[:, None, None] + y[..., None] * down[:, None, None]
    grid = middle[:, None, None] + half[:, None, None, None] * place
    return F.grid_sample(crops, grid, padding_mode="border", align_corners=False)


def centres(heat: Tensor) -> tuple[Tensor, Tensor]:
    """Centres of mass [N, P, 2] in -1..1 of heat maps [N, P, h, w], and the shares [N, P, h w] of every place."""
    share = heat.flatten(2).softmax(dim=-1)
    grid = share.unflatten(2, heat.shape[2:])
    rows = (torch.arange(heat.shape[2], device=heat.device) + 0.5) / heat.shape[2] * 2 - 1
    columns = (torch.arange(heat.shape[3], device=heat.device) + 0.5) / heat.shape[3] * 2 - 1
    return torch.stack([(grid.sum(dim=2) * columns).sum(-1), (grid.sum(dim=3) * rows).sum(-1)], dim=-1), share
