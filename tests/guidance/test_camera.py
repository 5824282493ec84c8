"""What is done with a camera's motion once it is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from dreamactor.errors import ConfigError
from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.camera import move_track, steady
from dreamactor.guidance.retarget import RetargetOptions, retarget
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.track import CameraTrack, PersonTrack, resize_track
from factories import make_track


def _seen_by(track: PersonTrack, matrix: torch.Tensor) -> PersonTrack:
    """The track as a camera sees it whose pixels are `matrix` [T, 2, 3] of the still one's, with that camera known."""
    bottom = torch.tensor([[[0.0, 0.0, 1.0]]]).expand(len(matrix), 1, 3)
    back = torch.linalg.inv(torch.cat([matrix, bottom], dim=1))[:, :2]
    camera = CameraTrack(matrix=back, known=torch.ones(len(matrix), dtype=torch.bool))
    return replace(move_track(track, matrix), camera=camera)


def _shift(num_frames: int, across: float) -> torch.Tensor:
    matrix = torch.eye(3)[:2].repeat(num_frames, 1, 1)
    matrix[:, 0, 2] = torch.linspace(0.0, across, num_frames)
    return matrix


def _walk() -> PersonTrack:
    return make_track(move_px=(30.0, 5.0), arm_swing_rad=0.5, head_angles_rad=(0.4, 0.1, 0.2))


def test_steady_undoes_pan_zoom_and_turn_in_every_part() -> None:
    truth = _walk()
    angle, zoom = torch.linspace(0, 0.3, 8), torch.linspace(1, 1.4, 8)
    matrix = torch.stack(
        (zoom * angle.cos(), -zoom * angle.sin(), 9 * angle, zoom * angle.sin(), zoom * angle.cos(), -20 * angle), dim=1
    ).reshape(8, 2, 3)
    calm = steady(_seen_by(truth, matrix))
    for part in ("body", "hands", "head", "face"):
        for name in getattr(truth, part).__dataclass_fields__:
            assert_close(getattr(getattr(calm, part), name), getattr(getattr(truth, part), name), atol=2e-3, rtol=0)


def test_trimmed_tracks_are_steadied_against_their_own_first_frame() -> None:
    truth = _walk()
    calm = steady(_seen_by(truth, _shift(8, 35.0))[3:])
    assert_close(calm.body.joints - calm.body.joints[:1], truth.body.joints[3:] - truth.body.joints[3:4], atol=1e-3, rtol=0)


def test_a_resized_camera_moves_resized_pixels() -> None:
    seen = _seen_by(_walk(), _shift(8, 35.0))
    half = resize_track(seen, width=64, height=96)
    assert_close(steady(half).body.joints, steady(seen).body.joints / 2, atol=1e-3, rtol=0)


def _references() -> ReferenceSet:
    person = make_track(num_frames=1)
    image = ReferenceImage(image=torch.zeros(192, 128, 3, dtype=torch.uint8), person=person, mask=None)
    return ReferenceSet(images=(image,), proportions=estimate_proportions([person]))


@pytest.mark.parametrize("framing", ["auto", "reference", "driving"])
def test_ignore_walks_the_way_of_a_still_camera_and_follow_the_one_seen(framing: str) -> None:
    truth = make_track(move_px=(20.0, 0.0))
    seen = _seen_by(truth, _shift(8, -20.0))  # the camera pans along: the walker stays in the middle
    pelvis = {
        mode: retarget(seen, _references(), RetargetOptions(framing=framing, camera=mode)).body.joints[:, JOINT["pelvis"], 0]
        for mode in ("ignore", "follow")
    }
    wanted = retarget(truth, _references(), RetargetOptions(framing=framing)).body.joints[:, JOINT["pelvis"], 0]
    assert_close(pelvis["ignore"], wanted, atol=1e-2, rtol=0)
    assert float(pelvis["follow"].max() - pelvis["follow"].min()) < 0.01


def test_whoever_a_camera_kept_in_view_stays_on_the_canvas() -> None:
    seen = _seen_by(make_track(move_px=(400.0, 0.0)), _shift(8, -400.0))
    made = retarget(seen, _references(), RetargetOptions(framing="auto"))
    assert bool(((made.head.center[:, 0] > 0) & (made.head.center[:, 0] < 128)).all())
    free = retarget(seen, _references(), RetargetOptions(framing="reference"))
    assert bool((free.head.center[:, 0] > 128).any())


def test_an_unknown_mode_is_named() -> None:
    with pytest.raises(ConfigError, match="--camera 'pan'"):
        RetargetOptions(camera="pan")
