"""Draws the head sphere: head position, size and rotation as one coloured ball (section 3.2). Reads it back for tests.

Every pixel shows the surface normal there in head coordinates (x to the image's right when the head looks at the
camera, y up, z out of the face), mapped from -1..1 to 0..255. So the colours turn with the head, every rotation has
its own picture, back views included, and the angles can be read back. Position and size come from the track alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dreamactor.geometry.rotation import angles_to_matrix, matrix_to_angles
from dreamactor.types.track import PersonTrack


@dataclass(frozen=True, kw_only=True, slots=True)
class SphereReading:
    """What a drawn sphere says.

    Attributes:
        angles_rad: [3] float32 yaw (-pi..pi), pitch, roll.
        center_px: (x, y) pixels.
        radius_px: pixels.
    """

    angles_rad: Tensor
    center_px: tuple[float, float]
    radius_px: float


def draw_head_sphere(track: PersonTrack, *, width: int, height: int) -> Tensor:
    """Draws one sphere per frame on black.

    Args:
        track: any number of frames, coordinates on a canvas of this size.

    Returns:
        [T, H, W, 3] uint8 RGB; black where the head is not tracked.
    """
    maps = np.zeros((track.num_frames, height, width, 3), dtype=np.uint8)
    turns = angles_to_matrix(track.head.angles_rad).numpy()  # [T, 3, 3] head -> view
    centers, radii = track.head.center.numpy(), track.head.radius_px.numpy()
    for t in np.flatnonzero(track.head.tracked.numpy()):
        _draw_sphere(maps[t], turns[t], centers[t], max(float(radii[t]), 1.0))
    return torch.from_numpy(maps)


def _draw_sphere(image: np.ndarray, turn: np.ndarray, center: np.ndarray, radius: float) -> None:
    """Paints one sphere into image [H, W, 3]; touches only the pixels of its bounding box."""
    height, width, _ = image.shape
    x0, x1 = _span(float(center[0]), radius, width)
    y0, y1 = _span(float(center[1]), radius, height)
    if x0 >= x1 or y0 >= y1:
        return
    x = ((np.arange(x0, x1, dtype=np.float32) + 0.5 - center[0]) / radius)[None, :]
    y = (-(np.arange(y0, y1, dtype=np.float32) + 0.5 - center[1]) / radius)[:, None]
    from_center = np.sqrt(x * x + y * y)
    coverage = np.clip((1.0 - from_center) * radius + 0.5, 0.0, 1.0)  # edge spread over one pixel
    shrink = 1.0 / np.maximum(from_center, 1.0)  # edge pixels outside the circle take the rim's normal
    x, y = x * shrink, y * shrink
    z = np.sqrt(np.maximum(1.0 - x * x - y * y, 0.0))
    for channel in range(3):  # head axis; n_head = R^T n_view
        normal = turn[0, channel] * x + turn[1, channel] * y + turn[2, channel] * z
        image[y0:y1, x0:x1, channel] = np.rint((normal * 127.5 + 127.5) * coverage)


def _span(center: float, radius: float, size: int) -> tuple[int, int]:
    """First and last + 1 pixel that a circle touches along one axis, cut to the canvas."""
    first = np.floor(np.clip(center - radius - 1.0, 0, size))
    last = np.ceil(np.clip(center + radius + 1.0, 0, size))
    return int(first), int(last)


def read_head_sphere(image: Tensor) -> SphereReading | None:
    """Reads head angles, centre and radius off one drawn sphere.

    Args:
        image: [H, W, 3] uint8 as drawn by `draw_head_sphere`; may be cut by the picture's edge.

    Returns:
        What it shows, or None where there is no sphere (fewer than 12 pixels).
    """
    pixels = image.numpy().astype(np.float64)
    inside = pixels.sum(axis=2) > 0
    if inside.sum() < 12:
        return None
    cx, cy, radius = _fit_circle(inside)
    ys, xs = np.nonzero(inside)
    view_x, view_y = (xs + 0.5 - cx) / radius, -(ys + 0.5 - cy) / radius
    keep = view_x**2 + view_y**2 < 0.81  # the rim is mixed with black
    view_x, view_y = view_x[keep], view_y[keep]
    view = np.stack((view_x, view_y, np.sqrt(1.0 - view_x**2 - view_y**2)), axis=1)  # [N, 3]
    head = pixels[ys[keep], xs[keep]] / 127.5 - 1.0
    u, _, vt = np.linalg.svd(view.T @ head)  # Procrustes: view = R head
    turn = u @ np.diag((1.0, 1.0, float(np.sign(np.linalg.det(u @ vt))))) @ vt
    angles = matrix_to_angles(torch.from_numpy(turn)).float()
    return SphereReading(angles_rad=angles, center_px=(cx, cy), radius_px=radius)


def _fit_circle(inside: np.ndarray) -> tuple[float, float, float]:
    """Least-squares circle through the outline of a filled disc [H, W] bool that the picture's edge may cut."""
    padded = np.pad(inside, 1, mode="edge")  # the picture's own edge is no outline
    enclosed = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    rows, columns = np.nonzero(inside & ~enclosed)
    xs, ys = columns + 0.5, rows + 0.5
    system = np.stack((2 * xs, 2 * ys, np.ones_like(xs)), axis=1)
    (cx, cy, rest), *_ = np.linalg.lstsq(system, xs**2 + ys**2, rcond=None)
    return float(cx), float(cy), float(np.sqrt(max(rest + cx**2 + cy**2, 1.0)))
