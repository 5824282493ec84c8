"""What the audio encoder learns from, as files: talk, twice worn, what may be heard behind it, and the mouth's truth.

Axis letters: W versions, L mel bands, K columns of 10 ms, T moments of 20 ms, V spoken coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from dreamactor.data.actors.acting.visemes import VISEMES
from dreamactor.data.actors.coefficients import COEFFICIENT, EXPRESSION
from dreamactor.data.actors.curves import stream
from dreamactor.data.speech.backgrounds import background
from dreamactor.data.speech.talk import training_talk
from dreamactor.data.speech.wear import worn
from dreamactor.errors import InputError
from dreamactor.models.audio_motion import log_mel
from dreamactor.video.output import atomic_path

SPOKEN: Final = tuple(name for name in EXPRESSION if any(name in viseme.shape for viseme in VISEMES.values()))
"""Coefficients that speech moves."""
FIRST_TALK_SEED: Final = 500_000
CLIP_S: Final = 12.0
NUM_VERSIONS: Final = 2
BACKGROUND_LEVEL: Final = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class TalkClip:
    """One voice, as heard in W ways.

    Attributes:
        mels: [W, L, K] float16 log-mel of the voice alone.
        background: [L, K] float16 log-mel of what may be heard behind it, or behind another.
        mouth: [T, V] float16 coefficients `SPOKEN`.
        spoken: [T] bool.
    """

    mels: Tensor
    background: Tensor
    mouth: Tensor
    spoken: Tensor


def draw_talk_clip(seed: int, *, duration_s: float = CLIP_S, versions: int = NUM_VERSIONS) -> TalkClip:
    """Equal seeds give equal clips where the same voices are installed.

    Raises:
        ConfigError: no espeak-ng.
    """
    talk, rng = training_talk(seed, duration_s=duration_s), stream(seed, "wear")
    mels = [
        log_mel(torch.from_numpy(worn(rng, talk.samples, clean=0.5 if index == 0 else 0.1))) for index in range(versions)
    ]
    behind = background(stream(seed, "background"), len(talk.samples)) * BACKGROUND_LEVEL
    columns = [COEFFICIENT[name] for name in SPOKEN]
    return TalkClip(
        mels=torch.stack(mels).half(),
        background=log_mel(torch.from_numpy(behind)).half(),
        mouth=torch.from_numpy(talk.expression[:, columns]).half().contiguous(),
        spoken=torch.from_numpy(talk.spoken),
    )


def talk_clip_path(folder: Path, seed: int) -> Path:
    """Where a clip lies."""
    return folder / f"talk_{seed:06d}.safetensors"


def build_talk_clip(folder: Path, seed: int) -> Path:
    """Makes one clip to a file, atomically; what is there is kept."""
    path = talk_clip_path(folder, seed)
    if not path.exists():
        clip = draw_talk_clip(seed)
        with atomic_path(path) as part:
            save_file({"mels": clip.mels, "background": clip.background, "mouth": clip.mouth, "spoken": clip.spoken}, part)
    return path


def load_talk_clip(path: Path) -> TalkClip:
    """Reads what `build_talk_clip` wrote.

    Raises:
        InputError: it is none, or an earlier version's.
    """
    parts = load_file(path)
    if set(parts) != set(TalkClip.__slots__):
        raise InputError(f"{path} holds {', '.join(parts)}, not a clip of talk as made now. Train in another folder.")
    return TalkClip(**parts)
