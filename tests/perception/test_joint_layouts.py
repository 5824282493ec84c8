"""The numbers behind the names: a few points of every layout that its makers document."""

import pytest

from dreamactor.geometry.layouts import LAYOUTS, SMPL_PARENTS, SMPLX_PARENTS
from dreamactor.geometry.mean_head import FIRM_POINTS, MEAN_HEAD
from dreamactor.geometry.skeleton import FACE_POINTS


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_point_has_its_own_name_and_its_mirror(layout: str) -> None:
    names = LAYOUTS[layout]
    assert len(set(names)) == len(names)
    assert len(names) == int(layout.rsplit("_", 1)[1])
    for name in names:
        mirrored = name.replace("left", "*").replace("right", "left").replace("*", "right")
        assert mirrored in names


@pytest.mark.parametrize(
    ("layout", "index", "name"),
    [
        ("coco_wholebody_133", 5, "left_shoulder"),
        ("coco_wholebody_133", 10, "right_wrist"),
        ("coco_wholebody_133", 17, "left_big_toe"),
        ("coco_wholebody_133", 22, "right_heel"),
        ("coco_wholebody_133", 23 + 8, "face/chin"),
        ("coco_wholebody_133", 23 + 30, "face/nose_tip"),
        ("coco_wholebody_133", 23 + 36, "face/right_eye_0"),
        ("coco_wholebody_133", 23 + 45, "face/left_eye_0"),
        ("coco_wholebody_133", 23 + 57, "face/lip_outer_9"),
        ("coco_wholebody_133", 91, "left_hand/wrist"),
        ("coco_wholebody_133", 132, "right_hand/little_tip"),
        ("mediapipe_33", 8, "right_ear"),
        ("mediapipe_33", 11, "left_shoulder"),
        ("mediapipe_33", 32, "right_foot_index"),
        ("mediapipe_553", 75 + 152, "face/chin"),
        ("mediapipe_553", 75 + 468, "face/right_iris"),
        ("smplx_55", 4, "left_knee"),
        ("smplx_55", 15, "smpl/head"),
        ("smplx_55", 21, "right_wrist"),
        ("smplx_55", 25, "left_hand/index_mcp"),
        ("smplx_55", 33, "left_hand/little_dip"),
        ("smplx_55", 54, "right_hand/thumb_ip"),
        ("smplx_127", 58, "right_ear"),
        ("smplx_127", 62, "left_heel"),
        ("smplx_127", 66, "left_hand/thumb_tip"),
        ("smplx_144", 143, "face/left_cheek"),
        ("smpl_24", 23, "right_hand_middle"),
    ],
)
def test_known_places(layout: str, index: int, name: str) -> None:
    assert LAYOUTS[layout][index] == name


def test_trees_hang_on_their_roots() -> None:
    assert len(SMPLX_PARENTS) == 55
    assert len(SMPL_PARENTS) == 24
    assert all(parent < joint for parents in (SMPLX_PARENTS, SMPL_PARENTS) for joint, parent in enumerate(parents))
    names = LAYOUTS["smplx_55"]
    for joint, parent in enumerate(SMPLX_PARENTS):
        if names[joint].endswith(("_mcp", "_cmc")) and "thumb_mcp" not in names[joint]:
            assert names[parent] == f"{names[joint].split('_')[0]}_wrist"


def test_the_mean_head_is_even_and_has_every_face_point() -> None:
    assert {f"face/{name}" for name in FACE_POINTS} <= set(MEAN_HEAD)
    assert set(FIRM_POINTS) <= set(MEAN_HEAD)
    for name, (x, y, z) in MEAN_HEAD.items():
        if "left_" in name:
            assert MEAN_HEAD[name.replace("left_", "right_")] == (-x, y, z)
