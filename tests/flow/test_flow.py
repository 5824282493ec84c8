"""The path from clean to noise, the way back, and what guidance scales mean."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.flow.guidance import Branch, Guidance
from dreamactor.flow.path import add_noise
from dreamactor.flow.sampler import sample
from dreamactor.flow.time import draw_times, sampling_times, shift_times

SHAPE = (2, 4, 3, 5, 6)


def _random(seed: int) -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def _branches() -> dict[Branch, Tensor]:
    return {"nothing": _random(1), "reference": _random(2), "full": _random(3)}


def test_the_path_runs_from_clean_to_noise_frame_by_frame() -> None:
    clean, noise = _random(0), _random(1)
    times = torch.tensor([[0.0, 0.25, 1.0], [1.0, 0.0, 0.5]])
    point = add_noise(clean, noise, times)
    assert torch.equal(point.noisy[0, :, 0], clean[0, :, 0])
    torch.testing.assert_close(point.noisy[0, :, 1], 0.75 * clean[0, :, 1] + 0.25 * noise[0, :, 1])
    torch.testing.assert_close(point.noisy[1, :, 0], noise[1, :, 0])
    torch.testing.assert_close(point.noisy - times[:, None, :, None, None] * point.velocity, clean)


@pytest.mark.parametrize("method", ["euler", "heun"])
@pytest.mark.parametrize("num_steps", [1, 2, 7])
@pytest.mark.parametrize("shift", [1.0, 2.0])
def test_the_exact_velocity_leads_back_to_clean(method: Literal["euler", "heun"], num_steps: int, shift: float) -> None:
    clean, noise = _random(0), _random(1)
    grid = sampling_times(num_steps, shift=shift)
    back = sample(lambda noisy, times: add_noise(clean, noise, times).velocity, noise, grid, method=method)
    torch.testing.assert_close(back, clean, atol=1e-5, rtol=1e-5)


def test_the_second_order_method_is_closer_on_a_curved_field() -> None:
    noise, grid = _random(1), sampling_times(8)
    exact = noise * torch.exp(torch.tensor(-1.0))  # dx/dt = x from t = 1 to 0
    euler, heun = (sample(lambda noisy, _: noisy, noise, grid, method=method) for method in ("euler", "heun"))
    assert (heun - exact).abs().max() < (euler - exact).abs().max() / 4


@pytest.mark.parametrize("method", ["euler", "heun"])
def test_a_first_latent_is_held_at_time_zero_in_every_step(method: Literal["euler", "heun"]) -> None:
    first, noise = _random(5)[:, :, :1], _random(1)
    seen: list[tuple[Tensor, Tensor]] = []

    def velocity(noisy: Tensor, times: Tensor) -> Tensor:
        seen.append((noisy.clone(), times.clone()))
        return torch.ones_like(noisy)

    result = sample(velocity, noise, sampling_times(3), first_latent=first, method=method)
    assert torch.equal(result[:, :, :1], first)
    torch.testing.assert_close(result[:, :, 1:], noise[:, :, 1:] - 1)
    for noisy, times in seen:
        assert torch.equal(noisy[:, :, :1], first)
        assert not times[:, 0].any()
        assert bool((times[:, 1:] > 0).all())


def test_the_sampler_leaves_its_noise_alone_and_reports_every_step() -> None:
    noise, reported = _random(1), []
    sample(lambda noisy, _: noisy, noise, sampling_times(4), report=lambda done, total: reported.append((done, total)))
    assert torch.equal(noise, _random(1))
    assert reported == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0])
def test_times_fall_from_one_to_zero_and_a_shift_keeps_the_ends(shift: float) -> None:
    grid = sampling_times(10, shift=shift)
    assert float(grid[0]) == 1
    assert float(grid[-1]) == 0
    assert bool((grid.diff() < 0).all())
    middle = float(shift_times(torch.tensor(0.5), shift))
    assert middle == pytest.approx(shift / (1 + shift))


def test_drawn_times_are_inside_and_follow_their_generator() -> None:
    one, two = (draw_times(500, shift=2.0, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert 0 < float(one.min()) < float(one.max()) < 1
    assert float(one.mean()) > 0.55  # moved towards noise


@pytest.mark.parametrize(("reference", "motion"), [(2.5, 2.5), (1.0, 1.0), (3.0, 1.5), (0.0, 2.0), (0.0, 0.0)])
def test_guidance_is_the_formula(reference: float, motion: float) -> None:
    v = _branches()
    guided = Guidance(reference=reference, motion=motion).combine(v)
    formula = v["nothing"] + reference * (v["reference"] - v["nothing"]) + motion * (v["full"] - v["reference"])
    torch.testing.assert_close(guided, formula, atol=1e-5, rtol=1e-5)


def test_equal_scales_need_two_branches_and_scales_of_one_only_the_full() -> None:
    assert Guidance(reference=2.5, motion=2.5).weights == {"nothing": -1.5, "full": 2.5}
    assert Guidance(reference=1.0, motion=1.0).weights == {"full": 1.0}
    assert set(Guidance(reference=3.0, motion=1.5).weights) == {"nothing", "reference", "full"}
    assert torch.equal(Guidance(reference=1.0, motion=1.0).combine({"full": _random(3)}), _random(3))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
@pytest.mark.parametrize("name", ["reference", "motion"])
def test_a_scale_that_is_no_scale_is_named(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        Guidance(**{name: value})
