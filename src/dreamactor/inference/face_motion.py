"""Which of a model's face encoders reads a driver, and what it reads.

The implicit encoder sees the pictures and misses nothing that landmarks leave out, but it has learnt on drawn faces. Whether
it knows its way about the face at hand it shows itself: the face points it finds on its way are compared with perception's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal, get_args

import torch
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.guidance.face_crop import crop_faces, normalize_landmarks
from dreamactor.inference.face_encoders import FaceEncoders
from dreamactor.models.face_motion import ImplicitFaceEncoder
from dreamactor.types.track import FaceTrack, PersonTrack

FaceEncoderChoice = Literal["auto", "implicit", "landmarks"]
CHOICES: Final[tuple[FaceEncoderChoice, ...]] = get_args(FaceEncoderChoice)
MOST_APART: Final = 0.22
"""Mean distance between the encoder's own face points and perception's, in units of the points' spread, up to which `auto`
takes the implicit encoder; see docs/face-motion.md for what was measured on either side of it."""
LEAST_HEAD_PX: Final = 40.0
"""Smallest head, from chin to crown, that the implicit encoder has learnt from."""
FRAMES_AT_ONCE: Final = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceMotion:
    """A driver's face over time.

    Attributes:
        tokens: [T, c] face motion tokens.
        source: the encoder they come from.
        reason: why that one, in a few words.
    """

    tokens: Tensor
    source: Literal["implicit", "landmarks"]
    reason: str

    def __str__(self) -> str:
        what = "pictures (implicit encoder)" if self.source == "implicit" else "landmarks"
        return f"Face motion is read off {what}: {self.reason}."


@torch.no_grad()
def read_face_motion(
    faces: FaceEncoders, track: PersonTrack, frames: Iterable[Tensor] | None, *, choice: FaceEncoderChoice = "auto"
) -> FaceMotion:
    """Reads a driver's face with the encoder asked for, or with the better one for it.

    Args:
        faces: the model's encoders.
        track: what perception saw, in the driver's own pixels.
        frames: the driver's T frames [H, W, 3] uint8 in order, read once; None where there are none (a motion file).
        choice: "auto" takes the implicit encoder where it can be used and knows its way about the face.

    Raises:
        ConfigError: "implicit" was asked for and cannot be had.
    """
    if choice == "landmarks":
        return _by_landmarks(faces, track, "as asked for")
    if faces.rgb is None or frames is None:
        missing = "this model has no implicit encoder" if faces.rgb is None else "a motion file holds no pictures"
        if choice == "implicit":
            raise ConfigError(f"--face-encoder implicit cannot be used: {missing}. Use auto or landmarks.")
        return _by_landmarks(faces, track, missing)
    if choice == "auto" and head_px(track) < LEAST_HEAD_PX:
        return choose(faces, track, None, math.nan)
    tokens, apart = read_implicit(faces.rgb, track, frames)
    if choice == "implicit":
        return FaceMotion(tokens=tokens, source="implicit", reason="as asked for")
    return choose(faces, track, tokens, apart)


def _by_landmarks(faces: FaceEncoders, track: PersonTrack, reason: str) -> FaceMotion:
    tokens = faces.landmarks(normalize_landmarks(track.face, track.head))
    return FaceMotion(tokens=tokens, source="landmarks", reason=reason)


def head_px(track: PersonTrack) -> float:
    """The head's usual height, from chin to crown, where the face is tracked; 0 where it never is."""
    tracked = track.face.tracked
    return float(2 * track.head.radius_px[tracked].median()) if bool(tracked.any()) else 0.0


def choose(faces: FaceEncoders, track: PersonTrack, implicit: Tensor | None, apart: float) -> FaceMotion:
    """What `auto` takes, given what `read_implicit` found; `implicit` is None where it was not asked."""
    if faces.rgb is None:
        return _by_landmarks(faces, track, "this model has no implicit encoder")
    size = head_px(track)
    if implicit is None or size < LEAST_HEAD_PX:
        reason = f"the head is {size:.0f} pixels high, the implicit encoder needs {LEAST_HEAD_PX:.0f}"
        return _by_landmarks(faces, track, reason)
    where = f"face points {apart:.2f} of their spread from perception's"
    if apart <= MOST_APART:
        return FaceMotion(
            tokens=implicit, source="implicit", reason=f"it finds {where}, up to {MOST_APART} it knows such faces"
        )
    return _by_landmarks(faces, track, f"the implicit encoder finds {where}, more than {MOST_APART}")


@torch.no_grad()
def read_implicit(encoder: ImplicitFaceEncoder, track: PersonTrack, frames: Iterable[Tensor]) -> tuple[Tensor, float]:
    """Tokens [T, c] of a driver's frames, and how far the encoder's own face points lie from perception's: the median over
    the tracked frames, see `points_apart`; NaN where no face is tracked."""
    tokens, apart = [], []
    for start, pictures in _batches(frames):
        face = track.face[start : start + len(pictures)]
        look = encoder.look(encoder.pictures(crop_faces(pictures, face)))
        tokens.append(look.tokens)
        apart.append(points_apart(look.points, face)[face.tracked])
    every = torch.cat(apart)
    return torch.cat(tokens), float(every.median()) if len(every) else float("nan")


def points_apart(points: Tensor, face: FaceTrack) -> Tensor:
    """[T] mean distance of face points [T, P, 2] in -1..1 of the crop from perception's, in units of their spread.

    Place and size of both are made equal first: what counts is whether the same features were found.
    """
    middle, half = (face.box[:, :2] + face.box[:, 2:]) / 2, (face.box[:, 2:] - face.box[:, :2]) / 2
    goal = (face.landmarks[..., :2] - middle[:, None]) / half[:, None].clamp(min=1e-3)
    found, goal = (p - p.mean(dim=1, keepdim=True) for p in (points, goal))
    found, goal = (p / p.square().sum(-1).mean(-1).sqrt().clamp(min=1e-3)[:, None, None] for p in (found, goal))
    return (found - goal).norm(dim=-1).mean(dim=-1)


def _batches(frames: Iterable[Tensor]) -> Iterator[tuple[int, Tensor]]:
    """Number of the first frame, and frames [t, H, W, 3]."""
    rest, start = iter(frames), 0
    while taken := list(islice(rest, FRAMES_AT_ONCE)):
        yield start, torch.stack(taken)
        start += len(taken)
