"""Laws of the linear code: it is a projection, it is causal, and fitting finds the best one."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from dreamactor.models.pixel_basis import PixelBasis


def _fitted(channels: int) -> tuple[PixelBasis, torch.Tensor]:
    """A code of 2 x 4 x 4 blocks, fitted to blocks that are mixtures of five patterns."""
    generator = torch.Generator().manual_seed(0)
    basis = PixelBasis(channels=channels, temporal=2, spatial=4)
    patterns = torch.randn(5, 96, generator=generator)
    blocks = torch.randn(400, 5, generator=generator) @ patterns + 0.3
    basis.fit(blocks, torch.ones(400))
    return basis, blocks


def test_a_code_with_as_many_coefficients_as_there_are_patterns_is_exact() -> None:
    basis, blocks = _fitted(5)
    video = blocks[:12].reshape(3, 2, 2, 3, 2, 4, 4).permute(3, 0, 4, 1, 5, 2, 6).reshape(1, 3, 6, 8, 8)
    assert_close(basis.blocks(video).reshape(12, 96), blocks[:12])
    latent = basis.encode(video[:, :, 1:])  # the first latent frame stands for one frame, held
    later = basis.decode(latent)[:, :, 1:]
    assert_close(later, video[:, :, 2:], atol=1e-4, rtol=1e-4)


def test_encoding_what_was_decoded_changes_nothing() -> None:
    basis, _ = _fitted(3)
    latent = torch.randn(1, 3, 2, 2, 2, generator=torch.Generator().manual_seed(1))
    video = basis.decode(latent, from_start=False)
    assert video.shape == (1, 3, 4, 8, 8)
    again = basis.encode(torch.cat([torch.zeros(1, 3, 1, 8, 8), video], dim=2))
    assert_close(again[:, :, 1:], latent, atol=1e-4, rtol=1e-4)


def test_the_share_kept_is_that_of_the_variance() -> None:
    basis = PixelBasis(channels=1, temporal=1, spatial=1)
    blocks = torch.tensor([[3.0, 0, 0], [-3.0, 0, 0], [0, 1.0, 0], [0, -1.0, 0]])
    assert basis.fit(blocks, torch.ones(4)) == pytest.approx(0.9)
    assert_close(basis.basis.abs(), torch.tensor([[1.0, 0, 0]]))
    assert basis.fit(blocks, torch.tensor([0.0, 0, 1, 1])) == pytest.approx(1.0)
    assert_close(basis.basis.abs(), torch.tensor([[0, 1.0, 0]]))
