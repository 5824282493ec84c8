"""Small networks that read a drawn person off a picture: where the joints are, how the head is turned and what the face
does, and who it is. They judge generated video and never train the generator. Inputs are crops along a box somebody knows.

Axis letters: N pictures, P points, E expression coefficients, D width of an identity.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dreamactor.geometry.skeleton import FACE_POINT
from dreamactor.models.looking import Block, Patch, Trunk, centres, cut_squares
from dreamactor.types.shapes import expect_shape

POINTS_PX, HEAD_PX, WHO_PX = 128, 96, 96
"""Sides of the crops the three networks take."""


class PointJudge(nn.Module):
    """Where the joints are: heat maps at a quarter of the resolution, read by their centres of mass."""

    def __init__(self, num_points: int) -> None:
        super().__init__()
        self.num_points = num_points
        self.trunk = Trunk((16, 32, 64, 128), (0, 1, 2, 2))
        self.up = nn.ModuleList([nn.Conv2d(128, 64, 1), nn.Conv2d(64, 48, 1)])
        self.skip = nn.ModuleList([nn.Conv2d(64, 64, 1), nn.Conv2d(32, 48, 1)])
        self.merge = nn.ModuleList([Block(64), Block(48)])
        self.heat = nn.Sequential(nn.GroupNorm(8, 48), nn.SiLU(), nn.Conv2d(48, num_points, 1))

    def forward(self, crops: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Crops [N, 3, 128, 128] in -1..1 -> points [N, P, 2] in -1..1 of the crop, and features, finest first."""
        expect_shape("crops", crops, f"N 3 {POINTS_PX} {POINTS_PX}")
        found = self.trunk(crops)
        hidden = found[3]
        for up, skip, merge, finer in zip(self.up, self.skip, self.merge, (found[2], found[1]), strict=True):
            hidden = merge(F.interpolate(up(hidden), scale_factor=2.0) + skip(finer))
        points, _ = centres(self.heat(hidden))
        return points, found[1:]


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadReading:
    """What a head crop shows.

    Attributes:
        turn: [N, 4] sine and cosine of yaw, sine of pitch, sine of roll.
        landmarks: [N, L, 2] face points in -1..1 of the crop; learnt so that the expression is read where it shows.
        expression: [N, E].
    """

    turn: Tensor
    landmarks: Tensor
    expression: Tensor

    @property
    def angles_rad(self) -> Tensor:
        """[N, 3] yaw in -pi..pi, pitch, roll."""
        sine, cosine, pitch, roll = self.turn.unbind(dim=-1)
        return torch.stack([torch.atan2(sine, cosine), *(part.clamp(-1, 1).asin() for part in (pitch, roll))], dim=-1)


PATCH_PX = 24
_EYES = tuple([FACE_POINT[f"{side}_eye_{index}"] for index in range(6)] for side in ("left", "right"))
_MOUTH = [FACE_POINT[f"lip_outer_{index}"] for index in range(12)]


class HeadJudge(nn.Module):
    """How the head is turned, and what the face does: face points are found first, then read where they are; eyes and mouth
    are looked at again from near."""

    def __init__(self, num_landmarks: int, num_expression: int) -> None:
        super().__init__()
        self.num_landmarks, self.num_expression = num_landmarks, num_expression
        self.trunk = Trunk((24, 32, 64, 96), (0, 1, 2, 2))
        self.narrow = nn.Sequential(nn.GroupNorm(8, 96), nn.SiLU(), nn.Conv2d(96, 24, 1), nn.SiLU())
        self.turn = nn.Sequential(nn.Linear(24 * 36, 96), nn.SiLU(), nn.Linear(96, 4))
        self.up = nn.ModuleList([nn.Conv2d(96, 64, 1), nn.Conv2d(64, 48, 1)])
        self.skip = nn.ModuleList([nn.Conv2d(64, 64, 1), nn.Conv2d(32, 48, 1)])
        self.merge = nn.ModuleList([Block(64), Block(48)])
        self.heat = nn.Sequential(nn.GroupNorm(8, 48), nn.SiLU(), nn.Conv2d(48, num_landmarks, 1))
        self.local = nn.Conv2d(48, 16, 1)
        self.eye, self.mouth = Patch(32, size_px=PATCH_PX), Patch(32, size_px=PATCH_PX)
        self.face = nn.Sequential(
            nn.Linear(num_landmarks * 18 + 4 + 96, 192),
            nn.SiLU(),
            nn.Linear(192, 128),
            nn.SiLU(),
            nn.Linear(128, num_expression),
        )

    def forward(self, crops: Tensor) -> HeadReading:
        """Crops [N, 3, 96, 96] in -1..1."""
        expect_shape("crops", crops, f"N 3 {HEAD_PX} {HEAD_PX}")
        found = self.trunk(crops)
        turn = self.turn(self.narrow(found[3]).flatten(1))
        hidden = found[3]
        for up, skip, merge, finer in zip(self.up, self.skip, self.merge, (found[2], found[1]), strict=True):
            hidden = merge(F.interpolate(up(hidden), scale_factor=2.0) + skip(finer))
        landmarks, share = centres(self.heat(hidden))
        here = torch.einsum("nlp,ncp->nlc", share, self.local(hidden).flatten(2))  # features where each point is
        # Points about their own middle: where the box lies says nothing about the face.
        apart = (landmarks - landmarks.mean(dim=1, keepdim=True)) * 3
        place = landmarks.detach()
        left, right = (
            self.eye(_near(crops, place[:, points], reach=1.5, mirror=side == 1)) for side, points in enumerate(_EYES)
        )
        near = [left, right, self.mouth(_near(crops, place[:, _MOUTH], reach=1.4))]
        code = self.face(torch.cat([apart.flatten(1), here.flatten(1), turn, *near], dim=1))
        return HeadReading(turn=turn, landmarks=landmarks, expression=code)


def _near(crops: Tensor, points: Tensor, *, reach: float, mirror: bool = False) -> Tensor:
    """A square around points [N, K, 2] of crops [N, 3, S, S], at the crop's full resolution; `reach` times their extent."""
    low, high = points.amin(dim=1), points.amax(dim=1)
    half = (high - low).amax(dim=1).clamp(min=0.1) * (reach / 2)
    return cut_squares(crops, (low + high) / 2, half, size_px=PATCH_PX, mirror=mirror)


class WhoJudge(nn.Module):
    """Who it is: pictures of one actor lie close together, whatever it does and wherever it stands."""

    def __init__(self, dim: int = 64) -> None:
        super().__init__()
        self.dim = dim
        self.trunk = Trunk((16, 32, 64, 96), (0, 1, 2, 2))
        self.norm = nn.GroupNorm(8, 96)
        self.out = nn.Linear(192, dim)

    def forward(self, crops: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Crops [N, 3, 96, 96] in -1..1 -> identities [N, D] of length one, and features, finest first."""
        expect_shape("crops", crops, f"N 3 {WHO_PX} {WHO_PX}")
        found = self.trunk(crops)
        last = F.silu(self.norm(found[-1])).flatten(2)
        pooled = torch.cat([last.mean(dim=-1), last.amax(dim=-1)], dim=-1)
        return F.normalize(self.out(pooled), dim=-1), found[1:]
