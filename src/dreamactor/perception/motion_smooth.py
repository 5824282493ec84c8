"""Smooths a finished track again, for motion that still shakes (another tool's, or a poor video's)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.perception.smoothing import smooth
from dreamactor.types.track import PersonTrack, shots_of

MAX_RADIUS = 25


def smooth_track(track: PersonTrack, *, radius: int) -> PersonTrack:
    """Body, hands and head averaged over `radius` frames to either side (binomial weights), without lag.

    Nothing is mixed across cuts or with frames in which a part is lost. Face points stay as they are, so that blinks and
    lips stay sharp; they move along with the smoothed head.

    Raises:
        ConfigError: the radius is not from 1 to `MAX_RADIUS`.
    """
    if not 1 <= radius <= MAX_RADIUS:
        raise ConfigError(f"--radius must be from 1 to {MAX_RADIUS} frames, got {radius}.")
    shots = shots_of(track.cut)

    def calm(values: Tensor, known: Tensor) -> Tensor:
        return torch.cat([smooth(values[shot], known[shot], radius=radius) for shot in shots])

    body, hands, head = track.body, track.hands, track.head
    center = calm(head.center, head.tracked)
    moved = (center - head.center)[:, :2]
    sides = [calm(hands.joints[:, side], hands.tracked[:, side]) for side in range(2)]
    return replace(
        track,
        body=replace(body, joints=calm(body.joints, body.tracked), joints_m=calm(body.joints_m, body.tracked)),
        hands=replace(hands, joints=torch.stack(sides, dim=1)),
        head=replace(
            head, angles_rad=calm(head.angles_rad, head.tracked), center=center, radius_px=calm(head.radius_px, head.tracked)
        ),
        face=replace(
            track.face,
            landmarks=torch.cat([track.face.landmarks[..., :2] + moved[:, None], track.face.landmarks[..., 2:]], dim=-1),
            box=track.face.box + moved.repeat(1, 2),
        ),
    )
