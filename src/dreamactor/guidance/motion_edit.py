"""Edits of motion: cut to length, mirrored, slowed, joined. Each is a function from tracks to a track."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.guidance.camera import move_track
from dreamactor.guidance.person_box import MIRRORED_FACE_POINTS, MIRRORED_JOINTS
from dreamactor.guidance.resample import resample
from dreamactor.types.track import CameraTrack, PersonTrack
from dreamactor.types.video import FrameTimes

MAX_FRAMES = 200_000
"""Longest result: more than an hour at 50 frames a second."""


def trim(track: PersonTrack, *, start_s: float = 0.0, end_s: float | None = None) -> PersonTrack:
    """The frames with start <= time < end, both in seconds after the first frame; the result's clock starts at zero.

    Raises:
        ConfigError: no frame lies there.
    """
    after = track.times.seconds - track.times.seconds[0]
    chosen = (after >= start_s - 1e-9) & (after < (math.inf if end_s is None else end_s - 1e-9))
    if not bool(chosen.any()):
        raise ConfigError(
            f"No frame lies between --start {start_s:g} and --end {'the end' if end_s is None else f'{end_s:g}'} s: "
            f"the motion is {track.num_frames} frames long, the last of them at {float(after[-1]):.3f} s."
        )
    index = torch.nonzero(chosen).flatten()
    part = track[int(index[0]) : int(index[-1]) + 1]
    cut = part.cut.clone()
    cut[0] = False
    return replace(part, cut=cut, times=replace(part.times, pts=part.times.pts - part.times.pts[0]))


def mirror(track: PersonTrack) -> PersonTrack:
    """The motion as in a mirror: image left and right exchanged, and with them the person's own left and right."""
    width = track.width
    flip = torch.tensor((-1.0, 1.0, 1.0))
    shift = torch.tensor((float(width), 0.0, 0.0))
    camera = track.camera
    if camera is not None:  # F M F with F: x -> width - x
        linear = camera.matrix[:, :, :2] * torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
        across = width * (1.0 - camera.matrix[:, 0, 0]) - camera.matrix[:, 0, 2]
        down = camera.matrix[:, 1, 2] + width * camera.matrix[:, 1, 0]
        camera = replace(camera, matrix=torch.cat([linear, torch.stack([across, down], dim=1)[..., None]], dim=2))
    body, hands, head, face = track.body, track.hands, track.head, track.face
    return replace(
        track,
        body=replace(
            body,
            joints=(body.joints * flip + shift)[:, MIRRORED_JOINTS],
            joints_m=(body.joints_m * flip)[:, MIRRORED_JOINTS],
            confidence=body.confidence[:, MIRRORED_JOINTS],
        ),
        hands=replace(hands, joints=(hands.joints * flip + shift).flip(1), tracked=hands.tracked.flip(1)),
        head=replace(
            head,
            angles_rad=head.angles_rad * torch.tensor((-1.0, 1.0, -1.0)),
            center=head.center * flip + shift,
        ),
        face=replace(
            face,
            landmarks=(face.landmarks * flip + shift)[:, MIRRORED_FACE_POINTS],
            box=torch.stack([width - face.box[:, 2], face.box[:, 1], width - face.box[:, 0], face.box[:, 3]], dim=1),
        ),
        camera=camera,
    )


def slow(track: PersonTrack, factor: float) -> PersonTrack:
    """The motion `factor` times as long (below 1: faster), at the same frame rate, with frames interpolated between.

    Frame k of the result is the moment k / factor of the original, counted in its mean frame steps.

    Raises:
        ConfigError: the factor is no number above zero, or the result would be too long.
    """
    if not (math.isfinite(factor) and factor > 0):
        raise ConfigError(f"--factor must be a number above 0, got {factor}.")
    count = math.floor((track.num_frames - 1) * factor + 1e-6) + 1
    if count > MAX_FRAMES:
        raise ConfigError(f"--factor {factor:g} would give {count} frames; at most {MAX_FRAMES} can be made.")
    exact = Fraction(factor).limit_denominator(10_000)
    played = FrameTimes.constant(count, track.times.fps)
    wanted = FrameTimes.constant(count, track.times.fps * exact)
    return replace(resample(track, wanted), times=played)


def join(tracks: Sequence[PersonTrack]) -> PersonTrack:
    """One motion after the other, with a cut at every seam.

    The first one's picture size counts; the others' pictures are fitted into it, whole and centred. Every frame is kept, at
    its own distance in time; a track begins one of its own mean frame steps after the last frame before it. Where one track
    knows its camera and another does not, the latter's is taken to stand still.

    Raises:
        ConfigError: no track at all.
    """
    if not tracks:
        raise ConfigError("Nothing to join. Give at least one motion file.")
    first = tracks[0]
    parts = [first, *(_fit(track, width=first.width, height=first.height) for track in tracks[1:])]
    if any(part.camera is not None for part in parts):
        parts = [replace(part, camera=part.camera or _still(part.num_frames)) for part in parts]
    base = _common_base([track.times for track in parts])
    pts: list[Tensor] = []
    cut = torch.cat([part.cut for part in parts])
    position = 0
    for part in parts:
        own = part.times.pts * int(part.times.time_base / base)
        begin = 0 if not pts else int(pts[-1][-1]) + max(1, round(1 / (part.times.fps * base)))
        pts.append(own - own[0] + begin)
        cut[position] = position > 0
        position += part.num_frames
    return PersonTrack(
        width=first.width,
        height=first.height,
        times=FrameTimes(pts=torch.cat(pts), time_base=base),
        body=_chained([part.body for part in parts]),
        hands=_chained([part.hands for part in parts]),
        head=_chained([part.head for part in parts]),
        face=_chained([part.face for part in parts]),
        cut=cut,
        source=" + ".join(track.source or "unnamed" for track in tracks),
        camera=None if parts[0].camera is None else _chained([part.camera for part in parts]),
    )


def _fit(track: PersonTrack, *, width: int, height: int) -> PersonTrack:
    """The track with its picture fitted into another, whole and centred."""
    if (track.width, track.height) == (width, height):
        return track
    scale = min(width / track.width, height / track.height)
    across, down = (width - scale * track.width) / 2, (height - scale * track.height) / 2
    matrix = torch.tensor([[scale, 0.0, across], [0.0, scale, down]]).expand(track.num_frames, 2, 3)
    camera = track.camera
    if camera is not None:  # S M S^-1 with S the fit
        shift = matrix[..., 2]
        moved = scale * camera.matrix[..., 2] + shift - (camera.matrix[..., :2] @ shift[..., None])[..., 0]
        camera = replace(camera, matrix=torch.cat([camera.matrix[..., :2], moved[..., None]], dim=2))
    return replace(move_track(track, matrix), width=width, height=height, camera=camera)


def _still(num_frames: int) -> CameraTrack:
    return CameraTrack(matrix=torch.eye(3)[:2].repeat(num_frames, 1, 1), known=torch.zeros(num_frames, dtype=torch.bool))


def _common_base(times: Sequence[FrameTimes]) -> Fraction:
    """The longest unit of which every clock's unit is a whole multiple."""
    denominator = math.lcm(*(clock.time_base.denominator for clock in times))
    return Fraction(math.gcd(*(int(clock.time_base * denominator) for clock in times)), denominator)


def _chained(parts: Sequence[Any]) -> Any:
    """Parts of one kind, one after the other."""
    first = parts[0]
    return replace(first, **{f.name: torch.cat([getattr(part, f.name) for part in parts]) for f in fields(first)})
