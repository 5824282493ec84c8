"""Measures the errors of perceived tracks on training actors and compares the noise model with them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from itertools import product
from math import isfinite, pi
from statistics import median
from typing import Any, Final

import torch

from dreamactor.data.actors import (
    FRAMINGS,
    Framing,
    Rendering,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.errors import NoPersonError
from dreamactor.evaluation.track_noise import Pair, noise_statistics
from dreamactor.guidance.jitter import Noise, TrackJitter, jitter_track
from dreamactor.perception.build import build_estimator
from dreamactor.perception.perceive import perceive_video
from dreamactor.types.track import empty_track

FIRST_SEED: Final = 30_000
"""Training actors."""
CLIP_FRAMES: Final = 48
SIZE: Final = 256
MODEL_DRAWS: Final = 8
"""Noisy tracks of every exact one."""
ALL: Final = "all"
TURNS: Final = "turn"
SMALL_HEAD_METRICS: Final = tuple(
    f"{name}_{part}" for name in ("yaw", "pitch", "roll", "face") for part in ("bias", "drift")
)


def perceive_pairs(num_frames: int, report: Callable[[int, int], None]) -> dict[str, list[Pair]]:
    """Perceived and exact tracks of about so many frames, by framing; and of people who turn round (`TURNS`).

    Args:
        num_frames: in all; rounded up to whole clips, equally many of every set.
        report: called with (frames done, frames in all).
    """
    sets = (*FRAMINGS, TURNS)
    clips = -(-num_frames // (CLIP_FRAMES * len(sets)))
    total, done = clips * CLIP_FRAMES * len(sets), 0
    pairs: dict[str, list[Pair]] = {name: [] for name in sets}
    with closing(build_estimator()) as estimator:
        for name, index in product(sets, range(clips)):
            drawn = draw_clip(name, index)
            try:
                found = perceive_video(
                    ((frame, time) for time, frame in enumerate(drawn.frames)),
                    time_base=Fraction(1, 25),
                    estimator=estimator,
                )
            except NoPersonError:
                found = empty_track(CLIP_FRAMES, width=SIZE, height=SIZE, times=drawn.track.times)
            pairs[name].append((found, drawn.track))
            done += CLIP_FRAMES
            report(done, total)
    return pairs


def draw_clip(name: str, index: int) -> Rendering:
    """A clip of a set: of a framing, or half and whole figures in turn who turn round."""
    seed = FIRST_SEED + index
    turns: tuple[Framing, ...] = ("upper", "full")
    framing = turns[index % 2] if name == TURNS else next(one for one in FRAMINGS if one == name)
    return render(
        sample_actor(seed),
        sample_performance(seed, num_frames=CLIP_FRAMES, framing=framing, kind="turn" if name == TURNS else None),
        sample_scene(seed, framing=framing),
        width=SIZE,
        height=SIZE,
    )


def fit_jitter(pairs: dict[str, list[Pair]]) -> TrackJitter:
    """The noise model whose errors are as large as the perceived ones.

    Args:
        pairs: as from `perceive_pairs`; people who turn round tell the noise of turned heads alone.
    """
    measured = noise_statistics(_ordinary(pairs))
    turning = noise_statistics(pairs[TURNS])
    near = noise_statistics([pair for framing in ("portrait", "upper") for pair in pairs[framing]])
    far = noise_statistics(pairs["full"])
    ratios = [far[name] / near[name] for name in SMALL_HEAD_METRICS if near[name] > 0 and far[name] > 0]
    small_head = max(median(ratios), 1.0) if ratios else 1.0
    of_heads = small_head ** (-1 / len(FRAMINGS))  # what was measured mixes small heads and others

    def noise(name: str, unit: float = 1.0, source: dict[str, float] = measured) -> Noise:
        return Noise(**{part: _known(source[f"{name}_{part}"]) * unit for part in ("bias", "drift", "shake")})

    degree = pi / 180
    return TrackJitter(
        trunk=noise("trunk"), middle=noise("middle"), far=noise("far"), depth=_known(measured["depth_ratio"], 1.0),
        hand=noise("hand"), face=noise("face", of_heads), yaw=noise("yaw", of_heads * degree),
        pitch=noise("pitch", of_heads * degree), roll=noise("roll", of_heads * degree),
        yaw_turned=noise("yaw_turned", degree, turning), small_head=small_head, yaw_gain=_known(measured["yaw_gain"], 1.0),
        memory_frames=_memory_frames(median(_known(measured[f"{name}_memory"]) for name in ("trunk", "middle", "far"))),
        head_size_offset=_known(measured["head_size_offset"]), head_size=_known(measured["head_size_spread"]),
        head_place=noise("head_place"), hand_gaps=measured["hand_lost_share"], face_gaps=measured["face_lost_share"],
        joint_gaps=measured["joint_lost_share"], hand_gap_frames=max(measured["hand_lost_frames"], 1.0),
        face_gap_frames=max(measured["face_lost_frames"], 1.0), joint_gap_frames=max(measured["joint_lost_frames"], 1.0),
    )  # fmt: skip


def _ordinary(pairs: dict[str, list[Pair]]) -> list[Pair]:
    return [pair for framing in FRAMINGS for pair in pairs[framing]]


def _known(value: float, otherwise: float = 0.0) -> float:
    """What could not be measured on so few frames is taken for `otherwise`."""
    return value if isfinite(value) else otherwise


def _memory_frames(likeness: float) -> float:
    """The memory (1 to 10 frames) at which the model's drift, less its mean over a clip, is so alike after 4 frames."""
    apart = (torch.arange(CLIP_FRAMES)[:, None] - torch.arange(CLIP_FRAMES)).float()
    center = torch.eye(CLIP_FRAMES) - 1 / CLIP_FRAMES

    def after(memory: float) -> float:
        kept = center @ torch.exp(-(apart.square()) / (4 * memory**2)) @ center
        return float(kept.diagonal(4).mean() / kept.diagonal().mean())

    return min((1 + 0.25 * step for step in range(37)), key=lambda memory: abs(after(memory) - likeness))


def noise_rows(pairs: dict[str, list[Pair]], jitter: TrackJitter | None = None) -> list[dict[str, Any]]:
    """Rows {set, metric, measured, model, n}: statistics of perceived tracks and of the model's.

    Args:
        pairs: by framing.
        jitter: the model; the one that training uses if None.
    """
    rows = []
    for name, some in {ALL: _ordinary(pairs), **pairs}.items():
        measured = noise_statistics(some)
        generator = torch.Generator().manual_seed(0)
        model = noise_statistics([
            (jitter_track(truth, generator=generator, jitter=jitter), truth) for _, truth in some for _ in range(MODEL_DRAWS)
        ])  # fmt: skip
        frames = sum(truth.num_frames for _, truth in some)
        rows += [
            {"set": name, "metric": metric, "measured": value, "model": model[metric], "n": frames}
            for metric, value in measured.items()
        ]
    return rows
