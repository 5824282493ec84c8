"""Scores with their settings as one page that needs no network.

Puts the sections together; does not measure anything and does not know who made the videos. Everything given from outside
is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from dreamactor.errors import OutputError
from dreamactor.evaluation.plots import PLOT_STYLE, element, legend_key
from dreamactor.evaluation.report_markup import counted
from dreamactor.evaluation.report_paper import paper_section
from dreamactor.evaluation.report_plots import plot_section
from dreamactor.evaluation.report_sheets import sheet_section
from dreamactor.evaluation.report_style import CONTENT_POLICY, SCRIPT, STYLE
from dreamactor.evaluation.report_tables import clip_section, distribution_section, settings_section, summary_section
from dreamactor.evaluation.scores import ClipScores, Metric
from dreamactor.evaluation.summary import DistributionScore, Summary, num_scored, summarise
from dreamactor.video.output import atomic_path


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
    page = _page(summarise(scores, metrics, distributions), distributions, settings, notes, title, when or datetime.now())
    with atomic_path(path) as part:
        try:
            part.write_text(page, encoding="utf-8", errors="backslashreplace")  # names may hold bytes that are no text
        except OSError as error:
            raise OutputError(f"Cannot write {path}: {error}. Free space or choose another folder.") from error


def _page(
    summary: Summary,
    distributions: Sequence[DistributionScore],
    settings: Mapping[str, str],
    notes: Sequence[str],
    title: str,
    when: datetime,
) -> str:
    sections = [
        ("summary", "Summary", summary_section(summary)),
        ("distributions", "Distances between sets", distribution_section(summary, distributions)),
        ("plots", "Plots", plot_section(summary)),
        ("paper", "Published numbers", paper_section()),
        ("sheets", "Pictures, worst first", sheet_section(summary)),
        ("clips", "All clips", clip_section(summary)),
        ("settings", "Settings", settings_section(settings)),
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


def _header(summary: Summary, notes: Sequence[str], title: str, when: datetime, anchors: Sequence[tuple[str, str]]) -> str:
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


def _what_was_compared(summary: Summary) -> str:
    if not summary.clips:
        return "No clips were scored."
    names = [element("strong", legend_key(place), escape(method)) for place, method in enumerate(summary.methods)]
    compared = f"{counted(len(summary.methods), 'method')} on {counted(len(summary.clips), 'clip')}: {', '.join(names)}."
    failed = sum(len(scores) - num_scored(scores) for scores in summary.of.values())
    if failed:
        link = element("a", "the reasons are below", href="#clips")
        compared += f" {counted(failed, 'video')} could not be scored; {link}."
    return compared
