"""Paints surfaces: the colour of every kind of surface at its texture coordinates, and the light on it.

Axis letter N: visible points. Knows nothing about triangles and pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dreamactor.data.actors.cloth import cloth_color
from dreamactor.data.actors.face import paint_face
from dreamactor.data.actors.figure import Figure
from dreamactor.data.actors.rows import color_rows, dot_rows, unit_rows
from dreamactor.data.actors.scene import Scene
from dreamactor.data.actors.skin import (
    EAR,
    FACE,
    GLASSES,
    HAIR,
    HAND,
    HAT,
    LEFT_ARM,
    LEFT_LEG,
    NECK,
    RIGHT_ARM,
    RIGHT_LEG,
    SHOE,
    SKIRT,
    TRUNK,
)
from dreamactor.geometry.rotation import normalize


def paint(figure: Figure, code: int, frame: Tensor, point: Tensor, soft: Tensor) -> tuple[Tensor, Tensor | float]:
    """Colour [N, 3] before lighting, and gloss (one or [N]), of points on surfaces of one kind.

    Args:
        figure: whose surfaces.
        code: the kind.
        frame: [N] int64, time index of every point.
        point: [N, 3] texture coordinates (see `Skin.coords`).
        soft: [N] width of a pixel there in metres.
    """
    actor, look = figure.actor, figure.actor.look
    if code == FACE:
        return paint_face(look, actor.face, figure.curves, frame, point, soft / actor.body.head_radius), 0.16
    if code == EAR:
        hollow = torch.exp(-(((point[:, 1] - actor.face.eye_y + 0.09) / 0.11) ** 2) - (((point[:, 2] + 0.10) / 0.055) ** 2))
        return color_rows(look.skin, len(point)) * (1 - 0.35 * hollow)[:, None], 0.10
    if code == HAND:
        return color_rows(look.skin, len(point)), 0.08
    if code == HAIR:
        return _hair_color(figure, point), 0.22
    if code == HAT:
        line = max(actor.face.hairline_y - 0.10, 0.40)
        band = ((0.03 - (point[:, 1] - line - 0.06).abs()) / (soft / actor.body.head_radius) + 0.5).clamp(0, 1)
        return color_rows(look.hat_color, len(point)) * (1 - 0.25 * band)[:, None], 0.05
    if code == GLASSES:
        return color_rows(look.glasses_color, len(point)), 0.5
    if code == SHOE:
        return _shoe_color(figure, point, soft), 0.15
    return _dressed(figure, code, point, soft)


def _dressed(figure: Figure, code: int, point: Tensor, soft: Tensor) -> tuple[Tensor, Tensor]:
    """Colour and gloss of trunk, neck, limbs and skirt at rest places [N, 3]."""
    look, field, torso = figure.actor.look, figure.outfit.field, figure.actor.body.torso
    skin = color_rows(look.skin, len(point))
    covered = torch.ones(len(point))
    hem = torch.zeros(len(point))
    cloth, surface = look.top, point

    def edge(beyond: Tensor, band: float = 0.008) -> Tensor:
        """How much a point lies inside cloth that ends where `beyond` is 0; marks the hem."""
        nonlocal hem
        hem = torch.maximum(hem, ((band * field.unit + beyond) / soft + 0.5).clamp(0, 1))
        return (0.5 - beyond / soft).clamp(0, 1)

    if code in (TRUNK, NECK):
        collar = torso * 1.015 + 0.055 * field.unit - 0.42 * (point[:, 2] + 0.02 * field.unit).clamp(min=-0.05 * field.unit)
        if look.sleeve < 0.05:
            collar = collar - 0.02 * field.unit
        covered = edge(point[:, 1] - collar)
        if look.sleeve < 0.05:
            covered = torch.minimum(covered, edge(_past_armhole(figure, point)))
        chin = float(field.place["head"][1]) - 0.95 * figure.actor.body.head_radius
        skin = (
            skin * (1 - 0.30 * ((point[:, 1] - chin) / (0.35 * figure.actor.body.head_radius) + 0.75).clamp(0, 1))[:, None]
        )
    elif code in (LEFT_ARM, RIGHT_ARM):
        points, _ = field.arm("left" if code == LEFT_ARM else "right")
        axis = normalize(points[2] - points[0])
        along = (point - points[0]) @ axis
        side = torch.tensor([0.0, 0.0, 1.0])
        out = torch.linalg.cross(axis, side)
        surface = torch.stack([(point - points[0]) @ out, torso - along, point[:, 2]], -1)
        ends = _length(points, look.sleeve)
        covered = edge(along - ends if look.sleeve > 0.05 else _past_armhole(figure, point))
    elif code in (LEFT_LEG, RIGHT_LEG):
        points, _ = field.leg("left" if code == LEFT_LEG else "right")
        along = (point - points[0]) @ normalize(points[2] - points[0])
        surface = torch.stack([point[:, 0] - points[0][0], -along, point[:, 2]], -1)
        if look.leg_cover > 0.05:
            covered = edge(along - _length(points, look.leg_cover))
        else:
            covered = (0.5 - (along - 0.05 * field.unit) / soft).clamp(0, 1)
        cloth = look.bottom
    color = cloth_color(cloth, surface, soft, printed=code == TRUNK, torso=torso)
    if code in (TRUNK, SKIRT, LEFT_LEG, RIGHT_LEG) and look.lower != "dress":
        belt = 0.16 * torso
        below = torch.ones(len(point)) if code == SKIRT else (0.5 - (point[:, 1] - belt) / soft).clamp(0, 1)
        lower = cloth_color(look.bottom, surface, soft, printed=False, torso=torso)
        color = color + (lower - color) * below[:, None]
        line = ((0.007 * field.unit - (point[:, 1] - belt + 0.007 * field.unit).abs()) / soft + 0.5).clamp(0, 1)
        color = color * (1 - 0.4 * line * (code != SKIRT))[:, None]
    band = torch.tensor(look.collar if cloth is look.top else cloth.color) * (1.0 if cloth is look.top else 0.8)
    color = color + (band - color) * hem[:, None]
    color = skin + (color - skin) * covered[:, None]
    return color, 0.09 - 0.07 * covered


def _past_armhole(figure: Figure, point: Tensor) -> Tensor:
    """Metres by which rest places lie beyond the armhole of a sleeveless top."""
    shoulder = figure.outfit.field.place["left_shoulder"]
    below = (shoulder[1] - point[:, 1]).clamp(min=0)
    return point[:, 0].abs() - (0.74 * shoulder[0] + 0.38 * below)


def _length(points: list[Tensor], cover: float) -> float:
    """Metres along a two-bone limb that cloth covers."""
    first, second = float((points[1] - points[0]).norm()), float((points[2] - points[1]).norm())
    return first * min(cover, 1.0) + second * max(0.0, min(cover, 2.0) - 1.0) - (0.004 if cover >= 2 else 0.0)


def _shoe_color(figure: Figure, point: Tensor, soft: Tensor) -> Tensor:
    """Upper, sole, toe cap and sock; coordinates in foot lengths about the ankle."""
    look, size = figure.actor.look, soft / figure.actor.body.foot
    color = color_rows(look.shoe, len(point))
    laces = (
        (0.35 * torch.sin(point[:, 2] * 60) + 0.3).clamp(0, 1)
        * (point[:, 0].abs() < 0.09)
        * (point[:, 1] > -0.16)
        * (point[:, 2] > 0.12)
    )
    color = color + (0.95 - color) * (0.8 * laces)[:, None]
    sole = (0.5 - (point[:, 1] + 0.285) / size).clamp(0, 1)
    pale = torch.tensor((0.93, 0.92, 0.90)) if sum(look.shoe) < 1.9 else torch.tensor((0.30, 0.26, 0.24))
    color = color + (pale - color) * sole[:, None]
    sock = (0.5 + (point[:, 1] + 0.03) / size).clamp(0, 1)
    return color + (torch.tensor(look.sock) - color) * sock[:, None]


def _hair_color(figure: Figure, point: Tensor) -> Tensor:
    angle = torch.atan2(point[:, 0] - 0.3 * figure.actor.look.parting, point[:, 2] + 1.2)
    strand = torch.sin(angle * 60 + 3 * torch.sin(point[:, 1] * 7)) * 0.5 + torch.sin(angle * 131 + point[:, 1] * 5) * 0.5
    base = color_rows(figure.actor.look.hair_color, len(point))
    return (base * (1 + 0.13 * strand)[:, None] + 0.012 * strand[:, None]).clamp(0, 1)


def light(color: Tensor, normal: Sequence[Tensor], view: Sequence[Tensor], gloss: Tensor, scene: Scene) -> Tensor:
    """Wrapped key light, sky and ground fill, a rim, and a soft highlight.

    Args:
        color: [3, N] before lighting.
        normal, view: three [N] each, unit vectors out of the surface and to the camera.
        gloss: [N] strength of the highlight.
        scene: the lights.

    Returns:
        [3, N] colour, not clamped.
    """
    sun = scene.light
    half = unit_rows(*(v + s for v, s in zip(view, sun, strict=True)))
    facing = normal[0] * sun[0] + normal[1] * sun[1] + normal[2] * sun[2]
    key = facing.add_(0.35).div_(1.35).clamp_(0, 1).mul_(scene.key)
    sky = 0.5 + 0.5 * normal[1]
    fill = (0.62 + 0.38 * sky).mul_(scene.fill)
    grazing = 1 - dot_rows(normal, view).clamp_(0, 1)
    dim = 1 - 0.22 * grazing.square()
    shine = dot_rows(normal, half).clamp_(0, 1).pow_(26).mul_(gloss)
    shine += sky.mul_(scene.rim * 0.35) * grazing.pow_(3)
    lit = torch.empty_like(color)
    for channel, warm in enumerate((1 + 0.06 * scene.warmth, 1.0, 1 - 0.08 * scene.warmth)):
        torch.mul(color[channel], (key * warm).add_(fill).mul_(dim), out=lit[channel])
    return lit.add_((1 - lit).clamp_(0, 1).mul_(shine))
