"""Depth for points that are known in the picture alone."""

import torch

from dreamactor.geometry.skeleton import BODY_JOINTS, JOINT
from dreamactor.perception.lift import lift_limbs
from factories import make_track

FOREARM = [JOINT["left_elbow"], JOINT["left_wrist"]]


def _stretched(bend_rad: float, yaw_rad: float = 0.0) -> torch.Tensor:
    """[T, J, 3] somebody whose left forearm is stretched aside at first and then comes forward by an angle."""
    joints = make_track(num_frames=9, body_yaw_rad=yaw_rad).body.joints.clone()
    forward = torch.tensor([torch.tensor(yaw_rad).sin(), 0.0, -torch.tensor(yaw_rad).cos()])
    aside = joints[:, FOREARM[1]] - joints[:, FOREARM[0]]
    aside = aside - (aside @ forward)[:, None] * forward
    angle = torch.linspace(0, bend_rad, 9)[:, None]
    length = aside.norm(dim=-1, keepdim=True)
    joints[:, FOREARM[1]] = joints[:, FOREARM[0]] + angle.cos() * aside + angle.sin() * length * forward
    return joints


def test_a_limb_keeps_its_length_and_comes_forward() -> None:
    joints = _stretched(1.2)
    known = torch.ones(joints.shape[:2], dtype=torch.bool)
    lifted = torch.cat((joints[..., :2], lift_limbs(joints[..., :2], known)[..., None]), dim=-1)
    length = (lifted[:, FOREARM[1]] - lifted[:, FOREARM[0]]).norm(dim=-1)
    true = (joints[:, FOREARM[1]] - joints[:, FOREARM[0]]).norm(dim=-1)
    torch.testing.assert_close(length, true, rtol=0.05, atol=0.5)
    hidden = lifted[:, FOREARM[1], 2] - lifted[:, FOREARM[0], 2]
    assert (hidden <= 0).all()
    assert float(hidden[-1]) < float(hidden[0]) - 10


def test_from_the_back_forward_is_away_and_in_profile_there_is_no_depth() -> None:
    behind = _stretched(1.2, yaw_rad=torch.pi)
    known = torch.ones(behind.shape[:2], dtype=torch.bool)
    assert float(lift_limbs(behind[..., :2], known)[-1, FOREARM[1]]) > 10
    aside = _stretched(1.2, yaw_rad=torch.pi / 2)
    assert float(lift_limbs(aside[..., :2], known)[:, FOREARM[1]].abs().max()) < 6


def test_the_trunk_stays_in_its_plane_and_missing_limbs_say_nothing() -> None:
    joints = _stretched(1.0)
    known = torch.ones(joints.shape[:2], dtype=torch.bool)
    known[:, [JOINT[name] for name in BODY_JOINTS if name.endswith(("elbow", "wrist"))]] = False
    depth = lift_limbs(joints[..., :2], known)
    trunk = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("shoulder", "hip")]
    assert not depth[:, [*trunk, JOINT["neck"], JOINT["head"]]].any()
    assert not depth[:, FOREARM].any()
