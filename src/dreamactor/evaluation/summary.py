"""Scores of clips and methods, summed up: means with intervals, verdicts, and metrics in groups.

Does not measure anything, does not know who made the videos and does not print. What has no number says why, and of several
methods one is called best only where the paired interval says so.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dreamactor.evaluation.scores import Better, ClipScores, Interval, Metric, mean_interval, paired_interval

MIN_PAIRS: Final = 6
"""Fewer paired clips cannot tell two methods apart: even if all point the same way, chance does so in over 5 % of cases."""
GROUPS: Final = (
    ("Over time", "flicker drift background jitter warp steadiness"),
    ("Identity", "identity"),
    ("Motion", "joint joints pose angle yaw pitch roll expression gaze mouth lip lid error"),
    ("Person", "person body"),
    ("Head and hands", "head face hand hands"),
    ("Perceptual", "lpips perceptual"),
    ("Whole picture", "frame picture image"),
)
"""Heading and the words in a metric's name that put it there; the first that fits wins."""
OTHERS: Final = "Other"
ORDER: Final = ("Whole picture", "Person", "Head and hands", "Perceptual", "Identity", "Motion", "Over time", OTHERS)
ARROWS: Final[dict[Better, str]] = {"higher": "↑", "lower": "↓", "one": "→ 1", "zero": "→ 0", "none": ""}


@dataclass(frozen=True, kw_only=True, slots=True)
class DistributionScore:
    """One number for all videos of a method, such as FID.

    Attributes:
        method: who made the videos.
        label: what was measured.
        value: the distance, lower is better; None where it was not computed.
        protocol: what makes the number comparable: network, resolution, number of frames.
        missing: why there is no value.
    """

    method: str
    label: str
    value: float | None
    protocol: str
    missing: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The best method of a metric against the second best.

    Attributes:
        lead: how much better the best is, over the clips that both have; above 0 is better. None without such clips.
        conclusive: the interval is above 0, on at least `MIN_PAIRS` clips.
    """

    best: str
    second: str
    lead: Interval | None
    conclusive: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What all three forms of the report print.

    Attributes:
        methods: in the order they first come.
        metrics: all names, in reading order.
        groups: heading -> names of metrics.
        clips: clip -> its place, in the order they first come.
        of: method -> its clips in the order given.
        cells: (metric, method) -> mean, or why there is none.
        decimals: metric -> decimals that show its means and intervals.
        verdicts: metrics with a good direction that two methods have.
    """

    methods: list[str]
    metrics: dict[str, Metric]
    groups: dict[str, list[str]]
    clips: dict[str, int]
    of: dict[str, list[ClipScores]]
    cells: dict[tuple[str, str], Interval | str]
    decimals: dict[str, int]
    verdicts: dict[str, Verdict]

    @property
    def measured(self) -> list[str]:
        """Metrics that at least one clip has."""
        return [
            name for name in self.metrics if any(isinstance(self.cells[name, method], Interval) for method in self.methods)
        ]

    def scores(self, method: str) -> dict[str, ClipScores]:
        """Clip -> scores of one method."""
        return {score.clip: score for score in self.of[method]}


def summarise(
    scores: Sequence[ClipScores], metrics: Mapping[str, Metric], distributions: Sequence[DistributionScore]
) -> Summary:
    """Everything the report prints, from the scores of all clips.

    Raises:
        ValueError: a method has two clips of one name.
    """
    twice = [pair for pair, count in Counter((score.method, score.clip) for score in scores).items() if count > 1]
    if twice:
        raise ValueError(f"clips must have different names within a method, got twice: {twice[:3]}")
    methods = unique([*(score.method for score in scores), *(one.method for one in distributions)])
    of = {method: [score for score in scores if score.method == method] for method in methods}
    found = unique([*metrics, *(name for score in scores for name in (*score.values, *score.missing))])
    groups = grouped(found)
    known = {
        name: metrics.get(name, Metric(label=name, unit="", better="none"))
        for members in groups.values()
        for name in members
    }
    cells = {(name, method): mean_or_reason(of[method], name) for name in known for method in methods}
    means = {name: [cell.value for method in methods if isinstance(cell := cells[name, method], Interval)] for name in known}
    verdicts = {name: _verdict(of, name, metric.better) for name, metric in known.items()}
    return Summary(
        methods=methods,
        metrics=known,
        groups=groups,
        clips={clip: place for place, clip in enumerate(unique(score.clip for score in scores))},
        of=of,
        cells=cells,
        decimals={name: decimals_for(means[name]) for name in known},
        verdicts={name: verdict for name, verdict in verdicts.items() if verdict is not None},
    )


def unique(names: Iterable[str]) -> list[str]:
    """The names in the order they first come."""
    return list(dict.fromkeys(names))


def unique_tags(scores: Sequence[ClipScores]) -> list[tuple[str, str]]:
    """Tags with their values, in the order they first come."""
    return list(dict.fromkeys(pair for score in scores for pair in score.tags.items()))


def num_scored(scores: Sequence[ClipScores]) -> int:
    """Clips that could be scored."""
    return sum(score.error is None for score in scores)


def known_value(score: ClipScores, name: str) -> float | None:
    """A clip's number for a metric; None where it has no finite one."""
    value = score.values.get(name)
    return float(value) if value is not None and math.isfinite(value) else None


def why_missing(score: ClipScores, name: str) -> str:
    """Why a clip has no number for a metric."""
    if score.error is not None:
        return score.error
    return score.missing.get(name, "not a finite number" if name in score.values else "not measured for this clip")


def clip_values(scores: Iterable[ClipScores], name: str) -> dict[str, float]:
    """Clip -> number, for the clips that have one."""
    return {score.clip: value for score in scores if (value := known_value(score, name)) is not None}


def mean_or_reason(scores: Sequence[ClipScores], name: str) -> Interval | str:
    """The mean over clips, or the most frequent reasons why there is none."""
    interval = mean_interval(list(clip_values(scores, name).values()))
    if interval is not None:
        return interval
    readable = [score for score in scores if score.error is None]
    reasons = Counter(why_missing(score, name) for score in readable or scores)
    if not reasons:
        return "no clips"
    (first, _), *rest = reasons.most_common()
    return f"{first}; {len(rest)} other reasons" if len(rest) > 1 else "; ".join((first, *(reason for reason, _ in rest)))


def cost(value: float, better: Better) -> float:
    """How far a number is from the good end: less is better."""
    match better:
        case "higher":
            return -value
        case "lower":
            return value
        case "one":
            return abs(value - 1)
        case "zero":
            return abs(value)
    raise ValueError("a description has no good end")


def _verdict(of: Mapping[str, Sequence[ClipScores]], name: str, better: Better) -> Verdict | None:
    if better == "none":
        return None
    costs = {
        method: {clip: cost(value, better) for clip, value in clip_values(scores, name).items()}
        for method, scores in of.items()
    }
    ranked = sorted(
        (method for method in costs if costs[method]), key=lambda method: float(np.mean([*costs[method].values()]))
    )
    if len(ranked) < 2:
        return None
    best, second = ranked[:2]
    shared = [clip for clip in costs[best] if clip in costs[second]]
    lead = paired_interval([costs[second][clip] for clip in shared], [costs[best][clip] for clip in shared])
    conclusive = lead is not None and lead.n >= MIN_PAIRS and lead.low > 0
    return Verdict(best=best, second=second, lead=lead, conclusive=conclusive)


def _group(name: str) -> str:
    words = set(name.lower().split("_"))
    return next((heading for heading, known in GROUPS if words & set(known.split())), OTHERS)


def grouped(names: Iterable[str]) -> dict[str, list[str]]:
    """Heading -> names of metrics, in reading order; headings without names are left out."""
    names = list(names)
    groups = {heading: [name for name in names if _group(name) == heading] for heading in ORDER}
    return {heading: members for heading, members in groups.items() if members}


def decimals_for(values: Iterable[float]) -> int:
    """Decimals that show four digits, three below one."""
    largest = max((abs(value) for value in values), default=1.0)
    if largest < 1e-4:
        return 4
    return min(4, max(0, (3 if largest >= 1 else 2) - math.floor(math.log10(largest))))


def by_protocol(distributions: Sequence[DistributionScore]) -> dict[tuple[str, str], dict[str, DistributionScore]]:
    """(label, protocol) -> method -> score: numbers of different protocols do not stand beside each other."""
    rows: dict[tuple[str, str], dict[str, DistributionScore]] = {}
    for one in distributions:
        rows.setdefault((one.label, one.protocol), {})[one.method] = one
    return rows


def distance_or_reason(one: DistributionScore | None) -> float | str:
    """The distance, or why there is none."""
    if one is None:
        return "not measured with this protocol"
    if one.value is None or not math.isfinite(one.value):
        return one.missing or "not a finite number"
    return float(one.value)
