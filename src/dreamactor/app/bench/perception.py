"""Measures the ordinary perception on actors, whose truth is known exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from dreamactor.data.actors import FRAMINGS, Cast, Framing, render, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.body import STYLES, Style
from dreamactor.errors import NoPersonError
from dreamactor.evaluation.tracks import body_yaw_deg, face_overlaps, head_errors_deg, joint_errors
from dreamactor.perception.base import PersonEstimator
from dreamactor.perception.build import build_estimator
from dreamactor.perception.perceive import perceive_image, perceive_video
from dreamactor.types.track import PersonTrack

FIRST_SEED = 5000
CLIP_FRAMES = 8
PERFORMANCE_FRAMES = 25
NEAR = 0.15
"""A body counts as found when the median joint is within this share of the torso."""
OVERLAP = 0.5
FRONTAL_DEG = 45.0
SIDEWAYS_DEG = 90.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What perception made of some frames of one actor; `found` is None where it saw nobody at all."""

    framing: Framing
    style: Style
    mode: str
    truth: PersonTrack
    found: PersonTrack | None


def bench_perception(*, num_frames: int, size: int, cast: Cast, report: Callable[[int, int], None]) -> list[dict[str, Any]]:
    """Rows of rates and errors, per framing: single pictures, and clips of 8 frames in tracking mode.

    Args:
        num_frames: per framing, as pictures and again as clips.
        size: width and height in pixels.
        cast: who performs.
        report: called with (frames done, frames in all).
    """
    seen: list[Seen] = []
    total = 2 * num_frames * len(FRAMINGS)
    done = 0
    with closing(build_estimator(static=True)) as still, closing(build_estimator()) as moving:
        for framing in FRAMINGS:
            for one in _look(framing, still, moving, num_frames=num_frames, size=size, cast=cast):
                seen.append(one)
                done += one.truth.num_frames
                report(done, total)
    rows = []
    for mode in ("picture", "clip"):
        for framing in FRAMINGS:
            rows += _rows([one for one in seen if (one.framing, one.mode) == (framing, mode)], framing, mode)
    return rows


def _look(
    framing: Framing, still: PersonEstimator, moving: PersonEstimator, *, num_frames: int, size: int, cast: Cast
) -> Iterator[Seen]:
    for index in range(num_frames):
        seed = FIRST_SEED + index
        clip = index < num_frames // CLIP_FRAMES
        actor = sample_actor(seed, cast=cast)
        performance = sample_performance(seed, num_frames=PERFORMANCE_FRAMES, framing=framing, cast=cast)
        scene = sample_scene(seed, framing=framing, cast=cast)
        first = (7 * index) % (PERFORMANCE_FRAMES - CLIP_FRAMES)
        frames = slice(first, first + (CLIP_FRAMES if clip else 1))
        drawn = render(actor, performance, scene, width=size, height=size, frames=frames)
        picture, _ = perceive_image(drawn.frames[0], estimator=still)
        yield Seen(framing=framing, style=actor.style, mode="picture", truth=drawn.track[0:1], found=picture)
        if clip:
            try:
                track = perceive_video(
                    ((frame, time) for time, frame in enumerate(drawn.frames)), time_base=Fraction(1, 25), estimator=moving
                )
            except NoPersonError:
                track = None
            yield Seen(framing=framing, style=actor.style, mode="clip", truth=drawn.track, found=track)


def _rows(seen: list[Seen], framing: Framing, mode: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []

    def add(metric: str, values: Tensor) -> None:
        if len(values):
            value = float(values.median() if "error" in metric else values.mean())
            rows.append({"set": framing, "mode": mode, "metric": metric, "value": value, "n": len(values)})

    joints, angles = [], []
    bodies: dict[str, list[Tensor]] = {style: [] for style in STYLES}
    faces: dict[str, list[Tensor]] = {style: [] for style in STYLES}
    for one in seen:
        count = one.truth.num_frames
        towards = body_yaw_deg(one.truth) < (SIDEWAYS_DEG if framing == "upper" else 181)
        frontal = torch.rad2deg(one.truth.head.angles_rad[:, 0]).abs() < FRONTAL_DEG
        frontal &= one.truth.face.tracked
        if one.found is None:
            near, overlap = torch.zeros(count, dtype=torch.bool), torch.zeros(count)
        else:
            error = joint_errors(one.found, one.truth)
            near = error.nanmedian(dim=1).values < NEAR  # NaN is not near
            overlap = face_overlaps(one.found, one.truth)
            joints.append(error[near])
            angles.append(head_errors_deg(one.found, one.truth)[near])
        bodies[one.style].append(near[towards])
        faces[one.style].append(overlap[frontal] > OVERLAP)
    for part, rates in (("body", bodies), ("face", faces)):
        add(f"{part}_rate", torch.cat([rate for found in rates.values() for rate in found]).float())
        for style, found in rates.items():
            if found:
                add(f"{part}_rate_{style}", torch.cat(found).float())
    if joints:
        flat = torch.cat(joints).flatten()
        add("joint_error_torso", flat[~flat.isnan()])
        turned = torch.cat(angles)
        for axis, name in enumerate(("yaw", "pitch", "roll")):
            known = turned[:, axis]
            add(f"{name}_error_deg", known[~known.isnan()])
    return rows
