"""A figure on a turntable: angles add up, nothing changes size, a whole turn changes nothing."""

from __future__ import annotations

import torch
from torch.testing import assert_close

from dreamactor.geometry.skeleton import BODY_PARENTS
from dreamactor.guidance.turn_round import turn_round
from factories import make_track

PERSON = make_track(num_frames=1, body_yaw_rad=0.3, head_angles_rad=(0.3, 0.1, -0.05))


def test_the_turned_person_is_the_one_who_stands_turned() -> None:
    turned = turn_round(PERSON, torch.tensor([0.0, 0.5]))
    expected = make_track(num_frames=1, body_yaw_rad=0.8, head_angles_rad=(0.8, 0.1, -0.05))
    assert_close(turned.body.joints[1], expected.body.joints[0], atol=1e-3, rtol=0)
    assert_close(turned.body.joints_m[1], expected.body.joints_m[0], atol=1e-5, rtol=0)
    assert_close(turned.head.angles_rad[1], expected.head.angles_rad[0])
    assert_close(turned.head.center[1], expected.head.center[0], atol=1e-3, rtol=0)


def test_no_turn_and_a_whole_turn_change_no_joint() -> None:
    turned = turn_round(PERSON, torch.tensor([0.0, 2 * torch.pi]))
    for frame in (0, 1):
        assert_close(turned.body.joints[frame], PERSON.body.joints[0], atol=1e-3, rtol=0)
        assert_close(turned.hands.joints[frame], PERSON.hands.joints[0], atol=1e-3, rtol=0)


def test_bones_keep_their_lengths() -> None:
    joints = turn_round(PERSON, torch.linspace(0, 6, 7)).body.joints
    parents = list(BODY_PARENTS[1:])
    lengths = (joints[:, 1:] - joints[:, parents]).norm(dim=-1)
    assert_close(lengths, lengths[:1].expand_as(lengths), atol=1e-2, rtol=0)


def test_a_face_that_is_turned_away_is_not_seen() -> None:
    assert turn_round(PERSON, torch.tensor([0.0, 1.0, torch.pi])).face.tracked.tolist() == [True, False, False]
