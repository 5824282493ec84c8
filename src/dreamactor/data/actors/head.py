"""All that sits on a neck, as parts of an actor's skin: the deforming head, ears, hair, hats and glasses."""

from __future__ import annotations

import torch
from torch import Tensor

from dreamactor.data.actors.expression import FaceShape
from dreamactor.data.actors.hair import beard_mesh, hair_locks
from dreamactor.data.actors.head_shape import HeadShape
from dreamactor.data.actors.headwear import glasses_meshes, hat_meshes
from dreamactor.data.actors.mesh import Mesh, ellipsoid, join, loft
from dreamactor.data.actors.skin import EAR, FACE, GLASSES, HAIR, HAT, SEGMENT, Part, one_kind, rigid
from dreamactor.data.actors.wardrobe import Look


def _placed(mesh: Mesh, kind: int, center: Tensor, unit: float, segment: str = "head") -> Part:
    moved = mesh.moved(offset=center, scale=unit)
    return Part(mesh=moved, weights=rigid(len(mesh.vertices), segment), kind=one_kind(mesh, kind), coords=mesh.vertices)


def head_parts(face: FaceShape, look: Look, *, center: Tensor, unit: float) -> list[Part]:
    """All that sits on the head, in the rest pose: the deforming head first."""
    shape = HeadShape(face=face)
    parts = [_placed(loft(shape.rest_points()), FACE, center, unit)]
    parts.append(_placed(join([_ear(shape, 1.0), _ear(shape, 1.0).mirrored()]), EAR, center, unit))
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
    shell = ellipsoid((0, 0, 0), (0.055, 0.185, 0.125), rings=11, sides=14)
    return shell.moved(
        rotation=turn.T, offset=torch.tensor([sign * (face.face_half_width + 0.025), face.eye_y - 0.11, -0.13])
    )
