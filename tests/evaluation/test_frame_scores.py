"""PSNR and SSIM equal scikit-image's, and are what they must be in simple cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dreamactor.evaluation.frame import psnr, ssim
from scikit_image import scikit_image_scores


def _pair(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 256, (2, 24, 31, 3), dtype=np.uint8)
    made = np.clip(truth + rng.normal(0, 20, truth.shape), 0, 255).astype(np.uint8)
    return torch.from_numpy(made), torch.from_numpy(truth)


@pytest.mark.parametrize("seed", range(4))
def test_scores_equal_scikit_image(seed: int) -> None:
    made, truth = _pair(seed)
    expected_psnr, expected_ssim = scikit_image_scores(made, truth)
    assert psnr(made, truth) == pytest.approx(expected_psnr, abs=1e-4)
    assert ssim(made, truth) == pytest.approx(expected_ssim, abs=1e-4)


def test_only_the_mask_counts() -> None:
    made, truth = _pair(0)
    mask = torch.zeros(2, 24, 31, dtype=torch.uint8)
    mask[:, 4:20, 5:20] = 255
    mended = torch.where(mask[..., None] > 127, truth, made)
    assert psnr(mended, truth, mask) > 100
    assert psnr(mended, truth) < 40
    assert ssim(truth, truth, mask) == pytest.approx(1.0)
