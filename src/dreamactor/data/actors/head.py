"""All that sits on a neck, as parts of an actor's skin: the deforming head, ears, hair, hats and glasses."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.actors.expression import FaceShape
from dreamactor.data.actors.hair import beard_mesh, hair_locks
from dreamactor.data.actors.head_shape import HeadShape
from dreamactor.data.actors.headwear import glasses_meshes, hat_meshes
from dreamactor.data.actors.mesh import Mesh, ellipsoid, join, loft
from dreamactor.data.actors.skin import EAR, FACE, GLASSES, HAIR, HAT, SEGMENT, Part, one_kind, rigid
from dreamactor.data.actors.wardrobe import Look
from dreamactor.geometry.rotation import axis_rotation


def _placed(mesh: Mesh, kind: int, center: Tensor, unit: float, segment: str = "head") -> Part:
    moved = mesh.moved(offset=center, scale=unit)
    return Part(mesh=moved, weights=rigid(len(mesh.vertices), segment), kind=one_kind(mesh, kind), coords=mesh.vertices)


def head_parts(face: FaceShape, look: Look, *, center: Tensor, unit: float) -> list[Part]:
    """All that sits on the head, in the rest pose: the deforming head first."""
    shape = HeadShape(face=face)
    skull = _placed(loft(shape.rest_points()), FACE, center, unit)
    if look.beard > 0 and look.beard_style == "long":
        beard = _placed(beard_mesh(shape, look), HAIR, center, unit)
        skull = Part(
            mesh=join([skull.mesh, beard.mesh]),
            weights=torch.cat([skull.weights, beard.weights]),
            kind=torch.cat([skull.kind, beard.kind]),
            coords=torch.cat([skull.place, beard.place]),
        )
    parts = [skull]
    parts.append(_placed(join(_ears(shape)), EAR, center, unit))
    hair = hair_locks(shape, look)
    if hair:
        part = _placed(join([lock.mesh for lock in hair]), HAIR, center, unit)
        hang = torch.cat([lock.hang for lock in hair])
        part.weights[:, SEGMENT["head"]] -= hang
        part.weights[:, SEGMENT["hair"]] += hang
        parts.append(part)
    if look.hat != "none":
        parts.append(_placed(join(hat_meshes(shape, look)), HAT, center, unit))
    if look.glasses:
        parts.append(_placed(join(glasses_meshes(shape, look.glasses_style)), GLASSES, center, unit))
    return parts


def _ears(shape: HeadShape) -> list[Mesh]:
    """Both ears of whatever kind of head it is."""
    one = _ear(shape, 1.0) if shape.face.creature in ("human", "alien") else _animal_ear(shape)
    return [one, one.mirrored()]


_ANIMAL_EAR: Final = {
    # middle x, y; half width, half height; lean outwards (rad); how pointed
    "cat": (0.50, 0.98, 0.24, 0.30, 0.35, 1.0),
    "bear": (0.58, 0.86, 0.24, 0.22, 0.5, 0.0),
    "rabbit": (0.34, 1.55, 0.17, 0.70, 0.16, 0.3),
    "dog": (0.80, 0.22, 0.20, 0.46, 2.75, 0.4),
    "mouse": (0.74, 0.86, 0.40, 0.38, 0.6, 0.0),
    "robot": (0.80, 0.0, 0.10, 0.16, 0.0, 0.0),
}


def animal_ear_place(shape: HeadShape, point: Tensor) -> tuple[Tensor, Tensor]:
    """Places on an animal's ear across and up it, in its half sizes, from points [N, 3] in head units."""
    x, y, wide, tall, lean, _ = _ANIMAL_EAR[shape.face.creature]
    size, angle = shape.face.ear_size, torch.tensor(lean)
    right, up = point[:, 0].abs() - x * _spread(shape), point[:, 1] - y
    return (right * angle.cos() - up * angle.sin()) / (wide * size), (right * angle.sin() + up * angle.cos()) / (tall * size)


def _spread(shape: HeadShape) -> float:
    return shape.face.face_half_width * (0.5 + 0.5 * shape.face.crown) / 0.72


def _animal_ear(shape: HeadShape) -> Mesh:
    x, y, wide, tall, lean, pointed = _ANIMAL_EAR[shape.face.creature]
    size, angle = shape.face.ear_size, torch.tensor(lean)
    mesh = ellipsoid(
        (0, 0, 0), (wide * size, tall * size, 0.09 if shape.face.creature != "robot" else 0.2), rings=13, sides=18
    )
    taper = 1 - pointed * 0.75 * ((mesh.vertices[:, 1:2] / (tall * size) + 1) / 2) ** 1.5
    mesh = replace(mesh, vertices=mesh.vertices * torch.cat([taper, torch.ones_like(taper), taper], -1))
    turn = axis_rotation("z", -angle[None])[0]
    return mesh.moved(rotation=turn, offset=torch.tensor([x * _spread(shape), y, -0.14]))


def _ear(shape: HeadShape, sign: float) -> Mesh:
    face = shape.face
    angle = torch.tensor(0.35)
    turn = torch.stack(
        [
            torch.stack([angle.cos(), torch.tensor(0.0), angle.sin()]),
            torch.tensor([0.0, 1.0, 0.0]),
            torch.stack([-angle.sin(), torch.tensor(0.0), angle.cos()]),
        ]
    )
    size = face.ear_size
    shell = ellipsoid((0, 0, 0), (0.055 * size, 0.185 * size, 0.125 * size), rings=11, sides=14)
    return shell.moved(
        rotation=turn.T, offset=torch.tensor([sign * (face.face_half_width + 0.025), face.eye_y - 0.11, -0.13])
    )
