"""PersonTrack on the canvas -> MotionGuidance, one segment at a time (section 3.2)."""

from __future__ import annotations

from torch import Tensor

from dreamactor.guidance.face_crop import normalize_landmarks
from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.guidance.textured_proxy import ProxyModel, draw_proxy
from dreamactor.types.guidance import FaceInput, MotionGuidance
from dreamactor.types.track import PersonTrack


def build_guidance(
    track: PersonTrack, span: slice, *, width: int, height: int, proxy: ProxyModel | None, crops: Tensor | None
) -> MotionGuidance:
    """Draws everything that guides one segment.

    Args:
        track: the whole retargeted track, in canvas pixels; only `span` of it is drawn.
        span: frames of this segment.
        width, height: the canvas.
        proxy: the prepared references, or None for the paper's pure mode.
        crops: [T, 3, 224, 224] uint8 face crops of exactly this segment's frames, or None.
    """
    segment = track[span]
    return MotionGuidance(
        pose=draw_pose_maps(segment, width=width, height=height),
        face=FaceInput(
            crops=crops,
            landmarks=normalize_landmarks(segment.face, segment.head),
            tracked=segment.face.tracked,
        ),
        proxy=None if proxy is None else draw_proxy(proxy, segment, width=width, height=height),
    )
