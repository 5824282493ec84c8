"""What hangs comes late: hair and skirts as damped pendulums on the segment they hang from.

Knows nothing about meshes. World axes as in `body.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dreamactor.geometry.rotation import normalize

STEPS = 4
"""Of the integration per frame."""


@dataclass(frozen=True, kw_only=True)
class Pendulum:
    """How something hangs.

    Attributes:
        rest: [3] from where it is fixed to its tip, in its segment's own axes, metres.
        frequency_hz, damping: of the free swing (damping 1 does not swing over).
        upright: how far gravity instead of the segment decides where down is, 0 to 1.
        limit_rad: the farthest it leaves its place on the segment.
    """

    rest: tuple[float, float, float]
    frequency_hz: float
    damping: float
    upright: float
    limit_rad: float


def swing(pendulum: Pendulum, rotation: Tensor, origin: Tensor, fps: float) -> Tensor:
    """Turns a segment's frames into those of what hangs from it.

    Args:
        pendulum: how it hangs.
        rotation: [T, 3, 3] of the segment.
        origin: [T, 3] where it is fixed, world metres.
        fps: frames per second.

    Returns:
        [T, 3, 3] rotation of what hangs; at rest and upright equal to the segment's.
    """
    rest = torch.tensor(pendulum.rest)
    own = rotation @ rest  # [T, 3] where the tip would be if it were stiff
    tilt = rotation[:, :, 1]
    level = _between(tilt, torch.tensor([0.0, 1.0, 0.0]).expand_as(tilt))
    hung = (level @ own[..., None])[..., 0]
    goal = own + pendulum.upright * (hung - own)
    goal = normalize(goal) * rest.norm()
    tip = torch.from_numpy(_follow(pendulum, (goal + origin).double().numpy(), fps)).float() - origin
    return _between(normalize(own), normalize(tip), limit_rad=pendulum.limit_rad) @ rotation


def _follow(pendulum: Pendulum, goal: np.ndarray, fps: float) -> np.ndarray:
    """[T, 3] a damped mass on a spring whose other end is at `goal`; it starts at rest there."""
    stiffness = (2 * np.pi * pendulum.frequency_hz) ** 2
    drag = 2 * pendulum.damping * np.sqrt(stiffness)
    place, speed = goal[0].copy(), np.zeros(3)
    found = np.empty_like(goal)
    found[0] = place
    step = 1 / (fps * STEPS)
    for now in range(1, len(goal)):
        pull = (goal[now] - goal[now - 1]) * fps
        for k in range(1, STEPS + 1):
            at = goal[now - 1] + (goal[now] - goal[now - 1]) * (k / STEPS)
            speed = speed + step * (stiffness * (at - place) - drag * (speed - 0.6 * pull))
            place = place + step * speed
        found[now] = place
    return found


def _between(start: Tensor, end: Tensor, *, limit_rad: float = torch.pi) -> Tensor:
    """[T, 3, 3] the smallest rotation that turns unit vectors start [T, 3] to end, or part of it."""
    axis = torch.linalg.cross(start, end)
    sine = axis.norm(dim=-1)
    angle = torch.atan2(sine, (start * end).sum(-1)).clamp(max=limit_rad)
    axis = axis / sine.clamp(min=1e-9)[:, None]
    zero = torch.zeros_like(sine)
    x, y, z = axis.unbind(-1)
    hat = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).view(-1, 3, 3)
    s, c = angle.sin()[:, None, None], angle.cos()[:, None, None]
    return torch.eye(3) + s * hat + (1 - c) * (hat @ hat)
