"""Joint names, parents and bones, and the face points we follow. Names, not numbers, are used everywhere else.

"left" and "right" are the person's own. The neck is the mean of the shoulders and the pelvis the mean of the hips, for
every estimator and for rendered actors alike, so that tracks of different origin are comparable.
"""

from __future__ import annotations

from typing import Final

BODY_JOINTS: Final = (
    "pelvis",
    "neck",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_hip",
    "left_knee",
    "left_ankle",
    "left_heel",
    "left_toe",
    "right_hip",
    "right_knee",
    "right_ankle",
    "right_heel",
    "right_toe",
    "head",  # middle between the ears
    "nose",
    "left_ear",
    "right_ear",
)
"""Body joints in storage order; parents come before children."""

BODY_PARENTS: Final = (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 10, 10, 0, 13, 14, 15, 15, 1, 18, 18, 18)
"""Index of each joint's parent in `BODY_JOINTS`; -1 marks the root (pelvis)."""

NUM_BODY_JOINTS: Final = len(BODY_JOINTS)
JOINT: Final = {name: index for index, name in enumerate(BODY_JOINTS)}
"""Joint name -> index."""

HAND_JOINTS: Final = (
    "wrist",
    *(f"thumb_{part}" for part in ("cmc", "mcp", "ip", "tip")),
    *(f"{finger}_{part}" for finger in ("index", "middle", "ring", "little") for part in ("mcp", "pip", "dip", "tip")),
)
HAND_PARENTS: Final = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)
NUM_HAND_JOINTS: Final = len(HAND_JOINTS)
HANDS: Final = ("left", "right")
"""Order of the hand axis in every hand tensor."""

SKELETON_BONES: Final = tuple(
    (JOINT[a], JOINT[b])
    for a, b in (
        ("pelvis", "neck"),
        ("neck", "left_shoulder"),
        ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"),
        ("neck", "right_shoulder"),
        ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"),
        ("pelvis", "left_hip"),
        ("left_hip", "left_knee"),
        ("left_knee", "left_ankle"),
        ("left_ankle", "left_toe"),
        ("left_heel", "left_toe"),
        ("pelvis", "right_hip"),
        ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"),
        ("right_ankle", "right_toe"),
        ("right_heel", "right_toe"),
    )
)
"""Bones of the body skeleton map: from the neck down, so that head pose is left to the head sphere (section 3.2)."""

# Face points, with the index each has in the 478-point mesh of the default estimator. Side by side, outer to inner
# corner for eyes and from the right corner of the mouth (image left) clockwise for lips.
_FACE_POINT_MESH: Final = {
    **{f"lip_outer_{i}": m for i, m in enumerate((61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91))},
    **{f"lip_inner_{i}": m for i, m in enumerate((78, 80, 13, 310, 308, 318, 14, 88))},
    **{f"right_eye_{i}": m for i, m in enumerate((33, 160, 158, 133, 153, 144))},
    **{f"left_eye_{i}": m for i, m in enumerate((263, 387, 385, 362, 380, 373))},
    "right_iris": 468,
    "left_iris": 473,
    **{f"right_brow_{i}": m for i, m in enumerate((70, 63, 105, 66, 107))},
    **{f"left_brow_{i}": m for i, m in enumerate((300, 293, 334, 296, 336))},
    "nose_bridge": 168,
    "nose_tip": 1,
    "right_ala": 98,
    "left_ala": 327,
    "forehead": 10,
    "chin": 152,
    "right_cheek": 234,
    "left_cheek": 454,
    "right_jaw": 172,
    "left_jaw": 397,
}
FACE_POINTS: Final = tuple(_FACE_POINT_MESH)
"""Names of the face points in storage order. Eye points: outer corner, upper outer, upper inner, inner corner, lower
inner, lower outer."""
FACE_POINT_MESH_INDEX: Final = tuple(_FACE_POINT_MESH.values())
NUM_FACE_POINTS: Final = len(FACE_POINTS)
FACE_POINT: Final = {name: index for index, name in enumerate(FACE_POINTS)}
"""Face point name -> index."""
