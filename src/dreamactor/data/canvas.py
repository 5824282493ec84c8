"""Tracks carried along when a picture is scaled or cropped to a canvas."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from dreamactor.guidance.camera import move_track
from dreamactor.types.track import PersonTrack


def carry_track(track: PersonTrack, matrix: Tensor, *, width: int, height: int) -> PersonTrack:
    """The track in the pixels of another picture.

    Args:
        matrix: [3, 3] scale and shift from the track's picture to the other one; both axes scale alike but for rounding,
            of which the mean is taken.
        width, height: of the other picture.
    """
    scale = float((matrix[0, 0] * matrix[1, 1]).sqrt())
    even = torch.tensor([[scale, 0.0, float(matrix[0, 2])], [0.0, scale, float(matrix[1, 2])]])
    moved = move_track(track, even.expand(track.num_frames, 2, 3))
    camera = track.camera
    if camera is not None:
        shift = even[:, 2] - torch.einsum("tij,j->ti", camera.matrix[:, :, :2], even[:, 2])
        camera = replace(
            camera, matrix=torch.cat([camera.matrix[:, :, :2], (scale * camera.matrix[:, :, 2] + shift)[..., None]], dim=-1)
        )
    return replace(moved, width=width, height=height, camera=camera)
