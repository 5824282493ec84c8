"""Laws of the likeliest build."""

import pytest
import torch
from torch.testing import assert_close

from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.human_build import PART, PARTS, likeliest_build, prior_proportions
from factories import make_track

NEVER = torch.full((1, len(PARTS)), torch.inf)
EXACT = torch.zeros(1)


def average():
    return likeliest_build(torch.zeros(1, len(PARTS)), NEVER, EXACT)


def test_what_is_measured_without_error_comes_out_as_measured():
    odd = torch.linspace(-1.0, 0.5, len(PARTS))[None]
    build = likeliest_build(odd, torch.zeros(1, len(PARTS)), EXACT)
    assert_close(build, (odd[0] - odd[0, PART["neck"]]).double(), atol=1e-4, rtol=0)


def test_nothing_seen_is_an_average_adult():
    assert float(average()[PART["knee"]].exp()) == pytest.approx(float(prior_proportions().bone_length[9]), rel=1e-5)


def test_the_unit_of_a_track_does_not_matter():
    odd, error = torch.linspace(-0.3, 0.3, len(PARTS))[None], torch.full((1, len(PARTS)), 0.01)
    assert_close(likeliest_build(odd, error, EXACT), likeliest_build(odd + 3.0, error, EXACT), atol=1e-4, rtol=0)


def test_unseen_parts_follow_their_limb():
    seen = NEVER.clone()
    seen[0, [PART["neck"], PART["knee"]]] = 0.0
    measured = average()[None].float()
    measured[0, PART["knee"]] += 0.3
    longer = likeliest_build(measured, seen, EXACT) - average()
    assert longer[PART["knee"]] == pytest.approx(0.3, abs=1e-3)
    assert 0.15 < longer[PART["ankle"]] < 0.3
    assert abs(longer[PART["elbow"]]) < 0.05


def test_the_less_sure_a_length_is_the_nearer_it_comes_out_to_the_average():
    measured = average()[None].float()
    measured[0, PART["wrist"]] += 0.4
    found = []
    for error in (0.0, 0.1, 0.5):
        variance = torch.full((1, len(PARTS)), 1e-6)
        variance[0, PART["wrist"]] = error**2
        found.append(float((likeliest_build(measured, variance, EXACT) - average())[PART["wrist"]]))
    assert found[0] > found[1] > found[2] > 0


def test_a_learnt_estimators_compression_is_undone():
    measured, error = average()[None].float(), torch.full((1, len(PARTS)), 1e-6)
    plain = likeliest_build(measured, error, torch.ones(1))
    measured[0, PART["elbow"]] += 0.2
    longer = (likeliest_build(measured, error, torch.ones(1)) - plain)[PART["elbow"]]
    assert float(longer) > 0.22


def test_several_pictures_of_one_person_are_joined_whatever_their_size():
    near, far = (
        make_track(num_frames=1, scale_px=160.0, limb_scale=1.3),
        make_track(num_frames=1, scale_px=40.0, limb_scale=1.3),
    )
    one, both = estimate_proportions((near,)), estimate_proportions((near, far))
    assert_close(one.bone_length, both.bone_length, rtol=1e-3, atol=1e-3)
