"""The training loop: resumed equals uninterrupted, and a run that learns."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.testing import assert_close

from dreamactor.training.loop import LoopConfig, TrainingLoop


def _run(folder: Path, steps: int) -> nn.Linear:
    torch.manual_seed(0)
    layer = nn.Linear(4, 1)
    loop = TrainingLoop({"layer": layer}, LoopConfig(num_steps=8, learning_rate=0.05, warmup=2, log_every=2), folder, seed=3)
    target = torch.tensor([1.0, -2.0, 0.5, 3.0])

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        x = torch.randn(16, 4, generator=generator)
        return (layer(x)[:, 0] - x @ target).square().mean(), {}

    stop = loop.step + steps

    def limited(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        if loop.step >= stop:
            raise InterruptedError
        return loss_of(generator)

    try:
        loop.run(limited)
    except InterruptedError:
        loop.save()
    return layer


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    whole = _run(tmp_path / "whole", 8)
    _run(tmp_path / "parts", 3)
    resumed = _run(tmp_path / "parts", 8)
    assert_close(resumed.weight, whole.weight, atol=0, rtol=0)


def test_averaged_weights_are_loaded_on_request(tmp_path: Path) -> None:
    layer = nn.Linear(1, 1)
    loop = TrainingLoop({"layer": layer}, LoopConfig(num_steps=1, learning_rate=0.1), tmp_path, seed=0)
    loop.ema["layer.weight"].fill_(7.0)
    loop.load_averaged()
    assert float(layer.weight.detach()) == 7.0
