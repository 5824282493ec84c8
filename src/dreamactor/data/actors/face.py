"""Paints a face: colours over head coordinates, with edges as soft as one pixel. Knows nothing about rays or lights.

Axis letter N: surface points. Head coordinates are head units (see `expression`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from dreamactor.data.actors.expression import FaceCurves, FaceShape, brow_height, iris_center, lid_heights
from dreamactor.data.actors.rows import color_rows, take, where
from dreamactor.data.actors.texture import textured
from dreamactor.data.actors.wardrobe import Color, Look


def _inside(distance: Tensor, soft: Tensor) -> Tensor:
    """1 where a signed distance is negative, 0 outside, a ramp one footprint wide between."""
    return (0.5 - distance / soft).clamp(0, 1)


def _paint(color: Tensor, over: Color | Tensor, share: Tensor) -> Tensor:
    paint = torch.tensor(over) if isinstance(over, tuple) else over
    return color + (paint - color) * share[:, None]


def _bump(x: Tensor, y: Tensor, cx: Tensor | float, cy: Tensor | float, rx: float, ry: float) -> Tensor:
    return ((x - cx).div_(rx).square_()).add_((y - cy).div_(ry).square_()).neg_().exp_()


def paint_face(look: Look, shape: FaceShape, curves: FaceCurves, frame: Tensor, point: Tensor, soft: Tensor) -> Tensor:
    """Colour of points on the head's front.

    Args:
        look, shape: whose face.
        curves: its features over time.
        frame: [N] int64, time index of every point.
        point: [N, 3] head coordinates.
        soft: [N] width of a pixel in head units.

    Returns:
        [N, 3] colour in 0..1 before lighting.
    """
    x, y, z = point.unbind(-1)
    color = color_rows(look.skin, len(x))
    front = ((z - 0.15) / 0.2).clamp(0, 1)
    color = _paint_relief(color, look, shape, curves, frame, x, y, front)
    if look.skin_texture:
        color = textured(color, look.skin_kind, 11, torch.stack([x, -y], -1) * 0.9, 0.9 * soft, look.skin_texture)
    if shape.creature not in ("human", "robot", "alien"):
        color = _paint_muzzle(color, look, shape, x, y, soft, front)
    if shape.creature == "robot":
        plate = torch.minimum((y - shape.brow_y - 0.22).abs(), (x.abs() - 0.46).abs() + 10 * (y > shape.nose_y))
        color = _paint(color, (0.12, 0.13, 0.15), 0.8 * _inside(plate - 0.008, soft) * front)
    if look.beard > 0:
        color = _paint(color, look.hair_color, look.beard * _beard_share(look, shape, x, y, z, soft))
    if look.makeup:
        lid = _bump(x.abs(), y, shape.eye_x, shape.eye_y + 0.55 * shape.eye_height, shape.eye_half_width, 0.09)
        color = _paint(color, look.eyeshadow, look.makeup * lid * front)
    at = (frame, x, y, soft, front)
    wide, near = 1.3 * curves.mouth_half_width[frame] + 0.1, (x - curves.mouth_x[frame]).abs()
    near = (near < wide + soft) & (y > shape.mouth_y - 0.8 - 3 * soft) & (y < shape.mouth_y + 0.5 + 3 * soft)
    color = _on(near & (front > 0), color, at, lambda part, t, x, y, s, f: _paint_mouth(part, look, curves, t, x, y, s, f))
    reach = 1.1 * max(shape.eye_half_width, shape.brow_half_width) + 0.05
    for side in (1, -1):
        near = ((side * x - shape.eye_x).abs() < reach + soft) & (y > shape.eye_y - shape.eye_height - 0.25 - 3 * soft)
        color = _on(
            near & (front > 0),
            color,
            at,
            lambda part, t, x, y, s, f, side=side: _paint_eye(part, look, shape, curves, t, x, y, s, f, side),
        )
    return color


def _on(near: Tensor, color: Tensor, at: tuple[Tensor, ...], paint: Callable[..., Tensor]) -> Tensor:
    """Paints where `near`, with the rows `at` those points: all that this paint can reach must lie inside."""
    here = where(near)
    part = color.T.index_select(1, here).T
    return color.T.scatter(1, here.expand(3, -1), paint(part, *take(here, *at)).T).T


def _beard_share(look: Look, shape: FaceShape, x: Tensor, y: Tensor, z: Tensor, soft: Tensor) -> Tensor:
    """How much of the skin a beard of the look's style covers."""
    edge = -0.36 + 0.40 * (x.abs() / shape.face_half_width).clamp(0, 1.2).pow(3)
    bare = _bump(x, y, 0.0, shape.mouth_y + 0.05, 0.30, 0.16)
    around = ((z + 0.25) / 0.2).clamp(0, 1)
    whole = _inside(y - edge, soft + 0.16) * (1 - bare).clamp(0, 1) * around
    lip = _bump(x, y, 0.0, (shape.nose_y + shape.mouth_y + shape.upper_lip) / 2 - 0.02, 0.26, 0.055)
    if look.beard_style == "moustache":
        return (1.6 * lip).clamp(0, 1) * around
    if look.beard_style == "goatee":
        chin = _bump(x, y, 0.0, -0.92, 0.24, 0.17)
        return (1.5 * chin + 1.2 * lip).clamp(0, 1) * around
    if look.beard_style == "sideburns":
        return whole * ((x.abs() - 0.36) / 0.15).clamp(0, 1)
    if look.beard_style == "stubble":
        spots = 0.5 + 0.5 * torch.sin(x * 190) * torch.sin(y * 170)
        return 0.5 * whole * (0.6 + 0.4 * spots)
    return whole


def _paint_muzzle(color: Tensor, look: Look, shape: FaceShape, x: Tensor, y: Tensor, soft: Tensor, front: Tensor) -> Tensor:
    """An animal's pale muzzle with a dark nose and whiskers."""
    middle = (shape.nose_y + shape.mouth_y) / 2 - 0.04
    patch = ((x / 0.40) ** 2 + ((y - middle) / 0.30) ** 2).sqrt() - 1
    color = _paint(color, look.muzzle_color, 0.85 * _inside(patch * 0.3, soft + 0.05) * front)
    brow = _bump(x.abs(), y, shape.eye_x, shape.eye_y, 1.6 * shape.eye_half_width, 1.5 * shape.eye_height)
    color = _paint(color, look.muzzle_color, 0.35 * brow * front)
    wide = 0.13 + 0.3 * (y - shape.nose_y).clamp(-0.1, 0.1)
    nose = torch.maximum(x.abs() - wide, (y - shape.nose_y - 0.03).abs() - 0.065)
    color = _paint(color, (0.10, 0.07, 0.08), _inside(nose, soft + 0.02) * front)
    seam = torch.maximum(
        x.abs() - 0.008, (y - (shape.nose_y + shape.mouth_y) / 2).abs() - (shape.nose_y - shape.mouth_y) / 2
    )
    color = _paint(color, (0.18, 0.11, 0.11), 0.8 * _inside(seam, soft) * front)
    if shape.creature in ("cat", "rabbit", "mouse"):
        for slope in (-0.18, 0.0, 0.18):
            line = (y - middle - 0.03 - slope * (x.abs() - 0.2)).abs()
            whisker = _inside(line - 0.006, soft) * ((x.abs() - 0.2) / 0.1).clamp(0, 1) * (x.abs() < 0.62)
            color = _paint(color, (0.15, 0.12, 0.12), 0.6 * whisker * front)
    return color


def _paint_relief(
    color: Tensor, look: Look, shape: FaceShape, curves: FaceCurves, frame: Tensor, x: Tensor, y: Tensor, front: Tensor
) -> Tensor:
    """Shading that relief would cast: eye sockets, sides of the nose, folds, chin; and the colour of the skin."""
    side = torch.where(x >= 0, 1.0, -1.0)
    mirrored = x.abs()
    dark = 0.18 * _bump(mirrored, y, shape.eye_x, shape.eye_y + 0.05, 0.20, 0.13)
    dark = dark + 0.05 * _bump(mirrored, y, 0.12, (shape.eye_y + shape.nose_y) / 2 + 0.10, 0.045, 0.22)
    dark = dark + 0.26 * _bump(mirrored, y, 0.55 * shape.nose_width, shape.nose_y - 0.055, 0.05, 0.025)
    dark = dark + 0.08 * _bump(mirrored, y, 0.0, shape.nose_y - 0.085, 0.11, 0.035)
    dark = dark + 0.12 * _bump(mirrored, y, 1.15 * shape.nose_width, shape.nose_y, 0.03, 0.06)
    lift = torch.where(side > 0, curves.corner_left[frame], curves.corner_right[frame]).clamp(min=0)
    fold = _bump(mirrored - 0.6 * (shape.nose_y - y), y, 0.16, (shape.nose_y + shape.mouth_y) / 2, 0.028, 0.14)
    dark = dark + (0.05 + 1.5 * lift) * fold
    dark = dark + 0.16 * _bump(mirrored, y, 0.0, shape.mouth_y - 0.155 - curves.gap_down[frame], 0.15, 0.035)
    frown = curves.furrow[frame]
    dark = dark + 0.35 * frown * _bump(mirrored, y, 0.045, shape.brow_y - 0.01, 0.016, 0.07)
    sneer = curves.sneer[frame]
    dark = dark + 0.30 * sneer * _bump(
        mirrored - 0.5 * (shape.nose_y - y), y, 1.5 * shape.nose_width, shape.nose_y, 0.03, 0.09
    )
    dark = dark + 0.16 * sneer * _bump(mirrored, y, 0.06, (shape.eye_y + shape.nose_y) / 2 + 0.08, 0.05, 0.025)
    light = 0.06 * _bump(mirrored, y, 0.0, (shape.eye_y + shape.nose_y) / 2, 0.045, 0.24)
    light = light + 0.10 * _bump(mirrored, y, 0.36, shape.nose_y + 0.10, 0.15, 0.10) * (1 + curves.puff[frame])
    light = light + 0.07 * _bump(mirrored, y, 0.0, 0.42, 0.3, 0.14) + 0.08 * _bump(mirrored, y, 0.0, -0.84, 0.14, 0.07)
    if look.age:
        lines = _bump(mirrored, y, shape.eye_x, shape.eye_y - 0.75 * shape.eye_height - 0.04, 0.13, 0.018)
        for k in range(3):
            bow = 0.30 + 0.075 * k + 0.02 * torch.cos(x * 9)
            lines = lines + _bump(x, y - shape.brow_y, 0.0, bow - 0.14, 0.42, 0.012)
            away = mirrored - shape.eye_x - shape.eye_half_width - 0.06
            lines = lines + _bump(away, y - shape.eye_y - (k - 1) * (0.05 + 0.9 * away), 0.0, 0.0, 0.06, 0.010)
        dark = dark + look.age * (0.22 * lines + 0.22 * fold)
    tint = torch.tensor((0.55, 0.30, 0.24))
    base = torch.tensor(look.skin)
    color = color + (base * tint - color) * (dark * front).clamp(0, 0.85)[:, None]
    color = color + (light * front)[:, None] * (1 - color) * 0.8
    rosy = (0.06 + 0.6 * look.blush) * _bump(mirrored, y, 0.40, shape.nose_y + 0.03, 0.19, 0.13) * front
    rosy = rosy + 0.05 * _bump(mirrored, y, 0.0, shape.nose_y + 0.05, 0.12, 0.09) * front
    color = _paint(color, (0.86, 0.36, 0.32), rosy.clamp(0, 0.5))
    if look.freckles:
        spots = (torch.sin(x * 61.3 + 7 * torch.sin(y * 43)) * torch.sin(y * 57.7 + 5 * torch.sin(x * 39)) - 0.72).clamp(
            min=0
        ) * 3
        color = _paint(
            color,
            (0.45, 0.24, 0.13),
            (0.6 * spots * _bump(mirrored, y, 0.3, shape.nose_y + 0.1, 0.25, 0.15)).clamp(0, 0.6),
        )
    return color


def _paint_mouth(
    color: Tensor, look: Look, curves: FaceCurves, frame: Tensor, x: Tensor, y: Tensor, soft: Tensor, front: Tensor
) -> Tensor:
    u = curves.mouth_u(x, y, frame)
    inside_u = u.clamp(-1, 1)
    bow = (1 - inside_u.square()).clamp(min=0)
    middle = curves.center_line(inside_u, frame)
    upper_in = middle + curves.gap_up[frame] * bow
    lower_in = middle - curves.gap_down[frame] * bow.sqrt()
    cupid = 1 - 0.22 * torch.exp(-(inside_u / 0.16).square())
    upper_out = upper_in + curves.upper_lip[frame] * bow.sqrt() * cupid
    lower_out = lower_in - curves.lower_lip[frame] * bow.sqrt()
    within = _inside((u.abs() - 1) * curves.mouth_half_width[frame], soft)
    lips = within * _inside(y - upper_out, soft) * _inside(lower_out - y, soft) * front
    lip = color_rows(look.lips, len(x))
    upper_tone = lip * 0.86
    tone = torch.where((y > middle)[:, None], upper_tone, lip)
    shine = _bump(x, y, curves.mouth_x[frame], (lower_in + lower_out) / 2, 0.10, 0.018)
    tone = tone + (0.22 * shine)[:, None] * (1 - tone)
    color = color + (tone - color) * lips[:, None]
    hollow = within * _inside(y - upper_in, soft) * _inside(lower_in - y, soft) * front
    gap = curves.gap_up[frame] + curves.gap_down[frame]
    hollow = hollow * (gap / 0.02).clamp(0, 1)
    inner = color_rows((0.22, 0.05, 0.06), len(x))
    height = 0.42 + 0.5 * curves.tongue_up[frame] * torch.exp(-(inside_u / 0.5).square())
    tongue = _inside(y - (lower_in + height * gap), soft + 0.03) * (gap / (0.12 - 0.07 * curves.tongue_up[frame])).clamp(
        0, 1
    )
    inner = _paint(inner, (0.72, 0.30, 0.30), tongue)
    shown = 0.45 + 0.55 * curves.tuck[frame]
    teeth = _inside((upper_in - torch.minimum(shown * gap, torch.full_like(gap, 0.075))) - y, soft) * _inside(
        u.abs() - 0.8, soft * 2
    )
    inner = _paint(inner, (0.95, 0.94, 0.90), teeth)
    color = color + (inner - color) * hollow[:, None]
    seam = within * torch.exp(-((y - middle) / (0.010 + 0.5 * soft)).square()) * front * (1 - hollow)
    color = _paint(color, (0.30, 0.09, 0.09), 0.75 * seam * (1 - (gap / 0.03).clamp(0, 1)))
    if bool((curves.tongue_out > 0).any()):
        color = _paint_tongue(color, curves, frame, x, y, soft, front, upper_in, lower_out)
    return color


def _paint_tongue(
    color: Tensor, curves: FaceCurves, frame: Tensor, x: Tensor, y: Tensor, soft: Tensor, front: Tensor, upper_in: Tensor,
    lower_out: Tensor,
) -> Tensor:  # fmt: skip
    """A tongue that comes out between the lips and hangs over the lower one: a rounded band."""
    out = curves.tongue_out[frame]
    dx = x - curves.mouth_x[frame]
    radius = 0.42 * curves.mouth_half_width[frame] * (0.8 + 0.3 * out)
    end = torch.lerp(upper_in - 0.02, lower_out - 0.12, out) + 0.5 * radius
    away = torch.sqrt(dx.square() + (2.0 * (end - y).clamp(min=0)).square() + 1e-9)
    share = _inside(away - radius, soft + 0.008) * _inside(y - upper_in, soft) * (out / 0.12).clamp(0, 1) * front
    color = _paint(color, (0.82, 0.40, 0.42), share)
    groove = torch.exp(-(dx / (0.014 + 0.5 * soft)).square()) * (y > end - 0.2 * radius)
    edge = ((away / radius - 0.75) / 0.25).clamp(0, 1)
    return _paint(color, (0.55, 0.20, 0.23), share * (0.35 * groove + 0.35 * edge))


def _paint_eye(
    color: Tensor, look: Look, shape: FaceShape, curves: FaceCurves, frame: Tensor, x: Tensor, y: Tensor, soft: Tensor,
    front: Tensor, side: int,
) -> Tensor:  # fmt: skip
    along = side * (x - side * shape.eye_x) / shape.eye_half_width
    within = along.clamp(-1, 1)
    upper_now, lower_now = lid_heights(shape, curves, side)
    bow = (1 - within.square()).clamp(min=0)
    base = shape.eye_y + shape.eye_slant * within
    upper = base + upper_now[frame] * bow
    lower = base + lower_now[frame] * bow
    rest_upper = base + 0.58 * shape.eye_height * bow
    near = _inside((along.abs() - 1) * shape.eye_half_width, soft) * front
    # The lid's own skin, between where the lid is now and where it rests, a little darker than the face.
    lid = near * _inside(y - rest_upper - 0.012, soft) * _inside(upper - y, soft)
    color = _paint(color, tuple(0.86 * c for c in look.skin), 0.8 * lid)  # type: ignore[arg-type]
    crease = near * torch.exp(-((y - rest_upper - 0.035) / (0.011 + 0.5 * soft)).square())
    color = _paint(color, tuple(0.58 * c for c in look.skin), 0.6 * crease)  # type: ignore[arg-type]
    white = near * _inside(y - upper, soft) * _inside(lower - y, soft)
    eyeball = color_rows((0.96, 0.96, 0.95), len(x))
    shade = ((upper - y) / (0.8 * shape.eye_height)).clamp(0, 1).sqrt()
    eyeball = eyeball * (0.72 + 0.28 * shade)[:, None]
    iris_x, iris_y = iris_center(shape, curves, side)
    dx, dy = x - iris_x[frame], y - iris_y[frame]
    radius = torch.sqrt(dx.square() + dy.square() + 1e-9)
    iris = color_rows(look.iris, len(x))
    iris = (
        iris
        * (0.75 + 0.55 * (radius / shape.iris_radius).clamp(0, 1) * (0.5 - 0.5 * dy / shape.iris_radius).clamp(0, 1))[
            :, None
        ]
    )
    rim = _inside(0.86 * shape.iris_radius - radius, soft + 0.01)
    iris = iris * (1 - 0.5 * rim)[:, None]
    eyeball = eyeball + (iris - eyeball) * _inside(radius - shape.iris_radius, soft)[:, None]
    eyeball = _paint(eyeball, (0.03, 0.02, 0.02), _inside(radius - 0.46 * shape.iris_radius, soft))
    glint = torch.sqrt((dx - 0.32 * shape.iris_radius).square() + (dy - 0.34 * shape.iris_radius).square() + 1e-9)
    eyeball = _paint(eyeball, (1.0, 1.0, 1.0), _inside(glint - 0.20 * shape.iris_radius, soft))
    color = color + (eyeball - color) * white[:, None]
    lash_width = (0.012 + 0.014 * look.lashes) * (1 + 0.4 * within)
    reach = _inside((along.abs() - 1.06) * shape.eye_half_width, soft) * front
    lash = reach * torch.exp(-((y - upper - 0.4 * lash_width) / (lash_width + 0.35 * soft)).square())
    color = _paint(color, (0.07, 0.05, 0.05), 0.92 * lash)
    under = reach * torch.exp(-((y - lower) / (0.008 + 0.35 * soft)).square())
    color = _paint(color, tuple(0.45 * c for c in look.skin), 0.55 * under)  # type: ignore[arg-type]
    raised = curves.brow_left if side > 0 else curves.brow_right
    place = (side * x - shape.eye_x) / shape.brow_half_width
    line = brow_height(shape, raised[frame], curves.furrow[frame], place.clamp(-1.1, 1.1))
    thick = shape.brow_thickness * (1 - 0.55 * ((place + 0.2).clamp(0, 1.2)).square()).clamp(min=0.2)
    brow = (
        _inside((y - line).abs() - thick, soft + 0.012)
        * _inside((place.abs() - 1) * shape.brow_half_width, soft + 0.01)
        * front
    )
    return _paint(color, look.brow, 0.92 * brow)
