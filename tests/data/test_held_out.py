"""ActorBench's cases: fixed, held out, and what they say they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from dreamactor.data.actors import FIRST_HELD_OUT_SEED, Performance, sample_actor, sample_performance
from dreamactor.data.actors.motion import CHANNEL
from dreamactor.data.gallery import GALLERY_SIZE, gallery_actors
from dreamactor.data.held_out import (
    FULL_COUNTS,
    PARTS,
    QUICK_COUNTS,
    SETS,
    CaseSpec,
    Part,
    _performances,
    bench_specs,
    draw_case,
    draw_driver,
    draw_nearest,
    set_specs,
)
from dreamactor.data.partial import mix_performances
from dreamactor.geometry.rotation import angles_to_matrix
from dreamactor.geometry.skeleton import JOINT


def _performance(spec: CaseSpec) -> Performance:
    return mix_performances(**_performances(spec))


def _small(name: str, index: int = 0):
    spec = set_specs(name, index + 1)[index]
    return replace(spec, width=64, height=64, num_frames=4)


@pytest.mark.parametrize("name", SETS)
def test_more_cases_never_change_the_first_ones(name: str) -> None:
    assert set_specs(name, 2) == set_specs(name, 3)[:2]


def test_every_seed_is_held_out_and_no_case_comes_twice() -> None:
    specs = bench_specs(quick=False)
    assert all(min(spec.seed, spec.character, spec.driver) >= FIRST_HELD_OUT_SEED for spec in specs)
    assert len({spec.name for spec in specs}) == len(specs)
    assert all(spec.other is None or spec.other >= FIRST_HELD_OUT_SEED for spec in specs)
    with pytest.raises(ValueError, match="Held-out"):
        draw_case(replace(specs[0], seed=5))


def test_the_quick_bench_is_part_of_the_full_one_with_clips_of_25_frames() -> None:
    quick = bench_specs(quick=True)
    assert sum(spec.set == "cross_identity" for spec in quick) >= 48
    assert all(spec.num_frames == 25 for spec in quick)
    full = bench_specs(quick=False)
    assert all(spec in full for spec in quick)
    assert set(QUICK_COUNTS) == set(FULL_COUNTS) - {"long", "sizes"}


def test_close_drivers_are_built_more_like_the_character_than_far_ones() -> None:
    def apart(spec) -> float:
        a, b = sample_actor(spec.character).body, sample_actor(spec.driver).body
        return abs(a.head_radius / a.torso - b.head_radius / b.torso) + abs(a.thigh / a.torso - b.thigh / b.torso)

    specs = set_specs("cross_identity", 24)
    distances = {kind: [apart(spec) for spec in specs if spec.tags["proportions"] == kind] for kind in ("close", "far")}
    assert sum(distances["close"]) < 0.6 * sum(distances["far"])


def test_the_sizes_cover_every_shape_and_length() -> None:
    specs = set_specs("sizes", FULL_COUNTS["sizes"])
    assert len({(spec.width, spec.height, spec.num_frames) for spec in specs}) == 18
    assert {spec.num_frames for spec in specs} == {25, 73, 121}


@pytest.mark.parametrize("name", ["self", "cross_identity", "unseen", "expressions"])
def test_a_case_has_a_reference_that_is_no_judged_frame_and_a_truth_of_its_size(name: str) -> None:
    case = draw_case(_small(name))
    assert case.truth.shape == (4, 64, 64, 3)
    assert case.track.num_frames == len(case.expression) == 4
    assert case.driving.num_frames > 4
    apart = (case.truth.float() - case.reference.image.float()).abs().flatten(1).mean(dim=1)
    assert float(apart.min()) > 0.1
    assert 0 < case.area < 1


def test_equal_specs_give_equal_cases() -> None:
    spec = _small("cross_identity", 2)
    assert torch.equal(draw_case(spec).truth, draw_case(spec).truth)


def test_the_turning_driver_turns_once_around() -> None:
    case = draw_case(replace(_small("half_body"), num_frames=8))
    yaw = torch.rad2deg(case.track.head.angles_rad[:, 0])
    assert 250 < float(yaw.max() - yaw.min()) < 380
    assert case.reference.image.shape == (64, 64, 3)


def test_the_driver_is_filmed_for_the_whole_performance() -> None:
    spec = _small("cross_identity")
    assert draw_driver(spec, size=48).shape == (draw_case(spec).driving.num_frames, 48, 48, 3)


def test_the_nearest_frame_is_nearer_than_the_reference() -> None:
    spec = replace(_small("cross_identity", 1), num_frames=8)
    case, nearest = draw_case(spec), draw_nearest(spec)
    assert nearest.shape == case.truth.shape
    apart = [(video.float() - case.truth.float()).square().mean() for video in (nearest, case.reference.image[None])]
    assert apart[0] < apart[1]


@pytest.mark.parametrize("part", PARTS)
def test_one_part_comes_from_somebody_else_and_the_others_stay(part: Part) -> None:
    spec = _small("partial", PARTS.index(part))
    undivided = replace(_small("cross_identity", 1), num_frames=spec.num_frames)
    assert (spec.part, spec.undivided, spec.framing) == (part, undivided.name, "upper")
    case, own = draw_case(spec), draw_case(undivided)
    joints, yaw = JOINT["left_wrist"], CHANNEL["head_yaw"]
    one, other = (_performance(spec).channels[:, yaw], _performance(undivided).channels[:, yaw])
    same = {
        "face": torch.equal(case.expression, own.expression),
        "head": torch.equal(one, other),
        "body": torch.equal(case.track.body.joints[:, joints], own.track.body.joints[:, joints]),
    }
    assert same == {name: name != part for name in PARTS}
    assert torch.equal(case.reference.image, own.reference.image) is (part != "body")
    assert draw_driver(spec, size=48, part=part).shape == draw_driver(undivided, size=48).shape


def test_the_mixed_motion_is_that_of_a_driver_who_does_the_mixture() -> None:
    for index in range(len(PARTS)):
        spec = _small("partial", index)
        mixed, truth = draw_case(spec).driving, draw_case(replace(spec, character=spec.driver)).track
        turns = [angles_to_matrix(track.head.angles_rad[: truth.num_frames]) for track in (mixed, truth)]
        # Tracks of half bodies do not tell how the chest is bent: a few degrees.
        assert_close(*turns, atol=0.08, rtol=0)


def test_performances_of_other_lengths_are_not_mixed() -> None:
    one, other = (sample_performance(3, num_frames=frames) for frames in (3, 4))
    with pytest.raises(ValueError, match="must agree"):
        mix_performances(body=one, head=other, face=one)


@pytest.mark.parametrize(("name", "style"), [("big_head", "big_head"), ("non_human", "creature")])
def test_a_set_of_one_style_has_that_style(name: str, style: str) -> None:
    assert {sample_actor(spec.character).style for spec in set_specs(name, 4)} == {style}


def test_a_gallery_is_fifty_actors_with_the_one_looked_for() -> None:
    for actor in (FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + 60_003):
        actors = gallery_actors(actor)
        assert len(set(actors)) == GALLERY_SIZE
        assert actor in actors
