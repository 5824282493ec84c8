"""An actor's skin in a rest pose and how it follows the joints: one smooth surface, no ball joints.

Trunk, neck and limbs are one mesh taken from `body_field.py`, clothes included; hands, shoes and bare feet are meshes of
their own. Knows nothing about cameras and colours.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from dreamactor.data.actors.body import BodyShape, Joints
from dreamactor.data.actors.body_field import BodyField
from dreamactor.data.actors.curves import smooth
from dreamactor.data.actors.mesh import ellipsoid, join, loft, ring_angles, surface_net, tube
from dreamactor.data.actors.skin import (
    FINGERS,
    HAND,
    LEFT_ARM,
    RIGHT_ARM,
    SEGMENT,
    SEGMENTS,
    SHOE,
    SIDES,
    Part,
    Skin,
    one_kind,
    rest_joints,
    rigid,
)  # fmt: skip
from dreamactor.data.actors.wardrobe import Look
from dreamactor.geometry.rotation import normalize


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
    for side, sign in SIDES:
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
    for finger in FINGERS:
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
    for side, _ in SIDES:
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
