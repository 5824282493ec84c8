"""Speech moves the face: what the audio encoder hears becomes face motion tokens, and moves of the face points.

Tokens tell the model what the face does, points move the reference's own pixels; both get the same change, from what the
face did without speech (a video's, when a video is dubbed, or the reference picture's) to what it does when it speaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from dreamactor.errors import ConfigError, MediaError
from dreamactor.geometry.skeleton import FACE_POINT
from dreamactor.guidance.face_crop import move_points, normalize_landmarks
from dreamactor.guidance.idle import blinks, breathe, emphasis, sway_head
from dreamactor.inference.face_motion import FaceMotion
from dreamactor.inference.request import AnimateRequest
from dreamactor.inference.sources import MotionSources
from dreamactor.models.audio_motion import MOMENTS_HZ, RATE_HZ, AudioMotionEncoder
from dreamactor.models.face_motion import LandmarkFaceEncoder
from dreamactor.types.track import PersonTrack
from dreamactor.types.video import FrameTimes
from dreamactor.video.audio import iter_audio

_BROW_LIFT: Final = 0.25
"""How far brows rise with the strongest emphasis."""
_LIPS: Final = (FACE_POINT["lip_inner_2"], FACE_POINT["lip_inner_6"])
_OPEN_GAP: Final = 0.03
"""Gap between the lips, in face heights, from which on a mouth counts as open."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """Speech at the frames of a video.

    Attributes:
        mouth: [T, E] expression coefficients, those of the encoder.
        stress: [T] 0..1, how far the moment stands out.
        spoken_share: of the frames in which somebody speaks.
    """

    mouth: Tensor
    stress: Tensor
    spoken_share: float


def require_audio(encoder: AudioMotionEncoder | None) -> AudioMotionEncoder:
    """The model's audio encoder.

    Raises:
        ConfigError: it has none.
    """
    if encoder is None:
        raise ConfigError(
            "This model has no audio encoder (no audio.safetensors beside its model.json), so speech cannot drive it. "
            "Train one with `dreamactor train audio` and put it there."
        )
    return encoder


@torch.no_grad()
def hear(encoder: AudioMotionEncoder, path: Path, times: FrameTimes) -> Heard:
    """Listens to a file, piece by piece, and tells the mouth at `times` of the sound's own clock.

    Raises:
        MediaError: no such file, or one without sound.
    """
    start_s: list[float] = []

    def pieces() -> Iterator[Tensor]:
        for piece in iter_audio(path, rate_hz=RATE_HZ, mono=True):
            if not start_s:
                start_s.append(piece.start_s)
            yield piece.samples[0]

    spoken = encoder.hear(pieces())
    if not start_s:
        raise MediaError(f"{path} has no sound. Give a sound file, or a video with sound.")
    moments_s = torch.arange(len(spoken.voice), dtype=torch.float64) / MOMENTS_HZ
    stress = emphasis(spoken.loudness, moments_s)
    place = (times.seconds - start_s[0]) * MOMENTS_HZ
    inside = (place > -1) & (place < len(moments_s))
    before = place.floor().long().clamp(0, len(moments_s) - 1)
    after = (before + 1).clamp(max=len(moments_s) - 1)
    share = (place - before).clamp(0, 1).float()

    def at(values: Tensor) -> Tensor:
        wide = (-1, *[1] * (values.ndim - 1))
        line = values[before] + share.reshape(wide) * (values[after] - values[before])
        return torch.where(inside.reshape(wide), line, torch.zeros(()))

    return Heard(mouth=at(spoken.mouth), stress=at(stress), spoken_share=float((at(spoken.voice) > 0.5).float().mean()))


@torch.no_grad()
def speak(
    audio: AudioMotionEncoder | None,
    landmarks: LandmarkFaceEncoder,
    driving: PersonTrack,
    face: FaceMotion | None,
    sources: MotionSources,
    request: AnimateRequest,
) -> tuple[PersonTrack, FaceMotion]:
    """Lets a track speak.

    Args:
        audio, landmarks: the model's encoders.
        driving: of all parts, as without speech.
        face: its tokens, where they were read off a clip; None: they are read off the track's points.
        sources, request: say what is spoken, and which parts are at ease.

    Returns:
        The track with moved face points (and the idle parts' motion), and its face motion tokens.
    """
    encoder = require_audio(audio)
    assert sources.speech is not None
    heard = hear(encoder, sources.speech, driving.times)
    if sources.chosen["body"] == "idle":
        driving = breathe(driving, seed=request.seed)
    if sources.chosen["head"] == "idle":
        driving = sway_head(driving, seed=request.seed, stress=heard.stress)
    tokens = landmarks(normalize_landmarks(driving.face, driving.head)) if face is None else face.tokens
    count = len(encoder.coefficients)
    before = tokens[:, :count]
    after = before.clone()
    after[:, encoder.columns] = (heard.mouth[:, encoder.columns] * request.mouth_strength).clamp(max=1.0)
    whole = sources.chosen["face"] == "audio"
    if whole:
        _look_alive(encoder, after, heard, driving.times.seconds, seed=request.seed)
    change = after - before
    moved = change.clone()
    moved[:, encoder.columns] = (after - _shown(driving, before))[:, encoder.columns]
    driving = replace(driving, face=move_points(driving.face, driving.head, encoder.point_moves(moved)))
    what = "the whole face" if whole else "the mouth"
    reason = f"speech in {sources.speech.name} moves {what} ({heard.spoken_share:.0%} of the frames are spoken)"
    return driving, FaceMotion(tokens=tokens + encoder.free_change(change), source="speech", reason=reason)


def _shown(track: PersonTrack, read: Tensor) -> Tensor:
    """[T, E] of the coefficients that were read, how much the face points show: nothing where the lips touch.

    An encoder may read a little opening off a shut mouth; taking that away would push the lips through each other.
    """
    points = normalize_landmarks(track.face, track.head)
    gap = (points[:, _LIPS[0]] - points[:, _LIPS[1]]).norm(dim=-1)
    return read.clamp(min=0) * (gap / _OPEN_GAP).clamp(max=1)[:, None]


def _look_alive(encoder: AudioMotionEncoder, face: Tensor, heard: Heard, times_s: Tensor, *, seed: int) -> None:
    """Blinks, and brows that rise with emphasis, in coefficients [T, E] in place, those that the model knows."""
    lids, known = blinks(times_s, seed=seed), encoder.coefficients
    for name in ("blink_left", "blink_right"):
        if name in known:
            column = known.index(name)
            face[:, column] = torch.maximum(face[:, column], lids)
    for name in ("brow_raise_left", "brow_raise_right"):
        if name in known:
            face[:, known.index(name)] += _BROW_LIFT * (heard.stress - 0.3).clamp(min=0) / 0.7
