"""3D rotary positions in Wan's split: of a head's d channels, 2 (d // 6) each for rows and columns, the rest for time."""

from __future__ import annotations

import torch
from torch import Tensor

_BASE = 10_000.0


def axis_split(head_dim: int) -> tuple[int, int, int]:
    """Channels for time, rows and columns."""
    side = 2 * (head_dim // 6)
    return head_dim - 2 * side, side, side


def rope_turns(times: Tensor, rows: int, columns: int, head_dim: int) -> Tensor:
    """How far each channel pair of each token is turned, for a block of tokens with time outermost.

    Args:
        times: [F] temporal positions, in latent frames; may be negative (references).
        rows, columns: token grid.
        head_dim: d.

    Returns:
        [F rows columns, d / 2] complex64 of length one, on the device of `times`.
    """
    device = times.device
    positions = (times, torch.arange(rows, device=device), torch.arange(columns, device=device))
    parts = []
    for position, size in zip(positions, axis_split(head_dim), strict=True):
        frequency = _BASE ** (-torch.arange(0, size, 2, dtype=torch.float64, device=device) / size)
        angle = position.double()[:, None] * frequency
        parts.append(torch.polar(torch.ones_like(angle), angle).to(torch.complex64))
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


def rotate(heads: Tensor, turns: Tensor) -> Tensor:
    """Turns neighbouring channel pairs of [B, L, heads, d] by turns [L, d / 2]; the result is float32."""
    pairs = torch.view_as_complex(heads.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * turns[:, None]).flatten(-2)
