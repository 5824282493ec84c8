"""What an evaluation found, before it is printed: one record per clip, and intervals over clips.

Does not know how a number came about; knows which way each metric is good and in which unit it is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from torch import Tensor

Better = Literal["higher", "lower", "one", "zero", "none"]
"""Which way a metric is good: a ratio may be best at one, a difference at zero; "none" is a description, not a score."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """How a metric is read.

    Attributes:
        label: for people.
        unit: "dB", "% of torso", "degrees" ...; empty for a bare number.
        better: which way it is good.
    """

    label: str
    unit: str
    better: Better


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipScores:
    """One video against its truth.

    Attributes:
        clip: name of the pair.
        method: who made the video.
        values: metric name -> number; finite.
        missing: metric name -> why it was not computed.
        error: why nothing could be computed (an unreadable file, other sizes); None for a good pair.
        tags: what the clip is, such as {"framing": "full"}.
        series: metric name -> one number per frame (NaN where there is none), for plots.
        strip: [H, W, 3] uint8, moments of the truth above the same moments of the video; None with an error.
    """

    clip: str
    method: str
    values: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    series: dict[str, list[float]] = field(default_factory=dict)
    strip: Tensor | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A mean over clips with its bootstrap interval.

    Attributes:
        value: the mean.
        low, high: ends of the 95 % interval.
        n: clips that have the metric.
    """

    value: float
    low: float
    high: float
    n: int


DRAWS: Final = 2000
"""Bootstrap samples."""


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Mean of the finite values with a 95 % percentile bootstrap interval over clips; None where there are none.

    The draws are seeded: equal values give equal intervals.
    """
    known = np.array([value for value in values if np.isfinite(value)])
    if not len(known):
        return None
    rng = np.random.Generator(np.random.PCG64(0))
    draws = known[rng.integers(0, len(known), size=(DRAWS, len(known)))].mean(axis=1)
    low, high = np.percentile(draws, (2.5, 97.5))
    return Interval(value=float(known.mean()), low=float(low), high=float(high), n=len(known))


def paired_interval(ours: Sequence[float], theirs: Sequence[float]) -> Interval | None:
    """The same of ours minus theirs, over the clips that have both: an interval without 0 is a difference."""
    if len(ours) != len(theirs):
        raise ValueError(f"paired values must be as many, got {len(ours)} and {len(theirs)}")
    return mean_interval([a - b for a, b in zip(ours, theirs, strict=True)])
