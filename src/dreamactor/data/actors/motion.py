"""Performances: joint rotations, travel and expression over time, independent of who performs them.

A performance knows no lengths: travel is in leg lengths, so a child and a giant can do the same. Where performances come
from is the business of `acting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors.coefficients import COEFFICIENT, NUM_EXPRESSION
from dreamactor.geometry.rotation import axis_rotation

Framing = Literal["portrait", "upper", "full"]
FRAMINGS: Final[tuple[Framing, ...]] = ("portrait", "upper", "full")

ANGLES: Final = (
    "root_yaw", "root_pitch", "root_roll",
    "spine_yaw", "spine_pitch", "spine_roll",
    "head_yaw", "head_pitch", "head_roll",
    "left_raise", "left_forward", "left_twist", "left_elbow",
    "right_raise", "right_forward", "right_twist", "right_elbow",
    "left_hand_bend", "left_hand_roll", "left_curl", "left_spread",
    "right_hand_bend", "right_hand_roll", "right_curl", "right_spread",
    "left_hip_forward", "left_hip_out", "left_knee", "left_foot",
    "right_hip_forward", "right_hip_out", "right_knee", "right_foot",
    "travel_x", "travel_z", "lift",
    "left_thumb_curl", "left_index_curl", "left_middle_curl", "left_ring_curl", "left_little_curl", "left_thumb_across",
    "left_splay", "left_shrug", "left_hip_turn", "left_foot_roll",
    "right_thumb_curl", "right_index_curl", "right_middle_curl", "right_ring_curl", "right_little_curl",
    "right_thumb_across", "right_splay", "right_shrug", "right_hip_turn", "right_foot_roll",
)  # fmt: skip
"""Channels of a pose. Rotations in degrees; curl 0 (flat) to 1 (fist); travel and lift in leg lengths. Arms hang at 0:
raise is sideways, forward is to the front, twist is about the upper arm (positive turns the elbow crease inward).

From `left_thumb_curl` on, channels are zero in cast 2: the curl of single fingers is added to the hand's curl; across (0 to
1) brings the thumb before the palm; splay (0 to 1) spreads the four fingers beyond what spread does; shrug (0 to 1) lifts
the shoulder; hip turn is about the thigh (positive turns the toes outward); foot roll is about the foot's own length
(positive lifts the outer edge)."""
CHANNEL: Final = {name: index for index, name in enumerate(ANGLES)}

AT_EASE: Final = {
    "left_raise": 10.0, "right_raise": 10.0, "left_elbow": 14.0, "right_elbow": 14.0, "left_curl": 0.25,
    "right_curl": 0.25, "left_hip_out": 4.0, "right_hip_out": 4.0, "left_spread": 0.3, "right_spread": 0.3,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Performance:
    """What somebody does.

    Attributes:
        channels: [T, len(ANGLES)] float32 pose channels.
        expression: [T, E] float32, columns in the order of `coefficients.SCHEMA`; E is the cast's number of them.
        fps: frames per second.
        framing: what the camera is meant to see.
        kind: name of the motion.
    """

    channels: Tensor
    expression: Tensor
    fps: float
    framing: Framing
    kind: str

    @property
    def num_frames(self) -> int:
        return int(self.channels.shape[0])

    def channel(self, name: str) -> Tensor:
        """[T] one pose channel."""
        return self.channels[:, CHANNEL[name]]

    def rotation(self, prefix: str) -> Tensor:
        """[T, 3, 3] from the yaw, pitch and roll channels of root, spine or head."""
        yaw, pitch, roll = (torch.deg2rad(self.channel(f"{prefix}_{axis}")) for axis in ("yaw", "pitch", "roll"))
        return axis_rotation("y", yaw) @ axis_rotation("x", pitch) @ axis_rotation("z", roll)


def pose_performance(pose: dict[str, float], *, framing: Framing = "full") -> Performance:
    """One frame in a given pose (channels that are not named are zero) with a neutral face."""
    return Performance(
        channels=torch.tensor([[float(pose.get(name, 0.0)) for name in ANGLES]]),
        expression=torch.zeros(1, NUM_EXPRESSION),
        fps=25.0,
        framing=framing,
        kind="pose",
    )


def neutral_performance(*, framing: Framing, yaw_deg: float = 0.0, seed: int | None = None) -> Performance:
    """One frame standing at ease, for reference pictures; with a seed, hands and face vary a little."""
    pose = dict(AT_EASE)
    expression = np.zeros((1, NUM_EXPRESSION))
    if seed is not None:
        rng = np.random.Generator(np.random.PCG64([seed, 0x51AB]))
        for side in ("left", "right"):
            pose[f"{side}_raise"] = rng.uniform(8, 40)
            pose[f"{side}_elbow"] = rng.uniform(8, 50)
            pose[f"{side}_forward"] = rng.uniform(-5, 25)
            pose[f"{side}_hip_out"] = rng.uniform(3, 10)
        smile = rng.uniform(0, 0.6)
        expression[0, COEFFICIENT["smile_left"]] = expression[0, COEFFICIENT["smile_right"]] = smile
    pose["root_yaw"] = yaw_deg
    channels = np.array([[pose.get(name, 0.0) for name in ANGLES]])
    return Performance(
        channels=torch.tensor(channels, dtype=torch.float32),
        expression=torch.tensor(expression, dtype=torch.float32),
        fps=25.0,
        framing=framing,
        kind="neutral",
    )
