"""Laws of keeping touches."""

import dataclasses
import math

import torch
from torch.testing import assert_close

from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.bone_length import adjust_bone_lengths, estimate_proportions, joint_offsets
from dreamactor.guidance.contacts import TouchedHead, bend_arm, keep_contacts
from dreamactor.guidance.retarget import retarget
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from factories import make_track

SHOULDER, ELBOW, WRIST = (JOINT[f"left_{part}"] for part in ("shoulder", "elbow", "wrist"))
LONG = {"limb_scale": 1.4}


def head_of(track, joints, ratio=1.0):
    radius = track.head.radius_px
    center = track.head.center
    return TouchedHead(center=center, center_adjusted=center, radius=radius, radius_adjusted=radius * ratio)


def hand_on(target, *, depth=0.0):
    """One frame with the left wrist on another joint, arm bones as long as they were."""
    track = make_track(num_frames=1)
    joints = track.body.joints.clone()
    goal = joints[:, JOINT[target]] + torch.tensor((0.0, 0.0, depth))
    elbow, wrist = bend_arm(joints[:, SHOULDER], joints[:, ELBOW] + torch.tensor((20.0, 0.0, 0.0)), joints[:, WRIST], goal)
    joints[:, ELBOW], joints[:, WRIST] = elbow, wrist
    return track, joints


def test_the_arm_reaches_its_goal_with_bones_of_the_same_length():
    generator = torch.Generator().manual_seed(1)
    arm = torch.randn(3, 20, 3, generator=generator)
    for goal in (arm[0] + 0.3 * (arm[1] - arm[0]), arm[2] + 100.0):
        elbow, wrist = bend_arm(arm[0], arm[1], arm[2], goal)
        assert_close((elbow - arm[0]).norm(dim=-1), (arm[1] - arm[0]).norm(dim=-1), rtol=1e-3, atol=1e-3)
        assert_close((wrist - elbow).norm(dim=-1), (arm[2] - arm[1]).norm(dim=-1), rtol=1e-3, atol=1e-3)
    reach = (arm[1] - arm[0]).norm(dim=-1) + (arm[2] - arm[1]).norm(dim=-1)
    assert_close((wrist - arm[0]).norm(dim=-1), reach, rtol=2e-3, atol=0)  # a far goal: as near as the arm reaches


def test_an_arm_at_its_goal_stays():
    track, joints = hand_on("left_hip")
    elbow, wrist = bend_arm(joints[:, SHOULDER], joints[:, ELBOW], joints[:, WRIST], joints[:, WRIST])
    assert_close(elbow, joints[:, ELBOW], atol=1e-3, rtol=0)
    assert_close(wrist, joints[:, WRIST], atol=1e-3, rtol=0)
    assert track.num_frames == 1


def test_a_hand_on_the_hip_stays_there_when_arms_grow():
    track, joints = hand_on("left_hip")
    own, longer = (
        estimate_proportions((make_track(num_frames=1),)),
        estimate_proportions((make_track(num_frames=1, **LONG),)),
    )
    adjusted = adjust_bone_lengths(joints, own, longer)
    kept = keep_contacts(joints, adjusted, head_of(track, joints))
    away = (adjusted[:, WRIST] - adjusted[:, JOINT["left_hip"]]).norm(dim=-1)
    near = (kept[:, WRIST] - kept[:, JOINT["left_hip"]]).norm(dim=-1)
    assert away > 10
    assert near < 0.1 * away
    assert_close(joint_offsets(kept).norm(dim=-1), joint_offsets(adjusted).norm(dim=-1), rtol=1e-3, atol=1e-3)


def test_nothing_moves_where_nothing_touches_or_the_arm_hangs():
    track = make_track(num_frames=4)  # arms hang, wrists beside the hips
    own, longer = estimate_proportions((track,)), estimate_proportions((make_track(num_frames=1, **LONG),))
    adjusted = adjust_bone_lengths(track.body.joints, own, longer)
    assert_close(keep_contacts(track.body.joints, adjusted, head_of(track, adjusted)), adjusted, rtol=0, atol=0)


def raised_arm(*, bent_deg):
    """One frame with the left arm raised past a huge head, the elbow bent by so much; and that head before and after."""
    track = make_track(num_frames=1)
    joints = track.body.joints.clone()
    upper, lower = (float(joint_offsets(joints)[0, joint].norm()) for joint in (ELBOW, WRIST))
    bend = math.radians(bent_deg)
    joints[:, ELBOW] = joints[:, SHOULDER] + torch.tensor((0.0, -upper, 0.0))
    joints[:, WRIST] = joints[:, ELBOW] + lower * torch.tensor((math.sin(bend), -math.cos(bend), 0.0))
    center = joints[:, WRIST] + torch.tensor((40.0, 0.0, 0.0))
    radius = torch.tensor([35.0])
    return joints, TouchedHead(center=center, center_adjusted=center, radius=radius, radius_adjusted=radius * 0.3)


def test_an_arm_raised_beside_a_head_does_not_touch_it_but_a_hand_held_to_it_does():
    joints, head = raised_arm(bent_deg=30)
    assert_close(keep_contacts(joints, joints.clone(), head), joints, rtol=0, atol=0)
    joints, head = raised_arm(bent_deg=125)
    kept = keep_contacts(joints, joints.clone(), head)
    assert (kept[:, WRIST] - head.center_adjusted).norm() < 0.6 * (joints[:, WRIST] - head.center).norm()


def test_a_touch_of_the_same_build_is_not_changed():
    track, joints = hand_on("left_hip", depth=-5.0)
    assert_close(keep_contacts(joints, joints.clone(), head_of(track, joints)), joints, atol=1e-3, rtol=0)


def test_retargeted_hands_go_with_their_wrists():
    track, joints = hand_on("right_shoulder", depth=-12.0)
    track = dataclasses.replace(track, body=dataclasses.replace(track.body, joints=joints))
    giant = make_track(num_frames=1, **LONG)
    image = ReferenceImage(image=torch.zeros(giant.height, giant.width, 3, dtype=torch.uint8), person=giant, mask=None)
    result = retarget(track, ReferenceSet(images=(image,), proportions=estimate_proportions((giant,))))
    before = track.hands.joints[:, 0, 0] - joints[:, WRIST]
    after = result.hands.joints[:, 0, 0] - result.body.joints[:, WRIST]
    assert_close(after / after.norm(), before / before.norm(), atol=1e-2, rtol=0)
    gap = (result.body.joints[:, WRIST] - result.body.joints[:, JOINT["right_shoulder"]]).norm(dim=-1)
    torso = (result.body.joints[:, 1] - result.body.joints[:, 0]).norm(dim=-1)
    assert gap < 0.35 * torso
