"""Laws of taking perspective out of a track and putting it back."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from dreamactor.data.actors import FIRST_HELD_OUT_SEED, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import build_figure
from dreamactor.data.actors.scene import place_camera
from dreamactor.guidance.bone_length import joint_offsets
from dreamactor.guidance.perspective import find_perspective, flatten_track, unflatten_track
from factories import make_track


def actor_track(*, num_frames: int = 6):
    actor, scene = sample_actor(3), sample_scene(3, framing="full")
    performance = sample_performance(3, num_frames=num_frames, framing="full", kind="dance")
    figure = build_figure(actor, performance)
    camera = place_camera(scene, actor.body, figure.joints, "full", width=256, height=256)
    return exact_track(actor, figure, performance, camera, width=256, height=256), camera


def test_the_camera_of_an_exact_track_is_found_even_in_one_frame():
    assert FIRST_HELD_OUT_SEED > 3
    for num_frames in (1, 6):
        track, camera = actor_track(num_frames=num_frames)
        found = find_perspective(track)
        assert found is not None
        assert found.focal_px == pytest.approx(camera.focal_px, rel=1e-3)
        assert found.center_px == pytest.approx(camera.center_px, abs=0.1)


def test_bones_of_a_flat_track_are_as_rigid_as_in_metres():
    track, _ = actor_track()
    flat = flatten_track(track, find_perspective(track))
    ratio = joint_offsets(flat.body.joints)[:, 1:].norm(dim=-1) / joint_offsets(track.body.joints_m)[:, 1:].norm(dim=-1)
    assert_close(ratio, ratio[:, :1].expand_as(ratio), rtol=1e-3, atol=0)


def test_what_is_flattened_can_be_seen_again():
    track, _ = actor_track()
    camera = find_perspective(track)
    again = unflatten_track(flatten_track(track, camera), camera)
    for part, name in (("body", "joints"), ("hands", "joints"), ("head", "center"), ("head", "radius_px"),
                       ("face", "landmarks"), ("face", "box")):  # fmt: skip
        assert_close(getattr(getattr(again, part), name), getattr(getattr(track, part), name), atol=1e-2, rtol=1e-4)


def test_flat_and_noisy_tracks_have_no_camera():
    flat = make_track(arm_swing_rad=1.0)
    assert find_perspective(flat) is None
    noise = torch.randn(flat.body.joints.shape, generator=torch.Generator().manual_seed(0))
    noisy = replace(flat, body=replace(flat.body, joints=flat.body.joints + 2 * noise))
    assert find_perspective(noisy) is None
    assert flatten_track(noisy, None) is noisy


def test_a_resized_picture_has_a_resized_camera():
    track, _ = actor_track()
    camera = find_perspective(track)
    assert camera is not None
    moved = camera.moved(0.5, (10.0, -4.0))
    points = track.body.joints[0, :, :2]
    flat = flatten_track(track, camera).body.joints[0, :, :2]
    resized = replace(
        track,
        body=replace(
            track.body,
            joints=torch.cat(
                [track.body.joints[..., :2] * 0.5 + torch.tensor((10.0, -4.0)), track.body.joints[..., 2:] * 0.5], -1
            ),
        ),
    )
    assert points.shape == flat.shape
    assert_close(
        flatten_track(resized, moved).body.joints[0, :, :2], flat * 0.5 + torch.tensor((10.0, -4.0)), atol=1e-2, rtol=0
    )
