"""Clips of talk: sound with pauses, and what the mouth does at every moment.

Axis letters: N samples at 16 kHz, T moments at `MOMENTS_HZ`, E expression coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dreamactor.data.actors import FIRST_HELD_OUT_SEED
from dreamactor.data.actors.curves import stream
from dreamactor.data.speech.espeak import Phone, say
from dreamactor.data.speech.languages import (
    HELD_OUT_VOICES,
    LANGUAGES,
    TRAINED,
    VOICES,
    held_out_sentences,
    training_sentences,
)
from dreamactor.data.speech.phonemes import lip_closures_s, mouth_of
from dreamactor.data.speech.wear import RATE_HZ, to_rate

MOMENTS_HZ: Final = 50
"""Moments of a second: at 0, 0.02, 0.04 ... seconds."""
SILENT_RATE: Final = 0.08
"""Share of clips in which nobody speaks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """One voice that talks.

    Attributes:
        samples: [N] float32 at 16 kHz, clean.
        expression: [T, E] float32 coefficients of the mouth.
        spoken: [T] bool, inside a sound.
        closures_s: middles of the sounds for which the lips meet.
        language, voice: who speaks.
    """

    samples: np.ndarray
    expression: np.ndarray
    spoken: np.ndarray
    closures_s: tuple[float, ...]
    language: str
    voice: str


def training_talk(seed: int, *, duration_s: float) -> Talk:
    """Random words of a trained language, by a voice that is learnt from.

    Raises:
        ValueError: a held-out seed.
        ConfigError: no espeak-ng.
    """
    if seed >= FIRST_HELD_OUT_SEED:
        raise ValueError(f"Held-out seeds start at {FIRST_HELD_OUT_SEED}, got {seed}.")
    rng = stream(seed, "talk")
    language = TRAINED[seed % len(TRAINED)]
    words = [word.strip(",") for sentence in training_sentences(language) for word in sentence.split()]
    variant = str(rng.choice(VOICES))
    if rng.random() < SILENT_RATE:
        return _assemble([], [], language=language, voice="", duration_s=duration_s)
    texts = []
    for _ in range(12):
        if rng.random() < 0.3:
            texts.append(str(rng.choice(training_sentences(language))))
        else:
            texts.append(" ".join(rng.choice(words, int(rng.integers(2, 9)))))
    return _talk(rng, language, variant, texts, duration_s=duration_s, faster=float(rng.uniform(0.85, 1.2)))


def held_out_talk(language: str, index: int, *, duration_s: float) -> Talk:
    """Held-out sentences by the index-th held-out voice; equal arguments give equal clips.

    Raises:
        ConfigError: no espeak-ng.
    """
    rng = stream(FIRST_HELD_OUT_SEED + index, f"talk {language}")
    variant = HELD_OUT_VOICES[index % len(HELD_OUT_VOICES)]
    sentences = list(held_out_sentences(language))
    texts = [sentences[(index + turn) % len(sentences)] for turn in range(8)]
    return _talk(rng, language, variant, texts, duration_s=duration_s, faster=1.0)


def _talk(
    rng: np.random.Generator, language: str, variant: str, texts: list[str], *, duration_s: float, faster: float
) -> Talk:
    rate, pitch, spread = int(rng.integers(120, 250)), int(rng.integers(10, 90)), int(rng.integers(25, 85))
    pieces: list[tuple[float, np.ndarray]] = []
    phones: list[Phone] = []
    now = float(rng.uniform(0.1, 0.8))
    for text in texts:
        said = say(text, voice=LANGUAGES[language].voice, variant=variant, words_per_minute=rate, pitch=pitch, spread=spread)
        samples = to_rate(said.samples, said.rate_hz, faster=faster)
        slow = len(said.samples) / said.rate_hz / (len(samples) / RATE_HZ)
        pieces.append((now, samples))
        phones += [Phone(one.ipa, now + one.start_s / slow, now + one.end_s / slow) for one in said.phones]
        now += len(samples) / RATE_HZ
        pause = float(rng.choice((rng.uniform(0.05, 0.3), rng.uniform(0.3, 1.2))))
        phones.append(Phone("", phones[-1].end_s, now + pause))
        now += pause
        if now > duration_s:
            break
    return _assemble(pieces, phones, language=language, voice=variant, duration_s=duration_s)


def _assemble(
    pieces: list[tuple[float, np.ndarray]], phones: list[Phone], *, language: str, voice: str, duration_s: float
) -> Talk:
    """Sound and mouth of the first `duration_s` seconds."""
    sound = np.zeros(int(duration_s * RATE_HZ), dtype=np.float32)
    for start_s, piece in pieces:
        first = round(start_s * RATE_HZ)
        kept = piece[: max(0, len(sound) - first)]
        sound[first : first + len(kept)] += kept
    times_s = np.arange(int(duration_s * MOMENTS_HZ)) / MOMENTS_HZ
    spoken = np.zeros(len(times_s), dtype=bool)
    for one in phones:
        if one.ipa:
            spoken |= (times_s >= one.start_s) & (times_s < one.end_s)
    return Talk(
        samples=sound,
        expression=mouth_of(phones, times_s).astype(np.float32),
        spoken=spoken,
        closures_s=tuple(at for at in lip_closures_s(phones) if at < duration_s - 0.1),
        language=language,
        voice=voice,
    )
