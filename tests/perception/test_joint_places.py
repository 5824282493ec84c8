"""Moving landmarks to our joints commutes with everything a camera does."""

import torch
from torch.testing import assert_close

from dreamactor.geometry.rotation import axis_rotation
from dreamactor.geometry.skeleton import BODY_JOINTS, JOINT
from dreamactor.perception.joint_places import place_joints
from factories import rest_joints_m


def test_it_commutes_with_turning_moving_and_scaling() -> None:
    joints = rest_joints_m()
    turn = axis_rotation("y", torch.tensor(0.7)) @ axis_rotation("x", torch.tensor(0.3))
    moved = 90.0 * joints @ turn.T + torch.tensor((10.0, -3.0, 5.0))
    assert_close(
        place_joints(moved), 90.0 * place_joints(joints) @ turn.T + torch.tensor((10.0, -3.0, 5.0)), atol=1e-3, rtol=0
    )


def test_sides_are_treated_alike_and_middles_stay_in_the_middle() -> None:
    placed = place_joints(rest_joints_m())
    for index, name in enumerate(BODY_JOINTS):
        if name.startswith("left_"):
            other = placed[JOINT[name.replace("left_", "right_")]]
            assert_close(placed[index], other * torch.tensor((-1.0, 1.0, 1.0)), atol=1e-6, rtol=0)
    for middle, side in (("pelvis", "hip"), ("neck", "shoulder")):
        assert_close(placed[JOINT[middle]], (placed[JOINT[f"left_{side}"]] + placed[JOINT[f"right_{side}"]]) / 2)


def test_the_head_is_left_alone() -> None:
    joints = rest_joints_m()
    head = [JOINT[name] for name in ("head", "nose", "left_ear", "right_ear")]
    assert_close(place_joints(joints)[head], joints[head])
