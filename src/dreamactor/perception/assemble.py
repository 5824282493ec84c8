"""Raw persons of one shot -> a calm, complete track: cleaning, gaps, smoothing, depth, head, face and hands.

A shot is a run of frames without a cut; nothing here looks across its borders.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dreamactor.geometry.skeleton import FACE_POINT, JOINT
from dreamactor.perception.base import RawPerson
from dreamactor.perception.facing import Facing, find_collapses, undo_confusion
from dreamactor.perception.head import (
    MAX_FACE_YAW_RAD,
    FaceReading,
    find_head_facing,
    read_face,
    shoulder_yaw,
    track_head,
    wrap,
)
from dreamactor.perception.smoothing import (
    bridge_gaps,
    calm_radius,
    drop_short_runs,
    find_spikes,
    interpolate,
    remove_spikes,
    running_median,
    smooth,
)
from dreamactor.types.track import BodyTrack, FaceTrack, HandTrack, HeadTrack, PersonTrack, empty_track
from dreamactor.types.video import FrameTimes

_TORSO_M = 0.5
"""Neck to pelvis of an average adult: turns the image scale into a length that foreshortening does not change."""

_LIMB_JOINTS = tuple(
    index for name, index in JOINT.items() if name.endswith(("elbow", "wrist", "knee", "ankle", "heel", "toe"))
)
_SPIKE_TORSOS = 0.4
_SPIKE_TORSOS_PER_S = 10.0
"""A leap is farther than both: 0.4 torso, and what 10 torso lengths (5 metres) a second reach in one frame."""

_BOX_SIDE_PER_HULL = 1.6
_BOX_SIDE_RADII = 2.5
"""Side of the face box: of the points' hull, and, where there is no face, of the head radius."""

_MIN_BODY_FRAMES = 6
_STRAY_TORSOS, _STRAY_REACH_FRAMES = 0.35, 12
"""A body seen for fewer frames must lie nearer than this (median joint) to a lasting one so few frames away."""

_AGAINST_THE_SPINE = -0.5
"""A face whose way up in the picture has a lower cosine to the body's is none."""

_MIN_HAND_FRAMES = 3
_MAX_HAND_SEPARATION_TORSOS = 0.35
"""A hand whose wrist is farther than this from the body's wrist is somebody's or something else."""

_PALM_TORSOS = (0.05, 0.6)
"""Length from wrist to the middle finger's knuckle that a hand may have (short when it points at the camera)."""

_OUTSIDE_MARGIN = 0.03
"""Joints lose all confidence so far outside the picture, as a share of its shorter side."""


def assemble_shot(
    people: Sequence[RawPerson], *, times: FrameTimes, width: int, height: int, source: str = "",
    turned_rad: Tensor | None = None,
) -> PersonTrack:  # fmt: skip
    """Builds the track of one shot; `cut` is False in all its frames.

    Args:
        people: one per frame.
        times: their times.
        width, height: size of the pictures in pixels.
        source: where the track comes from.
        turned_rad: [T] how far the head has turned since the frame before, NaN or None where nobody can tell.
    """
    found = torch.tensor([person.found for person in people])
    found = _without_strays(people, found)
    if not found.any():
        return empty_track(len(people), width=width, height=height, times=times, source=source)
    face = _faces_on_the_head(people)
    facing = find_head_facing(
        face, torch.stack([person.joints_m for person in people]), found, fps=float(times.fps), turned_rad=turned_rad
    )
    people = [undo_confusion(person, int(how)) for person, how in zip(people, facing.confusion, strict=True)]
    joints_m = torch.stack([person.joints_m for person in people])
    sound = found & ~find_collapses(shoulder_yaw(joints_m), facing, fps=float(times.fps))
    body, px_per_m = _assemble_body(people, found, sound, times=times, width=width, height=height)
    hands = _assemble_hands(people, body, px_per_m)
    face_track, head = _assemble_head(people, face, facing, body, px_per_m)
    return PersonTrack(
        width=width, height=height, times=times, body=body, hands=hands, head=head, face=face_track,
        cut=torch.zeros(len(people), dtype=torch.bool), source=source,
    )  # fmt: skip


def _without_strays(people: Sequence[RawPerson], found: Tensor) -> Tensor:
    """[T] found [T] without short sightings that a longer one soon contradicts: the estimator had caught something else."""
    kept = found.clone()
    lasting = drop_short_runs(found, min_frames=_MIN_BODY_FRAMES)
    joints_px = torch.stack([person.joints_px for person in people])
    for frame in torch.nonzero(found & ~lasting).flatten().tolist():
        apart = (torch.nonzero(lasting).flatten() - frame).abs()
        if len(apart) == 0 or int(apart.min()) > _STRAY_REACH_FRAMES:
            continue
        sure = people[int(torch.nonzero(lasting).flatten()[apart.argmin()])]
        torso = _TORSO_M * image_scale(sure.joints_px[None], sure.joints_m[None], sure.confidence[None])
        moved = (joints_px[frame] - sure.joints_px).norm(dim=-1).median()
        kept[frame] = bool(moved < _STRAY_TORSOS * torso)
    return kept


def image_scale(joints_px: Tensor, joints_m: Tensor, confidence: Tensor) -> Tensor:
    """Pixels per metre in every frame: the weak-perspective scale that lays the metre joints on the picture best.

    Args:
        joints_px: [T, J, 2] pixels.
        joints_m: [T, J, 3] metres.
        confidence: [T, J] 0..1.

    Returns:
        [T] float, positive. Joints that do not fit (wrong depth, perspective) are weighted down twice.
    """
    flat = joints_m[..., :2]
    weight = confidence.clamp_min(0.02)[..., None]  # [T, J, 1]
    scale = torch.ones(len(joints_px))
    for _ in range(3):
        total = weight.sum(1, keepdim=True)
        pixels = joints_px - (weight * joints_px).sum(1, keepdim=True) / total
        metres = flat - (weight * flat).sum(1, keepdim=True) / total
        scale = (weight * pixels * metres).sum((1, 2)) / (weight * metres.square()).sum((1, 2)).clamp_min(1e-9)
        error = (pixels - scale[:, None, None] * metres).norm(dim=-1, keepdim=True)  # [T, J, 1]
        usual = error.median(1, keepdim=True).values.clamp_min(1e-6)
        weight = confidence.clamp_min(0.02)[..., None] / (1 + (error / (2 * usual)).square())
    extent = joints_px.flatten(1).amax(1) - joints_px.flatten(1).amin(1)
    return torch.where(scale > 0, scale, (extent / 2).clamp_min(1.0))


def _assemble_body(
    people: Sequence[RawPerson], found: Tensor, sound: Tensor, *, times: FrameTimes, width: int, height: int
) -> tuple[BodyTrack, Tensor]:
    """Body joints, and pixels per metre [T]; where somebody was found [T] but not sound [T], the joints are interpolated."""
    sound = sound if sound.any() else found
    joints_px = torch.stack([person.joints_px for person in people])
    joints_m = torch.stack([person.joints_m for person in people])
    confidence = torch.stack([person.confidence for person in people])

    filled_px, filled_m = interpolate(joints_px, sound), interpolate(joints_m, sound)
    confidence = _fade_outside(interpolate(confidence, sound), filled_px, width=width, height=height)
    px_per_m = running_median(image_scale(filled_px, filled_m, confidence), radius=4)
    px_per_m = smooth(px_per_m, torch.ones_like(found), radius=4)
    torso_px = _TORSO_M * px_per_m

    far = torso_px * max(_SPIKE_TORSOS, _SPIKE_TORSOS_PER_S / float(times.fps))
    spikes = torch.zeros(filled_px.shape[:2], dtype=torch.bool)
    limbs = torch.tensor(_LIMB_JOINTS)
    spikes[:, limbs] = find_spikes(filled_px[:, limbs], jump=far)
    clean_px, clean_m = remove_spikes(filled_px, spikes), remove_spikes(filled_m, spikes)

    _, tracked = bridge_gaps(confidence, found)
    reach = calm_radius(clean_px / torso_px[:, None, None], slow=0.01, fast=0.08, most=3)  # [T, J, 1]
    calm_px = _recentre(smooth(clean_px, tracked, radius=reach))
    calm_m = _recentre(smooth(clean_m, tracked, radius=reach.clamp_min(2.0)))
    calm_m = calm_m - calm_m[:, JOINT["pelvis"], None]
    confidence = running_median(confidence, radius=1)

    held_px, _ = bridge_gaps(calm_px, tracked, max_frames=0)
    held_m, _ = bridge_gaps(calm_m, tracked, max_frames=0)
    joints = torch.cat((held_px, held_m[..., 2:] * px_per_m[:, None, None]), dim=-1)
    body = BodyTrack(
        joints=joints, joints_m=held_m, confidence=torch.where(tracked[:, None], confidence, 0.0), tracked=tracked
    )
    return body, px_per_m


def _recentre(joints: Tensor) -> Tensor:
    """[T, J, D] with pelvis, neck and head put back on the means that define them (smoothing radii differ by joint)."""
    joints = joints.clone()
    for joint, left, right in (
        ("pelvis", "left_hip", "right_hip"), ("neck", "left_shoulder", "right_shoulder"),
        ("head", "left_ear", "right_ear"),
    ):  # fmt: skip
        joints[:, JOINT[joint]] = (joints[:, JOINT[left]] + joints[:, JOINT[right]]) / 2
    return joints


def _fade_outside(confidence: Tensor, joints_px: Tensor, *, width: int, height: int) -> Tensor:
    """[T, J] confidence that fades to zero for joints outside the picture: there the estimator only guesses."""
    size = torch.tensor([width, height], dtype=torch.float32)
    beyond = torch.maximum(-joints_px, joints_px - size).amax(-1).clamp_min(0.0)
    return confidence * (1 - beyond / (_OUTSIDE_MARGIN * min(width, height))).clamp(0.0, 1.0)


def _assemble_hands(people: Sequence[RawPerson], body: BodyTrack, px_per_m: Tensor) -> HandTrack:
    """Hands that hang on the body's wrists, short gaps carried along with the wrist."""
    raw = torch.stack([person.hands for person in people])  # [T, 2, 21, 3]
    found = torch.stack([person.hand_found for person in people]) & body.tracked[:, None]
    wrists = body.joints[:, [JOINT["left_wrist"], JOINT["right_wrist"]]]  # [T, 2, 3]
    torso_px = _TORSO_M * px_per_m[:, None]  # [T, 1]

    apart = (raw[:, :, 0, :2] - wrists[..., :2]).norm(dim=-1) / torso_px  # [T, 2]
    palm = (raw[:, :, 9] - raw[:, :, 0]).norm(dim=-1) / torso_px
    found &= (apart < _MAX_HAND_SEPARATION_TORSOS) & (palm > _PALM_TORSOS[0]) & (palm < _PALM_TORSOS[1])
    found &= _is_not_the_other_hand(raw, found, apart, torso_px[:, 0])

    joints, tracked = [], []
    for side in range(2):
        kept = drop_short_runs(found[:, side], min_frames=_MIN_HAND_FRAMES)
        # Relative to the body's wrist, so that a hand in a gap goes where the arm goes.
        local = raw[:, side].clone()
        local[..., :2] -= wrists[:, side, None, :2]
        local, known = bridge_gaps(local, kept)
        reach = calm_radius(local / torso_px[..., None], slow=0.01, fast=0.05, most=2)
        joints.append(smooth(local, known, radius=reach) + wrists[:, side, None])
        tracked.append(known & body.tracked)
    return HandTrack(joints=torch.stack(joints, dim=1), tracked=torch.stack(tracked, dim=1))


def _is_not_the_other_hand(raw: Tensor, found: Tensor, apart: Tensor, torso_px: Tensor) -> Tensor:
    """[T, 2] bool, False for the worse of two hands that lie on one another: it is the same hand seen twice."""
    distance = (raw[:, 0, :, :2] - raw[:, 1, :, :2]).norm(dim=-1).mean(-1) / torso_px
    doubled = found.all(1) & (distance < 0.08)
    worse = torch.stack((apart[:, 0] > apart[:, 1], apart[:, 0] <= apart[:, 1]), dim=1)
    return ~(doubled[:, None] & worse)


def _faces_on_the_head(people: Sequence[RawPerson]) -> FaceReading:
    """What the face meshes say; only those that lie on the body's head, the right way up, are found.

    Others are pictures, people behind, or hair taken for a face.
    """
    raw = torch.stack([person.face for person in people])
    joints_px, joints_m = (torch.stack([getattr(person, name) for person in people]) for name in ("joints_px", "joints_m"))
    scale = image_scale(joints_px, joints_m, torch.stack([person.confidence for person in people]))
    apart = (raw[..., :2].mean(1) - joints_px[:, JOINT["head"]]).norm(dim=-1)
    found = torch.tensor([person.face_found and person.found for person in people])
    upward = (raw[:, FACE_POINT["forehead"]] - raw[:, FACE_POINT["chin"]])[:, :2]
    spine = joints_px[:, JOINT["neck"]] - joints_px[:, JOINT["pelvis"]]
    against = (upward * spine).sum(-1) < _AGAINST_THE_SPINE * upward.norm(dim=-1) * spine.norm(dim=-1)
    return read_face(raw, found & (apart < _TORSO_M * scale) & ~against)


def _assemble_head(
    people: Sequence[RawPerson], face: FaceReading, facing: Facing, body: BodyTrack, px_per_m: Tensor
) -> tuple[FaceTrack, HeadTrack]:
    """Face points, their box, and the head; the face is not smoothed over time, its box is."""
    raw = torch.stack([person.face for person in people])
    head = track_head(
        face=face, facing=facing, joints=body.joints, joints_m=body.joints_m, px_per_m=px_per_m, tracked=body.tracked
    )
    towards = wrap(head.angles_rad[:, 0]).abs() < MAX_FACE_YAW_RAD
    found = face.found & towards
    landmarks, tracked = bridge_gaps(raw, found)
    return FaceTrack(landmarks=landmarks, box=face_box(raw, found, head), tracked=tracked & body.tracked & towards), head


def face_box(face: Tensor, found: Tensor, head: HeadTrack) -> Tensor:
    """[T, 4] steady square box; moves with the head where there is no face."""
    low, high = face[..., :2].amin(1), face[..., :2].amax(1)
    radius = head.radius_px[:, None]
    offset = interpolate(((low + high) / 2 - head.center[:, :2]) / radius, found)
    side = (high - low).amax(1, keepdim=True) * _BOX_SIDE_PER_HULL / radius
    side = interpolate(side, found) if found.any() else torch.full_like(side, _BOX_SIDE_RADII)
    # The hull's height changes with the jaw; the box must not.
    side = smooth(running_median(side, radius=7), head.tracked, radius=7) * radius
    reach = calm_radius(offset, slow=0.01, fast=0.08, most=4)
    center = head.center[:, :2] + smooth(offset, head.tracked, radius=reach) * radius
    return torch.cat((center - side / 2, center + side / 2), dim=-1)
