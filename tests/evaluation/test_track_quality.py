"""Laws of what is said about tracks without a truth: jumps, spikes and lag."""

from dataclasses import replace

import pytest
import torch

from dreamactor.evaluation.track_quality import LIMBS, TRUNK, lag_frames, limb_spikes, torso_px, trunk_jumps
from dreamactor.geometry.skeleton import JOINT
from dreamactor.types.track import PersonTrack
from factories import make_track

TORSO = 45.0
"""Pixels of the factory's person."""


def moved(track: PersonTrack, joint: str, frames: slice, way: tuple[float, float]) -> PersonTrack:
    joints = track.body.joints.clone()
    joints[frames, JOINT[joint], :2] += torch.tensor(way)
    return replace(track, body=replace(track.body, joints=joints))


def test_the_torso_is_the_unit() -> None:
    assert torch.allclose(torso_px(make_track(num_frames=9)), torch.full((9,), TORSO))


def test_a_jump_of_a_hip_is_measured_in_torsos_and_not_across_a_cut() -> None:
    track = moved(make_track(num_frames=20), "left_hip", slice(8, None), (0.0, 0.3 * TORSO))
    jumps = trunk_jumps(track)
    assert float(jumps[7, TRUNK.index("left_hip")]) == pytest.approx(0.3, rel=0.05)
    assert float(jumps.nan_to_num().sum()) == pytest.approx(float(jumps[7].sum()))
    cut = torch.zeros(20, dtype=torch.bool)
    cut[8] = True
    assert float(trunk_jumps(replace(track, cut=cut)).nan_to_num().max()) == 0.0


def test_the_way_of_the_whole_picture_is_taken_off() -> None:
    track = make_track(num_frames=11, move_px=(100.0, 0.0))
    camera = torch.tensor([10.0, 0.0]).repeat(11, 1)
    assert float(trunk_jumps(track).max()) == pytest.approx(10.0 / TORSO, rel=0.01)
    assert float(trunk_jumps(track, camera).max()) < 1e-3


def test_joints_that_are_not_drawn_are_not_judged() -> None:
    track = moved(make_track(num_frames=20), "left_hip", slice(8, None), (0.0, 50.0))
    confidence = track.body.confidence.clone()
    confidence[:, JOINT["left_hip"]] = 0.1
    hidden = replace(track, body=replace(track.body, confidence=confidence))
    assert float(trunk_jumps(hidden).nan_to_num().max()) == 0.0


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_leap_that_is_back_within_three_frames_is_one_spike(length: int) -> None:
    track = moved(make_track(num_frames=20), "right_wrist", slice(8, 8 + length), (0.4 * TORSO, 0.0))
    spikes = limb_spikes(track)
    assert spikes.nonzero().tolist() == [[8, LIMBS.index("right_wrist")]]


def test_a_lasting_leap_and_a_quick_swing_are_no_spikes() -> None:
    assert not limb_spikes(moved(make_track(num_frames=20), "right_wrist", slice(8, None), (30.0, 0.0))).any()
    swing = make_track(num_frames=40)
    joints = swing.body.joints.clone()
    joints[:, JOINT["left_wrist"], 0] += TORSO * torch.sin(2 * torch.pi * 2.5 * torch.arange(40) / 25)
    assert not limb_spikes(replace(swing, body=replace(swing.body, joints=joints))).any()


@pytest.mark.parametrize("lag", [-2, 0, 1, 3])
def test_a_path_that_runs_behind_is_found_out(lag: int) -> None:
    path = torch.cumsum(torch.randn(80, 2, generator=torch.Generator().manual_seed(0)), dim=0) * 0.1
    known = torch.ones(80, dtype=torch.bool)
    assert lag_frames(path.roll(lag, 0), path, known) == pytest.approx(lag, abs=0.3)


def test_what_hardly_moves_or_is_hardly_known_has_no_lag() -> None:
    known = torch.ones(40, dtype=torch.bool)
    assert lag_frames(torch.zeros(40, 2), torch.zeros(40, 2), known) is None
    path = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    assert lag_frames(path, path, torch.arange(40) < 6) is None
