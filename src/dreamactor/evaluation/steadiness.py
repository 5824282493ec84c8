"""What the paper claims and never measures: sharp, steady, unchanging. Scores of a video against its truth.

All take [T, H, W, 3] uint8 videos and [T, H, W] uint8 person masks (above 127 is the person). None knows who made them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.types.shapes import expect_shape

_FOLLOWED_PX: Final = 1.0
"""A point is followed where the way there and back ends no farther from where it began."""
_KEPT: Final = 12.0
"""And where the truth's own colour changes by no more, 0..255: elsewhere the flow is wrong or the light turns."""


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


def shimmer(made: Tensor, truth: Tensor, mask: Tensor) -> float:
    """How much a point of the person changes from frame to frame where the truth's stays as it is: 0..255.

    Points are followed along the truth's motion by its optical flow (the warping error of Lai et al., "Learning blind video
    temporal consistency", 2018). A detail at a wrong place that moves with the body costs nothing here. In `flicker` it
    costs more than having none, so a blurred video looks steadier there. Blur lowers this score too: read it beside
    `sharpness`, and beside the truth's own value, which is the error of the flow.
    """
    _expect_alike(made, truth, mask)
    follow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
    grey = [cv2.cvtColor(frame.numpy(), cv2.COLOR_RGB2GRAY) for frame in truth]
    total, count = 0.0, 0
    for t, (earlier, later) in enumerate(itertools.pairwise(grey)):
        back = _places(follow.calc(later, earlier, None))
        there_and_back = _carried(_places(follow.calc(earlier, later, None)), back)
        judged = np.linalg.norm(there_and_back - _places(np.zeros_like(back)), axis=-1) < _FOLLOWED_PX
        judged &= (mask[t + 1].numpy() > 127) & (_carried(mask[t].numpy(), back) > 127)
        judged &= _change(truth[t], truth[t + 1], back) < _KEPT
        total += float(_change(made[t], made[t + 1], back)[judged].sum(dtype=np.float64))
        count += int(judged.sum())
    return total / count if count else float("nan")


def _places(flow: np.ndarray) -> np.ndarray:
    """[H, W, 2] float32 (x, y) in pixels where a flow [H, W, 2] leads from every pixel."""
    rows, columns = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    return np.stack((columns, rows), axis=-1) + flow


def _carried(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    """A picture [H, W, ...] read at places [H, W, 2]: float32."""
    read = cv2.remap(picture, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return read.astype(np.float32)


def _change(earlier: Tensor, later: Tensor, back: np.ndarray) -> np.ndarray:
    """[H, W] mean absolute change of colour from where each pixel was in the earlier frame."""
    return np.asarray(np.abs(_carried(earlier.numpy(), back) - later.numpy()).mean(axis=-1))


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
