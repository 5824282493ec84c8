"""What face tokens tell by linear probes: expression, and neither identity nor head pose.

Probes are fitted on some held-out actors and tested on others that do something else.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any, Final

import torch
from torch import Tensor

from dreamactor.app.bench.face_clips import FaceClip, Report, clip_tokens, draw_face_clip
from dreamactor.data.actors import EXPRESSION, FIRST_HELD_OUT_SEED, sample_performance
from dreamactor.evaluation.face_probe import explained, fit_probe, retrieval_rate
from dreamactor.inference.face_encoders import FaceEncoders
from dreamactor.perception.build import build_estimator

FIRST_SEED: Final = FIRST_HELD_OUT_SEED + 60_000
FIT_ACTORS, TEST_ACTORS = 40, 50
CLIPS: Final = 2
"""Of every actor, each with its own motion and place; identities are looked for from one to the other."""
NUM_FRAMES, STEP = 27, 3
"""Length of a performance at 25 frames a second, and which of its frames are drawn."""
SIZES: Final = (192, 256)
"""Of the pictures in pixels, by turns: heads of 64 to 130 pixels."""
GALLERIES: Final = 20
"""Draws of one moment per actor among whom an identity is looked for."""
HEAD: Final = ("yaw", "pitch", "roll")


def rows(report: Report, faces: FaceEncoders) -> list[dict[str, Any]]:
    """R2 of every coefficient and of the head's angles, and how often an identity is found, by encoder and input."""
    clips: list[list[FaceClip | None]] = []
    total = FIT_ACTORS + TEST_ACTORS
    with closing(build_estimator()) as estimator:
        for index in range(total):
            seed = FIRST_SEED + index
            clips.append([])
            for take in range(CLIPS):
                what = seed + 1000 * (take + 1)
                performance = sample_performance(what, num_frames=NUM_FRAMES, framing="portrait")
                clips[-1].append(
                    draw_face_clip(
                        seed, performance, estimator, size=SIZES[(index + take) % len(SIZES)],
                        frames=slice(0, NUM_FRAMES, STEP), scene_seed=what,
                    )
                )  # fmt: skip
            report(index + 1, total)
    return probe_rows(clips, faces)


def probe_rows(clips: list[list[FaceClip | None]], faces: FaceEncoders) -> list[dict[str, Any]]:
    """The rows of clips by actor; the first `FIT_ACTORS` actors fit the probes."""
    tokens: dict[str, list[Tensor]] = {}
    truth, angles, who, take = [], [], [], []
    for index, own in enumerate(clips):
        for at, clip in enumerate(own):
            if clip is None or not bool(clip.counts.any()):
                continue
            for name, read in clip_tokens(faces, clip).items():
                tokens.setdefault(name, []).append(read[clip.counts])
            truth.append(clip.expression[clip.counts])
            angles.append(torch.rad2deg(clip.truth.head.angles_rad[clip.counts]))
            who.append(torch.full((int(clip.counts.sum()),), index))
            take.append(torch.full_like(who[-1], at))
    targets = torch.cat([torch.cat(truth), torch.cat(angles)], dim=1)
    person, number = torch.cat(who), torch.cat(take)
    fit, names = person < FIT_ACTORS, [*EXPRESSION, *(f"head_{axis}" for axis in HEAD)]
    found: list[dict[str, Any]] = []
    for name, parts in tokens.items():
        every = torch.cat(parts)
        probe = fit_probe(every[fit], targets[fit])
        scores = explained(probe.read(every[~fit]), targets[~fit])
        for metric, value in zip(names, scores.tolist(), strict=True):
            if value == value:
                found.append({"set": name, "metric": f"r2_{metric}", "value": value, "n": int((~fit).sum())})
        found += _identity_rows(name, every[~fit], person[~fit] - FIT_ACTORS, number[~fit])
    return found


def _identity_rows(name: str, tokens: Tensor, person: Tensor, take: Tensor) -> list[dict[str, Any]]:
    """How often a moment, or the mean of a clip, finds the same actor's other clip."""
    both = [p for p in person.unique().tolist() if all(bool(((person == p) & (take == t)).any()) for t in range(CLIPS))]
    if len(both) < 2:
        return []
    generator = torch.Generator().manual_seed(0)
    rates = []
    for _ in range(GALLERIES):
        picks = [_one_of(tokens[(person == p) & (take == 0)], generator) for p in both]
        queries = [_one_of(tokens[(person == p) & (take == 1)], generator) for p in both]
        rates.append(retrieval_rate(torch.stack(queries), torch.arange(len(both)), torch.stack(picks)))
    means = [torch.stack([tokens[(person == p) & (take == t)].mean(dim=0) for p in both]) for t in range(CLIPS)]
    clip_rate = retrieval_rate(means[1], torch.arange(len(both)), means[0])
    return [
        {"set": name, "metric": metric, "value": value, "n": len(both)}
        for metric, value in (
            ("identity_percent", 100 * sum(rates) / len(rates)),
            ("identity_by_clip_percent", 100 * clip_rate),
            ("identity_chance_percent", 100 / len(both)),
        )
    ]


def _one_of(rows: Tensor, generator: torch.Generator) -> Tensor:
    return rows[int(torch.randint(len(rows), (), generator=generator))]
