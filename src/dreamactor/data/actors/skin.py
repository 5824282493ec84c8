"""The surface of an actor's body in a rest pose and how it follows the joints: one smooth skin, no ball joints.

Trunk, neck and limbs are one mesh taken from a smooth distance field, clothes included; hands, shoes and skirts are meshes
of their own. The head is in `head.py`. Knows nothing about cameras and colours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.actors.body import BodyShape, Joints, pose_body
from dreamactor.data.actors.curves import curve, smooth
from dreamactor.data.actors.mesh import Mesh, ellipsoid, join, loft, ring_angles, surface_net, tube
from dreamactor.data.actors.motion import pose_performance
from dreamactor.data.actors.rows import dot_rows, length_rows
from dreamactor.data.actors.swing import Pendulum, swing
from dreamactor.data.actors.wardrobe import Look
from dreamactor.geometry.rotation import normalize

(
    TRUNK, NECK, LEFT_ARM, RIGHT_ARM, LEFT_LEG, RIGHT_LEG, HAND, SHOE, SKIRT, FACE, EAR, HAIR, HAT, GLASSES,
    COAT, HOOD, SCARF, TIE,
) = range(18)  # fmt: skip
"""Kinds of surface."""

_SIDES: Final = (("left", 1.0), ("right", -1.0))
_FINGERS: Final = range(5)
SEGMENTS: Final = (
    "root",
    "waist",
    "chest",
    "neck",
    "head",
    *(f"{side}_{name}" for side, _ in _SIDES for name in ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")),
    *(f"{side}_finger_{finger}_{joint}" for side, _ in _SIDES for finger in _FINGERS for joint in range(3)),
    "hair",
    "skirt",
)
SEGMENT: Final = {name: index for index, name in enumerate(SEGMENTS)}
_ORIGIN: Final = {
    "root": "pelvis", "waist": "waist", "chest": "neck", "neck": "throat", "head": "head",
    **{f"{s}_{a}": f"{s}_{b}" for s, _ in _SIDES for a, b in
       (("upper_arm", "shoulder"), ("forearm", "elbow"), ("hand", "wrist"),
        ("thigh", "hip"), ("shin", "knee"), ("foot", "ankle"))},
}  # fmt: skip
_HANGING: Final = {
    "hair": ("head", Pendulum(rest=(0.0, -0.12, -0.06), frequency_hz=1.7, damping=0.35, upright=0.6, limit_rad=0.7)),
    "skirt": ("pelvis", Pendulum(rest=(0.0, -0.35, -0.05), frequency_hz=1.9, damping=0.4, upright=0.5, limit_rad=0.5)),
}
_CARRIER: Final = {"hair": "head", "skirt": "root"}
"""The segment each of them hangs from."""


@dataclass(frozen=True, kw_only=True)
class Skin:
    """All surfaces of an actor in the rest pose.

    Attributes:
        vertices, normals: [V, 3] rest pose, metres about the pelvis.
        faces: [F, 3] int64.
        kind: [F] int64.
        weights: [V, len(SEGMENTS)] rows sum to one.
        head: slice of the vertices that belong to the deforming head; their `coords` are head units.
        coords: [V, 3] where the surface is textured: rest metres, or head units for everything on the head.
    """

    vertices: Tensor
    normals: Tensor
    faces: Tensor
    kind: Tensor
    weights: Tensor
    coords: Tensor
    head: slice


@dataclass(frozen=True, kw_only=True)
class Part:
    """One piece of `Skin`."""

    mesh: Mesh
    weights: Tensor
    kind: Tensor
    coords: Tensor | None = None

    @property
    def place(self) -> Tensor:
        """[V, 3] texture coordinates: `coords`, or the rest places."""
        return self.mesh.vertices if self.coords is None else self.coords


def rest_joints(body: BodyShape) -> Joints:
    """Joints of the pose the skin is made in: arms 38 degrees out, legs a little apart, pelvis at the origin."""
    joints = pose_body(body, pose_performance({
        "left_raise": 38.0, "right_raise": 38.0, "left_hip_out": 7.0, "right_hip_out": 7.0, "left_spread": 0.6,
        "right_spread": 0.6,
    }))  # fmt: skip
    shift = joints.place["pelvis"]
    return Joints(
        place={name: where - shift for name, where in joints.place.items()},
        frame=joints.frame,
        fingers=joints.fingers - shift[:, None, None, None],
    )


def segment_frames(joints: Joints, fps: float) -> tuple[Tensor, Tensor]:
    """Rotation [T, G, 3, 3] and origin [T, G, 3] of every segment at `fps` frames a second."""
    rotation, origin = [], []
    for name in SEGMENTS:
        if "finger" in name:
            side, _, finger, joint = name.split("_")
            chain = joints.fingers[:, 0 if side == "left" else 1, int(finger)]
            start, end = chain[:, int(joint)], chain[:, int(joint) + 1]
            y = normalize(start - end)
            x = joints.frame[f"{side}_hand"][..., 0]
            x = normalize(x - (x * y).sum(-1, keepdim=True) * y)
            rotation.append(torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1))
            origin.append(start)
        elif name == "neck":
            mixed = joints.frame["chest"] + joints.frame["head"]
            y = normalize(mixed[..., 1])
            x = normalize(mixed[..., 0] - (mixed[..., 0] * y).sum(-1, keepdim=True) * y)
            rotation.append(torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1))
            origin.append(joints.place["throat"])
        elif name in _HANGING:
            fixed, pendulum = _HANGING[name]
            origin.append(joints.place[fixed])
            rotation.append(swing(pendulum, joints.frame[_CARRIER[name]], origin[-1], fps))
        else:
            rotation.append(joints.frame[name])
            origin.append(joints.place[_ORIGIN[name]])
    return torch.stack(rotation, 1), torch.stack(origin, 1)


def rigid(count: int, segment: str) -> Tensor:
    """[count, G] weights on one segment."""
    weights = torch.zeros(count, len(SEGMENTS))
    weights[:, SEGMENT[segment]] = 1
    return weights


def one_kind(mesh: Mesh, kind: int) -> Tensor:
    """[F] all faces of one kind."""
    return torch.full((len(mesh.faces),), kind, dtype=torch.int64)


# ---- the field -------------------------------------------------------------------------------------------------------


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
        for side, _ in _SIDES:
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
        for side, _ in _SIDES:
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


def _body_part(body: BodyShape, field: BodyField) -> Part:
    u = field.unit
    wrist, ankle = field.place["left_wrist"], field.place["left_ankle"]
    reach = max(field.depth) + field.belly + 0.03 * u
    wide = max(float(wrist[0]) + 0.05 * u, max(field.width) + 0.03 * u)
    low = torch.tensor([-wide, float(ankle[1]) - 0.07 * u, -reach])
    high = torch.tensor([wide, float(field.place["head"][1]) - 0.25 * body.head_radius, reach])
    cell = float(high[1] - low[1]) / 66
    mesh = surface_net(lambda p: field(p)[0], low, high, cell)
    middle = mesh.vertices[mesh.faces].mean(1)
    _, kind = field(middle - 0.2 * cell * mesh.normals[mesh.faces[:, 0]])
    _, vertex_kind = field(mesh.vertices - 0.2 * cell * mesh.normals)
    return Part(mesh=mesh, weights=_body_weights(body, field, mesh.vertices, vertex_kind), kind=kind)


def _body_weights(body: BodyShape, field: BodyField, p: Tensor, kind: Tensor) -> Tensor:
    """Smooth weights from how far a point lies past each joint."""
    t, u = body.torso, field.unit
    y = p[:, 1]
    neck, head = float(field.place["neck"][1]), float(field.place["head"][1])
    waist, chest = smooth(0.10 * t, 0.40 * t, y), smooth(0.30 * t, 0.72 * t, y)
    throat = smooth(neck, neck + 0.6 * (head - 0.7 * body.head_radius - neck), y) * (p[:, 0].abs() < 1.8 * field.neck_radius)
    top = smooth(neck + 0.3 * (head - neck), head - 0.55 * body.head_radius, y)
    weights = torch.zeros(len(p), len(SEGMENTS))
    trunk = {"root": 1 - waist, "waist": waist * (1 - chest), "chest": waist * chest * (1 - throat),
             "neck": waist * chest * throat * (1 - top), "head": waist * chest * throat * top}  # fmt: skip
    for name, share in trunk.items():
        weights[:, SEGMENT[name]] = share
    for side, sign in _SIDES:
        own = smooth(-0.012 * u, 0.012 * u, sign * p[:, 0])
        points, radii = field.arm(side)
        along = normalize(points[2] - points[0])
        s = (p - points[0]) @ along
        beside = (p - points[0] - s[:, None] * along).norm(dim=-1)
        near = 1 - smooth(1.3 * radii[0], 2.4 * radii[0], beside)
        near = torch.where(kind == (LEFT_ARM if sign > 0 else RIGHT_ARM), torch.ones_like(near), near)
        arm = smooth(-0.9 * radii[0], 1.1 * radii[0], s) * near * own
        bend = smooth(-0.9 * radii[1], 0.9 * radii[1], (p - points[1]) @ along)
        weights *= (1 - arm)[:, None]
        weights[:, SEGMENT[f"{side}_upper_arm"]] = arm * (1 - bend)
        weights[:, SEGMENT[f"{side}_forearm"]] = arm * bend
        is_arm = (kind == LEFT_ARM) | (kind == RIGHT_ARM)
        points, radii = field.leg(side)
        along = normalize(points[2] - points[0])
        s = (p - points[0]) @ along
        leg = smooth(-0.05 * u, 0.11 * u, s) * own * (~is_arm)
        bend = smooth(-0.9 * radii[1], 0.9 * radii[1], (p - points[1]) @ along)
        weights *= (1 - leg)[:, None]
        weights[:, SEGMENT[f"{side}_thigh"]] = leg * (1 - bend)
        weights[:, SEGMENT[f"{side}_shin"]] = leg * bend
    return weights / weights.sum(1, keepdim=True)


def _hand_part(body: BodyShape, rest: Joints, side: str) -> Part:
    frame, wrist = rest.frame[f"{side}_hand"][0], rest.place[f"{side}_wrist"][0]
    hand = body.hand
    meshes, weights = [], []
    for center, radii in (((0.0, -0.27, 0.0), (0.105, 0.31, 0.235)), ((0.0, -0.04, 0.0), (0.115, 0.16, 0.15))):
        mesh = ellipsoid([c * hand for c in center], [r * hand for r in radii], rings=9, sides=12)
        meshes.append(mesh.moved(rotation=frame, offset=wrist))
        weights.append(rigid(len(mesh.vertices), f"{side}_hand"))
    for finger in _FINGERS:
        chain = rest.fingers[0, 0 if side == "left" else 1, finger]
        thick = hand * (0.066, 0.056, 0.058, 0.055, 0.050)[finger]
        start = chain[0] + 0.25 * (wrist - chain[0])
        steps = [-1.0, 0.0, 0.8, 1.0, 1.2, 1.8, 2.0, 2.2, 2.6, 2.9]
        path = torch.stack(
            [
                start,
                *(
                    chain[min(int(s), 2)] + (chain[min(int(s), 2) + 1] - chain[min(int(s), 2)]) * (s - min(int(s), 2))
                    for s in steps[1:]
                ),
            ]
        )
        girth = [thick * 1.15, *(thick * (1.08 - 0.09 * s) for s in steps[1:-1]), thick * 0.66]
        mesh = tube(path, girth, sides=7)
        level = torch.tensor([steps[0]] * 2 + steps + [steps[-1]] * 2).repeat_interleave(7)
        w = torch.zeros(len(mesh.vertices), len(SEGMENTS))
        root, first, second = smooth(-0.6, 0.2, level), smooth(0.75, 1.25, level), smooth(1.75, 2.25, level)
        w[:, SEGMENT[f"{side}_hand"]] = 1 - root
        w[:, SEGMENT[f"{side}_finger_{finger}_0"]] = root * (1 - first)
        w[:, SEGMENT[f"{side}_finger_{finger}_1"]] = root * first * (1 - second)
        w[:, SEGMENT[f"{side}_finger_{finger}_2"]] = root * first * second
        meshes.append(mesh)
        weights.append(w)
    mesh = join(meshes)
    return Part(mesh=mesh, weights=torch.cat(weights), kind=one_kind(mesh, HAND))


def _shoe_part(body: BodyShape, field: BodyField, rest: Joints, side: str) -> Part:
    """A shoe as rings from the sole up; coords: x across, y up from the sole, z along, in foot lengths."""
    if field.look.barefoot:
        return _bare_foot_part(body, field, rest, side)
    frame, ankle = rest.frame[f"{side}_foot"][0], rest.place[f"{side}_ankle"][0]
    foot, sign = body.foot, 1.0 if side == "left" else -1.0
    shaft = field.leg(side)[1][2] / foot * (1.12 if field.look.leg_cover < 2 else 1.0)
    sides = 18
    angle = ring_angles(sides)
    # height over the sole, half width, front end, back end (z of the ankle is 0), sideways swing of the toe
    rows: tuple[tuple[float, float, float, float], ...] = (
            (-0.345, 0.0, 0.30, 0.10), (-0.345, 0.185, 0.74, -0.27), (-0.30, 0.205, 0.76, -0.285),
            (-0.24, 0.205, 0.755, -0.285), (-0.17, 0.195, 0.70, -0.275), (-0.10, 0.175, 0.52, -0.255),
            (-0.02, 0.155, 0.30, -0.225),
            (0.06, max(0.14, shaft), max(0.17, shaft), -max(0.17, shaft)))  # fmt: skip
    boot = field.look.boot
    if boot:
        wide = 1.15 * shaft + 0.03
        rows += ((0.06 + 0.5 * boot, wide, wide + 0.01, -wide - 0.02), (0.06 + boot, 1.12 * wide, 1.12 * wide, -1.15 * wide))
    rows += ((0.12 + boot, 0.0, 0.0, 0.0),)
    rings = []
    for height, half, front, back in rows:
        middle, reach = (front + back) / 2, (front - back) / 2 if half else 0.0
        zz = angle.cos()
        waist = 1 - 0.18 * torch.exp(-(((zz + 0.25) / 0.35) ** 2)) if height < -0.1 else 1.0
        x = half * angle.sin().sign() * angle.sin().abs() ** 0.85 * waist
        zed = middle + reach * zz
        rings.append(torch.stack([x + sign * 0.07 * zed.clamp(min=0), torch.full_like(x, height), zed], -1))
    mesh = loft(torch.stack(rings))
    local = mesh.vertices.clone()
    mesh = mesh.moved(rotation=frame, offset=ankle, scale=foot)
    return Part(mesh=mesh, weights=rigid(len(local), f"{side}_foot"), kind=one_kind(mesh, SHOE), coords=local)


def _bare_foot_part(body: BodyShape, field: BodyField, rest: Joints, side: str) -> Part:
    """A foot with five toes; coords as a shoe's."""
    frame, ankle = rest.frame[f"{side}_foot"][0], rest.place[f"{side}_ankle"][0]
    sign = 1.0 if side == "left" else -1.0
    shaft = field.leg(side)[1][2] / body.foot
    meshes = [
        ellipsoid((sign * 0.02, -0.23, 0.26), (0.150, 0.095, 0.40), rings=9, sides=14),
        ellipsoid((0.0, -0.22, -0.12), (0.135, 0.12, 0.15), rings=9, sides=12),
        ellipsoid((0.0, -0.05, 0.02), (max(0.12, shaft), 0.24, max(0.15, shaft)), rings=9, sides=12),
    ]
    for toe, (across, ahead, size) in enumerate(
        ((-0.085, 0.66, 0.062), (-0.010, 0.665, 0.044), (0.050, 0.63, 0.041), (0.102, 0.585, 0.038), (0.148, 0.53, 0.036))
    ):
        meshes.append(
            ellipsoid((sign * (across + 0.04), -0.285 + 0.004 * toe, ahead), (size, 0.052, 1.7 * size), rings=7, sides=10)
        )
    mesh = join(meshes)
    local = mesh.vertices.clone()
    mesh = mesh.moved(rotation=frame, offset=ankle, scale=body.foot)
    return Part(mesh=mesh, weights=rigid(len(local), f"{side}_foot"), kind=one_kind(mesh, SHOE), coords=local)


def build_skin(
    body: BodyShape,
    look: Look,
    *,
    head_parts: Callable[[Tensor], list[Part]],
    garment_parts: Callable[[BodyField], list[Part]],
) -> tuple[Skin, BodyField, Joints]:
    """Everything in one list of triangles.

    Args:
        body, look: whose body and clothes.
        head_parts: rest place [3] of the head's middle -> the parts on it, the deforming head first.
        garment_parts: the body's measures -> the parts that are worn over it.
    """
    rest = rest_joints(body)
    field = BodyField(body, look, rest)
    parts = head_parts(rest.place["head"][0])
    head = slice(0, len(parts[0].mesh.vertices))
    parts.append(_body_part(body, field))
    for side, _ in _SIDES:
        parts += [_hand_part(body, rest, side), _shoe_part(body, field, rest, side)]
    parts += garment_parts(field)
    mesh = join([part.mesh for part in parts])
    skin = Skin(
        vertices=mesh.vertices,
        normals=mesh.normals,
        faces=mesh.faces,
        kind=torch.cat([part.kind for part in parts]),
        weights=torch.cat([part.weights for part in parts]),
        coords=torch.cat([part.place for part in parts]),
        head=head,
    )
    return skin, field, rest
