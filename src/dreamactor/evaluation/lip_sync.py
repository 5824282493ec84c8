"""Whether a mouth opens when it should: correlation of mouth opening with the truth's, and by how many frames it is late."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

REACH: Final = 5
"""Offsets up to so many frames either way are looked at."""
LEAST_FRAMES: Final = 8
LEAST_SPREAD: Final = 0.03
"""Standard deviation of the truth's opening below which a mouth counts as still."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LipSync:
    """How well a mouth follows.

    Attributes:
        correlation: -1..1 at no offset; 0 where the made mouth does not move at all; NaN where the truth's does not.
        offset_frames: the offset with the highest correlation; positive: the made mouth is late.
    """

    correlation: float
    offset_frames: float


def lip_sync(made: Tensor, truth: Tensor, shows: Tensor) -> LipSync:
    """Compares mouth openings [T] over the frames that show the mouth [T] bool."""
    nothing = LipSync(correlation=math.nan, offset_frames=math.nan)
    if int(shows.sum()) < LEAST_FRAMES or float(truth[shows].std()) < LEAST_SPREAD:
        return nothing
    found = {offset: _correlation(made, truth, shows, offset) for offset in range(-REACH, REACH + 1)}
    known = {offset: value for offset, value in found.items() if math.isfinite(value)}
    if 0 not in known:
        return nothing
    best = max(known, key=lambda offset: (known[offset], -abs(offset)))
    return LipSync(correlation=known[0], offset_frames=float(best))


def _correlation(made: Tensor, truth: Tensor, shows: Tensor, offset: int) -> float:
    """Of made[t + offset] with truth[t]; NaN where too few frames show both."""
    count = len(truth)
    first, last = max(0, -offset), min(count, count - offset)
    if last - first < LEAST_FRAMES:
        return math.nan
    later = slice(first + offset, last + offset)
    both = shows[first:last] & shows[later]
    if int(both.sum()) < LEAST_FRAMES:
        return math.nan
    a, b = made[later][both].double(), truth[first:last][both].double()
    if float(a.std()) < 1e-6 or float(b.std()) < 1e-6:
        return 0.0
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1])
