"""Laws of ratios between builds, and of sizes told by whole bodies."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch.testing import assert_close

from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.bone_length import estimate_proportions, length_ratios
from dreamactor.guidance.human_build import prior_proportions
from dreamactor.guidance.placement import size_ratio
from factories import make_track

LIMBS = [JOINT[f"{side}_{joint}"] for side in ("left", "right") for joint in ("elbow", "wrist", "knee", "ankle")]
HEAD_AND_SHOULDERS = [JOINT[name] for name in ("head", "nose", "left_shoulder", "right_shoulder")]


def longer_limbs(factor, *, doubt):
    build = prior_proportions()
    lengths = build.bone_length.clone()
    lengths[LIMBS] *= factor
    lengths[HEAD_AND_SHOULDERS] *= factor
    return replace(build, bone_length=lengths, doubt=doubt)


def limb_ratio(factor, *, doubt):
    return float(length_ratios(prior_proportions(), longer_limbs(factor, doubt=doubt))[LIMBS[0]])


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0, 1.1, 2.0])
def test_exact_lengths_are_taken_as_they_are(factor):
    assert limb_ratio(factor, doubt=0.0) == pytest.approx(factor, rel=1e-6)


def test_seen_builds_that_are_alike_come_out_more_alike_and_others_farther_apart():
    assert 1.0 < limb_ratio(1.1, doubt=1.0) < 1.1
    assert limb_ratio(2.0, doubt=1.0) > 2.0
    assert 0.9 < limb_ratio(0.9, doubt=1.0) < 1.0
    assert limb_ratio(0.5, doubt=1.0) < 0.5
    assert limb_ratio(1.0, doubt=1.0) == 1.0


def test_longer_stays_longer_however_long():
    found = [limb_ratio(1.0 + 0.02 * step, doubt=1.0) for step in range(60)]
    assert all(longer > shorter for shorter, longer in pairwise(found))


def test_half_a_doubt_lies_between():
    assert limb_ratio(1.1, doubt=1.0) < limb_ratio(1.1, doubt=0.5) < 1.1


def test_head_and_shoulders_are_as_measured():
    ratio = length_ratios(prior_proportions(), longer_limbs(2.0, doubt=1.0))
    assert_close(ratio[HEAD_AND_SHOULDERS], torch.full((4,), 2.0))


def seen_by_an_estimator(track, share=0.05):
    """Pixels and metres disagree, as they do where pictures were looked at."""
    torso = (track.body.joints_m[:, JOINT["neck"]] - track.body.joints_m[:, JOINT["pelvis"]]).norm(dim=-1).mean()
    noise = torch.randn(track.body.joints_m.shape, generator=torch.Generator().manual_seed(0))
    return replace(track, body=replace(track.body, joints_m=track.body.joints_m + share * torso * noise))


def test_doubt_tells_exact_tracks_from_seen_ones():
    track = make_track(num_frames=4)
    assert estimate_proportions((track,)).doubt < 0.01
    assert estimate_proportions((seen_by_an_estimator(track),)).doubt == 1.0


def test_the_depth_of_a_single_seen_picture_is_believed_in_part():
    track = make_track(num_frames=1)
    joints = track.body.joints.clone()
    joints[:, [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "heel", "toe")], 2] += 60.0
    leaning = replace(track, body=replace(track.body, joints=joints))
    shin = JOINT["left_ankle"]
    exact, one = estimate_proportions((track,)), estimate_proportions((seen_by_an_estimator(leaning),))
    twice = estimate_proportions((seen_by_an_estimator(make_twice(leaning)),))
    assert exact.bone_length[shin] < one.bone_length[shin] < twice.bone_length[shin]


def make_twice(track):
    """Two equal frames."""
    long = make_track(num_frames=2)
    return replace(long, body=replace(long.body, joints=track.body.joints.expand(2, -1, -1).contiguous()))


def test_sizes_do_not_depend_on_pose_or_build():
    driver = make_track(num_frames=5, scale_px=60.0, arm_swing_rad=1.4, limb_scale=0.7)
    reference = make_track(num_frames=1, scale_px=120.0, limb_scale=1.3, body_yaw_rad=0.5)
    own, built = (estimate_proportions((track,)) for track in (driver, reference))
    for frame in range(5):
        match = torch.nn.functional.one_hot(torch.tensor(frame), 5).float()
        assert size_ratio(driver, reference, own, built, match) == pytest.approx(2.0, rel=1e-3)


def test_what_only_one_of_them_shows_tells_no_size():
    driver, reference = make_track(num_frames=2), make_track(num_frames=1, scale_px=180.0)
    own = estimate_proportions((driver,))
    joints = reference.body.joints.clone()
    hidden = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("knee", "ankle")]
    joints[:, hidden] += 500.0
    confidence = reference.body.confidence.clone()
    confidence[:, hidden] = 0.0
    hiding = replace(reference, body=replace(reference.body, joints=joints, confidence=confidence))
    match = torch.full((2,), 0.5)
    assert size_ratio(driver, hiding, own, own, match) == pytest.approx(2.0, rel=1e-3)
    assert_close(size_ratio(driver, reference, own, own, match), 2.0, rtol=1e-3, atol=0)
