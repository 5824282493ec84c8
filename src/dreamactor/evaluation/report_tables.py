"""The page's tables: means and verdicts, distances between sets, all clips, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from dreamactor.evaluation.plots import element, number
from dreamactor.evaluation.report_markup import (
    ARROW_WORDS,
    clip_anchor,
    column_heading,
    counted,
    framed_table,
    method_headings,
    metric_name,
    not_computed,
    not_scored,
)
from dreamactor.evaluation.scores import Better, ClipScores, Interval
from dreamactor.evaluation.summary import (
    ARROWS,
    MIN_PAIRS,
    DistributionScore,
    Summary,
    by_protocol,
    decimals_for,
    distance_or_reason,
    known_value,
    num_scored,
    unique,
    why_missing,
)

LEADS: Final[dict[Better, str]] = {
    "higher": "higher",
    "lower": "lower",
    "one": "closer to 1",
    "zero": "closer to 0",
    "none": "",
}


def summary_section(summary: Summary) -> str:
    """Means of every method with their intervals, and who is best; empty without clips."""
    if not summary.metrics or not summary.clips:
        return ""
    several = len(summary.methods) > 1
    columns = 1 + len(summary.methods) + several
    counts = [element("td", f"{num_scored(scores)} of {len(scores)}", class_="num") for scores in summary.of.values()]
    bodies = [element("tbody", element("tr", element("th", "Clips scored", scope="row"), *counts, "<td></td>" * several))]
    for heading, names in summary.groups.items():
        group = element("tr", element("th", heading, scope="rowgroup", colspan=columns, class_="group"))
        bodies.append(element("tbody", group, *(_summary_row(summary, name, several) for name in names)))
    head = [
        column_heading("Metric"),
        *method_headings(summary),
        *([column_heading("Best against second best", class_="verdict")] if several else []),
    ]
    caption = "Means over clips with 95 % bootstrap intervals."
    if several:
        caption += (
            " A method is called best only where the paired interval of its lead over the second best excludes 0, on at"
            f" least {MIN_PAIRS} clips that both have. Where one or zero is best, each clip’s distance to it is compared."
        )
    return framed_table("Means", caption, head, bodies, class_="summary")


def _summary_row(summary: Summary, name: str, several: bool) -> str:
    verdict = summary.verdicts.get(name)
    cells = [
        _summary_cell(summary, name, method, best=verdict is not None and verdict.conclusive and verdict.best == method)
        for method in summary.methods
    ]
    last = [element("td", _verdict_text(summary, name), class_="verdict")] if several else []
    return element("tr", element("th", metric_name(summary.metrics[name]), scope="row"), *cells, *last)


def _summary_cell(summary: Summary, name: str, method: str, *, best: bool) -> str:
    cell = summary.cells[name, method]
    if isinstance(cell, str):
        return element("td", not_computed(cell), class_="num")
    decimals = summary.decimals[name]
    mean = element("strong" if best else "span", number(cell.value, decimals), class_="mean")
    range_text = "one clip" if cell.n == 1 else _range(cell, decimals)
    fewer = f", {cell.n} clips" if 1 < cell.n < num_scored(summary.of[method]) else ""
    mark = element("span", "best", class_="mark") if best else ""
    return element("td", mark, mean, element("small", range_text + fewer), class_="num best" if best else "num")


def _range(interval: Interval, decimals: int) -> str:
    return f"[{number(interval.low, decimals)},&nbsp;{number(interval.high, decimals)}]"


def _verdict_text(summary: Summary, name: str) -> str:
    verdict = summary.verdicts.get(name)
    better = summary.metrics[name].better
    if verdict is None:
        return element("small", ARROW_WORDS["none"] if better == "none" else "nothing to compare")
    if verdict.lead is None:
        return f"inconclusive{element('small', 'no clip that both have')}"
    decimals = summary.decimals[name]
    lead = f"{number(verdict.lead.value, decimals)} {_range(verdict.lead, decimals)}"
    if verdict.conclusive:
        return f"{escape(verdict.best)} {element('small', f'{LEADS[better]} than {escape(verdict.second)} by {lead}')}"
    few = f", {counted(verdict.lead.n, 'clip')}" if verdict.lead.n < MIN_PAIRS else ""
    pair = f"{escape(verdict.best)} {LEADS[better]} than {escape(verdict.second)} by {lead}{few}"
    return f"inconclusive {element('small', pair)}"


def distribution_section(summary: Summary, distributions: Sequence[DistributionScore]) -> str:
    """Distances of whole methods; empty where none were asked for."""
    if not distributions:
        return ""
    rows = []
    for (label, protocol), ones in by_protocol(distributions).items():
        arrow = element("abbr", ARROWS["lower"], title=ARROW_WORDS["lower"])
        name = element("th", f"{escape(label)} {arrow}", element("small", escape(protocol)), scope="row")
        rows.append(element("tr", name, *(_distribution_td(ones.get(method)) for method in summary.methods)))
    caption = "One number for all videos of a method. It has no interval over clips, so no method is called best."
    return framed_table(
        "Distances",
        caption,
        [column_heading("Distance"), *method_headings(summary)],
        [element("tbody", *rows)],
        class_="summary",
    )


def _distribution_td(one: DistributionScore | None) -> str:
    value = distance_or_reason(one)
    content = (
        not_computed(value)
        if isinstance(value, str)
        else element("span", number(value, decimals_for([value])), class_="mean")
    )
    return element("td", content, class_="num")


def clip_section(summary: Summary) -> str:
    """One row per clip and method, sortable; empty without clips."""
    if not summary.clips:
        return ""
    tags = unique(key for scores in summary.of.values() for score in scores for key in score.tags)
    names = summary.measured
    head = [
        *(column_heading(text) for text in ("Clip", "Method", *map(escape, tags))),
        *(
            [column_heading(metric_name(summary.metrics[name]), class_="num") for name in names]
            or [column_heading("Result")]
        ),
    ]
    scores = [score for method in summary.methods for score in summary.of[method]]
    rows = [_clip_row(summary, score, tags, names) for score in scores]
    never = [name for name in summary.metrics if name not in names]
    caption = "One row per video."
    if never and names:
        caption += (
            f" Without a column, as no clip has it: {escape(', '.join(summary.metrics[name].label for name in never))}."
        )
    return framed_table("Clips", caption, head, [element("tbody", *rows)], class_="clips sortable")


def _clip_row(summary: Summary, score: ClipScores, tags: Sequence[str], names: Sequence[str]) -> str:
    clip = (
        escape(score.clip)
        if score.strip is None
        else element("a", escape(score.clip), href=f"#{clip_anchor(summary, score.clip)}")
    )
    first = [element("th", clip, scope="row"), element("td", escape(score.method))]
    first += [element("td", escape(score.tags.get(tag, ""))) for tag in tags]
    if score.error is not None:
        return element("tr", *first, element("td", not_scored(score.error), colspan=max(1, len(names)), class_="error"))
    if not names:
        return element("tr", *first, element("td", not_computed("no metric has a number")))
    return element("tr", *first, *(_clip_cell(summary, score, name) for name in names))


def _clip_cell(summary: Summary, score: ClipScores, name: str) -> str:
    value = known_value(score, name)
    if value is None:
        return element("td", not_computed(why_missing(score, name)), class_="num")
    return element("td", number(value, summary.decimals[name]), class_="num", data_value=value)


def settings_section(settings: Mapping[str, str]) -> str:
    """Settings and their values; empty without any."""
    if not settings:
        return ""
    rows = [
        element("tr", element("th", escape(name), scope="row"), element("td", escape(value)))
        for name, value in settings.items()
    ]
    head = [column_heading("Setting"), column_heading("Value")]
    return framed_table(
        "Settings", "What makes these numbers comparable with others.", head, [element("tbody", *rows)], class_="settings"
    )
