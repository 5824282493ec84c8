"""Errors of a track against another one of the same frames. Does not know who made either."""

from __future__ import annotations

import torch
from torch import Tensor

from dreamactor.geometry.skeleton import JOINT
from dreamactor.types.track import PersonTrack

SURE = 0.5
"""Joints of the truth below this confidence (outside the picture) are not judged."""


def joint_errors(found: PersonTrack, truth: PersonTrack) -> Tensor:
    """[T, J] distance of every joint in the picture, as a share of the truth's torso; NaN where it is not judged."""
    torso = (truth.body.joints[:, JOINT["neck"], :2] - truth.body.joints[:, JOINT["pelvis"], :2]).norm(dim=-1)
    error = (found.body.joints[..., :2] - truth.body.joints[..., :2]).norm(dim=-1) / torso.clamp(min=1)[:, None]
    judged = (truth.body.confidence > SURE) & truth.body.tracked[:, None] & found.body.tracked[:, None]
    return error.masked_fill(~judged, torch.nan)


def face_overlaps(found: PersonTrack, truth: PersonTrack) -> Tensor:
    """[T] intersection over union of the boxes around the face points; 0 where no face was found."""
    (low_a, high_a), (low_b, high_b) = (
        (points.amin(dim=1), points.amax(dim=1)) for points in (found.face.landmarks[..., :2], truth.face.landmarks[..., :2])
    )
    shared = (torch.minimum(high_a, high_b) - torch.maximum(low_a, low_b)).clamp(min=0).prod(dim=-1)
    union = (high_a - low_a).prod(dim=-1) + (high_b - low_b).prod(dim=-1) - shared
    return (shared / union.clamp(min=1e-6)) * found.face.tracked


def head_errors_deg(found: PersonTrack, truth: PersonTrack) -> Tensor:
    """[T, 3] absolute differences of yaw, pitch and roll in degrees, 0..180; NaN where no head was found."""
    turn = torch.rad2deg(found.head.angles_rad - truth.head.angles_rad)
    apart = ((turn + 180) % 360 - 180).abs()
    return apart.masked_fill(~(found.head.tracked & truth.head.tracked)[:, None], torch.nan)


def body_yaw_deg(track: PersonTrack) -> Tensor:
    """[T] how far the shoulders are turned away from the camera, 0..180 degrees."""
    across = track.body.joints_m[:, JOINT["left_shoulder"]] - track.body.joints_m[:, JOINT["right_shoulder"]]
    return torch.rad2deg(torch.atan2(across[:, 2].abs(), across[:, 0])).abs()
