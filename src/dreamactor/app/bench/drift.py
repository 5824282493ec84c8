"""Measures what changes in a long video from segment to segment, and what time and memory do meanwhile.

A held-out character does the same in every segment, a whole turn round included: the motion repeats with the period of the
segments. So the truth of all segments is one, and whatever changes between them is drift, not motion.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import linear_regression, pstdev
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.app.bench.speed_meter import PeakMemory
from dreamactor.data.turning import TurningCase, draw_turning
from dreamactor.errors import ConfigError
from dreamactor.evaluation.frame import psnr
from dreamactor.evaluation.judge import Judge, load_judge
from dreamactor.evaluation.scores import mean_interval
from dreamactor.evaluation.steadiness import sharpness
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.inference.animator import Animator
from dreamactor.inference.request import AnimateRequest
from dreamactor.types.guidance import ReferenceSet
from dreamactor.types.track import PersonTrack, take_frames
from dreamactor.types.video import FrameTimes
from dreamactor.video.image import write_image

METRICS: Final = ("colour", "sharpness", "identity", "psnr_person")
"""Per segment: distance of the person's mean colour from the truth's (0..255), gradient energy relative to the truth's,
cosine of the judge's identity to the truth's, and dB on the person."""
SHORT_SEGMENTS: Final = 3
"""Of the video whose time and memory the long one is compared with (73 frames at 25 a segment)."""
FIRST_CHARACTER: Final = 100
"""Of the cases of `draw_turning`: none of those of `bench references`."""
_NOWHERE: Final = Path("held-out")

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class LongRun:
    """One video.

    Attributes:
        scores: metric -> one number per whole segment.
        cpu_s: seconds of the processor per frame, per segment.
        peak_mb: most memory, per segment.
        strips: the middle frame of each segment, [H, W, 3].
    """

    scores: dict[str, list[float]]
    cpu_s: list[float]
    peak_mb: list[float]
    strips: list[Tensor]


def bench_drift(
    model: str, *, cases: int, clips: int, frames: int, sheets: Path | None, report: Callable[[str, int, int], None]
) -> list[Row]:
    """Rows of every metric: the curve over segments, the change from first to last, and the spread over single segments.

    Args:
        model: name or folder.
        cases: long videos, a character each.
        clips: further characters with a single segment, for the spread.
        frames: of a long video.
        sheets: folder for one picture per case with a frame of every segment; None: none are drawn.
        report: called with (what, done, total).

    Raises:
        ConfigError: fewer frames than two segments.
    """
    animator, judge = Animator.from_pretrained(model), load_judge()
    period = animator.bundle.defaults.segment_frames - 1
    if frames < 2 * period + 1:
        raise ConfigError(f"--frames must be at least two segments, {2 * period + 1}, got {frames}.")
    runs = []
    for index in range(cases):
        case = draw_turning("full", FIRST_CHARACTER + index, period=period)
        told = partial(_told, report, before=index * frames, total=cases * frames)
        runs.append(run_long(animator, case, judge, frames, told))
        if sheets is not None:
            sheets.mkdir(parents=True, exist_ok=True)
            write_image(sheets / f"drift_{case.name}.png", _sheet(runs[-1].strips))
    single = [{metric: run.scores[metric][0] for metric in METRICS} for run in runs]
    for index in range(clips):
        case = draw_turning("full", FIRST_CHARACTER + cases + index, period=period)
        found = run_long(animator, case, judge, period + 1, lambda done: None)
        single.append({metric: found.scores[metric][0] for metric in METRICS})
        report("clips", index + 1, clips)
    return drift_rows(runs, single) + cost_rows(runs)


def _told(report: Callable[[str, int, int], None], done: int, *, before: int, total: int) -> None:
    report("long", before + done, total)


def looped(case: TurningCase, num_frames: int) -> PersonTrack:
    """The case's motion for as long as wanted: its first turn, then its second one over and over."""
    place = torch.arange(num_frames)
    place = torch.where(place < case.period, place, case.period + place % case.period)
    return take_frames(case.driving, place, FrameTimes.constant(num_frames, case.driving.times.fps))


def run_long(animator: Animator, case: TurningCase, judge: Judge, num_frames: int, report: Callable[[int], None]) -> LongRun:
    """Makes a video of so many frames and scores each of its segments that is whole; none is kept."""
    period = case.period
    references = ReferenceSet(images=case.pictures[:1], proportions=estimate_proportions([case.pictures[0].person]))
    phase = (torch.arange(period) + 1) % period + period  # a segment's new frames begin one after the period's first
    truth, mask, track = case.truth[phase], case.mask[phase], take_frames(case.track, phase)
    who = judge.read(truth, track).who
    scores: dict[str, list[float]] = {metric: [] for metric in METRICS}
    cpu_s, strips, done = [], [], 0
    request = AnimateRequest(references=(_NOWHERE,), driving=_NOWHERE)
    with PeakMemory() as memory:
        before_s = time.process_time()
        for clip in animator.animate_track(looped(case, num_frames), references, request):
            cpu_s.append((time.process_time() - before_s) / clip.num_frames)
            memory.lap()
            made = clip.frames[-period:]
            if len(made) == period:
                for metric, value in score_segment(made, truth, mask).items():
                    scores[metric].append(value)
                read = judge.read(made, track).who
                scores["identity"].append(float(F.cosine_similarity(read, who, dim=-1).mean()))
                strips.append(made[period // 2])
            done += clip.num_frames
            report(done)
            before_s = time.process_time()
    return LongRun(scores=scores, cpu_s=cpu_s, peak_mb=memory.laps_mb, strips=strips)


def score_segment(made: Tensor, truth: Tensor, mask: Tensor) -> dict[str, float]:
    """Colour, sharpness and agreement of one segment, [T, H, W, 3] uint8 with [T, H, W] uint8 masks."""
    inside = (mask > 127)[..., None].double()
    apart = ((made.double() - truth.double()) * inside).sum(dim=(1, 2)) / inside.sum(dim=(1, 2)).clamp(min=1)
    return {
        "colour": float(apart.abs().mean()),
        "sharpness": sharpness(made, truth, mask),
        "psnr_person": psnr(made, truth, mask),
    }


def drift_rows(runs: Sequence[LongRun], single: Sequence[dict[str, float]]) -> list[Row]:
    """Change from first to last segment beside the spread over characters of single segments; and along a straight line
    fitted to all but the first, which no latent was handed over to: single segments scatter, as their noise differs."""
    rows = []
    for metric in METRICS:
        curves = [run.scores[metric] for run in runs]
        change = mean_interval([curve[-1] - curve[0] for curve in curves])
        assert change is not None
        spread = pstdev([one[metric] for one in single])
        later = _mean([_along_line(curve[1:]) for curve in curves])
        rows.append({
            "set": "drift", "metric": metric, "value": change.value, "ci95": [change.low, change.high], "n": change.n,
            "spread": spread, "share_of_spread": abs(change.value) / spread if spread else None,
            "since_second": later, "since_second_share": abs(later) / spread if spread else None, "curves": curves,
        })  # fmt: skip
    return rows


def _along_line(values: Sequence[float]) -> float:
    """Change from first to last of a straight line fitted to values."""
    if len(values) < 2:
        return 0.0
    return linear_regression(range(len(values)), values).slope * (len(values) - 1)


def cost_rows(runs: Sequence[LongRun]) -> list[Row]:
    """Time per frame and peak of memory of the whole video beside those of its first segments."""
    rows = []
    for metric, short, whole in (
        (
            "cpu_seconds_per_frame",
            [_mean(run.cpu_s[1:SHORT_SEGMENTS]) for run in runs],
            [_mean(run.cpu_s[1:]) for run in runs],
        ),
        ("peak_rss_mb", [max(run.peak_mb[:SHORT_SEGMENTS]) for run in runs], [max(run.peak_mb) for run in runs]),
    ):
        rows.append({"set": "cost", "metric": metric, "value": _mean(whole), "short": _mean(short), "n": len(runs)})
    return rows


def drift_table(rows: Sequence[Row]) -> str:
    """The rows for people."""
    lines = [f"{'metric':22} {'change':>9} {'spread':>8} {'share':>6} {'line from second':>16} {'share':>6}  curve"]
    for row in rows:
        if row["set"] == "drift":
            curve = torch.tensor(row["curves"]).mean(dim=0).tolist()
            shown = " ".join(f"{value:.3g}" for value in curve)
            lines.append(
                f"{row['metric']:22} {row['value']:+9.4f} {row['spread']:8.4f} {_percent(row['share_of_spread']):>6} "
                f"{row['since_second']:+16.4f} {_percent(row['since_second_share']):>6}  {shown}"
            )
        else:
            more = 100 * (row["value"] / row["short"] - 1)
            lines.append(f"{row['metric']:22} {row['value']:9.4g} ({more:+.1f} % of the first {SHORT_SEGMENTS} segments')")
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _sheet(pictures: Sequence[Tensor], *, columns: int = 10) -> Tensor:
    """Pictures in rows, black where there are none left."""
    padded = [*pictures, *[torch.zeros_like(pictures[0])] * (-len(pictures) % columns)]
    return torch.cat([torch.cat(padded[at : at + columns], dim=1) for at in range(0, len(padded), columns)])
