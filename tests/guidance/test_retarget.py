"""Laws of bone length adjustment and retargeting."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from torch.testing import assert_close

from dreamactor.errors import ConfigError
from dreamactor.geometry.skeleton import BODY_PARENTS, JOINT
from dreamactor.guidance.bone_length import (
    adjust_bone_lengths,
    bone_offsets,
    estimate_proportions,
    joint_offsets,
)
from dreamactor.guidance.human_build import prior_proportions
from dreamactor.guidance.retarget import RetargetOptions, retarget
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from factories import make_track

NECK, PELVIS = JOINT["neck"], JOINT["pelvis"]
FEET = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "heel", "toe")]
CHILD = {"limb_scale": 0.7, "head_radius_m": 0.15}
GIANT = {"limb_scale": 1.3, "head_radius_m": 0.11}


def shown_only_inside(track):
    """Joints outside the picture get the low confidence that an estimator gives them."""
    x, y = track.body.joints[..., 0], track.body.joints[..., 1]
    inside = (x > 0) & (x < track.width) & (y > 0) & (y < track.height)
    return replace(track, body=replace(track.body, confidence=torch.where(inside, 1.0, 0.1)))


FRAMINGS = {
    "full": {"scale_px": 90.0, "pelvis_px": (64.0, 100.0)},
    "upper": {"scale_px": 190.0, "pelvis_px": (64.0, 185.0)},
    "portrait": {"scale_px": 330.0, "pelvis_px": (64.0, 330.0)},
}


def make_framed(framing, **more):
    return shown_only_inside(make_track(**{**FRAMINGS[framing], **more}))


def as_references(track):
    image = torch.zeros(track.height, track.width, 3, dtype=torch.uint8)
    return ReferenceSet(
        images=(ReferenceImage(image=image, person=track[slice(0, 1)], mask=None),),
        proportions=estimate_proportions((track[slice(0, 1)],)),
    )


def head_to_shoulders(track):
    shoulders = (track.body.joints[:, JOINT["left_shoulder"]] - track.body.joints[:, JOINT["right_shoulder"]]).norm(dim=-1)
    return track.head.radius_px / shoulders


def bones_in_torsos(joints):
    length = joint_offsets(joints).norm(dim=-1)
    return length / length[:, NECK : NECK + 1]


@pytest.mark.parametrize("framing", ["auto", "reference", "driving"])
@pytest.mark.parametrize("kind", list(FRAMINGS))
def test_a_driver_of_the_same_build_on_the_same_canvas_is_not_changed(framing, kind):
    driver = make_framed(kind, num_frames=12, arm_swing_rad=1.2, move_px=(3.0, 2.0), head_angles_rad=(0.2, 0.1, 0.0))
    if kind == "full" or framing == "driving":
        result = retarget(driver, as_references(driver), RetargetOptions(framing=framing))
        seen = driver.body.confidence > 0.3
        assert_close(result.body.joints[seen], driver.body.joints[seen], atol=1e-3, rtol=0)
    result = retarget(driver, as_references(driver), RetargetOptions(framing=framing))
    assert_close(result.head.center[:, :2], driver.head.center[:, :2], atol=1e-3, rtol=0)
    assert_close(result.head.radius_px, driver.head.radius_px, atol=1e-3, rtol=0)
    assert_close(result.face.landmarks[..., :2], driver.face.landmarks[..., :2], atol=1e-3, rtol=0)
    assert_close(result.face.box, driver.face.box, atol=1e-3, rtol=0)
    assert_close(result.hands.joints[..., :2], driver.hands.joints[..., :2], atol=1e-3, rtol=0)


def test_adjusted_bones_have_the_references_lengths_and_the_drivers_directions():
    driver, giant = make_track(num_frames=6, arm_swing_rad=2.0, leg_swing_rad=0.5), make_track(num_frames=1, **GIANT)
    joints = driver.body.joints
    adjusted = adjust_bone_lengths(joints, estimate_proportions((driver,)), estimate_proportions((giant,)))
    body = [index for index, parent in enumerate(BODY_PARENTS) if parent >= 0]
    before, after = joint_offsets(joints)[:, body], joint_offsets(adjusted)[:, body]
    assert_close(torch.cosine_similarity(before, after, dim=-1), torch.ones(6, len(body)), atol=1e-5, rtol=0)
    legs_and_arms = [JOINT[f"{s}_{j}"] for s in ("left", "right") for j in ("elbow", "wrist", "knee", "ankle")]
    goal = bones_in_torsos(giant.body.joints)[:, legs_and_arms].expand(6, -1)
    assert_close(bones_in_torsos(adjusted)[:, legs_and_arms], goal, atol=1e-4, rtol=1e-4)
    assert_close(adjusted[:, PELVIS], joints[:, PELVIS])


def test_retargeted_bones_have_the_references_lengths():
    driver, references = make_track(arm_swing_rad=1.5, **CHILD), as_references(make_track(num_frames=1, **GIANT))
    result = retarget(driver, references)
    limbs = [JOINT[f"{s}_{j}"] for s in ("left", "right") for j in ("elbow", "wrist", "knee", "ankle")]
    goal = references.proportions.bone_length[limbs].expand(driver.num_frames, -1)
    assert_close(bones_in_torsos(result.body.joints)[:, limbs], goal, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(("driver_build", "reference_build"), [(CHILD, GIANT), (GIANT, CHILD)])
def test_feet_stay_on_the_references_floor(driver_build, reference_build):
    driver = make_track(num_frames=10, arm_swing_rad=1.0, scale_px=70.0, **driver_build)
    references = as_references(make_track(num_frames=1, **reference_build))
    floor = references.images[0].person.body.joints[0, FEET, 1].max()
    lowest = retarget(driver, references).body.joints[:, FEET, 1].amax(dim=-1)
    assert_close(lowest, floor.expand(10), atol=0.05, rtol=0)


@pytest.mark.parametrize(("driver_kind", "reference_kind"), list(product(FRAMINGS, FRAMINGS)))
def test_every_framing_drives_every_other_with_the_references_head_size(driver_kind, reference_kind):
    driver = make_framed(driver_kind, num_frames=12, arm_swing_rad=1.0, move_px=(8.0, 4.0), **CHILD)
    reference = make_framed(reference_kind, num_frames=1, **GIANT)
    references = as_references(reference)
    result = retarget(driver, references)
    assert (result.width, result.height) == references.canvas
    goal = head_to_shoulders(reference)
    assert_close(head_to_shoulders(result), goal.expand(12), rtol=0.05, atol=0)
    # of the reference's size, and on its place in some frame
    shoulders = lambda t: bone_offsets(t)[:, JOINT["left_shoulder"]].norm(dim=-1)  # noqa: E731
    assert_close(shoulders(result), shoulders(reference).expand(12), rtol=0.08, atol=0)
    apart = (result.body.joints[:, NECK, :2] - reference.body.joints[0, NECK, :2]).norm(dim=-1)
    assert apart.min() < 0.6 * reference.head.radius_px[0]
    # nothing jumps: steps stay near the driver's own, scaled
    steps = result.body.joints.diff(dim=0).norm(dim=-1).amax()
    scale = float(result.head.radius_px[0] / driver.head.radius_px[0])
    assert steps < 2.5 * scale * driver.body.joints.diff(dim=0).norm(dim=-1).amax() + 1.0
    assert torch.isfinite(result.body.joints).all()


def test_legs_that_the_driver_never_shows_stand_as_in_the_reference():
    driver, reference = make_framed("portrait", num_frames=5), make_framed("full", num_frames=1, leg_swing_rad=0.0)
    result = retarget(driver, as_references(reference))
    legs = [JOINT[f"{s}_{j}"] for s in ("left", "right") for j in ("knee", "ankle", "toe")]
    goal = joint_offsets(reference.body.joints)[:, legs].expand(5, -1, -1)
    assert_close(joint_offsets(result.body.joints)[:, legs], goal, rtol=0.02, atol=0.5)
    assert (result.body.confidence[:, legs] > 0.3).all()


def test_a_long_walk_of_a_full_body_keeps_a_portrait_in_view():
    driver = make_framed("full", num_frames=20, move_px=(50.0, -20.0), pelvis_px=(35.0, 105.0))
    references = as_references(make_framed("portrait", num_frames=1))
    width, height = references.canvas
    center = retarget(driver, references).head.center
    assert (center[:, 0] > 0).all()
    assert (center[:, 0] < width).all()
    assert (center[:, 1] > 0).all()
    assert (center[:, 1] < height).all()
    free = retarget(driver, references, RetargetOptions(framing="reference")).head.center
    assert (free[:, 0].max() - free[:, 0].min()) > (center[:, 0].max() - center[:, 0].min())


def test_growing_towards_the_camera_is_carried_over():
    near, far = make_track(num_frames=1, scale_px=120.0), make_track(num_frames=1, scale_px=60.0)
    walk = torch.linspace(0, 1, 6)[:, None, None]
    joints = far.body.joints * (1 - walk) + near.body.joints * walk
    base = make_track(num_frames=6, scale_px=60.0)
    radius = far.head.radius_px * (1 - walk[:, 0, 0]) + near.head.radius_px * walk[:, 0, 0]
    center = far.head.center * (1 - walk[:, 0]) + near.head.center * walk[:, 0]
    driver = replace(base, body=replace(base.body, joints=joints), head=replace(base.head, radius_px=radius, center=center))
    result = retarget(driver, as_references(make_track(num_frames=1)))
    torso = (result.body.joints[:, NECK] - result.body.joints[:, PELVIS]).norm(dim=-1)
    assert_close(torso[-1] / torso[0], torch.tensor(2.0), rtol=0.02, atol=0)


def test_a_reference_in_which_nobody_was_found_takes_the_drivers_place():
    driver = make_track(num_frames=4)
    references = as_references(driver)
    nobody = replace(
        references.images[0].person,
        body=replace(references.images[0].person.body, tracked=torch.zeros(1, dtype=torch.bool)),
    )
    references = replace(references, images=(replace(references.images[0], person=nobody),))
    result = retarget(driver, references)
    assert_close(result.body.joints, driver.body.joints, atol=1e-3, rtol=0)


def test_shots_are_placed_one_by_one():
    driver = make_track(num_frames=8)
    offset = torch.where(torch.arange(8) < 4, 0.0, 40.0)[:, None, None] * torch.tensor((1.0, 0.0, 0.0))
    driver = replace(
        driver,
        body=replace(driver.body, joints=driver.body.joints + offset),
        head=replace(driver.head, center=driver.head.center + offset[:, 0]),
        cut=torch.arange(8) == 4,
    )
    result = retarget(driver, as_references(make_track(num_frames=1)))
    assert_close(result.body.joints[3], result.body.joints[4], atol=0.5, rtol=0)
    assert (result.cut == driver.cut).all()


def test_unseen_bones_come_from_the_prior_and_say_so():
    build = estimate_proportions((make_framed("portrait", num_frames=3),))
    knee = JOINT["left_knee"]
    assert not build.known[knee]
    assert build.bone_length[knee] == pytest.approx(float(prior_proportions().bone_length[knee]), rel=0.15)
    assert build.known[JOINT["left_shoulder"]]


def test_proportions_do_not_depend_on_the_size_in_the_picture_or_on_pose():
    small = estimate_proportions((make_track(scale_px=40.0, arm_swing_rad=1.0, **GIANT),))
    large = estimate_proportions((make_track(scale_px=160.0, body_yaw_rad=0.8, **GIANT),))
    assert_close(small.bone_length, large.bone_length, rtol=1e-3, atol=1e-3)
    assert small.head_radius == pytest.approx(large.head_radius, rel=1e-3)
    assert small.hand_length == pytest.approx(large.hand_length, rel=1e-3)


def test_without_proportions_the_driver_keeps_its_own():
    driver = make_track(**CHILD)
    result = retarget(driver, as_references(make_track(num_frames=1, **GIANT)), RetargetOptions(proportions=0.0))
    assert_close(bones_in_torsos(result.body.joints), bones_in_torsos(driver.body.joints), atol=1e-4, rtol=1e-4)


def test_unknown_framing_is_named():
    with pytest.raises(ConfigError, match="sideways"):
        RetargetOptions(framing="sideways")
