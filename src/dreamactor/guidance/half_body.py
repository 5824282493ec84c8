"""The upper half of a person as a picture of its own (section 3.3), and how much of a body a picture shows."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from dreamactor.geometry.skeleton import JOINT
from dreamactor.types.track import PersonTrack

_SIDES: Final = 1.5
"""A half-body picture is at least so many times as wide as the shoulders, or three head radii to each side."""
_SURE: Final = 0.5
"""Confidence of a joint that counts as seen."""


def half_body_box(track: PersonTrack, frame: int, *, above_head: float, below_hips: float) -> Tensor:
    """[4] box around head and trunk, in the picture's shape and inside it.

    Args:
        track: in the picture's pixels.
        frame: of the track.
        above_head: room above the crown, in head radii.
        below_hips: how far below the hips it ends, in lengths of the trunk.
    """
    joints = track.body.joints[frame, :, :2]
    radius = float(track.head.radius_px[frame])
    neck, hips = joints[JOINT["neck"]], joints[JOINT["pelvis"]]
    trunk = float((hips - neck).norm())
    crown = float(track.head.center[frame, 1]) - radius
    top = min(crown, float(neck[1])) - above_head * radius
    bottom = max(float(hips[1]), float(neck[1])) + below_hips * trunk
    shoulders = float((joints[JOINT["left_shoulder"]] - joints[JOINT["right_shoulder"]]).norm())
    aspect = track.width / track.height
    height = max(bottom - top, max(_SIDES * shoulders, 6 * radius) / aspect)
    height = min(height, track.height)
    width = height * aspect
    left = float((neck[0] + hips[0]) / 2) - width / 2
    x0 = min(max(left, 0.0), track.width - width)
    y0 = min(max(top, 0.0), track.height - height)
    return torch.tensor([x0, y0, x0 + width, y0 + height])


def shown_levels(track: PersonTrack) -> Tensor:
    """[T] int64, how far down a body is seen: 0 head and shoulders, 1 hips, 2 knees, 3 ankles."""
    x, y = track.body.joints[..., 0], track.body.joints[..., 1]
    seen = (x >= 0) & (x < track.width) & (y >= 0) & (y < track.height) & (track.body.confidence > _SURE)
    levels = torch.zeros(track.num_frames, dtype=torch.int64)
    for level, joint in enumerate(("hip", "knee", "ankle"), start=1):
        either = seen[:, [JOINT[f"left_{joint}"], JOINT[f"right_{joint}"]]].any(dim=1) & track.body.tracked
        levels = torch.where(either, level, levels)
    return levels
