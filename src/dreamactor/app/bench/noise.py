"""Measures the errors of perceived tracks on training actors and compares the noise model with them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from math import pi
from typing import Any, Final

import torch

from dreamactor.data.actors import FRAMINGS, render, sample_actor, sample_performance, sample_scene
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


def perceive_pairs(num_frames: int, report: Callable[[int, int], None]) -> dict[str, list[Pair]]:
    """Perceived and exact tracks of about so many frames, by framing.

    Args:
        num_frames: in all; rounded up to whole clips, equally many of every framing.
        report: called with (frames done, frames in all).
    """
    clips = -(-num_frames // (CLIP_FRAMES * len(FRAMINGS)))
    total, done = clips * CLIP_FRAMES * len(FRAMINGS), 0
    pairs: dict[str, list[Pair]] = {framing: [] for framing in FRAMINGS}
    with closing(build_estimator()) as estimator:
        for framing in FRAMINGS:
            for seed in range(FIRST_SEED, FIRST_SEED + clips):
                drawn = render(
                    sample_actor(seed),
                    sample_performance(seed, num_frames=CLIP_FRAMES, framing=framing),
                    sample_scene(seed, framing=framing),
                    width=SIZE,
                    height=SIZE,
                )
                try:
                    found = perceive_video(
                        ((frame, time) for time, frame in enumerate(drawn.frames)),
                        time_base=Fraction(1, 25),
                        estimator=estimator,
                    )
                except NoPersonError:
                    found = empty_track(CLIP_FRAMES, width=SIZE, height=SIZE, times=drawn.track.times)
                pairs[framing].append((found, drawn.track))
                done += CLIP_FRAMES
                report(done, total)
    return pairs


def fit_jitter(pairs: list[Pair]) -> TrackJitter:
    """The noise model whose errors are as large as the perceived ones."""
    measured = noise_statistics(pairs)

    def noise(name: str, unit: float = 1.0) -> Noise:
        return Noise(**{part: measured[f"{name}_{part}"] * unit for part in ("bias", "drift", "shake")})

    return TrackJitter(
        trunk=noise("trunk"), middle=noise("middle"), far=noise("far"), depth=measured["depth_ratio"], hand=noise("hand"),
        face=noise("face"), yaw=noise("yaw", pi / 180), pitch=noise("pitch", pi / 180), roll=noise("roll", pi / 180),
        yaw_gain=measured["yaw_gain"], memory_frames=_memory_frames(measured["far_memory"]),
        head_size_offset=measured["head_size_offset"], head_size=measured["head_size_spread"],
        head_place=measured["head_place"], hand_gaps=measured["hand_lost_share"], face_gaps=measured["face_lost_share"],
        joint_gaps=measured["joint_lost_share"], hand_gap_frames=measured["hand_lost_frames"],
        face_gap_frames=measured["face_lost_frames"], joint_gap_frames=measured["joint_lost_frames"],
    )  # fmt: skip


def _memory_frames(memory: float) -> float:
    """The model's memory for a likeness after 4 frames (of draws smoothed with a bell of that width), 1 to 8 frames."""
    likeness = min(max(memory, 0.02), 0.95)
    return min(max((4.0 / (-torch.tensor(likeness).log().item())) ** 0.5, 1.0), 8.0)


def noise_rows(pairs: dict[str, list[Pair]], jitter: TrackJitter | None = None) -> list[dict[str, Any]]:
    """Rows {set, metric, measured, model, n}: statistics of perceived tracks and of the model's, per framing and in all.

    Args:
        pairs: by framing.
        jitter: the model; the one that training uses if None.
    """
    rows = []
    everything = [pair for some in pairs.values() for pair in some]
    for name, some in {ALL: everything, **pairs}.items():
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
