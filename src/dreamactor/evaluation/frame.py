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
    return masked_psnr(squared_error(made, truth), mask)


def ssim(made: Tensor, truth: Tensor, mask: Tensor | None = None) -> float:
    """Mean structural similarity, per frame and channel with an 11 x 11 Gaussian window (sigma 1.5), data range 255.

    The map is averaged where the whole window lies inside the picture, as scikit-image does with `gaussian_weights`.

    Args:
        made, truth: [T, H, W, 3] uint8, at least 11 pixels wide and high.
        mask: [T, H, W] uint8; the map is averaged over pixels above 127. None: all.
    """
    return mean_inside(ssim_map(made, truth), mask)


def ssim_map(made: Tensor, truth: Tensor) -> Tensor:
    """[T, H - 10, W - 10] float32 similarity of every pixel whose window lies inside the picture, mean of the channels.

    Args:
        made, truth: [T, H, W, 3] uint8, at least 11 pixels wide and high.
    """
    sizes = expect_shape("made", made, "T H W 3")
    expect_shape("truth", truth, "T H W 3", **sizes)
    if min(made.shape[1:3]) < WINDOW:
        raise ValueError(f"SSIM needs at least {WINDOW} pixels each way, got {made.shape[2]} x {made.shape[1]}")
    taps = _taps().expand(15, 1, 1, -1)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    maps = []
    for index in range(made.shape[0]):
        # Shifted to the middle of the range: squares stay small, so single precision is enough.
        a, b = (clip[index].float() - 127.5 for clip in (made, truth))
        # All fifteen planes at once, channels last: many times faster than one by one.
        planes = torch.cat([a, b, a * a, b * b, a * b], dim=-1).permute(2, 0, 1)[None]
        smooth = F.conv2d(F.conv2d(planes, taps, groups=15), taps.mT, groups=15)[0]
        mean_a, mean_b, square_a, square_b, product = smooth.split(3)
        var_a, var_b, both = square_a - mean_a**2, square_b - mean_b**2, product - mean_a * mean_b
        mean_a, mean_b = mean_a + 127.5, mean_b + 127.5
        similar = ((2 * mean_a * mean_b + c1) * (2 * both + c2)) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
        maps.append(similar.mean(dim=0))
    return torch.stack(maps)


def mean_inside(similarity: Tensor, mask: Tensor | None) -> float:
    """Mean of an SSIM map over the pixels of a mask [T, H, W] above 127; None: all. NaN where there are none."""
    if mask is None:
        return float(similarity.mean(dtype=torch.float64))
    edge = WINDOW // 2
    return float(similarity[mask[:, edge:-edge, edge:-edge] > 127].mean(dtype=torch.float64))


def _taps() -> Tensor:
    """[11] the Gaussian window along one axis; sums to one."""
    place = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    taps = torch.exp(-(place**2) / (2 * SIGMA**2))
    return (taps / taps.sum()).float()


def masked_psnr(error: Tensor, mask: Tensor | None) -> float:
    """PSNR in dB of squared errors [T, H, W] over the pixels of a mask [T, H, W] above 127 (None: all); NaN over none."""
    chosen = error if mask is None else error[mask > 127]
    return float(10 * torch.log10(255**2 / chosen.mean(dtype=torch.float64).clamp(min=1e-12)))


def squared_error(made: Tensor, truth: Tensor) -> Tensor:
    """[T, H, W] float32, mean over the colours of [T, H, W, 3] uint8 clips."""
    sizes = expect_shape("made", made, "T H W 3")
    expect_shape("truth", truth, "T H W 3", **sizes)
    return (made.float() - truth.float()).square().mean(dim=-1)
