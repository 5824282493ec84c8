"""Draws a motion for people to look at: skeleton, head sphere and face points in one picture."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.types.track import PersonTrack, resize_track

_POINT = (255, 255, 255)


def draw_motion(track: PersonTrack, *, height: int) -> Tensor:
    """Skeleton over sphere, with the face points in white on top.

    Args:
        track: in pixels of its own picture.
        height: of the result; the width follows the picture's shape, rounded up to an even number.

    Returns:
        [T, height, W, 3] uint8 RGB, black where nothing is known.
    """
    width = -(-round(track.width * height / track.height) // 2) * 2
    small = resize_track(track, width=width, height=height)
    maps = draw_pose_maps(small, width=width, height=height)
    drawn = torch.where(maps.body_skeleton.amax(dim=-1, keepdim=True) > 0, maps.body_skeleton, maps.head_sphere)
    picture = drawn.numpy()
    side = max(1, round(height / 120))
    for t in np.flatnonzero(small.face.tracked.numpy()):
        for x, y in small.face.landmarks[t, :, :2].floor().int().tolist():
            if 0 <= x < width and 0 <= y < height:
                picture[t, y : y + side, x : x + side] = _POINT
    return torch.from_numpy(picture)
