"""All scores of one video against its truth that need no network: one dictionary, metric name to number."""

from __future__ import annotations

import math

from torch import Tensor

from dreamactor.evaluation.frame import psnr, ssim
from dreamactor.evaluation.steadiness import background_change, drift, flicker, sharpness

HIGHER_IS_BETTER = {
    "psnr_frame": True,
    "ssim_frame": True,
    "psnr_person": True,
    "ssim_person": True,
    "sharpness_person": None,
    "flicker_person": False,
    "background_change": False,
    "drift_colour": False,
    "drift_sharpness": None,
}
"""Which way each metric is good; None: a ratio or a difference that is best at 1 or at 0."""


def score_clip(made: Tensor, truth: Tensor, mask: Tensor) -> dict[str, float]:
    """Scores a video; what cannot be scored (nobody in the truth, too few frames) is left out.

    Args:
        made, truth: [T, H, W, 3] uint8.
        mask: [T, H, W] uint8 the person in the truth.
    """
    scores = {"psnr_frame": psnr(made, truth), "ssim_frame": ssim(made, truth)}
    if bool((mask > 127).any()):
        scores |= {
            "psnr_person": psnr(made, truth, mask),
            "ssim_person": ssim(made, truth, mask),
            "sharpness_person": sharpness(made, truth, mask),
        }
        if len(made) > 1:
            scores["flicker_person"] = flicker(made, truth, mask)
        if len(made) >= 4:
            over_time = drift(made, truth, mask)
            scores |= {"drift_colour": over_time.colour, "drift_sharpness": over_time.sharpness}
    if len(made) > 1:
        scores["background_change"] = background_change(made, mask)
    return {name: value for name, value in scores.items() if math.isfinite(value)}
