"""What is worn over the body as a surface of its own: skirts, coats, hoods, scarves, ties. In the rest pose, metres about
the pelvis. Knows nothing about colours.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dreamactor.data.actors.body_field import BodyField
from dreamactor.data.actors.curves import curve, smooth
from dreamactor.data.actors.mesh import Mesh, ellipsoid, join, loft, ring_angles
from dreamactor.data.actors.skin import COAT, HOOD, SCARF, SEGMENT, SEGMENTS, SKIRT, TIE, Part, one_kind


def garment_parts(field: BodyField) -> list[Part]:
    """All garments of a look, over a body with these measures."""
    look, parts = field.look, []
    if look.lower in ("skirt", "dress"):
        parts.append(_skirt(field))
    if look.coat_m:
        parts.append(_coat(field))
    if look.hood and look.hat != "hood":
        parts.append(_hood(field))
    if look.scarf is not None:
        parts.append(_scarf(field))
    if look.tie is not None:
        parts.append(_tie(field))
    return parts


def _half_sizes(field: BodyField, y: float) -> tuple[float, float]:
    """Half width and half depth of the dressed trunk at height y; below the hips those of the hips."""
    level = torch.tensor([max(y / field.body.torso, -0.02)])
    return float(curve(level, field.knots, field.width)), float(curve(level, field.knots, field.depth))


def _skirt(field: BodyField) -> Part:
    u, t, look = field.unit, field.body.torso, field.look
    sides, count = 40, 14
    angle = ring_angles(sides)
    top = 0.36 * t
    knee, ankle = float(field.place["left_knee"][1]), float(field.place["left_ankle"][1])
    bottom = ankle * look.skirt_length if look.skirt_length else knee * (0.45 + 0.7 * (look.hair_volume / 0.13))
    rings, levels = [], torch.linspace(0, 1, count)
    for k in levels.tolist():
        y = bottom + (top - bottom) * k
        w, d = _half_sizes(field, y)
        fall = max(0.0, -y) / u
        w = w + 0.012 * u + 0.26 * look.flare * fall * u
        d = d + 0.012 * u + 0.22 * look.flare * fall * u
        pleat = 1 + 0.05 * look.pleats * min(1.0, fall / 0.25) * torch.cos(angle * 9)
        rings.append(torch.stack([w * angle.sin() * pleat, torch.full_like(angle, y), d * angle.cos() * pleat], -1))
    rings[-1] = rings[-1] * torch.tensor([0.96, 1.0, 0.96])
    rings = [rings[0].mean(0, keepdim=True).expand(sides, 3) + torch.tensor([0.0, 0.02 * u, 0.0]), *rings]
    mesh = loft(torch.stack(rings))
    return Part(mesh=mesh, weights=_hung(field, mesh.vertices), kind=one_kind(mesh, SKIRT))


def _hung(field: BodyField, p: Tensor) -> Tensor:
    """Weights of cloth that hangs from the hips: thighs push it, and it swings by itself as far as the look says."""
    u, t = field.unit, field.body.torso
    hang = smooth(0.0, 1.0, (0.06 * u - p[:, 1]) / (0.30 * u)) * 0.85
    left = smooth(-1.0, 1.0, p[:, 0] / (0.16 * u))
    waist, chest = smooth(0.10 * t, 0.40 * t, p[:, 1]), smooth(0.30 * t, 0.72 * t, p[:, 1])
    free = 0.45 * field.look.swing * hang
    weights = torch.zeros(len(p), len(SEGMENTS))
    push = hang - free
    weights[:, SEGMENT["left_thigh"]], weights[:, SEGMENT["right_thigh"]] = push * left, push * (1 - left)
    weights[:, SEGMENT["skirt"]] = free
    weights[:, SEGMENT["root"]] = (1 - hang) * (1 - waist)
    if float(chest.max()) > 0 and field.look.coat_m:
        weights[:, SEGMENT["chest"]] = (1 - hang) * waist * chest
        waist = waist * (1 - chest)
    weights[:, SEGMENT["waist"]] = (1 - hang) * waist
    return weights


def _coat(field: BodyField) -> Part:
    """The skirts of an open coat: a bell from the belt down with a gap in front."""
    u, t, look = field.unit, field.body.torso, field.look
    count = 12
    gap = 0.34
    angle = torch.linspace(gap, 2 * torch.pi - gap, 40)
    top, bottom = 0.42 * t, 0.10 * t - look.coat_m
    rings = []
    for k in torch.linspace(0, 1, count).tolist():
        y = bottom + (top - bottom) * k
        w, d = _half_sizes(field, y)
        fall = max(0.0, 0.1 * t - y) / u
        w, d = w + 0.022 * u + 0.16 * look.flare * fall * u, d + 0.024 * u + 0.15 * look.flare * fall * u
        outer = torch.stack([w * angle.sin(), torch.full_like(angle, y), d * angle.cos()], -1)
        inner = outer.flip(0) * torch.tensor([0.93, 1.0, 0.93])
        rings.append(torch.cat([outer, inner]))
    low = 0.5 * (rings[0][:40] + rings[0][40:].flip(0))
    end = torch.cat([low, low.flip(0)])
    high = 0.5 * (rings[-1][:40] + rings[-1][40:].flip(0)) * torch.tensor([0.93, 1.0, 0.93])
    mesh = loft(torch.stack([end, *rings, torch.cat([high, high.flip(0)])]))
    return Part(mesh=mesh, weights=_hung(field, mesh.vertices), kind=one_kind(mesh, COAT))


def _ring(center: Tensor, wide: float, deep: float, thick: float, *, dip: float, sides: int = 12) -> Mesh:
    """A closed roll of cloth about the vertical; `dip` lowers its front."""
    around = torch.linspace(0, 2 * torch.pi, 41)
    section = torch.arange(sides) / sides * 2 * torch.pi
    rings = []
    for a in section.tolist():
        out = 1 + thick * float(torch.cos(torch.tensor(a)))
        x = wide * out * around.sin()
        z = deep * out * around.cos()
        y = thick * wide * 0.9 * float(torch.sin(torch.tensor(a))) - dip * (0.5 + 0.5 * around.cos())
        rings.append(torch.stack([x, y + 0.012 * torch.sin(around * 7) * wide * 4, z], -1)[:-1])
    rings.append(rings[0])
    return loft(torch.stack(rings)).moved(offset=center)


def _scarf(field: BodyField) -> Part:
    u = field.unit
    neck = field.place["neck"] + torch.tensor([0.0, 0.055, 0.0]) * u
    radius = 1.18 * field.neck_radius + 0.02 * u
    roll = _ring(neck, radius, radius, 0.30, dip=0.045 * u)
    tail = ellipsoid((0, 0, 0), (0.045, 0.15, 0.022), rings=9, sides=12).moved(
        offset=neck + torch.tensor([0.035 * u, -0.17 * u, max(field.depth[5:8]) + 0.004 * u]), scale=u
    )
    mesh = join([roll, tail])
    return Part(mesh=mesh, weights=_on_chest(mesh), kind=one_kind(mesh, SCARF))


def _hood(field: BodyField) -> Part:
    """A hood that lies on the back: a roll behind the neck and a bag below it."""
    u = field.unit
    neck = field.place["neck"] + torch.tensor([0.0, 0.03, -0.03]) * u
    radius = 1.28 * field.neck_radius + 0.03 * u
    roll = _ring(neck, radius, radius * 1.05, 0.34, dip=0.05 * u)
    bag = ellipsoid((0, 0, 0), (0.115, 0.10, 0.055), rings=11, sides=16).moved(
        offset=neck + torch.tensor([0.0, -0.06 * u, -radius - 0.035 * u]), scale=u
    )
    mesh = join([roll, bag])
    return Part(mesh=mesh, weights=_on_chest(mesh), kind=one_kind(mesh, HOOD))


def _tie(field: BodyField) -> Part:
    u, t = field.unit, field.body.torso
    rows = ((0.97, 0.020), (0.955, 0.024), (0.93, 0.016), (0.72, 0.030), (0.42, 0.040), (0.36, 0.004))
    rings = []
    for level, half in reversed(rows):
        _, depth = _half_sizes(field, level * t)
        front = depth + 0.006 * u + 0.25 * field.belly * max(0.0, 0.7 - level)
        flat = torch.tensor([[-half, 0.0], [0.0, 0.010], [half, 0.0], [0.0, -0.03]]) * u
        rings.append(torch.stack([flat[:, 0], torch.full((4,), level * t), front + flat[:, 1]], -1))
    first, last = (r.mean(0, keepdim=True).expand_as(r) for r in (rings[0], rings[-1]))
    mesh = loft(torch.stack([first, *rings, last]))
    return Part(mesh=mesh, weights=_on_chest(mesh, field), kind=one_kind(mesh, TIE))


def _on_chest(mesh: Mesh, field: BodyField | None = None) -> Tensor:
    """Weights of what lies on the chest; with measures given, what reaches down follows the waist too."""
    weights = torch.zeros(len(mesh.vertices), len(SEGMENTS))
    chest = torch.ones(len(mesh.vertices))
    if field is not None:
        chest = smooth(0.30 * field.body.torso, 0.72 * field.body.torso, mesh.vertices[:, 1])
    weights[:, SEGMENT["chest"]], weights[:, SEGMENT["waist"]] = chest, 1 - chest
    return weights
