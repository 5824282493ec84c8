"""Finger poses by name."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Final

import numpy as np

HAND_CHANNELS: Final = (
    "thumb_curl", "index_curl", "middle_curl", "ring_curl", "little_curl", "thumb_across", "spread", "splay",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HandPose:
    """Fingers of one hand: curls 0 (straight) to 1 (closed), the thumb before the palm 0 to 1, spread and splay 0 to 1."""

    thumb: float
    index: float
    middle: float
    ring: float
    little: float
    across: float = 0.2
    spread: float = 0.3
    splay: float = 0.0

    def values(self) -> np.ndarray:
        """[8] in the order of `HAND_CHANNELS`."""
        return np.array(astuple(self))


HAND_POSES: Final = {
    "relaxed": HandPose(0.15, 0.20, 0.26, 0.32, 0.38, 0.30),
    "flat": HandPose(0.0, 0.0, 0.0, 0.0, 0.0, 0.15, 0.05),
    "spread": HandPose(-0.1, -0.04, -0.04, -0.04, -0.04, 0.0, 1.0, 0.9),
    "fist": HandPose(0.9, 1.05, 1.05, 1.05, 1.05, 0.85, 0.0),
    "point": HandPose(0.85, 0.0, 1.0, 1.05, 1.05, 0.85, 0.1),
    "thumb_up": HandPose(-0.15, 1.05, 1.05, 1.05, 1.05, -0.1, 0.3),
    "victory": HandPose(0.9, 0.0, 0.0, 1.05, 1.05, 0.95, 0.7, 0.9),
    "three": HandPose(0.9, 0.0, 0.0, 0.0, 1.05, 0.95, 0.6, 0.5),
    "four": HandPose(0.9, 0.0, 0.0, 0.0, 0.0, 1.0, 0.6, 0.5),
    "ok": HandPose(0.75, 0.60, 0.12, 0.04, 0.0, 0.75, 0.7, 0.5),
    "grasp": HandPose(0.35, 0.50, 0.50, 0.52, 0.55, 0.60, 0.5),
    "cup": HandPose(0.25, 0.28, 0.28, 0.28, 0.28, 0.45, 0.2),
    "pinch": HandPose(0.60, 0.55, 0.60, 0.65, 0.70, 0.75, 0.2),
    "horns": HandPose(0.9, 0.0, 1.05, 1.05, 0.0, 0.9, 0.4, 0.3),
    "phone": HandPose(-0.1, 1.05, 1.05, 1.05, 0.0, -0.1, 0.9, 0.5),
    "claw": HandPose(0.4, 0.45, 0.42, 0.42, 0.45, 0.2, 0.9, 0.7),
}
COUNTING: Final = ("point", "victory", "three", "four", "spread")
"""One to five."""
