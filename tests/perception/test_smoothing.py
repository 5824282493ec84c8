import pytest
import torch

from dreamactor.perception.smoothing import (
    bridge_gaps,
    calm_radius,
    drop_short_runs,
    even_path,
    find_spikes,
    interpolate,
    remove_spikes,
    smooth,
)

ALL = torch.ones(40, dtype=torch.bool)


@pytest.mark.parametrize("radius", [1, 2, 4])
def test_steady_motion_is_not_delayed_anywhere(radius: int) -> None:
    line = torch.linspace(0, 100, 40)[:, None]
    torch.testing.assert_close(smooth(line, ALL, radius=radius), line, atol=1e-4, rtol=0)


def test_a_step_is_crossed_within_one_frame_of_its_time() -> None:
    step = (torch.arange(40) >= 20).float()[:, None, None] * torch.tensor([1.0, 0.0])
    reach = calm_radius(step, slow=0.01, fast=0.08, most=3)
    smoothed = smooth(step, ALL, radius=reach)[:, 0, 0]
    crossing = int((smoothed >= 0.5).nonzero()[0])
    assert abs(crossing - 20) <= 1
    assert smoothed[18] < 0.3
    assert smoothed[21] > 0.7


def test_a_fast_swing_is_followed_with_no_lag() -> None:
    time = torch.arange(80) / 25
    swing = torch.stack((torch.sin(2 * torch.pi * 2 * time), time * 0), -1)[:, None] * 0.5
    known = torch.ones(80, dtype=torch.bool)
    smoothed = smooth(swing, known, radius=calm_radius(swing, slow=0.01, fast=0.08, most=3))
    errors = [float((smoothed[10:70] - swing[10 - lag : 70 - lag]).square().mean()) for lag in (-1, 0, 1)]
    assert errors[1] == min(errors)


def test_jitter_of_a_resting_point_is_calmed() -> None:
    noise = torch.randn(200, 1, 2, generator=torch.Generator().manual_seed(0)) * 0.004
    known = torch.ones(200, dtype=torch.bool)
    calm = smooth(noise, known, radius=calm_radius(noise, slow=0.01, fast=0.08, most=3))
    assert calm.diff(n=2, dim=0).norm() < 0.25 * noise.diff(n=2, dim=0).norm()


def test_smoothing_never_mixes_across_unknown_frames() -> None:
    values = torch.cat([torch.zeros(20), torch.full((20,), 9.0)])[:, None]
    known = ALL.clone()
    known[18:22] = False
    smoothed = smooth(values, known, radius=4)
    torch.testing.assert_close(smoothed, values)


def test_a_single_frame_stays_as_it_is() -> None:
    one = torch.randn(1, 3, 2)
    known = torch.ones(1, dtype=torch.bool)
    torch.testing.assert_close(smooth(one, known, radius=calm_radius(one, slow=0.01, fast=0.1, most=3)), one)


def test_short_gaps_are_bridged_on_a_line_and_long_ones_held_and_marked() -> None:
    values = torch.arange(30.0)[:, None]
    known = torch.ones(30, dtype=torch.bool)
    known[5:10] = False  # five frames: bridged
    known[15:21] = False  # six: held
    holed = torch.where(known[:, None], values, torch.tensor(-99.0))
    filled, tracked = bridge_gaps(holed, known)
    torch.testing.assert_close(filled[:15], values[:15])
    assert tracked[5:10].all()
    assert not tracked[15:21].any()
    assert (filled[15:21] == 14).all()


def test_gaps_at_the_ends_are_held_but_not_tracked() -> None:
    known = torch.tensor([False, False, True, True, False])
    filled, tracked = bridge_gaps(torch.arange(5.0), known)
    assert filled.tolist() == [2, 2, 2, 3, 3]
    assert tracked.tolist() == known.tolist()


def test_nothing_known_gives_zeros() -> None:
    never = torch.zeros(4, dtype=torch.bool)
    assert (interpolate(torch.full((4, 2), 7.0), never) == 0).all()
    filled, tracked = bridge_gaps(torch.full((4, 2), 7.0), never)
    assert (filled == 0).all()
    assert not tracked.any()


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_leap_that_is_back_within_three_frames_is_removed(length: int) -> None:
    path = torch.stack((torch.linspace(0, 1, 20), torch.zeros(20)), -1)[:, None]
    spiked = path.clone()
    spiked[8 : 8 + length, 0, 1] += 2.0
    spikes = find_spikes(spiked, jump=torch.full((20,), 0.4))
    assert spikes[:, 0].nonzero().flatten().tolist() == list(range(8, 8 + length))
    torch.testing.assert_close(remove_spikes(spiked, spikes), path)


def test_a_lasting_leap_and_a_swing_are_kept() -> None:
    lasting = torch.zeros(20, 1, 2)
    lasting[8:, 0, 0] = 2.0
    assert not find_spikes(lasting, jump=torch.full((20,), 0.4)).any()
    swing = torch.stack((torch.sin(torch.arange(20) * 0.6), torch.zeros(20)), -1)[:, None] * 0.6
    assert not find_spikes(swing, jump=torch.full((20,), 0.4)).any()


def test_flickering_detections_are_dropped() -> None:
    known = torch.tensor([1, 1, 0, 1, 1, 1, 0, 1], dtype=torch.bool)
    assert drop_short_runs(known, min_frames=3).tolist() == [False, False, False, True, True, True, False, False]
    single = torch.tensor([True])
    assert drop_short_runs(single, min_frames=3).all()


def test_an_even_path_keeps_straight_lines_and_is_the_least_squares_one() -> None:
    line = torch.linspace(-3, 5, 12)
    torch.testing.assert_close(even_path(line, torch.ones(12), stiffness=50.0), line, atol=1e-4, rtol=0)
    generator = torch.Generator().manual_seed(0)
    values, weight = torch.randn(9, generator=generator), torch.rand(9, generator=generator) + 0.1
    bends = torch.zeros(7, 9)
    for row in range(7):
        bends[row, row : row + 3] = torch.tensor([1.0, -2.0, 1.0])
    wanted = torch.linalg.solve(weight.diag() + 4.0 * bends.T @ bends, weight * values)
    torch.testing.assert_close(even_path(values, weight, stiffness=4.0), wanted, atol=1e-4, rtol=0)
