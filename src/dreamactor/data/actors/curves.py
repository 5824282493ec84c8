"""Random streams by seed and purpose, smooth steps, noise and curves through knots."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def stream(seed: int, purpose: str) -> np.random.Generator:
    """A random stream that depends on the seed and on what it is for, equal on every machine."""
    tag = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
    return np.random.Generator(np.random.PCG64([seed, tag]))


def smooth(edge0: float | Tensor, edge1: float | Tensor, x: Tensor) -> Tensor:
    """Cubic step: 0 below edge0, 1 above edge1."""
    t = ((x - edge0) / (edge1 - edge0)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def bell(x: Tensor, y: Tensor, cx: float | Tensor, cy: float | Tensor, sx: float, sy: float) -> Tensor:
    """A Gaussian bump of height 1."""
    return torch.exp(-(((x - cx) / sx) ** 2) - ((y - cy) / sy) ** 2)


def curve(x: Tensor, knots: Sequence[float], values: Sequence[float]) -> Tensor:
    """A smooth curve through knots (cubic Hermite, monotone where the values are), constant beyond the ends."""
    k = torch.tensor(knots, dtype=torch.float32)
    v = torch.tensor(values, dtype=torch.float32)
    step = k[1:] - k[:-1]
    slope = (v[1:] - v[:-1]) / step
    inner = torch.where(
        slope[1:] * slope[:-1] > 0, 2 * slope[1:] * slope[:-1] / (slope[1:] + slope[:-1] + 1e-12), slope[1:] * 0
    )
    tangent = torch.cat([slope[:1], inner, slope[-1:]])
    x = x.clamp(float(k[0]), float(k[-1]))
    i = (torch.searchsorted(k, x.contiguous(), right=True) - 1).clamp(0, len(k) - 2).flatten()
    start, end, before, after, begin, h = (
        row.index_select(0, at).view_as(x)
        for row, at in ((v, i), (v, i + 1), (tangent, i), (tangent, i + 1), (k, i), (step, i))
    )
    t = (x - begin) / h
    t2, t3 = t * t, t * t * t
    return (2 * t3 - 3 * t2 + 1) * start + (t3 - 2 * t2 + t) * h * before + (3 * t2 - 2 * t3) * end + (t3 - t2) * h * after


def wave_noise(x: Tensor, y: Tensor, phase: float) -> Tensor:
    """Cheap smooth noise in about -1..1 with a scale of about one unit."""
    a = torch.sin(1.7 * x + 2.3 * y + phase) + torch.sin(-2.9 * x + 1.3 * y + 1.7 * phase + 1.0)
    b = torch.sin(3.1 * x + 3.7 * y + 2.3 * phase + 2.0 + a) + torch.sin(4.3 * x - 3.9 * y + 3.1 * phase)
    return 0.3 * a + 0.22 * b
