"""What the paper claims and never measures: sharp, steady, unchanging. Scores of a video against its truth.

All take [T, H, W, 3] uint8 videos and [T, H, W] uint8 person masks (above 127 is the person). None knows who made them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.types.shapes import expect_shape


def _luma(video: Tensor) -> Tensor:
    """[T, H, W] float32, 0..255 (BT.709)."""
    return video.float() @ torch.tensor((0.2126, 0.7152, 0.0722))


def _person(mask: Tensor) -> Tensor:
    return mask > 127


def _gradient_energy(video: Tensor, mask: Tensor) -> Tensor:
    """[T] mean squared slope of the person; NaN where there is nobody.

    Slopes are those of means of 2 x 2 pixels that are all the person's: single dots, as networks leave them, are no detail.
    """
    luma = F.avg_pool2d(_luma(video)[:, None], 2, stride=1)[:, 0]
    inside = F.avg_pool2d(_person(mask)[:, None].float(), 2, stride=1)[:, 0] == 1
    energy = torch.zeros(len(video), dtype=torch.float64)
    count = torch.zeros(len(video), dtype=torch.float64)
    for axis in (1, 2):
        length = luma.shape[axis] - 1
        both = inside.narrow(axis, 0, length) & inside.narrow(axis, 1, length)
        energy += (torch.diff(luma, dim=axis).square() * both).sum(dim=(1, 2), dtype=torch.float64)
        count += both.sum(dim=(1, 2))
    return energy / count  # 0 / 0 is NaN


def sharpness(made: Tensor, truth: Tensor, mask: Tensor) -> float:
    """Gradient energy of the person relative to the truth's: 1 is as sharp, below 1 softer, above 1 grainier."""
    _expect_alike(made, truth, mask)
    return float(_gradient_energy(made, mask).nanmean() / _gradient_energy(truth, mask).nanmean().clamp(min=1e-9))


def flicker(made: Tensor, truth: Tensor, mask: Tensor) -> float:
    """How much the error on the person changes from frame to frame: mean absolute change, 0..255. 0: none."""
    _expect_alike(made, truth, mask)
    change = torch.diff(made.float() - truth.float(), dim=0).abs().mean(dim=-1)
    inside = _person(mask)
    both = inside[1:] & inside[:-1]
    return float(change[both].mean(dtype=torch.float64)) if both.any() else float("nan")


def background_change(video: Tensor, mask: Tensor) -> float:
    """Mean absolute change from frame to frame where neither frame shows the person, 0..255; 0 for a still background."""
    outside = ~_person(mask)
    both = outside[1:] & outside[:-1]
    change = torch.diff(video.float(), dim=0).abs().mean(dim=-1)
    return float(change[both].mean(dtype=torch.float64)) if both.any() else float("nan")


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """How a video leaves its truth over time: the last quarter's error minus the first quarter's.

    Attributes:
        colour: error of the person's mean colour, 0..255.
        sharpness: logarithm of the ratio of gradient energies; below 0 the end is softer.
    """

    colour: float
    sharpness: float


def drift(made: Tensor, truth: Tensor, mask: Tensor) -> Drift:
    """Drift between the first and the last quarter of a clip of at least four frames.

    Raises:
        ValueError: too short.
    """
    _expect_alike(made, truth, mask)
    quarter = len(made) // 4
    if quarter == 0:
        raise ValueError(f"drift needs at least four frames, got {len(made)}")
    inside = _person(mask)[..., None].float()
    apart = ((made.float() - truth.float()) * inside).sum(dim=(1, 2)) / inside.sum(dim=(1, 2)).clamp(min=1)
    error = apart.abs().mean(dim=-1)
    ratio = (_gradient_energy(made, mask) / _gradient_energy(truth, mask).clamp(min=1e-9)).clamp(min=1e-9).log()
    return Drift(
        colour=float(error[-quarter:].mean() - error[:quarter].mean()),
        sharpness=float(ratio[-quarter:].nanmean() - ratio[:quarter].nanmean()),
    )


def _expect_alike(made: Tensor, truth: Tensor, mask: Tensor) -> None:
    sizes = expect_shape("made", made, "T H W 3")
    expect_shape("truth", truth, "T H W 3", **sizes)
    expect_shape("mask", mask, "T H W", **sizes)
