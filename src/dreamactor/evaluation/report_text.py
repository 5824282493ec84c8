"""The summary as a table for the terminal; reasons too long for a cell, and bad files, stand below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dreamactor.evaluation.scores import ClipScores, Interval, Metric
from dreamactor.evaluation.summary import (
    ARROWS,
    DistributionScore,
    Summary,
    by_protocol,
    decimals_for,
    distance_or_reason,
    num_scored,
    summarise,
)

LONGEST_REASON: Final = 40
"""Longer reasons go below the terminal's table."""


def print_table(
    scores: Sequence[ClipScores], metrics: Mapping[str, Metric], distributions: Sequence[DistributionScore]
) -> str:
    """The summary as aligned columns for a terminal: one column per method, one row per metric."""
    summary = summarise(scores, metrics, distributions)
    if not summary.methods:
        return "No clips were scored.\n"
    several = len(summary.methods) > 1
    reasons: list[str] = []
    rows = [["", *summary.methods, *(["best"] if several else [])], _count_cells(summary, several)]
    for name, metric in summary.metrics.items():
        cells = [_text_cell(summary.cells[name, method], summary.decimals[name], reasons) for method in summary.methods]
        rows.append([_text_label(metric), *cells, *([_text_verdict(summary, name)] if several else [])])
    table = by_protocol(distributions)
    for (label, _), ones in table.items():
        cells = [_text_distribution(ones.get(method), reasons) for method in summary.methods]
        rows.append([f"{label} ↓", *cells, *([""] if several else [])])
    lines = _aligned(rows)
    lines.insert(1, "-" * max(map(len, lines)))
    closing = [
        *(["Means over clips with 95 % bootstrap intervals."] if summary.measured else []),
        *(f"{label}: {protocol}" for label, protocol in table),
        *(f"note {place}: {reason}" for place, reason in enumerate(reasons, start=1)),
        *(f"not scored: {score.clip} ({score.method}): {score.error}" for score in scores if score.error is not None),
    ]
    return "\n".join([*lines, "", *closing]).rstrip() + "\n"


def _count_cells(summary: Summary, several: bool) -> list[str]:
    counts = [f"{num_scored(scores)} of {len(scores)}" for scores in summary.of.values()]
    return ["clips scored", *counts, *([""] if several else [])]


def _text_label(metric: Metric) -> str:
    unit = f" [{metric.unit}]" if metric.unit else ""
    return f"{metric.label}{unit} {ARROWS[metric.better]}".rstrip()


def _text_cell(cell: Interval | str, decimals: int, reasons: list[str]) -> str:
    if isinstance(cell, str):
        return _text_reason(cell, reasons)
    if cell.n == 1:
        return f"{cell.value:.{decimals}f} (one clip)"
    return f"{cell.value:.{decimals}f} [{cell.low:.{decimals}f}, {cell.high:.{decimals}f}]"


def _text_reason(reason: str, reasons: list[str]) -> str:
    """A short reason stands in its cell, a long one in a note below."""
    if len(reason) <= LONGEST_REASON and "\n" not in reason:
        return f"not computed ({reason})"
    if reason not in reasons:
        reasons.append(reason)
    return f"not computed (note {reasons.index(reason) + 1})"


def _text_distribution(one: DistributionScore | None, reasons: list[str]) -> str:
    value = distance_or_reason(one)
    return _text_reason(value, reasons) if isinstance(value, str) else f"{value:.{decimals_for([value])}f}"


def _text_verdict(summary: Summary, name: str) -> str:
    verdict = summary.verdicts.get(name)
    if verdict is None:
        return ""
    return verdict.best if verdict.conclusive else "inconclusive"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
