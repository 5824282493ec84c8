"""Face motion encoders: what a face does, free of whose face it is and where it looks (section 3.2).

Both give the same face motion code: the expression coefficients they were trained to read. The MLP from code to face
motion tokens belongs to the DiT. The landmark encoder is the paper's ablation baseline, and the bridge by which a real
face drives a model trained on drawn ones.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dreamactor.geometry.skeleton import FACE_POINT, NUM_FACE_POINTS
from dreamactor.types.shapes import expect_shape

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
    """Pose-normalised face points -> face motion code."""

    point_mean: Tensor
    point_std: Tensor

    def __init__(self, *, code_dim: int, width: int = 256) -> None:
        super().__init__()
        self.code_dim, self.width = code_dim, width
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
        """Points [..., P, 3] in face heights (see `FaceInput`) -> code [..., E]."""
        first = landmarks[..., [FACE_POINT[a] for a, _ in _GAPS], :]
        second = landmarks[..., [FACE_POINT[b] for _, b in _GAPS], :]
        gaps = (first - second).norm(dim=-1) * 8
        points = ((landmarks - self.point_mean) / self.point_std).clamp(-6, 6)
        return self.network(torch.cat([points.flatten(-2), gaps], dim=-1))


class ImplicitFaceEncoder(nn.Module):
    """RGB face crops -> face motion code: the paper's E_f, at a size that trains on a CPU (0.6 M weights, 70 MFLOP)."""

    def __init__(self, *, code_dim: int, width: int = 24) -> None:
        super().__init__()
        self.code_dim, self.width = code_dim, width
        layers: list[nn.Module] = [nn.Conv2d(3, width, 7, stride=4, padding=2), nn.SiLU()]
        channels = width
        for _ in range(3):
            layers += [
                nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1),
                nn.GroupNorm(8, 2 * channels),
                nn.SiLU(),
            ]
            channels *= 2
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4))
        self.head = nn.Sequential(nn.Linear(channels * 16, 128), nn.SiLU(), nn.Linear(128, code_dim))

    def forward(self, crops: Tensor) -> Tensor:
        """Crops [t, 3, 224, 224] in -1..1 -> code [t, E]."""
        expect_shape("crops", crops, "T 3 224 224")
        return self.head(self.features(crops).flatten(1))
