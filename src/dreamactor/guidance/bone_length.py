"""Bone length adjustment: how a person is built, measured over many frames, and carried over to another's motion.

The paper edits both people into an A-pose with an image model and selects by hand (section 3.2). We measure instead:
medians over frames of 3D bone lengths, sides averaged. How sure the measures are is read off the track itself, which
holds the body twice, in pixels and in metres: an exact track's two bodies are one, those of an estimator that looks at
pictures disagree by some percent. The less sure they are, the more the build is drawn towards what people are usually like
(`human_build.py`), and what no frame shows is guessed from the rest.

Lengths are carried over as ratios (reference / driver) per bone rather than set outright. A bone that an estimator
sees a little too short in one frame stays so, and a driver of the same build is not changed at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from dreamactor.geometry.skeleton import BODY_PARENTS, HAND_JOINTS, JOINT
from dreamactor.guidance.human_build import BONES, ERROR, PART, PARTS, bone_lengths, likeliest_build, part_of_joint
from dreamactor.guidance.perspective import find_perspective, flatten_track
from dreamactor.types.track import PersonTrack, Proportions

MIN_CONFIDENCE: Final = 0.3
"""Joints below this were not seen."""

_PARENTS: Final = torch.tensor([max(p, 0) for p in BODY_PARENTS])
_MIDDLE_FINGER: Final = ("wrist", "middle_mcp", "middle_pip", "middle_dip", "middle_tip")
_HEAD: Final = JOINT["head"]
_TORSO_M: Final = 0.5
_SPINE_SHARE: Final = 0.8
"""The spine bends, and neck and pelvis come closer: its length is nearer to the longest it is seen than to the median."""
_ERROR_ALONG_DEPTH: Final = 1.5
"""The error of a bone that points at the camera is larger by so many errors of one in the picture's plane."""
_DOUBTED_DEPTH: Final = 0.4
"""Share of the depth in a single picture that is not believed of an estimator; in clips bones lie in the picture's plane now
and then, and those frames count more."""
_COMPARED: Final = [JOINT[f"left_{part}"] for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]
_AS_MEASURED: Final = [JOINT[name] for name in ("head", "nose", "left_ear", "right_ear", "left_shoulder", "right_shoulder")]
_ALIKE: Final = (0.1, 0.2)
_POWER: Final = (0.5, 1.25)
"""Where the compared bones of a seen reference differ from the driver's by less than the first of `_ALIKE` (mean logarithm),
half of it is noise; from the second on the difference is larger than it is seen. Between the two the power rises evenly.
Chosen on 420 pairs of perceived actors of training seeds."""
_LEARNT_MISFIT: Final = 0.03
"""Misfit in torsos from which on a track counts as that of a learnt estimator; perceived people have 0.03 to 0.08."""


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


def pixels_per_metre(track: PersonTrack) -> tuple[Tensor, Tensor]:
    """How large a person is seen, and how well pixels and metres agree.

    Args:
        track: a flat one.

    Returns:
        [T] float pixels per metre; [T] median distance in metres between the two bodies, laid on each other.
    """
    weight = torch.where(track.body.confidence >= MIN_CONFIDENCE, 1.0, 1e-3)[..., None]
    total = weight.sum(1, keepdim=True)
    pixels = track.body.joints - (weight * track.body.joints).sum(1, keepdim=True) / total
    metres = track.body.joints_m - (weight * track.body.joints_m).sum(1, keepdim=True) / total
    scale = (weight * pixels * metres).sum((1, 2)) / (weight * metres.square()).sum((1, 2)).clamp_min(1e-9)
    scale = scale.clamp_min(1e-6)
    apart = (pixels / scale[:, None, None] - metres)[..., :2].norm(dim=-1)
    apart = torch.where(weight[..., 0] == 1.0, apart, torch.nan)
    return scale, apart.nanmedian(dim=1).values.nan_to_num(0.0)


def estimate_proportions(tracks: Sequence[PersonTrack]) -> Proportions:
    """Measures how one person is built.

    Args:
        tracks: one or several tracks or pictures of the same person, each in its own pixels.

    Returns:
        Medians over all frames in which a bone was seen, combined over the tracks; frames in which it lies in the
        picture's plane count more, because estimated depth is the less certain part. Left and right are averaged. Bones
        that no frame shows are guessed (`known` is False). See the top of this file.
    """
    measured, variance, misfit = (torch.stack(part) for part in zip(*(_measure(track) for track in tracks), strict=True))
    learnt = _learnt(misfit)
    build = likeliest_build(measured, variance, learnt).exp().float()
    seen = variance.isfinite().any(dim=0)
    known = seen[torch.tensor(part_of_joint()).clamp_min(0)]
    of_head = [JOINT["nose"], JOINT["left_ear"], JOINT["right_ear"]]
    known[of_head], known[JOINT["pelvis"]] = seen[PART["head_radius"]], True
    return Proportions(
        bone_length=bone_lengths(build),
        known=known,
        doubt=float(learnt.min()),
        head_radius=float(build[PART["head_radius"]]),
        hand_length=float(build[PART["hand"]]),
    )


def _measure(track: PersonTrack) -> tuple[Tensor, Tensor, Tensor]:
    """Logarithms [P] of one track's lengths in metres, the variance [P] of their errors (infinite: never seen), and the
    misfit [] of pixels and metres in torsos."""
    flat = flatten_track(track, find_perspective(track))
    px_per_m, misfit_m = pixels_per_metre(flat)
    offsets = bone_offsets(flat)  # [T, J, 3]
    in_plane = (offsets[..., :2].norm(dim=-1) / offsets.norm(dim=-1).clamp_min(1e-6)).square()  # [T, J]
    weight = bones_seen(flat) * (in_plane + 0.05)
    misfit = _misfit(flat, offsets.norm(dim=-1)[:, JOINT["neck"]] / px_per_m, weight[:, JOINT["neck"]], misfit_m)
    if flat.num_frames == 1:
        offsets = offsets * torch.tensor((1.0, 1.0, 1.0 - _DOUBTED_DEPTH * float(_learnt(misfit))))
    length_m = offsets.norm(dim=-1) / px_per_m[:, None]
    measured = torch.zeros(len(PARTS))
    plane, seen = torch.ones(len(PARTS)), torch.zeros(len(PARTS), dtype=torch.bool)
    parts = part_of_joint()
    for part in range(len(BONES)):
        joints = [joint for joint, of in enumerate(parts) if of == part]
        values, weights = length_m[:, joints].flatten(), weight[:, joints].flatten()
        if float(weights.sum()) > 0:
            share = _SPINE_SHARE if part == PART["neck"] else 0.5
            measured[part] = _weighted_quantile(values, weights, share)
            plane[part] = (weights * in_plane[:, joints].flatten()).sum() / weights.sum()
            seen[part] = True
    chain = flat.hands.joints[:, :, [HAND_JOINTS.index(name) for name in _MIDDLE_FINGER]]
    hand_m = chain.diff(dim=2).norm(dim=-1).sum(-1) / px_per_m[:, None]  # [T, 2]
    for name, values in (
        ("head_radius", (flat.head.radius_px / px_per_m)[flat.head.tracked]),
        ("hand", hand_m[flat.hands.tracked]),
    ):
        if values.numel():
            measured[PART[name]], seen[PART[name]] = values.median(), True
    error = torch.tensor([ERROR[name] for name in PARTS]) * misfit * (1 + _ERROR_ALONG_DEPTH * (1 - plane))
    return measured.clamp_min(1e-6).log(), torch.where(seen, error.square(), torch.inf), misfit


def _misfit(track: PersonTrack, torso_m: Tensor, weight: Tensor, misfit_m: Tensor) -> Tensor:
    """[] disagreement of pixels and metres in torsos, from torsos [T] that count by `weight` [T] and distances [T]."""
    seen = float(weight.sum()) > 0
    torso = _weighted_quantile(torso_m, weight, _SPINE_SHARE) if seen else torch.tensor(_TORSO_M)
    tracked = track.body.tracked
    return misfit_m[tracked].median() / torso.clamp_min(1e-3) if bool(tracked.any()) else torch.tensor(0.0)


def _learnt(misfit: Tensor) -> Tensor:
    """How far (0..1) a misfit is that of an estimator that looks at pictures."""
    return (misfit / _LEARNT_MISFIT).clamp(max=1)


def _weighted_quantile(values: Tensor, weights: Tensor, share: float) -> Tensor:
    """The value of [N] at this share of the total weight [N]."""
    ordered, order = values.sort()
    reached = weights[order].cumsum(dim=0)
    index = int((reached < share * reached[-1]).sum().clamp_max(len(values) - 1))
    return ordered[index]


def length_ratios(driving: Proportions, reference: Proportions) -> Tensor:
    """[J] how much longer each bone of the reference is made than the driver's, both in torso lengths; 1 for the pelvis.

    What an estimator saw of the reference is doubted: builds that come out much alike are taken as more alike, and those
    that come out far apart as farther apart (see `_POWER`). Exact lengths, and lengths given by hand, are taken as they are.
    Head and shoulders are as they were measured, so that they fit each other.
    """
    ratio = reference.bone_length / driving.bone_length.clamp_min(1e-6)
    ratio = torch.where(driving.bone_length > 1e-6, ratio, torch.ones_like(ratio)).clamp(0.1, 10.0)
    apart = ratio[_COMPARED].log().abs().mean()
    share = float(((apart - _ALIKE[0]) / (_ALIKE[1] - _ALIKE[0])).clamp(0, 1))
    power = 1.0 + reference.doubt * (_POWER[0] + share * (_POWER[1] - _POWER[0]) - 1.0)
    adjusted = ratio**power
    adjusted[_AS_MEASURED] = ratio[_AS_MEASURED]
    return adjusted


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
