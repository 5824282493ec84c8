"""One stage of a recipe: trained once, loaded ever after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn

from dreamactor.video.output import atomic_path


def train_once(folder: Path, network: nn.Module, train: Callable[[], object]) -> None:
    """Trains a network in place, or loads it where that was done already."""
    finished = folder / "finished.safetensors"
    if finished.exists():
        network.load_state_dict(load_file(finished))
        return
    train()
    with atomic_path(finished) as part:
        save_file({name: value.contiguous().clone() for name, value in network.state_dict().items()}, part)
