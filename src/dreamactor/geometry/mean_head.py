"""Where the firm points of a head are: the mean of the project's drawn near-human heads, expression at rest.

Head axes: x to the person's left (image right when it faces the viewer), y up, z out of the face; origin in the middle of
the head; unit: half the distance from chin to crown. Names as in `layouts`.
"""

from __future__ import annotations

from typing import Final

_LEFT_AND_MIDDLE: Final = {
    "nose": (0.0, -0.30, 0.98),
    "left_ear": (0.76, 0.0, -0.06),
    "left_eye": (0.30, -0.02, 0.71),
    "left_eye_inner": (0.14, -0.03, 0.74),
    "left_eye_outer": (0.45, -0.01, 0.61),
    "left_eyeball": (0.30, -0.02, 0.60),
    "mouth_left": (0.23, -0.60, 0.75),
    "smpl/head": (0.0, -0.45, -0.10),
    "face/left_eye_0": (0.45, -0.01, 0.61),
    "face/left_eye_1": (0.35, 0.04, 0.67),
    "face/left_eye_2": (0.24, 0.04, 0.72),
    "face/left_eye_3": (0.14, -0.03, 0.74),
    "face/left_eye_4": (0.24, -0.07, 0.72),
    "face/left_eye_5": (0.35, -0.06, 0.67),
    "face/left_iris": (0.30, -0.02, 0.71),
    "face/left_brow_0": (0.47, 0.16, 0.63),
    "face/left_brow_1": (0.38, 0.21, 0.72),
    "face/left_brow_2": (0.30, 0.23, 0.77),
    "face/left_brow_3": (0.21, 0.23, 0.80),
    "face/left_brow_4": (0.12, 0.20, 0.82),
    "face/nose_bridge": (0.0, 0.02, 0.84),
    "face/nose_tip": (0.0, -0.31, 0.96),
    "face/left_ala": (0.12, -0.36, 0.86),
    "face/forehead": (0.0, 0.62, 0.71),
    "face/left_cheek": (0.71, -0.07, 0.02),
    "face/left_jaw": (0.52, -0.66, 0.31),
    "face/chin": (0.0, -0.98, 0.70),
}
_OUTER_LIP: Final = (
    (-0.23, -0.60, 0.75), (-0.14, -0.55, 0.79), (-0.05, -0.54, 0.81), (0.0, -0.54, 0.82), (0.05, -0.54, 0.81),
    (0.14, -0.55, 0.79), (0.23, -0.60, 0.75), (0.18, -0.65, 0.78), (0.07, -0.67, 0.81), (0.0, -0.67, 0.82),
    (-0.07, -0.67, 0.81), (-0.18, -0.65, 0.78),
)  # fmt: skip
_INNER_LIP: Final = tuple((x, -0.60, z) for x, z in (
    (-0.21, 0.76), (-0.12, 0.81), (0.0, 0.84), (0.12, 0.81), (0.21, 0.76), (0.13, 0.80), (0.0, 0.84), (-0.13, 0.80),
))  # fmt: skip


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
