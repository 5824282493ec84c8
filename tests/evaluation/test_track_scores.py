"""Errors of tracks in cases whose answer is known."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from dreamactor.evaluation.tracks import body_yaw_deg, face_overlaps, head_errors_deg, joint_errors
from dreamactor.geometry.skeleton import JOINT
from dreamactor.types.track import PersonTrack
from factories import make_track


@pytest.fixture
def truth() -> PersonTrack:
    return make_track(num_frames=3)


def _torso_px(track: PersonTrack) -> torch.Tensor:
    return (track.body.joints[:, JOINT["neck"], :2] - track.body.joints[:, JOINT["pelvis"], :2]).norm(dim=-1)


def test_a_shift_by_a_tenth_of_the_torso_is_an_error_of_a_tenth(truth: PersonTrack) -> None:
    shift = torch.zeros(3, 1, 3)
    shift[..., 0] = 0.1 * _torso_px(truth)[:, None]
    moved = replace(truth, body=replace(truth.body, joints=truth.body.joints + shift))
    errors = joint_errors(moved, truth)
    judged = ~errors.isnan()
    assert judged.any()
    assert_close(errors[judged], torch.full_like(errors[judged], 0.1))


def test_frames_without_a_found_body_are_not_judged(truth: PersonTrack) -> None:
    lost = replace(truth, body=replace(truth.body, tracked=torch.tensor([True, False, True])))
    assert joint_errors(lost, truth)[1].isnan().all()
    assert (joint_errors(lost, truth)[0].nan_to_num() == 0).all()


def test_face_boxes_overlap_wholly_or_by_a_third_or_not_at_all(truth: PersonTrack) -> None:
    points = truth.face.landmarks[..., :2]
    width = (points.amax(dim=1) - points.amin(dim=1))[:, 0]
    shift = torch.zeros_like(truth.face.landmarks)
    shift[1, :, 0] = width[1] / 2  # half the box is shared: 1/2 over 3/2
    shift[2, :, 0] = 2 * width[2]
    moved = replace(truth, face=replace(truth.face, landmarks=truth.face.landmarks + shift))
    assert_close(face_overlaps(moved, truth), torch.tensor([1.0, 1 / 3, 0.0]), atol=1e-3, rtol=1e-3)
    unseen = replace(truth, face=replace(truth.face, tracked=torch.zeros(3, dtype=torch.bool)))
    assert (face_overlaps(unseen, truth) == 0).all()


def test_angles_are_compared_around_the_circle(truth: PersonTrack) -> None:
    turned = torch.deg2rad(torch.tensor([[179.0, 0, 0], [10.0, 5, -5], [0, 0, 0]]))
    back = torch.deg2rad(torch.tensor([[-179.0, 0, 0], [0.0, 0, 0], [0, 0, 0]]))
    found = replace(truth, head=replace(truth.head, angles_rad=turned))
    real = replace(truth, head=replace(truth.head, angles_rad=back))
    expected = torch.tensor([[2.0, 0, 0], [10.0, 5, 5], [0, 0, 0]])
    assert_close(head_errors_deg(found, real), expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("degrees", [0, 60, 180])
def test_the_bodys_turn_is_read_from_its_shoulders(degrees: int) -> None:
    turned = make_track(num_frames=3, body_yaw_rad=math.radians(degrees))
    assert_close(body_yaw_deg(turned), torch.full((3,), float(degrees)), atol=0.5, rtol=0)
