"""Where the points of a head are: the mean of 22 clips of people as the default estimator sees them from the front.

People differ from it by 0.01 to 0.05 (standard deviation), ears by 0.08. Head axes: x to the person's left
(image right when it faces the viewer), y up, z out of the face; origin and angles by the conventions of `HeadTrack`; unit:
half the distance from chin to crown. Names as in `layouts`. Eyeballs and the head joint of body models are estimates.
"""

from __future__ import annotations

from typing import Final

_LEFT_AND_MIDDLE: Final = {
    "nose": (0.0, -0.32, 0.95),
    "left_ear": (0.55, -0.14, -0.1),
    "left_eye": (0.3, 0.0, 0.61),
    "left_eye_inner": (0.17, -0.01, 0.6),
    "left_eye_outer": (0.42, 0.01, 0.55),
    "mouth_left": (0.23, -0.63, 0.62),
    "left_eyeball": (0.3, 0.0, 0.5),
    "smpl/head": (0.0, -0.3, -0.1),
    "face/left_eye_0": (0.42, 0.01, 0.55),
    "face/left_eye_1": (0.36, 0.04, 0.61),
    "face/left_eye_2": (0.26, 0.04, 0.63),
    "face/left_eye_3": (0.17, -0.01, 0.6),
    "face/left_eye_4": (0.25, -0.02, 0.62),
    "face/left_eye_5": (0.35, -0.02, 0.6),
    "face/left_iris": (0.3, 0.01, 0.6),
    "face/left_brow_0": (0.53, 0.16, 0.54),
    "face/left_brow_1": (0.48, 0.21, 0.62),
    "face/left_brow_2": (0.39, 0.24, 0.68),
    "face/left_brow_3": (0.27, 0.24, 0.73),
    "face/left_brow_4": (0.14, 0.22, 0.76),
    "face/nose_bridge": (0.0, 0.05, 0.75),
    "face/nose_tip": (0.0, -0.36, 0.95),
    "face/left_ala": (0.16, -0.4, 0.73),
    "face/forehead": (0.0, 0.52, 0.7),
    "face/chin": (0.0, -1.06, 0.59),
    "face/left_cheek": (0.65, -0.17, 0.05),
    "face/left_jaw": (0.51, -0.74, 0.22),
}
_OUTER_LIP: Final = (
    (-0.23, -0.63, 0.62),
    (-0.18, -0.58, 0.72),
    (-0.07, -0.53, 0.8),
    (0.0, -0.54, 0.81),
    (0.07, -0.53, 0.8),
    (0.18, -0.58, 0.72),
    (0.23, -0.63, 0.62),
    (0.18, -0.69, 0.69),
    (0.07, -0.75, 0.74),
    (0.0, -0.76, 0.75),
    (-0.07, -0.75, 0.74),
    (-0.18, -0.69, 0.69),
)
_INNER_LIP: Final = (
    (-0.21, -0.63, 0.64),
    (-0.14, -0.61, 0.7),
    (0.0, -0.61, 0.76),
    (0.14, -0.61, 0.7),
    (0.21, -0.63, 0.64),
    (0.14, -0.65, 0.69),
    (0.0, -0.66, 0.74),
    (-0.14, -0.65, 0.69),
)


def _mirrored(name: str) -> str:
    return "mouth_right" if name == "mouth_left" else name.replace("left_", "right_")


MEAN_HEAD: Final[dict[str, tuple[float, float, float]]] = {
    **_LEFT_AND_MIDDLE,
    **{_mirrored(name): (-x, y, z) for name, (x, y, z) in _LEFT_AND_MIDDLE.items() if _mirrored(name) != name},
    **{f"face/lip_outer_{i}": place for i, place in enumerate(_OUTER_LIP)},
    **{f"face/lip_inner_{i}": place for i, place in enumerate(_INNER_LIP)},
}
"""Point -> x, y, z."""

_FIRM: Final = (
    "nose", "ear", "eye", "eye_inner", "eye_outer", "eyeball", "eye_0", "eye_3", "nose_bridge",
    "nose_tip", "ala", "forehead",
)  # fmt: skip
FIRM_POINTS: Final = tuple(
    name for name in MEAN_HEAD if name.removeprefix("face/").removeprefix("left_").removeprefix("right_") in _FIRM
)
"""Points that neither speech nor looks move, and whose place on the head does not depend on who marks it."""
