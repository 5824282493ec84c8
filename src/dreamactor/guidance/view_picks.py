"""Which frames of a performance show a person from the most different sides (section 3.3)."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

NUM_VIEWS: Final = 3
SAME_SIDE_RAD: Final = torch.pi / 6
"""Views closer than 30 degrees show little new."""
_SAME_RAD: Final = 0.02
"""Views closer than a degree show nothing new."""


def pick_by_yaw(yaw_rad: Tensor) -> list[int]:
    """Frames with the least, the median and the greatest yaw [T], told relative to the camera.

    Where two of them are closer than 30 degrees on the circle: the median and the frames farthest from it and from each
    other. At most three frames, in the order of time, no view twice.
    """
    turned = towards_camera(yaw_rad)

    def apart(frame: int) -> Tensor:
        """[T] distance on the circle from a frame."""
        way = (turned - turned[frame]).abs()
        return torch.minimum(way, 2 * torch.pi - way)

    least, middle, greatest = yaw_order(yaw_rad)
    picks = [least, middle, greatest]
    if min(float(apart(least)[middle]), float(apart(middle)[greatest]), float(apart(least)[greatest])) < SAME_SIDE_RAD:
        picks = [middle]
        for _ in range(NUM_VIEWS - 1):
            nearest = torch.stack([apart(pick) for pick in picks]).amin(dim=0)
            if float(nearest.max()) > _SAME_RAD:
                picks.append(int(nearest.argmax()))
    return sorted(set(picks))


def towards_camera(yaw_rad: Tensor) -> Tensor:
    """Yaw on one circle, -pi..pi, 0 towards the camera."""
    return torch.remainder(yaw_rad + torch.pi, 2 * torch.pi) - torch.pi


def yaw_order(yaw_rad: Tensor) -> tuple[int, int, int]:
    """The frames with the least, the median and the greatest yaw [T]."""
    order = towards_camera(yaw_rad).argsort(stable=True).tolist()
    return order[0], order[len(order) // 2], order[-1]
