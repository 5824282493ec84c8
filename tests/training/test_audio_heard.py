"""Voices as heard: laws of what is done to mel power."""

from __future__ import annotations

import torch
from torch.testing import assert_close

from dreamactor.models.audio_motion import NUM_MELS
from dreamactor.training.audio_heard import Draw, _another_tract, _echoing, as_heard

SILENT = -18.4


def _mels(seed: int, batch: int = 3, columns: int = 200) -> torch.Tensor:
    return torch.randn(batch, NUM_MELS, columns, generator=torch.Generator().manual_seed(seed)) - 3


def test_equal_generators_hear_equally_and_all_is_finite() -> None:
    one, two = (as_heard(_mels(0), _mels(1), _mels(2), generator=torch.Generator().manual_seed(5)) for _ in range(2))
    assert one.shape == (3, NUM_MELS, 200)
    assert bool(one.isfinite().all())
    assert_close(one, two, rtol=0, atol=0)


def test_silence_alone_stays_even_or_has_only_what_is_behind() -> None:
    silent = torch.full((40, NUM_MELS, 50), SILENT)
    heard = as_heard(silent, silent, silent, generator=torch.Generator().manual_seed(0))
    assert float(heard.exp().mean(dim=1).std(dim=-1).max()) < 0.05


def test_another_tract_moves_a_formant_and_keeps_what_is_flat() -> None:
    draw = Draw(6, torch.Generator().manual_seed(1))
    flat = torch.full((6, NUM_MELS, 4), -2.0)
    assert_close(_another_tract(flat, draw), flat)
    peak = torch.zeros(6, NUM_MELS, 4)
    peak[:, 20] = 5.0
    found = _another_tract(peak, Draw(6, torch.Generator().manual_seed(1))).argmax(dim=1)[:, 0]
    assert len(set(found.tolist())) > 2
    assert int((found - 20).abs().max()) <= 5


def test_an_echo_comes_after_its_sound() -> None:
    click = torch.zeros(30, NUM_MELS, 120)
    click[..., 20] = 1.0
    heard = _echoing(click, Draw(30, torch.Generator().manual_seed(2)))
    assert_close(heard[..., :21], click[..., :21], atol=1e-6, rtol=0)
    assert float(heard[..., 21:].max()) > 0
    assert_close(heard[..., 22:100] <= heard[..., 21:99] + 1e-7, torch.ones(30, NUM_MELS, 78, dtype=torch.bool))
