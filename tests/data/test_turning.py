"""Characters who turn round twice: the same in both turns, and every side in a picture."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from dreamactor.data import turning
from dreamactor.data.actors import FIRST_HELD_OUT_SEED, sample_performance
from dreamactor.data.actors.motion import CHANNEL
from dreamactor.data.turning import FIRST_SEED, SIDES_DEG, draw_turning, twice_round


@pytest.mark.parametrize("clockwise", [True, False])
def test_both_turns_are_the_same_but_for_the_turn(clockwise: bool) -> None:
    performance = twice_round(
        sample_performance(3, num_frames=7, fps=6, framing="full", kind="gesture"), clockwise=clockwise
    )
    channels, yaw = performance.channels.clone(), performance.channels[:, CHANNEL["root_yaw"]]
    assert len(channels) == 24
    assert_close((yaw[12:] - yaw[:12]).abs(), torch.full((12,), 360.0))
    channels[:, CHANNEL["root_yaw"]] = 0
    assert torch.equal(channels[:12], channels[12:])
    assert torch.equal(performance.expression[:12], performance.expression[12:])


def test_a_case_is_held_out_and_shows_all_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "SIZE", 64)
    case = draw_turning("full", 0, period=4)
    assert FIRST_SEED > FIRST_HELD_OUT_SEED
    assert case.truth.shape == (8, 64, 64, 3)
    assert case.driving.num_frames == case.track.num_frames == 8
    yaw = torch.stack([picture.person.head.angles_rad[0, 0] for picture in case.pictures])
    assert_close(torch.cos(yaw - torch.deg2rad(torch.tensor(SIDES_DEG))), torch.ones(4), atol=0.01, rtol=0)
