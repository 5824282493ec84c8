"""Joint layouts of other tools, by the names of their points, so that nothing else needs their numbers.

A point that means the same in several layouts (or in ours) has the same name everywhere: body points as in `BODY_JOINTS`,
hand points as `left_hand/index_pip`, face points as `face/chin`. What none of our joints needs keeps a name of its own.
"""

from __future__ import annotations

from typing import Final

from dreamactor.geometry.skeleton import FACE_POINT_MESH_INDEX, FACE_POINTS, HAND_JOINTS, HANDS


def _sides(*names: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in names for side in ("left", "right"))


def hand_points(side: str) -> tuple[str, ...]:
    """The 21 names of one hand's points, wrist first."""
    return tuple(f"{side}_hand/{joint}" for joint in HAND_JOINTS)


def _face(*names: str) -> tuple[str, ...]:
    return tuple(f"face/{name}" for name in names)


# The 68 points of the face as COCO-WholeBody, SMPL-X and many others number them: outline from the person's right ear
# along the jaw, brows, nose, eyes, lips. Seventeen of the outline and nose points are not ours.
_CONTOUR_OURS: Final = {0: "right_cheek", 4: "right_jaw", 8: "chin", 12: "left_jaw", 16: "left_cheek"}
_FACE_CONTOUR: Final = _face(*(_CONTOUR_OURS.get(i, f"contour_{i}") for i in range(17)))
_FACE_INNER: Final = _face(
    *(f"right_brow_{i}" for i in range(5)),
    *(f"left_brow_{i}" for i in reversed(range(5))),
    "nose_bridge", "nose_ridge_1", "nose_ridge_2", "nose_tip",
    "right_ala", "right_nostril", "nose_base", "left_nostril", "left_ala",
    *(f"right_eye_{i}" for i in range(6)),
    *(f"left_eye_{i}" for i in (3, 2, 1, 0, 5, 4)),
    *(f"lip_outer_{i}" for i in range(12)),
    *(f"lip_inner_{i}" for i in range(8)),
)  # fmt: skip

COCO_WHOLEBODY_133: Final = (
    "nose", *_sides("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"),
    *(f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")),
    *_FACE_CONTOUR, *_FACE_INNER,
    *hand_points("left"), *hand_points("right"),
)  # fmt: skip

MEDIAPIPE_33: Final = (
    "nose",
    *(f"{side}_eye{part}" for side, parts in (("left", ("_inner", "", "_outer")), ("right", ("_inner", "", "_outer")))
      for part in parts),
    *_sides("ear"), "mouth_left", "mouth_right",
    *_sides("shoulder", "elbow", "wrist", "little_knuckle", "index_knuckle", "thumb_knuckle"),
    *_sides("hip", "knee", "ankle", "heel", "foot_index"),
)  # fmt: skip
_MESH_OURS: Final = dict(zip(FACE_POINT_MESH_INDEX, FACE_POINTS, strict=True))
_MEDIAPIPE_FACE: Final = _face(*(_MESH_OURS.get(i, f"mesh_{i}") for i in range(478)))

_SMPL_BODY: Final = (
    "smpl/pelvis", *_sides("hip"), "smpl/spine1", *_sides("knee"), "smpl/spine2", *_sides("ankle"), "smpl/spine3",
    *_sides("foot"), "smpl/neck", *_sides("collar"), "smpl/head", *_sides("shoulder", "elbow", "wrist"),
)  # fmt: skip
_SMPLX_FINGERS: Final = tuple(
    f"{side}_hand/{finger}_{part}"
    for side in HANDS
    for finger in ("index", "middle", "little", "ring", "thumb")
    for part in (("cmc", "mcp", "ip") if finger == "thumb" else ("mcp", "pip", "dip"))
)
SMPLX_55: Final = (*_SMPL_BODY, "smpl/jaw", *_sides("eyeball"), *_SMPLX_FINGERS)
_SMPLX_REGRESSED: Final = (
    "nose", "right_eye", "left_eye", "right_ear", "left_ear",
    *(f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")),
    *(f"{side}_hand/{finger}_tip" for side in HANDS for finger in ("thumb", "index", "middle", "ring", "little")),
    *_FACE_INNER,
)  # fmt: skip

LAYOUTS: Final[dict[str, tuple[str, ...]]] = {
    "coco_wholebody_133": COCO_WHOLEBODY_133,
    "mediapipe_33": MEDIAPIPE_33,
    "mediapipe_75": (*MEDIAPIPE_33, *hand_points("left"), *hand_points("right")),
    "mediapipe_553": (*MEDIAPIPE_33, *hand_points("left"), *hand_points("right"), *_MEDIAPIPE_FACE),
    "smpl_24": (*_SMPL_BODY, *_sides("hand_middle")),
    "smplx_55": SMPLX_55,
    "smplx_127": (*SMPLX_55, *_SMPLX_REGRESSED),
    "smplx_144": (*SMPLX_55, *_SMPLX_REGRESSED, *_FACE_CONTOUR),
}
"""Layout -> names of its points in storage order."""

SMPLX_PARENTS: Final = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15,
    *(parent for wrist, first in ((20, 25), (21, 40)) for finger in range(5)
      for parent in (wrist, first + 3 * finger, first + 3 * finger + 1)),
)  # fmt: skip
"""Parent of each of the 55 joints of `SMPLX_55`; parents come before children."""

SMPL_PARENTS: Final = (*SMPLX_PARENTS[:22], 20, 21)
"""Parent of each of the 24 joints of `smpl_24`."""
