"""The dressed trunk, neck and limbs of an actor as a smooth distance field, from which their one mesh is taken."""

from __future__ import annotations

import torch
from torch import Tensor

from dreamactor.data.actors.body import BodyShape, Joints
from dreamactor.data.actors.curves import curve
from dreamactor.data.actors.rows import dot_rows, length_rows
from dreamactor.data.actors.skin import LEFT_ARM, LEFT_LEG, NECK, RIGHT_ARM, RIGHT_LEG, SIDES, TRUNK
from dreamactor.data.actors.wardrobe import Look


def soft_min(a: Tensor, b: Tensor, k: float) -> Tensor:
    """Smooth union of two distances with a blend width k."""
    h = (a - b).abs_().neg_().add_(k).clamp_(min=0).div_(k)
    return torch.minimum(a, b).sub_(h.square_().mul_(k).mul_(0.25))


class _Cones:
    """Distances of points to cones. Where points lie beside a bone is found once for all radii about it."""

    def __init__(self, p: Tensor) -> None:
        self.p = p.unbind(-1)
        self.known: dict[tuple[int, int], tuple[Tensor, Tensor, Tensor, Tensor]] = {}

    def __call__(self, a: Tensor, b: Tensor, ra: float, rb: float) -> Tensor:
        """[N] distance to the cone around a bone from a to b."""
        bone = (id(a), id(b))
        if bone not in self.known:
            from_a = [row - start for row, start in zip(self.p, a.tolist(), strict=True)]
            axis = (b - a).tolist()
            t = dot_rows(from_a, axis).div_(float((b - a) @ (b - a))).clamp_(0, 1)
            beside = length_rows([row.sub_(t * step) for row, step in zip(from_a, axis, strict=True)])
            self.known[bone] = (a, b, t, beside)  # a and b too, or else their ids might be given to others
        t, beside = self.known[bone][2:]
        return beside - (ra + (rb - ra) * t)

    def limb(self, points: list[Tensor], radii: list[float], blend: float) -> Tensor:
        """[N] distance to a chain of cones."""
        distance = self(points[0], points[1], radii[0], radii[1])
        for i in range(1, len(points) - 1):
            distance = soft_min(distance, self(points[i], points[i + 1], radii[i], radii[i + 1]), blend)
        return distance


def _cut(points: list[Tensor], radii: list[float], at: float) -> tuple[list[Tensor], list[float]]:
    """The first part of a two-bone limb, up to `at` (1: its middle joint, 2: its end)."""
    if at >= 2:
        return points, radii
    i = int(at)
    share = at - i
    if share < 0.02:
        return points[: i + 1], radii[: i + 1]
    middle = points[i] + (points[i + 1] - points[i]) * share
    return [*points[: i + 1], middle], [*radii[: i + 1], radii[i] + (radii[i + 1] - radii[i]) * share]


class BodyField:
    """Distance to the dressed trunk, neck and limbs, in the rest pose about the pelvis."""

    def __init__(self, body: BodyShape, look: Look, rest: Joints) -> None:
        self.body, self.look = body, look
        self.place = {name: where[0] for name, where in rest.place.items()}
        self.unit = body.torso / 0.49
        self.limb = 0.5 + 0.5 * body.limb_girth
        dress = 1.25 if look.lower == "dress" else 1.0
        u, g = self.unit, body.girth
        s, h = body.shoulder_half / (0.187 * u), body.hip_half / (0.091 * u)
        m = 0.5 * (s + h)
        self.knots = (-0.26, -0.13, 0.0, 0.2, 0.42, 0.65, 0.85, 0.96, 1.03, 1.10)
        loose = [0.2, 0.7, 1, 1, 1, 0.7, 0.4, 0.2, 0.1, 0]
        width = [0.085 * h, 0.148 * h, 0.168 * h, 0.152 * h, 0.133 * m, 0.152 * s, 0.165 * s, 0.150 * s, 0.098 * s, 0.052]
        depth = [0.08, 0.112, 0.117, 0.104, 0.098, 0.110, 0.104, 0.088, 0.068, 0.052]
        cloth = 0.008 * u + look.hem_m * 0.6
        self.width = [
            u * w * (1 + 0.8 * (g - 1) * (lo > 0.15)) + (cloth * dress) * min(1.0, lo + 0.3)
            for w, lo in zip(width, loose, strict=True)
        ]
        self.depth = [
            u * d * (1 + 1.1 * (g - 1) * (lo > 0.15)) + (cloth * dress) * min(1.0, lo + 0.3)
            for d, lo in zip(depth, loose, strict=True)
        ]
        self.belly = 0.05 * u * max(0.0, g - 1.0) * 2

    def arm(self, side: str) -> tuple[list[Tensor], list[float]]:
        """Points and bare radii of an arm."""
        u = 0.6 * self.unit + 0.4 * self.body.upper_arm / 0.287
        points = [self.place[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist")]
        sign = 1.0 if side == "left" else -1.0
        points[0] = points[0] + torch.tensor([-0.012 * sign, -0.020, 0.0]) * u
        return points, [0.050 * u * self.limb, 0.041 * u * self.limb, 0.030 * u * (0.5 + 0.5 * self.limb)]

    def leg(self, side: str) -> tuple[list[Tensor], list[float]]:
        """Points and bare radii of a leg."""
        u = 0.65 * self.unit + 0.35 * self.body.thigh / 0.407
        points = [self.place[f"{side}_{name}"] for name in ("hip", "knee", "ankle")]
        return points, [
            min(0.084 * u * self.limb, 0.97 * self.body.hip_half),
            0.055 * u * self.limb,
            0.040 * u * (0.5 + 0.5 * self.limb),
        ]

    def shoulder_line(self, side: str) -> tuple[Tensor, Tensor]:
        """Ends of the muscle that slopes from the neck to the shoulder."""
        sign = 1.0 if side == "left" else -1.0
        neck = self.place["neck"] + torch.tensor([sign * 0.05, 0.030, -0.015]) * self.unit
        return neck, self.place[f"{side}_shoulder"] + torch.tensor([-0.030 * sign, -0.006, -0.008]) * self.unit

    @property
    def neck_radius(self) -> float:
        """Radius of the neck under the jaw."""
        return self.body.head_radius * 0.405 * (0.8 + 0.2 * self.limb)

    def __call__(self, p: Tensor) -> tuple[Tensor, Tensor]:
        """Distance [N] and kind of surface [N] at points [N, 3]."""
        t, u = self.body.torso, self.unit
        x, y, z = p.unbind(-1)
        cone = _Cones(p)
        level = y / t
        w, d = curve(level, self.knots, self.width), curve(level, self.knots, self.depth)
        shift = self.belly * torch.exp(-(((level - 0.3) / 0.25) ** 2)) - 0.012 * u * torch.exp(
            -(((level + 0.05) / 0.16) ** 2)
        )
        q = ((x.abs() / w) ** 2.4 + ((z - shift).abs() / d) ** 2.4) ** (1 / 2.4)
        trunk = torch.maximum((q - 1) * torch.minimum(w, d), torch.maximum(y - 1.09 * t, -0.26 * t - y))
        head = self.place["head"]
        radius = self.neck_radius
        top = head + torch.tensor([0.0, -0.45, -0.12]) * self.body.head_radius
        neck = cone(self.place["neck"] + torch.tensor([0.0, -0.06 * t, -0.01 * u]), top, radius * 1.12, radius * 0.98)
        for side, _ in SIDES:
            trunk = soft_min(trunk, cone(*self.shoulder_line(side), 0.036 * u, 0.036 * u), 0.05 * u)
        distance, kind = soft_min(trunk, neck, 0.045 * u), torch.where(neck < trunk, NECK, TRUNK)
        thick = 0.007 * u
        for code, side in ((LEFT_ARM, "left"), (RIGHT_ARM, "right")):
            points, bare = self.arm(side)
            arm = cone.limb(points, bare, 0.02 * u)
            if self.look.sleeve > 0.05:
                loose = 0.012 * u
                cloth = _cut(
                    points, [r + thick + loose * k for r, k in zip(bare, (0.0, 0.5, 0.7), strict=True)], self.look.sleeve
                )
                arm = torch.minimum(arm, cone.limb(*cloth, 0.02 * u))
            kind = torch.where(arm < torch.minimum(distance, trunk), code, kind)
            distance = soft_min(distance, arm, 0.05 * u)
        legs = []
        for side, _ in SIDES:
            points, bare = self.leg(side)
            leg = cone.limb(points, bare, 0.03 * u)
            calf = points[1] + (points[2] - points[1]) * 0.3 + torch.tensor([0.0, 0.0, -0.010 * u])
            leg = soft_min(
                leg, cone(calf, points[1] + (points[2] - points[1]) * 0.55, bare[1] * 0.95, bare[1] * 0.78), 0.05 * u
            )
            if self.look.leg_cover > 0.05:
                loose = 0.016 * u
                cloth = _cut(
                    points, [r + thick + loose * k for r, k in zip(bare, (0.0, 0.6, 1.0), strict=True)], self.look.leg_cover
                )
                leg = torch.minimum(leg, cone.limb(*cloth, 0.03 * u))
            legs.append(leg)
        both = soft_min(legs[0], legs[1], 0.012 * u)
        kind = torch.where(both < distance, torch.where(legs[0] < legs[1], LEFT_LEG, RIGHT_LEG), kind)
        return soft_min(distance, both, 0.05 * u), kind
