"""A person of one picture, turned about the vertical like a figure on a turntable."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from dreamactor.guidance.perspective import find_perspective, flatten_track, unflatten_track
from dreamactor.types.track import PersonTrack, take_frames

_FACE_STAYS_RAD: Final = 0.1
"""A face is only carried along as far as this: its points' depth is not known well enough to turn them."""


def turn_round(person: PersonTrack, yaw_rad: Tensor) -> PersonTrack:
    """The pose held and turned by each of some angles, on the same canvas.

    Args:
        person: one frame, px3 on its canvas.
        yaw_rad: [T], positive turns the front to the image's right.
    """
    camera = find_perspective(person)
    held = take_frames(flatten_track(person, camera), torch.zeros(len(yaw_rad), dtype=torch.int64))
    cos, sin, zero, one = yaw_rad.cos(), yaw_rad.sin(), torch.zeros_like(yaw_rad), torch.ones_like(yaw_rad)
    turn = torch.stack([cos, zero, -sin, zero, one, zero, sin, zero, cos], dim=-1).unflatten(-1, (3, 3))  # [T, 3, 3]
    pelvis = held.body.joints[:, :1]

    def turned(points: Tensor) -> Tensor:  # [T, N, 3]
        return (points - pelvis) @ turn.mT + pelvis

    angles = held.head.angles_rad.clone()
    angles[:, 0] += yaw_rad
    moved = replace(
        held,
        body=replace(held.body, joints=turned(held.body.joints), joints_m=held.body.joints_m @ turn.mT),
        hands=replace(held.hands, joints=turned(held.hands.joints.flatten(1, 2)).unflatten(1, (2, -1))),
        head=replace(held.head, angles_rad=angles, center=turned(held.head.center[:, None])[:, 0]),
        face=replace(held.face, tracked=held.face.tracked & (yaw_rad.abs() < _FACE_STAYS_RAD)),
    )
    return unflatten_track(moved, camera)
