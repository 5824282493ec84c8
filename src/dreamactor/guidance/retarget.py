"""Retargeting: the driver's motion on the reference's canvas, in the reference's proportions and place (section 3.2).

The rule (`RetargetOptions.framing`):

- `reference`: motion is relative. Within each shot (a stretch without a cut) the frames are found in which the driver's
  pose is most like the reference's. There the body gets the reference's size and stands where the reference stands:
  feet on the same floor where both show feet (and the pelvis at the same place across), else neck on neck, else head on
  head. From there on the driver's way across the picture, jumps and changes of size (walking to the camera) are carried
  over in units of the body, longer legs making longer ways. The size comes from torso, shoulders, hips and head, as far
  as both show them. A driver who is a copy of the reference is not changed at all.
- `driving`: the driver's picture is fitted into the canvas; only proportions change.
- `auto` (default): as `reference`, but ways are shortened evenly over a shot so that the head does not leave the canvas
  unless it left the driver's picture too (a full-body dance on a portrait). Where nobody was found in the reference, or
  nobody's body in the driver, as `driving`.

The way across the picture is that of a camera that stands still: where the driver's camera moved and the background
told how, that is taken out first (`RetargetOptions.camera`).

Bones that the driver never shows in a shot (legs in a portrait) but that lie in the reference picture keep the pose
they have there. Bones that neither shows are left as the driver's estimator guessed them, at low confidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import torch
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.geometry.skeleton import BODY_PARENTS, JOINT
from dreamactor.guidance.bone_length import (
    MIN_CONFIDENCE,
    bone_offsets,
    bones_seen,
    estimate_proportions,
    joint_offsets,
    joints_from_offsets,
    length_ratios,
)
from dreamactor.guidance.camera import steady
from dreamactor.types.guidance import ReferenceSet
from dreamactor.types.track import PersonTrack, Proportions, shots_of

Framing = Literal["auto", "reference", "driving"]
FRAMINGS: Final[tuple[Framing, ...]] = ("auto", "reference", "driving")
CameraMode = Literal["ignore", "follow"]
CAMERA_MODES: Final[tuple[CameraMode, ...]] = ("ignore", "follow")

_FEET: Final = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "heel", "toe")]
_LEG: Final = [JOINT["left_knee"], JOINT["left_ankle"]]
_SIZE_BONES: Final = [JOINT[n] for n in ("neck", "left_shoulder", "right_shoulder", "left_hip", "right_hip")]
_NECK: Final = JOINT["neck"]
_PELVIS: Final = JOINT["pelvis"]
_HEAD: Final = JOINT["head"]
_SAME_POSE: Final = 1e-3
"""Below this difference a frame shows the reference's very pose."""
_SHARPNESS: Final = 0.35
"""Frames this much (of the best one's difference) less alike weigh e times less."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetargetOptions:
    """How a driver's motion is put on a reference.

    Attributes:
        framing: see the top of this file.
        proportions: give the driver's skeleton the reference's bone lengths, head and hand size.
        camera: `ignore` moves the body as a camera that stands still would have seen it, `follow` as it was filmed.
    """

    framing: Framing = "auto"
    proportions: bool = True
    camera: CameraMode = "ignore"

    def __post_init__(self) -> None:
        if self.framing not in FRAMINGS:
            raise ConfigError(f"Unknown framing '{self.framing}'. Known: {', '.join(FRAMINGS)}.")
        if self.camera not in CAMERA_MODES:
            raise ConfigError(f"Unknown --camera '{self.camera}'. Known: {', '.join(CAMERA_MODES)}.")


def retarget(
    driving: PersonTrack,
    references: ReferenceSet,
    options: RetargetOptions = RetargetOptions(),
) -> PersonTrack:
    """Puts the driver's motion on the reference's canvas.

    Args:
        driving: the driver, in pixels of the driving video.
        references: the character; the first image decides place and size.

    Returns:
        A track of the same frames in canvas pixels, with the reference's proportions.
    """
    width, height = references.canvas
    reference = references.images[0].person
    in_view = _head_in_view(driving)
    driving = replace(steady(driving) if options.camera == "ignore" else driving, camera=None)
    own = estimate_proportions((driving,))
    ratios = _Ratios.of(own, references.proportions) if options.proportions else _Ratios.same()
    relative = options.framing != "driving" and bool(reference.body.tracked[0]) and bool(driving.body.tracked.any())
    shots = []
    for shot in shots_of(driving.cut):
        track = driving[shot]
        if relative:
            kept = in_view[shot] if options.framing == "auto" else None
            shots.append(_on_reference(track, references, own, ratios, keep_in_view=kept))
        else:
            shots.append(_in_frame(track, ratios, width=width, height=height))
    return replace(_join(shots), width=width, height=height, times=driving.times, cut=driving.cut, source=driving.source)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ratios:
    """Reference over driver, in torso units of each."""

    bones: Tensor
    head: float
    hand: float
    leg: float

    @staticmethod
    def of(driving: Proportions, reference: Proportions) -> _Ratios:
        leg = float(reference.bone_length[_LEG].sum() / driving.bone_length[_LEG].sum())
        return _Ratios(
            bones=length_ratios(driving, reference),
            head=reference.head_radius / driving.head_radius,
            hand=reference.hand_length / driving.hand_length,
            leg=leg if bool(driving.known[_LEG].all() & reference.known[_LEG].all()) else 1.0,
        )

    @staticmethod
    def same() -> _Ratios:
        return _Ratios(bones=torch.ones(len(BODY_PARENTS)), head=1.0, hand=1.0, leg=1.0)


def _in_frame(track: PersonTrack, ratios: _Ratios, *, width: int, height: int) -> PersonTrack:
    """The driver's picture fitted into the canvas, its middle on the canvas's middle."""
    scale = min(width / track.width, height / track.height)
    joints = joints_from_offsets(joint_offsets(track.body.joints) * ratios.bones[:, None], track.body.joints[:, _PELVIS])
    shift = torch.zeros(track.num_frames, 3)
    floor_before, floor_after = _floor(track.body.joints), _floor(joints)
    shows_feet = _feet_seen(track).any()
    shift[:, 1] = torch.where(shows_feet, floor_before - floor_after, torch.zeros(()))
    middle = torch.tensor((track.width / 2, track.height / 2, 0.0))
    goal = torch.tensor((width / 2, height / 2, 0.0))
    to_head = (track.head.center - track.body.joints[:, _NECK]) * (float(ratios.bones[_HEAD]) * scale)
    return _moved(track, (joints + shift[:, None] - middle) * scale + goal, to_head, scale=scale, ratios=ratios)


def _on_reference(
    track: PersonTrack, references: ReferenceSet, own: Proportions, ratios: _Ratios, *, keep_in_view: Tensor | None
) -> PersonTrack:
    """One shot, relative to the reference's size and place; `keep_in_view` [T, 2] as `_head_in_view` gives it."""
    width, height = references.canvas
    reference = references.images[0].person
    usable = torch.nonzero(track.body.tracked).flatten()
    if usable.numel() == 0:
        return _in_frame(track, ratios, width=width, height=height)
    match = _likeness(track, reference)
    scale = _size_ratio(track, reference, own, references.proportions, match)

    grown = _relative_size(track, match)[:, None]  # [T, 1] how much nearer the driver is than in the matching frames
    held = _held_bones(track, reference)  # [J]
    as_reference = grown[..., None] * joint_offsets(reference.body.joints)
    rebuilt = joint_offsets(track.body.joints) * (ratios.bones * scale)[:, None]
    joints = joints_from_offsets(torch.where(held[:, None], as_reference, rebuilt), torch.zeros(track.num_frames, 3))
    to_head = (track.head.center - track.body.joints[:, _NECK]) * (float(ratios.bones[_HEAD]) * scale)
    if bool(held[_HEAD]):
        to_head = grown * bone_offsets(reference)[:, _HEAD]
    confidence = torch.where(held, reference.body.confidence, track.body.confidence)
    if bool(held[_NECK]):  # the bone of the neck ends at the pelvis, which has none of its own
        confidence[:, _NECK] = track.body.confidence[:, _NECK]
        confidence[:, _PELVIS] = reference.body.confidence[0, _PELVIS]

    shift = _placement(track, reference, joints, to_head, match=match, scale=scale, leg=ratios.leg)
    placed = joints + shift[:, None]
    if keep_in_view is not None:
        head = placed[:, _NECK] + to_head
        placed = placed + _shorten_ways(keep_in_view, head, match=match, width=width, height=height)[:, None]
    body = replace(track.body, confidence=confidence)
    return _moved(replace(track, body=body), placed, to_head, scale=scale, ratios=ratios)


def _likeness(track: PersonTrack, reference: PersonTrack) -> Tensor:
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


def _size_ratio(track: PersonTrack, reference: PersonTrack, own: Proportions, theirs: Proportions, match: Tensor) -> float:
    """Canvas pixels per driver pixel, so that both torsos (told by what both pictures show) are of one size."""
    seen = (bones_seen(track) & bones_seen(reference))[:, _SIZE_BONES].float()  # [T, bones]
    heads = (track.head.tracked & reference.head.tracked).float()  # [T]
    sizes = []
    for person, build in ((track, own), (reference, theirs)):
        length = bone_offsets(person)[:, _SIZE_BONES].norm(dim=-1)
        measured = (length * seen).sum(-1) + person.head.radius_px * heads
        expected = (build.bone_length[_SIZE_BONES] * seen).sum(-1) + build.head_radius * heads
        sizes.append(measured / expected.clamp_min(1e-6))
    driver, goal = sizes
    told = match * ((driver > 1e-3) & (goal > 1e-3))
    if float(told.sum()) < 1e-6:
        return 1.0
    ratio = (goal.clamp_min(1e-3) / driver.clamp_min(1e-3)).log()
    return float(((told * ratio).sum() / told.sum()).exp())


def _relative_size(track: PersonTrack, match: Tensor) -> Tensor:
    """[T] size of the person relative to the matching frames; the head tells it, being the least foreshortened part."""
    told = match * track.head.tracked
    if float(told.sum()) < 1e-6:
        return torch.ones(track.num_frames)
    grown = track.head.radius_px / ((told * track.head.radius_px).sum() / told.sum()).clamp_min(1.0)
    return torch.where(track.head.tracked, grown, torch.ones(()))


def _held_bones(track: PersonTrack, reference: PersonTrack) -> Tensor:
    """[J] bool: bones that the driver never shows and whose far end lies in the reference picture."""
    x, y = reference.body.joints[0, :, 0], reference.body.joints[0, :, 1]
    inside = (x >= 0) & (x < reference.width) & (y >= 0) & (y < reference.height)
    inside[_NECK] = inside[_PELVIS] & inside[_NECK]
    return inside & ~bones_seen(track).any(dim=0)


def _feet_seen(track: PersonTrack) -> Tensor:
    """[T] bool: both feet were seen."""
    seen = (track.body.confidence[:, _FEET] >= MIN_CONFIDENCE).reshape(track.num_frames, 2, 3).any(-1).all(-1)
    return seen & track.body.tracked


def _floor(joints: Tensor) -> Tensor:
    """[T] lowest point of the feet, y in pixels."""
    return joints[:, _FEET, 1].amax(dim=-1)


def _placement(
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
    feet = _feet_seen(track)
    if bool(_feet_seen(reference)[0]) and float((match * feet).sum()) > 0.6 and float(feet.float().mean()) > 0.6:
        shift[:, 0] = goal[_PELVIS, 0] + _way(now[:, _PELVIS, 0], match) * (scale * leg)
        shift[:, 1] = _floor(goal[None]) + _way(_floor(now), match) * (scale * leg) - _floor(joints)
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


def _head_in_view(track: PersonTrack) -> Tensor:
    """[T, 2] bool: the head's middle lay in the driver's picture, across and down."""
    place, size = track.head.center[:, :2], torch.tensor((track.width, track.height))
    return (track.body.tracked & track.head.tracked)[:, None] & (place > 0) & (place < size)


def _shorten_ways(in_view: Tensor, head: Tensor, *, match: Tensor, width: int, height: int) -> Tensor:
    """[T, 3] shift that shortens ways so that the head [T, 3] stays in view, by one factor per axis."""
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


def _moved(track: PersonTrack, joints: Tensor, to_head: Tensor, *, scale: float, ratios: _Ratios) -> PersonTrack:
    """Takes head, hands and face along with a body that was moved, resized and rebuilt.

    Args:
        joints: [T, J, 3] the body on the canvas.
        to_head: [T, 3] from the neck to the head's centre, on the canvas.
        scale: canvas pixels per driver pixel.
    """
    old, wrists = track.body.joints, [JOINT["left_wrist"], JOINT["right_wrist"]]
    center = joints[:, _NECK] + to_head
    enlarge = scale * ratios.head
    hands = (track.hands.joints - old[:, wrists, None]) * (scale * ratios.hand) + joints[:, wrists, None]
    from_head = track.head.center[:, None, :2]
    landmarks = track.face.landmarks * enlarge
    landmarks[..., :2] = (track.face.landmarks[..., :2] - from_head) * enlarge + center[:, None, :2]
    box = (track.face.box.reshape(-1, 2, 2) - from_head) * enlarge + center[:, None, :2]
    metric = track.body.joints_m
    metric_offsets = joint_offsets(metric) * ratios.bones[:, None]
    return replace(
        track,
        body=replace(track.body, joints=joints, joints_m=joints_from_offsets(metric_offsets, metric[:, 0])),
        hands=replace(track.hands, joints=hands),
        head=replace(track.head, center=center, radius_px=track.head.radius_px * enlarge),
        face=replace(track.face, landmarks=landmarks, box=box.reshape(-1, 4)),
    )


def _join(shots: list[PersonTrack]) -> PersonTrack:
    """Puts the shots' coordinates together again (times and cuts are the caller's)."""
    if len(shots) == 1:
        return shots[0]
    first = shots[0]

    def joined(part: str, *names: str) -> dict[str, Tensor]:
        return {name: torch.cat([getattr(getattr(shot, part), name) for shot in shots]) for name in names}

    times = replace(first.times, pts=torch.cat([shot.times.pts for shot in shots]))
    return replace(
        first,
        times=times,
        cut=torch.cat([shot.cut for shot in shots]),
        body=type(first.body)(**joined("body", "joints", "joints_m", "confidence", "tracked")),
        hands=type(first.hands)(**joined("hands", "joints", "tracked")),
        head=type(first.head)(**joined("head", "angles_rad", "center", "radius_px", "tracked")),
        face=type(first.face)(**joined("face", "landmarks", "box", "tracked")),
    )
