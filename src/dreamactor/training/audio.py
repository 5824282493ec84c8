"""Trains the audio encoder: what the mouth does, from log-mel; then the two linear maps, from a model's own face encoder.

The maps are least squares over faces of many actors that make the same expressions: free numbers of the tokens that the
landmark encoder gives, and moves of the face points, each against the actor's own mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.data.actors import sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import build_figure
from dreamactor.data.actors.scene import place_camera
from dreamactor.data.faces import FIRST_FACE_SEED, sample_faces
from dreamactor.data.speech.clips import TalkClip
from dreamactor.guidance.face_crop import normalize_landmarks
from dreamactor.models.audio_motion import AudioMotionEncoder
from dreamactor.models.face_motion import LandmarkFaceEncoder
from dreamactor.training.loop import LoopConfig, TrainingLoop

WINDOW: Final = 200
"""Moments of a training window: four seconds."""
EDGE: Final = 30
"""Moments at either end of a window that hear too little to be judged."""
MAP_ACTORS, MAP_MOMENTS = 120, 60
_RIDGE: Final = 3e-3
_MOTION_WEIGHT: Final = 1.0
"""Of errors of the change from moment to moment, in units of its spread."""


def train_audio_encoder(
    encoder: AudioMotionEncoder,
    clips: Sequence[TalkClip],
    run: Path,
    config: LoopConfig,
    *,
    batch_size: int,
    seed: int,
    report: Callable[[int], None] = lambda done: None,
) -> dict[str, float]:
    """Trains the network in place (averaged weights); returns the share of the mouth's variance that is explained.

    Args:
        encoder: its spoken coefficients are the clips'.
        clips: what is heard, and the truth.
        run: folder of checkpoint and log.
        config: the loop's.
        batch_size: windows a step.
        seed: of batches.
        report: called with the steps done.
    """
    mouth = torch.stack([clip.mouth for clip in clips]).float()  # [C, T, V]
    spoken = torch.stack([clip.spoken for clip in clips]).float()
    mels = torch.stack([clip.mels for clip in clips])  # [C, W, L, K] float16
    spread = mouth.flatten(0, 1).var(dim=0).clamp(min=2e-3)
    motion = mouth.diff(dim=1).flatten(0, 1).square().mean(dim=0).clamp(min=2e-5)
    loop = TrainingLoop({"audio": encoder}, config, run, seed=seed)
    inner = slice(EDGE, WINDOW - EDGE)

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        heard, goal, speaks = [], [], []
        for _ in range(batch_size):
            clip = int(torch.randint(len(clips), (), generator=generator))
            version = int(torch.randint(mels.shape[1], (), generator=generator))
            start = int(torch.randint(mouth.shape[1] - WINDOW + 1, (), generator=generator))
            heard.append(mels[clip, version, :, 2 * start : 2 * (start + WINDOW)].float())
            goal.append(mouth[clip, start : start + WINDOW])
            speaks.append(spoken[clip, start : start + WINDOW])
        batch = _varied(torch.stack(heard), generator=generator)
        out = encoder(batch).transpose(1, 2)[:, inner]
        truth, speech = torch.stack(goal)[:, inner], torch.stack(speaks)[:, inner]
        error = (out[..., :-1] - truth).square().mean(dim=(0, 1)) / spread
        moved = (out[..., :-1].diff(dim=1) - truth.diff(dim=1)).square().mean(dim=(0, 1)) / motion
        voice = F.binary_cross_entropy_with_logits(out[..., -1], speech)
        report(loop.step + 1)
        loss = error.mean() + _MOTION_WEIGHT * 0.3 * moved.mean() + 0.3 * voice
        jaw = encoder.spoken.index("jaw_open")
        return loss, {
            "explained": float(1 - error.detach().mean()), "jaw": float(1 - error.detach()[jaw]),
            "voice": float(voice.detach()),
        }  # fmt: skip

    latest = loop.run(loss_of)
    loop.load_averaged()
    return latest


def _varied(mels: Tensor, *, generator: torch.Generator) -> Tensor:
    """[B, L, K] with another level, colour and vocal tract each: shifts of the logarithm, a tilt, and bands moved up or
    down by up to two."""
    batch, bands, _ = mels.shape

    def draw(spread: float) -> Tensor:
        return (torch.rand(batch, 1, 1, generator=generator) * 2 - 1) * spread

    place = torch.linspace(-1, 1, bands)[:, None]
    shift = torch.randint(-2, 3, (batch,), generator=generator)
    moved = torch.stack([_moved(one, int(by)) for one, by in zip(mels, shift, strict=True)])
    return (moved + draw(2.0) + draw(1.5) * place).clamp(min=-13.9)


def _moved(mel: Tensor, by: int) -> Tensor:
    """[L, K] with its bands moved up by that many; the end band is repeated."""
    index = (torch.arange(len(mel)) - by).clamp(0, len(mel) - 1)
    return mel[index]


@torch.no_grad()
def fit_maps(encoder: AudioMotionEncoder, faces: LandmarkFaceEncoder, *, num_actors: int = MAP_ACTORS) -> dict[str, float]:
    """Fits the encoder's linear maps to a model's face encoder, in place; returns the shares of variance explained."""
    codes, free, points = [], [], []
    columns = [COEFFICIENT[name] for name in encoder.coefficients]
    for seed in range(FIRST_FACE_SEED, FIRST_FACE_SEED + 2 * num_actors, 2):
        expression, marks = _frontal(seed)
        tokens = faces(marks)
        codes.append(expression[:, columns])
        free.append(tokens[:, len(columns) :])
        points.append(marks.flatten(1))
    means = [torch.stack([one.mean(dim=0) for one in part]) for part in (codes, free)]
    x = torch.cat([one - one.mean(dim=0) for one in codes]).double()
    gram = x.T @ x + _RIDGE * len(x) * x.var(dim=0).mean() * torch.eye(x.shape[1], dtype=torch.float64)
    found = {}
    for name, parts in (("token_matrix", free), ("point_matrix", points)):
        y = torch.cat([one - one.mean(dim=0) for one in parts]).double()
        matrix = torch.linalg.solve(gram, x.T @ y).T
        getattr(encoder, name).copy_(matrix.float())
        left = (y - x @ matrix.T).square().sum(dim=0)
        found[name] = float(1 - (left.sum() / y.square().sum()))
    encoder.token_shift.copy_(means[1].mean(dim=0) - encoder.token_matrix @ means[0].mean(dim=0))
    return found


def _frontal(seed: int) -> tuple[Tensor, Tensor]:
    """An actor who looks ahead: expressions [N, E] and pose-normalised face points [N, P, 3]."""
    performance = sample_performance(seed, num_frames=MAP_MOMENTS, fps=1.0, framing="portrait")
    performance = replace(
        performance,
        expression=sample_faces(seed, num_moments=MAP_MOMENTS), channels=torch.zeros_like(performance.channels),
    )  # fmt: skip
    actor = sample_actor(seed)
    figure = build_figure(actor, performance)
    camera = place_camera(
        sample_scene(seed, framing="portrait"), actor.body, figure.joints, "portrait", width=256, height=256
    )
    track = exact_track(actor, figure, performance, camera, width=256, height=256)
    seen = track.face.tracked
    return performance.expression[seen], normalize_landmarks(track.face, track.head)[seen]
