"""Hats and glasses as meshes around a head, in head units."""

from __future__ import annotations

import torch

from dreamactor.data.actors.head_shape import HeadShape
from dreamactor.data.actors.mesh import Mesh, ellipsoid, loft, ring_angles, tube
from dreamactor.data.actors.wardrobe import Look


def _dome(shape: HeadShape, line: float, grow: float, tall: float) -> Mesh:
    k = torch.linspace(0, 1, 14)[:, None]
    angle = (ring_angles(40) - 2 * torch.pi)[None]
    y = line + (0.999 - line) * torch.sin(k * torch.pi / 2)
    base = shape.around(y, angle)
    tilt = 0.10 * base[..., 2:3] * (1 - k[..., None])
    out = (base - torch.tensor([0.0, 0.0, -0.1])) * torch.tensor([grow, 1.0, grow]) + torch.tensor([0.0, 0.0, -0.1])
    out[..., 1] = line + (base[..., 1] - line) * tall + tilt[..., 0]
    under = out[:1] * torch.tensor([0.85, 1.0, 0.85])
    return loft(torch.cat([under.mean(1, keepdim=True).expand_as(under), out]))


def hat_meshes(shape: HeadShape, look: Look) -> list[Mesh]:
    line = max(shape.face.hairline_y - 0.10, 0.40)
    if look.hat == "cap":
        visor = ellipsoid((0, 0, 0), (0.60, 0.035, 0.52), rings=9, sides=24)
        angle = torch.tensor(0.22)
        turn = torch.tensor(
            [[1.0, 0, 0], [0, float(angle.cos()), -float(angle.sin())], [0, float(angle.sin()), float(angle.cos())]]
        )
        return [_dome(shape, line, 1.13, 1.25), visor.moved(rotation=turn, offset=torch.tensor([0.0, line + 0.06, 0.82]))]
    if look.hat == "brim":
        return [_dome(shape, line, 1.10, 1.35), ellipsoid((0, line + 0.02, -0.06), (1.32, 0.04, 1.40), rings=9, sides=36)]
    fold = _dome(shape, line - 0.02, 1.17, 0.55)
    return [_dome(shape, line, 1.12, 1.30), fold, ellipsoid((0, 1.22, -0.1), (0.17, 0.17, 0.17))]


def glasses_meshes(shape: HeadShape) -> list[Mesh]:
    face = shape.face
    radius = 1.22 * max(face.eye_half_width, 0.14)
    middle_x = max(face.eye_x * 1.02, radius * 0.9 + 0.06)
    meshes = []
    angle = torch.linspace(0, 2 * torch.pi, 25)
    front = float(shape.depth(torch.tensor([middle_x * 0.6]), torch.tensor([face.eye_y]))[0]) + 0.10
    bridge = float(shape.depth(torch.tensor([0.0]), torch.tensor([face.eye_y]))[0]) + 0.03
    for sign in (1.0, -1.0):
        x = sign * middle_x + radius * 1.1 * angle.cos()
        y = face.eye_y - 0.01 + 0.92 * radius * angle.sin()
        z = front - 0.35 * (x.abs() - 0.1).clamp(min=0) ** 2
        meshes.append(tube(torch.stack([x, y, z], -1), [0.019] * 25, sides=6, round_ends=False))
        outer = middle_x + 1.1 * radius
        temple = torch.tensor(
            [
                [sign * outer, face.eye_y + 0.03, front - 0.35 * (outer - 0.1) ** 2],
                [sign * (face.face_half_width + 0.03), face.eye_y + 0.03, 0.30],
                [sign * (face.face_half_width + 0.05), face.eye_y + 0.02, -0.12],
            ]
        )
        meshes.append(tube(temple, [0.019] * 3, sides=6))
    inner = middle_x - 1.1 * radius
    arch = torch.tensor(
        [[-inner, face.eye_y + 0.02, front], [0.0, face.eye_y + 0.06, max(bridge, front)], [inner, face.eye_y + 0.02, front]]
    )
    return [*meshes, tube(arch, [0.019] * 3, sides=6)]
