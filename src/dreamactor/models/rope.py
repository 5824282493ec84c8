"""3D rotary positions in Wan's split: of a head's d channels, 2 (d // 6) each for rows and columns, the rest for time."""

from __future__ import annotations

import torch
from torch import Tensor

_BASE = 10_000.0


def axis_split(head_dim: int) -> tuple[int, int, int]:
    """Channels for time, rows and columns."""
    side = 2 * (head_dim // 6)
    return head_dim - 2 * side, side, side


def rope_angles(times: Tensor, rows: int, columns: int, head_dim: int) -> Tensor:
    """Angles of a block of tokens, time outermost.

    Args:
        times: [F] temporal positions, in latent frames; may be negative (references).
        rows, columns: token grid.
        head_dim: d.

    Returns:
        [F rows columns, d / 2] float32 radians.
    """
    parts = []
    for position, size in zip((times.float(), torch.arange(rows).float(), torch.arange(columns).float()),
                              axis_split(head_dim), strict=True):  # fmt: skip
        frequency = _BASE ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
        parts.append((position.double()[:, None] * frequency).float())
    time, row, column = parts
    shape = (len(times), rows, columns)
    return torch.cat(
        [
            time[:, None, None].expand(*shape, -1),
            row[None, :, None].expand(*shape, -1),
            column[None, None, :].expand(*shape, -1),
        ],
        dim=-1,
    ).flatten(0, 2)


def rotate(heads: Tensor, angles: Tensor) -> Tensor:
    """Turns neighbouring channel pairs of [B, heads, L, d] by angles [L, d / 2]."""
    even, odd = heads.float().unflatten(-1, (-1, 2)).unbind(-1)
    cosine, sine = angles.cos(), angles.sin()
    return torch.stack([even * cosine - odd * sine, even * sine + odd * cosine], dim=-1).flatten(-2).to(heads.dtype)
