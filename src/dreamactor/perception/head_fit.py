"""Head pose from whatever points of a head a layout has: the mean head laid on them, frame by frame, without smoothing.

Unlike `head.py`, which fuses one estimator's mesh and body over time, this knows no estimator: eyes, ears, nose and other
firm points, in 3D or in the picture alone, some of them missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dreamactor.geometry.mean_head import FIRM_POINTS, MEAN_HEAD
from dreamactor.geometry.rotation import view_from_pixels

_STAND_INS = ("smpl/head", "mouth_left", "mouth_right")
"""Points that are used where a layout has no nose: less firm, or marked differently by every tool."""

_MIN_SPREAD = 0.002
"""Points must spread so much (squared head radii) in two directions: they must not lie on a line."""

_MIN_DEPTH = 0.001
"""Points that spread less in their third direction lie in a plane."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadFit:
    """Where the mean head lies; values where `fitted` is False have no meaning.

    Attributes:
        rotation: [T, 3, 3] head axes -> view axes.
        center: [T, 3] middle of the head, in the axes and units of the points.
        radius: [T] half the distance from chin to crown.
        fitted: [T] bool.
    """

    rotation: Tensor
    center: Tensor
    radius: Tensor
    fitted: Tensor


def head_points(names: Sequence[str]) -> list[str]:
    """Those names of a layout that a head is fitted to."""
    wanted = FIRM_POINTS if "nose" in names else (*FIRM_POINTS, *_STAND_INS)
    return [name for name in names if name in wanted]


def mean_head(names: Sequence[str]) -> Tensor:
    """[N, 3] places of points on the mean head, head axes, head radii."""
    return torch.tensor([MEAN_HEAD[name] for name in names], dtype=torch.float32).reshape(-1, 3)


def fit_head(points: Tensor, weight: Tensor, names: Sequence[str], *, has_depth: bool) -> HeadFit:
    """Lays the mean head on points with the least squared error, turned, moved and scaled.

    Args:
        points: [T, N, 3] px3 or metres (x right, y down, z away).
        weight: [T, N] 0 where missing.
        names: of the points, all in `MEAN_HEAD`.
        has_depth: False: only x and y are known; the pose is the one whose weak-perspective picture they are.
    """
    weight = weight / weight.sum(1, keepdim=True).clamp_min(1e-6)
    model, model_mean = _centred(mean_head(names).expand(len(points), -1, -1), weight)
    seen, seen_mean = _centred(view_from_pixels(points), weight)
    spread = (weight[..., None] * model).transpose(1, 2) @ model  # [T, 3, 3]
    mixed = (weight[..., None] * seen).transpose(1, 2) @ model
    wide, axes = torch.linalg.eigh(spread)  # [T, 3] rising, [T, 3, 3]
    if has_depth:
        rotation = _proper(mixed)
    else:
        picture = (mixed[:, :2] @ axes) / wide[:, None].clamp_min(1e-6)  # the model's best linear picture, [T, 2, 3]
        solid = _nearest_view(picture @ axes.transpose(1, 2))
        rotation = torch.where((wide[:, 0] > _MIN_DEPTH)[:, None, None], solid, _view_of_a_plane(picture, axes))
    fitted = wide[:, 1] > _MIN_SPREAD
    return _placed(model, seen, seen_mean, model_mean, weight, rotation, fitted, has_depth=has_depth)


def place_head(points: Tensor, weight: Tensor, names: Sequence[str], rotation: Tensor, *, has_depth: bool) -> HeadFit:
    """The same where the rotation [T, 3, 3] (head axes -> view axes) is known; two points are enough."""
    weight = weight / weight.sum(1, keepdim=True).clamp_min(1e-6)
    model, model_mean = _centred(mean_head(names).expand(len(points), -1, -1), weight)
    seen, seen_mean = _centred(view_from_pixels(points), weight)
    fitted = (weight * model.square().sum(-1)).sum(1) > _MIN_SPREAD
    return _placed(model, seen, seen_mean, model_mean, weight, rotation, fitted, has_depth=has_depth)


def _centred(points: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    mean = (weight[..., None] * points).sum(1)
    return points - mean[:, None], mean


def _proper(mixed: Tensor) -> Tensor:
    """Nearest rotations to [T, 3, 3] matrices (the orthogonal Procrustes problem, mirrors excluded)."""
    left, _, right = torch.linalg.svd(mixed)
    sign = torch.ones(mixed.shape[:-1])
    sign[:, 2] = torch.det(left @ right).sign()
    return left @ (sign[..., None] * right)


def _nearest_view(picture: Tensor) -> Tensor:
    """Rotations whose first two rows, scaled, are nearest to linear pictures [T, 2, 3]."""
    left, _, right = torch.linalg.svd(picture, full_matrices=False)
    return _with_third_row(left @ right)


def _with_third_row(rows: Tensor) -> Tensor:
    return torch.cat((rows, torch.linalg.cross(rows[:, 0], rows[:, 1])[:, None]), dim=1)


def _view_of_a_plane(picture: Tensor, axes: Tensor) -> Tensor:
    """[T, 3, 3] the more upright of the two rotations that give a plane (ears and nose, say) the same picture.

    Args:
        picture: [T, 2, 3] the model's linear picture in its own main axes, the first of which it does not span.
        axes: [T, 3, 3] these axes as columns.
    """
    first, second = picture[:, 0, 1:], picture[:, 1, 1:]
    # Rows of a scaled rotation are equally long and at right angles, which gives the unseen column up to its sign.
    product = -(first * second).sum(-1)
    difference = second.square().sum(-1) - first.square().sum(-1)
    unseen = torch.view_as_real(torch.sqrt(torch.complex(difference, 2 * product)))  # [T, 2]
    both = [
        _nearest_view(torch.cat((sign * unseen[..., None], picture[..., 1:]), dim=-1) @ axes.transpose(1, 2))
        for sign in (1.0, -1.0)
    ]
    return torch.where((both[0][:, 1, 1] >= both[1][:, 1, 1])[:, None, None], both[0], both[1])


def _placed(
    model: Tensor, seen: Tensor, seen_mean: Tensor, model_mean: Tensor, weight: Tensor, rotation: Tensor, fitted: Tensor,
    *, has_depth: bool,
) -> HeadFit:  # fmt: skip
    """Scale and centre for a rotation."""
    axes = slice(0, 3 if has_depth else 2)
    turned = model @ rotation.transpose(1, 2)
    along = (weight[..., None] * turned * seen)[..., axes].sum((1, 2))
    radius = along / (weight[..., None] * turned.square())[..., axes].sum((1, 2)).clamp_min(1e-6)
    center = seen_mean - radius[:, None] * (rotation @ model_mean[..., None])[..., 0]
    return HeadFit(rotation=rotation, center=view_from_pixels(center), radius=radius, fitted=fitted & (radius > 0))
