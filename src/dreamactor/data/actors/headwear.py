"""Hats and glasses as meshes around a head, in head units."""

from __future__ import annotations

import torch
from torch import Tensor

from dreamactor.data.actors.head_shape import HeadShape
from dreamactor.data.actors.mesh import Mesh, ellipsoid, loft, ring_angles, tube
from dreamactor.data.actors.wardrobe import Look


def hat_line(shape: HeadShape) -> float:
    """Height at which a hat's rim sits."""
    return max(shape.face.hairline_y - 0.10, 0.40)


def hat_meshes(shape: HeadShape, look: Look) -> list[Mesh]:
    """What is worn on the head."""
    line = hat_line(shape)
    if look.hat == "cap":
        visor = ellipsoid((0, 0, 0), (0.60, 0.035, 0.52), rings=9, sides=24)
        return [
            _dome(shape, line, 1.13, 1.25),
            visor.moved(rotation=_nod(0.22), offset=torch.tensor([0.0, line + 0.06, 0.82])),
        ]
    if look.hat == "brim":
        return [_dome(shape, line, 1.10, 1.35), ellipsoid((0, line + 0.02, -0.06), (1.32, 0.04, 1.40), rings=9, sides=36)]
    if look.hat == "bucket":
        return [_dome(shape, line, 1.12, 1.20), _cone(shape, line + 0.16, line - 0.16, 1.12, 1.55)]
    if look.hat == "top":
        brim = ellipsoid((0, line + 0.06, -0.08), (1.12, 0.035, 1.18), rings=9, sides=36)
        return [_cone(shape, line + 0.95, line, 1.10, 1.06), brim]
    if look.hat == "headband":
        return [_cone(shape, line + 0.16, line - 0.02, 1.12, 1.12)]
    if look.hat == "helmet":
        return [_dome(shape, line - 0.12, 1.24, 1.22), _cone(shape, line - 0.02, line - 0.14, 1.27, 1.27)]
    if look.hat == "crown":
        return [_cone(shape, line + 0.40, line + 0.05, 1.20, 1.08, points=9)]
    if look.hat in ("hood", "scarf"):
        return [_hood(shape, 0.16 if look.hat == "hood" else 0.07)]
    fold = _dome(shape, line - 0.02, 1.17, 0.55)
    return [_dome(shape, line, 1.12, 1.30), fold, ellipsoid((0, 1.22, -0.1), (0.17, 0.17, 0.17))]


def _nod(angle_rad: float) -> Tensor:
    angle = torch.tensor(angle_rad)
    return torch.tensor(
        [[1.0, 0, 0], [0, float(angle.cos()), -float(angle.sin())], [0, float(angle.sin()), float(angle.cos())]]
    )


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


def _cone(shape: HeadShape, top: float, bottom: float, grow_top: float, grow_bottom: float, *, points: int = 0) -> Mesh:
    """A wall around the head at hat height, closed above; wider or narrower at its ends, with points like a crown's."""
    angle = ring_angles(72) - 2 * torch.pi
    base = shape.around(torch.tensor([hat_line(shape) + 0.05]), angle)
    middle = torch.tensor([0.0, 0.0, -0.1])
    rings = []
    for k in torch.linspace(0, 1, 6).tolist():
        grow = grow_bottom + (grow_top - grow_bottom) * k
        ring = (base - middle) * torch.tensor([grow, 0.0, grow]) + middle
        ring[:, 1] = bottom + (top - bottom) * k + 0.06 * base[:, 2]
        if points and k == 1:
            ring[:, 1] -= 0.5 * (top - bottom) * (angle * points / (2 * torch.pi) % 1 - 0.5).abs() * 2
        rings.append(ring)
    inner = rings[0] * torch.tensor([0.9, 1.0, 0.9])
    lid = rings[-1] * torch.tensor([0.96, 1.0, 0.96]) if not points else rings[-1] * torch.tensor([0.93, 1.0, 0.93])
    if points:
        lid[:, 1] = bottom + 0.02
    close = lid.mean(0, keepdim=True).expand_as(lid)
    return loft(torch.stack([inner.mean(0, keepdim=True).expand_as(inner), inner, *rings, lid, close]))


def _hood(shape: HeadShape, loose: float) -> Mesh:
    """Cloth around the head and neck that leaves the face free."""
    k = torch.linspace(0, 1, 34)[:, None]
    y = -1.25 + 2.24 * (0.5 * k + 0.5 * torch.sin(k * torch.pi / 2))
    angle = (ring_angles(72) - 2 * torch.pi)[None]
    base = shape.around(y.clamp(min=-0.35), angle)
    base = torch.stack([base[..., 0], y.expand_as(base[..., 0]), base[..., 2]], -1)
    z, x = base[..., 2], base[..., 0]
    front = smooth_front(x, base[..., 1], shape)
    ahead = ((z - 0.10) / 0.35).clamp(0, 1)
    open_ = ahead * front
    outward = torch.nn.functional.normalize((base - torch.tensor([0.0, 0.0, -0.1])) * torch.tensor([1.0, 0.35, 1.0]), dim=-1)
    thick = (0.07 + loose * (0.5 + 0.5 * ((base[..., 1] + 1) / 2).clamp(0, 1))) * (1 - 2.2 * open_)
    shell = base + outward * thick[..., None]
    bottom = shell[:1] * torch.tensor([0.9, 1.0, 0.9])
    return loft(torch.cat([bottom.mean(1, keepdim=True).expand_as(bottom), bottom, shell]))


def smooth_front(x: Tensor, y: Tensor, shape: HeadShape) -> Tensor:
    """1 in the oval opening that a hood leaves for the face, 0 outside, a narrow ramp between."""
    wide, top = 0.86 * shape.face.face_half_width, shape.face.hairline_y + 0.05
    middle, tall = (top - 1.05) / 2, (top + 1.05) / 2
    oval = (x / wide) ** 2 + ((y - middle) / tall) ** 2
    return ((1.0 - oval) / 0.12 + 0.5).clamp(0, 1)


def glasses_meshes(shape: HeadShape, style: str) -> list[Mesh]:
    """Frames: round or square; dark ones have lenses too."""
    face = shape.face
    radius = 1.22 * max(face.eye_half_width, 0.14)
    middle_x = max(face.eye_x * 1.02, radius * 0.9 + 0.06)
    meshes = []
    angle = torch.linspace(0, 2 * torch.pi, 25)
    front = float(shape.depth(torch.tensor([middle_x * 0.6]), torch.tensor([face.eye_y]))[0]) + 0.10
    bridge = float(shape.depth(torch.tensor([0.0]), torch.tensor([face.eye_y]))[0]) + 0.03
    across, up = angle.cos(), angle.sin()
    if style != "round":
        across, up = (v.sign() * v.abs() ** 0.45 for v in (across, up))
        up = up * 0.82
    for sign in (1.0, -1.0):
        x = sign * middle_x + radius * 1.1 * across
        y = face.eye_y - 0.01 + 0.92 * radius * up
        z = front - 0.35 * (x.abs() - 0.1).clamp(min=0) ** 2
        rim = torch.stack([x, y, z], -1)
        meshes.append(tube(rim, [0.019] * 25, sides=6, round_ends=False))
        if style == "sun":
            lens = torch.stack([rim, rim * 0.5 + 0.5 * rim.mean(0), rim.mean(0).expand_as(rim)])
            meshes.append(loft(lens))
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
