"""How much each place of a picture counts in a loss: people look at faces."""

from __future__ import annotations

import torch
from torch import Tensor

_FEATURE_GAIN, _FEATURE_REACH = (14.0, 9.0, 9.0), (1.3, 1.6, 1.6)
"""Of mouth and eyes: how much more they count, and how far about their points."""
_LEAST_PX, _LEAST_HEIGHT = 1.5, 0.3
"""Half axes of what counts more are at least so many pixels, and so much of the width: shut lips count as open ones do."""


def region_weight(person: Tensor, head: Tensor, corner: tuple[int, int] = (0, 0), features: Tensor | None = None) -> Tensor:
    """[T, h, w]: 1 on the background, 3 on the person, 6 on the person's head.

    Args:
        person: [T, h, w] share of the person in each pixel, 0..1.
        head: [T, 3] x, y and radius of the head in pixels of the whole picture.
        corner: (y, x) of the window's first pixel in the whole picture.
        features: [T, 3, 4] x, y, half width and half height of mouth and eyes in pixels of the whole picture, zeros where
            they are not seen: 14 more about the mouth and 9 about each eye.
    """
    _, height, width = person.shape
    y = torch.arange(corner[0], corner[0] + height)[None, :, None] + 0.5
    x = torch.arange(corner[1], corner[1] + width)[None, None, :] + 0.5
    away = (x - head[:, 0, None, None]).square() + (y - head[:, 1, None, None]).square()
    weight = 1 + 2 * person + 3 * (away < (1.1 * head[:, 2, None, None]).square()).float()
    if features is None:
        return weight
    for place, gain, reach in zip(features.unbind(dim=1), _FEATURE_GAIN, _FEATURE_REACH, strict=True):
        across = (reach * place[:, 2]).clamp_min(_LEAST_PX)
        down = torch.maximum(reach * place[:, 3], _LEAST_HEIGHT * across).clamp_min(_LEAST_PX)
        off_x, off_y = x - place[:, 0, None, None], y - place[:, 1, None, None]
        near = (off_x / across[:, None, None]).square() + (off_y / down[:, None, None]).square() < 1
        weight = weight + gain * (near & (place[:, 2, None, None] > 0)).float()
    return weight
