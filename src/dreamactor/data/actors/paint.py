"""Paints surfaces: the colour of every kind of surface at its texture coordinates, and the light on it.

Axis letter N: visible points. Knows nothing about triangles and pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dreamactor.data.actors.face import paint_face
from dreamactor.data.actors.figure import Figure
from dreamactor.data.actors.head import animal_ear_place
from dreamactor.data.actors.head_shape import HeadShape
from dreamactor.data.actors.headwear import hat_line
from dreamactor.data.actors.paint_clothes import paint_clothes
from dreamactor.data.actors.rows import color_rows, dot_rows, unit_rows
from dreamactor.data.actors.scene import Scene
from dreamactor.data.actors.skin import EAR, FACE, GLASSES, HAIR, HAND, HAT, SCARF, SHOE, TIE
from dreamactor.data.actors.texture import textured


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
        return _ear_color(figure, point), 0.10
    if code == HAND:
        return color_rows(look.gloves or look.skin, len(point)), 0.08 if look.gloves is None else 0.03
    if code == HAIR:
        return _hair_color(figure, point, soft / actor.body.head_radius), 0.22
    if code == HAT:
        return _hat_color(figure, point, soft / actor.body.head_radius), 0.35 if look.hat in ("helmet", "crown") else 0.05
    if code == GLASSES:
        return color_rows(look.glasses_color, len(point)), 0.5
    if code == SHOE:
        return _shoe_color(figure, point, soft), 0.15 if not look.barefoot else 0.05
    if code in (SCARF, TIE):
        cloth = torch.tensor(look.scarf if code == SCARF else look.tie)
        phase = point[:, 1] + (0.6 * point[:, 0] if code == TIE else 0.0)
        stripe = ((torch.sin(phase * (190 if code == TIE else 120)) * 0.01 / soft) + 0.5).clamp(0, 1)
        return cloth * (1 - 0.35 * stripe)[:, None], torch.full((len(point),), 0.04)
    return paint_clothes(figure, code, point, soft)


def _shoe_color(figure: Figure, point: Tensor, soft: Tensor) -> Tensor:
    """Upper, sole, toe cap and sock; coordinates in foot lengths about the ankle."""
    look, size = figure.actor.look, soft / figure.actor.body.foot
    if look.barefoot:
        nail = (point[:, 2] > 0.60 - 0.8 * (point[:, 0].abs() - 0.1).clamp(min=0)) & (point[:, 1] > -0.262)
        return torch.tensor(look.skin) * (1 + 0.10 * nail)[:, None]
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
    sock = (0.5 + (point[:, 1] + 0.03 - look.boot) / size).clamp(0, 1)
    return color + (torch.tensor(look.sock) - color) * sock[:, None]


def _ear_color(figure: Figure, point: Tensor) -> Tensor:
    face, look = figure.actor.face, figure.actor.look
    skin = torch.tensor(look.skin)
    if face.creature in ("human", "alien", "robot"):
        hollow = torch.exp(-(((point[:, 1] - face.eye_y + 0.09) / 0.11) ** 2) - (((point[:, 2] + 0.10) / 0.055) ** 2))
        return color_rows(look.skin, len(point)) * (1 - 0.35 * hollow)[:, None]
    inner = torch.tensor((0.92, 0.66, 0.64)) * 0.75 + 0.25 * skin
    across, up = animal_ear_place(HeadShape(face=face), point)
    return skin + (inner - skin) * ((0.55 - torch.sqrt(across**2 + up**2)) / 0.15 + 0.5).clamp(0, 1)[:, None] * (
        point[:, 2:] > -0.14
    )


def _hat_color(figure: Figure, point: Tensor, soft: Tensor) -> Tensor:
    look = figure.actor.look
    color = color_rows(look.hat_color, len(point))
    if look.hat in ("hood", "scarf", "headband", "crown"):
        fold = 0.10 * torch.sin(point[:, 1] * 23 + 4 * point[:, 0]) if look.hat == "scarf" else torch.zeros(len(point))
        return color * (1 + fold)[:, None]
    band = ((0.03 - (point[:, 1] - hat_line(HeadShape(face=figure.actor.face)) - 0.06).abs()) / soft + 0.5).clamp(0, 1)
    return color * (1 - 0.25 * band)[:, None]


def _hair_color(figure: Figure, point: Tensor, soft: Tensor) -> Tensor:
    look = figure.actor.look
    angle = torch.atan2(point[:, 0] - 0.3 * look.parting, point[:, 2] + 1.2)
    strand = torch.sin(angle * 60 + 3 * torch.sin(point[:, 1] * 7)) * 0.5 + torch.sin(angle * 131 + point[:, 1] * 5) * 0.5
    base = color_rows(look.hair_color, len(point))
    if look.hair_streak is not None:
        streak = (3 * torch.sin(angle * 21 + 2.0 * look.parting) - 1.2).clamp(0, 1)
        base = base + (torch.tensor(look.hair_streak) - base) * (0.8 * streak)[:, None]
    color = (base * (1 + 0.13 * strand)[:, None] + 0.012 * strand[:, None]).clamp(0, 1)
    if look.skin_texture and look.skin_kind in ("photo", "noise"):
        color = textured(color, look.skin_kind, 23, point[:, :2] * 0.8, 0.8 * soft, 0.7 * look.skin_texture)
    return color


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
