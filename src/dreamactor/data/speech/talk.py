"""Clips of talk: sound with pauses, and what the mouth does at every moment.

Axis letters: N samples at 16 kHz, T moments at `MOMENTS_HZ`, E expression coefficients.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from dreamactor.data.actors import FIRST_HELD_OUT_SEED
from dreamactor.data.actors.curves import stream
from dreamactor.data.speech.espeak import Phone, Utterance, say
from dreamactor.data.speech.languages import (
    HELD_OUT_VOICES,
    LANGUAGES,
    TRAINED,
    VOICES,
    held_out_sentences,
    training_sentences,
)
from dreamactor.data.speech.phonemes import lip_closures_s, mouth_of
from dreamactor.data.speech.voices import (
    HELD_OUT_RECORDED,
    TRAINED_VOICES,
    RecordedVoice,
    installed,
    readable,
    say_recorded,
)
from dreamactor.data.speech.wear import RATE_HZ, to_rate

MOMENTS_HZ: Final = 50
"""Moments of a second: at 0, 0.02, 0.04 ... seconds."""
SILENT_RATE: Final = 0.08
"""Share of clips in which nobody speaks."""
RECORDED_RATE: Final = 0.55
"""Share of clips by voices that are made of recordings, where any are installed."""


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
    variant = str(rng.choice(VOICES))
    if rng.random() < SILENT_RATE:
        return _assemble([], [], language=language, voice="", duration_s=duration_s)
    recorded = [voice for voice in TRAINED_VOICES if installed(voice)]
    faster = float(rng.uniform(0.85, 1.2))
    if recorded and rng.random() < RECORDED_RATE:
        voice = recorded[int(rng.integers(len(recorded)))]
        return _recorded(rng, voice, _readable_texts(rng, voice), duration_s=duration_s, faster=faster)
    return _talk(rng, language, variant, _random_texts(rng, language, 12), duration_s=duration_s, faster=faster)


def _random_texts(rng: np.random.Generator, language: str, count: int) -> list[str]:
    """Training sentences, and their words in new orders."""
    sentences = training_sentences(language)
    words = [word.strip(",") for sentence in sentences for word in sentence.split()]
    return [
        str(rng.choice(sentences)) if rng.random() < 0.3 else " ".join(rng.choice(words, int(rng.integers(2, 9))))
        for _ in range(count)
    ]


def _readable_texts(rng: np.random.Generator, voice: RecordedVoice) -> list[str]:
    """Texts of random trained languages whose letters the voice reads."""
    languages = [name for name in TRAINED if readable(training_sentences(name)[0], voice)]
    texts = [_random_texts(rng, str(rng.choice(languages)), 1)[0] for _ in range(5)]
    return [text for text in (readable(one, voice) for one in texts) if text]


def held_out_recorded(index: int, *, duration_s: float) -> Talk | None:
    """Held-out sentences by the index-th held-out voice that is made of recordings; None where it is not installed."""
    voice = HELD_OUT_RECORDED[index % len(HELD_OUT_RECORDED)]
    if not installed(voice):
        return None
    rng = stream(FIRST_HELD_OUT_SEED + index, f"recorded {voice.name}")
    languages = ("english",) if voice.sounds == "arpabet" else ("spanish", "portuguese", "german")
    sentences = [readable(one, voice) for name in languages for one in held_out_sentences(name)]
    texts = [sentences[(index + turn) % len(sentences)] for turn in range(5)]
    return _recorded(rng, voice, texts, duration_s=duration_s, faster=1.0)


def _recorded(rng: np.random.Generator, voice: RecordedVoice, texts: list[str], *, duration_s: float, faster: float) -> Talk:
    """The texts by a voice that is made of recordings, at a random rate and height."""
    slower, pitch_hz = float(rng.uniform(0.8, 1.35)), int(rng.integers(80, 240))
    said = say_recorded(texts, voice, slower=slower, pitch_hz=pitch_hz if rng.random() < 0.6 else 0)
    return _said(rng, said, language=voice.sounds, voice=voice.name, duration_s=duration_s, faster=faster)


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
    name = LANGUAGES[language].voice
    said = (say(text, voice=name, variant=variant, words_per_minute=rate, pitch=pitch, spread=spread) for text in texts)
    return _said(rng, said, language=language, voice=variant, duration_s=duration_s, faster=faster)


def _said(
    rng: np.random.Generator, said: Iterable[Utterance], *, language: str, voice: str, duration_s: float, faster: float
) -> Talk:
    """One utterance after the other, with pauses, until the time is over."""
    pieces: list[tuple[float, np.ndarray]] = []
    phones: list[Phone] = []
    now = float(rng.uniform(0.1, 0.8))
    for one in said:
        if len(one.samples) < 0.05 * one.rate_hz:  # a voice may make nothing of a single letter
            continue
        samples = to_rate(one.samples, one.rate_hz, faster=faster)
        slow = len(one.samples) / one.rate_hz / (len(samples) / RATE_HZ)
        pieces.append((now, samples))
        phones += [Phone(phone.ipa, now + phone.start_s / slow, now + phone.end_s / slow) for phone in one.phones]
        now += len(samples) / RATE_HZ
        pause = float(rng.choice((rng.uniform(0.05, 0.3), rng.uniform(0.3, 1.2))))
        phones.append(Phone("", phones[-1].end_s, max(now + pause, phones[-1].end_s)))
        now += pause
        if now > duration_s:
            break
    return _assemble(pieces, phones, language=language, voice=voice, duration_s=duration_s)


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
