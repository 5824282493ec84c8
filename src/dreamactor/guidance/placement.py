"""Where a driver's motion goes on the reference's canvas, and how large: the rule of `retarget.py` in numbers.

Works on flat tracks of one shot (see `perspective.py`).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from dreamactor.geometry.rotation import normalize
from dreamactor.geometry.skeleton import BODY_JOINTS, JOINT
from dreamactor.guidance.bone_length import MIN_CONFIDENCE, bone_offsets, bones_seen, joints_from_offsets
from dreamactor.types.track import PersonTrack, Proportions

_FEET: Final = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "heel", "toe")]
_SIZE_JOINTS: Final = [
    JOINT[name]
    for name in BODY_JOINTS
    if name.endswith(("pelvis", "neck", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "head"))
]
_NECK: Final = JOINT["neck"]
_PELVIS: Final = JOINT["pelvis"]
_HEAD: Final = JOINT["head"]
_DOUBTED_DEPTH: Final = 0.5
"""Share of the depth that is not believed where an estimator saw it: bones then come out too long rather than too short."""
_SAME_POSE: Final = 1e-3
"""Below this difference a frame shows the reference's very pose."""
_SHARPNESS: Final = 0.35
"""Frames this much (of the best one's difference) less alike weigh e times less."""


def likeness(track: PersonTrack, reference: PersonTrack) -> Tensor:
    """[T] weights that sum to one: how much each frame's pose (bones, head) is like the reference's.

    The better the best frame is, the more the others are left out: one frame alone where it shows the reference's very
    pose, an average over many where none is alike. Frames far from the driver's usual place and size count less.
    """
    towards = torch.nn.functional.normalize(bone_offsets(track), dim=-1)
    goal = torch.nn.functional.normalize(bone_offsets(reference), dim=-1)
    shared = (bones_seen(track) & bones_seen(reference)).float()  # [T, J]
    apart = ((towards - goal).square().sum(-1) * shared).sum(-1) / shared.sum(-1).clamp_min(1.0)
    turned = 1.0 - torch.cos(track.head.angles_rad - reference.head.angles_rad).mean(-1)
    both_heads = track.head.tracked & reference.head.tracked
    apart = apart + torch.where(both_heads, turned, torch.zeros(())) + 2.0 * (shared.sum(-1) < 1.0)
    size = track.head.radius_px.clamp_min(1.0)
    place = track.body.joints[:, _NECK, :2]
    tracked = track.body.tracked
    usual_place, usual_size = place[tracked].median(dim=0).values, size[tracked].median()
    far = (place - usual_place).norm(dim=-1) / (4.0 * usual_size) + (size / usual_size).log().abs()
    apart = torch.where(tracked, apart * (1.0 + far), torch.inf)
    best = int(apart.argmin())
    if float(apart[best]) < _SAME_POSE:
        return torch.nn.functional.one_hot(torch.tensor(best), track.num_frames).float()
    return torch.softmax(-apart / (_SHARPNESS * apart[best]), dim=0)


def size_ratio(track: PersonTrack, reference: PersonTrack, own: Proportions, built: Proportions, match: Tensor) -> float:
    """Canvas pixels per driver pixel, so that the rebuilt driver is as large as the reference.

    Args:
        own, built: how the driver is built, and how it will be.

    Returns:
        Both people are put together anew in the poses they have, the driver with `own` lengths, the reference with
        `built` ones. By how much they must be enlarged to lie on what was seen, as far as both pictures show it, tells
        their sizes. Whole bodies are known better than where hips or elbows divide them.
    """
    shared = _joints_seen(track) & _joints_seen(reference)  # [T, J]
    heads = (track.head.tracked & reference.head.tracked).float()  # [T]
    sizes = [
        _seen_size(person, build, shared.float(), heads, build.doubt) for person, build in ((track, own), (reference, built))
    ]
    told = match * ((sizes[0] > 0) & (sizes[1] > 0))
    if float(told.sum()) < 1e-6:
        return 1.0
    ratio = (sizes[1].clamp_min(1e-6) / sizes[0].clamp_min(1e-6)).log()
    return float(((told * ratio).sum() / told.sum()).exp())


def _joints_seen(person: PersonTrack) -> Tensor:
    """[T, J] bool: joints of `_SIZE_JOINTS` that were seen; the head is its middle."""
    seen = (person.body.confidence >= MIN_CONFIDENCE) & person.body.tracked[:, None]
    seen[:, _HEAD] = person.head.tracked
    counted = torch.zeros_like(seen)
    counted[:, _SIZE_JOINTS] = seen[:, _SIZE_JOINTS]
    return counted


def _seen_size(person: PersonTrack, build: Proportions, weight: Tensor, head_weight: Tensor, doubt: float) -> Tensor:
    """[T] pixels per torso at which a build in a person's pose lies best on what was seen of it; 0 where nothing tells.

    Args:
        person: T frames or one.
        weight: [T, J] of the joints.
        head_weight: [T] of the head's radius.
        doubt: 0..1 whether depth was seen by an estimator; see `Proportions`.
    """
    offsets = bone_offsets(person) * torch.tensor((1.0, 1.0, 1.0 - _DOUBTED_DEPTH * doubt))
    bones = normalize(offsets) * build.bone_length[:, None]
    rebuilt = joints_from_offsets(bones, torch.zeros(len(bones), 3))[..., :2]
    seen = person.body.joints[..., :2].clone()
    seen[:, _HEAD] = person.head.center[:, :2]
    total = weight.sum(dim=1).clamp_min(1e-6)[:, None, None]
    rebuilt, seen = (at - (weight[..., None] * at).sum(dim=1, keepdim=True) / total for at in (rebuilt, seen))
    matching = (weight[..., None] * rebuilt * seen).sum((1, 2)) + head_weight * build.head_radius * person.head.radius_px
    extent = (weight[..., None] * rebuilt.square()).sum((1, 2)) + head_weight * build.head_radius**2
    return torch.where(extent > 1e-6, matching / extent.clamp_min(1e-6), 0.0).clamp_min(0.0)


def relative_size(track: PersonTrack, match: Tensor) -> Tensor:
    """[T] size of the person relative to the matching frames; the head tells it, being the least foreshortened part."""
    told = match * track.head.tracked
    if float(told.sum()) < 1e-6:
        return torch.ones(track.num_frames)
    grown = track.head.radius_px / ((told * track.head.radius_px).sum() / told.sum()).clamp_min(1.0)
    return torch.where(track.head.tracked, grown, torch.ones(()))


def held_bones(track: PersonTrack, reference: PersonTrack) -> Tensor:
    """[J] bool: bones that the driver never shows and whose far end lies in the reference picture."""
    x, y = reference.body.joints[0, :, 0], reference.body.joints[0, :, 1]
    inside = (x >= 0) & (x < reference.width) & (y >= 0) & (y < reference.height)
    inside[_NECK] = inside[_PELVIS] & inside[_NECK]
    return inside & ~bones_seen(track).any(dim=0)


def feet_seen(track: PersonTrack) -> Tensor:
    """[T] bool: both feet were seen."""
    seen = (track.body.confidence[:, _FEET] >= MIN_CONFIDENCE).reshape(track.num_frames, 2, 3).any(-1).all(-1)
    return seen & track.body.tracked


def floor(joints: Tensor) -> Tensor:
    """[T] lowest point of the feet, y in pixels."""
    return joints[:, _FEET, 1].amax(dim=-1)


def placement(
    track: PersonTrack,
    reference: PersonTrack,
    joints: Tensor,
    to_head: Tensor,
    *,
    match: Tensor,
    scale: float,
    leg: float,
) -> Tensor:
    """[T, 3] where the pelvis goes.

    Args:
        joints: [T, J, 3] retargeted body about its pelvis.
        to_head: [T, 3] from its neck to its head's centre.
    """
    now, goal = track.body.joints, reference.body.joints[0]
    shift = torch.zeros(track.num_frames, 3)
    feet = feet_seen(track)
    if bool(feet_seen(reference)[0]) and float((match * feet).sum()) > 0.6 and float(feet.float().mean()) > 0.6:
        shift[:, 0] = goal[_PELVIS, 0] + _way(now[:, _PELVIS, 0], match) * (scale * leg)
        shift[:, 1] = floor(goal[None]) + _way(floor(now), match) * (scale * leg) - floor(joints)
        return shift
    neck_seen = (match * (track.body.confidence[:, _NECK] >= MIN_CONFIDENCE)).sum()
    sure = float(neck_seen) > 0.5 and float(reference.body.confidence[0, _NECK]) >= MIN_CONFIDENCE
    if sure or float((match * track.head.tracked).sum()) < 0.5 or not bool(reference.head.tracked[0]):
        shift[:, :2] = (goal[_NECK] + _way(now[:, _NECK], match) * scale - joints[:, _NECK])[:, :2]
    else:
        way = _way(track.head.center, match) * scale
        shift[:, :2] = (reference.head.center[0] + way - joints[:, _NECK] - to_head)[:, :2]
    return shift


def _way(places: Tensor, match: Tensor) -> Tensor:
    """[T, ...] how far each frame's place is from that of the matching frames [T]."""
    return places - torch.tensordot(match, places, dims=1)


def shorten_ways(in_view: Tensor, head: Tensor, *, match: Tensor, width: int, height: int) -> Tensor:
    """[T, 3] shift that shortens ways so that the head [T, 3] stays in view, by one factor per axis.

    Args:
        in_view: [T, 2] bool: the head's middle lay in the driver's picture, across and down.
        head: [T, 3] where it would be on the canvas.
        match: [T] see `likeness`.
        width, height: of the canvas in pixels.
    """
    back = torch.zeros(len(head), 3)
    for axis, size in ((0, width), (1, height)):
        counted = in_view[:, axis]
        start = (match * head[:, axis]).sum()
        if not bool(counted.any()) or not 0.0 < float(start) < size:
            continue
        way = (head[:, axis] - start)[counted]
        margin = 0.08 * size
        room = torch.where(way > 0, size - margin - start, start - margin).clamp_min(0.02 * size)
        factor = float((room / way.abs().clamp_min(1e-6)).amin().clamp(max=1.0))
        back[:, axis] = -(1.0 - factor) * (head[:, axis] - start)
    return back
