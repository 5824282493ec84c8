"""Head angles, centre and size from the face mesh where it can be trusted and from the body elsewhere.

The mesh is exact near the frontal view, flattens turned heads (a true 45 degrees of a real face reads 26) and is gone near
70; ears and nose of the body are noisier but follow a full turn (`facing.py`). So every quantity has a body reading in all
frames, and the mesh's correction to it is added where there is one, faded out as the head turns, and carried over gaps:
nothing jumps when a face comes or goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import radians

import torch
from torch import Tensor

from dreamactor.geometry.rotation import angles_to_matrix, frame_from_two, matrix_to_angles, unwrap, view_from_pixels
from dreamactor.geometry.skeleton import FACE_POINT, JOINT
from dreamactor.perception.facing import Facing, find_facing
from dreamactor.perception.smoothing import calm_radius, frames_to_known, interpolate, running_median, smooth
from dreamactor.types.track import HeadTrack

_MESH_YAW_RAD = (radians(12.0), radians(45.0))
"""Up to the first the level of the yaw is the mesh's (real faces that are turned further read half as much), from the second
on it is that of the path through what body and face say (`facing.py`); in between they blend."""

_QUICK_YAW_RAD = (radians(45.0), radians(65.0))
"""The same for quick changes: the mesh follows them, the path evens them out."""

_LEVEL_RADIUS = 10
"""Frames to either side, binomial weights: what changes more slowly is the level."""

MAX_FACE_YAW_RAD = radians(70.0)
"""Beyond this a mesh is a guess and the face counts as not seen."""

_MAX_TILT_YAW_RAD = radians(60.0)
"""Beyond this the flattened mesh mixes pitch and roll."""

_NEUTRAL_PITCH_RAD = radians(4.0)
"""What the line from chin to forehead reads on people who look straight ahead (clips: -5 to +11 degrees)."""

_TILT_MEMORY_FRAMES = 20.0
"""Pitch and roll that were last seen so many frames ago have gone back to a third: heads return to upright."""

# An average adult head in centimetres, in head axes (x to image right, y up, z to the nose), measured from the mesh's
# forehead point. Only ratios matter.
_FOREHEAD_TO_NOSTRILS_CM = 10.35
_HEAD_RADIUS_CM = 11.25
_FOREHEAD_TO_CENTRE_CM = (0.0, -6.4, -7.5)

_EAR_DISTANCE_RADII = 1.25
"""Distance between the ears in the body's world joints, in head radii."""

_CENTRE_ABOVE_EARS_RADII = 0.2

_MESH_CENTER_YAW_RAD = (radians(50.0), MAX_FACE_YAW_RAD)
"""Between these the centre goes over from the mesh's to the ears'."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceReading:
    """What the mesh alone says; values where `found` is False have no meaning.

    Attributes:
        angles_rad: [T, 3] yaw, pitch, roll as the mesh reads them, neither unflattened nor zeroed.
        unit_px: [T] pixels per centimetre of an average head.
        forehead: [T, 2] pixels.
        found: [T] bool.
    """

    angles_rad: Tensor
    unit_px: Tensor
    forehead: Tensor
    found: Tensor


def read_face(face: Tensor, found: Tensor) -> FaceReading:
    """Reads angles and scale off face points [T, P, 3] (pixels) with found [T] bool."""
    points = view_from_pixels(face)
    across = points[:, FACE_POINT["left_eye_0"]] - points[:, FACE_POINT["right_eye_0"]]
    upward = points[:, FACE_POINT["forehead"]] - points[:, FACE_POINT["chin"]]
    # The jaw moves, so the scale comes from the upper face.
    nostrils = (points[:, FACE_POINT["right_ala"]] + points[:, FACE_POINT["left_ala"]]) / 2
    height = (points[:, FACE_POINT["forehead"]] - nostrils).norm(dim=-1)
    return FaceReading(
        angles_rad=matrix_to_angles(frame_from_two(across, upward)),
        unit_px=(height / _FOREHEAD_TO_NOSTRILS_CM).clamp_min(1e-3),
        forehead=face[:, FACE_POINT["forehead"], :2],
        found=found & (height > 1.0),
    )


def body_yaw(joints_m: Tensor) -> Tensor:
    """[T] yaw in radians, unwrapped, from ears and nose of joints [T, J, 3] in metres."""
    left, right, nose = (joints_m[:, JOINT[name]] for name in ("left_ear", "right_ear", "nose"))
    ears = left - right
    forward = nose - (left + right) / 2
    # Both as the direction the face points to: (to image right, to the viewer).
    by_ears = torch.stack((ears[:, 2], ears[:, 0]), dim=-1)
    by_nose = torch.stack((forward[:, 0], -forward[:, 2]), dim=-1)
    facing = _unit(by_ears) + 0.5 * _unit(by_nose)
    return unwrap(torch.atan2(facing[:, 0], facing[:, 1]))


def shoulder_yaw(joints_m: Tensor) -> Tensor:
    """[T] yaw in radians of the shoulders of joints [T, J, 3] in metres."""
    across = joints_m[:, JOINT["left_shoulder"]] - joints_m[:, JOINT["right_shoulder"]]
    return torch.atan2(across[:, 2], across[:, 0])


def find_head_facing(
    face: FaceReading, joints_m: Tensor, seen: Tensor, *, fps: float, turned_rad: Tensor | None = None
) -> Facing:
    """The path of the head's yaw through one shot; joints [T, J, 3] in metres; the rest as in `find_facing`."""
    return find_facing(
        body_yaw(joints_m), shoulder_yaw(joints_m), seen, mesh=face.angles_rad[:, 0], found=face.found, fps=fps,
        turned=turned_rad,
    )  # fmt: skip


def track_head(
    *, face: FaceReading, facing: Facing, joints: Tensor, joints_m: Tensor, px_per_m: Tensor, tracked: Tensor
) -> HeadTrack:
    """Head angles, centre and radius over one shot.

    Args:
        face: the mesh's readings.
        facing: which way the head points.
        joints: [T, J, 3] smoothed body, px3.
        joints_m: [T, J, 3] smoothed body, metres.
        px_per_m: [T] image scale of the body.
        tracked: [T] bool, body known.
    """
    angles = fuse_angles(face, facing, tracked)
    radius = _radius(face, wrap(angles[:, 0]).abs(), joints_m, px_per_m, tracked)
    center = _center(face, angles, joints, radius, tracked)
    return HeadTrack(angles_rad=angles, center=center, radius_px=radius, tracked=tracked.clone())


def fuse_angles(face: FaceReading, facing: Facing, tracked: Tensor) -> Tensor:
    """[T, 3] yaw (unwrapped), pitch, roll in radians; see the module."""
    turned = wrap(facing.yaw_rad).abs()
    off = wrap(face.angles_rad[:, 0] - facing.yaw_rad)
    off = interpolate(off, face.found & (turned < _QUICK_YAW_RAD[1]))
    level = smooth(off, torch.ones_like(tracked), radius=_LEVEL_RADIUS)
    yaw = facing.yaw_rad + _fade(turned, _MESH_YAW_RAD) * level + _fade(turned, _QUICK_YAW_RAD) * (off - level)
    readable = face.found & (turned < _MAX_TILT_YAW_RAD)
    memory = (-frames_to_known(readable) / _TILT_MEMORY_FRAMES).exp()
    tilt = interpolate(face.angles_rad[:, 1:] - torch.tensor([_NEUTRAL_PITCH_RAD, 0.0]), readable) * memory[:, None]
    angles = torch.cat((yaw[:, None], tilt), dim=-1)
    reach = calm_radius(angles[..., None], slow=0.01, fast=0.06, most=4)[..., 0]
    return smooth(angles, tracked, radius=reach)


def _radius(face: FaceReading, turned: Tensor, joints_m: Tensor, px_per_m: Tensor, tracked: Tensor) -> Tensor:
    """[T] pixels: the mesh's reading, carried over gaps as a ratio to the body's scale."""
    if face.found.any():
        # A turned head's mesh shrinks: by an eighth at 50 degrees, by a fifth at 65 (rendered heads of known size).
        shrunk = 1 - 0.2 * ((turned - radians(25.0)) / radians(40.0)).clamp(0.0, 1.0)
        ratio = (face.unit_px / shrunk * _HEAD_RADIUS_CM / px_per_m).log()
        typical_ratio = ratio[face.found].median()
        memory = (-frames_to_known(face.found) / _TILT_MEMORY_FRAMES).exp()
        ratio = typical_ratio + memory * (running_median(interpolate(ratio, face.found), radius=4) - typical_ratio)
        return smooth(ratio, tracked, radius=8).exp() * px_per_m
    ears = (joints_m[:, JOINT["left_ear"]] - joints_m[:, JOINT["right_ear"]]).norm(dim=-1)
    typical = ears[tracked].median() if tracked.any() else ears.median()
    return typical / _EAR_DISTANCE_RADII * px_per_m


def _center(face: FaceReading, angles: Tensor, joints: Tensor, radius: Tensor, tracked: Tensor) -> Tensor:
    """[T, 3] px3: from the ears, corrected by the mesh where there is one; depth is the ears'."""
    up = view_from_pixels(angles_to_matrix(angles)[..., 1])  # [T, 3]
    by_ears = joints[:, JOINT["head"]] + _CENTRE_ABOVE_EARS_RADII * radius[:, None] * up
    raw_pitch = angles + torch.tensor([0.0, _NEUTRAL_PITCH_RAD, 0.0])
    inward = torch.tensor(_FOREHEAD_TO_CENTRE_CM) / _HEAD_RADIUS_CM
    offset = view_from_pixels(angles_to_matrix(raw_pitch) @ inward) * radius[:, None]  # [T, 3]
    by_mesh = face.forehead + offset[:, :2]
    turned = wrap(angles[:, 0]).abs()
    trust = _fade(turned, _MESH_CENTER_YAW_RAD)
    correction = interpolate((by_mesh - by_ears[:, :2]) / radius[:, None], face.found)
    center = by_ears[:, :2] + (trust * radius)[:, None] * correction
    reach = calm_radius(center / radius[:, None], slow=0.01, fast=0.08, most=3)
    return torch.cat((smooth(center, tracked, radius=reach), by_ears[:, 2:]), dim=-1)


def wrap(angle_rad: Tensor) -> Tensor:
    """Angles in -pi..pi."""
    return torch.remainder(angle_rad + torch.pi, 2 * torch.pi) - torch.pi


def _fade(turned: Tensor, span: tuple[float, float]) -> Tensor:
    """1 up to the first angle, 0 from the second on."""
    return ((span[1] - turned) / (span[1] - span[0])).clamp(0.0, 1.0)


def _unit(vector: Tensor) -> Tensor:
    return vector / vector.norm(dim=-1, keepdim=True).clamp_min(1e-6)
