"""How fast a head turns, told by its pixels while frames stream by. Remembers one picture, never more.

Whatever of a head is seen is its near side, face or hair, so when it turns the pixels of its middle run ahead of those of
its rim, and towards the side to which it turns: that needs no idea of which side of the head it is, which is what single
pictures of a head from the side or from behind leave open (`facing.py`). A sphere's turn, a shift, a zoom and a tilt are
fitted to the optical flow across the head, so that a head which only moves does not count as one that turns.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor

from dreamactor.geometry.skeleton import JOINT
from dreamactor.perception.assemble import image_scale
from dreamactor.perception.base import RawPerson

_HEAD_M: Final = 0.12
"""Radius of an average head."""
_SIDE_PX: Final = 64
_REACH_RADII: Final = 1.3
"""Heads are looked at in squares of this many pixels, which reach this far from their middle."""
_DISC_RADII: Final = 0.8
"""Beyond this the background shows between the hair."""
_LEAST_RADIUS_PX: Final = 6.0
_EDGE: Final = 200.0
"""Squared slope of brightness at which the flow counts half: a plain surface shows no motion."""
_LEAST_DETAIL: Final = 0.1
"""Mean weight of the flow below which the head is too plain to tell."""
_OFF_RADII: Final = 0.02
"""Pixels that are off by so much from what the whole does count half (hands, hair, another person)."""
_ROUNDS: Final = 4


class TurnMeter:
    """Looks at every frame of a video in order and ends with the turn of the head from each frame to the next."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
        places = (np.arange(_SIDE_PX, dtype=np.float64) + 0.5) / (_SIDE_PX / 2) * _REACH_RADII - _REACH_RADII
        across, down = np.meshgrid(places, places)
        self._disc = across**2 + down**2 < _DISC_RADII**2
        x, y = across[self._disc], down[self._disc]
        self._shapes = np.stack([np.sqrt(1 - x**2 - y**2), np.ones_like(x), x, y], axis=1)  # turn, shift, zoom, tilt
        self._before: tuple[np.ndarray, np.ndarray] | None = None
        self._turned: list[float] = []

    def observe(self, picture: Tensor, person: RawPerson, *, new_shot: bool) -> None:
        """Looks at the next frame, [H, W, 3] uint8 RGB, in which the person is as given."""
        grey = cv2.cvtColor(picture.numpy(), cv2.COLOR_RGB2GRAY)
        place = _head_place(person)
        before, self._before = self._before, None if place is None else (grey, place)
        if new_shot or before is None or place is None or before[0].shape != grey.shape:
            self._turned.append(float("nan"))
        else:
            self._turned.append(self._turn(*before, grey, place))

    def turned_rad(self) -> Tensor:
        """[T] radians since the frame before, positive towards the image's right; NaN where it cannot be told."""
        return torch.tensor(self._turned)

    def _turn(self, before: np.ndarray, place_before: np.ndarray, now: np.ndarray, place: np.ndarray) -> float:
        """The turn between two grey pictures [H, W] with the head at [x, y, radius] each."""
        x, y, radius = (place_before + place) / 2
        scale = _SIDE_PX / (2 * _REACH_RADII * radius)
        matrix = np.array([[scale, 0, _SIDE_PX / 2 - scale * x], [0, scale, _SIDE_PX / 2 - scale * y]])
        first, second = (
            cv2.warpAffine(
                picture, matrix, (_SIDE_PX, _SIDE_PX), borderMode=cv2.BORDER_REPLICATE,
                flags=cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA,
            )
            for picture in (before, now)
        )  # fmt: skip
        moved = self._flow.calc(first, second, None)[..., 0][self._disc] * (2 * _REACH_RADII / _SIDE_PX)
        slope = cv2.Sobel(first, cv2.CV_64F, 1, 0)[self._disc] ** 2
        detail = slope / (slope + _EDGE)
        if detail.mean() < _LEAST_DETAIL:
            return float("nan")
        weight = detail
        for _ in range(_ROUNDS):
            weighted = self._shapes * weight[:, None]
            normal = weighted.T @ self._shapes + 1e-3 * np.eye(self._shapes.shape[1])
            fit = np.linalg.solve(normal, weighted.T @ moved)
            weight = detail / (1 + ((moved - self._shapes @ fit) / _OFF_RADII) ** 2)
        return float(fit[0])


def _head_place(person: RawPerson) -> np.ndarray | None:
    """[x, y, radius] of the head in pixels, or None where there is none large enough."""
    if not person.found:
        return None
    scale = image_scale(person.joints_px[None], person.joints_m[None], person.confidence[None])
    radius = float(scale[0]) * _HEAD_M
    if radius < _LEAST_RADIUS_PX:
        return None
    x, y = person.joints_px[JOINT["head"]].tolist()
    return np.array([x, y, radius])
