"""Plots as inline SVG: means with intervals, every clip as a dot, lines over frames.

Knows nothing about metrics. Colours are classes (`c0` ... `c5`, and `d0` ... `d3` for dashes), so that a page can be light
or dark. Names are escaped here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Final

from dreamactor.evaluation.scores import Interval

WIDTH: Final = 320
"""Width of every plot in its own units; the page scales it."""
EDGE: Final = 7
GUTTER: Final = 40
NUM_COLOURS: Final = 6
NUM_DASHES: Final = 4
DOT: Final = 4.5
LONGEST_LABEL: Final = 36
PLOT_STYLE: Final = """
.key { width: 1.6em; height: .62em; margin-right: .4em; vertical-align: .02em; }
.plot { display: block; width: 100%; height: auto; overflow: visible; font-family: var(--sans); }
.plot text { fill: var(--muted); font-size: 11px; font-variant-numeric: tabular-nums; }
.plot .name, .plot .value { fill: var(--ink); font-size: 12px; }
.plot .name, .plot .value { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.plot .axis, .plot .grid { stroke: var(--rule); fill: none; }
.plot .axis { stroke: var(--strong-rule); }
.plot .goal { stroke: var(--strong-rule); stroke-dasharray: 2 3; fill: none; }
.plot .mean { stroke: var(--ink); stroke-width: 1.5; }
.line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.span { stroke: currentColor; stroke-width: 5; stroke-opacity: .35; }
.dot { fill: currentColor; stroke: var(--paper); stroke-width: 1.5; }
.swarm { fill: none; stroke: currentColor; stroke-width: 4; stroke-linecap: round; stroke-opacity: .75; }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); }
.c3 { color: var(--c3); } .c4 { color: var(--c4); } .c5 { color: var(--c5); }
.d1 { stroke-dasharray: 6 4; } .d2 { stroke-dasharray: 1 4; } .d3 { stroke-dasharray: 8 4 1 4; }
"""
"""Style of everything here; the page defines --ink, --muted, --paper, --rule, --strong-rule and --c0 ... --c5."""
VOID: Final = frozenset({"img", "meta"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What one method has in a plot of values.

    Attributes:
        label: the method.
        place: its place among all methods: the colour.
        mean: the mean with its interval.
        values: one finite number per clip.
    """

    label: str
    place: int
    mean: Interval
    values: Sequence[float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One method over time: a number per frame, NaN where there is none."""

    label: str
    place: int
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Axis:
    """Numbers from low to high, drawn from start to end."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a number is drawn."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> tuple[list[float], int]:
        """Round numbers inside the axis, and the decimals they need."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)], max(0, -math.floor(math.log10(step) + 1e-9))


def axis_around(values: Sequence[float], start: float, end: float) -> Axis:
    """An axis that holds all values with a margin, and does not show negative numbers where there are none."""
    low, high = min(values), max(values)
    margin = 0.06 * (high - low)
    if margin <= 1e-9 * max(abs(low), abs(high)):
        margin = 0.05 * abs(high) or 0.5
    return Axis(low=max(0.0, low - margin) if low >= 0 else low - margin, high=high + margin, start=start, end=end)


def number(value: float, decimals: int) -> str:
    """A number for people, with a true minus sign and no negative zero."""
    shown = f"{value:.{decimals}f}"
    return shown.replace("-", "−" if float(shown) else "")


def element(tag: str, *children: str, **attributes: object) -> str:
    """One element: children are markup; attribute values are escaped, None leaves one out, and `_` in names becomes `-`."""
    pairs = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{pairs}>" if tag in VOID else f"<{tag}{pairs}>{''.join(children)}</{tag}>"


def colour(place: int) -> str:
    """Class of the method's colour."""
    return f"c{place % NUM_COLOURS}"


def stroke(place: int) -> str:
    """Classes of the method's line: more methods than colours still differ in their dashes."""
    return f"line {colour(place)} d{(place + place // NUM_COLOURS) % NUM_DASHES}"


def legend_key(place: int) -> str:
    """A short piece of the method's line."""
    piece = element("path", d="M1 5H25", class_=stroke(place))
    return element("svg", piece, class_="key", viewBox="0 0 26 10", aria_hidden="true")


def dot_plot(rows: Sequence[Row], *, alt: str, decimals: int, goal: float | None) -> str:
    """Means as dots on their intervals, one row per method; `goal` is a value to aim at, drawn where it is in sight."""
    axis = axis_around([end for row in rows for end in (row.mean.low, row.mean.high)], EDGE, WIDTH - EDGE)
    pitch, bottom = 36, 36 * len(rows) + 4
    parts = [*_ground(axis, bottom), *_goal(axis, goal, bottom)]
    for index, row in enumerate(rows):
        y = index * pitch + 27
        low, high, mean = (f"{axis.at(value):.1f}" for value in (row.mean.low, row.mean.high, row.mean.value))
        parts += [
            *_row_heading(row.label, number(row.mean.value, decimals), y - 10),
            element("path", d=f"M{low} {y}H{high}", class_=f"span {colour(row.place)}"),
            element("circle", cx=mean, cy=y, r=4, class_=f"dot {colour(row.place)}"),
        ]
    return _svg(bottom + 18, alt, parts)


def strip_plot(rows: Sequence[Row], *, alt: str, decimals: int, goal: float | None) -> str:
    """Every clip as a dot, equal ones stacked, one row per method; a tick marks the mean."""
    axis = axis_around([value for row in rows for value in row.values], EDGE, WIDTH - EDGE)
    pitch, bottom = 56, 56 * len(rows) + 2
    parts = [*_ground(axis, bottom), *_goal(axis, goal, bottom)]
    for index, row in enumerate(rows):
        y = index * pitch + 36
        span = f"{number(min(row.values), decimals)} to {number(max(row.values), decimals)}"
        parts += [
            *_row_heading(row.label, span, index * pitch + 14),
            element(
                "path", d=_swarm([axis.at(value) for value in row.values], y, room=15), class_=f"swarm {colour(row.place)}"
            ),
            element("path", d=f"M{axis.at(row.mean.value):.1f} {y - 17}v34", class_="mean"),
        ]
    return _svg(bottom + 18, alt, parts)


def line_plot(lines: Sequence[Line], *, alt: str) -> str:
    """Lines over frames, broken where a frame has no number; at least one number is finite."""
    known = [(frame, value) for line in lines for frame, value in enumerate(line.values) if math.isfinite(value)]
    bottom = 140
    across = Axis(0, max(1, max(frame for frame, _ in known)), GUTTER, WIDTH - EDGE)
    up = axis_around([value for _, value in known], bottom, 8)
    ticks, decimals = up.ticks()
    unit = element("text", "frame", x=GUTTER - 6, y=bottom + 15, text_anchor="end", class_="tick")
    parts = [*_ground(across, bottom, whole=True), unit]
    for tick in ticks:
        y = f"{up.at(tick):.1f}"
        label = number(tick, decimals)
        parts += [
            element("path", d=f"M{GUTTER} {y}H{WIDTH - EDGE}", class_="grid"),
            element("text", label, x=GUTTER - 6, y=y, dy="0.35em", text_anchor="end", class_="tick"),
        ]
    parts += [element("path", d=_path(line.values, across, up), class_=stroke(line.place)) for line in lines]
    return _svg(bottom + 18, alt, parts)


def _svg(height: int, alt: str, parts: Sequence[str]) -> str:
    return element("svg", *parts, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=alt, class_="plot")


def _ground(axis: Axis, bottom: int, *, whole: bool = False) -> list[str]:
    """The horizontal axis with its ticks; `whole` leaves out the ones between whole numbers."""
    ticks, decimals = axis.ticks()
    parts = [element("path", d=f"M{axis.start:.0f} {bottom}H{axis.end:.0f}", class_="axis")]
    for tick in ticks:
        if whole and tick != round(tick):
            continue
        x = f"{axis.at(tick):.1f}"
        parts += [
            element("path", d=f"M{x} {bottom}v4", class_="axis"),
            element("text", number(tick, 0 if whole else decimals), x=x, y=bottom + 15, text_anchor="middle", class_="tick"),
        ]
    return parts


def _goal(axis: Axis, goal: float | None, bottom: int) -> list[str]:
    if goal is None or not axis.low <= goal <= axis.high:
        return []
    return [element("path", d=f"M{axis.at(goal):.1f} 18V{bottom}", class_="goal")]


def _row_heading(label: str, shown: str, y: int) -> list[str]:
    short = label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
    return [
        element("text", escape(short), x=EDGE, y=y, class_="name"),
        element("text", shown, x=WIDTH - EDGE, y=y, text_anchor="end", class_="value"),
    ]


def _swarm(xs: Sequence[float], middle: float, *, room: float) -> str:
    """Path of round dots in columns about a middle line; columns that are too tall are pressed together."""
    columns = Counter(round(x / DOT) for x in xs)
    step = min(DOT, 2 * room / max(columns.values()))
    return "".join(
        f"M{column * DOT:.1f} {middle + (rank - (count - 1) / 2) * step:.1f}h0"
        for column, count in sorted(columns.items())
        for rank in range(count)
    )


def _path(values: Sequence[float], across: Axis, up: Axis) -> str:
    pieces = []
    for known, run in groupby(enumerate(values), key=lambda pair: math.isfinite(pair[1])):
        if known:
            points = [f"{across.at(frame):.1f} {up.at(value):.1f}" for frame, value in run]
            pieces.append(f"M{'L'.join(points)}" + ("h0" if len(points) == 1 else ""))
    return "".join(pieces)
