"""What the driver's moving camera does to a track: takes it out, and says in one line how far it moved."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dreamactor.geometry.rotation import angles_to_matrix, axis_rotation, matrix_to_angles
from dreamactor.types.track import PersonTrack, shots_of

_ENOUGH_KNOWN = 0.5
"""Below this share of frames in which the background told something, nothing is said about the camera."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraReport:
    """How far a camera moved, over all shots, each against its own first frame.

    Attributes:
        way: farthest that the middle of the picture got, in widths of the picture.
        zoom: largest change of scale, as a share (0.1: a tenth larger or smaller).
        turn_rad: largest turn about the line of sight.
        known: share of frames in which the background told it.
    """

    way: float
    zoom: float
    turn_rad: float
    known: float

    @property
    def moves(self) -> bool:
        return max(self.way, self.zoom, self.turn_rad) > 1e-6


def move_track(track: PersonTrack, matrix: Tensor) -> PersonTrack:
    """Every point of a track through a similarity of its own frame.

    Args:
        matrix: [T, 2, 3] turn, zoom and shift in pixels. Depth, radius and boxes take the zoom, head angles the turn,
            metres the turn alone.
    """
    linear, shift = matrix[:, :, :2], matrix[:, :, 2]  # [T, 2, 2], [T, 2]
    zoom = torch.linalg.det(linear).clamp_min(1e-12).sqrt()  # [T]
    turned = linear / zoom[:, None, None]

    def moved(points: Tensor) -> Tensor:
        """[T, ..., 3] px3 points."""
        flat = points.flatten(1, -2) if points.ndim > 2 else points[:, None]
        plane = flat[..., :2] @ linear.mT + shift[:, None]
        return torch.cat([plane, flat[..., 2:] * zoom[:, None, None]], dim=-1).reshape(points.shape)

    metres = torch.cat([track.body.joints_m[..., :2] @ turned.mT, track.body.joints_m[..., 2:]], dim=-1)
    roll = -torch.atan2(turned[:, 1, 0], turned[:, 0, 0])  # pixel axes point down, view axes up
    old = track.head.angles_rad
    angles = matrix_to_angles(axis_rotation("z", roll) @ angles_to_matrix(old))
    angles[:, 0] += 2 * torch.pi * ((old[:, 0] - angles[:, 0]) / (2 * torch.pi)).round()
    middle = track.face.box.unflatten(1, (2, 2)).mean(dim=1)
    half = (track.face.box[:, 2:] - middle) * zoom[:, None]
    middle = (linear @ middle[..., None])[..., 0] + shift
    return replace(
        track,
        body=replace(track.body, joints=moved(track.body.joints), joints_m=metres),
        hands=replace(track.hands, joints=moved(track.hands.joints)),
        head=replace(
            track.head,
            angles_rad=torch.where(roll[:, None] == 0, old, angles),
            center=moved(track.head.center),
            radius_px=track.head.radius_px * zoom,
        ),
        face=replace(track.face, landmarks=moved(track.face.landmarks), box=torch.cat([middle - half, middle + half], 1)),
    )


def steady(track: PersonTrack) -> PersonTrack:
    """The track as a camera would have seen it that stays as it is in the first frame of every shot.

    What leaves the picture that way keeps its (now outside) place. A track whose camera nobody looked at stays as it is.
    """
    if track.camera is None:
        return track
    return replace(move_track(track, _since_shot_began(track)), camera=None)


def report_camera(track: PersonTrack) -> CameraReport | None:
    """How far the camera moved; None where nobody looked, or the background told it in too few frames."""
    if track.camera is None or float(track.camera.known.float().mean()) < _ENOUGH_KNOWN:
        return None
    moved = _since_shot_began(track)
    middle = torch.tensor((track.width / 2, track.height / 2))
    way = (moved[:, :, :2] @ middle + moved[:, :, 2] - middle).norm(dim=-1)
    zoom = torch.linalg.det(moved[:, :, :2]).clamp_min(1e-12).sqrt().log().abs()
    return CameraReport(
        way=float(way.max()) / track.width,
        zoom=float(zoom.max().exp()) - 1.0,
        turn_rad=float(torch.atan2(moved[:, 1, 0], moved[:, 0, 0]).abs().max()),
        known=float(track.camera.known.float().mean()),
    )


def describe_camera(track: PersonTrack) -> str:
    """One line for people."""
    if track.camera is None:
        return "camera: not looked at"
    report = report_camera(track)
    if report is None:
        return "camera: cannot be told, too little background; taken to stand still"
    if not report.moves:
        return "camera: stands still"
    turn_deg = math.degrees(report.turn_rad)
    said = [f"moves by up to {report.way:.1%} of the width"] if report.way >= 0.0005 else []
    said += [f"zooms by up to {report.zoom:.0%}"] if report.zoom >= 0.01 else []
    said += [f"turns by up to {turn_deg:.0f} degrees"] if turn_deg >= 1.0 else []
    return f"camera: {', '.join(said) or 'hardly moves'}"


def _since_shot_began(track: PersonTrack) -> Tensor:
    """[T, 2, 3] from each frame's pixels to those of the first frame of its shot."""
    assert track.camera is not None
    bottom = torch.tensor((0.0, 0.0, 1.0), dtype=torch.float64).expand(track.num_frames, 1, 3)
    whole = torch.cat([track.camera.matrix.double(), bottom], dim=1)
    for shot in shots_of(track.cut):
        first = whole[shot.start]
        if not torch.equal(first, torch.eye(3, dtype=torch.float64)):
            whole[shot] = torch.linalg.inv(first) @ whole[shot]
    return whole[:, :2].float()
