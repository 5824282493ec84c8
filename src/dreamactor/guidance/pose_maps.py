"""Body skeleton and head sphere together: what the pose encoder sees (section 3.2)."""

from __future__ import annotations

from dreamactor.guidance.body_skeleton import draw_body_skeleton
from dreamactor.guidance.head_sphere import draw_head_sphere
from dreamactor.types.guidance import PoseMaps
from dreamactor.types.track import PersonTrack


def draw_pose_maps(track: PersonTrack, *, width: int, height: int) -> PoseMaps:
    """Draws both maps for every frame of `track`, whose coordinates are on a canvas of this size."""
    return PoseMaps(
        body_skeleton=draw_body_skeleton(track, width=width, height=height),
        head_sphere=draw_head_sphere(track, width=width, height=height),
        tracked=track.body.tracked | track.head.tracked,
    )
