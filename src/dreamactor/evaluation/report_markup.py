"""Pieces of markup that several sections of the page share: headings, framed tables, and words for what is missing.

Names and reasons are escaped here; arguments described as markup are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from dreamactor.evaluation.plots import element, legend_key
from dreamactor.evaluation.scores import Better, Metric
from dreamactor.evaluation.summary import ARROWS, Summary

ARROW_WORDS: Final[dict[Better, str]] = {
    "higher": "higher is better",
    "lower": "lower is better",
    "one": "best at one",
    "zero": "best at zero",
    "none": "a description, not a score",
}


def column_heading(content: str, **attributes: object) -> str:
    """A heading of a column; `content` is markup."""
    return element("th", content, **{"scope": "col", **attributes})


def method_headings(summary: Summary) -> list[str]:
    """One heading per method, with its line."""
    return [column_heading(legend_key(place) + escape(method), class_="num") for place, method in enumerate(summary.methods)]


def framed_table(label: str, caption: str, head: Sequence[str], bodies: Sequence[str], *, class_: str) -> str:
    """A table that scrolls sideways in a frame with a label; `caption` is markup."""
    table = element(
        "table", element("caption", element("span", caption)), element("thead", element("tr", *head)), *bodies, class_=class_
    )
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)


def metric_name(metric: Metric) -> str:
    """A metric's label with its direction and unit, as markup."""
    arrow = element("abbr", ARROWS[metric.better], title=ARROW_WORDS[metric.better]) if ARROWS[metric.better] else ""
    unit = element("span", escape(metric.unit), class_="unit") if metric.unit else ""
    return " ".join(part for part in (escape(metric.label), arrow, unit) if part)


def not_computed(reason: str) -> str:
    """Stands where a number would: why there is none."""
    return element("span", f"not computed ({escape(reason)})", class_="nothing")


def not_scored(error: str) -> str:
    """Stands where a bad clip's numbers would: its error."""
    return f"not scored ({escape(error)})"


def counted(count: int, noun: str) -> str:
    """A count with its noun, such as "3 clips"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def clip_anchor(summary: Summary, clip: str) -> str:
    """The id of a clip's pictures on the page."""
    return f"clip-{summary.clips[clip]}"
