"""Trains the landmark face encoder on exact face points of many actors with perception's errors added. Draws no picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.data.actors import FIRST_HELD_OUT_SEED, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import build_figure
from dreamactor.data.actors.scene import place_camera
from dreamactor.guidance.face_crop import normalize_landmarks
from dreamactor.guidance.jitter import jitter_track
from dreamactor.models.face_motion import LandmarkFaceEncoder
from dreamactor.training.loop import LoopConfig, TrainingLoop


def face_pairs(seeds: range, *, frames_each: int, report: Callable[[int, int], None] | None = None) -> tuple[Tensor, Tensor]:
    """Pose-normalised points [N, P, 3] as perception would give them, and the expressions [N, E] behind them."""
    if seeds.stop > FIRST_HELD_OUT_SEED:
        raise ValueError(f"Training seeds end below {FIRST_HELD_OUT_SEED}, got {seeds}.")
    points, codes = [], []
    for index, seed in enumerate(seeds):
        actor = sample_actor(seed)
        performance = sample_performance(seed, num_frames=frames_each, fps=4.0, framing="portrait")
        figure = build_figure(actor, performance)
        camera = place_camera(
            sample_scene(seed, framing="portrait"), actor.body, figure.joints, "portrait", width=256, height=256
        )
        track = exact_track(actor, figure, performance, camera, width=256, height=256)
        jittered = jitter_track(track, generator=torch.Generator().manual_seed(seed))
        found = jittered.face.tracked
        points.append(normalize_landmarks(jittered.face, jittered.head)[found])
        codes.append(performance.expression[found])
        if report:
            report(index + 1, len(seeds))
    return torch.cat(points), torch.cat(codes)


def train_landmark_encoder(
    encoder: LandmarkFaceEncoder,
    points: Tensor,
    codes: Tensor,
    run: Path,
    config: LoopConfig,
    *,
    batch_size: int,
    seed: int,
) -> dict[str, float]:
    """Trains in place (averaged weights); returns the share of variance explained on the last window."""
    encoder.point_mean.copy_(points.mean(dim=0))
    encoder.point_std.copy_(points.std(dim=0).clamp(min=0.01))
    loop = TrainingLoop({"face": encoder}, config, run, seed=seed)
    spread = codes.var(dim=0).clamp(min=1e-4)

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        picks = torch.randint(len(points), (batch_size,), generator=generator)
        error = F.mse_loss(encoder(points[picks]), codes[picks], reduction="none").mean(dim=0)
        return (error / spread).mean(), {"explained": float(1 - (error.detach() / spread).mean())}

    latest = loop.run(loss_of)
    loop.load_averaged()
    return latest
