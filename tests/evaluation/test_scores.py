"""Intervals over clips, and lip-sync."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dreamactor.evaluation.lip_sync import lip_sync
from dreamactor.evaluation.metrics import METRICS, badness
from dreamactor.evaluation.scores import mean_interval, paired_interval


def test_an_interval_holds_the_mean_and_shrinks_with_more_clips() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(5, 2, 400)
    few, many = mean_interval(values[:25].tolist()), mean_interval(values.tolist())
    assert few is not None
    assert many is not None
    assert few.low < few.value < few.high
    assert many.high - many.low < 0.5 * (few.high - few.low)
    assert many.high - many.low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)


def test_what_is_no_number_does_not_count() -> None:
    assert mean_interval([math.nan]) is None
    found = mean_interval([1.0, math.nan, 3.0])
    assert found is not None
    assert (found.value, found.n) == (2.0, 2)


def test_pairs_cancel_what_both_share() -> None:
    base = np.random.default_rng(1).normal(20, 5, 40)
    found = paired_interval((base + 0.5).tolist(), base.tolist())
    assert found is not None
    assert found.low == pytest.approx(0.5)
    assert found.high == pytest.approx(0.5)
    with pytest.raises(ValueError, match="as many"):
        paired_interval([1.0], [1.0, 2.0])


def test_badness_orders_by_what_is_good() -> None:
    assert badness("psnr_person", 20) < badness("psnr_person", 10)
    assert badness("joint_error_body", 2) < badness("joint_error_body", 3)
    assert badness("sharpness_person", 1.1) < badness("sharpness_person", 0.5)
    assert badness("drift_identity", -0.01) < badness("drift_identity", 0.2)
    assert all(metric.better != "none" for metric in METRICS.values())


def _mouth(count: int = 60) -> torch.Tensor:
    t = torch.arange(count)
    return 0.3 + 0.25 * torch.sin(t / 2.3) + 0.1 * torch.sin(t / 0.9)


@pytest.mark.parametrize("late", [-4, 0, 3])
def test_a_late_mouth_is_found_out(late: int) -> None:
    mouth, shows = _mouth(), torch.ones(60, dtype=torch.bool)
    found = lip_sync(mouth.roll(late), mouth, shows)
    assert found.offset_frames == late
    if late == 0:
        assert found.correlation == pytest.approx(1.0)
    else:
        assert found.correlation < 0.9


def test_scale_and_offset_of_the_opening_do_not_matter_and_a_still_mouth_scores_nothing() -> None:
    mouth, shows = _mouth(), torch.ones(60, dtype=torch.bool)
    assert lip_sync(0.2 * mouth + 3, mouth, shows).correlation == pytest.approx(1.0)
    assert lip_sync(torch.zeros(60), mouth, shows).correlation == 0
    assert math.isnan(lip_sync(mouth, torch.zeros(60), shows).correlation)
    assert math.isnan(lip_sync(mouth, mouth, torch.zeros(60, dtype=torch.bool)).correlation)
