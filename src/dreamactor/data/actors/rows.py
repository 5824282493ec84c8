"""Numbers in rows: every coordinate and every channel of many points lies in one piece, one after another.

Arithmetic on [3, N] is several times faster than on [N, 3], and some of torch's operations on long rows are faster than
others: here are the fast ones. A colour [N, 3] may be stored channel by channel too, as the transpose of a [3, N].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def where(mask: Tensor | np.ndarray) -> Tensor:
    """[M] int64 indices at which a flat mask [N] is true."""
    return torch.from_numpy(np.flatnonzero(mask))


def take(index: Tensor, *rows: Tensor) -> list[Tensor]:
    """Every row [N] at an index [M]."""
    return [row.index_select(0, index) for row in rows]


def color_rows(color: Sequence[float], count: int) -> Tensor:
    """[count, 3] points of one colour, stored channel by channel."""
    return torch.tensor(color)[:, None].repeat(1, count).T


def unit_rows(x: Tensor, y: Tensor, z: Tensor) -> list[Tensor]:
    """Unit vectors of vectors; a zero vector stays zero."""
    length = torch.sqrt(x * x + y * y + z * z).clamp_(min=1e-8)
    return [x / length, y / length, z / length]


def length_rows(vector: Sequence[Tensor]) -> Tensor:
    """[N] lengths of vectors; bit for bit what torch's norm of [N, 3] says where it multiplies and adds in one step."""
    x, y, z = vector
    square = (x * x).addcmul_(y, y).addcmul_(z, z)
    return torch.from_numpy(np.sqrt(square.numpy()))


def dot_rows(one: Sequence[Tensor], other: Sequence[Tensor] | Sequence[float]) -> Tensor:
    """[N] products of vectors with vectors or with one vector."""
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
