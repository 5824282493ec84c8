"""Starts a network from another one of the same shape, or from one with fewer inputs or outputs in some layers."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from dreamactor.errors import ConfigError


@torch.no_grad()
def start_from(network: nn.Module, other: nn.Module, *, grown: Iterable[str] = (), last_inputs: int = 0) -> None:
    """Copies all of another network's parameters and buffers.

    Args:
        network: starts anew; changed in place.
        other: what it starts from.
        grown: names of weights [out, in, ...] and biases [out] that may have more outputs or inputs than the other's. The
            other's come first. New outputs keep their random weights; new inputs start at zero, so that at first they
            change nothing.
        last_inputs: how many of a grown weight's old inputs are its last ones, not its first.

    Raises:
        ConfigError: other shapes anywhere else.
    """
    found = other.state_dict()
    allowed = set(grown)
    for name, value in network.state_dict().items():
        old = found.get(name)
        if old is not None and old.shape == value.shape:
            value.copy_(old)
        elif old is not None and name in allowed and _only_grew(value, old):
            rows = value[: len(old)]
            if value.ndim == 1:
                rows.copy_(old)
                continue
            first = old.shape[1] - last_inputs
            rows.zero_()
            rows[:, :first] = old[:, :first]
            rows[:, rows.shape[1] - last_inputs :] = old[:, first:]
        else:
            has = "has none" if old is None else f"has {tuple(old.shape)}"
            raise ConfigError(
                f"Cannot start from that model: {name} is {tuple(value.shape)} here, and it {has}. Start from a model "
                "of the same recipe, or from nothing."
            )


def _only_grew(new: Tensor, old: Tensor) -> bool:
    grew = new.ndim == old.ndim and all(a >= b for a, b in zip(new.shape, old.shape, strict=True))
    return grew and new.shape[2:] == old.shape[2:]
