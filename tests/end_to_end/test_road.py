"""The whole road on a tiny model, from tracks: frames out, and what they depend on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.inference.animator import Animator
from dreamactor.inference.request import AnimateRequest
from dreamactor.models.dit import DiT
from dreamactor.recipes.tiny import tiny_bundle
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.track import PersonTrack
from factories import make_track

SIDE = 32
NOWHERE = Path("tracks")


@pytest.fixture(scope="module")
def animator() -> Animator:
    bundle = tiny_bundle()
    _wake(bundle.dit)
    return Animator(bundle)


def _wake(dit: DiT) -> None:
    """Gives layers that start at zero something to say, so that every input can be seen in the output."""
    generator = torch.Generator().manual_seed(1)
    for parameter in dit.parameters():
        if not parameter.any():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)


def _references() -> ReferenceSet:
    person = make_track(num_frames=1, width=SIDE, height=SIDE, scale_px=16, pelvis_px=(16, 16))
    picture = torch.randint(0, 256, (SIDE, SIDE, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    image = ReferenceImage(image=picture, person=person, mask=None)
    return ReferenceSet(images=(image,), proportions=estimate_proportions([person]))


def _driving(num_frames: int) -> PersonTrack:
    return make_track(num_frames=num_frames, width=SIDE, height=SIDE, scale_px=16, pelvis_px=(16, 16), arm_swing_rad=1.0)


def _request(seed: int = 0) -> AnimateRequest:
    return AnimateRequest(references=(NOWHERE,), driving=NOWHERE, seed=seed, steps=1, use_proxy=False)


def _frames(animator: Animator, track: PersonTrack, seed: int = 0) -> Tensor:
    return torch.cat([clip.frames for clip in animator.animate_track(track, _references(), _request(seed))])


@pytest.mark.parametrize("num_frames", [1, 2, 72, 73, 74, 145, 146])
def test_as_many_frames_out_as_in_at_the_same_times(animator: Animator, num_frames: int) -> None:
    driving = _driving(num_frames)
    clips = list(animator.animate_track(driving, _references(), _request()))
    assert sum(clip.num_frames for clip in clips) == num_frames
    assert [clip.num_frames for clip in clips[:-1]] == [73, 72, 72][: len(clips) - 1]
    times = torch.cat([clip.times.seconds for clip in clips])
    assert torch.equal(times, driving.times.seconds)


def test_a_moved_arm_changes_the_output(animator: Animator) -> None:
    driving = _driving(9)
    joints = driving.body.joints.clone()
    joints[5:, 3:5] += 6.0
    moved = replace(driving, body=replace(driving.body, joints=joints))
    assert not torch.equal(_frames(animator, driving), _frames(animator, moved))


def test_equal_seeds_give_equal_videos_and_others_do_not(animator: Animator) -> None:
    driving = _driving(5)
    first = _frames(animator, driving, seed=5)
    assert torch.equal(first, _frames(animator, driving, seed=5))
    assert not torch.equal(first, _frames(animator, driving, seed=6))


def test_frames_of_a_driver_do_not_depend_on_what_comes_after_the_segment(animator: Animator) -> None:
    long = _driving(80)
    assert torch.equal(_frames(animator, long)[:73], _frames(animator, long[:73]))


def test_frames_without_a_person_are_no_error(animator: Animator) -> None:
    driving = _driving(9)
    seen = torch.arange(9) < 4
    lost = replace(
        driving,
        body=replace(driving.body, tracked=seen),
        head=replace(driving.head, tracked=seen),
        face=replace(driving.face, tracked=seen),
        hands=replace(driving.hands, tracked=seen[:, None].expand(-1, 2)),
    )
    assert _frames(animator, lost).shape == (9, SIDE, SIDE, 3)
