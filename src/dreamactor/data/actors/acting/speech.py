"""Speech that nobody hears: phrases of syllables with stress and pauses, and the mouth that says them.

Sounds melt into each other: every viseme pulls at the mouth around its own moment, firmly or loosely (dominance functions
after Cohen and Massaro 1993), so that lips round before the 'oo' and still close for the 'm'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dreamactor.data.actors.acting.visemes import CONSONANTS, VISEMES, VOWELS, viseme_values
from dreamactor.data.actors.coefficients import COEFFICIENT

_ONSET: Final = (0.17, 0.07, 0.06, 0.17, 0.17, 0.12, 0.07, 0.11, 0.06)
_VOWEL: Final = (0.26, 0.24, 0.24, 0.15, 0.11)
_MOMENTS_AT_ONCE: Final = 500
_REACH_S: Final = 3.0
"""Sounds farther away do not pull at the mouth."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One viseme: its middle and length in seconds, and its loudness (size of the shape)."""

    viseme: str
    middle_s: float
    length_s: float
    size: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Speech:
    """What is said.

    Attributes:
        sounds: in order of time.
        stresses_s: moments of stressed syllables.
        pauses_s: (start, end) of the silences.
    """

    sounds: tuple[Sound, ...]
    stresses_s: tuple[float, ...]
    pauses_s: tuple[tuple[float, float], ...]


def speak(rng: np.random.Generator, duration_s: float) -> Speech:
    """Random speech from before the start to after the end."""
    rate = float(rng.uniform(0.8, 1.25))
    clear = float(rng.uniform(0.65, 1.15))
    sounds: list[Sound] = []
    stresses: list[float] = []
    pauses: list[tuple[float, float]] = []
    now = -float(rng.uniform(0, 0.8))
    while now < duration_s + 0.3:
        until = now + float(rng.uniform(0.7, 2.8))
        since = 1
        while now < until:
            stressed = since > 3 or (since > 1 and rng.random() < 0.5)
            since = 0 if stressed else since + 1
            size = clear * float(rng.uniform(0.95, 1.2) if stressed else rng.uniform(0.45, 0.85))
            if rng.random() < 0.85:
                now = _say(sounds, str(rng.choice(CONSONANTS, p=_ONSET)), now, 1.0 / rate, max(size, 0.75))
            vowel_s = now
            now = _say(sounds, str(rng.choice(VOWELS, p=_VOWEL)), now, (1.25 if stressed else 0.8) / rate, size)
            if stressed:
                stresses.append(0.5 * (vowel_s + now))
            if rng.random() < 0.3:
                now = _say(sounds, str(rng.choice(CONSONANTS, p=_ONSET)), now, 0.9 / rate, max(size, 0.75))
        pause = float(rng.choice((rng.uniform(0.12, 0.3), rng.uniform(0.35, 1.0))))
        pauses.append((now, now + pause))
        sounds.append(Sound("silence", now + pause / 2, pause, 1.0))
        now += pause
    return Speech(sounds=tuple(sounds), stresses_s=tuple(stresses), pauses_s=tuple(pauses))


def _say(sounds: list[Sound], viseme: str, start_s: float, slow: float, size: float) -> float:
    length = VISEMES[viseme].length_s * slow
    sounds.append(Sound(viseme, start_s + length / 2, length, size))
    return start_s + length


def spoken_mouth(speech: Speech, times_s: np.ndarray) -> np.ndarray:
    """[T, E] coefficients of the mouth at moments [T], in order of time."""
    middle = np.array([one.middle_s for one in speech.sounds])
    length = np.array([one.length_s for one in speech.sounds])
    strength = np.array([VISEMES[one.viseme].strength for one in speech.sounds])
    shapes = np.stack([one.size * viseme_values(one.viseme) for one in speech.sounds])
    parts = []
    for start in range(0, len(times_s), _MOMENTS_AT_ONCE):
        now = times_s[start : start + _MOMENTS_AT_ONCE]
        near = (middle > now[0] - _REACH_S) & (middle < now[-1] + _REACH_S)
        away = np.abs(now[:, None] - middle[near]) / (0.62 * length[near])
        pull = strength[near] * np.exp(-(away**1.6))
        parts.append((pull / (pull.sum(axis=1, keepdims=True) + 1e-6)) @ shapes[near])
    mouth = np.concatenate(parts)
    # Tight lips and an open jaw exclude each other; what is firmer wins.
    closed = np.clip(1.6 * mouth[:, COEFFICIENT["lip_press"]], 0, 1)
    for name in ("jaw_open", "lower_lip_drop", "upper_lip_raise", "mouth_funnel"):
        mouth[:, COEFFICIENT[name]] *= 1 - closed
    return np.clip(mouth, 0, 1)
