"""Rotations of the head and of bones, as matrices, angles and shortest arcs. Knows nothing about people.

Two sets of axes are used in the project. *View axes*: x right, y up, z to the viewer; head angles live there, with
R = Ry(yaw) Rx(pitch) Rz(roll). *Pixel axes* (px3): x right, y down, z away. Both are right-handed and differ by half a
turn about x, so a rotation moves from one to the other by flipping the same two axes on both sides.
"""

from __future__ import annotations

import torch
from torch import Tensor

_FLIP = (1.0, -1.0, -1.0)


def normalize(vector: Tensor, *, dim: int = -1, eps: float = 1e-8) -> Tensor:
    """Unit vectors; a zero vector stays zero."""
    return vector / vector.norm(dim=dim, keepdim=True).clamp_min(eps)


def angles_to_matrix(angles_rad: Tensor) -> Tensor:
    """Yaw, pitch, roll -> rotation in view axes.

    Args:
        angles_rad: [..., 3] yaw, pitch, roll.

    Returns:
        [..., 3, 3] with R = Ry(yaw) Rx(pitch) Rz(roll): head coordinates -> view axes. +yaw turns the nose (head z) to
        the image's right, +pitch nods it down, +roll turns counter-clockwise as seen.
    """
    yaw, pitch, roll = angles_rad.unbind(-1)
    cy, sy, cp, sp, cr, sr = yaw.cos(), yaw.sin(), pitch.cos(), pitch.sin(), roll.cos(), roll.sin()
    rows = (
        cy * cr + sy * sp * sr, -cy * sr + sy * sp * cr, sy * cp,
        cp * sr, cp * cr, -sp,
        -sy * cr + cy * sp * sr, sy * sr + cy * sp * cr, cy * cp,
    )  # fmt: skip
    return torch.stack(rows, dim=-1).reshape(*angles_rad.shape[:-1], 3, 3)


def matrix_to_angles(matrix: Tensor) -> Tensor:
    """[..., 3, 3] rotation in view axes -> [..., 3] yaw (-pi..pi), pitch (-pi/2..pi/2), roll (-pi..pi)."""
    yaw = torch.atan2(matrix[..., 0, 2], matrix[..., 2, 2])
    pitch = torch.asin((-matrix[..., 1, 2]).clamp(-1.0, 1.0))
    roll = torch.atan2(matrix[..., 1, 0], matrix[..., 1, 1])
    return torch.stack((yaw, pitch, roll), dim=-1)


def flip_axes(matrix: Tensor) -> Tensor:
    """[..., 3, 3] rotation in view axes <-> the same rotation in pixel axes (its own inverse)."""
    flip = torch.tensor(_FLIP, dtype=matrix.dtype, device=matrix.device)
    return flip[:, None] * matrix * flip


def view_from_pixels(points: Tensor) -> Tensor:
    """[..., 3] vectors in pixel axes <-> the same vectors in view axes (its own inverse)."""
    return points * torch.tensor(_FLIP, dtype=points.dtype, device=points.device)


def shortest_arc(start: Tensor, end: Tensor) -> Tensor:
    """Smallest rotation that turns one direction into another.

    Args:
        start: [..., 3] unit vectors.
        end: [..., 3] unit vectors, broadcastable with `start`; must not be exactly opposite (there the axis is not
            defined; the result is still a finite matrix).

    Returns:
        [..., 3, 3] with R start = end.
    """
    start, end = torch.broadcast_tensors(start, end)
    axis = torch.linalg.cross(start, end, dim=-1)  # [..., 3], length sin(angle)
    cosine = (start * end).sum(-1)[..., None, None]
    x, y, z = axis.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).reshape(*axis.shape[:-1], 3, 3)
    eye = torch.eye(3, dtype=start.dtype, device=start.device)
    return eye + skew + skew @ skew / (1.0 + cosine).clamp_min(1e-4)


def frame_from_two(first: Tensor, second: Tensor) -> Tensor:
    """[..., 3, 3] right-handed orthonormal columns: the first along `first`, the second in the plane of both."""
    axis0 = normalize(first)
    axis1 = normalize(second - (second * axis0).sum(-1, keepdim=True) * axis0)
    return torch.stack((axis0, axis1, torch.linalg.cross(axis0, axis1, dim=-1)), dim=-1)


def axis_rotation(axis: str, angle_rad: Tensor) -> Tensor:
    """Rotation about one view axis, "x", "y" or "z"; angle [...] -> [..., 3, 3]."""
    cosine, sine = torch.cos(angle_rad), torch.sin(angle_rad)
    one, zero = torch.ones_like(cosine), torch.zeros_like(cosine)
    rows = {
        "x": (one, zero, zero, zero, cosine, -sine, zero, sine, cosine),
        "y": (cosine, zero, sine, zero, one, zero, -sine, zero, cosine),
        "z": (cosine, -sine, zero, sine, cosine, zero, zero, zero, one),
    }[axis]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def unwrap(angle_rad: Tensor) -> Tensor:
    """Removes jumps of a full turn along the first axis."""
    step = torch.diff(angle_rad, dim=0)
    wrapped = torch.remainder(step + torch.pi, 2 * torch.pi) - torch.pi
    return torch.cat([angle_rad[:1], angle_rad[:1] + torch.cumsum(wrapped, dim=0)])
