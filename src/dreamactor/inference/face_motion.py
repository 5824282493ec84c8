"""Which of a model's face encoders reads a driver, and what it reads.

The implicit encoder sees the pictures and misses nothing that landmarks leave out, but it has learnt on drawn faces. Whether
it can read the face at hand is seen on the clip itself: it must find the face's points where perception does, and follow a
mouth and eyes that move.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Literal, get_args

import torch
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.guidance.face_crop import crop_faces, normalize_landmarks
from dreamactor.guidance.face_proxies import face_proxies, follows
from dreamactor.inference.face_encoders import FaceEncoders
from dreamactor.models.face_motion import ImplicitFaceEncoder, LandmarkFaceEncoder
from dreamactor.types.track import FaceTrack, PersonTrack

FaceEncoderChoice = Literal["auto", "implicit", "landmarks"]
CHOICES: Final[tuple[FaceEncoderChoice, ...]] = get_args(FaceEncoderChoice)
_TOLD_BY: Final = {"mouth": ("jaw_open",), "eyes": ("blink_left", "blink_right")}
"""Of the proxies, in their order, the coefficients that say the same."""
LEAST_FOLLOWED: Final = 0.6
"""Correlation with a mouth and eyes that move, as perception's points show them, from which on the implicit encoder reads
the face at hand; or as much as the landmark encoder's, where that has less."""
MOST_APART: Final = 0.22
"""Mean distance of its face points from perception's, in units of their spread, above which it does not find the face."""
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
    source: Literal["implicit", "landmarks", "speech"]
    reason: str

    def __str__(self) -> str:
        if self.source == "speech":
            return f"Face motion is heard: {self.reason}."
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
    by_landmarks = _by_landmarks(faces, track, "")
    if not apart <= MOST_APART:
        reason = (
            f"the implicit encoder finds face points {apart:.2f} of their spread from perception's, allowed is {MOST_APART}"
        )
        return replace(by_landmarks, reason=reason)
    own, other = (
        proxies_followed(one, tokens, track)
        for one, tokens in ((faces.rgb, implicit), (faces.landmarks, by_landmarks.tokens))
    )
    for proxy, value in own.items():
        if value < min(LEAST_FOLLOWED, other.get(proxy, LEAST_FOLLOWED)):
            reason = (
                f"the implicit encoder follows the {proxy} that perception sees with {value:.2f}, needed is {LEAST_FOLLOWED}"
            )
            return replace(by_landmarks, reason=reason)
    told = " and ".join(f"{proxy} with {value:.2f}" for proxy, value in own.items())
    reason = (
        f"it follows what perception sees, {told}" if told else "mouth and eyes hardly move, and it finds the face's points"
    )
    return FaceMotion(tokens=implicit, source="implicit", reason=reason)


def proxies_followed(
    encoder: ImplicitFaceEncoder | LandmarkFaceEncoder, tokens: Tensor, track: PersonTrack
) -> dict[str, float]:
    """How tokens [T, c] follow the mouth and the eyes that perception's points show: correlation over the tracked frames, of
    those that move; nothing for an encoder that does not know which of its numbers are jaw and lids."""
    tracked, found = track.face.tracked, {}
    shown = face_proxies(normalize_landmarks(track.face, track.head)[tracked])
    for index, (proxy, names) in enumerate(_TOLD_BY.items()):
        if set(names) <= set(encoder.coefficients):
            columns = [encoder.coefficients.index(name) for name in names]
            told = tokens[tracked][:, columns].mean(dim=1) * (-1 if proxy == "eyes" else 1)  # lids shut, eyes open
            value = follows(told, shown[:, index], proxy)
            if not math.isnan(value):
                found[proxy] = value
    return found


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
