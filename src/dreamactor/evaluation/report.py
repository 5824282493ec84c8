"""Scores with their settings: a page that needs no network, a table for the terminal, and JSON.

Does not measure anything and does not know who made the videos. What has no number says why, and of several methods one
is called best only where the paired interval says so. Everything given from outside is escaped.
"""

from __future__ import annotations

import base64
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image
from torch import Tensor

from dreamactor.errors import OutputError
from dreamactor.evaluation.plots import (
    PLOT_STYLE,
    Line,
    Row,
    dot_plot,
    element,
    legend_key,
    line_plot,
    number,
    strip_plot,
)
from dreamactor.evaluation.scores import Better, ClipScores, Interval, Metric, mean_interval, paired_interval
from dreamactor.types.shapes import expect_shape
from dreamactor.video.output import atomic_path

MIN_PAIRS: Final = 6
"""Fewer paired clips cannot tell two methods apart: even if all point the same way, chance does so in over 5 % of cases."""
OPEN_SHEETS: Final = 24
"""Clips whose pictures are open on the page; the others unfold."""
MAIN_NUMBERS: Final = 6
LONGEST_REASON: Final = 40
"""Longer reasons go below the terminal's table."""
HEADLINES: Final = ("psnr_person", "psnr_frame")
JPEG_QUALITY: Final = 80

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
ARROW_WORDS: Final[dict[Better, str]] = {
    "higher": "higher is better",
    "lower": "lower is better",
    "one": "best at one",
    "zero": "best at zero",
    "none": "a description, not a score",
}
LEADS: Final[dict[Better, str]] = {
    "higher": "higher",
    "lower": "lower",
    "one": "closer to 1",
    "zero": "closer to 0",
    "none": "",
}
GOALS: Final[dict[Better, float]] = {"one": 1.0, "zero": 0.0}

PAPER_SOURCE: Final = (
    "DreamActor-M1: Holistic, Expressive and Robust Human Image Animation with Hybrid Guidance, arXiv 2504.01724"
)
PAPER_COLUMNS: Final = ("FID ↓", "SSIM ↑", "PSNR ↑", "LPIPS ↓", "FVD ↓")
PAPER_TABLES: Final = (
    (
        "Table 1. Body animation",
        (
            ("Animate Anyone", "36.72", "0.791", "21.74", "0.266", "158.3"),
            ("Champ", "40.21", "0.732", "20.18", "0.281", "171.2"),
            ("MimicMotion", "35.90", "0.799", "22.25", "0.253", "149.9"),
            ("DisPose", "33.01", "0.804", "21.99", "0.248", "144.7"),
            ("DreamActor-M1", "27.27", "0.821", "23.93", "0.206", "122.0"),
        ),
    ),
    (
        "Table 2. Portrait animation",
        (
            ("LivePortrait", "31.72", "0.809", "24.25", "0.270", "147.1"),
            ("X-Portrait", "30.09", "0.774", "22.98", "0.281", "150.9"),
            ("SkyReels-A1", "30.66", "0.811", "24.11", "0.262", "133.8"),
            ("Act-One", "29.84", "0.817", "25.07", "0.259", "135.2"),
            ("DreamActor-M1", "25.70", "0.823", "28.44", "0.238", "110.3"),
        ),
    ),
    (
        "Table 3. References, DreamActor-M1",
        (
            ("Single-R", "28.22", "0.798", "25.86", "0.223", "120.5"),
            ("Multi-R (pseudo)", "26.53", "0.812", "26.22", "0.219", "116.6"),
        ),
    ),
)
"""Section 4 of the paper, digit by digit."""


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
class _Verdict:
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
class _Summary:
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
    verdicts: dict[str, _Verdict]

    @property
    def measured(self) -> list[str]:
        """Metrics that at least one clip has."""
        return [
            name for name in self.metrics if any(isinstance(self.cells[name, method], Interval) for method in self.methods)
        ]

    def scores(self, method: str) -> dict[str, ClipScores]:
        """Clip -> scores of one method."""
        return {score.clip: score for score in self.of[method]}


# ---- Numbers ----


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _known(score: ClipScores, name: str) -> float | None:
    value = score.values.get(name)
    return float(value) if value is not None and math.isfinite(value) else None


def _why_missing(score: ClipScores, name: str) -> str:
    if score.error is not None:
        return score.error
    return score.missing.get(name, "not a finite number" if name in score.values else "not measured for this clip")


def _values(scores: Iterable[ClipScores], name: str) -> dict[str, float]:
    """Clip -> number, for the clips that have one."""
    return {score.clip: value for score in scores if (value := _known(score, name)) is not None}


def _cell(scores: Sequence[ClipScores], name: str) -> Interval | str:
    """The mean over clips, or the most frequent reasons why there is none."""
    interval = mean_interval(list(_values(scores, name).values()))
    if interval is not None:
        return interval
    readable = [score for score in scores if score.error is None]
    reasons = Counter(_why_missing(score, name) for score in readable or scores)
    if not reasons:
        return "no clips"
    (first, _), *rest = reasons.most_common()
    return f"{first}; {len(rest)} other reasons" if len(rest) > 1 else "; ".join((first, *(reason for reason, _ in rest)))


def _cost(value: float, better: Better) -> float:
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


def _verdict(of: Mapping[str, Sequence[ClipScores]], name: str, better: Better) -> _Verdict | None:
    if better == "none":
        return None
    costs = {
        method: {clip: _cost(value, better) for clip, value in _values(scores, name).items()}
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
    return _Verdict(best=best, second=second, lead=lead, conclusive=conclusive)


def _group(name: str) -> str:
    words = set(name.lower().split("_"))
    return next((heading for heading, known in GROUPS if words & set(known.split())), OTHERS)


def _grouped(names: Iterable[str]) -> dict[str, list[str]]:
    names = list(names)
    groups = {heading: [name for name in names if _group(name) == heading] for heading in ORDER}
    return {heading: members for heading, members in groups.items() if members}


def _decimals(values: Iterable[float]) -> int:
    """Decimals that show four digits, three below one."""
    largest = max((abs(value) for value in values), default=1.0)
    if largest < 1e-4:
        return 4
    return min(4, max(0, (3 if largest >= 1 else 2) - math.floor(math.log10(largest))))


def _summarise(
    scores: Sequence[ClipScores], metrics: Mapping[str, Metric], distributions: Sequence[DistributionScore]
) -> _Summary:
    twice = [pair for pair, count in Counter((score.method, score.clip) for score in scores).items() if count > 1]
    if twice:
        raise ValueError(f"clips must have different names within a method, got twice: {twice[:3]}")
    methods = _unique([*(score.method for score in scores), *(one.method for one in distributions)])
    of = {method: [score for score in scores if score.method == method] for method in methods}
    found = _unique([*metrics, *(name for score in scores for name in (*score.values, *score.missing))])
    groups = _grouped(found)
    known = {
        name: metrics.get(name, Metric(label=name, unit="", better="none"))
        for members in groups.values()
        for name in members
    }
    cells = {(name, method): _cell(of[method], name) for name in known for method in methods}
    means = {name: [cell.value for method in methods if isinstance(cell := cells[name, method], Interval)] for name in known}
    verdicts = {name: _verdict(of, name, metric.better) for name, metric in known.items()}
    return _Summary(
        methods=methods,
        metrics=known,
        groups=groups,
        clips={clip: place for place, clip in enumerate(_unique(score.clip for score in scores))},
        of=of,
        cells=cells,
        decimals={name: _decimals(means[name]) for name in known},
        verdicts={name: verdict for name, verdict in verdicts.items() if verdict is not None},
    )


def _headline(summary: _Summary) -> str | None:
    """The metric that orders the clips."""
    scored = [name for name in summary.measured if summary.metrics[name].better != "none"]
    return next((name for name in (*HEADLINES, *scored) if name in scored), None)


def _worst_first(summary: _Summary, headline: str | None) -> list[str]:
    """Clips by the first method's headline metric, the worst first; clips without it come last."""
    if headline is None:
        return [*summary.clips]
    better = summary.metrics[headline].better
    costs = {clip: _cost(value, better) for clip, value in _values(summary.of[summary.methods[0]], headline).items()}
    return sorted(summary.clips, key=lambda clip: -costs.get(clip, -math.inf))


def _mean_series(series: Sequence[Sequence[float]]) -> list[float]:
    """The mean at every frame over the clips that have it; NaN where fewer than half of them do."""
    table = np.full((len(series), max(map(len, series))), np.nan)
    for row, values in zip(table, series, strict=True):
        row[: len(values)] = values
    known = np.isfinite(table)
    count = known.sum(axis=0)
    total = np.where(known, table, 0.0).sum(axis=0)
    return [float(part / n) if n * 2 >= len(series) else math.nan for part, n in zip(total, count, strict=True)]


def _distribution_rows(distributions: Sequence[DistributionScore]) -> dict[tuple[str, str], dict[str, DistributionScore]]:
    """(label, protocol) -> method -> score: numbers of different protocols do not stand beside each other."""
    rows: dict[tuple[str, str], dict[str, DistributionScore]] = {}
    for one in distributions:
        rows.setdefault((one.label, one.protocol), {})[one.method] = one
    return rows


def _distribution_cell(one: DistributionScore | None) -> float | str:
    if one is None:
        return "not measured with this protocol"
    if one.value is None or not math.isfinite(one.value):
        return one.missing or "not a finite number"
    return float(one.value)


# ---- JSON ----


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
    summary = _summarise(scores, metrics, distributions)
    rows: list[dict[str, Any]] = []
    missing: list[dict[str, str]] = []
    for about, members in _sets(scores):
        for method in _unique(score.method for score in members):
            mine = [score for score in members if score.method == method]
            for name in summary.metrics:
                cell = _cell(mine, name)
                row = {**about, "method": method, "metric": name}
                if isinstance(cell, Interval):
                    rows.append({**row, "value": cell.value, "ci95": [cell.low, cell.high], "n": cell.n})
                else:
                    missing.append({**row, "reason": cell})
    measured = []
    for one in distributions:
        value = _distribution_cell(one)
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
    tags = _unique_pairs(scores)
    return [
        ({"set": "all"}, list(scores)),
        *(({"set": value, "tag": key}, [score for score in scores if score.tags.get(key) == value]) for key, value in tags),
    ]


def _unique_pairs(scores: Sequence[ClipScores]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(pair for score in scores for pair in score.tags.items()))


def _comparison_json(name: str, verdict: _Verdict) -> dict[str, Any]:
    about = {"metric": name, "best": verdict.best, "second": verdict.second, "conclusive": verdict.conclusive}
    if verdict.lead is None:
        return about
    lead = verdict.lead
    return {**about, "lead": lead.value, "ci95": [lead.low, lead.high], "n": lead.n}


def _clip_json(score: ClipScores, summary: _Summary) -> dict[str, Any]:
    values = {name: value for name in summary.metrics if (value := _known(score, name)) is not None}
    series = {}
    for name, numbers in score.series.items():
        frames = [frame for frame, value in enumerate(numbers) if math.isfinite(value)]
        series[name] = {"frames": frames, "values": [float(numbers[frame]) for frame in frames]}
    return {
        "clip": score.clip,
        "method": score.method,
        "tags": score.tags,
        "values": values,
        "missing": {name: _why_missing(score, name) for name in summary.metrics if name not in values},
        **({} if score.error is None else {"error": score.error}),
        "series": series,
    }


# ---- Plain text ----


def print_table(
    scores: Sequence[ClipScores], metrics: Mapping[str, Metric], distributions: Sequence[DistributionScore]
) -> str:
    """The summary as aligned columns for a terminal: one column per method, one row per metric."""
    summary = _summarise(scores, metrics, distributions)
    if not summary.methods:
        return "No clips were scored.\n"
    several = len(summary.methods) > 1
    reasons: list[str] = []
    rows = [["", *summary.methods, *(["best"] if several else [])], _count_cells(summary, several)]
    for name, metric in summary.metrics.items():
        cells = [_text_cell(summary.cells[name, method], summary.decimals[name], reasons) for method in summary.methods]
        rows.append([_text_label(metric), *cells, *([_text_verdict(summary, name)] if several else [])])
    table = _distribution_rows(distributions)
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


def _count_cells(summary: _Summary, several: bool) -> list[str]:
    counts = [f"{_num_scored(scores)} of {len(scores)}" for scores in summary.of.values()]
    return ["clips scored", *counts, *([""] if several else [])]


def _num_scored(scores: Sequence[ClipScores]) -> int:
    return sum(score.error is None for score in scores)


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
    value = _distribution_cell(one)
    return _text_reason(value, reasons) if isinstance(value, str) else f"{value:.{_decimals([value])}f}"


def _text_verdict(summary: _Summary, name: str) -> str:
    verdict = summary.verdicts.get(name)
    if verdict is None:
        return ""
    return verdict.best if verdict.conclusive else "inconclusive"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


# ---- The page ----


def write_report(
    path: Path,
    scores: Sequence[ClipScores],
    *,
    metrics: Mapping[str, Metric],
    distributions: Sequence[DistributionScore],
    settings: Mapping[str, str],
    notes: Sequence[str],
    title: str,
    when: datetime | None = None,
) -> None:
    """Writes one HTML file that needs nothing beside it; the file appears whole or not at all.

    Args:
        path: the page; an ordinary file there is replaced.
        scores: any number of clips of any number of methods, each pair of clip and method once.
        metrics: how metrics are read, in reading order; others that `scores` have are printed by their name.
        distributions: numbers of whole methods.
        settings: what makes the numbers comparable: resolution, frames, filter, checksums of networks.
        notes: free lines below the title.
        title: what the report is about.
        when: the date on the page; None is now.

    Raises:
        OutputError: the file cannot be written.
        ValueError: a method has two clips of one name.
    """
    page = _page(_summarise(scores, metrics, distributions), distributions, settings, notes, title, when or datetime.now())
    with atomic_path(path) as part:
        try:
            part.write_text(page, encoding="utf-8", errors="backslashreplace")  # names may hold bytes that are no text
        except OSError as error:
            raise OutputError(f"Cannot write {path}: {error}. Free space or choose another folder.") from error


def _page(
    summary: _Summary,
    distributions: Sequence[DistributionScore],
    settings: Mapping[str, str],
    notes: Sequence[str],
    title: str,
    when: datetime,
) -> str:
    sections = [
        ("summary", "Summary", _summary_section(summary)),
        ("distributions", "Distances between sets", _distribution_section(summary, distributions)),
        ("plots", "Plots", _plot_section(summary)),
        ("paper", "Published numbers", _paper_section()),
        ("sheets", "Pictures, worst first", _sheet_section(summary)),
        ("clips", "All clips", _clip_section(summary)),
        ("settings", "Settings", _settings_section(settings)),
    ]
    shown = [section for section in sections if section[2]]
    body = element(
        "main",
        _header(summary, notes, title, when, [(anchor, heading) for anchor, heading, _ in shown]),
        *(
            element(
                "section",
                element("h2", heading, id=f"{anchor}-heading"),
                content,
                id=anchor,
                aria_labelledby=f"{anchor}-heading",
            )
            for anchor, heading, content in shown
        ),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=CONTENT_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", escape(title)),
        element("style", STYLE + PLOT_STYLE),
    )
    return f"<!DOCTYPE html>\n{element('html', head, element('body', body, element('script', SCRIPT)), lang='en')}\n"


def _header(summary: _Summary, notes: Sequence[str], title: str, when: datetime, anchors: Sequence[tuple[str, str]]) -> str:
    date = element("time", f"{when:%Y-%m-%d %H:%M}", datetime=when.isoformat(timespec="minutes"))
    links = [element("a", heading, href=f"#{anchor}") for anchor, heading in anchors]
    return element(
        "header",
        element("p", "Evaluation", " · ", date, class_="kicker"),
        element("h1", escape(title)),
        element("p", _what_was_compared(summary), class_="lede"),
        element("ul", *(element("li", escape(note)) for note in notes), class_="notes") if notes else "",
        element("nav", *links, aria_label="Sections"),
    )


def _what_was_compared(summary: _Summary) -> str:
    if not summary.clips:
        return "No clips were scored."
    names = [element("strong", legend_key(place), escape(method)) for place, method in enumerate(summary.methods)]
    compared = f"{_counted(len(summary.methods), 'method')} on {_counted(len(summary.clips), 'clip')}: {', '.join(names)}."
    failed = sum(len(scores) - _num_scored(scores) for scores in summary.of.values())
    if failed:
        link = element("a", "the reasons are below", href="#clips")
        compared += f" {_counted(failed, 'video')} could not be scored; {link}."
    return compared


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _heading(content: str, **attributes: object) -> str:
    return element("th", content, **{"scope": "col", **attributes})


def _table(label: str, caption: str, head: Sequence[str], bodies: Sequence[str], *, class_: str) -> str:
    """A table that scrolls sideways in a frame with a label; `caption` is markup."""
    table = element(
        "table", element("caption", element("span", caption)), element("thead", element("tr", *head)), *bodies, class_=class_
    )
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)


def _method_headings(summary: _Summary) -> list[str]:
    return [_heading(legend_key(place) + escape(method), class_="num") for place, method in enumerate(summary.methods)]


def _metric_name(metric: Metric) -> str:
    arrow = element("abbr", ARROWS[metric.better], title=ARROW_WORDS[metric.better]) if ARROWS[metric.better] else ""
    unit = element("span", escape(metric.unit), class_="unit") if metric.unit else ""
    return " ".join(part for part in (escape(metric.label), arrow, unit) if part)


def _nothing(reason: str) -> str:
    return element("span", f"not computed ({escape(reason)})", class_="nothing")


def _summary_section(summary: _Summary) -> str:
    if not summary.metrics or not summary.clips:
        return ""
    several = len(summary.methods) > 1
    columns = 1 + len(summary.methods) + several
    counts = [element("td", f"{_num_scored(scores)} of {len(scores)}", class_="num") for scores in summary.of.values()]
    bodies = [element("tbody", element("tr", element("th", "Clips scored", scope="row"), *counts, "<td></td>" * several))]
    for heading, names in summary.groups.items():
        group = element("tr", element("th", heading, scope="rowgroup", colspan=columns, class_="group"))
        bodies.append(element("tbody", group, *(_summary_row(summary, name, several) for name in names)))
    head = [
        _heading("Metric"),
        *_method_headings(summary),
        *([_heading("Best against second best", class_="verdict")] if several else []),
    ]
    caption = "Means over clips with 95 % bootstrap intervals."
    if several:
        caption += (
            " A method is called best only where the paired interval of its lead over the second best excludes 0, on at"
            f" least {MIN_PAIRS} clips that both have. Where one or zero is best, each clip’s distance to it is compared."
        )
    return _table("Means", caption, head, bodies, class_="summary")


def _summary_row(summary: _Summary, name: str, several: bool) -> str:
    verdict = summary.verdicts.get(name)
    cells = [
        _summary_cell(summary, name, method, best=verdict is not None and verdict.conclusive and verdict.best == method)
        for method in summary.methods
    ]
    last = [element("td", _verdict_text(summary, name), class_="verdict")] if several else []
    return element("tr", element("th", _metric_name(summary.metrics[name]), scope="row"), *cells, *last)


def _summary_cell(summary: _Summary, name: str, method: str, *, best: bool) -> str:
    cell = summary.cells[name, method]
    if isinstance(cell, str):
        return element("td", _nothing(cell), class_="num")
    decimals = summary.decimals[name]
    mean = element("strong" if best else "span", number(cell.value, decimals), class_="mean")
    range_text = "one clip" if cell.n == 1 else _range(cell, decimals)
    fewer = f", {cell.n} clips" if 1 < cell.n < _num_scored(summary.of[method]) else ""
    mark = element("span", "best", class_="mark") if best else ""
    return element("td", mark, mean, element("small", range_text + fewer), class_="num best" if best else "num")


def _range(interval: Interval, decimals: int) -> str:
    return f"[{number(interval.low, decimals)},&nbsp;{number(interval.high, decimals)}]"


def _verdict_text(summary: _Summary, name: str) -> str:
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
    few = f", {_counted(verdict.lead.n, 'clip')}" if verdict.lead.n < MIN_PAIRS else ""
    pair = f"{escape(verdict.best)} {LEADS[better]} than {escape(verdict.second)} by {lead}{few}"
    return f"inconclusive {element('small', pair)}"


def _distribution_section(summary: _Summary, distributions: Sequence[DistributionScore]) -> str:
    if not distributions:
        return ""
    rows = []
    for (label, protocol), ones in _distribution_rows(distributions).items():
        arrow = element("abbr", ARROWS["lower"], title=ARROW_WORDS["lower"])
        name = element("th", f"{escape(label)} {arrow}", element("small", escape(protocol)), scope="row")
        rows.append(element("tr", name, *(_distribution_td(ones.get(method)) for method in summary.methods)))
    caption = "One number for all videos of a method. It has no interval over clips, so no method is called best."
    return _table(
        "Distances", caption, [_heading("Distance"), *_method_headings(summary)], [element("tbody", *rows)], class_="summary"
    )


def _distribution_td(one: DistributionScore | None) -> str:
    value = _distribution_cell(one)
    content = (
        _nothing(value) if isinstance(value, str) else element("span", number(value, _decimals([value])), class_="mean")
    )
    return element("td", content, class_="num")


def _plot_section(summary: _Summary) -> str:
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


OVER_TIME: Final = (
    "The mean at each frame, over the clips that have it; frames that fewer than half of the clips have are left out."
)


def _plot_rows(summary: _Summary, name: str) -> list[Row]:
    cells = [(place, method, summary.cells[name, method]) for place, method in enumerate(summary.methods)]
    return [
        Row(label=method, place=place, mean=cell, values=[*_values(summary.of[method], name).values()])
        for place, method, cell in cells
        if isinstance(cell, Interval)
    ]


def _plot_words(summary: _Summary, name: str, what: str) -> dict[str, Any]:
    metric, decimals = summary.metrics[name], summary.decimals[name]
    numbers = "; ".join(f"{row.label} {number(row.mean.value, decimals)}" for row in _plot_rows(summary, name))
    return {"alt": f"{metric.label}, {what}: {numbers}", "decimals": decimals, "goal": GOALS.get(metric.better)}


def _plots(heading: str, about: str, figures: Sequence[str]) -> str:
    if not figures:
        return ""
    return element("h3", heading) + element("p", about, class_="about") + element("div", *figures, class_="plots")


def _figure(metric: Metric, plot: str) -> str:
    return element("figure", element("figcaption", _metric_name(metric)), plot)


def _legend(summary: _Summary) -> str:
    keys = (legend_key(place) + escape(method) for place, method in enumerate(summary.methods))
    return element("span", *(element("span", key) for key in keys), class_="legend")


def _line_figures(summary: _Summary) -> list[str]:
    figures = []
    names = _unique(name for scores in summary.of.values() for score in scores for name in score.series)
    for name in (member for members in _grouped(names).values() for member in members):
        lines = [
            line for place, method in enumerate(summary.methods) if (line := _line(summary, name, place, method)) is not None
        ]
        if lines:
            metric = summary.metrics.get(name, Metric(label=name, unit="", better="none"))
            words = f"{metric.label} over frames: {', '.join(line.label for line in lines)}"
            figures.append(_figure(metric, line_plot(lines, alt=words)))
    return figures


def _line(summary: _Summary, name: str, place: int, method: str) -> Line | None:
    series = [score.series[name] for score in summary.of[method] if score.series.get(name)]
    values = _mean_series(series) if series else []
    return Line(label=method, place=place, values=values) if any(map(math.isfinite, values)) else None


def _paper_section() -> str:
    about = element(
        "p",
        element("strong", "Private data, not comparable."),
        f" Quoted from the paper’s section 4 ({PAPER_SOURCE}): measured on the authors’ own videos, which are not public.",
        class_="about",
    )
    head = [_heading("Method"), *(_heading(column, class_="num") for column in PAPER_COLUMNS)]
    tables = []
    for caption, rows in PAPER_TABLES:
        lines = [
            element("tr", element("th", row[0], scope="row"), *(element("td", cell, class_="num") for cell in row[1:]))
            for row in rows
        ]
        tables.append(_table(caption, caption, head, [element("tbody", *lines)], class_="quoted"))
    return about + element("div", *tables, class_="side-by-side")


def _sheet_section(summary: _Summary) -> str:
    headline = _headline(summary)
    by_method = {method: summary.scores(method) for method in summary.methods}
    pictured = [
        clip
        for clip in _worst_first(summary, headline)
        if any(clip in scores and scores[clip].strip is not None for scores in by_method.values())
    ]
    if not pictured:
        return ""
    order = (
        "In the order given."
        if headline is None
        else f"Ordered by {summary.metrics[headline].label} of {summary.methods[0]}."
    )
    about = f"{order} Above is the truth, below the same moments of the video."
    left_out = len(summary.clips) - len(pictured)
    if left_out:
        about += (
            f" {_counted(left_out, 'clip')} without a picture {'is' if left_out == 1 else 'are'} only in the table below."
        )
    sheets = [_sheet(summary, by_method, clip, headline) for clip in pictured]
    more = sheets[OPEN_SHEETS:]
    folded = element("details", element("summary", f"{_counted(len(more), 'more clip')}"), *more) if more else ""
    return element("p", escape(about), class_="about") + "".join(sheets[:OPEN_SHEETS]) + folded


def _anchor(summary: _Summary, clip: str) -> str:
    return f"clip-{summary.clips[clip]}"


def _sheet(summary: _Summary, by_method: Mapping[str, Mapping[str, ClipScores]], clip: str, headline: str | None) -> str:
    scores = [scores[clip] for scores in by_method.values() if clip in scores]
    tags = _unique_pairs(scores)
    heading = element("h3", escape(clip), *(element("span", escape(f"{key} {value}"), class_="tag") for key, value in tags))
    rows = [_sheet_row(summary, score, headline) for score in scores]
    return element("article", heading, *rows, class_="sheet", id=_anchor(summary, clip))


def _sheet_row(summary: _Summary, score: ClipScores, headline: str | None) -> str:
    place = summary.methods.index(score.method)
    name = element("p", legend_key(place), escape(score.method), class_="who")
    if score.error is not None:
        return element("div", element("p", _not_scored(score.error), class_="error"), element("div", name), class_="moments")
    words = f"{score.clip}, {score.method}: moments of the truth above the same moments of the video"
    picture = "" if score.strip is None else _picture(score.strip, words)
    ranked = [*([headline] if headline else []), *(metric for metric in summary.metrics if metric != headline)]
    known = [metric for metric in ranked if _known(score, metric) is not None][:MAIN_NUMBERS]
    numbers = (
        element("dt", escape(summary.metrics[metric].label))
        + element("dd", number(score.values[metric], summary.decimals[metric]))
        for metric in known
    )
    return element("div", element("div", picture), element("div", name, element("dl", *numbers)), class_="moments")


def _not_scored(error: str) -> str:
    return f"not scored ({escape(error)})"


def _picture(strip: Tensor, alt: str) -> str:
    """[H, W, 3] uint8 -> an image that carries its own data."""
    size = expect_shape("strip", strip, "H W 3")
    data = io.BytesIO()
    Image.fromarray(strip.cpu().contiguous().numpy()).save(data, "JPEG", quality=JPEG_QUALITY, optimize=True)
    source = f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode('ascii')}"
    return element("img", src=source, alt=alt, width=size["W"], height=size["H"], decoding="async")


def _clip_section(summary: _Summary) -> str:
    if not summary.clips:
        return ""
    tags = _unique(key for scores in summary.of.values() for score in scores for key in score.tags)
    names = summary.measured
    head = [
        *(_heading(text) for text in ("Clip", "Method", *map(escape, tags))),
        *([_heading(_metric_name(summary.metrics[name]), class_="num") for name in names] or [_heading("Result")]),
    ]
    scores = [score for method in summary.methods for score in summary.of[method]]
    rows = [_clip_row(summary, score, tags, names) for score in scores]
    never = [name for name in summary.metrics if name not in names]
    caption = "One row per video."
    if never and names:
        caption += (
            f" Without a column, as no clip has it: {escape(', '.join(summary.metrics[name].label for name in never))}."
        )
    return _table("Clips", caption, head, [element("tbody", *rows)], class_="clips sortable")


def _clip_row(summary: _Summary, score: ClipScores, tags: Sequence[str], names: Sequence[str]) -> str:
    clip = (
        escape(score.clip)
        if score.strip is None
        else element("a", escape(score.clip), href=f"#{_anchor(summary, score.clip)}")
    )
    first = [element("th", clip, scope="row"), element("td", escape(score.method))]
    first += [element("td", escape(score.tags.get(tag, ""))) for tag in tags]
    if score.error is not None:
        return element("tr", *first, element("td", _not_scored(score.error), colspan=max(1, len(names)), class_="error"))
    if not names:
        return element("tr", *first, element("td", _nothing("no metric has a number")))
    return element("tr", *first, *(_clip_cell(summary, score, name) for name in names))


def _clip_cell(summary: _Summary, score: ClipScores, name: str) -> str:
    value = _known(score, name)
    if value is None:
        return element("td", _nothing(_why_missing(score, name)), class_="num")
    return element("td", number(value, summary.decimals[name]), class_="num", data_value=value)


def _settings_section(settings: Mapping[str, str]) -> str:
    if not settings:
        return ""
    rows = [
        element("tr", element("th", escape(name), scope="row"), element("td", escape(value)))
        for name, value in settings.items()
    ]
    head = [_heading("Setting"), _heading("Value")]
    return _table(
        "Settings", "What makes these numbers comparable with others.", head, [element("tbody", *rows)], class_="settings"
    )


CONTENT_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""The browser itself refuses whatever would leave the file."""

STYLE: Final = """
:root {
  --paper: #fdfcfa; --card: #ffffff; --ink: #1c1b19; --muted: #6a675f; --rule: #e4e0d8; --strong-rule: #a8a295;
  --wash: #f4f1ea; --bad: #a3301c;
  --c0: #1f5f9e; --c1: #c2541d; --c2: #2b7a58; --c3: #84489b; --c4: #977000; --c5: #55606e;
  --serif: Charter, "Bitstream Charter", "Iowan Old Style", "Source Serif 4", Georgia, "Liberation Serif", serif;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #151618; --card: #1b1c1f; --ink: #e9e6e0; --muted: #a09c93; --rule: #2e2f33; --strong-rule: #63625f;
    --wash: #212226; --bad: #ff9a85;
    --c0: #7cb2ee; --c1: #f0986c; --c2: #6fc59d; --c3: #c99add; --c4: #d8b754; --c5: #aab4c2;
  }
}
* { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 var(--sans); }
main { max-width: 74rem; margin: 0 auto; padding: 3.5rem 1.5rem 5rem; }
a { color: inherit; text-decoration-color: var(--strong-rule); text-underline-offset: .18em; }
a:hover { text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--c0); outline-offset: 2px; }
h1, h2, h3 { font-family: var(--serif); font-weight: 600; line-height: 1.15; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.9rem, 5vw, 3rem); letter-spacing: -.015em; margin: .35rem 0 1rem; }
h2 { font-size: 1.6rem; letter-spacing: -.01em; margin: 0 0 1rem; }
h3 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
section { margin-top: 3.5rem; padding-top: 1.4rem; border-top: 1px solid var(--ink); }
.kicker { margin: 0; color: var(--muted); font-size: .85rem; font-variant-numeric: tabular-nums; }
.lede { max-width: 46rem; margin: 0; font: 1.2rem/1.5 var(--serif); overflow-wrap: anywhere; }
.notes { max-width: 46rem; margin: 1.2rem 0 0; padding: 0; list-style: none; color: var(--muted); overflow-wrap: anywhere; }
.notes li { padding-left: 1rem; border-left: 2px solid var(--rule); margin: .4rem 0; }
.about { max-width: 46rem; margin: 0 0 1rem; color: var(--muted); }
.about strong { color: var(--ink); }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin-top: 1.6rem; font-size: .9rem; }

.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--muted); font-size: .88rem; padding-bottom: .8rem; }
caption span { display: block; position: sticky; left: 0; max-width: min(46rem, 100vw - 2rem); }
th, td { padding: .5rem .9rem .5rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
th:last-child, td:last-child { padding-right: 0; }
th { font-weight: 400; }
thead th { color: var(--muted); font-size: .85rem; vertical-align: bottom; border-bottom-color: var(--strong-rule); }
.num { text-align: right; font-variant-numeric: tabular-nums; }
small { display: block; color: var(--muted); font-size: .86em; font-weight: 400; }
.unit { color: var(--muted); font-size: .86em; }
abbr { text-decoration: none; cursor: help; white-space: nowrap; color: var(--muted); }
.nothing { color: var(--muted); font-size: .86em; }
.summary { width: auto; min-width: min(40rem, 100%); }
.summary thead th.num { color: var(--ink); font-weight: 600; min-width: 7rem; overflow-wrap: anywhere; }
.summary td.num { white-space: nowrap; }
.summary td.num .nothing { white-space: normal; display: inline-block; max-width: 14rem; }
.summary th small { max-width: 26rem; overflow-wrap: anywhere; }
.summary .mean { font-size: 1.05rem; }
.summary .group { padding-top: 1.5rem; font: 600 1rem var(--serif); border-bottom-color: var(--strong-rule); }
.summary td.best .mean { font-weight: 700; }
.mark { margin-right: .5rem; padding: .05rem .4rem; border-radius: 2px; font-size: .72rem; }
.mark { background: var(--ink); color: var(--paper); }
.summary .verdict { min-width: 13rem; max-width: 19rem; padding-left: 1.2rem; }
.summary tbody th { min-width: 12.5rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin-bottom: .3rem; color: var(--ink); }

.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); gap: 1.6rem 2.4rem; }
figure { margin: 0; min-width: 0; padding-top: .5rem; border-top: 1px solid var(--rule); }
figcaption { font-size: .92rem; font-weight: 600; margin-bottom: .2rem; }
figcaption .unit { font-weight: 400; }
.side-by-side { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1.5rem; }
.quoted { font-size: .8rem; }
.quoted th:not(:last-child), .quoted td:not(:last-child) { padding-right: .5rem; }
.quoted th.num { white-space: nowrap; }
.quoted caption { color: var(--ink); font-weight: 600; padding-bottom: .3rem; }

.sheet { padding: 1.1rem 0 1.4rem; border-top: 1px solid var(--rule); scroll-margin-top: 1rem; }
.about + .sheet { border-top: 0; padding-top: 0; }
.sheet h3 { margin: 0 0 .7rem; }
.tag { margin-left: .7rem; color: var(--muted); font: .8rem var(--sans); }
.moments { display: grid; grid-template-columns: minmax(0, 1fr) 15rem; gap: .4rem 1.5rem; margin-bottom: 1rem; }
.moments img { display: block; max-width: 100%; height: auto; border-radius: 2px; background: var(--wash); }
.who { margin: 0 0 .3rem; font-size: .92rem; font-weight: 600; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 1fr auto; gap: .05rem .8rem; margin: 0; font-size: .85rem; }
dt { color: var(--muted); }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
dt:first-of-type, dd:first-of-type { color: var(--ink); font-weight: 600; }
details > summary { cursor: pointer; padding: .8rem 0; border-top: 1px solid var(--rule); font-weight: 600; }
.error { color: var(--bad); overflow-wrap: anywhere; }
p.error { margin: 0; }

.clips { font-size: .85rem; }
.clips th, .clips td { padding: .35rem .9rem .35rem 0; }
.clips tbody th, .clips td { white-space: nowrap; }
.clips .nothing, .clips .error { white-space: normal; }
.summary th[scope=row], .clips th[scope=row] { position: sticky; left: 0; background: var(--paper); }
.clips td .nothing { display: inline-block; min-width: 7rem; }
[role=button] { cursor: pointer; }
[role=button]:hover { color: var(--ink); }
[aria-sort] { color: var(--ink); font-weight: 600; }
[aria-sort=ascending] [role=button]::after { content: " ▴"; }
[aria-sort=descending] [role=button]::after { content: " ▾"; }
.settings th { white-space: nowrap; color: var(--muted); }
.settings td { font: .85rem/1.5 var(--mono); overflow-wrap: anywhere; width: 100%; }

@media screen { .ready caption span::after { content: " Click a heading to sort."; } }
@media screen and (max-width: 44rem) {
  main { padding: 2rem 1rem 3rem; }
  section { margin-top: 2.5rem; }
  .moments { grid-template-columns: minmax(0, 1fr); }
  .summary tbody th[scope=row], .clips tbody th { min-width: 7.5rem; max-width: 9.5rem; }
  .clips tbody th { white-space: normal; overflow-wrap: anywhere; }
  .settings th { white-space: normal; }
}
@media print {
  @page { margin: 14mm; }
  @page wide { size: landscape; }
  :root { --paper: #fff; }
  body { background: none; font-size: 10pt; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  section { margin-top: 2rem; }
  .scroll { overflow: visible; }
  .side-by-side { grid-template-columns: 1fr 1fr; }
  #clips { page: wide; }
  .clips { font-size: 7pt; }
  .clips td .nothing { min-width: 0; }
  .clips td { white-space: normal; }
  figure, tr, .moments { break-inside: avoid; }
  h2, h3, caption, .about { break-after: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""

SCRIPT: Final = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  table.classList.add("ready");
  heads.forEach((head, column) => {
    const numeric = head.classList.contains("num");
    const key = (row) => {
      const cell = row.cells[column];
      if (!numeric) return cell.textContent;
      return cell && cell.dataset.value !== undefined ? Number(cell.dataset.value) : null;
    };
    const compare = (a, b) => (numeric ? a - b : a.localeCompare(b, undefined, { numeric: true }));
    const button = document.createElement("span"); // a real button is missing from the header of later printed pages
    button.tabIndex = 0;
    button.setAttribute("role", "button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      button.click();
    });
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      const rows = [...body.rows].map((row) => [key(row), row]);
      rows.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b)));
      body.append(...rows.map(([, row]) => row));
    });
  });
}
"""
