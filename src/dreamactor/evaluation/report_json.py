"""The scores as plain data for other programs: finite numbers, and a reason for each that is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dreamactor.evaluation.scores import ClipScores, Interval, Metric
from dreamactor.evaluation.summary import (
    DistributionScore,
    Summary,
    Verdict,
    distance_or_reason,
    known_value,
    mean_or_reason,
    summarise,
    unique,
    unique_tags,
    why_missing,
)


def scores_json(
    scores: Sequence[ClipScores],
    metrics: Mapping[str, Metric],
    distributions: Sequence[DistributionScore],
    settings: Mapping[str, str],
) -> dict[str, Any]:
    """The report as plain data: every number is finite, and what has none is listed under "missing" with its reason.

    "rows" holds means over all clips (set "all") and over the clips with one value of a tag (that value, its key in "tag").
    A clip's "series" keep the frames that have a number.
    """
    summary = summarise(scores, metrics, distributions)
    rows: list[dict[str, Any]] = []
    missing: list[dict[str, str]] = []
    for about, members in _sets(scores):
        for method in unique(score.method for score in members):
            mine = [score for score in members if score.method == method]
            for name in summary.metrics:
                cell = mean_or_reason(mine, name)
                row = {**about, "method": method, "metric": name}
                if isinstance(cell, Interval):
                    rows.append({**row, "value": cell.value, "ci95": [cell.low, cell.high], "n": cell.n})
                else:
                    missing.append({**row, "reason": cell})
    measured = []
    for one in distributions:
        value = distance_or_reason(one)
        about = {"method": one.method, "metric": one.label, "protocol": one.protocol}
        if isinstance(value, str):
            missing.append({"set": "all", **about, "reason": value})
        else:
            measured.append({**about, "value": value})
    return {
        "rows": rows,
        "comparisons": [_comparison_json(name, verdict) for name, verdict in summary.verdicts.items()],
        "distributions": measured,
        "missing": missing,
        "clips": [_clip_json(score, summary) for score in scores],
        "metrics": {name: asdict(metric) for name, metric in summary.metrics.items()},
        "settings": dict(settings),
    }


def _sets(scores: Sequence[ClipScores]) -> list[tuple[dict[str, str], list[ClipScores]]]:
    """All clips, then the clips of every value of every tag."""
    tags = unique_tags(scores)
    return [
        ({"set": "all"}, list(scores)),
        *(({"set": value, "tag": key}, [score for score in scores if score.tags.get(key) == value]) for key, value in tags),
    ]


def _comparison_json(name: str, verdict: Verdict) -> dict[str, Any]:
    about = {"metric": name, "best": verdict.best, "second": verdict.second, "conclusive": verdict.conclusive}
    if verdict.lead is None:
        return about
    lead = verdict.lead
    return {**about, "lead": lead.value, "ci95": [lead.low, lead.high], "n": lead.n}


def _clip_json(score: ClipScores, summary: Summary) -> dict[str, Any]:
    values = {name: value for name in summary.metrics if (value := known_value(score, name)) is not None}
    series = {}
    for name, numbers in score.series.items():
        frames = [frame for frame, value in enumerate(numbers) if math.isfinite(value)]
        series[name] = {"frames": frames, "values": [float(numbers[frame]) for frame in frames]}
    return {
        "clip": score.clip,
        "method": score.method,
        "tags": score.tags,
        "values": values,
        "missing": {name: why_missing(score, name) for name in summary.metrics if name not in values},
        **({} if score.error is None else {"error": score.error}),
        "series": series,
    }
