"""The bare head's surface at rest and with an expression: sections, the features' relief, and where face points lie on it.

Head units (x to the person's left, y up, z to the front; chin at y = -1, crown at y = +1). Knows nothing about hair and
colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.actors.curves import bell, curve, smooth
from dreamactor.data.actors.expression import FaceCurves, FaceShape, face_points
from dreamactor.data.actors.mesh import ring_angles
from dreamactor.geometry.skeleton import FACE_POINT

_RINGS, _SIDES = 46, 60
_LEVEL: Final = (-1.0, -0.95, -0.85, -0.7, -0.5, -0.25, 0.0, 0.25, 0.5, 0.7, 0.85, 0.95, 1.0)


@dataclass(frozen=True, kw_only=True)
class HeadShape:
    """The head of one face at rest."""

    face: FaceShape

    def section(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Half width, middle, front and back (z) of the horizontal section at y."""
        w, j, c = self.face.face_half_width, self.face.jaw_half_width, self.face.crown
        width = (
            0.0,
            0.36 * j,
            0.62 * j,
            0.84 * j,
            0.5 * (0.98 * j + 0.93 * w),
            0.97 * w,
            w,
            0.99 * w,
            0.90 * c * w,
            0.73 * c * w,
            0.53 * c * w,
            0.31 * c * w,
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
        power = torch.where(cosine > 0, 2 / self.face.flatness, 1.0 if self.face.flatness < 3 else 0.6)
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
        if f.muzzle:
            out = out + f.muzzle * bell(side, y, 0.0, (f.nose_y + f.mouth_y) / 2 - 0.02, 0.34, 0.24).sqrt()
        return out + 0.050 * bell(side, y, 0.0, -0.88, 0.20, 0.11)

    def depth(self, x: Tensor, y: Tensor) -> Tensor:
        """z of the face's surface at rest above x, y."""
        half, middle, front, _ = self.section(y)
        flat = self.face.flatness
        reach = (1 - (x / half.clamp(min=1e-3)).abs().clamp(max=1) ** flat) ** (1 / flat)
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
