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

All of this is done on flat tracks (see `perspective.py`): the driver's perspective is taken out first, and the result is
seen by the reference's camera. Where no camera is known (every perceived picture) that is weak perspective.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import torch
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.bone_length import (
    bone_offsets,
    estimate_proportions,
    joint_offsets,
    joints_from_offsets,
    length_ratios,
)
from dreamactor.guidance.camera import steady
from dreamactor.guidance.contacts import TouchedHead, keep_contacts
from dreamactor.guidance.perspective import find_perspective, flatten_track, unflatten_track
from dreamactor.guidance.placement import (
    feet_seen,
    floor,
    held_bones,
    likeness,
    placement,
    relative_size,
    shorten_ways,
    size_ratio,
)
from dreamactor.types.guidance import ReferenceSet
from dreamactor.types.track import PersonTrack, Proportions, shots_of

Framing = Literal["auto", "reference", "driving"]
FRAMINGS: Final[tuple[Framing, ...]] = ("auto", "reference", "driving")
CameraMode = Literal["ignore", "follow"]
CAMERA_MODES: Final[tuple[CameraMode, ...]] = ("ignore", "follow")

_LEG: Final = [JOINT["left_knee"], JOINT["left_ankle"]]
_NECK: Final = JOINT["neck"]
_PELVIS: Final = JOINT["pelvis"]
_HEAD: Final = JOINT["head"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RetargetOptions:
    """How a driver's motion is put on a reference.

    Attributes:
        framing: see the top of this file.
        proportions: how far the driver's skeleton takes the reference's bone lengths, head and hand size: 0 (the driver's
            own) to 1 (the reference's).
        camera: `ignore` moves the body as a camera that stands still would have seen it, `follow` as it was filmed.
    """

    framing: Framing = "auto"
    proportions: float = 1.0
    camera: CameraMode = "ignore"

    def __post_init__(self) -> None:
        if self.framing not in FRAMINGS:
            raise ConfigError(f"Unknown framing '{self.framing}'. Known: {', '.join(FRAMINGS)}.")
        if not 0.0 <= self.proportions <= 1.0:
            raise ConfigError(f"Proportions are mixed from 0 (driving) to 1 (reference), got {self.proportions}.")
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
    ratios = _Ratios.of(own, references.proportions).mixed(options.proportions)
    relative = options.framing != "driving" and bool(reference.body.tracked[0]) and bool(driving.body.tracked.any())
    driver_camera, camera = find_perspective(driving), find_perspective(reference)
    flat, flat_reference = flatten_track(driving, driver_camera), flatten_track(reference, camera)
    if not relative and driver_camera is not None:
        fit = _Fit.of(driving, width=width, height=height)
        camera = driver_camera.moved(fit.scale, fit.shift_px)
    shots = []
    for shot in shots_of(driving.cut):
        track = flat[shot]
        if relative:
            kept = in_view[shot] if options.framing == "auto" else None
            placed = _on_reference(track, flat_reference, own, ratios, width=width, height=height, keep_in_view=kept)
        else:
            placed = _in_frame(track, ratios, width=width, height=height)
        shots.append(unflatten_track(placed, camera))
    return replace(_join(shots), width=width, height=height, times=driving.times, cut=driving.cut, source=driving.source)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ratios:
    """Reference over driver, in torso units of each."""

    bones: Tensor
    head: float
    hand: float
    leg: float
    doubt: float
    """Of the reference's lengths."""

    @staticmethod
    def of(driving: Proportions, reference: Proportions) -> _Ratios:
        bones = length_ratios(driving, reference)
        leg = float((driving.bone_length * bones)[_LEG].sum() / driving.bone_length[_LEG].sum())
        return _Ratios(
            bones=bones,
            head=reference.head_radius / driving.head_radius,
            hand=reference.hand_length / driving.hand_length,
            doubt=reference.doubt,
            leg=leg if bool(driving.known[_LEG].all() & reference.known[_LEG].all()) else 1.0,
        )

    def mixed(self, share: float) -> _Ratios:
        """This far (0..1) from the driver's own."""
        return replace(self, bones=self.bones**share, head=self.head**share, hand=self.hand**share, leg=self.leg**share)

    def applied(self, driving: Proportions) -> Proportions:
        """What a driver's build becomes."""
        return replace(
            driving,
            bone_length=driving.bone_length * self.bones,
            head_radius=driving.head_radius * self.head,
            hand_length=driving.hand_length * self.hand,
            doubt=self.doubt,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fit:
    """Pixels of the driving video -> pixels of the canvas: resized about the origin, then moved."""

    scale: float
    shift_px: tuple[float, float]

    @staticmethod
    def of(driving: PersonTrack, *, width: int, height: int) -> _Fit:
        scale = min(width / driving.width, height / driving.height)
        return _Fit(scale=scale, shift_px=((width - driving.width * scale) / 2, (height - driving.height * scale) / 2))


def _in_frame(track: PersonTrack, ratios: _Ratios, *, width: int, height: int) -> PersonTrack:
    """The driver's picture fitted into the canvas, its middle on the canvas's middle."""
    fit = _Fit.of(track, width=width, height=height)
    joints = _rebuilt(track, ratios, joint_offsets(track.body.joints) * ratios.bones[:, None])
    joints = joints + track.body.joints[:, None, _PELVIS]
    if bool(feet_seen(track).any()):
        joints[..., 1] += (floor(track.body.joints) - floor(joints))[:, None]
    to_head = _to_head(track, ratios)
    moved = joints * fit.scale + torch.tensor((*fit.shift_px, 0.0))
    return _moved(track, moved, to_head * fit.scale, scale=fit.scale, ratios=ratios)


def _on_reference(
    track: PersonTrack,
    reference: PersonTrack,
    own: Proportions,
    ratios: _Ratios,
    *,
    width: int,
    height: int,
    keep_in_view: Tensor | None,
) -> PersonTrack:
    """One shot, relative to the reference's size and place; `keep_in_view` [T, 2] as `_head_in_view` gives it."""
    usable = torch.nonzero(track.body.tracked).flatten()
    if usable.numel() == 0:
        return _in_frame(track, ratios, width=width, height=height)
    match = likeness(track, reference)
    scale = size_ratio(track, reference, own, ratios.applied(own), match)

    grown = relative_size(track, match)[:, None]  # [T, 1] how much nearer the driver is than in the matching frames
    held = held_bones(track, reference)  # [J]
    as_reference = grown[..., None] * joint_offsets(reference.body.joints)
    rebuilt = joint_offsets(track.body.joints) * (ratios.bones * scale)[:, None]
    joints = _rebuilt(track, ratios, torch.where(held[:, None], as_reference, rebuilt), scale=scale)
    to_head = _to_head(track, ratios) * scale
    if bool(held[_HEAD]):
        to_head = grown * bone_offsets(reference)[:, _HEAD]
    confidence = torch.where(held, reference.body.confidence, track.body.confidence)
    if bool(held[_NECK]):  # the bone of the neck ends at the pelvis, which has none of its own
        confidence[:, _NECK] = track.body.confidence[:, _NECK]
        confidence[:, _PELVIS] = reference.body.confidence[0, _PELVIS]

    shift = placement(track, reference, joints, to_head, match=match, scale=scale, leg=ratios.leg)
    placed = joints + shift[:, None]
    if keep_in_view is not None:
        head = placed[:, _NECK] + to_head
        placed = placed + shorten_ways(keep_in_view, head, match=match, width=width, height=height)[:, None]
    body = replace(track.body, confidence=confidence)
    return _moved(replace(track, body=body), placed, to_head, scale=scale, ratios=ratios)


def _head_in_view(track: PersonTrack) -> Tensor:
    """[T, 2] bool: the head's middle lay in the driver's picture, across and down."""
    place, size = track.head.center[:, :2], torch.tensor((track.width, track.height))
    return (track.body.tracked & track.head.tracked)[:, None] & (place > 0) & (place < size)


def _to_head(track: PersonTrack, ratios: _Ratios) -> Tensor:
    """[T, 3] from the neck to the head's centre, in the driver's pixels but the reference's proportions."""
    return (track.head.center - track.body.joints[:, _NECK]) * float(ratios.bones[_HEAD])


def _rebuilt(track: PersonTrack, ratios: _Ratios, offsets: Tensor, *, scale: float = 1.0) -> Tensor:
    """[T, J, 3] joints about the pelvis from offsets [T, J, 3] to the parents, with the driver's touches kept.

    Args:
        scale: pixels of the offsets per driver pixel.
    """
    joints = joints_from_offsets(offsets, torch.zeros(track.num_frames, 3))
    head = TouchedHead(
        center=track.head.center,
        center_adjusted=joints[:, _NECK] + _to_head(track, ratios) * scale,
        radius=track.head.radius_px,
        radius_adjusted=track.head.radius_px * (scale * ratios.head),
    )
    return keep_contacts(track.body.joints, joints, head)


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
