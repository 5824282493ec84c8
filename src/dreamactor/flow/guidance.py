"""Classifier-free guidance over references and motion, with a scale for each (section 4.1: both 2.5)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from dreamactor.errors import ConfigError

Branch = Literal["nothing", "reference", "full"]
"""Conditions a velocity was computed with: neither, references only, references and motion."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Guidance:
    """v = v0 + reference (v_ref - v0) + motion (v_full - v_ref).

    Attributes:
        reference: scale of what the references add.
        motion: scale of what the motion adds.
    """

    reference: float = 2.5
    motion: float = 2.5

    def __post_init__(self) -> None:
        for name in ("reference", "motion"):
            if not math.isfinite(getattr(self, name)) or getattr(self, name) < 0:
                raise ConfigError(f"Guidance scale '{name}' must be a number of at least 0, got {getattr(self, name)}.")

    @property
    def weights(self) -> dict[Branch, float]:
        """What each branch counts; a branch with weight zero need not be computed. Equal scales leave two branches."""
        weights: dict[Branch, float] = {
            "nothing": 1 - self.reference,
            "reference": self.reference - self.motion,
            "full": self.motion,
        }
        return {branch: weight for branch, weight in weights.items() if weight != 0}

    def combine(self, velocities: Mapping[Branch, Tensor]) -> Tensor:
        """Weighted sum of the branches in `weights`."""
        parts = [weight * velocities[branch] for branch, weight in self.weights.items()]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total
