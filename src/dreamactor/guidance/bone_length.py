"""Bone length adjustment: how a person is built, measured over many frames, and carried over to another's motion.

The paper edits both people into an A-pose with an image model and selects by hand (section 3.2). We measure instead:
medians over frames of 3D bone lengths, sides averaged, a human prior for what no frame shows.

Lengths are carried over as ratios (reference / driver) per bone rather than set outright. A bone that an estimator
sees a little too short in one frame, or that perspective enlarges, stays so, and a driver of the same build is not
changed at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from dreamactor.geometry.skeleton import BODY_JOINTS, BODY_PARENTS, HAND_JOINTS, JOINT, NUM_BODY_JOINTS
from dreamactor.types.track import PersonTrack, Proportions

MIN_CONFIDENCE: Final = 0.3
"""Joints below this were not seen."""

_STANDING: Final = {
    "pelvis": (0.0, 0.0, 0.0),
    "neck": (0.0, -1.0, 0.0),
    "left_shoulder": (0.36, 0.0, 0.0),
    "left_elbow": (0.10, 0.55, 0.02),
    "left_wrist": (0.06, 0.48, -0.08),
    "left_hip": (0.20, 0.0, 0.0),
    "left_knee": (0.02, 0.84, 0.0),
    "left_ankle": (0.01, 0.82, 0.04),
    "left_heel": (0.0, 0.12, 0.10),
    "left_toe": (0.05, 0.14, -0.30),
    "head": (0.0, -0.42, -0.02),
    "nose": (0.0, 0.04, -0.25),
    "left_ear": (0.15, 0.0, 0.0),
}
"""Offset from the parent joint in torso lengths: an adult who stands facing the camera (x right, y down, z away)."""
PRIOR_HEAD_RADIUS: Final = 0.23
PRIOR_HAND_LENGTH: Final = 0.36

_PARENTS: Final = torch.tensor([max(p, 0) for p in BODY_PARENTS])
_MIRROR: Final = torch.tensor(
    [
        JOINT[n.replace("left_", "*").replace("right_", "left_").replace("*", "right_")]
        for n in BODY_JOINTS
    ]
)  # fmt: skip
_MIDDLE_FINGER: Final = ("wrist", "middle_mcp", "middle_pip", "middle_dip", "middle_tip")
_HEAD: Final = JOINT["head"]


def standing_offsets() -> Tensor:
    """[J, 3] offset of each joint from its parent in torso lengths: a standing adult who faces the camera."""
    offsets = torch.zeros(NUM_BODY_JOINTS, 3)
    for index, name in enumerate(BODY_JOINTS):
        x, y, z = _STANDING[name.replace("right_", "left_")]
        offsets[index] = torch.tensor((-x if name.startswith("right_") else x, y, z))
    return offsets


def prior_proportions() -> Proportions:
    """An average adult; nothing counts as known."""
    return Proportions(
        bone_length=standing_offsets().norm(dim=-1),
        known=torch.zeros(NUM_BODY_JOINTS, dtype=torch.bool),
        head_radius=PRIOR_HEAD_RADIUS,
        hand_length=PRIOR_HAND_LENGTH,
    )


def joint_offsets(joints: Tensor) -> Tensor:
    """[T, J, 3] offset of each joint from its parent; zero for the pelvis."""
    return joints - joints[:, _PARENTS]


def bone_offsets(track: PersonTrack) -> Tensor:
    """[T, J, 3] offset of each joint from its parent in pixels, but for the head from the neck to the head's centre."""
    offsets = joint_offsets(track.body.joints)
    to_head = track.head.center - track.body.joints[:, JOINT["neck"]]
    offsets[:, _HEAD] = torch.where(track.head.tracked[:, None], to_head, offsets[:, _HEAD])
    return offsets


def bones_seen(track: PersonTrack) -> Tensor:
    """[T, J] bool: both ends of the bone from each joint to its parent were seen in that frame."""
    seen = (track.body.confidence >= MIN_CONFIDENCE) & track.body.tracked[:, None]
    both = seen & seen[:, _PARENTS]
    both[:, _HEAD] = seen[:, JOINT["neck"]] & track.head.tracked
    return both


def estimate_proportions(tracks: Sequence[PersonTrack]) -> Proportions:
    """Measures how one person is built.

    Args:
        tracks: one or several tracks or pictures of the same person, each in its own pixels.

    Returns:
        Medians over all frames in which a bone was seen; frames in which it lies in the picture's plane count more,
        because estimated depth is the less certain part. Left and right are averaged. Bones that no frame shows are
        taken from the prior (`known` is False). Where the torso is never seen, the shoulders' width stands in for it,
        and where these are not seen either, the head's size.
    """
    prior = standing_offsets().norm(dim=-1)
    torso_known = any(bool(bones_seen(track)[:, JOINT["neck"]].any()) for track in tracks)
    lengths, weights, radii, hands = [], [], [], []
    for track in tracks:
        offsets, seen = bone_offsets(track), bones_seen(track)
        length = offsets.norm(dim=-1)  # [T, J]
        unit, have = _torso_px(track, length, seen, prior, torso_known=torso_known)
        in_plane = offsets[..., :2].norm(dim=-1) / length.clamp_min(1e-6)
        weights.append((seen & have[:, None]) * (in_plane**2 + 0.05))
        lengths.append(length / unit[:, None])
        radii.append((track.head.radius_px / unit)[have & track.head.tracked])
        chain = track.hands.joints[:, :, [HAND_JOINTS.index(name) for name in _MIDDLE_FINGER]]
        hand = chain.diff(dim=2).norm(dim=-1).sum(-1) / unit[:, None]  # [T, 2]
        hands.append(hand[have[:, None] & track.hands.tracked])
    length, weight = torch.cat(lengths), torch.cat(weights)
    both_sides = torch.cat((length, length[:, _MIRROR])), torch.cat((weight, weight[:, _MIRROR]))
    measured = _weighted_median(*both_sides)
    known = weight.sum(0) > 0
    known = known | known[_MIRROR]
    bone_length = torch.where(known, measured, prior)
    bone_length[JOINT["pelvis"]] = 0.0
    bone_length[JOINT["neck"]] = 1.0
    known[JOINT["pelvis"]] = True
    return Proportions(
        bone_length=bone_length,
        known=known,
        head_radius=_median_or(torch.cat(radii), PRIOR_HEAD_RADIUS),
        hand_length=_median_or(torch.cat(hands), PRIOR_HAND_LENGTH),
    )


def _torso_px(
    track: PersonTrack, length: Tensor, seen: Tensor, prior: Tensor, *, torso_known: bool
) -> tuple[Tensor, Tensor]:
    """[T] torso length in pixels, [T] bool whether it could be had in that frame."""
    torso, have = length[:, JOINT["neck"]], seen[:, JOINT["neck"]]
    if not torso_known:
        left, right = JOINT["left_shoulder"], JOINT["right_shoulder"]
        shoulders, have = (length[:, left] + length[:, right]) / (2 * prior[left]), seen[:, left] & seen[:, right]
        torso = torch.where(have, shoulders, track.head.radius_px / PRIOR_HEAD_RADIUS)
        if not bool(have.any()):
            have = track.head.tracked
    return torso.clamp_min(1.0), have & (torso > 1.0)


def _weighted_median(values: Tensor, weights: Tensor) -> Tensor:
    """Per column of [N, J]: the value at half of the total weight."""
    ordered, order = values.sort(dim=0)
    reached = weights.gather(0, order).cumsum(dim=0)
    index = (reached < 0.5 * reached[-1:]).sum(dim=0).clamp_max(values.shape[0] - 1)
    return ordered.gather(0, index[None])[0]


def _median_or(values: Tensor, prior: float) -> float:
    return float(values.median()) if values.numel() else prior


def length_ratios(driving: Proportions, reference: Proportions) -> Tensor:
    """[J] how much longer each bone of the reference is than the driver's, both in torso lengths; 1 for the pelvis."""
    ratio = reference.bone_length / driving.bone_length.clamp_min(1e-6)
    return torch.where(driving.bone_length > 1e-6, ratio, torch.ones_like(ratio)).clamp(0.1, 10.0)


def joints_from_offsets(offsets: Tensor, root: Tensor) -> Tensor:
    """Walks the tree: [T, J, 3] offsets from the parents and [T, 3] root -> [T, J, 3] joints."""
    joints = offsets.clone()
    joints[:, 0] = root
    for joint, parent in enumerate(BODY_PARENTS):
        if parent >= 0:
            joints[:, joint] = joints[:, parent] + offsets[:, joint]
    return joints


def adjust_bone_lengths(joints: Tensor, driving: Proportions, reference: Proportions) -> Tensor:
    """Gives the driving skeleton the reference's proportions; keeps pose, torso length and root (the floor is a step
    of its own).

    Args:
        joints: [T, J, 3] the driver's joints, any unit.
        driving: how the driver is built.
        reference: how the reference person is built.

    Returns:
        [T, J, 3] joints in the same unit; every bone keeps its direction.
    """
    offsets = joint_offsets(joints) * length_ratios(driving, reference)[:, None]
    return joints_from_offsets(offsets, joints[:, 0])
