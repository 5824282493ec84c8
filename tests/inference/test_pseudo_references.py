"""Pseudo references: which poses are made, that they are where the motion is, and that they come back from a folder."""

from __future__ import annotations

from dataclasses import replace
from math import radians
from pathlib import Path

import pytest
import torch

from dreamactor.errors import InputError
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.textured_proxy import draw_proxy, prepare_proxy
from dreamactor.inference.animator import Animator
from dreamactor.inference.pseudo_references import (
    NEIGHBOURS,
    collect,
    load_pseudo_references,
    plan_stage_one,
    save_pseudo_references,
)
from dreamactor.inference.request import AnimateRequest
from dreamactor.recipes.tiny import tiny_bundle
from dreamactor.types.guidance import ReferenceSet
from dreamactor.types.track import PersonTrack, shots_of
from dreamactor.video.image import read_image, write_image
from tiny_scene import SIDE, one_reference, reference_image, waving

FRAMES = 40


def _turning(degrees: float) -> PersonTrack:
    track = waving(FRAMES)
    angles = track.head.angles_rad.clone()
    angles[:, 0] = torch.linspace(0, radians(degrees), FRAMES)
    return replace(track, head=replace(track.head, angles_rad=angles))


def test_short_shots_are_made_around_the_picked_frames() -> None:
    track = _turning(360)
    stage = plan_stage_one(track, one_reference())
    assert stage is not None
    assert stage.frames is not None
    shots = shots_of(stage.poses.cut)
    assert len(shots) == len(stage.picks) == len(stage.about)
    for shot, pick in zip(shots, stage.picks, strict=True):
        frames = stage.frames[shot]
        assert torch.all(frames.diff() == 1)
        assert len(frames) <= 2 * NEIGHBOURS + 1
        assert shot.start <= pick < shot.stop
    assert torch.equal(stage.poses.body.joints, track.body.joints[stage.frames])


def test_a_side_that_a_given_picture_shows_is_not_made() -> None:
    assert plan_stage_one(_turning(20), one_reference()) is None
    front, back = reference_image(), reference_image(yaw_rad=radians(180))
    both = ReferenceSet(images=(front, back), proportions=one_reference().proportions)
    one, two = plan_stage_one(_turning(360), one_reference()), plan_stage_one(_turning(360), both)
    assert one is not None
    assert two is not None
    assert len(two.picks) < len(one.picks)


def test_a_turn_on_the_spot_needs_no_turn_of_the_driver() -> None:
    stage = plan_stage_one(_turning(0), one_reference(), poses="turn")
    assert stage is not None
    assert stage.frames is None
    yaw = torch.rad2deg(stage.poses.head.angles_rad[list(stage.picks), 0]) % 360
    assert 175 < max(yaw) < 185 or any(abs(value - 180) < 5 for value in yaw)


def test_a_model_makes_them_and_takes_them() -> None:
    animator, references, driving = Animator(tiny_bundle()), one_reference(), _turning(360)
    request = AnimateRequest(references=(Path("a"),), driving=Path("b"), steps=1, pseudo_references="driving")
    made = animator.make_pseudo_references(driving, references, request)
    assert [one.name for one in made] == ["view_1", "view_2", "half_body"]
    assert all(one.image.made and one.image.image.shape == (SIDE, SIDE, 3) for one in made)
    more = replace(references, images=(*references.images, *(one.image for one in made)))
    frames, single = (
        torch.cat([clip.frames for clip in animator.animate_track(driving, given, request)]) for given in (more, references)
    )
    assert frames.shape == single.shape
    assert not torch.equal(frames, single)


def test_they_come_back_from_a_folder_and_a_replaced_one_is_perceived(tmp_path: Path) -> None:
    stage = plan_stage_one(_turning(360), one_reference())
    assert stage is not None
    pictures = torch.randint(0, 256, (stage.poses.num_frames, SIDE, SIDE, 3), dtype=torch.uint8)
    figure = torch.zeros(stage.poses.num_frames, SIDE, SIDE, dtype=torch.uint8)
    figure[:, 8:20, 5:25] = 255
    made = collect(stage, pictures, figure)
    save_pseudo_references(tmp_path / "sides", made)

    def perceive(picture: torch.Tensor, source: str) -> object:
        return reference_image(9)

    back = load_pseudo_references(tmp_path / "sides", canvas=(SIDE, SIDE), perceive=perceive)
    by_name = {one.name: one.image for one in made}
    assert {one.name for one in back} == set(by_name)
    for one in back:
        assert torch.equal(one.image.image, by_name[one.name].image)
        assert torch.equal(one.image.person.body.joints, by_name[one.name].person.body.joints)
        assert one.image.mask is not None
        assert torch.equal(one.image.mask, by_name[one.name].mask)  # what a resumed run sees is what the first one saw
    (tmp_path / "sides" / "view_1.npz").unlink()
    write_image(tmp_path / "sides" / "view_1.png", read_image(tmp_path / "sides" / "view_2.png"))
    again = load_pseudo_references(tmp_path / "sides", canvas=(SIDE, SIDE), perceive=perceive)
    assert torch.equal(again[1].image.image, reference_image(9).image)
    with pytest.raises(InputError, match="of one frame of 64x64"):
        load_pseudo_references(tmp_path / "sides", canvas=(64, 64), perceive=perceive)


def test_where_a_given_picture_shows_a_surface_it_wins_over_a_made_one() -> None:
    red, blue = (reference_image() for _ in range(2))
    red = replace(red, image=torch.tensor([200, 0, 0], dtype=torch.uint8).expand(SIDE, SIDE, 3).contiguous())
    blue = replace(blue, image=torch.tensor([0, 0, 200], dtype=torch.uint8).expand(SIDE, SIDE, 3).contiguous(), made=True)
    proportions = estimate_proportions([red.person])
    alone, both = (
        draw_proxy(
            prepare_proxy(ReferenceSet(images=images, proportions=proportions), red.person),
            red.person,
            width=SIDE,
            height=SIDE,
        ).rgb
        for images in ((red,), (red, blue))
    )
    assert torch.equal(alone, both)
