"""PSNR and SSIM as scikit-image computes them: what ours must equal."""

from __future__ import annotations

import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def scikit_image_scores(made: torch.Tensor, truth: torch.Tensor) -> tuple[float, float]:
    """Of clips [T, H, W, 3] uint8, data range 255: PSNR over all frames, mean SSIM of the frames."""
    expected = peak_signal_noise_ratio(truth.numpy(), made.numpy(), data_range=255)
    similar = [
        structural_similarity(
            truth[t].numpy(), made[t].numpy(), channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        )
        for t in range(len(truth))
    ]  # fmt: skip
    return float(expected), float(np.mean(similar))
