"""One person out of up to three: the body of one track, the head of another, the face of a third.

- The *body* brings skeleton and hands, size and place in the picture, cuts, and (unless others are given) the frame times.
- The *head* brings its rotation against its own chest. It sits on the body's neck and turns with the body's chest: whoever
  looks over the shoulder goes on doing so when the body turns round, and a body that bows takes its head along. Taking the
  rotation against the camera instead would twist the neck by as much as the two bodies face different ways. Its size is
  that of the body's own head. Where a track never shows its shoulders (a close portrait), its chest is taken to face the
  camera upright.
- The *face* brings the expression: face points as they are without the head's pose, laid on the mixed head. Where that
  head looks away from the camera, no face is seen.

Tracks of other lengths and rates are resampled (see `resample`): all start together, one that ends early holds its last
frame. Picture sizes need not agree.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from dreamactor.geometry.rotation import (
    angles_to_matrix,
    flip_axes,
    frame_from_two,
    matrix_to_angles,
    unwrap,
    view_from_pixels,
)
from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.bone_length import MIN_CONFIDENCE
from dreamactor.guidance.resample import resample
from dreamactor.types.track import BodyTrack, FaceTrack, HeadTrack, PersonTrack, shots_of
from dreamactor.types.video import FrameTimes

_NECK, _PELVIS = JOINT["neck"], JOINT["pelvis"]
_ON_HEAD = [JOINT[name] for name in ("head", "nose", "left_ear", "right_ear")]
_SHOULDERS = [JOINT["left_shoulder"], JOINT["right_shoulder"]]
_HIPS = [JOINT["left_hip"], JOINT["right_hip"]]
_FACE_AHEAD_RADII = 0.75
"""The middle of the face points lies about so far from the middle of the head."""
_LOOKS_AWAY = 0.26
"""A head whose forward direction points to the viewer by less (75 degrees away) shows no face."""


def mix_tracks(*, body: PersonTrack, head: PersonTrack, face: PersonTrack, times: FrameTimes | None = None) -> PersonTrack:
    """Joins parts of up to three tracks; see the top of this file. One track for all three comes back unchanged.

    Args:
        body, head, face: where each part comes from, each in pixels of its own picture.
        times: frame times of the result; the body's if None.

    Returns:
        A track in pixels of the body's picture, with the body's camera.
    """
    times = times or body.times
    carrier = resample(body, times)
    if head is body and face is body:
        return carrier
    mixed = carrier if head is body else _set_head(carrier, resample(head, times))
    mixed = replace(mixed, face=lay_face(resample(face, times), mixed.head))
    parts = (("body", body), ("head", head), ("face", face))
    return replace(mixed, source=", ".join(f"{name}: {track.source or 'unnamed'}" for name, track in parts))


def drop_parts(track: PersonTrack, *, body: bool = False, head: bool = False, face: bool = False) -> PersonTrack:
    """The track without some parts: nothing of them is drawn. Hands go with the body; numbers stay, flags fall."""
    if body:
        hands = replace(track.hands, tracked=torch.zeros_like(track.hands.tracked))
        track = replace(track, body=replace(track.body, tracked=torch.zeros_like(track.body.tracked)), hands=hands)
    if head:
        track = replace(track, head=replace(track.head, tracked=torch.zeros_like(track.head.tracked)))
    if face:
        track = replace(track, face=replace(track.face, tracked=torch.zeros_like(track.face.tracked)))
    return track


def chest_turn(track: PersonTrack) -> Tensor:
    """[T, 3, 3] rotation of the chest, chest axes (x to the left shoulder, y up the spine, z ahead) -> view axes.

    Per shot: from shoulders and spine where most frames show them; without hips the spine is taken to be upright, without
    shoulders the chest to face the camera.
    """
    turn = torch.eye(3).repeat(track.num_frames, 1, 1)
    seen = (track.body.confidence >= MIN_CONFIDENCE) & track.body.tracked[:, None]
    points = view_from_pixels(track.body.joints)
    across = points[:, _SHOULDERS[0]] - points[:, _SHOULDERS[1]]
    spine = points[:, _NECK] - points[:, _PELVIS]
    for shot in shots_of(track.cut):
        if not _mostly(seen[shot][:, _SHOULDERS].all(-1), track.body.tracked[shot]):
            continue
        hips = _mostly(seen[shot][:, _HIPS].all(-1), track.body.tracked[shot])
        up = spine[shot] if hips else torch.tensor((0.0, 1.0, 0.0)).expand_as(spine[shot])
        up_across_back = frame_from_two(up, across[shot])  # columns: up, across, up x across
        turn[shot] = torch.stack((up_across_back[..., 1], up_across_back[..., 0], -up_across_back[..., 2]), dim=-1)
    return turn


def _mostly(flags: Tensor, among: Tensor) -> bool:
    return float(flags.sum()) > 0.5 * float(among.sum())


def _set_head(body: PersonTrack, head: PersonTrack) -> PersonTrack:
    """The body with another's head on its neck; both have the same frames."""
    onto = chest_turn(body) @ chest_turn(head).mT  # [T, 3, 3], from the head's own chest to the body's
    radius = _radius(body, head)
    reach = _median(body.head.center - body.body.joints[:, _NECK], body.head.radius_px, body.head.tracked)
    own_reach = _median(head.head.center - head.body.joints[:, _NECK], head.head.radius_px, head.head.tracked)
    neck_length = reach / own_reach if reach > 0 and own_reach > 0 else 1.0
    grow = neck_length * radius / head.head.radius_px.clamp_min(1e-3)  # [T]

    neck, own_neck = body.body.joints[:, _NECK], head.body.joints[:, _NECK]
    pixel_turn = flip_axes(onto)
    center = neck + (pixel_turn @ (head.head.center - own_neck)[..., None])[..., 0] * grow[:, None]
    joints, metres = body.body.joints.clone(), body.body.joints_m.clone()
    offsets = (head.body.joints[:, _ON_HEAD] - own_neck[:, None]) @ pixel_turn.mT
    joints[:, _ON_HEAD] = neck[:, None] + offsets * grow[:, None, None]
    offsets = (head.body.joints_m[:, _ON_HEAD] - head.body.joints_m[:, None, _NECK]) @ pixel_turn.mT
    metres[:, _ON_HEAD] = metres[:, None, _NECK] + offsets
    confidence = body.body.confidence.clone()
    confidence[:, _ON_HEAD] = head.body.confidence[:, _ON_HEAD]
    return replace(
        body,
        body=BodyTrack(joints=joints, joints_m=metres, confidence=confidence, tracked=body.body.tracked),
        head=HeadTrack(
            angles_rad=_angles(onto @ angles_to_matrix(head.head.angles_rad), body.cut),
            center=center,
            radius_px=radius,
            tracked=head.head.tracked & body.body.tracked,
        ),
    )


def _radius(body: PersonTrack, head: PersonTrack) -> Tensor:
    """[T] radius of the mixed head: the body's own, its usual one where it was lost, else by the shoulders' width."""
    known = body.head.tracked
    if bool(known.any()):
        return torch.where(known, body.head.radius_px, body.head.radius_px[known].median())

    def shoulders(track: PersonTrack) -> Tensor:
        return (track.body.joints[:, _SHOULDERS[0]] - track.body.joints[:, _SHOULDERS[1]]).norm(dim=-1).median()

    return head.head.radius_px * (shoulders(body).clamp_min(1.0) / shoulders(head).clamp_min(1.0))


def _median(offset: Tensor, unit: Tensor, known: Tensor) -> float:
    """Usual length of [T, 3] offsets in units [T], over known frames; 0 where there are none."""
    if not bool(known.any()):
        return 0.0
    return float((offset.norm(dim=-1) / unit.clamp_min(1e-3))[known].median())


def _angles(turn: Tensor, cut: Tensor) -> Tensor:
    """[T, 3] angles of rotations [T, 3, 3], yaw unwrapped within every shot."""
    angles = matrix_to_angles(turn)
    for shot in shots_of(cut):
        angles[shot, 0] = unwrap(angles[shot, 0])
    return angles


def lay_face(source: PersonTrack, head: HeadTrack) -> FaceTrack:
    """A track's face on another head of the same frames; without the head's pose, its points are what they were."""
    face, own = source.face, source.head
    to_head = flip_axes(angles_to_matrix(own.angles_rad)).mT  # [T, 3, 3] pixel -> head axes
    pose = flip_axes(angles_to_matrix(head.angles_rad))
    grow = (head.radius_px / own.radius_px.clamp_min(1e-3))[:, None]
    middle = face.landmarks.mean(dim=1)  # [T, 3]
    aside = middle[:, :2] - own.center[:, :2]
    ahead = ((_FACE_AHEAD_RADII * own.radius_px).square() - aside.square().sum(-1)).clamp_min(0.0).sqrt()
    offset = (pose @ to_head @ torch.cat([aside, -ahead[:, None]], dim=-1)[..., None])[..., 0] * grow  # [T, 3]
    landmarks = (face.landmarks - middle[:, None]) @ (pose @ to_head).mT * grow[..., None]
    place = head.center[:, :2] + offset[:, :2]
    landmarks += torch.cat([place, middle[:, 2:] * grow], dim=-1)[:, None]
    half = (face.box[:, 2:] - face.box[:, :2]) / 2 * grow
    box_middle = place + (face.box.unflatten(1, (2, 2)).mean(dim=1) - middle[:, :2]) * grow
    towards_viewer = angles_to_matrix(head.angles_rad)[:, 2, 2]
    return FaceTrack(
        landmarks=landmarks,
        box=torch.cat([box_middle - half, box_middle + half], dim=-1),
        tracked=face.tracked & head.tracked & (towards_viewer > _LOOKS_AWAY),
    )
