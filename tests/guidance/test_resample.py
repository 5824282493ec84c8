"""Laws of bringing a track to other frame times."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import torch
from torch.testing import assert_close

from dreamactor.guidance.resample import nearest_frames, resample
from dreamactor.types.video import FrameTimes
from factories import make_track


def _moving(num_frames=9, **more):
    return make_track(num_frames=num_frames, move_px=(40.0, 8.0), **more)


def test_equal_distances_in_time_change_nothing_but_the_clock():
    track = _moving()
    later = FrameTimes(pts=track.times.pts * 2 + 77, time_base=track.times.time_base / 2)
    moved = resample(track, later)
    assert torch.equal(moved.body.joints, track.body.joints)
    assert torch.equal(moved.times.pts, later.pts)


def test_motion_at_constant_speed_keeps_its_speed_at_any_rate():
    track = _moving(num_frames=26)  # one second at 25 fps
    wanted = FrameTimes(pts=torch.tensor([0, 3, 10, 11, 25, 30]), time_base=Fraction(1, 30))
    pelvis = resample(track, wanted).body.joints[:, 0, :2]
    assert_close(pelvis, torch.tensor((64.0, 100.0)) + wanted.seconds[:, None].float() * torch.tensor((40.0, 8.0)))


def test_a_track_that_ends_early_holds_its_last_frame():
    track = _moving(num_frames=5)
    held = resample(track, FrameTimes.constant(9, Fraction(25)))
    assert torch.equal(held.body.joints[:5], track.body.joints)
    assert torch.equal(held.body.joints[5:], track.body.joints[-1:].expand(4, -1, -1))
    assert torch.equal(held.face.landmarks[8], track.face.landmarks[4])


def test_nothing_is_mixed_across_a_cut_and_the_cut_stays():
    track = _moving(num_frames=6)
    joints = track.body.joints.clone()
    joints[3:] += 500.0
    track = replace(track, body=replace(track.body, joints=joints), cut=torch.arange(6) == 3)
    double = resample(track, FrameTimes.constant(11, Fraction(50)))
    assert double.cut.nonzero().flatten().tolist() in ([5], [6])
    jump = double.body.joints[:, 0, 0].diff().abs()
    assert int((jump > 100).sum()) == 1


def test_lost_frames_lend_nothing_to_their_neighbours():
    track = _moving(num_frames=4)
    lost = torch.tensor([True, False, True, True])
    joints = torch.where(lost[:, None, None], track.body.joints, torch.tensor(-9999.0))
    double = resample(
        replace(track, body=replace(track.body, joints=joints, tracked=lost)), FrameTimes.constant(7, Fraction(50))
    )
    assert bool((double.body.joints[double.body.tracked] > -1000).all())
    assert double.body.tracked.tolist() == [True, True, False, False, True, True, True]


def test_pictures_are_those_nearest_in_time():
    own, wanted = FrameTimes.constant(4, Fraction(10)), FrameTimes.constant(9, Fraction(20))
    assert nearest_frames(own, wanted).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 3]
