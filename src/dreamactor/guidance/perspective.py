"""Takes perspective out of a track before bones are measured and scaled, and puts it back where they are drawn.

Pixel-3D points have the x and y that a camera saw and a depth in pixels at the pelvis's distance. Seen through a
pinhole, a hand held towards the camera is farther from the shoulder in x and y than it would be beside the body, so
bones are not rigid. In a *flat* track they are: it holds what a camera very far away would see, at the pelvis's scale.

The camera is found by comparing pixels with metres, which agree to a thousandth in exact tracks (rendered actors, motion
capture with a camera). What a picture's estimator gives does not: its errors are as large as the whole effect of
perspective, so its tracks count as flat (weak perspective), as they are defined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from dreamactor.types.track import PersonTrack

_EXPLAINED: Final = 0.95
"""A camera counts as found when it explains this share of the squared difference between flat and seen points."""
_VISIBLE: Final = 1e-3
"""Differences below this share of the person's extent are rounding, not perspective."""
_NEAREST: Final = 0.2
"""Points are never nearer to the camera than this share of the pelvis's distance."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Perspective:
    """A pinhole camera looking along z.

    Attributes:
        focal_px: focal length.
        center_px: where its axis meets the picture (x, y); need not be the picture's middle.
    """

    focal_px: float
    center_px: tuple[float, float]

    def moved(self, scale: float, shift: tuple[float, float]) -> Perspective:
        """The camera of the same picture, resized by `scale` about the origin and then moved by `shift`."""
        x, y = self.center_px
        return Perspective(focal_px=self.focal_px * scale, center_px=(x * scale + shift[0], y * scale + shift[1]))


def find_perspective(track: PersonTrack) -> Perspective | None:
    """The camera that saw a track; None where none explains it (then the track is taken as flat)."""
    tracked = track.body.tracked
    joints, joints_m = track.body.joints[tracked].double(), track.body.joints_m[tracked].double()
    depth = joints[..., 2]
    px_per_m = (depth * joints_m[..., 2]).sum(-1) / joints_m[..., 2].square().sum(-1).clamp_min(1e-12)  # [T]
    seen = (joints - joints[:, :1])[..., :2]
    bent = seen - px_per_m[:, None, None] * joints_m[..., :2]  # [T, J, 2], zero without perspective
    if not bool(tracked.any()) or float(bent.square().mean()) < (_VISIBLE**2) * float(seen.square().mean()):
        return None
    # A point at (x, y) pixels and depth z is bent by -(x - cx) z / f: linear in 1 / f, cx / f and cy / f.
    terms = torch.zeros(*bent.shape, 3, dtype=torch.float64)
    terms[..., 0] = -joints[..., :2] * depth[..., None]
    terms[..., 0, 1] = depth
    terms[..., 1, 2] = depth
    inverse, x, y = torch.linalg.lstsq(terms.reshape(-1, 3), bent.reshape(-1, 1)).solution[:, 0].tolist()
    left = (bent - terms @ torch.tensor([inverse, x, y], dtype=torch.float64)).square().sum()
    if inverse <= 0 or float(left) > (1 - _EXPLAINED) * float(bent.square().sum()):
        return None
    return Perspective(focal_px=1 / inverse, center_px=(x / inverse, y / inverse))


def flatten_track(track: PersonTrack, camera: Perspective | None) -> PersonTrack:
    """The track as a camera very far away would see it, at the pelvis's scale; unchanged without a camera."""
    return track if camera is None else _rescaled(track, camera, flat=True)


def unflatten_track(track: PersonTrack, camera: Perspective | None) -> PersonTrack:
    """What a camera sees of a flat track; undoes `flatten_track`."""
    return track if camera is None else _rescaled(track, camera, flat=False)


def _rescaled(track: PersonTrack, camera: Perspective, *, flat: bool) -> PersonTrack:
    middle = torch.tensor(camera.center_px)

    def factor(depth: Tensor) -> Tensor:
        away = (1 + depth / camera.focal_px).clamp_min(_NEAREST)
        return away if flat else 1 / away

    def moved(points: Tensor) -> Tensor:
        xy = middle + (points[..., :2] - middle) * factor(points[..., 2:])
        return torch.cat([xy, points[..., 2:]], dim=-1)

    center = moved(track.head.center)
    growth = factor(track.head.center[:, 2])  # [T]; a head is taken as all at one depth

    def with_head(points: Tensor) -> Tensor:  # [T, N, 2]
        return center[:, None, :2] + (points - track.head.center[:, None, :2]) * growth[:, None, None]

    landmarks = torch.cat(
        [with_head(track.face.landmarks[..., :2]), track.face.landmarks[..., 2:] * growth[:, None, None]], dim=-1
    )
    return replace(
        track,
        body=replace(track.body, joints=moved(track.body.joints)),
        hands=replace(track.hands, joints=moved(track.hands.joints)),
        head=replace(track.head, center=center, radius_px=track.head.radius_px * growth),
        face=replace(track.face, landmarks=landmarks, box=with_head(track.face.box.unflatten(1, (2, 2))).flatten(1)),
    )
