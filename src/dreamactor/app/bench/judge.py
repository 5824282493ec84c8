"""The judge's own error on held-out actors: on rendered pictures, and on what the shipped VAE makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor

from dreamactor.app.gallery import gallery_of
from dreamactor.data.actors import (
    FIRST_HELD_OUT_SEED,
    FRAMINGS,
    Framing,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.evaluation.judge import Judge, Reading, angle_errors_deg, face_shows, point_errors
from dreamactor.geometry.skeleton import BODY_JOINTS
from dreamactor.models.vae import VideoVAE
from dreamactor.types.track import PersonTrack
from dreamactor.video.tensor import to_frames, to_model

FIRST_SEED: Final = FIRST_HELD_OUT_SEED + 80_000
SIZE: Final = 256
CLIP_FRAMES: Final = 5
"""Neighbouring frames: what a VAE of videos makes of frames that are no neighbours would be unfair to it."""
CLIPS: Final = (0, 60)
"""First frames of the two clips of every actor."""
IMAGES: Final = ("rendered", "vae")


def bench_judge(judge: Judge, vae: VideoVAE, *, num_actors: int, report: Callable[[int, int], None]) -> list[dict[str, Any]]:
    """Rows of the judge's errors, by framing and over all of them, and by kind of picture.

    Args:
        judge: the networks.
        vae: makes the round trips.
        num_actors: held-out actors per framing.
        report: called with (done, total).
    """
    rows: list[dict[str, Any]] = []
    total = num_actors * len(FRAMINGS)
    done = 0
    every: dict[str, list[dict[str, Tensor]]] = {kind: [] for kind in IMAGES}
    for framing in FRAMINGS:
        found: dict[str, list[dict[str, Tensor]]] = {kind: [] for kind in IMAGES}
        for index in range(num_actors):
            seed = FIRST_SEED + 1000 * FRAMINGS.index(framing) + index
            for kind, part in _actor_errors(judge, vae, seed, framing):
                found[kind].append(part)
            done += 1
            report(done, total)
        for kind, parts in found.items():
            rows += _rows(judge, framing, kind, parts)
            every[kind] += parts
    for kind, parts in every.items():
        rows += _rows(judge, "all", kind, parts)
    return rows


def _rows(judge: Judge, name: str, kind: str, parts: list[dict[str, Tensor]]) -> list[dict[str, Any]]:
    joined = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    count = len(parts) // len(CLIPS)
    return [
        {"set": name, "method": kind, "metric": metric, "value": value, "n": count}
        for metric, value in _summary(joined, judge.coefficients).items()
    ]


@torch.no_grad()
def _actor_errors(judge: Judge, vae: VideoVAE, seed: int, framing: Framing) -> list[tuple[str, dict[str, Tensor]]]:
    actor = sample_actor(seed)
    performance = sample_performance(seed, num_frames=CLIPS[-1] + CLIP_FRAMES, framing=framing)
    scene = sample_scene(seed, framing=framing)
    gallery = gallery_of(seed, framing, judge)
    found = []
    for start in CLIPS:
        span = slice(start, start + CLIP_FRAMES)
        drawn = render(actor, performance, scene, width=SIZE, height=SIZE, frames=span)
        again = to_frames(vae.decode(vae.encode(to_model(drawn.frames))))[0]
        for kind, frames in zip(IMAGES, (drawn.frames, again), strict=True):
            read = judge.read(frames, drawn.track)
            found.append((kind, _errors(read, drawn.track, drawn.expression, gallery.ranks_first(read.who, seed))))
    return found


def _errors(read: Reading, track: PersonTrack, expression: Tensor, first: Tensor) -> dict[str, Tensor]:
    return {
        "points": point_errors(read.points, track),
        "angles": angle_errors_deg(read.angles_rad, track),
        "read": read.expression,
        "expression": expression[:, [COEFFICIENT[name] for name in read.coefficients]],
        "shows": face_shows(track),
        "first": first,
    }


def _summary(found: dict[str, Tensor], coefficients: tuple[str, ...]) -> dict[str, float]:
    count = len(BODY_JOINTS)
    every, hands = found["points"], found["points"][:, count:]
    result = {
        "joints_median_percent": float(every.nanmedian()),
        "body_median_percent": float(every[:, :count].nanmedian()),
        "hands_median_percent": float(hands.nanmedian()),
        "yaw_mean_deg": float(found["angles"][:, 0].nanmean()),
        "yaw_median_deg": float(found["angles"][:, 0].nanmedian()),
        "pitch_mean_deg": float(found["angles"][:, 1].nanmean()),
        "roll_mean_deg": float(found["angles"][:, 2].nanmean()),
        "rank1_percent": float(found["first"].double().mean() * 100),
    }
    shows = found["shows"]
    if int(shows.sum()) > 20:
        read, truth = found["read"][shows].double(), found["expression"][shows].double()
        left = (read - truth).square().mean(dim=0)
        explained = 1 - left / truth.var(dim=0, unbiased=False).clamp(min=1e-9)
        result |= {f"r2_{name}": float(explained[index]) for index, name in enumerate(coefficients)}
    return {name: value for name, value in result.items() if value == value}  # without NaN
