"""Laws of the body skeleton and the head sphere."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.body_skeleton import BODY_COLOURS, HAND_COLOURS, draw_body_skeleton
from dreamactor.guidance.head_sphere import draw_head_sphere, read_head_sphere
from dreamactor.guidance.pose_maps import draw_pose_maps
from factories import make_track

SIZE = {"width": 128, "height": 192}


def apart_deg(a, b):
    return torch.rad2deg(torch.remainder(a - b + torch.pi, 2 * torch.pi) - torch.pi).abs()


@pytest.mark.parametrize("yaw_deg", [-175, -120, -60, -20, 0, 35, 80, 100, 150, 180])
@pytest.mark.parametrize(("pitch_deg", "roll_deg"), [(0, 0), (25, -40), (-35, 15), (10, 120)])
def test_angles_are_read_back_from_the_sphere_within_one_degree(yaw_deg, pitch_deg, roll_deg):
    angles = torch.deg2rad(torch.tensor((yaw_deg, pitch_deg, roll_deg), dtype=torch.float32))
    track = make_track(num_frames=1, head_angles_rad=tuple(angles.tolist()))
    reading = read_head_sphere(draw_head_sphere(track, **SIZE)[0])
    assert reading is not None
    assert apart_deg(reading.angles_rad, angles).max() < 1.0
    assert abs(reading.radius_px - float(track.head.radius_px[0])) < 0.7
    assert abs(reading.center_px[0] - float(track.head.center[0, 0])) < 0.3


def test_a_sphere_cut_by_the_edge_still_tells_its_angles():
    angles = (0.5, 0.2, -0.3)
    track = make_track(num_frames=1, pelvis_px=(6.0, 150.0), scale_px=150.0, head_angles_rad=angles)
    reading = read_head_sphere(draw_head_sphere(track, **SIZE)[0])
    assert reading is not None
    assert apart_deg(reading.angles_rad, torch.tensor(angles)).max() < 2.0


def test_no_head_no_sphere():
    track = make_track(num_frames=1)
    track = replace(track, head=replace(track.head, tracked=torch.zeros(1, dtype=torch.bool)))
    image = draw_head_sphere(track, **SIZE)[0]
    assert image.sum() == 0
    assert read_head_sphere(image) is None


def test_turning_the_head_alone_changes_no_pixel_of_the_skeleton():
    track = make_track(num_frames=3)
    head = replace(track.head, angles_rad=track.head.angles_rad + torch.tensor((0.7, 0.3, -0.2)))
    before, after = draw_pose_maps(track, **SIZE), draw_pose_maps(replace(track, head=head), **SIZE)
    assert_close(after.body_skeleton, before.body_skeleton, atol=0, rtol=0)
    assert (after.head_sphere != before.head_sphere).any()


def test_moving_a_limb_changes_no_pixel_of_the_sphere():
    still = draw_pose_maps(make_track(num_frames=3), **SIZE)
    moved = draw_pose_maps(make_track(num_frames=3, arm_swing_rad=2.9, leg_swing_rad=0.8), **SIZE)
    assert_close(moved.head_sphere, still.head_sphere, atol=0, rtol=0)
    assert (moved.body_skeleton[-1] != still.body_skeleton[-1]).any()


def test_joints_without_confidence_and_lost_hands_are_not_drawn():
    track = make_track(num_frames=1)
    confidence = track.body.confidence.clone()
    confidence[:, JOINT["left_elbow"]] = 0.1
    less = replace(
        track,
        body=replace(track.body, confidence=confidence),
        hands=replace(track.hands, tracked=torch.tensor([[False, True]])),
    )
    full, cut = draw_body_skeleton(track, **SIZE), draw_body_skeleton(less, **SIZE)
    assert ((cut == 0).all(-1) & (full > 0).any(-1)).any()
    assert ((cut > 0).any(-1) & (full == 0).all(-1)).sum() == 0


def test_every_bone_has_its_own_colour():
    colours = [*BODY_COLOURS, *HAND_COLOURS[0], *HAND_COLOURS[1]]
    assert len(set(colours)) == len(colours)


def test_the_nearer_of_two_crossing_bones_is_on_top():
    track = make_track(num_frames=1, width=128, height=192)
    joints = track.body.joints.clone()
    for name, place in {
        "left_shoulder": (20, 20), "left_elbow": (100, 100), "right_shoulder": (100, 20), "right_elbow": (20, 100),
    }.items():  # fmt: skip
        joints[0, JOINT[name], :2] = torch.tensor(place, dtype=torch.float32)
    for left_z in (-50.0, 50.0):
        joints[0, [JOINT["left_shoulder"], JOINT["left_elbow"]], 2] = left_z
        joints[0, [JOINT["right_shoulder"], JOINT["right_elbow"]], 2] = 0.0
        body = replace(track.body, joints=joints)
        image = draw_body_skeleton(replace(track, body=body), **SIZE)[0]
        left, right = BODY_COLOURS[2], BODY_COLOURS[5]
        assert tuple(image[60, 60].tolist()) == (left if left_z < 0 else right)


def test_far_off_joints_are_cut_at_the_canvas():
    track = make_track(num_frames=1)
    joints = track.body.joints.clone()
    joints[0, JOINT["left_wrist"]] = torch.tensor((1e6, 1e6, 0.0))
    image = draw_body_skeleton(replace(track, body=replace(track.body, joints=joints)), **SIZE)
    assert image.shape == (1, 192, 128, 3)
    assert image.any()
