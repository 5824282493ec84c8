"""The head's surface: skull and face as one sculpted skin that follows the expression, ears, hair, hats and glasses.

Everything is in head units (x to the person's left, y up, z to the front; chin at y = -1, crown at y = +1). Knows nothing
about where the head is and how it is painted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.actors.curves import bell, curve, smooth
from dreamactor.data.actors.expression import FaceCurves, FaceShape, face_points
from dreamactor.data.actors.mesh import Mesh, ellipsoid, join, loft, ring_angles, tube
from dreamactor.data.actors.skin import EAR, FACE, GLASSES, HAIR, HAT, Part, one_kind, rigid
from dreamactor.data.actors.wardrobe import Look
from dreamactor.geometry.skeleton import FACE_POINT

_RINGS, _SIDES = 46, 60
_FLATNESS: Final = 2.25
"""Exponent of the face's horizontal section: 2 is an ellipse, more is flatter in front."""
_LEVEL: Final = (-1.0, -0.95, -0.85, -0.7, -0.5, -0.25, 0.0, 0.25, 0.5, 0.7, 0.85, 0.95, 1.0)


@dataclass(frozen=True, kw_only=True)
class HeadShape:
    """The head of one face at rest."""

    face: FaceShape

    def section(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Half width, middle, front and back (z) of the horizontal section at y."""
        w, j = self.face.face_half_width, self.face.jaw_half_width
        width = (
            0.0,
            0.36 * j,
            0.62 * j,
            0.84 * j,
            0.5 * (0.98 * j + 0.93 * w),
            0.97 * w,
            w,
            0.99 * w,
            0.90 * w,
            0.73 * w,
            0.53 * w,
            0.31 * w,
            0.0,
        )
        front = (0.56, 0.70, 0.75, 0.765, 0.765, 0.765, 0.785, 0.815, 0.775, 0.655, 0.47, 0.22, -0.10)
        back = (0.42, 0.20, -0.02, -0.24, -0.48, -0.70, -0.84, -0.90, -0.85, -0.74, -0.58, -0.40, -0.10)
        middle = (0.50, 0.44, 0.32, 0.14, 0.02, -0.04, -0.08, -0.10, -0.10, -0.10, -0.10, -0.10, -0.10)
        mid = curve(y, _LEVEL, middle)
        half = curve(y, _LEVEL, [v * v for v in width]).clamp(min=0).sqrt()
        ahead = curve(y, _LEVEL, [(f - m) ** 2 for f, m in zip(front, middle, strict=True)]).clamp(min=0).sqrt()
        behind = curve(y, _LEVEL, [(b - m) ** 2 for b, m in zip(back, middle, strict=True)]).clamp(min=0).sqrt()
        return half, mid, mid + ahead, mid - behind

    def around(self, y: Tensor, angle: Tensor) -> Tensor:
        """Points [..., 3] of the smooth head at heights y and angles (0 is the front)."""
        half, middle, front, back = self.section(y)
        sine, cosine = angle.sin(), angle.cos()
        power = torch.where(cosine > 0, 2 / _FLATNESS, 1.0)
        x = half * sine.sign() * sine.abs() ** power
        ahead = middle + (front - middle) * cosine.abs() ** power
        behind = middle - (middle - back) * cosine.abs() ** power
        return torch.stack([x, y.expand_as(x), torch.where(cosine > 0, ahead, behind)], -1)

    def relief(self, x: Tensor, y: Tensor) -> Tensor:
        """How far the face's features stand out (z) at x, y."""
        f = self.face
        side = x.abs()
        tip = 0.075 + 0.8 * f.nose_length
        top = f.eye_y + 0.10
        bottom = f.nose_y
        ridge = curve(
            y,
            (bottom - 0.13, bottom - 0.05, bottom + 0.01, bottom + 0.06, (bottom + top) / 2 + 0.05, top, top + 0.14),
            (0.0, 0.25 * tip, 0.86 * tip, tip, 0.50 * tip, 0.22 * tip, 0.0),
        )
        wide = curve(
            y,
            (bottom - 0.05, bottom + 0.05, (bottom + top) / 2, top),
            (0.85 * f.nose_width, 0.80 * f.nose_width, 0.068, 0.075),
        )
        out = ridge * torch.exp(-((side / wide) ** 2) * 1.1)
        out = out + 0.075 * bell(side, y, 0.80 * f.nose_width, bottom, 0.45 * f.nose_width, 0.05)
        out = out - 0.075 * bell(side, y, f.eye_x, f.eye_y + 0.01, 1.25 * f.eye_half_width, 0.75 * f.eye_height + 0.05)
        out = out + 0.055 * bell(side, y, f.eye_x, f.eye_y, 0.75 * f.eye_half_width, 0.55 * f.eye_height)
        out = out + 0.030 * bell(side, y, f.eye_x * 0.95, f.brow_y, 0.22, 0.07)
        out = out + 0.040 * bell(side, y, 0.38, f.nose_y + 0.10, 0.17, 0.15)
        out = out + 0.040 * bell(side, y, 0.0, f.mouth_y, 0.26, 0.20)
        out = out + 0.45 * f.upper_lip * bell(
            side, y, 0.0, f.mouth_y + 0.5 * f.upper_lip, 0.7 * f.mouth_half_width, 0.6 * f.upper_lip
        )
        out = out + 0.55 * f.lower_lip * bell(
            side, y, 0.0, f.mouth_y - 0.5 * f.lower_lip, 0.7 * f.mouth_half_width, 0.6 * f.lower_lip
        )
        out = out - 0.020 * bell(side, y, 0.0, f.mouth_y - 0.16, 0.2, 0.05)
        return out + 0.050 * bell(side, y, 0.0, -0.88, 0.20, 0.11)

    def depth(self, x: Tensor, y: Tensor) -> Tensor:
        """z of the face's surface at rest above x, y."""
        half, middle, front, _ = self.section(y)
        reach = (1 - (x / half.clamp(min=1e-3)).abs().clamp(max=1) ** _FLATNESS) ** (1 / _FLATNESS)
        return middle + (front - middle) * reach + self.relief(x, y) * smooth(0.0, 0.4, reach)

    def rest_points(self) -> Tensor:
        """[rings * sides, 3] vertices of the head at rest."""
        k = torch.linspace(0, 1, _RINGS)
        y = (0.45 * -torch.cos(torch.pi * k) + 0.55 * (2 * k - 1))[:, None]
        angle = ring_angles(_SIDES) - 2 * torch.pi
        angle = (angle - 0.42 * angle.sin())[None]
        points = self.around(y, angle)
        _, middle, front, _ = self.section(y)
        reach = ((points[..., 2] - middle) / (front - middle).clamp(min=1e-3)).clamp(0, 1)
        points[..., 2] += self.relief(points[..., 0], points[..., 1]) * smooth(0.0, 0.4, reach)
        return points

    def jaw_share(self, y: Tensor) -> Tensor:
        """How much of the jaw's drop a point at rest height y takes."""
        return 1 - smooth(self.face.mouth_y - 0.27, self.face.mouth_y + 0.05, y)

    def swell(self, x: Tensor, y: Tensor, curves: FaceCurves) -> Tensor:
        """Cheeks that puff and rise, [T, N]."""
        lift = torch.where(x >= 0, curves.corner_left[:, None], curves.corner_right[:, None]).clamp(min=0)
        cheek = bell(x.abs(), y, 0.42, self.face.nose_y + 0.06, 0.18, 0.15)
        puffed = bell(x.abs(), y, 0.42, self.face.mouth_y + 0.08, 0.20, 0.18)
        return 0.35 * lift * cheek + 0.09 * curves.puff[:, None] * puffed

    def posed_points(self, rest: Tensor, curves: FaceCurves) -> Tensor:
        """[T, V, 3] the head's vertices with an expression, from those at rest [V, 3]."""
        x, y, z = rest.unbind(-1)
        drop = curves.jaw_drop[:, None] * self.jaw_share(y) * smooth(-0.3, 0.3, z)
        out = self.swell(x, y, curves) * smooth(0.1, 0.5, z)
        slide = curves.chin_x[:, None] * self.jaw_share(y) * smooth(-0.3, 0.3, z)
        return torch.stack([x + slide, y - drop, z + out], -1)

    def landmarks(self, curves: FaceCurves) -> Tensor:
        """[T, P, 3] the face points on the surface, in the order of `FACE_POINTS`."""
        flat = face_points(self.face, curves)
        x, y = flat[..., 0], flat[..., 1]
        rest = y
        for _ in range(8):
            rest = y + curves.jaw_drop[:, None] * self.jaw_share(rest)
        z = self.depth(x, rest.clamp(-0.97, 0.97)) + self.swell(x, rest, curves)
        for side in ("left", "right"):
            z[:, FACE_POINT[f"{side}_cheek"]] = 0.02
        return torch.cat([flat, z[..., None]], dim=-1)


def _placed(mesh: Mesh, kind: int, center: Tensor, unit: float, segment: str = "head") -> Part:
    moved = mesh.moved(offset=center, scale=unit)
    return Part(mesh=moved, weights=rigid(len(mesh.vertices), segment), kind=one_kind(mesh, kind), coords=mesh.vertices)


def head_parts(face: FaceShape, look: Look, *, center: Tensor, unit: float) -> list[Part]:
    """All that sits on the head, in the rest pose: the deforming head first."""
    shape = HeadShape(face=face)
    parts = [_placed(loft(shape.rest_points()), FACE, center, unit)]
    parts.append(_placed(join([_ear(shape, 1.0), _ear(shape, 1.0).mirrored()]), EAR, center, unit))
    hair = _hair(shape, look)
    if hair:
        parts.append(_placed(join(hair), HAIR, center, unit))
    if look.hat != "none":
        parts.append(_placed(join(_hat(shape, look)), HAT, center, unit))
    if look.glasses:
        parts.append(_placed(join(_glasses(shape)), GLASSES, center, unit))
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


_CUT: Final = {
    "crop": (0.10, -0.38), "short": (-0.02, -0.45), "spiky": (0.02, -0.45), "curls": (-0.15, -0.55), "bun": (0.06, -0.40),
    "ponytail": (0.06, -0.40), "bob": (-0.10, -0.6), "long": (-0.10, -0.6),
}  # fmt: skip
"""How far hair reaches down at the side and at the back."""


def _hair(shape: HeadShape, look: Look) -> list[Mesh]:
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


def _hat(shape: HeadShape, look: Look) -> list[Mesh]:
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


def _glasses(shape: HeadShape) -> list[Mesh]:
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
