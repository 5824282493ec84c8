"""The page's pictures: moments of every clip of every method, the worst clip first."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping
from html import escape
from typing import Final

from PIL import Image
from torch import Tensor

from dreamactor.evaluation.plots import element, legend_key, number
from dreamactor.evaluation.report_markup import clip_anchor, counted, not_scored
from dreamactor.evaluation.scores import ClipScores
from dreamactor.evaluation.summary import Summary, clip_values, cost, known_value, unique_tags
from dreamactor.types.shapes import expect_shape

OPEN_SHEETS: Final = 24
"""Clips whose pictures are open on the page; the others unfold."""
MAIN_NUMBERS: Final = 6
HEADLINES: Final = ("psnr_person", "psnr_frame")
JPEG_QUALITY: Final = 80


def sheet_section(summary: Summary) -> str:
    """Pictures of every clip, the worst first; empty without pictures."""
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
            f" {counted(left_out, 'clip')} without a picture {'is' if left_out == 1 else 'are'} only in the table below."
        )
    sheets = [_sheet(summary, by_method, clip, headline) for clip in pictured]
    more = sheets[OPEN_SHEETS:]
    folded = element("details", element("summary", f"{counted(len(more), 'more clip')}"), *more) if more else ""
    return element("p", escape(about), class_="about") + "".join(sheets[:OPEN_SHEETS]) + folded


def _headline(summary: Summary) -> str | None:
    """The metric that orders the clips."""
    scored = [name for name in summary.measured if summary.metrics[name].better != "none"]
    return next((name for name in (*HEADLINES, *scored) if name in scored), None)


def _worst_first(summary: Summary, headline: str | None) -> list[str]:
    """Clips by the first method's headline metric, the worst first; clips without it come last."""
    if headline is None:
        return [*summary.clips]
    better = summary.metrics[headline].better
    costs = {clip: cost(value, better) for clip, value in clip_values(summary.of[summary.methods[0]], headline).items()}
    return sorted(summary.clips, key=lambda clip: -costs.get(clip, -math.inf))


def _sheet(summary: Summary, by_method: Mapping[str, Mapping[str, ClipScores]], clip: str, headline: str | None) -> str:
    scores = [scores[clip] for scores in by_method.values() if clip in scores]
    tags = unique_tags(scores)
    heading = element("h3", escape(clip), *(element("span", escape(f"{key} {value}"), class_="tag") for key, value in tags))
    rows = [_sheet_row(summary, score, headline) for score in scores]
    return element("article", heading, *rows, class_="sheet", id=clip_anchor(summary, clip))


def _sheet_row(summary: Summary, score: ClipScores, headline: str | None) -> str:
    place = summary.methods.index(score.method)
    name = element("p", legend_key(place), escape(score.method), class_="who")
    if score.error is not None:
        return element("div", element("p", not_scored(score.error), class_="error"), element("div", name), class_="moments")
    words = f"{score.clip}, {score.method}: moments of the truth above the same moments of the video"
    picture = "" if score.strip is None else _picture(score.strip, words)
    ranked = [*([headline] if headline else []), *(metric for metric in summary.metrics if metric != headline)]
    known = [metric for metric in ranked if known_value(score, metric) is not None][:MAIN_NUMBERS]
    numbers = (
        element("dt", escape(summary.metrics[metric].label))
        + element("dd", number(score.values[metric], summary.decimals[metric]))
        for metric in known
    )
    return element("div", element("div", picture), element("div", name, element("dl", *numbers)), class_="moments")


def _picture(strip: Tensor, alt: str) -> str:
    """[H, W, 3] uint8 -> an image that carries its own data."""
    size = expect_shape("strip", strip, "H W 3")
    data = io.BytesIO()
    Image.fromarray(strip.cpu().contiguous().numpy()).save(data, "JPEG", quality=JPEG_QUALITY, optimize=True)
    source = f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode('ascii')}"
    return element("img", src=source, alt=alt, width=size["W"], height=size["H"], decoding="async")
