"""Expressions in a mirror: which coefficient takes the place of which."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from dreamactor.data.actors import EXPRESSION
from dreamactor.guidance.person_box import other_side

MIRRORED_CODE: Final = [EXPRESSION.index(other_side(name)) for name in EXPRESSION]
"""For every coefficient the one it becomes."""
SIGNED: Final = [EXPRESSION.index(name) for name in ("mouth_shift", "gaze_x", "jaw_shift")]
"""Coefficients that point to one side and change their sign."""


def mirror_expression(expression: Tensor, flipped: Tensor) -> Tensor:
    """Expressions [N, E] as they look where `flipped` [N] bool says that the picture is mirrored."""
    other = expression[:, MIRRORED_CODE].clone()
    other[:, SIGNED] *= -1
    return torch.where(flipped[:, None], other, expression)
