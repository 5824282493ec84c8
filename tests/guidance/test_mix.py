"""Laws of joining the body of one track with the head and the face of others."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from torch.testing import assert_close

from dreamactor.geometry.skeleton import FACE_POINT, JOINT, SKELETON_BONES
from dreamactor.guidance.face_crop import normalize_landmarks
from dreamactor.guidance.mix import chest_turn, drop_parts, mix_tracks
from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.types.track import take_frames
from dreamactor.types.video import FrameTimes
from factories import make_track

BELOW_THE_NECK = sorted({joint for bone in SKELETON_BONES for joint in bone})


def _copy(track):
    return take_frames(track, torch.arange(track.num_frames), track.times)


def _same(one, other, *, atol=0.0):
    for part in ("body", "hands", "head", "face"):
        a, b = getattr(one, part), getattr(other, part)
        for name in a.__dataclass_fields__:
            assert_close(getattr(a, name), getattr(b, name), atol=atol, rtol=0, msg=f"{part}.{name}")


def _dancer(**more):
    return make_track(**{"arm_swing_rad": 1.0, "move_px": (10.0, 4.0), "head_angles_rad": (0.2, 0.1, -0.1), **more})


def test_one_clip_for_all_parts_is_that_clip():
    track = _dancer()
    _same(mix_tracks(body=track, head=track, face=track), track)


def test_copies_of_one_clip_for_all_parts_are_that_clip():
    track = _dancer(body_yaw_rad=0.5)
    _same(mix_tracks(body=track, head=_copy(track), face=_copy(track)), track, atol=2e-4)


def test_another_face_changes_nothing_but_the_face():
    body, other = _dancer(), make_track(head_angles_rad=(-0.4, 0.2, 0.1), scale_px=200.0)
    points = other.face.landmarks.clone()
    points[:, FACE_POINT["lip_inner_6"], 1] += torch.linspace(0.0, 9.0, 8)
    talking = replace(other, face=replace(other.face, landmarks=points))
    mixed = mix_tracks(body=body, head=body, face=talking)
    _same(replace(mixed, face=body.face), body)
    expression = normalize_landmarks(talking.face, talking.head)
    assert_close(normalize_landmarks(mixed.face, mixed.head), expression, atol=1e-4, rtol=0)
    assert float((normalize_landmarks(body.face, body.head) - expression).abs().max()) > 0.01


def test_another_head_leaves_everything_below_the_neck_and_the_expression():
    body, other = _dancer(), make_track(head_angles_rad=(0.7, -0.2, 0.3), scale_px=140.0, pelvis_px=(30.0, 150.0))
    mixed = mix_tracks(body=body, head=other, face=body)
    assert torch.equal(mixed.body.joints[:, BELOW_THE_NECK], body.body.joints[:, BELOW_THE_NECK])
    assert torch.equal(mixed.hands.joints, body.hands.joints)
    assert_close(mixed.head.radius_px, body.head.radius_px)
    assert_close(mixed.head.angles_rad, other.head.angles_rad, atol=1e-4, rtol=0)  # both bodies face the camera
    unchanged = normalize_landmarks(body.face, body.head)
    assert_close(normalize_landmarks(mixed.face, mixed.head), unchanged, atol=1e-4, rtol=0)


@pytest.mark.parametrize("turn_rad", [-0.8, 0.3, 1.2, 2.8])
def test_a_head_turns_with_the_chest_it_is_put_on(turn_rad):
    body = make_track(body_yaw_rad=turn_rad)
    looking = make_track(body_yaw_rad=0.4, head_angles_rad=(0.4 + 0.5, 0.2, 0.1))  # half a radian over the shoulder
    mixed = mix_tracks(body=body, head=looking, face=looking)
    wanted = torch.tensor((turn_rad + 0.5, 0.2, 0.1)).expand(8, 3)
    apart = (mixed.head.angles_rad - wanted + math.pi).remainder(2 * math.pi) - math.pi
    assert float(apart.abs().max()) < 1e-3
    neck = JOINT["neck"]
    lengths = [(t.head.center - t.body.joints[:, neck]).norm(dim=-1) / t.head.radius_px for t in (mixed, looking)]
    assert_close(lengths[0], lengths[1], atol=1e-3, rtol=0)


def test_a_chest_that_is_never_seen_faces_the_camera():
    track = make_track(body_yaw_rad=0.9)
    hidden = replace(track, body=replace(track.body, confidence=torch.zeros_like(track.body.confidence)))
    assert torch.equal(chest_turn(hidden), torch.eye(3).expand(8, 3, 3))
    assert_close(chest_turn(track)[0, :, 2], torch.tensor((math.sin(0.9), 0.0, math.cos(0.9))), atol=1e-4, rtol=0)


def test_a_head_that_looks_away_shows_no_face():
    away = mix_tracks(body=make_track(body_yaw_rad=3.0), head=make_track(), face=make_track())
    assert not bool(away.face.tracked.any())


def test_the_body_sets_the_times_and_others_are_resampled():
    body, short = _dancer(num_frames=12), make_track(num_frames=6)
    moved = replace(short, times=FrameTimes.constant(6, Fraction(50)))
    mixed = mix_tracks(body=body, head=moved, face=short)
    assert torch.equal(mixed.times.pts, body.times.pts)
    at = FrameTimes.constant(30, Fraction(30))
    assert mix_tracks(body=body, head=moved, face=short, times=at).num_frames == 30


def test_dropped_parts_are_not_drawn_and_the_others_are_as_before():
    track = _dancer()
    whole = draw_pose_maps(track, width=128, height=192)
    no_body = draw_pose_maps(drop_parts(track, body=True), width=128, height=192)
    no_head = draw_pose_maps(drop_parts(track, head=True), width=128, height=192)
    assert int(no_body.body_skeleton.max()) == int(no_head.head_sphere.max()) == 0
    assert torch.equal(no_body.head_sphere, whole.head_sphere)
    assert torch.equal(no_head.body_skeleton, whole.body_skeleton)
    assert not bool(drop_parts(track, face=True).face.tracked.any())
