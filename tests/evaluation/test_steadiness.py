"""Every score is perfect for the truth and worsens, step by step, with the distortion it is for."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F

from dreamactor.data.actors import render, sample_actor, sample_performance, sample_scene
from dreamactor.evaluation.steadiness import background_change, drift, flicker, sharpness, shimmer


@pytest.fixture(scope="module")
def clip() -> tuple[torch.Tensor, torch.Tensor]:
    """Eight frames of an actor [8, 96, 96, 3] and its mask."""
    performance = sample_performance(5, num_frames=8, framing="upper")
    drawn = render(sample_actor(5), performance, sample_scene(5, framing="upper"), width=96, height=96)
    return drawn.frames, drawn.mask


def _blurred(video: torch.Tensor, side: int) -> torch.Tensor:
    pictures = F.pad(video.permute(0, 3, 1, 2).float(), (side // 2,) * 4, mode="replicate")
    return F.avg_pool2d(pictures, side, stride=1).permute(0, 2, 3, 1).round().to(torch.uint8)


def _noisy(video: torch.Tensor, strength: float) -> torch.Tensor:
    noise = torch.randn(video.shape, generator=torch.Generator().manual_seed(0)) * strength
    return (video.float() + noise).round().clamp(0, 255).to(torch.uint8)


def test_the_truth_is_perfect(clip: tuple[torch.Tensor, torch.Tensor]) -> None:
    truth, mask = clip
    assert sharpness(truth, truth, mask) == pytest.approx(1)
    assert flicker(truth, truth, mask) == 0
    assert drift(truth, truth, mask).colour == 0
    assert drift(truth, truth, mask).sharpness == 0


def test_blur_softens_and_noise_grains_step_by_step(clip: tuple[torch.Tensor, torch.Tensor]) -> None:
    truth, mask = clip
    blurred = [sharpness(_blurred(truth, side), truth, mask) for side in (1, 3, 5, 9)]
    noisy = [sharpness(_noisy(truth, strength), truth, mask) for strength in (0, 4, 12, 30)]
    assert all(later < earlier for earlier, later in itertools.pairwise(blurred))
    assert all(later > earlier for earlier, later in itertools.pairwise(noisy))


def test_single_dots_are_no_detail(clip: tuple[torch.Tensor, torch.Tensor]) -> None:
    truth, mask = clip
    soft = _blurred(truth, 5).clamp(10, 245)
    rows, columns = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    dotted = (soft.int() + torch.where((rows + columns) % 2 == 0, 10, -10)[..., None]).to(torch.uint8)
    assert sharpness(dotted, truth, mask) == pytest.approx(sharpness(soft, truth, mask))


def test_noise_flickers_and_a_constant_shift_of_colour_does_not(clip: tuple[torch.Tensor, torch.Tensor]) -> None:
    truth, mask = clip
    noisy = [flicker(_noisy(truth, strength), truth, mask) for strength in (0, 4, 12, 30)]
    assert all(later > earlier for earlier, later in itertools.pairwise(noisy))
    even = truth.clamp(10, 245)
    assert flicker(even + 10, even, mask) == 0


def test_noise_shimmers_and_details_that_lie_wrong_but_move_along_do_not(clip: tuple[torch.Tensor, torch.Tensor]) -> None:
    truth, mask = clip
    own = shimmer(truth, truth, mask)
    noisy = [shimmer(_noisy(truth, strength), truth, mask) for strength in (0, 4, 12, 30)]
    assert noisy[0] == own
    assert all(later > earlier for earlier, later in itertools.pairwise(noisy))
    even = truth.clamp(10, 245)
    assert shimmer(even + 10, even, mask) == pytest.approx(shimmer(even, even, mask))

    pattern = _blurred(_noisy(torch.full((1, 96, 96, 3), 128, dtype=torch.uint8), 100.0), 5)
    moving = torch.cat([pattern.roll(t, dims=2) for t in range(8)])  # a pixel a frame to the right
    aside, blurred, everywhere = moving.roll(7, dims=2), _blurred(moving, 9), torch.full_like(mask, 255)
    assert flicker(aside, moving, everywhere) > 1.2 * flicker(blurred, moving, everywhere)  # blur looks steadier there
    assert shimmer(aside, moving, everywhere) < 1


def test_a_still_background_does_not_change_and_a_shaken_one_does(clip: tuple[torch.Tensor, torch.Tensor]) -> None:
    truth, mask = clip
    still = torch.where(mask[..., None] > 127, truth, truth[:1])
    shaken = torch.stack([frame.roll(2 * (t % 2), dims=1) for t, frame in enumerate(still)])
    assert background_change(still, mask) < background_change(shaken, mask)
    plain = torch.where(mask[..., None] > 127, truth, torch.full_like(truth, 90))
    assert background_change(plain, mask) == 0


def test_drift_grows_with_a_colour_that_runs_away_and_with_creeping_blur(clip: tuple[torch.Tensor, torch.Tensor]) -> None:
    truth, mask = clip
    even = truth.clamp(0, 200)
    ramp = torch.arange(8, dtype=torch.uint8)[:, None, None, None]
    drifts = [drift(even + ramp * step, even, mask).colour for step in (0, 2, 6)]
    assert all(later > earlier for earlier, later in itertools.pairwise(drifts))
    creeping = torch.cat([truth[:4], _blurred(truth[4:], 5)])
    assert drift(creeping, truth, mask).sharpness < -0.1
    with pytest.raises(ValueError, match="four frames"):
        drift(truth[:3], truth[:3], mask[:3])
