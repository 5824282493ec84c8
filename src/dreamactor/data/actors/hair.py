"""Hair as meshes around a head, in head units: a shell over the skull, and what hangs or stands out from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.actors.curves import smooth, wave_noise
from dreamactor.data.actors.head_shape import HeadShape
from dreamactor.data.actors.mesh import Mesh, ellipsoid, loft, ring_angles, tube
from dreamactor.data.actors.wardrobe import Look


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A piece of hair.

    Attributes:
        mesh: in head units.
        hang: [V] in 0..1, how much each vertex swings instead of sitting on the head.
    """

    mesh: Mesh
    hang: Tensor


_CUT: Final = {
    "crop": (0.10, -0.38), "short": (-0.02, -0.45), "spiky": (0.02, -0.45), "curls": (-0.15, -0.55), "bun": (0.06, -0.40),
    "ponytail": (0.06, -0.40), "bob": (-0.10, -0.6), "long": (-0.10, -0.6), "afro": (-0.12, -0.50), "mohawk": (0.42, 0.05),
    "pigtails": (0.02, -0.42), "braids": (0.02, -0.42), "wavy": (-0.10, -0.6), "bowl": (0.10, -0.20),
    "topknot": (0.06, -0.40), "pixie": (-0.06, -0.50),
}  # fmt: skip
"""How far hair reaches down at the side and at the back."""
_TIGHT: Final = ("crop", "short", "spiky", "bun", "ponytail", "afro", "mohawk", "pigtails", "braids", "topknot")
"""Combed off the forehead: no long fringe."""


def hair_locks(shape: HeadShape, look: Look) -> list[Lock]:
    """All hair of a head; none for a bald one."""
    if look.hair == "bald":
        return []
    hatted = look.hat not in ("none", "headband")
    return [_lock(_shell(shape, look, hatted=hatted)), *_STYLES.get(look.hair, _nothing)(shape, look, hatted)]


def beard_mesh(shape: HeadShape, look: Look) -> Mesh:
    """A beard that stands out from the jaw; it moves with the face."""
    face = shape.face
    angle = torch.linspace(-1.25, 1.25, 25)
    rings = []
    low = -1.0 - 0.45 * look.hair_length
    for k in torch.linspace(0, 1, 12).tolist():
        y = -0.62 + (low + 0.62) * k
        full = 1 - 0.62 * k * k
        half, middle, front, _ = (float(v) for v in shape.section(torch.tensor(max(y, -0.85))))
        x = (half + 0.05) * full * angle.sin()
        z = middle + (front - middle + 0.05 + 0.10 * k) * angle.cos().clamp(min=0) ** 0.7
        dent = 0.10 * torch.exp(-(((y - face.mouth_y) / 0.10) ** 2) - (x / 0.3) ** 2) if k < 0.2 else torch.zeros_like(x)
        outer = torch.stack([x, torch.full_like(x, y) + 0.02 * torch.sin(angle * 15) * k, z - dent], -1)
        inner = outer.flip(0) * torch.tensor([0.8, 1.0, 1.0]) - torch.tensor([0.0, 0.0, 0.16])
        rings.append(torch.cat([outer, inner]))
    rings.reverse()
    tip = rings[0].mean(0, keepdim=True).expand_as(rings[0]) - torch.tensor([0.0, 0.03, 0.0])
    top = rings[-1].mean(0, keepdim=True).expand_as(rings[-1]) - torch.tensor([0.0, 0.0, 0.1])
    return loft(torch.stack([tip, *rings, top]))


def _lock(mesh: Mesh, swing: float = 0.0, *, top: float = 0.0, bottom: float = -1.0) -> Lock:
    """Stiff above `top`, swinging fully from `bottom` down."""
    fall = (top - mesh.vertices[:, 1]) / (top - bottom)
    return Lock(mesh=mesh, hang=swing * smooth(0.0, 1.0, fall))


def _shell(shape: HeadShape, look: Look, *, hatted: bool) -> Mesh:
    face = shape.face
    volume = (look.hair_volume * (0.45 if look.hair in ("crop", "mohawk") else 1.0)) * (0.35 if hatted else 1.0)
    side, back = _CUT[look.hair]
    fringe = min(look.fringe, 0.02) if look.hair in _TIGHT else look.fringe
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
    if look.hair == "bowl":
        line = line + ahead * 0.015 * torch.sin(angle * 31)
    elif look.hair == "pixie":
        line = line - ahead * 0.28 * torch.sign(torch.tensor(look.parting)) * x + ahead * 0.04 * torch.sin(angle * 19)
    else:
        line = line + ahead * (0.05 * torch.cos(part * 5) - 0.10 * torch.exp(-((part / 0.12) ** 2)) * (fringe > 0.05))
    line = line + 0.012 * torch.sin(angle * 23 + 2 * torch.sin(angle * 5))
    ramp = ((base[..., 1] - line) / 0.10).clamp(-1, 1)
    crown = 0.55 + 0.75 * smooth(0.1, 0.9, base[..., 1])
    lock = 1 + 0.16 * torch.sin(angle * 17 + 5 * base[..., 1]) + 0.10 * torch.sin(angle * 31 - 3 * base[..., 1])
    out = 0.022 + volume * crown * lock
    if look.hair == "afro":
        bumps = wave_noise(angle * 6 + 0 * y, y * 9 + 0 * angle, 40 * look.hair_volume)
        out = (0.10 if hatted else 0.20 + 2.4 * look.hair_volume) * (0.75 + 0.25 * crown) * (1 + 0.09 * bumps)
    thick = torch.where(ramp > 0, out * ramp.clamp(min=0).sqrt(), 0.12 * ramp)
    outward = torch.nn.functional.normalize(base - torch.tensor([0.0, 0.05, -0.1]), dim=-1)
    shell = base + outward * thick[..., None]
    shell[0] = torch.tensor([0.0, -0.75, 0.0])
    return loft(shell)


def _nothing(shape: HeadShape, look: Look, hatted: bool) -> list[Lock]:
    return []


def _long(shape: HeadShape, look: Look, hatted: bool) -> list[Lock]:
    volume = look.hair_volume * (0.35 if hatted else 1.0)
    bottom = {"bob": -0.62, "long": -1.75, "wavy": -1.35}[look.hair] - look.hair_length
    return [_lock(_curtain(shape, bottom, 0.05 + volume, look.hair_wave), look.swing, top=-0.2, bottom=-1.6)]


def _bun(shape: HeadShape, look: Look, hatted: bool) -> list[Lock]:
    return [_lock(ellipsoid((0, 0.72, -0.78), (0.30, 0.29, 0.30), rings=12, sides=16))]


def _topknot(shape: HeadShape, look: Look, hatted: bool) -> list[Lock]:
    if hatted:
        return []
    size = 0.20 + look.hair_volume
    return [_lock(ellipsoid((0, 1.02 + 0.5 * size, -0.22), (size, 0.9 * size, size), rings=12, sides=16))]


def _ponytail(shape: HeadShape, look: Look, hatted: bool) -> list[Lock]:
    path = torch.tensor([
        [0, 0.42, -0.86], [0, 0.46, -1.05], [0, 0.30, -1.22], [0, 0.0, -1.28], [0, -0.35, -1.22], [0, -0.7, -1.12],
        [0, -0.95, -1.06],
    ])  # fmt: skip
    path = path * torch.tensor([1.0, 1.0 + 0.3 * look.hair_length, 1.0])
    return [_lock(tube(path, [0.12, 0.14, 0.19, 0.21, 0.19, 0.13, 0.03], sides=12), look.swing, top=0.4, bottom=-0.7)]


def _pigtails(shape: HeadShape, look: Look, hatted: bool) -> list[Lock]:
    """Two tails at the sides, high or low by the parting."""
    high = 0.15 + 0.5 * look.parting
    wide = shape.face.face_half_width
    path = torch.tensor([
        [wide - 0.08, high + 0.05, -0.30], [wide + 0.14, high + 0.10, -0.34], [wide + 0.28, high - 0.10, -0.32],
        [wide + 0.30, high - 0.45, -0.28], [wide + 0.26, high - 0.8 - 0.6 * look.hair_length, -0.22],
        [wide + 0.22, high - 1.0 - 0.9 * look.hair_length, -0.20],
    ])  # fmt: skip
    tail = tube(path, [0.10, 0.13, 0.17, 0.19, 0.14, 0.03], sides=12)
    return [_lock(m, look.swing, top=high, bottom=high - 0.9) for m in (tail, tail.mirrored())]


def _braids(shape: HeadShape, look: Look, hatted: bool) -> list[Lock]:
    """Two plaits before the shoulders: tubes that swell and narrow."""
    wide = shape.face.face_half_width
    steps = torch.linspace(0, 1, 21)
    length = 1.25 + look.hair_length
    path = torch.stack([
        wide - 0.02 + 0.10 * torch.sin(steps * 2.2), 0.0 - length * steps, -0.28 + 0.55 * smooth(0.15, 0.6, steps),
    ], -1)  # fmt: skip
    beads = (0.105 + 0.030 * torch.sin(steps * 40).abs()) * (1 - 0.5 * steps**3)
    plait = tube(path, beads.tolist(), sides=10)
    return [_lock(m, 0.6 * look.swing, top=-0.2, bottom=-1.4) for m in (plait, plait.mirrored())]


def _curly(shape: HeadShape, look: Look, hatted: bool) -> list[Lock]:
    if hatted:
        return []
    volume = look.hair_volume
    places = [(0.55, a) for a in (-0.55, 0.0, 0.55, 1.3, -1.3, 2.0, -2.0, 2.7, -2.7)]
    places += [(0.86, a) for a in (-0.8, 0.1, 0.9, 2.1, -2.1, 3.1)]
    places += [(0.12, a) for a in (1.75, -1.75, 2.3, -2.3, 2.85, -2.85)] + [(-0.2, a) for a in (2.0, -2.0, 2.6, -2.6, 3.14)]
    locks = []
    for index, (y, a) in enumerate(places):
        at = shape.around(torch.tensor([y + 0.06]), torch.tensor([a]))[0] * (1.0 + 0.6 * volume)
        size = 0.19 + 0.8 * volume + 0.03 * ((index * 7) % 5) / 4
        locks.append(_lock(ellipsoid(at.tolist(), (size, size * 0.95, size), rings=9, sides=12)))
    return locks


def _spikes(shape: HeadShape, look: Look, hatted: bool) -> list[Lock]:
    if hatted:
        return []
    locks = []
    for a, b in ((0.0, 0.75), (0.5, 0.72), (-0.5, 0.72), (1.1, 0.75), (-1.1, 0.75), (0.25, 0.93), (-0.25, 0.93),
                 (2.2, 0.8), (-2.2, 0.8), (3.1, 0.75), (1.6, 0.95), (-1.6, 0.95)):  # fmt: skip
        root = shape.around(torch.tensor([b]), torch.tensor([a]))[0]
        lean = torch.tensor([0.45 * float(torch.tensor(a).sin()), 1.0, 0.35])
        tip = root + 0.36 * lean / lean.norm()
        locks.append(_lock(tube(torch.stack([root * 0.9, 0.6 * root + 0.4 * tip, tip]), [0.17, 0.12, 0.015], sides=8)))
    return locks


def _mohawk(shape: HeadShape, look: Look, hatted: bool) -> list[Lock]:
    """A fin from the forehead over the crown to the nape."""
    if hatted:
        return []
    along = torch.linspace(-1.05, 1.9, 22)  # angle from the crown, front is negative
    radius = 0.94
    height = (0.20 + 2.2 * look.hair_volume) * (1 - 0.55 * ((along - 0.1) / 1.9).abs() ** 2)
    rings = []
    for a, tall in zip(along.tolist(), height.tolist(), strict=True):
        out = torch.tensor([0.0, float(torch.cos(torch.tensor(a))), -float(torch.sin(torch.tensor(a)))])
        foot = torch.tensor([0.0, 0.05, -0.10]) + out * radius * torch.tensor([1.0, 0.97, 0.83])
        tip = foot + out * tall
        side = torch.tensor([0.13, 0.0, 0.0])
        middle = 0.5 * (foot + tip)
        rings.append(torch.stack([foot - side, middle - 0.6 * side, tip, middle + 0.6 * side, foot + side, foot * 0.9]))
    first, last = (r.mean(0, keepdim=True).expand_as(r) for r in (rings[0], rings[-1]))
    return [_lock(loft(torch.stack([first, *rings, last])))]


def _curtain(shape: HeadShape, bottom: float, thick: float, wave: float) -> Mesh:
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
        if wave:
            flow = flow + wave * (0.10 * torch.sin(y * 9 + 1.5 * torch.sin(outer * 3)) + 0.05 * torch.sin(outer * 9 - 7 * y))
            grown = grown + 0.22 * wave * min(drop, 0.8)
        wide, deep = (half + grown + 0.02 - 0.05 * drop), (middle - back + grown + 0.04 * min(drop, 0.3))
        edge = torch.stack([wide * outer.sin() * flow, torch.full_like(outer, y), middle + deep * outer.cos() * flow], -1)
        inner = edge.flip(0) * torch.tensor([0.80, 1.0, 0.80]) + torch.tensor([0.0, 0.0, -0.06])
        if k == 0:
            edge, inner = edge * torch.tensor([0.93, 1, 0.97]), inner * torch.tensor([0.99, 1, 1.0])
        rings.append(torch.cat([edge, inner]))
    low = torch.cat([rings[0][:24] * 0.97 + rings[0][24:].flip(0) * 0.03, rings[0][24:]])
    closed = 0.5 * (low[:24] + low[24:].flip(0))
    return loft(torch.stack([torch.cat([closed, closed.flip(0)]) - torch.tensor([0.0, 0.06, 0.0]), *rings]))


_STYLES: Final = {
    "bob": _long, "long": _long, "wavy": _long, "bun": _bun, "topknot": _topknot, "ponytail": _ponytail,
    "pigtails": _pigtails, "braids": _braids, "curls": _curly, "spiky": _spikes, "mohawk": _mohawk,
}  # fmt: skip
