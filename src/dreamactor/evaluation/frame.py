"""Scores of frames against truth: PSNR and SSIM, whole and on the person. Does not know who made the frames."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.types.shapes import expect_shape

WINDOW, SIGMA = 11, 1.5
"""Side in pixels and standard deviation of SSIM's Gaussian window."""


def psnr(made: Tensor, truth: Tensor, mask: Tensor | None = None) -> float:
    """Peak signal to noise ratio in dB over all frames together, data range 255.

    Args:
        made, truth: [T, H, W, 3] uint8.
        mask: [T, H, W] uint8; only pixels above 127 count. None: all.
    """
    sizes = expect_shape("made", made, "T H W 3")
    expect_shape("truth", truth, "T H W 3", **sizes)
    error = (made.double() - truth.double()).square().mean(dim=-1)
    mean = error.mean() if mask is None else error[mask > 127].mean()
    return float(10 * torch.log10(255**2 / mean.clamp(min=1e-12)))


def ssim(made: Tensor, truth: Tensor, mask: Tensor | None = None) -> float:
    """Mean structural similarity, per frame and channel with an 11 x 11 Gaussian window (sigma 1.5), data range 255.

    The map is averaged where the whole window lies inside the picture, as scikit-image does with `gaussian_weights`.

    Args:
        made, truth: [T, H, W, 3] uint8, at least 11 pixels wide and high.
        mask: [T, H, W] uint8; the map is averaged over pixels above 127. None: all.
    """
    expect_shape("made", made, "T H W 3")
    place = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    taps = torch.exp(-(place**2) / (2 * SIGMA**2))
    taps = taps / taps.sum()

    def smooth(picture: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(picture, taps.view(1, 1, -1, 1)), taps.view(1, 1, 1, -1))

    total, count = 0.0, 0
    edge = WINDOW // 2
    for index in range(made.shape[0]):
        a, b = (clip[index].permute(2, 0, 1)[:, None].double() for clip in (made, truth))
        mean_a, mean_b = smooth(a), smooth(b)
        var_a, var_b = smooth(a * a) - mean_a**2, smooth(b * b) - mean_b**2
        both = smooth(a * b) - mean_a * mean_b
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        similar = ((2 * mean_a * mean_b + c1) * (2 * both + c2)) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
        values = similar[:, 0].mean(dim=0)
        if mask is not None:
            values = values[mask[index, edge:-edge, edge:-edge] > 127]
        total, count = total + float(values.sum()), count + values.numel()
    return total / max(count, 1)
