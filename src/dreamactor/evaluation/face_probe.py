"""What face motion tokens tell, read by straight lines: expression (wanted), identity and head pose (not wanted)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

RIDGE: Final = 1e-3
"""Of a probe, in units of the tokens' variance."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LinearProbe:
    """target = (token - middle) @ matrix + shift.

    Attributes:
        middle: [c]; matrix: [c, K]; shift: [K].
    """

    middle: Tensor
    matrix: Tensor
    shift: Tensor

    def read(self, tokens: Tensor) -> Tensor:
        """[N, K] from tokens [N, c]."""
        return ((tokens.double() - self.middle) @ self.matrix + self.shift).float()


def fit_probe(tokens: Tensor, targets: Tensor) -> LinearProbe:
    """Least squares from tokens [N, c] to targets [N, K], hardly regularised."""
    x, y = tokens.double(), targets.double()
    middle, shift = x.mean(dim=0), y.mean(dim=0)
    x = x - middle
    scale = x.square().mean(dim=0).sqrt().clamp(min=1e-6)
    z = x / scale
    gram = z.T @ z + RIDGE * len(z) * torch.eye(z.shape[1], dtype=z.dtype)
    matrix = torch.linalg.solve(gram, z.T @ (y - shift)) / scale[:, None]
    return LinearProbe(middle=middle, matrix=matrix, shift=shift)


def explained(found: Tensor, truth: Tensor) -> Tensor:
    """[K] share of the variance of truth [N, K] that is explained (R2); NaN where the truth does not vary."""
    left = (found.double() - truth.double()).square().mean(dim=0)
    spread = truth.double().var(dim=0, unbiased=False)
    return torch.where(spread > 1e-9, 1 - left / spread.clamp(min=1e-12), torch.nan)


def retrieval_rate(queries: Tensor, who: Tensor, gallery: Tensor) -> float:
    """Share of queries [N, c] of persons who [N] whose nearest of the gallery [P, c], one row per person, is their own.

    Distances are taken in units of the gallery's spread.
    """
    scale = gallery.std(dim=0).clamp(min=1e-6)
    nearest = torch.cdist(queries / scale, gallery / scale).argmin(dim=1)
    return float((nearest == who).double().mean())
