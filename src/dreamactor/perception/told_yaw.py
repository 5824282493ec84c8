"""A picture's person, turned as somebody says who has looked at it.

In one picture alone an estimator may take a back for a front, with left and right exchanged (see `facing`).
"""

from __future__ import annotations

from dataclasses import replace
from math import pi
from typing import Final

import torch
from torch import Tensor

from dreamactor.geometry.skeleton import BODY_JOINTS, JOINT
from dreamactor.perception.head import shoulder_yaw
from dreamactor.types.track import PersonTrack

_OTHER_SIDE: Final = [
    JOINT[name.replace("left_", "right_") if name.startswith("left_") else name.replace("right_", "left_")]
    for name in BODY_JOINTS
]
_FACE_SHOWS_RAD: Final = 1.75
"""From 100 degrees on nobody sees a face."""
_HEAD_MAY_RAD: Final = pi / 2
"""Heads turn so far against the shoulders; beyond it front and back of the body were confused."""


def turn_as_told(person: PersonTrack, yaw_rad: float) -> PersonTrack:
    """The person with the head's yaw as told, and the body's sides exchanged where they contradict it.

    Args:
        person: one frame.
        yaw_rad: where the nose points: 0 to the camera, positive to the image's right, pi away from it.
    """
    told = float(torch.remainder(torch.tensor(yaw_rad + pi), 2 * pi) - pi)
    angles = person.head.angles_rad.clone()
    if _apart(float(angles[0, 0]), told) > _HEAD_MAY_RAD:
        angles[:, 1:] = 0.0  # pitch and roll were read off a face that is not there
    angles[:, 0] = told
    shows = person.face.tracked & (abs(told) < _FACE_SHOWS_RAD)
    person = replace(person, head=replace(person.head, angles_rad=angles), face=replace(person.face, tracked=shows))
    if not bool(person.body.tracked[0]):
        return person
    if _apart(_shoulders(person.body.joints_m), told) <= _HEAD_MAY_RAD:
        return person
    exchanged = [_exchanged(person, mirrored=mirrored) for mirrored in (True, False)]
    return min(exchanged, key=lambda one: _apart(_shoulders(one.body.joints_m), told))


def _exchanged(person: PersonTrack, *, mirrored: bool) -> PersonTrack:
    """Left is right and right is left; the depth too is mirrored about the pelvis, where asked for."""
    depth = torch.tensor([1.0, 1.0, -1.0 if mirrored else 1.0])
    body = replace(
        person.body,
        joints=person.body.joints[:, _OTHER_SIDE] * depth,
        joints_m=person.body.joints_m[:, _OTHER_SIDE] * depth,
        confidence=person.body.confidence[:, _OTHER_SIDE],
    )
    hands = replace(person.hands, joints=person.hands.joints.flip(1) * depth, tracked=person.hands.tracked.flip(1))
    center = person.head.center * depth
    return replace(person, body=body, hands=hands, head=replace(person.head, center=center))


def _shoulders(joints_m: Tensor) -> float:
    return float(shoulder_yaw(joints_m)[0])


def _apart(one_rad: float, other_rad: float) -> float:
    """Distance on the circle."""
    way = abs(one_rad - other_rad) % (2 * pi)
    return min(way, 2 * pi - way)
