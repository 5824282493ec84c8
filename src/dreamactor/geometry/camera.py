"""From metres before a camera to pixels and depth in pixels. Camera axes: x right, y down, z away from the camera."""

from __future__ import annotations

import torch
from torch import Tensor


def project_perspective(metres: Tensor, *, focal_px: Tensor, center_px: Tensor, body_depth_m: Tensor) -> Tensor:
    """A pinhole camera.

    Args:
        metres: [T, N, 3] places in camera axes, in front of the camera (z > 0).
        focal_px: [T].
        center_px: [T, 2] where the optical axis meets the picture.
        body_depth_m: [T] distance of the body along the axis; there a metre of depth is as long as one across.

    Returns:
        [T, N, 3] px3: pixels, and depth behind the body in pixels.
    """
    across = metres[..., :2] / metres[..., 2:] * focal_px[:, None, None] + center_px[:, None]
    behind = (metres[..., 2:] - body_depth_m[:, None, None]) * (focal_px / body_depth_m)[:, None, None]
    return torch.cat((across, behind), dim=-1)


def project_weak(metres: Tensor, *, px_per_m: Tensor, origin_px: Tensor) -> Tensor:
    """A camera so far away that size does not change with depth: [T, N, 3] metres -> px3; px_per_m [T], origin_px [T, 2]."""
    pixels = metres * px_per_m[:, None, None]
    return torch.cat((pixels[..., :2] + origin_px[:, None], pixels[..., 2:]), dim=-1)
