"""A linear transform code of video: blocks of pixels <-> the coefficients of their principal components.

What discrete cosine transforms are to pictures, fitted to the data: the best a linear autoencoder can do, known after one
decomposition. Knows nothing about networks; the VAE lets its networks correct what this leaves.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn


class PixelBasis(nn.Module):
    """Blocks of s frames x p x p pixels <-> C coefficients.

    Causal as the VAE is: the first latent frame stands for the first frame alone (held for s frames), every later one
    for s frames.
    """

    mean: Tensor
    basis: Tensor

    def __init__(self, *, channels: int, temporal: int, spatial: int) -> None:
        super().__init__()
        self.temporal, self.spatial = temporal, spatial
        size = 3 * temporal * spatial**2
        orthonormal = torch.linalg.qr(torch.randn(size, channels)).Q
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("basis", orthonormal.T.contiguous())

    def blocks(self, video: Tensor) -> Tensor:
        """Video [B, 3, s F, H, W] -> [B, F, h, w, 3 s p p]."""
        s, p = self.temporal, self.spatial
        return rearrange(video, "b c (f s) (h p) (w q) -> b f h w (c s p q)", s=s, p=p, q=p)

    def encode(self, video: Tensor) -> Tensor:
        """Video [B, 3, s (F - 1) + 1, H, W] in -1..1 -> coefficients [B, C, F, h, w]."""
        held = torch.cat([video[:, :, :1].expand(-1, -1, self.temporal - 1, -1, -1), video], dim=2)
        with torch.autocast(video.device.type, enabled=False):
            return rearrange((self.blocks(held).float() - self.mean) @ self.basis.T, "b f h w c -> b c f h w")

    def decode(self, latent: Tensor, *, from_start: bool = True) -> Tensor:
        """Coefficients [B, C, F, h, w] -> video [B, 3, s (F - 1) + 1, H, W], or s F frames in the middle of a video."""
        s, p = self.temporal, self.spatial
        with torch.autocast(latent.device.type, enabled=False):
            blocks = rearrange(latent.float(), "b c f h w -> b f h w c") @ self.basis + self.mean
        video = rearrange(blocks, "b f h w (c s p q) -> b c (f s) (h p) (w q)", s=s, p=p, q=p)
        return video[:, :, s - 1 :] if from_start else video

    @torch.no_grad()
    def fit(self, blocks: Tensor, weights: Tensor) -> float:
        """Sets the basis to the principal components of blocks.

        Args:
            blocks: [N, 3 s p p], N well above C.
            weights: [N], how much each counts.

        Returns:
            Share of the blocks' variance that the basis keeps, 0..1.
        """
        share = (weights / weights.sum())[:, None].double()
        mean = (blocks.double() * share).sum(dim=0)
        centered = blocks.double() - mean
        values, vectors = torch.linalg.eigh((centered * share).T @ centered)
        self.mean.copy_(mean)
        self.basis.copy_(vectors.flip(1)[:, : len(self.basis)].T)
        return float(values.flip(0)[: len(self.basis)].sum() / values.sum())
