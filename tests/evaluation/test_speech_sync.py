"""A mouth that follows is told from one that is late, still, or shuts at the wrong time."""

from __future__ import annotations

import math

import pytest
import torch

from dreamactor.evaluation.speech_sync import lip_closures, speech_sync


def _wave(count: int = 500) -> torch.Tensor:
    noise = torch.randn(count, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.avg_pool1d(noise[None], 9, 1, 4)[0]


@pytest.mark.parametrize("late", [-7, 0, 3])
def test_the_delay_is_found(late: int) -> None:
    truth = _wave()
    found = speech_sync(2 * truth.roll(late) + 1, truth, rate_hz=50)
    assert found.delay_s == pytest.approx(late / 50, abs=0.002)
    assert (found.correlation == pytest.approx(1.0)) == (late == 0)


def test_still_mouths() -> None:
    truth = _wave()
    assert speech_sync(torch.zeros(500), truth, rate_hz=50).correlation == 0.0
    assert math.isnan(speech_sync(truth, torch.zeros(500), rate_hz=50).correlation)


def test_lips_that_meet_are_counted() -> None:
    press, spoken = torch.zeros(100), torch.ones(100, dtype=torch.bool)
    press[[10, 53, 90]] = 0.9  # at 0.20, 1.06 and 1.80 s
    found = lip_closures(press, [0.2, 1.0, 1.5], spoken, rate_hz=50)
    assert (found.found, found.count) == (pytest.approx(2 / 3), 3)
    assert found.right == pytest.approx(2 / 3)
    assert found.by_chance == pytest.approx(27 / 100)
    assert math.isnan(lip_closures(press, [], spoken, rate_hz=50).found)
