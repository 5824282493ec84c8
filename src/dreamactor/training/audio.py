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
from dreamactor.training.audio_heard import as_heard
from dreamactor.training.loop import LoopConfig, TrainingLoop

WINDOW: Final = 400
"""Moments of a training window: eight seconds."""
EDGE: Final = 30
"""Moments at either end of a window that hear too little to be judged."""
MUTE_RATE: Final = 0.15
"""Share of windows in which the voice is taken away: only what was behind it is heard."""
BABBLE: Final = 5
"""Voices of a crowd."""
SILENCE: Final = -18.4
"""Log-mel of no sound."""
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
    mouth = torch.stack([clip.mouth for clip in clips])  # [C, T, V] float16, as all that is kept
    spoken = torch.stack([clip.spoken for clip in clips])
    mels = torch.stack([clip.mels for clip in clips])  # [C, W, L, K]
    backgrounds = torch.stack([clip.background for clip in clips])
    spread = mouth.float().flatten(0, 1).var(dim=0).clamp(min=2e-3)
    motion = mouth.float().diff(dim=1).flatten(0, 1).square().mean(dim=0).clamp(min=2e-5)
    loop = TrainingLoop({"audio": encoder}, config, run, seed=seed)
    inner = slice(EDGE, WINDOW - EDGE)

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        def drawn(high: int, *shape: int) -> Tensor:
            return torch.randint(high, shape, generator=generator)

        chosen = drawn(len(clips), batch_size)
        talks = (torch.rand(batch_size, generator=generator) >= MUTE_RATE).float()
        voice = mels[chosen, drawn(mels.shape[1], batch_size)].float()
        voice = torch.where(talks[:, None, None] > 0, voice, torch.full_like(voice, SILENCE))
        crowd = mels[drawn(len(clips), batch_size, BABBLE), 0].float().exp().mean(dim=1).log()
        heard = as_heard(voice, backgrounds[drawn(len(clips), batch_size)].float(), crowd, generator=generator)
        heard = encoder.prepared(heard[..., : heard.shape[-1] // 2 * 2])
        starts = [int(one) for one in drawn(mouth.shape[1] - WINDOW + 1, batch_size)]
        out = encoder(torch.stack([one[:, 2 * at : 2 * (at + WINDOW)] for one, at in zip(heard, starts, strict=True)]))
        out = out.transpose(1, 2)[:, inner]
        places = torch.tensor(starts)[:, None] + torch.arange(WINDOW)[inner]
        truth = mouth[chosen[:, None], places].float() * talks[:, None, None]
        speech = spoken[chosen[:, None], places].float() * talks[:, None]
        error = (out[..., :-1] - truth).square().mean(dim=(0, 1)) / spread
        moved = (out[..., :-1].diff(dim=1) - truth.diff(dim=1)).square().mean(dim=(0, 1)) / motion
        sure = F.binary_cross_entropy_with_logits(out[..., -1], speech)
        report(loop.step + 1)
        loss = error.mean() + _MOTION_WEIGHT * 0.3 * moved.mean() + 0.3 * sure
        jaw = encoder.spoken.index("jaw_open")
        return loss, {
            "explained": float(1 - error.detach().mean()), "jaw": float(1 - error.detach()[jaw]),
            "voice": float(sure.detach()),
        }  # fmt: skip

    latest = loop.run(loss_of)
    loop.load_averaged()
    return latest


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
