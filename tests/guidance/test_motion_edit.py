"""Laws of trimming, mirroring, slowing and joining motion, and of smoothing it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from torch.testing import assert_close

from dreamactor.errors import ConfigError
from dreamactor.geometry.skeleton import FACE_POINT, JOINT
from dreamactor.guidance.camera import steady
from dreamactor.guidance.face_crop import normalize_landmarks
from dreamactor.guidance.motion_edit import join, mirror, slow, trim
from dreamactor.guidance.person_box import MIRRORED_FACE_POINTS
from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.perception.motion_smooth import smooth_track
from dreamactor.types.track import CameraTrack, PersonTrack
from dreamactor.types.video import FrameTimes
from factories import make_track


def _camera(num_frames):
    angle, zoom = torch.linspace(0, 0.2, num_frames), torch.linspace(1.0, 1.3, num_frames)
    cosine, sine = zoom * angle.cos(), zoom * angle.sin()
    across, down = torch.linspace(0, 30, num_frames), torch.linspace(0, -12, num_frames)
    matrix = torch.stack((cosine, -sine, across, sine, cosine, down), dim=1).reshape(num_frames, 2, 3)
    return CameraTrack(matrix=matrix, known=torch.ones(num_frames, dtype=torch.bool))


def _track(num_frames=10, **more) -> PersonTrack:
    track = make_track(
        num_frames=num_frames, arm_swing_rad=0.8, leg_swing_rad=0.5, head_angles_rad=(0.5, 0.2, -0.3), body_yaw_rad=0.3,
        move_px=(20.0, 0.0), **more,
    )  # fmt: skip
    tracked = track.hands.tracked.clone()
    tracked[:3, 0] = False
    return replace(track, hands=replace(track.hands, tracked=tracked), camera=_camera(num_frames))


def _assert_same(one: PersonTrack, other: PersonTrack, *, atol: float = 1e-3) -> None:
    for part in ("body", "hands", "head", "face", "camera"):
        a, b = getattr(one, part), getattr(other, part)
        assert (a is None) == (b is None)
        for name in a.__dataclass_fields__ if a is not None else ():
            assert_close(getattr(a, name), getattr(b, name), atol=atol, rtol=0, msg=f"{part}.{name}")
    assert torch.equal(one.cut, other.cut)


def test_a_mirror_twice_is_no_mirror():
    track = _track()
    _assert_same(mirror(mirror(track)), track)


def test_a_mirror_exchanges_the_sides_of_body_hands_head_and_face():
    track = _track()
    seen = mirror(track)
    for part in ("wrist", "ankle", "ear"):
        left, right = JOINT[f"left_{part}"], JOINT[f"right_{part}"]
        assert_close(seen.body.joints[:, left, 0], track.width - track.body.joints[:, right, 0])
        assert_close(seen.body.joints_m[:, left, 1:], track.body.joints_m[:, right, 1:])
    assert seen.hands.tracked[:, 1].tolist() == track.hands.tracked[:, 0].tolist()
    assert_close(seen.head.angles_rad, track.head.angles_rad * torch.tensor((-1.0, 1.0, -1.0)))
    plain, turned = (normalize_landmarks(t.face, t.head) for t in (track, seen))
    assert_close(turned, plain[:, MIRRORED_FACE_POINTS] * torch.tensor((-1.0, 1.0, 1.0)), atol=1e-4, rtol=0)
    assert MIRRORED_FACE_POINTS[FACE_POINT["lip_outer_0"]] == FACE_POINT["lip_outer_6"]
    assert sorted(MIRRORED_FACE_POINTS) == list(range(len(MIRRORED_FACE_POINTS)))


def test_a_mirrored_head_is_drawn_as_the_mirror_image():
    track = _track(num_frames=2)
    plain, seen = (draw_pose_maps(t, width=128, height=192).head_sphere for t in (track, mirror(track)))
    image = plain.flip(2).int()
    image[..., 0] = 255 - image[..., 0]  # red tells the head's own left from right
    y, x = torch.meshgrid(torch.arange(192) + 0.5, torch.arange(128) + 0.5, indexing="ij")
    center, radius = mirror(track).head.center[0], float(track.head.radius_px[0])
    inside = (x - center[0]).hypot(y - center[1]) < radius - 1.5
    assert int((image - seen.int())[0][inside].abs().max()) <= 1


def test_the_mirror_of_a_steadied_motion_is_the_steadied_mirror():
    track = _track()
    _assert_same(steady(mirror(track)), mirror(steady(track)), atol=2e-2)


def test_a_trimmed_motion_is_that_part_from_zero_on():
    track = replace(_track(), times=FrameTimes(pts=torch.arange(10) * 2 + 5, time_base=Fraction(1, 50)))
    part = trim(track, start_s=0.08, end_s=0.2)
    assert torch.equal(part.body.joints, track.body.joints[2:5])
    assert part.times.pts.tolist() == [0, 2, 4]
    with pytest.raises(ConfigError, match="10 frames long"):
        trim(track, start_s=3.0)
    _assert_same(trim(track), track, atol=0)


def test_slowed_and_hurried_again_is_the_same_motion():
    track = _track()
    slowed = slow(track, 2.0)
    assert slowed.num_frames == 19
    assert slowed.times.fps == track.times.fps
    assert_close(slowed.body.joints[::2], track.body.joints)
    assert_close(slowed.body.joints[1::2], (track.body.joints[1:] + track.body.joints[:-1]) / 2)
    _assert_same(slow(slowed, 0.5), track)
    assert slow(track, 100.0).num_frames == 901
    for factor in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="--factor"):
            slow(track, factor)
    with pytest.raises(ConfigError, match="at most"):
        slow(track, 1e9)


def test_joined_motions_come_apart_again_with_a_cut_between():
    one, other = _track(6), replace(_track(4), times=FrameTimes.constant(4, Fraction(30000, 1001)))
    whole = join([one, other])
    assert whole.cut.nonzero().flatten().tolist() == [6]
    assert bool((whole.times.pts.diff() > 0).all())
    steps = whole.times.seconds.diff()
    assert_close(steps[:5], torch.full((5,), 0.04, dtype=torch.float64))
    assert_close(steps[6:], torch.full((3,), 1001 / 30000, dtype=torch.float64))
    _assert_same(trim(whole, end_s=float(whole.times.seconds[6])), one, atol=0)
    _assert_same(trim(whole, start_s=float(whole.times.seconds[6])), other, atol=0)
    _assert_same(join([one]), one, atol=0)


def test_joined_motions_of_other_sizes_are_fitted_into_the_first_picture():
    one = _track(3)
    wide = replace(_track(3, width=512, height=192, pelvis_px=(256.0, 96.0)), camera=None)
    fitted = join([one, wide])[3:]
    assert (fitted.width, fitted.height) == (128, 192)
    assert_close(fitted.body.joints[0, 0, :2], torch.tensor((64.0, 96.0)))
    assert_close(fitted.head.radius_px, wide.head.radius_px / 4)
    assert_close(normalize_landmarks(fitted.face, fitted.head), normalize_landmarks(wide.face, wide.head), atol=1e-4, rtol=0)
    assert fitted.camera is not None
    assert not bool(fitted.camera.known.any())


def test_a_fitted_motion_is_steadied_as_before():
    one, wide = _track(3), _track(3, width=512, height=384)
    _assert_same(steady(join([one, wide])[3:]), join([steady(one), steady(wide)])[3:], atol=1e-2)


def test_smoothing_calms_what_shakes_without_lag_and_keeps_the_expression():
    track = make_track(num_frames=40, move_px=(60.0, 0.0))
    shake = torch.randn(40, 1, 3, generator=torch.Generator().manual_seed(0))
    shaken = replace(track, body=replace(track.body, joints=track.body.joints + shake))
    calm = smooth_track(shaken, radius=3)
    before, after = (float((t.body.joints - track.body.joints).square().mean()) for t in (shaken, calm))
    assert after < 0.4 * before
    steady_walk = smooth_track(track, radius=3)
    assert_close(steady_walk.body.joints[4:-4], track.body.joints[4:-4], atol=1e-3, rtol=0)
    plain = normalize_landmarks(track.face, track.head)
    assert_close(normalize_landmarks(calm.face, calm.head), plain, atol=1e-4, rtol=0)
    with pytest.raises(ConfigError, match="--radius"):
        smooth_track(track, radius=0)


def test_smoothing_mixes_nothing_across_a_cut():
    track = make_track(num_frames=10)
    joints = track.body.joints.clone()
    joints[5:] += 300.0
    cut = replace(track, body=replace(track.body, joints=joints), cut=torch.arange(10) == 5)
    assert_close(smooth_track(cut, radius=4).body.joints, joints, atol=1e-3, rtol=0)
