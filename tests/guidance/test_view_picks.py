"""The yaw rule: least, median and greatest on one circle, and never two alike where others are to be had."""

from __future__ import annotations

import itertools
from math import radians

import pytest
import torch
from torch import Tensor

from dreamactor.guidance.view_picks import NUM_VIEWS, pick_by_yaw, towards_camera

FRAMES = 145
SWEEPS_DEG = (60, -60, 180, -180, 360, -360, 720, -720)


def _sweep(degrees: float) -> Tensor:
    return torch.linspace(0.0, radians(degrees), FRAMES)


def _apart_deg(yaw: Tensor, one: int, other: int) -> float:
    return float(torch.rad2deg(towards_camera(yaw[one] - yaw[other]).abs()))


@pytest.mark.parametrize("degrees", SWEEPS_DEG)
def test_a_turn_gives_three_views_that_are_thirty_degrees_apart_or_as_far_as_can_be(degrees: float) -> None:
    yaw = _sweep(degrees)
    picks = pick_by_yaw(yaw)
    assert len(picks) == NUM_VIEWS
    assert picks == sorted(picks)
    for one, other in itertools.combinations(picks, 2):
        assert _apart_deg(yaw, one, other) > 29.5


@pytest.mark.parametrize("degrees", [60, -60])
def test_a_small_turn_gives_its_ends_and_its_middle(degrees: float) -> None:
    yaw = _sweep(degrees)
    found = sorted(round(abs(float(torch.rad2deg(yaw[pick])))) for pick in pick_by_yaw(yaw))
    assert found == [0, 30, 60]


@pytest.mark.parametrize("degrees", [180, -180, 360, -360, 720, -720])
def test_a_large_turn_shows_the_back_and_leaves_no_side_farther_than_a_quarter(degrees: float) -> None:
    yaw = _sweep(degrees)
    picks = pick_by_yaw(yaw)
    assert max(_apart_deg(yaw, pick, 0) for pick in picks) > 175
    for frame in range(FRAMES):
        assert min(_apart_deg(yaw, pick, frame) for pick in picks) < 93


@pytest.mark.parametrize("degrees", SWEEPS_DEG)
def test_whole_turns_more_or_less_are_nothing(degrees: float) -> None:
    yaw = radians(degrees) * torch.linspace(0, 1, FRAMES, dtype=torch.float64) ** 1.1  # uneven: nothing is a tie
    turns = torch.arange(FRAMES) % 5 - 2
    views = [
        sorted(round(float(towards_camera(seen[pick])), 3) for pick in pick_by_yaw(seen))
        for seen in (yaw + 1e-4, yaw + 1e-4 + 2 * torch.pi * turns)  # off the seam, where rounding would decide
    ]
    assert views[0] == views[1]


@pytest.mark.parametrize("heading_deg", [0, 90, 180, -179])
def test_no_turn_at_all_gives_one_view(heading_deg: float) -> None:
    assert len(pick_by_yaw(torch.full((30,), radians(heading_deg)))) == 1
    assert pick_by_yaw(torch.zeros(1)) == [0]


def test_views_that_are_alike_give_way_to_the_farthest() -> None:
    yaw = torch.deg2rad(torch.tensor([175.0, -175.0, 0.0, 2.0, 1.0, 100.0]))  # least and greatest are ten degrees apart
    assert {0, 1} - set(pick_by_yaw(yaw))
    assert 5 in pick_by_yaw(yaw)
