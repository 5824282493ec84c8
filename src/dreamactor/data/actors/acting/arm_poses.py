"""Poses of one arm by name: where the wrist is, where the elbow points, how the palm is turned.

Places are from the middle between the shoulders, in leg lengths of the standard body: out to the arm's own side, up, ahead.
The same pose serves both arms, mirrored. Bodies with other proportions take the angles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

Place = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
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
    "hang": ArmPose((0.34, -0.66, 0.06), (0.3, 0.0, -1.0), (-1.0, 0.0, -0.25), bend_deg=4),
    # talking hands
    "low_front": ArmPose((0.22, -0.42, 0.34), palm=(-0.9, 0.3, 0.2), bend_deg=4),
    "mid_front": ArmPose((0.20, -0.28, 0.38), palm=(-0.9, 0.2, 0.3), bend_deg=6),
    "palm_up": ArmPose((0.28, -0.34, 0.36), palm=(-0.2, 1.0, 0.3), bend_deg=10, hand="cup"),
    "palm_up_wide": ArmPose((0.48, -0.28, 0.30), palm=(0.0, 0.9, 0.5), bend_deg=14, hand="spread"),
    "palm_down": ArmPose((0.26, -0.26, 0.40), (0.8, -0.8, -0.2), (0.0, -1.0, 0.1), hand="flat"),
    "chop": ArmPose((0.16, -0.24, 0.42), palm=(-1.0, 0.0, 0.0), hand="flat"),
    "stop": ArmPose((0.24, -0.02, 0.50), (0.7, -1.0, -0.1), (0.0, 0.1, 1.0), bend_deg=45, hand="flat"),
    "fist_low": ArmPose((0.24, -0.30, 0.34), palm=(-1.0, 0.2, 0.0), hand="fist"),
    "fist_high": ArmPose((0.34, 0.16, 0.24), (0.8, -0.8, 0.0), (-1.0, 0.0, -0.2), hand="fist"),
    "ring": ArmPose((0.26, -0.10, 0.36), (0.7, -1.0, -0.2), (-0.3, 0.0, 1.0), bend_deg=10, hand="ok"),
    "thumb": ArmPose((0.24, -0.18, 0.42), palm=(-1.0, 0.0, 0.0), hand="thumb_up"),
    "sign_high": ArmPose((0.34, 0.06, 0.30), (0.8, -1.0, 0.0), (-0.2, 0.0, 1.0), bend_deg=8, hand="victory"),
    "count": ArmPose((0.30, 0.00, 0.32), (0.7, -1.0, 0.0), (-0.2, 0.0, 1.0), bend_deg=6, hand="point"),
    "shrugged": ArmPose((0.50, -0.26, 0.22), (0.1, -1.0, -0.5), (0.2, 1.0, 0.3), bend_deg=20, hand="cup"),
    "pinched": ArmPose((0.22, -0.16, 0.40), palm=(-0.6, 0.0, 0.8), bend_deg=6, hand="pinch"),
    # pointing and reaching
    "point_ahead": ArmPose((0.18, 0.00, 0.64), (0.6, -1.0, 0.0), (-0.5, -0.8, 0.0), hand="point"),
    "point_side": ArmPose((0.88, 0.06, 0.14), (0.0, -1.0, -0.3), (0.0, -0.6, 0.8), hand="point"),
    "point_up": ArmPose((0.42, 0.58, 0.14), (1.0, -0.2, 0.3), (-0.4, 0.0, 0.9), hand="point"),
    "point_down": ArmPose((0.34, -0.52, 0.38), (0.9, -0.3, -0.3), (-0.6, -0.4, -0.6), hand="point"),
    "point_across": ArmPose((-0.24, 0.02, 0.48), (0.5, -1.0, 0.2), (-0.4, -0.9, 0.0), hand="point"),
    "point_self": ArmPose((0.12, -0.18, 0.30), (1.0, -0.6, 0.2), (0.0, 0.3, -1.0), bend_deg=-35, hand="point"),
    "reach_ahead": ArmPose((0.20, -0.04, 0.66), (0.7, -1.0, 0.0), (-0.7, -0.6, 0.0), hand="spread"),
    "reach_up": ArmPose((0.30, 0.62, 0.16), (1.0, 0.0, 0.3), (-0.4, 0.0, 1.0), hand="spread"),
    "reach_low": ArmPose((0.24, -0.50, 0.44), (0.7, -0.4, -0.6), (-0.8, -0.4, 0.0), hand="spread"),
    "reach_across": ArmPose((-0.26, 0.10, 0.46), (0.6, -0.9, 0.3), (-0.7, -0.6, 0.0), hand="spread"),
    "reach_side": ArmPose((0.86, 0.12, 0.18), (0.0, -1.0, -0.2), (0.0, -0.8, 0.6), hand="spread"),
    "held": ArmPose((0.16, -0.22, 0.36), palm=(-0.8, 0.5, 0.0), hand="grasp"),
    # waving
    "wave_in": ArmPose((0.40, 0.22, 0.22), (0.9, -1.0, 0.0), (-0.2, 0.0, 1.0), hand="spread"),
    "wave_out": ArmPose((0.62, 0.14, 0.20), (0.6, -1.0, 0.0), (0.2, 0.0, 1.0), hand="spread"),
    "wave_high_in": ArmPose((0.26, 0.62, 0.12), (1.0, 0.0, 0.2), (-0.2, 0.0, 1.0), hand="flat"),
    "wave_high_out": ArmPose((0.60, 0.54, 0.12), (1.0, -0.3, 0.2), (0.2, 0.0, 1.0), hand="flat"),
    # the body touched
    "hip": ArmPose((0.26, -0.50, 0.04), (1.0, 0.0, -0.35), (-0.8, 0.0, -0.6), bend_deg=25, hand="cup"),
    "folded_over": ArmPose((-0.06, -0.25, 0.27), (0.7, -0.9, 0.1), (0.0, -0.2, -1.0), bend_deg=-12, hand="cup"),
    "folded_under": ArmPose((-0.04, -0.30, 0.21), (0.7, -0.9, 0.0), (0.0, -0.2, -1.0), bend_deg=-12, hand="flat"),
    "clasped": ArmPose((0.06, -0.50, 0.26), (0.9, -0.4, -0.4), (-0.8, 0.5, -0.3), bend_deg=-8, hand="grasp"),
    "clasped_chest": ArmPose((0.06, -0.24, 0.28), (0.9, -0.9, 0.0), (-1.0, 0.0, -0.3), bend_deg=-6, hand="cup"),
    "behind_back": ArmPose((0.06, -0.56, -0.22), (1.0, 0.2, -0.5), (0.2, 0.0, -1.0), hand="grasp"),
    "heart": ArmPose((0.02, -0.20, 0.24), (1.0, -0.7, 0.1), (0.0, 0.0, -1.0), bend_deg=-8, hand="flat"),
    "shoulder_across": ArmPose((-0.14, -0.06, 0.24), (0.4, -1.0, 0.5), (-0.2, -0.2, -1.0), bend_deg=-20, hand="cup"),
    "clap_open": ArmPose((0.24, -0.14, 0.38), (0.9, -1.0, -0.1), (-1.0, 0.0, 0.0), bend_deg=10, hand="flat"),
    "clap_shut": ArmPose((0.055, -0.15, 0.41), (0.9, -1.0, -0.1), (-1.0, 0.0, 0.0), bend_deg=32, hand="flat"),
    # the face touched
    "chin": ArmPose((0.10, -0.06, 0.26), (0.5, -1.0, 0.3), (-0.4, 0.4, -0.9), bend_deg=-10, hand="pinch"),
    "cheek": ArmPose((0.19, 0.04, 0.22), (0.5, -1.0, 0.4), (-0.8, 0.3, -0.5), bend_deg=-6, hand="cup"),
    "mouth": ArmPose((0.14, 0.02, 0.30), (0.8, -1.0, 0.2), (-0.4, 0.2, -1.0), bend_deg=-8, hand="flat"),
    "forehead": ArmPose((0.22, 0.26, 0.22), (1.0, -0.5, 0.4), (-0.5, 0.2, -1.0), bend_deg=-12, hand="flat"),
    "hair": ArmPose((0.25, 0.36, 0.06), (1.0, 0.0, 0.4), (-1.0, -0.2, 0.0), bend_deg=-20, hand="claw"),
    "behind_head": ArmPose((0.17, 0.24, -0.17), (1.0, 0.35, 0.1), (-0.3, 0.0, 1.0), bend_deg=-4, hand="cup"),
    "ear": ArmPose((0.28, 0.12, 0.10), (0.9, -0.9, 0.3), (-1.0, 0.0, 0.2), bend_deg=-10, hand="phone"),
    "neck": ArmPose((0.22, 0.08, -0.10), (1.0, -0.1, 0.3), (-1.0, 0.0, 0.5), bend_deg=-20, hand="cup"),
    "salute": ArmPose((0.30, 0.26, 0.18), (1.0, -0.4, 0.2), (-0.2, -0.9, 0.3), bend_deg=0, hand="flat"),
    "glasses": ArmPose((0.22, 0.10, 0.24), (0.8, -1.0, 0.2), (-0.8, 0.0, -0.5), bend_deg=-4, hand="pinch"),
    "kiss": ArmPose((0.08, 0.02, 0.30), (0.9, -1.0, 0.1), (0.0, 0.3, -1.0), bend_deg=-4, hand="pinch"),
    # dancing and sports
    "up": ArmPose((0.34, 0.64, 0.06), (1.0, 0.0, 0.2), (-0.6, 0.0, 0.8), hand="spread"),
    "up_bent": ArmPose((0.36, 0.36, 0.12), (1.0, -0.2, 0.1), (-0.6, 0.0, 0.8), hand="cup"),
    "side": ArmPose((0.92, 0.00, 0.04), (0.0, -0.7, -0.7), (0.0, -1.0, 0.2), hand="flat"),
    "side_low": ArmPose((0.74, -0.40, 0.06), (0.3, 0.1, -1.0), (-0.4, -0.6, 0.5), hand="flat"),
    "cactus": ArmPose((0.62, 0.30, 0.08), (1.0, -0.7, 0.0), (0.0, 0.0, 1.0), hand="fist"),
    "pump_front": ArmPose((0.20, -0.12, 0.36), (0.7, -0.9, -0.3), (-1.0, -0.2, 0.0), hand="fist"),
    "pump_back": ArmPose((0.32, -0.40, 0.02), (0.4, -0.2, -1.0), (-1.0, 0.0, 0.0), hand="fist"),
    "across_low": ArmPose((-0.10, -0.46, 0.30), (0.8, -0.4, 0.2), (0.0, -0.4, -1.0), hand="flat"),
    "guard": ArmPose((0.14, 0.00, 0.32), (0.5, -1.0, 0.0), (-1.0, 0.0, -0.4), hand="fist"),
    "oval_low": ArmPose((0.22, -0.50, 0.28), (1.0, -0.2, 0.0), (-0.6, 0.5, -0.5), hand="relaxed"),
    "oval_high": ArmPose((0.22, 0.58, 0.20), (1.0, 0.2, 0.3), (-0.5, -0.7, 0.1), hand="relaxed"),
    "oval_front": ArmPose((0.16, -0.14, 0.46), (1.0, -0.4, 0.0), (-0.7, 0.0, -0.6), hand="relaxed"),
    "robot_up": ArmPose((0.30, 0.02, 0.34), (0.3, -1.0, -0.1), (-1.0, 0.0, 0.0), hand="flat"),
    "robot_down": ArmPose((0.56, -0.36, 0.16), (1.0, 0.6, -0.2), (-0.6, 0.0, -0.8), hand="flat"),
    "wound_up": ArmPose((0.52, 0.22, -0.22), (1.0, 0.0, -0.4), (0.2, 0.5, 0.8), bend_deg=25, hand="grasp"),
    "released": ArmPose((0.24, 0.26, 0.60), (1.0, -0.6, 0.0), (0.0, -0.7, 0.7), bend_deg=-10, hand="spread"),
    "followed": ArmPose((-0.16, -0.38, 0.38), (0.8, -0.2, 0.2), (-0.3, -0.2, -1.0), bend_deg=-20, hand="relaxed"),
    "under_back": ArmPose((0.36, -0.52, -0.34), (0.6, 0.2, -1.0), (-0.5, 0.0, 1.0), hand="grasp"),
    "under_front": ArmPose((0.24, 0.02, 0.62), (0.7, -1.0, 0.0), (0.0, 0.8, 0.6), hand="spread"),
    "jump_back": ArmPose((0.38, -0.48, -0.36), (0.4, 0.1, -1.0), (-1.0, 0.0, 0.0), hand="cup"),
    "knee": ArmPose((0.20, -0.46, 0.40), (0.8, -0.4, -0.3), (-0.1, -1.0, 0.1), hand="relaxed"),
}  # fmt: skip


def varied(pose: ArmPose, rng: np.random.Generator, amount: float = 0.03) -> ArmPose:
    """The same pose as somebody else, or at another time, would take it."""
    out, up, ahead = (float(v + rng.normal(0, amount)) for v in pose.wrist)
    return replace(pose, wrist=(out, up, ahead), bend_deg=pose.bend_deg + float(rng.normal(0, 5)))
