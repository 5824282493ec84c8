"""Face motion encoders: what a face does, free of whose face it is and where it looks (section 3.2).

Both give the same face motion tokens M [t, c]: the first E numbers are read out as expression coefficients, the others are
free. The implicit encoder is the paper's E_f with its MLP; the landmark encoder is the paper's ablation baseline, and the
bridge by which a real face drives a model trained on drawn ones. Nothing depends on how many coefficients there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dreamactor.geometry.skeleton import FACE_POINT, NUM_FACE_POINTS
from dreamactor.models.looking import Block, Patch, Trunk, centres, cut_squares
from dreamactor.types.shapes import expect_shape

LOOK_PX: Final = 144
"""Side of the pictures that eyes and mouth are read from."""
TRUNK_PX: Final = 96
"""Side of the pictures in which face points are found."""
NEAR_PX: Final = 28
"""Side of the close looks."""
_EYES = tuple([FACE_POINT[f"{side}_eye_{index}"] for index in range(6)] for side in ("left", "right"))
_MOUTH = [FACE_POINT[f"lip_outer_{index}"] for index in range(12)]
_GAPS = (
    ("lip_inner_2", "lip_inner_6"),
    ("lip_outer_3", "lip_outer_9"),
    ("lip_outer_0", "lip_outer_6"),
    ("left_eye_1", "left_eye_5"),
    ("left_eye_2", "left_eye_4"),
    ("right_eye_1", "right_eye_5"),
    ("right_eye_2", "right_eye_4"),
    ("left_eye_0", "left_iris"),
    ("left_eye_3", "left_iris"),
    ("right_eye_0", "right_iris"),
    ("right_eye_3", "right_iris"),
    ("left_brow_2", "left_eye_1"),
    ("left_brow_4", "left_eye_3"),
    ("right_brow_2", "right_eye_1"),
    ("right_brow_4", "right_eye_3"),
    ("left_brow_4", "right_brow_4"),
    ("lip_outer_0", "nose_tip"),
    ("lip_outer_6", "nose_tip"),
    ("lip_outer_3", "nose_tip"),
    ("chin", "nose_tip"),
)
"""Distances that tell expressions apart and hardly change with the face."""


class LandmarkFaceEncoder(nn.Module):
    """Pose-normalised face points -> face motion tokens."""

    point_mean: Tensor
    point_std: Tensor

    def __init__(self, *, code_dim: int, width: int = 256, coefficients: Sequence[str] = ()) -> None:
        """
        Args:
            code_dim: c, size of a token.
            width: of the hidden layers.
            coefficients: names of the E expression coefficients that its first numbers are; the others are free. Empty: all
                are coefficients whose names are not known.
        """
        super().__init__()
        self.code_dim, self.width = code_dim, width
        self.coefficients, self.num_read = tuple(coefficients), len(coefficients) or code_dim
        self.register_buffer("point_mean", torch.zeros(NUM_FACE_POINTS, 3))
        self.register_buffer("point_std", torch.ones(NUM_FACE_POINTS, 3))
        self.network = nn.Sequential(
            nn.Linear(NUM_FACE_POINTS * 3 + len(_GAPS), width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, code_dim),
        )

    def forward(self, landmarks: Tensor) -> Tensor:
        """Points [..., P, 3] in face heights (see `FaceInput`) -> tokens [..., c]."""
        first = landmarks[..., [FACE_POINT[a] for a, _ in _GAPS], :]
        second = landmarks[..., [FACE_POINT[b] for _, b in _GAPS], :]
        gaps = (first - second).norm(dim=-1) * 8
        points = ((landmarks - self.point_mean) / self.point_std).clamp(-6, 6)
        return self.network(torch.cat([points.flatten(-2), gaps], dim=-1))


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceFound:
    """What the implicit encoder finds in N pictures, before it reads it.

    Attributes:
        points: [N, P, 2] face points in -1..1 of the picture; learnt so that the expression is read where it shows.
        turn: [N, 3] sines of yaw, pitch and roll; learnt so that it need not be carried by the tokens.
        features: [N, D] points turned upright, the trunk's features where they are, and the turn.
        near: [N, 4, 3, 28, 28] left eye, mirrored right eye, mouth and brows from near.
    """

    points: Tensor
    turn: Tensor
    features: Tensor
    near: Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceLook:
    """What the implicit encoder makes of N pictures.

    Attributes:
        tokens: [N, c] face motion tokens; the first E of them are read out as expression coefficients.
        points, turn: as in `FaceFound`.
    """

    tokens: Tensor
    points: Tensor
    turn: Tensor


class ImplicitFaceEncoder(nn.Module):
    """RGB face crops -> face motion tokens: the paper's E_f and its MLP, at a size that trains and runs on a CPU.

    Face points are found first; then points, the trunk's features where they are, and eyes and mouth seen from near tell
    what the face does. Points and close looks are turned upright and scaled by the points: roll and crop leave no
    trace.
    """

    def __init__(self, *, code_dim: int, coefficients: Sequence[str] = ()) -> None:
        """
        Args:
            code_dim: c, size of a token.
            coefficients: names of the E expression coefficients that its first numbers are; the others are free. Empty: all
                are coefficients whose names are not known.
        """
        super().__init__()
        self.code_dim = code_dim
        self.coefficients, self.num_read = tuple(coefficients), len(coefficients) or code_dim
        channels = (16, 32, 48, 80)
        self.trunk = Trunk(channels, (0, 1, 2, 2))
        self.turn = nn.Sequential(
            nn.GroupNorm(8, 80), nn.SiLU(), nn.Conv2d(80, 16, 1), nn.SiLU(), nn.Flatten(), nn.Linear(16 * 36, 3)
        )  # fmt: skip
        self.up = nn.ModuleList([nn.Conv2d(80, 48, 1), nn.Conv2d(48, 32, 1)])
        self.skip = nn.ModuleList([nn.Conv2d(48, 48, 1), nn.Conv2d(32, 32, 1)])
        self.merge = nn.ModuleList([Block(48), nn.Sequential(nn.SiLU(), nn.Conv2d(32, 32, 3, padding=1))])
        self.heat = nn.Sequential(nn.GroupNorm(8, 32), nn.SiLU(), nn.Conv2d(32, NUM_FACE_POINTS, 1))
        self.local = nn.Conv2d(32, 10, 1)
        self.eye, self.mouth = (Patch(32, size_px=NEAR_PX, channels=(16, 24, 32)) for _ in range(2))
        self.brows = Patch(24, size_px=NEAR_PX, channels=(16, 16, 24))
        features = NUM_FACE_POINTS * 12 + 3 + 3 * 32 + 24
        # What differs from face to face is small against what all faces share: without the norm nothing is learnt for long.
        self.mlp = nn.Sequential(
            nn.BatchNorm1d(features), nn.Linear(features, 128), nn.SiLU(), nn.Linear(128, 96), nn.SiLU(),
            nn.Linear(96, code_dim),
        )  # fmt: skip

    def forward(self, crops: Tensor) -> Tensor:
        """Crops [T, 3, 224, 224] uint8 -> tokens [T, c]; every frame on its own."""
        return self.look(self.pictures(crops)).tokens

    def pictures(self, crops: Tensor) -> Tensor:
        """What `look` takes, from crops [T, 3, 224, 224] uint8."""
        expect_shape("crops", crops, "T 3 224 224")
        return F.interpolate(crops.float() / 127.5 - 1, size=LOOK_PX, mode="bilinear", antialias=True)

    def look(self, pictures: Tensor) -> FaceLook:
        """The same from pictures [N, 3, 144, 144] in -1..1, with what was found on the way."""
        found = self.find(pictures)
        return FaceLook(tokens=self.read(found.features, found.near), points=found.points, turn=found.turn)

    def find(self, pictures: Tensor) -> FaceFound:
        """Points and close looks of pictures [N, 3, 144, 144] in -1..1."""
        levels = self.trunk(F.interpolate(pictures, size=TRUNK_PX, mode="bilinear", antialias=True))
        turn = self.turn(levels[3])
        hidden = levels[3]
        for up, skip, merge, finer in zip(self.up, self.skip, self.merge, (levels[2], levels[1]), strict=True):
            hidden = merge(F.interpolate(up(hidden), scale_factor=2.0) + skip(finer))
        points, share = centres(self.heat(hidden))
        here = torch.einsum("nlp,ncp->nlc", share, self.local(hidden).flatten(2))  # features where each point is
        upright, _, _ = _upright(points)
        return FaceFound(
            points=points, turn=turn, features=torch.cat([upright.flatten(1), here.flatten(1), turn], dim=1),
            near=_near(pictures, points.detach()),
        )  # fmt: skip

    def read(self, features: Tensor, near: Tensor) -> Tensor:
        """Tokens [N, c] from `FaceFound.features` and `FaceFound.near`."""
        left, right, lips, brows = near.unbind(dim=1)
        seen = [self.eye(left), self.eye(right), self.mouth(lips), self.brows(brows)]
        return self.mlp(torch.cat([features, *seen], dim=1))


def _near(pictures: Tensor, points: Tensor) -> Tensor:
    """[N, 4, 3, 28, 28] both eyes, mouth and brows; the brows' square is placed by the eyes, so that brows move in it."""
    _, axis, unit = _upright(points)
    eyes = [points[:, eye].mean(dim=1) for eye in _EYES]
    down = torch.stack([-axis[:, 1], axis[:, 0]], dim=-1)
    above = (eyes[0] + eyes[1]) / 2 - 0.35 * unit[:, None] * down

    def cut(middle: Tensor, reach: float, *, mirror: bool = False) -> Tensor:
        return cut_squares(pictures, middle, reach * unit, size_px=NEAR_PX, axis=axis, mirror=mirror)

    mouth = points[:, _MOUTH].mean(dim=1)
    parts = [cut(eyes[0], 0.36), cut(eyes[1], 0.36, mirror=True), cut(mouth, 0.55), cut(above, 0.8)]
    return torch.stack(parts, dim=1)


def _upright(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Points [N, P, 2] about their middle, turned so that the eyes are level and scaled to a spread of one; the direction
    from the right eye to the left [N, 2]; and the spread [N]."""
    apart = points - points.mean(dim=1, keepdim=True)
    unit = apart.square().sum(dim=-1).mean(dim=1).sqrt().clamp(min=0.05)
    across = points[:, _EYES[0]].mean(dim=1) - points[:, _EYES[1]].mean(dim=1)
    axis = F.normalize(across, dim=-1, eps=1e-3)
    down = torch.stack([-axis[:, 1], axis[:, 0]], dim=-1)
    turned = torch.stack([(apart * axis[:, None]).sum(-1), (apart * down[:, None]).sum(-1)], dim=-1)
    return turned / unit[:, None, None], axis, unit
