"""One arm over time: keys through poses, and the channels they make."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dreamactor.data.actors.acting.arm_poses import ArmPose
from dreamactor.data.actors.acting.hands import HAND_POSES
from dreamactor.data.actors.acting.limbs import SHOULDER_HALF, about, bend_arm, limb_angles, quaternion, turned_by
from dreamactor.data.actors.acting.timing import Track

_QUATERNION, _ELBOW, _BEND, _ROLL, _FINGERS = slice(0, 4), 4, 5, 6, slice(7, 15)


@lru_cache(maxsize=512)
def _solved(pose: ArmPose) -> tuple[float, ...]:
    """The 15 numbers of a pose: upper arm's quaternion, elbow, wrist bend and roll in degrees, fingers."""
    upper, elbow = bend_arm(np.array(pose.wrist) - np.array([SHOULDER_HALF, 0, 0]), np.array(pose.elbow))
    forearm = upper @ about("x", -elbow)
    palm = forearm.T @ np.array(pose.palm)
    roll = float(np.clip(np.rad2deg(np.arctan2(palm[2], -palm[0])), -100, 125))
    return (*quaternion(upper), elbow, pose.bend_deg, roll, *HAND_POSES[pose.hand].values())


class Arm:
    """One arm over time."""

    def __init__(self, pose: ArmPose) -> None:
        self._track = Track(list(_solved(pose)))

    @property
    def end_s(self) -> float:
        return self._track.end_s

    def key(self, at_s: float, pose: ArmPose, *, hand: str | None = None) -> None:
        """A pose to pass through, by the shortest way from the one before."""
        values = np.array(_solved(pose))
        if hand is not None:
            values[_FINGERS] = HAND_POSES[hand].values()
        if values[_QUATERNION] @ self._track.last[_QUATERNION] < 0:
            values[_QUATERNION] *= -1
        self._track.add(at_s, values)

    def hold(self, until_s: float) -> None:
        self._track.hold(until_s)

    def move(self, start_s: float, end_s: float, pose: ArmPose, *, hand: str | None = None) -> None:
        """Stays until the start, and arrives at the end; who is late takes at least two thirds of the time."""
        self.hold(start_s)
        self.key(max(end_s, self.end_s + 0.67 * (end_s - start_s)), pose, hand=hand)

    def channels(self, times_s: np.ndarray, *, lag_s: float) -> dict[str, np.ndarray]:
        """Channels of this arm at moments [T], named without the side; what is farther out follows `lag_s` later a joint."""
        upper = self._track.at(times_s)
        fore, hand, fingers = (self._track.at(times_s - k * lag_s) for k in (1, 2, 3))
        raised, forward, twist = limb_angles(turned_by(upper[:, _QUATERNION]), 1.0)
        curls = fingers[:, _FINGERS]
        curl = np.clip(curls[:, 1:5].mean(1), 0, 1)
        names = ("thumb_curl", "index_curl", "middle_curl", "ring_curl", "little_curl")
        return {
            "raise": raised, "forward": forward, "twist": -twist, "elbow": fore[:, _ELBOW],
            "hand_bend": hand[:, _BEND], "hand_roll": hand[:, _ROLL],
            "curl": curl, **{name: curls[:, i] - curl for i, name in enumerate(names)},
            "thumb_across": curls[:, 5], "spread": curls[:, 6], "splay": curls[:, 7],
        }  # fmt: skip
