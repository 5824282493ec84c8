"""The page's plots: which metrics and clips go into which; `plots` draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np

from dreamactor.evaluation.plots import Line, Row, dot_plot, element, legend_key, line_plot, number, strip_plot
from dreamactor.evaluation.report_markup import metric_name
from dreamactor.evaluation.scores import Better, Interval, Metric
from dreamactor.evaluation.summary import Summary, clip_values, grouped, unique

GOALS: Final[dict[Better, float]] = {"one": 1.0, "zero": 0.0}
OVER_TIME: Final = (
    "The mean at each frame, over the clips that have it; frames that fewer than half of the clips have are left out."
)


def plot_section(summary: Summary) -> str:
    """Means, lines over frames, and every clip as a dot; empty where nothing was measured."""
    if not summary.measured:
        return ""
    rows = {name: _plot_rows(summary, name) for name in summary.measured}
    means = [_figure(summary.metrics[name], dot_plot(rows[name], **_plot_words(summary, name, "means"))) for name in rows]
    strips = [_figure(summary.metrics[name], strip_plot(rows[name], **_plot_words(summary, name, "clips"))) for name in rows]
    return "".join(
        (
            _plots("Means", "Dots are means, bars their 95 % intervals; a dashed line is the value to aim at.", means),
            _plots("Over time", _legend(summary) + " " + OVER_TIME, _line_figures(summary)),
            _plots("Every clip", "One dot per clip; the upright line is the mean, the numbers are the extremes.", strips),
        )
    )


def _plot_rows(summary: Summary, name: str) -> list[Row]:
    cells = [(place, method, summary.cells[name, method]) for place, method in enumerate(summary.methods)]
    return [
        Row(label=method, place=place, mean=cell, values=[*clip_values(summary.of[method], name).values()])
        for place, method, cell in cells
        if isinstance(cell, Interval)
    ]


def _plot_words(summary: Summary, name: str, what: str) -> dict[str, Any]:
    metric, decimals = summary.metrics[name], summary.decimals[name]
    numbers = "; ".join(f"{row.label} {number(row.mean.value, decimals)}" for row in _plot_rows(summary, name))
    return {"alt": f"{metric.label}, {what}: {numbers}", "decimals": decimals, "goal": GOALS.get(metric.better)}


def _plots(heading: str, about: str, figures: Sequence[str]) -> str:
    if not figures:
        return ""
    return element("h3", heading) + element("p", about, class_="about") + element("div", *figures, class_="plots")


def _figure(metric: Metric, plot: str) -> str:
    return element("figure", element("figcaption", metric_name(metric)), plot)


def _legend(summary: Summary) -> str:
    keys = (legend_key(place) + escape(method) for place, method in enumerate(summary.methods))
    return element("span", *(element("span", key) for key in keys), class_="legend")


def _line_figures(summary: Summary) -> list[str]:
    figures = []
    names = unique(name for scores in summary.of.values() for score in scores for name in score.series)
    for name in (member for members in grouped(names).values() for member in members):
        lines = [
            line for place, method in enumerate(summary.methods) if (line := _line(summary, name, place, method)) is not None
        ]
        if lines:
            metric = summary.metrics.get(name, Metric(label=name, unit="", better="none"))
            words = f"{metric.label} over frames: {', '.join(line.label for line in lines)}"
            figures.append(_figure(metric, line_plot(lines, alt=words)))
    return figures


def _line(summary: Summary, name: str, place: int, method: str) -> Line | None:
    series = [score.series[name] for score in summary.of[method] if score.series.get(name)]
    values = _mean_series(series) if series else []
    return Line(label=method, place=place, values=values) if any(map(math.isfinite, values)) else None


def _mean_series(series: Sequence[Sequence[float]]) -> list[float]:
    """The mean at every frame over the clips that have it; NaN where fewer than half of them do."""
    table = np.full((len(series), max(map(len, series))), np.nan)
    for row, values in zip(table, series, strict=True):
        row[: len(values)] = values
    known = np.isfinite(table)
    count = known.sum(axis=0)
    total = np.where(known, table, 0.0).sum(axis=0)
    return [float(part / n) if n * 2 >= len(series) else math.nan for part, n in zip(total, count, strict=True)]
