"""A yaw that somebody gives by hand is taken, and a back that was read as a front is put right."""

from __future__ import annotations

from dataclasses import replace
from math import pi, radians

import pytest
import torch
from torch.testing import assert_close

from dreamactor.perception.told_yaw import _exchanged, turn_as_told
from dreamactor.types.track import PersonTrack, empty_track
from factories import make_track


def _facing(yaw_rad: float) -> PersonTrack:
    return make_track(num_frames=1, body_yaw_rad=yaw_rad, head_angles_rad=(yaw_rad, 0.1, 0.0), arm_swing_rad=0.4)


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("yaw_deg", [150, 180, -150])
def test_a_back_that_was_read_as_a_front_is_put_right(yaw_deg: float, mirrored: bool) -> None:
    truth = _facing(radians(yaw_deg))
    read = _exchanged(truth, mirrored=mirrored)
    wrong = read.head.angles_rad.clone()
    wrong[:, 0] = pi - wrong[:, 0]
    mended = turn_as_told(replace(read, head=replace(read.head, angles_rad=wrong)), radians(yaw_deg))
    if abs(yaw_deg) != 180:  # seen squarely from behind, depth says nothing about which of the two it was
        assert_close(mended.body.joints, truth.body.joints)
    assert_close(mended.body.joints[..., :2], truth.body.joints[..., :2])
    assert_close(mended.hands.joints[..., :2], truth.hands.joints[..., :2])
    assert not bool(mended.face.tracked[0])
    assert torch.cos(mended.head.angles_rad[0, 0] - radians(yaw_deg)) == pytest.approx(1.0)


@pytest.mark.parametrize("yaw_deg", [0, 40, -80])
def test_a_body_that_does_not_contradict_is_left_as_it_is(yaw_deg: float) -> None:
    read = _facing(radians(yaw_deg))
    told = turn_as_told(read, radians(yaw_deg + 10))
    assert_close(told.body.joints, read.body.joints)
    assert_close(told.head.angles_rad[0], read.head.angles_rad[0] + torch.tensor([radians(10), 0.0, 0.0]))


def test_whole_turns_are_nothing_and_nobody_stays_nobody() -> None:
    read = _facing(0.2)
    assert_close(turn_as_told(read, 0.5).head.angles_rad, turn_as_told(read, 0.5 - 2 * pi).head.angles_rad)
    nobody = empty_track(1, width=8, height=8, times=read.times)
    assert not bool(turn_as_told(nobody, pi).body.tracked[0])
