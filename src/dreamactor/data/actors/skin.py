"""What an actor's surface is in a rest pose, and which segments it follows: kinds of surface, segments, parts.

The body's own parts are in `body_parts.py`, the head in `head.py`, clothes that are meshes of their own in `garments.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.actors.body import BodyShape, Joints, pose_body
from dreamactor.data.actors.mesh import Mesh
from dreamactor.data.actors.motion import pose_performance
from dreamactor.data.actors.swing import Pendulum, swing
from dreamactor.geometry.rotation import normalize

(
    TRUNK, NECK, LEFT_ARM, RIGHT_ARM, LEFT_LEG, RIGHT_LEG, HAND, SHOE, SKIRT, FACE, EAR, HAIR, HAT, GLASSES,
    COAT, HOOD, SCARF, TIE,
) = range(18)  # fmt: skip
"""Kinds of surface."""

SIDES: Final = (("left", 1.0), ("right", -1.0))
FINGERS: Final = range(5)
SEGMENTS: Final = (
    "root",
    "waist",
    "chest",
    "neck",
    "head",
    *(f"{side}_{name}" for side, _ in SIDES for name in ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")),
    *(f"{side}_finger_{finger}_{joint}" for side, _ in SIDES for finger in FINGERS for joint in range(3)),
    "hair",
    "skirt",
)
SEGMENT: Final = {name: index for index, name in enumerate(SEGMENTS)}
_ORIGIN: Final = {
    "root": "pelvis", "waist": "waist", "chest": "neck", "neck": "throat", "head": "head",
    **{f"{s}_{a}": f"{s}_{b}" for s, _ in SIDES for a, b in
       (("upper_arm", "shoulder"), ("forearm", "elbow"), ("hand", "wrist"),
        ("thigh", "hip"), ("shin", "knee"), ("foot", "ankle"))},
}  # fmt: skip
_HANGING: Final = {
    "hair": ("head", Pendulum(rest=(0.0, -0.12, -0.06), frequency_hz=1.7, damping=0.35, upright=0.6, limit_rad=0.7)),
    "skirt": ("pelvis", Pendulum(rest=(0.0, -0.35, -0.05), frequency_hz=1.9, damping=0.4, upright=0.5, limit_rad=0.5)),
}
_CARRIER: Final = {"hair": "head", "skirt": "root"}
"""The segment each of them hangs from."""


@dataclass(frozen=True, kw_only=True)
class Skin:
    """All surfaces of an actor in the rest pose.

    Attributes:
        vertices, normals: [V, 3] rest pose, metres about the pelvis.
        faces: [F, 3] int64.
        kind: [F] int64.
        weights: [V, len(SEGMENTS)] rows sum to one.
        head: slice of the vertices that belong to the deforming head; their `coords` are head units.
        coords: [V, 3] where the surface is textured: rest metres, or head units for everything on the head.
    """

    vertices: Tensor
    normals: Tensor
    faces: Tensor
    kind: Tensor
    weights: Tensor
    coords: Tensor
    head: slice


@dataclass(frozen=True, kw_only=True)
class Part:
    """One piece of `Skin`."""

    mesh: Mesh
    weights: Tensor
    kind: Tensor
    coords: Tensor | None = None

    @property
    def place(self) -> Tensor:
        """[V, 3] texture coordinates: `coords`, or the rest places."""
        return self.mesh.vertices if self.coords is None else self.coords


def rest_joints(body: BodyShape) -> Joints:
    """Joints of the pose the skin is made in: arms 38 degrees out, legs a little apart, pelvis at the origin."""
    joints = pose_body(body, pose_performance({
        "left_raise": 38.0, "right_raise": 38.0, "left_hip_out": 7.0, "right_hip_out": 7.0, "left_spread": 0.6,
        "right_spread": 0.6,
    }))  # fmt: skip
    shift = joints.place["pelvis"]
    return Joints(
        place={name: where - shift for name, where in joints.place.items()},
        frame=joints.frame,
        fingers=joints.fingers - shift[:, None, None, None],
    )


def segment_frames(joints: Joints, fps: float) -> tuple[Tensor, Tensor]:
    """Rotation [T, G, 3, 3] and origin [T, G, 3] of every segment at `fps` frames a second."""
    rotation, origin = [], []
    for name in SEGMENTS:
        if "finger" in name:
            side, _, finger, joint = name.split("_")
            chain = joints.fingers[:, 0 if side == "left" else 1, int(finger)]
            start, end = chain[:, int(joint)], chain[:, int(joint) + 1]
            y = normalize(start - end)
            x = joints.frame[f"{side}_hand"][..., 0]
            x = normalize(x - (x * y).sum(-1, keepdim=True) * y)
            rotation.append(torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1))
            origin.append(start)
        elif name == "neck":
            mixed = joints.frame["chest"] + joints.frame["head"]
            y = normalize(mixed[..., 1])
            x = normalize(mixed[..., 0] - (mixed[..., 0] * y).sum(-1, keepdim=True) * y)
            rotation.append(torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1))
            origin.append(joints.place["throat"])
        elif name in _HANGING:
            fixed, pendulum = _HANGING[name]
            origin.append(joints.place[fixed])
            rotation.append(swing(pendulum, joints.frame[_CARRIER[name]], origin[-1], fps))
        else:
            rotation.append(joints.frame[name])
            origin.append(joints.place[_ORIGIN[name]])
    return torch.stack(rotation, 1), torch.stack(origin, 1)


def rigid(count: int, segment: str) -> Tensor:
    """[count, G] weights on one segment."""
    weights = torch.zeros(count, len(SEGMENTS))
    weights[:, SEGMENT[segment]] = 1
    return weights


def one_kind(mesh: Mesh, kind: int) -> Tensor:
    """[F] all faces of one kind."""
    return torch.full((len(mesh.faces),), kind, dtype=torch.int64)
