"""Held-out actors seen from near, as the truth and as the ordinary perception sees them: what the face benches look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.actors import FIRST_HELD_OUT_SEED, Performance, render, sample_actor, sample_scene
from dreamactor.errors import NoPersonError
from dreamactor.guidance.face_crop import crop_faces, normalize_landmarks
from dreamactor.inference.face_encoders import FaceEncoders
from dreamactor.perception.base import PersonEstimator
from dreamactor.perception.perceive import perceive_video
from dreamactor.types.track import PersonTrack

LEAST_HEAD_PX: Final = 64.0
"""From chin to crown; smaller heads are left out."""
SETS: Final = ("rgb", "landmarks", "landmarks exact")
"""Encoder and what it is fed: crops along the perceived box, perceived landmarks, exact landmarks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceClip:
    """An actor's clip.

    Attributes:
        frames: [T, H, W, 3] uint8.
        truth, seen: exact and perceived track.
        expression: [T, E].
        counts: [T] bool, the face is tracked in both and the head is large enough.
    """

    frames: Tensor
    truth: PersonTrack
    seen: PersonTrack
    expression: Tensor
    counts: Tensor


def draw_face_clip(
    seed: int, performance: Performance, estimator: PersonEstimator, *, size: int, frames: slice, scene_seed: int
) -> FaceClip | None:
    """Draws and perceives; None where perception sees nobody.

    Args:
        seed: of the actor, held out.
        performance: what it does.
        estimator: built with `static=False`.
        size: width and height in pixels.
        frames: which frames are drawn, one after another for perception.
        scene_seed: of place and light.
    """
    if seed < FIRST_HELD_OUT_SEED:
        raise ValueError(f"Held-out seeds start at {FIRST_HELD_OUT_SEED}, got {seed}.")
    scene = sample_scene(scene_seed, framing="portrait")
    drawn = render(sample_actor(seed), performance, scene, width=size, height=size, frames=frames)
    try:
        seen = perceive_video(
            ((frame, time) for time, frame in enumerate(drawn.frames)), time_base=Fraction(1, 25), estimator=estimator
        )
    except NoPersonError:
        return None
    large = 2 * drawn.track.head.radius_px >= LEAST_HEAD_PX
    return FaceClip(
        frames=drawn.frames,
        truth=drawn.track,
        seen=seen,
        expression=drawn.expression,
        counts=drawn.track.face.tracked & seen.face.tracked & large,
    )


@torch.no_grad()
def clip_tokens(faces: FaceEncoders, clip: FaceClip) -> dict[str, Tensor]:
    """Tokens [T, c] by set; without "rgb" where there is no implicit encoder."""
    found = {
        "landmarks": faces.landmarks(normalize_landmarks(clip.seen.face, clip.seen.head)),
        "landmarks exact": faces.landmarks(normalize_landmarks(clip.truth.face, clip.truth.head)),
    }
    if faces.rgb is not None:
        found["rgb"] = faces.rgb(crop_faces(clip.frames, clip.seen.face))
    return {name: found[name] for name in SETS if name in found}


Report = Callable[[int, int | None], None]
