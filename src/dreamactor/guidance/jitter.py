"""Training augmentation: the errors that estimators make on real video, added to exact tracks and masks.

Sizes follow measurements of the default estimator in tracking mode: points shake by about half a percent of the torso
from frame to frame, are off by a few percent for seconds on end, yaw is uncertain by several degrees, and hands and
faces are missing in a good part of the frames, in stretches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.geometry.skeleton import JOINT, NUM_BODY_JOINTS, NUM_FACE_POINTS
from dreamactor.types.track import PersonTrack

_WRISTS: Final = [JOINT["left_wrist"], JOINT["right_wrist"]]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackJitter:
    """How large the errors are (standard deviations); lengths in units of the torso, of the head for the face.

    Attributes:
        bias: error of a joint that stays for the whole clip.
        drift: error that wanders slowly.
        shake: error that is new in every frame.
        depth: how many times larger errors are along the line of sight.
        head_bias_rad, head_shake_rad: errors of yaw, pitch and roll.
        head_size: relative error of the head's radius, for the whole clip.
        face: error of face points that is new in every frame, in head radii.
        hand_gaps, face_gaps: share of frames in which a hand or the face is lost, in stretches.
        joint_loss: share of clips in which a joint of arms or legs is lost for a stretch.
    """

    bias: float = 0.02
    drift: float = 0.015
    shake: float = 0.004
    depth: float = 2.5
    head_bias_rad: float = 0.06
    head_shake_rad: float = 0.012
    head_size: float = 0.05
    face: float = 0.01
    hand_gaps: float = 0.35
    face_gaps: float = 0.08
    joint_loss: float = 0.1


def jitter_track(track: PersonTrack, *, generator: torch.Generator, jitter: TrackJitter | None = None) -> PersonTrack:
    """Adds an estimator's errors to a track.

    Args:
        track: any number of frames.
        generator: source of all randomness; the same state gives the same result.
        jitter: sizes of the errors; the measured ones if None.
    """
    size = jitter or TrackJitter()
    frames = track.num_frames

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    spine = (track.body.joints[:, JOINT["neck"]] - track.body.joints[:, JOINT["pelvis"]]).norm(dim=-1)
    torso = spine.median().clamp_min(1.0)
    stretch = torch.tensor((1.0, 1.0, size.depth))

    def error(points: int) -> Tensor:
        """[T, points, 3] in pixels."""
        constant, slow = size.bias * normal(1, points, 3), size.drift * _slow(frames, points * 3, generator)
        return (constant + slow.reshape(frames, points, 3) + size.shake * normal(frames, points, 3)) * stretch * torso

    moved = error(NUM_BODY_JOINTS)
    joints = track.body.joints + moved
    hand_error = 0.4 * error(2 * 21).reshape(frames, 2, 21, 3) + moved[:, _WRISTS, None]
    angles = size.head_bias_rad * normal(1, 3) + size.head_shake_rad * normal(frames, 3)
    head_moved = moved[:, JOINT["head"]] * 0.5
    radius = track.head.radius_px * (1.0 + size.head_size * normal(1)).clamp(0.7, 1.4)
    face_error = size.face * normal(frames, NUM_FACE_POINTS, 3) * track.head.radius_px[:, None, None]
    box_size = (track.face.box[:, 2:] - track.face.box[:, :2]).repeat(1, 2)
    box_error = 0.03 * normal(1, 2).repeat(1, 2) * box_size
    return replace(
        track,
        body=replace(track.body, joints=joints, confidence=_lose_joints(track.body.confidence, generator, size)),
        hands=replace(
            track.hands,
            joints=track.hands.joints + hand_error,
            tracked=track.hands.tracked & ~_gaps(frames, 2, size.hand_gaps, generator),
        ),
        head=replace(
            track.head,
            angles_rad=track.head.angles_rad + angles,
            center=track.head.center + head_moved,
            radius_px=radius,
        ),
        face=replace(
            track.face,
            landmarks=track.face.landmarks + face_error,
            box=track.face.box + box_error,
            tracked=track.face.tracked & ~_gaps(frames, 1, size.face_gaps, generator)[:, 0],
        ),
    )


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


def _slow(frames: int, count: int, generator: torch.Generator) -> Tensor:
    """[T, count] smooth noise of unit size that changes over about twelve frames."""
    knots = torch.randn(count, 1, frames // 12 + 3, generator=generator)
    return F.interpolate(knots, size=frames, mode="linear", align_corners=True)[:, 0].T


def _gaps(frames: int, count: int, share: float, generator: torch.Generator) -> Tensor:
    """[T, count] bool, True in stretches that make up about `share` of the frames on average."""
    level = 2.0 * share * torch.rand(1, count, generator=generator)  # some clips lose much, some nothing
    place = torch.rand(frames // 8 + 2, count, generator=generator)  # one draw per eight frames
    start = int(torch.randint(8, (1,), generator=generator))
    return place.repeat_interleave(8, dim=0)[start : start + frames] < level


def _lose_joints(confidence: Tensor, generator: torch.Generator, size: TrackJitter) -> Tensor:
    """[T, J] with some joints at zero for one stretch of the clip."""
    frames, joints = confidence.shape
    lost = torch.rand(joints, generator=generator) < size.joint_loss
    lost[[JOINT[name] for name in ("pelvis", "neck", "left_shoulder", "right_shoulder", "head")]] = False
    first = torch.rand(joints, generator=generator) * frames
    length = torch.rand(joints, generator=generator) * 0.5 * frames
    time = torch.arange(frames)[:, None]
    return torch.where(lost & (time >= first) & (time < first + length), torch.zeros(()), confidence)
