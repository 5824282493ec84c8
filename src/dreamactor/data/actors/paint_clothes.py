"""Paints clothes and bare skin on the body: what is covered, necklines, fronts, belts and hems."""

from __future__ import annotations

import torch
from torch import Tensor

from dreamactor.data.actors.body_field import BodyField
from dreamactor.data.actors.cloth import cloth_color
from dreamactor.data.actors.figure import Figure
from dreamactor.data.actors.rows import color_rows
from dreamactor.data.actors.skin import (
    COAT,
    HOOD,
    LEFT_ARM,
    LEFT_LEG,
    NECK,
    RIGHT_ARM,
    RIGHT_LEG,
    SKIRT,
    TRUNK,
)
from dreamactor.data.actors.texture import textured
from dreamactor.geometry.rotation import normalize


def paint_clothes(figure: Figure, code: int, point: Tensor, soft: Tensor) -> tuple[Tensor, Tensor]:
    """Colour and gloss [N, 3], [N] of trunk, neck, limbs and what is worn over them, at rest places [N, 3].

    Args:
        figure: whose clothes.
        code: kind of surface.
        point: [N, 3] rest places in metres.
        soft: [N] width of a pixel there in metres.
    """
    look, field, torso = figure.actor.look, figure.outfit.field, figure.actor.body.torso
    seed = figure.actor.seed
    skin = _bare(figure, point, soft)
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
        collar = collar + _neckline(look.neckline, point / field.unit) * field.unit
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
    color = cloth_color(cloth, surface, soft, printed=code == TRUNK and look.open_front is None, torso=torso, seed=seed)
    if code in (TRUNK, NECK):
        color = _front_details(figure, color, point, soft)
    if code in (TRUNK, SKIRT, LEFT_LEG, RIGHT_LEG) and look.lower != "dress":
        belt = 0.16 * torso
        below = torch.ones(len(point)) if code == SKIRT else (0.5 - (point[:, 1] - belt) / soft).clamp(0, 1)
        lower = cloth_color(look.bottom, surface, soft, printed=False, torso=torso, seed=seed + 1)
        color = color + (lower - color) * below[:, None]
        line = ((0.007 * field.unit - (point[:, 1] - belt + 0.007 * field.unit).abs()) / soft + 0.5).clamp(0, 1)
        color = color * (1 - 0.4 * line * (code != SKIRT))[:, None]
    if code in (COAT, HOOD):
        color = color * torch.where(_inside_of(code, point, field), 0.62, 1.0)[:, None]
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


def _bare(figure: Figure, point: Tensor, soft: Tensor) -> Tensor:
    """Colour of bare skin."""
    look, grain = figure.actor.look, 0.35 * figure.outfit.field.unit
    skin = color_rows(look.skin, len(point))
    if not look.skin_texture:
        return skin
    place = torch.stack([point[:, 0] + point[:, 2], -point[:, 1]], -1) / grain
    return textured(skin, look.skin_kind, 11, place, soft / grain, look.skin_texture)


def _neckline(kind: str, point: Tensor) -> Tensor:
    """How much higher than a round neckline cloth ends at places in body units."""
    x, _, z = point.unbind(-1)
    front = (z / 0.05).clamp(0, 1)
    if kind == "v":
        return -0.105 * front * (1 - x.abs() / 0.075).clamp(min=0)
    if kind == "shirt":
        return 0.03 - 0.12 * front * (1 - x.abs() / 0.05).clamp(min=0)
    if kind == "turtle":
        return torch.full_like(x, 0.075) + 0.40 * (z + 0.02).clamp(min=0)
    if kind == "boat":
        return -0.035 - 0.05 * (x.abs() / 0.1).clamp(0, 1)
    return torch.zeros_like(x)


def _front_details(figure: Figure, color: Tensor, point: Tensor, soft: Tensor) -> Tensor:
    """An open jacket's front and buttons."""
    look, field = figure.actor.look, figure.outfit.field
    x, y, z = point.unbind(-1)
    front = z > 0
    if look.open_front is not None:
        half = (0.030 + 0.055 * (y / field.body.torso).clamp(0, 1.1)) * field.unit
        gap = (0.5 + (half - x.abs()) / soft).clamp(0, 1) * front
        color = color + (torch.tensor(look.open_front) - color) * gap[:, None]
        lapel = (0.5 + (0.012 * field.unit - (x.abs() - half - 0.012 * field.unit).abs()) / soft).clamp(0, 1) * front
        color = color * (1 - 0.30 * lapel)[:, None]
    if look.buttons:
        step = 0.085 * field.unit
        away = torch.sqrt((x - (0.10 * field.unit if look.open_front else 0.0)).square() + (y % step - step / 2).square())
        button = (0.5 + (0.010 * field.unit - away) / soft).clamp(0, 1) * front * (y > 0.2 * field.body.torso)
        color = color + (torch.tensor(look.collar) * 0.6 + 0.3 - color) * button[:, None]
    return color


def _inside_of(code: int, point: Tensor, field: BodyField) -> Tensor:
    """[N] bool, the shaded inner side of a coat or hood."""
    if code == HOOD:
        return (point[:, 2] > -0.6 * field.neck_radius) & (point[:, 0].abs() < field.neck_radius)
    return torch.zeros(len(point), dtype=torch.bool)
