"""Metrics under graded distortions of rendered truth: does each notice what it must, and nothing else?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from torch import Tensor

from dreamactor.app.gallery import gallery_of
from dreamactor.data.actors import EXPRESSION
from dreamactor.data.distorted import DISTORTIONS, LEVELS, Original, draw_original
from dreamactor.evaluation.clip import Truth
from dreamactor.evaluation.judge import Judge
from dreamactor.evaluation.metrics import METRICS, badness
from dreamactor.evaluation.scored import DISTANCES, ScoredClip, frechet_of, score_video

_PIXELS: Final = ("psnr_person", "psnr_frame", "ssim_person", "ssim_frame", "actor_perceptual", "actor_frechet_image")
WORSE: Final = {
    "noise": (*_PIXELS, "psnr_head", "ssim_head", "sharpness_person", "flicker_person", "background_change"),
    "blur": (*_PIXELS, "psnr_head", "ssim_head", "sharpness_person"),
    "pose": (
        "psnr_person", "ssim_person", "psnr_head", "psnr_hands", "ssim_hands", "actor_perceptual", "actor_frechet_image",
        "joint_error_body", "joint_error_hands", "joint_error_feet", "head_angle_error",
    ),
    "identity": ("psnr_person", "ssim_person", "psnr_head", "ssim_head", "actor_perceptual", "actor_frechet_image",
                 "identity_likeness", "identity_rank1"),
    "shuffle": ("psnr_person", "ssim_person", "flicker_person", "actor_perceptual", "actor_frechet_video",
                "lip_correlation"),
    "frozen_face": ("psnr_head", "ssim_head", "actor_perceptual", "expression_error", "lid_error", "lip_correlation"),
}  # fmt: skip
"""Distortion -> metrics that must get worse with every level."""
SAME: Final = {
    "identity": ("joint_error_body", "head_angle_error"),
    "frozen_face": ("joint_error_body", "identity_likeness", "head_angle_error", "background_change"),
}
"""Distortion -> metrics that must not care."""
TOLERANCE: Final = {
    "joint_error_body": 2.0,
    "head_angle_error": 2.0,
    "identity_likeness": 0.05,
    "background_change": 0.5,
}
"""How far a metric that must not care may move, in its unit."""


WORST: Final = {"identity_rank1": 0.0}
"""Values below which a metric cannot fall: there it may stay."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend:
    """One metric under one distortion.

    Attributes:
        metric, distortion: names.
        values: at every level, the truth first; means over the truths that have the metric at all levels.
        expected: "worse" or "same".
        holds: whether it is so.
    """

    metric: str
    distortion: str
    values: tuple[float, ...]
    expected: str
    holds: bool


def bench_metrics(judge: Judge, *, num_truths: int, report: Callable[[int, int], None]) -> list[Trend]:
    """Measures every metric that a distortion must move or must not."""
    total, done = num_truths * len(DISTORTIONS), 0
    found: dict[str, list[list[ScoredClip]]] = {name: [[] for _ in range(LEVELS)] for name in DISTORTIONS}
    for index in range(num_truths):
        original = draw_original(index)
        score = _scorer(original, judge)
        untouched = score(original.distort("noise", 0))
        for name in DISTORTIONS:
            found[name][0].append(untouched)
            for level in range(1, LEVELS):
                found[name][level].append(score(original.distort(name, level)))
            done += 1
            report(done, total)
    trends = []
    for name in DISTORTIONS:
        for expected, metrics in (("worse", WORSE[name]), ("same", SAME.get(name, ()))):
            for metric in metrics:
                values = _values(metric, found[name])
                if values:
                    holds = _holds(metric, values, expected)
                    trends.append(Trend(metric=metric, distortion=name, values=values, expected=expected, holds=holds))
    return trends


def _scorer(original: Original, judge: Judge) -> Callable[..., ScoredClip]:
    drawn = original.drawn
    truth = Truth(
        frames=drawn.frames, mask=drawn.mask, track=drawn.track, expression=drawn.expression, coefficients=EXPRESSION,
        actor=original.seed,
    )  # fmt: skip
    gallery = gallery_of(original.seed, original.framing, judge)
    read = judge.read(truth.frames, drawn.track, maps=True)

    def score(frames: Tensor) -> ScoredClip:
        found = score_video(
            str(original.seed),
            "distorted",
            frames,
            truth,
            judge=judge,
            gallery=gallery,
            read_truth=read,
        )
        return replace(found, scores=replace(found.scores, strip=None))

    return score


def _values(metric: str, levels: list[list[ScoredClip]]) -> tuple[float, ...]:
    """The metric at every level; empty where it cannot be had."""
    if metric in DISTANCES:
        found = [frechet_of(clips)[metric] for clips in levels]
        return tuple(value[0] for value in found if not isinstance(value, str)) if len(found) == LEVELS else ()
    columns = [
        [clip.scores.values[metric] for clip in clips]
        for clips in zip(*levels, strict=True)
        if all(metric in clip.scores.values for clip in clips)
    ]
    return tuple(sum(level) / len(columns) for level in zip(*columns, strict=True)) if columns else ()


def _holds(metric: str, values: tuple[float, ...], expected: str) -> bool:
    if expected == "same":
        return max(abs(value - values[0]) for value in values) <= TOLERANCE[metric]
    cost = [value if metric in DISTANCES else badness(metric, value) for value in values]
    at_worst = [value == WORST.get(metric) for value in values]
    steps = zip(pairwise(cost), pairwise(at_worst), strict=True)
    return all(after > before or worst == (True, True) for (before, after), worst in steps)


def label(metric: str) -> str:
    """A metric's name for people."""
    return METRICS[metric].label if metric in METRICS else metric.replace("_", "-", 1).replace("_", " ")
