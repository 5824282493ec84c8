"""Scores of drift and of turns: a video that does not change has none, one that fades has its own."""

from __future__ import annotations

import pytest
import torch

from dreamactor.app.bench.drift import LongRun, drift_rows, looped, score_segment
from dreamactor.app.bench.references import score_turning
from dreamactor.data import turning
from dreamactor.data.turning import TurningCase, draw_turning


@pytest.fixture(scope="module")
def case() -> TurningCase:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(turning, "SIZE", 64)
        return draw_turning("full", 0, period=8)


def test_the_truth_is_perfect_and_what_fades_is_not(case: TurningCase) -> None:
    truth, mask = case.truth, case.mask
    assert score_segment(truth, truth, mask)["colour"] == 0
    assert score_segment(truth, truth, mask)["sharpness"] == pytest.approx(1)
    darker = (truth.float() * 0.5).round().byte()
    assert score_segment(darker, truth, mask)["colour"] > 5
    assert score_segment(darker, truth, mask)["sharpness"] < 0.5


def test_a_loop_repeats_from_the_second_turn_on(case: TurningCase) -> None:
    track = looped(case, 30)
    joints = track.body.joints
    assert track.num_frames == 30
    assert torch.equal(joints[: 2 * case.period], case.driving.body.joints)
    assert torch.equal(joints[case.period : 22], joints[2 * case.period :])


def test_change_is_last_minus_first_beside_the_spread() -> None:
    names = ("colour", "sharpness", "identity", "psnr_person")
    run = LongRun(scores={name: [1.0, 2.0, 2.5] for name in names}, cpu_s=[1.0] * 3, peak_mb=[1.0] * 3, strips=[])
    row = drift_rows([run], [dict.fromkeys(names, value) for value in (0.0, 2.0)])[0]
    assert (row["value"], row["spread"], row["share_of_spread"], row["since_second"]) == (1.5, 1.0, 1.5, 0.5)


def test_scatter_about_a_level_is_hardly_a_change() -> None:
    names = ("colour", "sharpness", "identity", "psnr_person")
    run = LongRun(scores={name: [9.0, *([3.0, 1.0] * 20)] for name in names}, cpu_s=[1.0], peak_mb=[1.0], strips=[])
    row = drift_rows([run], [dict.fromkeys(names, value) for value in (0.0, 2.0)])[0]
    assert row["value"] == -8.0
    assert abs(row["since_second"]) < 0.2


def test_a_back_that_is_the_same_in_both_turns_does_not_change(case: TurningCase) -> None:
    same = torch.cat([case.truth[: case.period]] * 2)
    assert score_turning(same, case, None)["change_back"] == 0
    other = same.clone()
    other[case.period :] = 255 - other[case.period :]
    assert score_turning(other, case, None)["change_back"] > 20
    assert score_turning(other, case, None)["psnr_back"] < score_turning(same, case, None)["psnr_back"]
