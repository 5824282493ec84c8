"""Faces and expressions in a mirror: which point and which coefficient takes the place of which."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from dreamactor.data.actors.expression import COEFFICIENT
from dreamactor.geometry.skeleton import FACE_POINT, FACE_POINTS
from dreamactor.guidance.person_box import other_side


def _mirrored_face_point(name: str) -> str:
    """The same place on the other half of the face; lips are numbered around the mouth."""
    part, _, number = name.rpartition("_")
    if part == "lip_outer":
        return f"{part}_{(6 - int(number)) % 12}"
    if part == "lip_inner":
        return f"{part}_{4 - int(number) if int(number) <= 4 else 12 - int(number)}"
    return other_side(name)


MIRRORED_FACE: Final = [FACE_POINT[name] for name in map(_mirrored_face_point, FACE_POINTS)]
"""For every face point the one it becomes."""
MIRRORED_CODE: Final = [COEFFICIENT[other_side(name)] for name in COEFFICIENT]
"""For every coefficient the one it becomes."""
SIGNED: Final = [COEFFICIENT[name] for name in ("mouth_shift", "gaze_x")]
"""Coefficients that point to one side and change their sign."""


def mirror_expression(expression: Tensor, flipped: Tensor) -> Tensor:
    """Expressions [N, E] as they look where `flipped` [N] bool says that the picture is mirrored."""
    other = expression[:, MIRRORED_CODE].clone()
    other[:, SIGNED] *= -1
    return torch.where(flipped[:, None], other, expression)
