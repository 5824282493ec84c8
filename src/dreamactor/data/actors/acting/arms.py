"""Poses of one arm by name: where the wrist is, where the elbow points, how the palm is turned.

Places are from the middle between the shoulders, in leg lengths of the standard body: out to the arm's own side, up, ahead.
The same pose serves both arms, mirrored. Bodies with other proportions take the angles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from dreamactor.data.actors.acting.hands import HAND_POSES
from dreamactor.data.actors.acting.limbs import SHOULDER_HALF, about, bend_arm, limb_angles, quaternion, turned_by
from dreamactor.data.actors.acting.timing import Track

Place = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmPose:
    """A pose of one arm.

    Attributes:
        wrist: out, up, ahead.
        elbow: direction the elbow points to.
        palm: direction the palm faces.
        bend_deg: of the wrist; positive towards the back of the hand.
        hand: name of the finger pose.
    """

    wrist: Place
    elbow: Place = (0.5, -1.0, -0.3)
    palm: Place = (-1.0, 0.0, 0.0)
    bend_deg: float = 0.0
    hand: str = "relaxed"


ARM_POSES: Final = {
    "hang": ArmPose(wrist=(0.34, -0.66, 0.06), elbow=(0.3, 0.0, -1.0), palm=(-1.0, 0.0, -0.25), bend_deg=4),
    # talking hands
    "low_front": ArmPose(wrist=(0.22, -0.42, 0.34), palm=(-0.9, 0.3, 0.2), bend_deg=4),
    "mid_front": ArmPose(wrist=(0.20, -0.28, 0.38), palm=(-0.9, 0.2, 0.3), bend_deg=6),
    "palm_up": ArmPose(wrist=(0.28, -0.34, 0.36), palm=(-0.2, 1.0, 0.3), bend_deg=10, hand="cup"),
    "palm_up_wide": ArmPose(wrist=(0.48, -0.28, 0.30), palm=(0.0, 0.9, 0.5), bend_deg=14, hand="spread"),
    "palm_down": ArmPose(wrist=(0.26, -0.26, 0.40), elbow=(0.8, -0.8, -0.2), palm=(0.0, -1.0, 0.1), hand="flat"),
    "chop": ArmPose(wrist=(0.16, -0.24, 0.42), palm=(-1.0, 0.0, 0.0), hand="flat"),
    "stop": ArmPose(wrist=(0.24, -0.02, 0.50), elbow=(0.7, -1.0, -0.1), palm=(0.0, 0.1, 1.0), bend_deg=45, hand="flat"),
    "fist_low": ArmPose(wrist=(0.24, -0.30, 0.34), palm=(-1.0, 0.2, 0.0), hand="fist"),
    "fist_high": ArmPose(wrist=(0.34, 0.16, 0.24), elbow=(0.8, -0.8, 0.0), palm=(-1.0, 0.0, -0.2), hand="fist"),
    "ring": ArmPose(wrist=(0.26, -0.10, 0.36), elbow=(0.7, -1.0, -0.2), palm=(-0.3, 0.0, 1.0), bend_deg=10, hand="ok"),
    "thumb": ArmPose(wrist=(0.24, -0.18, 0.42), palm=(-1.0, 0.0, 0.0), hand="thumb_up"),
    "sign_high": ArmPose(wrist=(0.34, 0.06, 0.30), elbow=(0.8, -1.0, 0.0), palm=(-0.2, 0.0, 1.0), bend_deg=8, hand="victory"),
    "count": ArmPose(wrist=(0.30, 0.00, 0.32), elbow=(0.7, -1.0, 0.0), palm=(-0.2, 0.0, 1.0), bend_deg=6, hand="point"),
    "shrugged": ArmPose(wrist=(0.50, -0.26, 0.22), elbow=(0.1, -1.0, -0.5), palm=(0.2, 1.0, 0.3), bend_deg=20, hand="cup"),
    "pinched": ArmPose(wrist=(0.22, -0.16, 0.40), palm=(-0.6, 0.0, 0.8), bend_deg=6, hand="pinch"),
    # pointing and reaching
    "point_ahead": ArmPose(wrist=(0.18, 0.00, 0.64), elbow=(0.6, -1.0, 0.0), palm=(-0.5, -0.8, 0.0), hand="point"),
    "point_side": ArmPose(wrist=(0.88, 0.06, 0.14), elbow=(0.0, -1.0, -0.3), palm=(0.0, -0.6, 0.8), hand="point"),
    "point_up": ArmPose(wrist=(0.42, 0.58, 0.14), elbow=(1.0, -0.2, 0.3), palm=(-0.4, 0.0, 0.9), hand="point"),
    "point_down": ArmPose(wrist=(0.34, -0.52, 0.38), elbow=(0.9, -0.3, -0.3), palm=(-0.6, -0.4, -0.6), hand="point"),
    "point_across": ArmPose(wrist=(-0.24, 0.02, 0.48), elbow=(0.5, -1.0, 0.2), palm=(-0.4, -0.9, 0.0), hand="point"),
    "point_self": ArmPose(wrist=(0.12, -0.18, 0.30), elbow=(1.0, -0.6, 0.2), palm=(0.0, 0.3, -1.0), bend_deg=-35, hand="point"),
    "reach_ahead": ArmPose(wrist=(0.20, -0.04, 0.66), elbow=(0.7, -1.0, 0.0), palm=(-0.7, -0.6, 0.0), hand="spread"),
    "reach_up": ArmPose(wrist=(0.30, 0.62, 0.16), elbow=(1.0, 0.0, 0.3), palm=(-0.4, 0.0, 1.0), hand="spread"),
    "reach_low": ArmPose(wrist=(0.24, -0.50, 0.44), elbow=(0.7, -0.4, -0.6), palm=(-0.8, -0.4, 0.0), hand="spread"),
    "reach_across": ArmPose(wrist=(-0.26, 0.10, 0.46), elbow=(0.6, -0.9, 0.3), palm=(-0.7, -0.6, 0.0), hand="spread"),
    "reach_side": ArmPose(wrist=(0.86, 0.12, 0.18), elbow=(0.0, -1.0, -0.2), palm=(0.0, -0.8, 0.6), hand="spread"),
    "held": ArmPose(wrist=(0.16, -0.22, 0.36), palm=(-0.8, 0.5, 0.0), hand="grasp"),
    # waving
    "wave_in": ArmPose(wrist=(0.40, 0.22, 0.22), elbow=(0.9, -1.0, 0.0), palm=(-0.2, 0.0, 1.0), hand="spread"),
    "wave_out": ArmPose(wrist=(0.62, 0.14, 0.20), elbow=(0.6, -1.0, 0.0), palm=(0.2, 0.0, 1.0), hand="spread"),
    "wave_high_in": ArmPose(wrist=(0.26, 0.62, 0.12), elbow=(1.0, 0.0, 0.2), palm=(-0.2, 0.0, 1.0), hand="flat"),
    "wave_high_out": ArmPose(wrist=(0.60, 0.54, 0.12), elbow=(1.0, -0.3, 0.2), palm=(0.2, 0.0, 1.0), hand="flat"),
    # the body touched
    "hip": ArmPose(wrist=(0.26, -0.50, 0.04), elbow=(1.0, 0.0, -0.35), palm=(-0.8, 0.0, -0.6), bend_deg=25, hand="cup"),
    "folded_over": ArmPose(wrist=(-0.06, -0.25, 0.27), elbow=(0.7, -0.9, 0.1), palm=(0.0, -0.2, -1.0), bend_deg=-12, hand="cup"),
    "folded_under": ArmPose(wrist=(-0.04, -0.30, 0.21), elbow=(0.7, -0.9, 0.0), palm=(0.0, -0.2, -1.0), bend_deg=-12, hand="flat"),
    "clasped": ArmPose(wrist=(0.06, -0.50, 0.26), elbow=(0.9, -0.4, -0.4), palm=(-0.8, 0.5, -0.3), bend_deg=-8, hand="grasp"),
    "clasped_chest": ArmPose(wrist=(0.06, -0.24, 0.28), elbow=(0.9, -0.9, 0.0), palm=(-1.0, 0.0, -0.3), bend_deg=-6, hand="cup"),
    "behind_back": ArmPose(wrist=(0.06, -0.56, -0.22), elbow=(1.0, 0.2, -0.5), palm=(0.2, 0.0, -1.0), hand="grasp"),
    "heart": ArmPose(wrist=(0.02, -0.20, 0.24), elbow=(1.0, -0.7, 0.1), palm=(0.0, 0.0, -1.0), bend_deg=-8, hand="flat"),
    "shoulder_across": ArmPose(wrist=(-0.14, -0.06, 0.24), elbow=(0.4, -1.0, 0.5), palm=(-0.2, -0.2, -1.0), bend_deg=-20, hand="cup"),
    "clap_open": ArmPose(wrist=(0.22, -0.14, 0.36), elbow=(0.9, -1.0, -0.1), palm=(-1.0, 0.0, 0.0), hand="flat"),
    "clap_shut": ArmPose(wrist=(0.025, -0.15, 0.38), elbow=(0.9, -1.0, -0.1), palm=(-1.0, 0.0, 0.0), hand="flat"),
    # the face touched
    "chin": ArmPose(wrist=(0.10, -0.06, 0.26), elbow=(0.5, -1.0, 0.3), palm=(-0.4, 0.4, -0.9), bend_deg=-10, hand="pinch"),
    "cheek": ArmPose(wrist=(0.19, 0.04, 0.22), elbow=(0.5, -1.0, 0.4), palm=(-0.8, 0.3, -0.5), bend_deg=-6, hand="cup"),
    "mouth": ArmPose(wrist=(0.14, 0.02, 0.30), elbow=(0.8, -1.0, 0.2), palm=(-0.4, 0.2, -1.0), bend_deg=-8, hand="flat"),
    "forehead": ArmPose(wrist=(0.22, 0.26, 0.22), elbow=(1.0, -0.5, 0.4), palm=(-0.5, 0.2, -1.0), bend_deg=-12, hand="flat"),
    "hair": ArmPose(wrist=(0.25, 0.36, 0.06), elbow=(1.0, 0.0, 0.4), palm=(-1.0, -0.2, 0.0), bend_deg=-20, hand="claw"),
    "behind_head": ArmPose(wrist=(0.17, 0.24, -0.17), elbow=(1.0, 0.35, 0.1), palm=(-0.3, 0.0, 1.0), bend_deg=-4, hand="cup"),
    "ear": ArmPose(wrist=(0.28, 0.12, 0.10), elbow=(0.9, -0.9, 0.3), palm=(-1.0, 0.0, 0.2), bend_deg=-10, hand="phone"),
    "neck": ArmPose(wrist=(0.22, 0.08, -0.10), elbow=(1.0, -0.1, 0.3), palm=(-1.0, 0.0, 0.5), bend_deg=-20, hand="cup"),
    "salute": ArmPose(wrist=(0.30, 0.26, 0.18), elbow=(1.0, -0.4, 0.2), palm=(-0.2, -0.9, 0.3), bend_deg=0, hand="flat"),
    "glasses": ArmPose(wrist=(0.22, 0.10, 0.24), elbow=(0.8, -1.0, 0.2), palm=(-0.8, 0.0, -0.5), bend_deg=-4, hand="pinch"),
    "kiss": ArmPose(wrist=(0.08, 0.02, 0.30), elbow=(0.9, -1.0, 0.1), palm=(0.0, 0.3, -1.0), bend_deg=-4, hand="pinch"),
    # dancing and sports
    "up": ArmPose(wrist=(0.34, 0.64, 0.06), elbow=(1.0, 0.0, 0.2), palm=(-0.6, 0.0, 0.8), hand="spread"),
    "up_bent": ArmPose(wrist=(0.36, 0.36, 0.12), elbow=(1.0, -0.2, 0.1), palm=(-0.6, 0.0, 0.8), hand="cup"),
    "side": ArmPose(wrist=(0.92, 0.00, 0.04), elbow=(0.0, -0.7, -0.7), palm=(0.0, -1.0, 0.2), hand="flat"),
    "side_low": ArmPose(wrist=(0.74, -0.40, 0.06), elbow=(0.3, 0.1, -1.0), palm=(-0.4, -0.6, 0.5), hand="flat"),
    "cactus": ArmPose(wrist=(0.62, 0.30, 0.08), elbow=(1.0, -0.7, 0.0), palm=(0.0, 0.0, 1.0), hand="fist"),
    "pump_front": ArmPose(wrist=(0.20, -0.12, 0.36), elbow=(0.7, -0.9, -0.3), palm=(-1.0, -0.2, 0.0), hand="fist"),
    "pump_back": ArmPose(wrist=(0.32, -0.40, 0.02), elbow=(0.4, -0.2, -1.0), palm=(-1.0, 0.0, 0.0), hand="fist"),
    "across_low": ArmPose(wrist=(-0.10, -0.46, 0.30), elbow=(0.8, -0.4, 0.2), palm=(0.0, -0.4, -1.0), hand="flat"),
    "guard": ArmPose(wrist=(0.14, 0.00, 0.32), elbow=(0.5, -1.0, 0.0), palm=(-1.0, 0.0, -0.4), hand="fist"),
    "oval_low": ArmPose(wrist=(0.22, -0.50, 0.28), elbow=(1.0, -0.2, 0.0), palm=(-0.6, 0.5, -0.5), hand="relaxed"),
    "oval_high": ArmPose(wrist=(0.22, 0.58, 0.20), elbow=(1.0, 0.2, 0.3), palm=(-0.5, -0.7, 0.1), hand="relaxed"),
    "oval_front": ArmPose(wrist=(0.16, -0.14, 0.46), elbow=(1.0, -0.4, 0.0), palm=(-0.7, 0.0, -0.6), hand="relaxed"),
    "robot_up": ArmPose(wrist=(0.30, 0.02, 0.34), elbow=(0.3, -1.0, -0.1), palm=(-1.0, 0.0, 0.0), hand="flat"),
    "robot_down": ArmPose(wrist=(0.56, -0.36, 0.16), elbow=(1.0, 0.6, -0.2), palm=(-0.6, 0.0, -0.8), hand="flat"),
    "wound_up": ArmPose(wrist=(0.52, 0.22, -0.22), elbow=(1.0, 0.0, -0.4), palm=(0.2, 0.5, 0.8), bend_deg=25, hand="grasp"),
    "released": ArmPose(wrist=(0.24, 0.26, 0.60), elbow=(1.0, -0.6, 0.0), palm=(0.0, -0.7, 0.7), bend_deg=-10, hand="spread"),
    "followed": ArmPose(wrist=(-0.16, -0.38, 0.38), elbow=(0.8, -0.2, 0.2), palm=(-0.3, -0.2, -1.0), bend_deg=-20, hand="relaxed"),
    "under_back": ArmPose(wrist=(0.36, -0.52, -0.34), elbow=(0.6, 0.2, -1.0), palm=(-0.5, 0.0, 1.0), hand="grasp"),
    "under_front": ArmPose(wrist=(0.24, 0.02, 0.62), elbow=(0.7, -1.0, 0.0), palm=(0.0, 0.8, 0.6), hand="spread"),
    "jump_back": ArmPose(wrist=(0.38, -0.48, -0.36), elbow=(0.4, 0.1, -1.0), palm=(-1.0, 0.0, 0.0), hand="cup"),
    "knee": ArmPose(wrist=(0.20, -0.46, 0.40), elbow=(0.8, -0.4, -0.3), palm=(-0.1, -1.0, 0.1), hand="relaxed"),
}  # fmt: skip

_QUATERNION, _ELBOW, _BEND, _ROLL, _FINGERS = slice(0, 4), 4, 5, 6, slice(7, 15)


@lru_cache(maxsize=512)
def _solved(pose: ArmPose) -> tuple[float, ...]:
    """The 15 numbers of a pose: upper arm's quaternion, elbow, wrist bend and roll in degrees, fingers."""
    upper, elbow = bend_arm(np.array(pose.wrist) - np.array([SHOULDER_HALF, 0, 0]), np.array(pose.elbow))
    forearm = upper @ about("x", -elbow)
    palm = forearm.T @ np.array(pose.palm)
    roll = float(np.clip(np.rad2deg(np.arctan2(palm[2], -palm[0])), -100, 125))
    return (*quaternion(upper), elbow, pose.bend_deg, roll, *HAND_POSES[pose.hand].values())


def varied(pose: ArmPose, rng: np.random.Generator, amount: float = 0.03) -> ArmPose:
    """The same pose as somebody else, or at another time, would take it."""
    wrist = tuple(float(v + rng.normal(0, amount)) for v in pose.wrist)
    return replace(pose, wrist=wrist, bend_deg=pose.bend_deg + float(rng.normal(0, 5)))


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
        """Stays until the start, and arrives at the end."""
        self.hold(start_s)
        self.key(end_s, pose, hand=hand)

    def channels(self, times_s: np.ndarray, *, lag_s: float) -> dict[str, np.ndarray]:
        """Channels of this arm at moments [T], named without the side; what is farther out follows later by `lag_s` a joint."""
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
