"""Steps from noise to clean along a velocity function. Knows neither model nor conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Velocity = Callable[[Tensor, Tensor], Tensor]
"""(noisy [B, C, F, h, w], times [B, F]) -> velocity."""


def sample(
    velocity: Velocity,
    noise: Tensor,
    grid: Tensor,
    *,
    first_latent: Tensor | None = None,
    method: Literal["euler", "heun"] = "euler",
    report: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Solves the flow from noise to a clean latent.

    Args:
        velocity: noise - clean at a point and time.
        noise: [B, C, F, h, w].
        grid: [S + 1] falling times from 1 to 0.
        first_latent: [B, C, 1, h, w] clean latent that is held as latent frame 0 (at t = 0), or None.
        method: one or two velocities a step.
        report: called with (done, total) after every step; what it raises ends the sampling.
    """
    state = noise.clone()
    batch, frames = state.shape[0], state.shape[2]

    def times(t: Tensor) -> Tensor:
        every = t.expand(batch, frames).clone()
        if first_latent is not None:
            every[:, 0] = 0
        return every

    def hold(latent: Tensor) -> Tensor:
        if first_latent is None:
            return latent
        return torch.cat([first_latent.to(latent.dtype), latent[:, :, 1:]], dim=2)

    state = hold(state)
    for index in range(len(grid) - 1):
        now, after = grid[index], grid[index + 1]
        slope = velocity(state, times(now))
        moved = hold(state + (after - now) * slope)
        if method == "heun" and float(after) > 0:
            slope = (slope + velocity(moved, times(after))) / 2
            moved = hold(state + (after - now) * slope)
        state = moved
        if report:
            report(index + 1, len(grid) - 1)
    return state
