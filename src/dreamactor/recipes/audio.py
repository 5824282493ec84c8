"""The audio encoder's recipe: talk by synthesisers, worn, then the network, then its maps to a model; resumable.

clips/   sound as heard, and the mouth's truth    (data.speech)
audio/   checkpoint and log of the training
model/   the finished encoder
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from dreamactor.data.speech.clips import FIRST_TALK_SEED, SPOKEN, build_talk_clip, load_talk_clip, talk_clip_path
from dreamactor.data.speech.espeak import say
from dreamactor.data.workers import in_parallel
from dreamactor.errors import ConfigError
from dreamactor.inference.audio_encoder import AUDIO_FILE, save_audio_encoder
from dreamactor.models.audio_motion import AudioMotionEncoder
from dreamactor.models.face_motion import LandmarkFaceEncoder
from dreamactor.recipes.stage import train_once
from dreamactor.training.audio import fit_maps, train_audio_encoder
from dreamactor.training.loop import LoopConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioRecipe:
    """How much of everything.

    Attributes:
        num_clips: clips of twelve seconds, each worn in two ways.
        steps: optimizer steps.
        batch: windows of eight seconds a step.
        num_map_actors: whose faces the linear maps are fitted to.
        workers: processes that speak.
        seed: of everything.
    """

    num_clips: int = 480
    steps: int = 5000
    batch: int = 6
    num_map_actors: int = 60
    workers: int = 1
    seed: int = 0

    def scaled(self, factor: float) -> AudioRecipe:
        """Less of everything that takes time."""
        return replace(
            self,
            num_clips=max(2, round(self.num_clips * factor)),
            steps=max(2, round(self.steps * factor)),
            num_map_actors=max(2, round(self.num_map_actors * factor)),
        )


Report = Callable[[str, int, int], None]
"""(stage, done, total)."""


def train_audio(run: Path, recipe: AudioRecipe, faces: LandmarkFaceEncoder, report: Report) -> AudioMotionEncoder:
    """Trains the audio encoder; the finished one also lies in `run / "model"`.

    Args:
        run: folder of the run; one that is finished is only fitted to `faces` again.
        recipe: how much of everything.
        faces: whose tokens it shall give.
        report: called with the progress.

    Raises:
        ConfigError: clips are missing, and there is no espeak-ng to make them; or `faces` cannot be spoken to.
    """
    if not set(SPOKEN) <= set(faces.coefficients):
        raise ConfigError(
            "The model's face encoders do not name the coefficients that speech moves. Train face encoders first: "
            "dreamactor train face."
        )
    torch.manual_seed(recipe.seed)
    encoder = AudioMotionEncoder(code_dim=faces.code_dim, coefficients=faces.coefficients, spoken=SPOKEN)

    def stage() -> None:
        paths = _speak(run / "clips", recipe, report)
        config = LoopConfig(num_steps=recipe.steps, learning_rate=3e-3, warmup=100, ema_decay=0.998, log_every=100)
        train_audio_encoder(
            encoder, [load_talk_clip(path) for path in paths], run / "audio", config, batch_size=recipe.batch,
            seed=recipe.seed, report=lambda done: report("audio", done, recipe.steps),
        )  # fmt: skip

    train_once(run / "audio", encoder, stage)
    report("maps", 0, 1)
    fit_maps(encoder, faces, num_actors=recipe.num_map_actors)
    report("maps", 1, 1)
    save_audio_encoder(run / "model" / AUDIO_FILE, encoder.eval())
    return encoder


def _speak(folder: Path, recipe: AudioRecipe, report: Report) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    seeds = range(FIRST_TALK_SEED, FIRST_TALK_SEED + recipe.num_clips)
    missing = [seed for seed in seeds if not talk_clip_path(folder, seed).exists()]
    if missing:
        say("a", voice="en-us")  # says in one line if there is no synthesiser
        for done, _ in enumerate(in_parallel(partial(build_talk_clip, folder), missing, workers=recipe.workers), start=1):
            report("clips", done, len(missing))
    return [talk_clip_path(folder, seed) for seed in seeds]
