"""Training augmentation: the errors that estimators make on real video, added to exact tracks and masks.

The sizes of the errors of tracks are measured: perceived against exact tracks of some 2000 drawn frames (training actors, a
third each of portraits, half and whole figures), by `dreamactor bench noise`, which also compares this model's errors with
the perceived ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import radians
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.geometry.skeleton import BODY_JOINTS, JOINT, NUM_FACE_POINTS, NUM_HAND_JOINTS
from dreamactor.types.track import PersonTrack

_WRISTS: Final = [JOINT["left_wrist"], JOINT["right_wrist"]]
_MIDDLE: Final = ("elbow", "knee")
_FAR: Final = ("wrist", "ankle", "heel", "toe")
_SMALL_HEAD: Final = 0.1
_TURNED_RAD: Final = (radians(45.0), radians(75.0))
_MEANS: Final = (
    ("pelvis", "left_hip", "right_hip"), ("neck", "left_shoulder", "right_shoulder"), ("head", "left_ear", "right_ear"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Noise:
    """Errors of a point or an angle (standard deviations), in the unit of what they are added to.

    Attributes:
        bias: stays for the whole clip.
        drift: wanders.
        shake: is new in every frame.
    """

    bias: float = 0.0
    drift: float = 0.0
    shake: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackJitter:
    """How large the errors are; `TrackJitter.none()` has none.

    The defaults are what `dreamactor bench noise --fit` finds on 2112 frames (44 clips, ordinary perception, actors of
    version 2), rounded; but for `hand_gaps`: hands of drawn actors are lost in 20 % of the frames, those of real clips of
    half and whole figures in some 40 %.

    Attributes:
        trunk, middle, far: of shoulders, hips and head; of elbows and knees; of wrists and feet; in torsos, across the
            line of sight.
        depth: how many times larger errors are along the line of sight.
        hand: of a hand's joints about its wrist, in torsos.
        face: of face points about their head, in head radii.
        yaw, pitch, roll: of the head, radians; `yaw` near the front.
        yaw_turned: of the yaw of a head turned away by 75 degrees and more (between 45 and 75 degrees both are mixed).
        yaw_gain: perceived over true yaw near the front.
        small_head: how many times larger errors of angles and face are where the head's radius is below a tenth of the
            picture's shorter side.
        memory_frames: how long a drift lasts (standard deviation of the weights that make it from independent draws).
        head_size_offset, head_size: mean and spread of the logarithm of the head's radius, for the whole clip.
        head_place: of the head's middle, in radii.
        hand_gaps, face_gaps, joint_gaps: share of frames in which a hand, the face, or a joint of arms or legs is lost.
        hand_gap_frames, face_gap_frames, joint_gap_frames: how long that lasts on average.
    """

    trunk: Noise = Noise(bias=0.034, drift=0.015, shake=0.0008)
    middle: Noise = Noise(bias=0.019, drift=0.021, shake=0.0014)
    far: Noise = Noise(bias=0.029, drift=0.020, shake=0.0016)
    depth: float = 3.9
    hand: Noise = Noise(bias=0.028, drift=0.023, shake=0.0021)
    face: Noise = Noise(bias=0.025, drift=0.0115, shake=0.0041)
    yaw: Noise = Noise(bias=0.023, drift=0.027, shake=0.0012)
    pitch: Noise = Noise(bias=0.054, drift=0.026, shake=0.0018)
    roll: Noise = Noise(bias=0.019, drift=0.012, shake=0.0008)
    yaw_turned: Noise = Noise(bias=0.22, drift=0.086, shake=0.0009)
    small_head: float = 1.65
    yaw_gain: float = 0.967
    memory_frames: float = 2.75
    head_size_offset: float = -0.003
    head_size: float = 0.039
    head_place: Noise = Noise(bias=0.055, drift=0.033, shake=0.0015)
    hand_gaps: float = 0.35
    face_gaps: float = 0.025
    joint_gaps: float = 0.023
    hand_gap_frames: float = 7.0
    face_gap_frames: float = 12.0
    joint_gap_frames: float = 8.0

    @staticmethod
    def none() -> TrackJitter:
        """No errors at all."""
        still = Noise()
        return TrackJitter(
            trunk=still, middle=still, far=still, hand=still, face=still, yaw=still, pitch=still, roll=still,
            yaw_turned=still, head_place=still, yaw_gain=1.0, head_size_offset=0.0, head_size=0.0,
            hand_gaps=0.0, face_gaps=0.0, joint_gaps=0.0,
        )  # fmt: skip


def jitter_track(track: PersonTrack, *, generator: torch.Generator, jitter: TrackJitter | None = None) -> PersonTrack:
    """Adds an estimator's errors to a track.

    Args:
        track: any number of frames.
        generator: source of all randomness; the same state gives the same result.
        jitter: sizes of the errors; the measured ones if None.
    """
    size = jitter or TrackJitter()
    draw = _Draws(track.num_frames, size.memory_frames, generator)
    spine = (track.body.joints[:, JOINT["neck"]] - track.body.joints[:, JOINT["pelvis"]]).norm(dim=-1)
    torso = spine.median().clamp_min(1.0)
    stretch = torch.tensor((1.0, 1.0, size.depth)) * torso

    moved = torch.stack([draw.errors(_noise_of(name, size), 3) for name in BODY_JOINTS], dim=1) * stretch  # [T, J, 3]
    for middle, left, right in _MEANS:
        moved[:, JOINT[middle]] = (moved[:, JOINT[left]] + moved[:, JOINT[right]]) / 2
    hands = draw.errors(size.hand, 2 * NUM_HAND_JOINTS * 3).unflatten(1, (2, NUM_HAND_JOINTS, 3)) * stretch
    hands[:, :, 0] = 0.0
    lost_joints = torch.zeros_like(track.body.confidence, dtype=torch.bool)
    limbs = [JOINT[name] for name in BODY_JOINTS if name.endswith((*_MIDDLE, *_FAR))]
    lost_joints[:, limbs] = draw.gaps(len(limbs), size.joint_gaps, size.joint_gap_frames)

    radius = track.head.radius_px * (size.head_size_offset + size.head_size * draw.normal(1)).exp()
    place = torch.cat((draw.errors(size.head_place, 2), torch.zeros(track.num_frames, 1)), dim=1)  # [T, 3] radii
    small = torch.where(track.head.radius_px < _SMALL_HEAD * min(track.width, track.height), size.small_head, 1.0)  # [T]
    true_yaw = track.head.angles_rad[:, 0]
    away = torch.atan2(true_yaw.sin(), true_yaw.cos()).abs()
    turned = ((away - _TURNED_RAD[0]) / (_TURNED_RAD[1] - _TURNED_RAD[0])).clamp(0.0, 1.0)
    off = torch.cat([draw.errors(noise, 1) for noise in (size.yaw, size.pitch, size.roll)], dim=1) * small[:, None]
    off[:, 0] = torch.lerp(off[:, 0], draw.errors(size.yaw_turned, 1)[:, 0], turned)
    off[:, 0] += (size.yaw_gain - 1.0) / 2 * torch.sin(2 * true_yaw)  # none in profile

    points = draw.errors(size.face, NUM_FACE_POINTS * 3).unflatten(1, (NUM_FACE_POINTS, 3))
    box_size = (track.face.box[:, 2:] - track.face.box[:, :2]).repeat(1, 2)
    box_moved = 0.5 * size.head_place.bias * draw.normal(1, 2).repeat(1, 2) * box_size
    return replace(
        track,
        body=replace(
            track.body,
            joints=track.body.joints + moved,
            confidence=track.body.confidence.masked_fill(lost_joints, 0.0),
        ),
        hands=replace(
            track.hands,
            joints=track.hands.joints + hands + moved[:, _WRISTS, None],
            tracked=track.hands.tracked & ~draw.gaps(2, size.hand_gaps, size.hand_gap_frames),
        ),
        head=replace(
            track.head,
            angles_rad=track.head.angles_rad + off,
            center=track.head.center + place * track.head.radius_px[:, None],
            radius_px=radius,
        ),
        face=replace(
            track.face,
            landmarks=track.face.landmarks + points * (small * track.head.radius_px)[:, None, None],
            box=track.face.box + box_moved,
            tracked=track.face.tracked & ~draw.gaps(1, size.face_gaps, size.face_gap_frames)[:, 0],
        ),
    )


def _noise_of(joint: str, size: TrackJitter) -> Noise:
    if joint.endswith(_FAR):
        return size.far
    return size.middle if joint.endswith(_MIDDLE) else size.trunk


def jitter_mask(mask: Tensor, *, generator: torch.Generator) -> Tensor:
    """A person mask [H, W] uint8 as a segmentation network gives it: thin parts thinner, outlines some pixels off."""
    height, width = mask.shape
    blur = 2 * int(torch.randint(1, 4, (), generator=generator)) + 1
    soft = F.avg_pool2d(mask[None, None].float() / 255, blur, stride=1, padding=blur // 2, count_include_pad=False)
    waves = torch.randn(1, 1, height // 24 + 2, width // 24 + 2, generator=generator)
    level = 0.45 + 0.15 * torch.randn((), generator=generator) + 0.15 * F.interpolate(
        waves, size=(height, width), mode="bilinear", align_corners=True
    )  # fmt: skip
    return (soft > level.clamp(0.05, 0.95))[0, 0].to(torch.uint8) * 255


@dataclass(frozen=True, slots=True)
class _Draws:
    """Random errors over one clip."""

    frames: int
    memory_frames: float
    generator: torch.Generator

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator)

    def errors(self, noise: Noise, count: int) -> Tensor:
        """[T, count] independent errors."""
        drift = noise.drift * self._wander(count)
        return noise.bias * self.normal(1, count) + drift + noise.shake * self.normal(self.frames, count)

    def _wander(self, count: int) -> Tensor:
        """[T, count] of unit size: draws smoothed over time."""
        reach = max(1, round(3 * self.memory_frames))
        weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / self.memory_frames).square())
        weights = weights / weights.square().sum().sqrt()
        rough = self.normal(count, 1, self.frames + 2 * reach)
        return F.conv1d(rough, weights[None, None])[:, 0].T

    def gaps(self, count: int, share: float, length: float) -> Tensor:
        """[T, count] bool, True in stretches of about `length` frames that make up about `share` of all."""
        dice = torch.rand(self.frames, count, generator=self.generator)
        if share <= 0.0:
            return torch.zeros(self.frames, count, dtype=torch.bool)
        leave = 1.0 / max(length, 1.0)
        enter = min(1.0, leave * share / max(1.0 - share, 1e-6))
        lost = [dice[0] < share]
        for now in dice[1:]:
            lost.append(torch.where(lost[-1], now >= leave, now < enter))
        return torch.stack(lost)
