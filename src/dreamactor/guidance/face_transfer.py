"""Carries a driver's expression over to the reference's face points, and nothing of the driver's own face.

What a face does has no absolute measure: somebody's brows are high because they are raised or because they grow there. So
motion counts from the driver's rest, the median of its face over the clip. Three things do have a zero of their own and are
taken as they are: lips that touch, corners of the mouth level with its middle, and eyes that look straight ahead.
So a reference that smiles in its picture does not keep smiling while the driver is serious.

Plane face coordinates ("plane points") are head radii in the face's own plane: x to the image right when frontal, y down,
origin between the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dreamactor.geometry.rotation import angles_to_matrix, flip_axes
from dreamactor.geometry.skeleton import FACE_POINT
from dreamactor.types.track import PersonTrack

EYES: Final = {side: [FACE_POINT[f"{side}_eye_{i}"] for i in range(6)] for side in ("right", "left")}
"""Outer corner, upper outer, upper inner, inner corner, lower inner, lower outer."""
BROWS: Final = {side: [FACE_POINT[f"{side}_brow_{i}"] for i in range(5)] for side in ("right", "left")}
IRIS: Final = {side: FACE_POINT[f"{side}_iris"] for side in ("right", "left")}
LIPS_OUTER: Final = [FACE_POINT[f"lip_outer_{i}"] for i in range(12)]
LIPS_INNER: Final = [FACE_POINT[f"lip_inner_{i}"] for i in range(8)]
CHIN: Final = FACE_POINT["chin"]
_LIPS: Final = [*LIPS_OUTER, *LIPS_INNER]
_JAWS: Final = [FACE_POINT["right_jaw"], FACE_POINT["left_jaw"]]
_RIGID: Final = [
    FACE_POINT[name]
    for name in ("right_eye_0", "right_eye_3", "left_eye_3", "left_eye_0", "nose_bridge", "nose_tip", "right_ala",
                 "left_ala", "forehead", "right_cheek", "left_cheek")
]  # fmt: skip
"""Points that no expression moves."""
_UPPER_LIPS: Final = [FACE_POINT[f"lip_outer_{i}"] for i in range(7)] + [FACE_POINT[f"lip_inner_{i}"] for i in range(5)]
_LOWER_LIPS: Final = [i for i in _LIPS if i not in _UPPER_LIPS]

_CHIN_SHARE: Final = 0.5
"""Of the gap between the lips that the chin drops."""
_NOISE: Final = 0.012
"""Head radii; moves about as small as an estimator's errors fade out, so that a still face stays untouched."""
_LARGEST: Final = 0.45
"""Head radii that a point may move."""
_CLOSED: Final = 0.12
"""An eye less open than this (height over width) is shut."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceRest:
    """A driver's face at rest.

    Attributes:
        points: [P, 2] plane points, the median over the clip.
    """

    points: Tensor


def plane_points(track: PersonTrack) -> Tensor:
    """[T, P, 2] plane points of every frame; only meaningful where a face is tracked and roughly in view."""
    turn = flip_axes(angles_to_matrix(track.head.angles_rad))  # [T, 3, 3] head -> pixel axes
    corners = track.face.landmarks[:, [EYES["right"][0], EYES["left"][0]]].mean(dim=1, keepdim=True)
    frontal = torch.einsum("tji,tpj->tpi", turn, track.face.landmarks - corners)
    return frontal[..., :2] / track.head.radius_px.clamp_min(1.0)[:, None, None]


def face_in_view(track: PersonTrack) -> Tensor:
    """[T] 0..1 how far a frame's face points can be trusted: 1 seen from the front, 0 from the side."""
    yaw, pitch = track.head.angles_rad[:, 0], track.head.angles_rad[:, 1]
    ahead = torch.cos(yaw) * torch.cos(pitch)
    share = ((ahead - 0.35) / 0.3).clamp(0.0, 1.0)
    return torch.where(track.face.tracked, share, torch.zeros(()))


def face_rest(track: PersonTrack) -> FaceRest | None:
    """The driver's face at rest; None if it is never in view."""
    view = face_in_view(track)
    good = view > 0.99 if bool((view > 0.99).any()) else view > 0.3
    if not bool(good.any()):
        return None
    points = plane_points(track)[good]
    first = points.median(dim=0).values
    return FaceRest(points=_aligned(points, first).median(dim=0).values)


def transfer_expression(reference: Tensor, track: PersonTrack, rest: FaceRest) -> Tensor:
    """Where the reference's face points go.

    Args:
        reference: [P, 2] plane points of the reference.
        track: the driver, whose sizes need not be the reference's.
        rest: the driver's face at rest.

    Returns:
        [T, P, 2] how far each of the reference's points moves; zero for all where the driver's face is not in view.
    """
    driver = _aligned(plane_points(track), rest.points)
    resting = rest.points
    scale = _sizes(reference) / _sizes(resting)
    moved = torch.zeros_like(driver)
    still, calm = _mouth_at_rest(reference), _mouth_at_rest(resting)
    mouth = [*_LIPS, *_JAWS, CHIN]
    moved[:, mouth] = (still + (driver - calm) * scale)[:, mouth] - reference[mouth]
    for side in ("right", "left"):
        brows = BROWS[side]
        moved[:, brows] = (driver[:, brows] - resting[brows]) * scale
        _move_eye(side, reference, driver, resting, moved)
    moved = moved * face_in_view(track)[:, None, None]
    length = moved.norm(dim=-1, keepdim=True)
    felt = length.square() / (length.square() + _NOISE**2)
    return moved * felt * (_LARGEST / length.clamp_min(_LARGEST))


def _aligned(points: Tensor, goal: Tensor) -> Tensor:
    """[T, P, 2] moved by the affine map that brings the rigid points nearest to the goal's: takes out errors of pose."""
    ones = torch.ones(*points.shape[:2], 1)
    system = torch.cat([points, ones], dim=-1)  # [T, P, 3]
    fitted = torch.linalg.lstsq(system[:, _RIGID], goal[_RIGID].expand(len(points), -1, -1)).solution
    return system @ fitted


def _sizes(points: Tensor) -> Tensor:
    """[2] width of the mouth and height from eyes to chin with the mouth shut."""
    at_rest = _mouth_at_rest(points)
    width = (at_rest[LIPS_OUTER[6], 0] - at_rest[LIPS_OUTER[0], 0]).abs()
    return torch.stack([width, at_rest[CHIN, 1].abs()]).clamp_min(0.05)


def _mouth_at_rest(points: Tensor) -> Tensor:
    """[P, 2] the same face with lips that touch and corners that are level with the middle of the mouth."""
    rested = points.clone()
    upper = points[[LIPS_INNER[i] for i in (0, 1, 2, 3, 4)]]
    lower = points[[LIPS_INNER[i] for i in (0, 7, 6, 5, 4)]]
    gap = (lower[:, 1] - upper[:, 1]).clamp_min(0.0)
    left, right = points[LIPS_OUTER[0]], points[LIPS_OUTER[6]]
    middle_x = (left[0] + right[0]) / 2
    half = ((right[0] - left[0]) / 2).clamp_min(0.02)
    place = (points[:, 0] - middle_x) / half  # -1..1 across the mouth
    at = (upper[:, 0] - middle_x) / half
    rested[_LOWER_LIPS, 1] -= _between(place[_LOWER_LIPS], at, gap)
    rested[CHIN, 1] -= _CHIN_SHARE * gap[2]
    rested[_JAWS, 1] -= 0.5 * _CHIN_SHARE * gap[2]
    middle = rested[[LIPS_INNER[2], LIPS_INNER[6]], 1].mean()
    lift = torch.where(place < 0, left[1] - middle, right[1] - middle)
    rested[_LIPS, 1] -= (lift * place.square().clamp(max=1.0))[_LIPS]
    return rested


def _between(place: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Linear interpolation; outside the knots their first and last value."""
    order = knots.argsort()
    knots, values = knots[order].contiguous(), values[order]
    upper = torch.searchsorted(knots, place.contiguous()).clamp(1, len(knots) - 1)
    low, high = knots[upper - 1], knots[upper]
    share = ((place - low) / (high - low).clamp_min(1e-6)).clamp(0.0, 1.0)
    return values[upper - 1] + (values[upper] - values[upper - 1]) * share


def _move_eye(side: str, reference: Tensor, driver: Tensor, resting: Tensor, moved: Tensor) -> None:
    """Lids open and close in proportion to what is open at rest; the gaze is told in eye widths from the middle."""
    outer, upper_outer, upper_inner, inner, lower_inner, lower_outer = EYES[side]

    def width(points: Tensor) -> Tensor:
        return (points[..., outer, :] - points[..., inner, :]).norm(dim=-1).clamp_min(0.02)

    own_width = width(reference)
    for upper, lower in ((upper_outer, lower_outer), (upper_inner, lower_inner)):
        usual = (resting[lower, 1] - resting[upper, 1]) / width(resting)
        now = (driver[:, lower, 1] - driver[:, upper, 1]) / width(driver)
        own = (reference[lower, 1] - reference[upper, 1]) / own_width
        opened = own if float(own) > _CLOSED else usual
        share = (now / usual).clamp(0.0, 1.5) if float(usual) > _CLOSED else torch.ones_like(now)
        share = torch.where(share < 0.25, torch.zeros(()), share)  # an estimator rarely sees an eye quite shut
        below = (driver[:, lower, 1] - resting[lower, 1]) / width(resting) * own_width
        moved[:, lower, 1] = below
        moved[:, upper, 1] = reference[lower, 1] + below - share * opened * own_width - reference[upper, 1]

    def gaze(points: Tensor) -> Tensor:
        middle = (points[..., outer, :] + points[..., inner, :]) / 2
        return (points[..., IRIS[side], :] - middle) / width(points)[..., None]

    shut = (driver[:, lower_outer, 1] - driver[:, upper_outer, 1]) / width(driver) < _CLOSED
    turned = (gaze(driver) - gaze(reference)) * own_width
    moved[:, IRIS[side]] = torch.where(shut[:, None], torch.zeros(()), turned)
