"""Whether a mouth says what is heard: correlation of its opening, how late it is, and lips that meet when they must.

Finer in time than `lip_sync`, which counts frames: series come at any even rate, and the delay is found between steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

REACH_S: Final = 0.3
"""Delays up to so much either way are looked at."""
CLOSE_WITHIN_S: Final = 0.08
LIPS_MEET: Final = 0.3
"""From this `lip_press` on, lips count as closed; what a speaker's own coefficients reach for nearly every p, b and m."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeechSync:
    """How well a mouth follows.

    Attributes:
        correlation: of the openings, -1..1; 0 where the made mouth does not move at all.
        best_correlation: at the delay at which it is highest.
        delay_s: by which the made mouth correlates best; positive: it is late.
    """

    correlation: float
    best_correlation: float
    delay_s: float


def speech_sync(made: Tensor, truth: Tensor, *, rate_hz: float) -> SpeechSync:
    """Compares mouth openings [T] at the same moments, `rate_hz` of them a second; NaN where the truth is still."""
    reach = round(REACH_S * rate_hz)
    if len(truth) < 4 * reach or float(truth.std()) < 1e-3:
        return SpeechSync(correlation=math.nan, best_correlation=math.nan, delay_s=math.nan)
    values = [_correlation(made, truth, offset) for offset in range(-reach, reach + 1)]
    best = max(range(len(values)), key=lambda index: (values[index], -abs(index - reach)))
    between = 0.0
    if 0 < best < len(values) - 1:  # the top of the parabola through the best three
        before, top, after = values[best - 1 : best + 2]
        bend = before - 2 * top + after
        between = 0.5 * (before - after) / bend if bend < -1e-9 else 0.0
    return SpeechSync(correlation=values[reach], best_correlation=values[best], delay_s=(best - reach + between) / rate_hz)


def _correlation(made: Tensor, truth: Tensor, offset: int) -> float:
    """Of made[t + offset] with truth[t]."""
    count = len(truth)
    first, last = max(0, -offset), min(count, count - offset)
    a, b = made[first + offset : last + offset].double(), truth[first:last].double()
    if float(a.std()) < 1e-6 or float(b.std()) < 1e-6:
        return 0.0
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1])


@dataclass(frozen=True, kw_only=True, slots=True)
class Closures:
    """Lips that meet.

    Attributes:
        found: share of the moments at which they must, with lips closed within `CLOSE_WITHIN_S`.
        by_chance: the same share of all moments at which somebody speaks: what lips closed at random would find.
        right: share of the spoken moments with closed lips that are within `CLOSE_WITHIN_S` of such a sound.
        count: of moments at which they must meet.
    """

    found: float
    by_chance: float
    right: float
    count: int


def lip_closures(lip_press: Tensor, closures_s: Sequence[float], spoken: Tensor, *, rate_hz: float) -> Closures:
    """Compares lips [T] with the moments at which they must meet; `spoken` is [T] bool."""
    times = torch.arange(len(lip_press)) / rate_hz
    wanted = torch.tensor([at for at in closures_s if at < float(times[-1])])
    meets = lip_press >= LIPS_MEET
    if not len(wanted):
        return Closures(found=math.nan, by_chance=math.nan, right=math.nan, count=0)
    near = (times[:, None] - wanted).abs() <= CLOSE_WITHIN_S + 1e-6  # [T, C]
    reach = round(CLOSE_WITHIN_S * rate_hz)
    around = torch.nn.functional.max_pool1d(meets[None].float(), 2 * reach + 1, 1, reach)[0] > 0
    closed = meets & spoken
    return Closures(
        found=float((near & meets[:, None]).any(dim=0).double().mean()),
        by_chance=float(around[spoken].double().mean()),
        right=float(near[closed].any(dim=1).double().mean()) if bool(closed.any()) else math.nan,
        count=len(wanted),
    )
