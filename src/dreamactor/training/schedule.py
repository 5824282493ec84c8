"""Learning rates over a run: warm-up, then constant with a cool-down at the end, or a cosine where the end is known."""

from __future__ import annotations

import math

FLOOR = 0.1
"""Share of the peak that a run ends at."""


def rate_share(step: int, *, num_steps: int, warmup: int, cooldown: int | None) -> float:
    """Share of the peak learning rate, of the step after `step` steps.

    Args:
        step: steps done.
        num_steps: steps of the whole run.
        warmup: steps of linear rise.
        cooldown: steps of linear fall at the end, constant before; None: a cosine over the whole run.
    """
    rise = min(1.0, (step + 1) / max(warmup, 1))
    if cooldown is None:
        done = min(step / max(num_steps, 1), 1.0)
        return rise * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * done)))
    left = min(max(num_steps - step, 0) / max(cooldown, 1), 1.0)
    return rise * (FLOOR + (1 - FLOOR) * left)


def begins_cooldown(step: int, *, num_steps: int, cooldown: int | None) -> bool:
    """Whether the constant part ends after `step` steps: the state that a longer run continues from."""
    return bool(cooldown) and step == num_steps - (cooldown or 0)
