"""A person at ease: breathing, small head motion that goes with what is said, and blinks. No clip, no network.

Everything is a sum of slow waves drawn from a seed, so that any stretch of time can be made by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from dreamactor.geometry.rotation import angles_to_matrix, flip_axes, matrix_to_angles
from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.mix import lay_face
from dreamactor.types.track import PersonTrack

BREATH_HZ: Final = 0.26
_BREATH_TORSO: Final = 0.008
"""How far shoulders rise, in torsos (neck to pelvis)."""
_SWAY_RAD: Final = (0.022, 0.013, 0.012)
"""Standard deviation of yaw, pitch and roll of a head at ease."""
_NOD_RAD: Final = 0.04
"""How far a head dips with the strongest emphasis."""
_BLINK_GAP_S: Final = 3.4
_NECK: Final = JOINT["neck"]
_ON_HEAD: Final = [JOINT[name] for name in ("head", "nose", "left_ear", "right_ear")]
_RISE: Final = {
    name: share
    for side in ("left", "right")
    for name, share in ((f"{side}_shoulder", 1.0), (f"{side}_elbow", 0.5), (f"{side}_wrist", 0.25))
} | {"neck": 0.7}  # fmt: skip


def emphasis(loudness: Tensor, times_s: Tensor) -> Tensor:
    """[T] 0..1: how far the moments [T] of speech stand out from the second around them.

    Args:
        loudness: [T] logarithm of power, low where nobody speaks.
        times_s: [T] evenly spaced.
    """
    step = float(times_s[1] - times_s[0]) if len(times_s) > 1 else 1.0
    power = (loudness / 2).exp()
    short, long = (_smoothed(power, max(1, round(width / step))) for width in (0.2, 1.2))
    return ((short - long) / (long + 0.1 * power.max().clamp(min=1e-6))).clamp(0, 1)


def _smoothed(values: Tensor, count: int) -> Tensor:
    count += 1 - count % 2
    return torch.nn.functional.avg_pool1d(values[None, None], count, 1, count // 2, count_include_pad=False)[0, 0]


def breathe(track: PersonTrack, *, seed: int) -> PersonTrack:
    """The track with shoulders, arms, neck and head rising and falling with the breath."""
    times = (track.times.seconds - float(track.times.seconds[0])).float()
    start = float(torch.rand((), generator=torch.Generator().manual_seed(seed)))
    wave = 0.5 - 0.5 * torch.cos(2 * torch.pi * (BREATH_HZ * times + start))
    body = track.body
    torso = (body.joints[:, _NECK] - body.joints[:, JOINT["pelvis"]]).norm(dim=-1)
    torso_m = (body.joints_m[:, _NECK] - body.joints_m[:, JOINT["pelvis"]]).norm(dim=-1)
    joints, metres = body.joints.clone(), body.joints_m.clone()
    for name, share in [*_RISE.items(), *((name, 0.7) for name in ("head", "nose", "left_ear", "right_ear"))]:
        joints[:, JOINT[name], 1] -= share * _BREATH_TORSO * wave * torso
        metres[:, JOINT[name], 1] -= share * _BREATH_TORSO * wave * torso_m
    lift = 0.7 * _BREATH_TORSO * wave * torso
    up = torch.stack([torch.zeros_like(lift), -lift, torch.zeros_like(lift)], dim=-1)
    hands = track.hands.joints.clone()
    hands[..., 1] -= (0.25 * _BREATH_TORSO * wave * torso)[:, None, None]
    landmarks, box = track.face.landmarks.clone(), track.face.box.clone()
    landmarks[..., 1] += up[:, None, 1]
    box[:, 1::2] += up[:, 1:2]
    return replace(
        track,
        body=replace(body, joints=joints, joints_m=metres),
        hands=replace(track.hands, joints=hands),
        head=replace(track.head, center=track.head.center + up),
        face=replace(track.face, landmarks=landmarks, box=box),
    )


def sway_head(track: PersonTrack, *, seed: int, stress: Tensor) -> PersonTrack:
    """The track with a head that is not held quite still, and dips where speech is stressed, [T] 0..1."""
    times = (track.times.seconds - float(track.times.seconds[0])).float()
    generator = torch.Generator().manual_seed(seed + 1)
    turn = torch.zeros(len(times), 3)
    for column, size in enumerate(_SWAY_RAD):
        for _ in range(4):
            hertz = 0.08 + 0.37 * float(torch.rand((), generator=generator))
            phase, amount = torch.rand((), generator=generator), torch.randn((), generator=generator)
            turn[:, column] += size * 0.7 * amount * torch.sin(2 * torch.pi * (hertz * times + phase))
    turn[:, 1] += _NOD_RAD * stress
    turn -= turn[0].clone()  # the first frame is as in the picture
    rotation = angles_to_matrix(turn)
    neck = track.body.joints[:, _NECK]
    pixels = flip_axes(rotation)
    joints, metres = track.body.joints.clone(), track.body.joints_m.clone()
    joints[:, _ON_HEAD] = neck[:, None] + (joints[:, _ON_HEAD] - neck[:, None]) @ pixels.mT
    neck_m = metres[:, None, _NECK]
    metres[:, _ON_HEAD] = neck_m + (metres[:, _ON_HEAD] - neck_m) @ pixels.mT
    head = replace(
        track.head,
        angles_rad=matrix_to_angles(rotation @ angles_to_matrix(track.head.angles_rad)),
        center=neck + (pixels @ (track.head.center - neck)[..., None])[..., 0],
    )
    return replace(track, body=replace(track.body, joints=joints, joints_m=metres), head=head, face=lay_face(track, head))


def blinks(times_s: Tensor, *, seed: int) -> Tensor:
    """[T] how far the lids are shut, 0..1, at moments [T]: quick down, slower up, some three seconds apart."""
    lids = torch.zeros(len(times_s))
    if not len(times_s):
        return lids
    generator = torch.Generator().manual_seed(seed + 2)
    now, end = float(times_s[0]) + 0.6 + float(torch.rand((), generator=generator)), float(times_s[-1])
    while now < end:
        away = times_s.float() - now
        lid = torch.where(away < 0, 1 + away / 0.09, 1 - (away - 0.03).clamp(min=0) / 0.17).clamp(0, 1)
        lids = torch.maximum(lids, lid * lid * (3 - 2 * lid))
        gap = -torch.rand((), generator=generator).clamp(min=1e-3).log()
        now += 0.8 + (_BLINK_GAP_S - 0.8) * float(gap)
    return lids
