"""The Frechet distance between two sets of features, taken as Gaussians: the formula behind FID and FVD.

Streamed and in double precision. Does not know where the features come from.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dreamactor.types.shapes import expect_shape


class Moments:
    """Mean and covariance of features that come batch by batch."""

    def __init__(self, dim: int) -> None:
        self.count = 0
        self.mean = torch.zeros(dim, dtype=torch.float64)
        self._scatter = torch.zeros(dim, dim, dtype=torch.float64)

    def add(self, features: Tensor) -> None:
        """Takes features [N, D] in; the order of batches and their sizes do not matter."""
        expect_shape("features", features, "N D", D=len(self.mean))
        batch = features.double()
        if len(batch) == 0:
            return
        mean = batch.mean(dim=0)
        apart = mean - self.mean
        total = self.count + len(batch)
        centered = batch - mean
        self._scatter += centered.T @ centered + torch.outer(apart, apart) * (self.count * len(batch) / total)
        self.mean += apart * (len(batch) / total)
        self.count = total

    @property
    def covariance(self) -> Tensor:
        """[D, D] unbiased.

        Raises:
            ValueError: fewer than two features.
        """
        if self.count < 2:
            raise ValueError(f"a covariance needs at least two features, got {self.count}")
        return self._scatter / (self.count - 1)


def frechet_distance(a: Moments, b: Moments) -> float:
    """Squared distance |mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2)), at least zero."""
    return gaussian_distance(a.mean, a.covariance, b.mean, b.covariance)


def gaussian_distance(mean_a: Tensor, covariance_a: Tensor, mean_b: Tensor, covariance_b: Tensor) -> float:
    """The same from given moments: means [D], covariances [D, D].

    The trace of the root of A B equals that of the root of the symmetric A^(1/2) B A^(1/2), which has real roots even where
    a covariance is singular (fewer features than dimensions).
    """
    values, vectors = torch.linalg.eigh(covariance_a.double())
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    crossed = torch.linalg.eigvalsh(root @ covariance_b.double() @ root).clamp(min=0).sqrt().sum()
    apart = (mean_a.double() - mean_b.double()).square().sum()
    return float((apart + covariance_a.double().trace() + covariance_b.double().trace() - 2 * crossed).clamp(min=0))
