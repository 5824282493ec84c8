"""The exact track of an actor's performance before a camera: what perception would find if it made no errors."""

from __future__ import annotations

from fractions import Fraction

import torch
from torch import Tensor

from dreamactor.data.actors.figure import Actor, Figure
from dreamactor.data.actors.head_shape import HeadShape
from dreamactor.data.actors.motion import Performance
from dreamactor.data.actors.scene import Camera
from dreamactor.geometry.rotation import matrix_to_angles, unwrap
from dreamactor.geometry.skeleton import BODY_JOINTS
from dreamactor.types.track import BodyTrack, FaceTrack, HandTrack, HeadTrack, PersonTrack
from dreamactor.types.video import FrameTimes

_DRAWN_JOINTS = tuple(name for name in BODY_JOINTS if name not in ("neck", "pelvis"))


def exact_track(
    actor: Actor, figure: Figure, performance: Performance, camera: Camera, *, width: int, height: int
) -> PersonTrack:
    """The truth about a performance before a camera, in the conventions of `PersonTrack`."""
    joints = figure.joints
    place = {name: joints.place[name] for name in _DRAWN_JOINTS}
    place["neck"] = (joints.place["left_shoulder"] + joints.place["right_shoulder"]) / 2
    place["pelvis"] = (joints.place["left_hip"] + joints.place["right_hip"]) / 2
    body_m = torch.stack([place[name] for name in BODY_JOINTS], dim=1)
    pelvis_depth = camera.place[2] - place["pelvis"][:, 2]

    def px3(point: Tensor) -> Tensor:
        seen = camera.project(point)
        shape = (-1, *(1,) * (seen.ndim - 2))
        back = (seen[..., 2] - pelvis_depth.view(shape)) * (camera.focal_px / pelvis_depth).view(shape)
        return torch.cat([seen[..., :2], back[..., None]], dim=-1)

    body_px = px3(body_m)
    inside = (body_px[..., 0] > 0) & (body_px[..., 0] < width) & (body_px[..., 1] > 0) & (body_px[..., 1] < height)
    confidence = torch.where(inside, 1.0, 0.1)
    everywhere = torch.ones(performance.num_frames, dtype=torch.bool)
    hands = torch.cat(
        [torch.stack([joints.place["left_wrist"], joints.place["right_wrist"]], dim=1)[:, :, None],
         joints.fingers.flatten(2, 3)], dim=2,
    )  # fmt: skip
    hands_px = px3(hands)
    hands_inside = (hands_px[..., 0] > 0) & (hands_px[..., 0] < width) & (hands_px[..., 1] > 0) & (hands_px[..., 1] < height)
    turn = joints.frame["head"]
    center = px3(joints.place["head"])
    head_depth = camera.place[2] - joints.place["head"][:, 2]
    radius = camera.focal_px * actor.body.head_radius / head_depth
    angles = matrix_to_angles(turn)
    angles = torch.cat([unwrap(angles[:, :1]), angles[:, 1:]], dim=-1)
    flip = torch.tensor((1.0, -1.0, -1.0))
    return PersonTrack(
        width=width,
        height=height,
        times=FrameTimes.constant(performance.num_frames, Fraction(performance.fps).limit_denominator(1001)),
        body=BodyTrack(
            joints=body_px,
            joints_m=(body_m - place["pelvis"][:, None]) * flip,
            confidence=confidence,
            tracked=everywhere,
        ),
        hands=HandTrack(joints=hands_px, tracked=hands_inside.float().mean(-1) > 0.6),
        head=HeadTrack(angles_rad=angles, center=center, radius_px=radius, tracked=everywhere),
        face=_exact_face(actor, figure, camera, center, radius, width=width, height=height),
        cut=torch.zeros(performance.num_frames, dtype=torch.bool),
        source=f"actor {actor.seed} (exact)",
    )


def _exact_face(
    actor: Actor, figure: Figure, camera: Camera, center: Tensor, radius: Tensor, *, width: int, height: int
) -> FaceTrack:
    """Face points on the surface of the drawn head."""
    local = HeadShape(face=actor.face).landmarks(figure.curves) * actor.body.head_radius
    turn = figure.joints.frame["head"]
    world = figure.joints.place["head"][:, None] + (turn[:, None] @ local[..., None])[..., 0]
    seen = camera.project(world)
    z = (seen[..., 2] - seen[..., 2].mean(dim=1, keepdim=True)) * (radius / actor.body.head_radius)[:, None]
    points = torch.cat([seen[..., :2], z[..., None]], dim=-1)
    low, high = points[..., :2].amin(dim=1), points[..., :2].amax(dim=1)
    half = (high - low).amax(dim=-1, keepdim=True) / 2 * 1.6
    middle_px = (low + high) / 2
    box = torch.cat([middle_px - half, middle_px + half], dim=-1)
    forward = turn[:, 2, 2]
    inside = (middle_px[:, 0] > 0) & (middle_px[:, 0] < width) & (middle_px[:, 1] > 0) & (middle_px[:, 1] < height)
    return FaceTrack(landmarks=points, box=box, tracked=(forward > 0.26) & inside & (radius > 5))
