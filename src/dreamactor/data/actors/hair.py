"""Hair as meshes around a head, in head units: a shell over the skull, and what hangs or stands out from it."""

from __future__ import annotations

from typing import Final

import torch

from dreamactor.data.actors.curves import smooth
from dreamactor.data.actors.head_shape import HeadShape
from dreamactor.data.actors.mesh import Mesh, ellipsoid, loft, ring_angles, tube
from dreamactor.data.actors.wardrobe import Look

_CUT: Final = {
    "crop": (0.10, -0.38), "short": (-0.02, -0.45), "spiky": (0.02, -0.45), "curls": (-0.15, -0.55), "bun": (0.06, -0.40),
    "ponytail": (0.06, -0.40), "bob": (-0.10, -0.6), "long": (-0.10, -0.6),
}  # fmt: skip
"""How far hair reaches down at the side and at the back."""


def hair_meshes(shape: HeadShape, look: Look) -> list[Mesh]:
    if look.hair == "bald":
        return []
    face = shape.face
    hatted = look.hat != "none"
    volume = (look.hair_volume * (0.45 if look.hair == "crop" else 1.0)) * (0.35 if hatted else 1.0)
    side, back = _CUT[look.hair]
    fringe = min(look.fringe, 0.02) if look.hair in ("crop", "short", "spiky", "bun", "ponytail") else look.fringe
    front = face.hairline_y - fringe
    k = torch.linspace(0, 1, 36)[:, None]
    y = -0.75 + 1.75 * (0.5 * k + 0.5 * torch.sin(k * torch.pi / 2))
    angle = (ring_angles(64) - 2 * torch.pi)[None]
    base = shape.around(y, angle)
    x, z = base[..., 0], base[..., 2]
    ahead = smooth(0.05, 0.55, z)
    behind = smooth(-0.05, -0.5, z)
    line = side + (front - side) * ahead + (back - side) * behind
    part = x - 0.45 * look.parting
    line = line + ahead * (0.05 * torch.cos(part * 5) - 0.10 * torch.exp(-((part / 0.12) ** 2)) * (fringe > 0.05))
    line = line + 0.012 * torch.sin(angle * 23 + 2 * torch.sin(angle * 5))
    ramp = ((base[..., 1] - line) / 0.10).clamp(-1, 1)
    crown = 0.55 + 0.75 * smooth(0.1, 0.9, base[..., 1])
    lock = 1 + 0.16 * torch.sin(angle * 17 + 5 * base[..., 1]) + 0.10 * torch.sin(angle * 31 - 3 * base[..., 1])
    thick = torch.where(ramp > 0, (0.022 + volume * crown * lock) * ramp.clamp(min=0).sqrt(), 0.12 * ramp)
    outward = torch.nn.functional.normalize(base - torch.tensor([0.0, 0.05, -0.1]), dim=-1)
    shell = base + outward * thick[..., None]
    shell[0] = torch.tensor([0.0, -0.75, 0.0])
    meshes = [loft(shell)]
    if look.hair in ("bob", "long"):
        meshes.append(_curtain(shape, -0.62 if look.hair == "bob" else -1.75, 0.05 + volume))
    elif look.hair == "bun":
        meshes.append(ellipsoid((0, 0.72, -0.78), (0.30, 0.29, 0.30), rings=12, sides=16))
    elif look.hair == "ponytail":
        path = torch.tensor(
            [
                [0, 0.42, -0.86],
                [0, 0.46, -1.05],
                [0, 0.30, -1.22],
                [0, 0.0, -1.28],
                [0, -0.35, -1.22],
                [0, -0.7, -1.12],
                [0, -0.95, -1.06],
            ]
        )
        meshes.append(tube(path, [0.12, 0.14, 0.19, 0.21, 0.19, 0.13, 0.03], sides=12))
    elif look.hair == "curls" and not hatted:
        meshes += _curls(shape, volume)
    elif look.hair == "spiky" and not hatted:
        for a, b in (
            (0.0, 0.75),
            (0.5, 0.72),
            (-0.5, 0.72),
            (1.1, 0.75),
            (-1.1, 0.75),
            (0.25, 0.93),
            (-0.25, 0.93),
            (2.2, 0.8),
            (-2.2, 0.8),
            (3.1, 0.75),
            (1.6, 0.95),
            (-1.6, 0.95),
        ):
            root = shape.around(torch.tensor([b]), torch.tensor([a]))[0]
            lean = torch.tensor([0.45 * float(torch.tensor(a).sin()), 1.0, 0.35])
            tip = root + 0.36 * lean / lean.norm()
            meshes.append(tube(torch.stack([root * 0.9, 0.6 * root + 0.4 * tip, tip]), [0.17, 0.12, 0.015], sides=8))
    return meshes


def _curtain(shape: HeadShape, bottom: float, thick: float) -> Mesh:
    """Hair that hangs from the sides and the back."""
    rings = []
    start = 1.22
    outer = torch.linspace(start, 2 * torch.pi - start, 24)
    for k in torch.linspace(0, 1, 16).tolist():
        y = bottom + (0.5 - bottom) * k
        half, middle, _, back = (float(v) for v in shape.section(torch.tensor(max(y, 0.05))))
        drop = max(0.0, -0.1 - y)
        flow = 1 + 0.035 * torch.sin(outer * 13 + 3 * y)
        grown = thick * (1 - 0.5 * max(0.0, y))
        wide, deep = (half + grown + 0.02 - 0.05 * drop), (middle - back + grown + 0.04 * min(drop, 0.3))
        edge = torch.stack([wide * outer.sin() * flow, torch.full_like(outer, y), middle + deep * outer.cos() * flow], -1)
        inner = edge.flip(0) * torch.tensor([0.80, 1.0, 0.80]) + torch.tensor([0.0, 0.0, -0.06])
        if k == 0:
            edge, inner = edge * torch.tensor([0.93, 1, 0.97]), inner * torch.tensor([0.99, 1, 1.0])
        rings.append(torch.cat([edge, inner]))
    low = torch.cat([rings[0][:24] * 0.97 + rings[0][24:].flip(0) * 0.03, rings[0][24:]])
    closed = 0.5 * (low[:24] + low[24:].flip(0))
    return loft(torch.stack([torch.cat([closed, closed.flip(0)]) - torch.tensor([0.0, 0.06, 0.0]), *rings]))


def _curls(shape: HeadShape, volume: float) -> list[Mesh]:
    places = [(0.55, a) for a in (-0.55, 0.0, 0.55, 1.3, -1.3, 2.0, -2.0, 2.7, -2.7)]
    places += [(0.86, a) for a in (-0.8, 0.1, 0.9, 2.1, -2.1, 3.1)]
    places += [(0.12, a) for a in (1.75, -1.75, 2.3, -2.3, 2.85, -2.85)] + [(-0.2, a) for a in (2.0, -2.0, 2.6, -2.6, 3.14)]
    meshes = []
    for index, (y, a) in enumerate(places):
        at = shape.around(torch.tensor([y + 0.06]), torch.tensor([a]))[0] * (1.0 + 0.6 * volume)
        size = 0.19 + 0.8 * volume + 0.03 * ((index * 7) % 5) / 4
        meshes.append(ellipsoid(at.tolist(), (size, size * 0.95, size), rings=9, sides=12))
    return meshes


