"""How much each place of a picture counts in a loss: people look at faces."""

from __future__ import annotations

import torch
from torch import Tensor


def region_weight(person: Tensor, head: Tensor, corner: tuple[int, int] = (0, 0)) -> Tensor:
    """[T, h, w]: 1 on the background, 3 on the person, 6 on the person's head.

    Args:
        person: [T, h, w] share of the person in each pixel, 0..1.
        head: [T, 3] x, y and radius of the head in pixels of the whole picture.
        corner: (y, x) of the window's first pixel in the whole picture.
    """
    _, height, width = person.shape
    y = torch.arange(corner[0], corner[0] + height)[None, :, None] + 0.5
    x = torch.arange(corner[1], corner[1] + width)[None, None, :] + 0.5
    away = (x - head[:, 0, None, None]).square() + (y - head[:, 1, None, None]).square()
    return 1 + 2 * person + 3 * (away < (1.1 * head[:, 2, None, None]).square()).float()
