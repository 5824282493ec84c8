"""What is heard where nobody speaks, or behind somebody: made here, from random numbers."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from dreamactor.data.speech.wear import RATE_HZ, coloured_noise, music


def background(rng: np.random.Generator, count: int) -> np.ndarray:
    """[N] of level one: one to three of noise, wind, music, held strings, knocks and steps, chirps and beeps."""
    makers = (coloured_noise, wind, music, strings, knocks, chirps)
    chosen = rng.choice(len(makers), int(rng.integers(1, 4)), replace=False, p=(0.2, 0.15, 0.2, 0.2, 0.15, 0.1))
    mixed = sum(10 ** (-float(rng.uniform(0, 20)) / 20) * makers[index](rng, count) for index in chosen)
    return _level_one(np.asarray(mixed))


def wind(rng: np.random.Generator, count: int) -> np.ndarray:
    """[N] noise that swells as fast as syllables or as slowly as gusts; its colour changes with its level."""
    dark, bright = coloured_noise(rng, count), coloured_noise(rng, count)
    swell = _slow(rng, count, hertz=float(rng.uniform(0.3, 6)))
    return _level_one(np.exp(float(rng.uniform(0.5, 2)) * swell) * (dark + bright * np.clip(swell, 0, None)))


def strings(rng: np.random.Generator, count: int) -> np.ndarray:
    """[N] tones held for seconds, several at a time, with vibrato and slow swells."""
    times, out = np.arange(count) / RATE_HZ, np.zeros(count)
    steepness = float(rng.uniform(0.4, 2.0))
    now = -2.0
    while now < count / RATE_HZ:
        held_s, root = float(rng.uniform(1, 6)), float(rng.uniform(80, 500))
        shape = np.clip(np.minimum(times - now, now + held_s - times) / float(rng.uniform(0.1, 0.8)), 0, 1)
        for ratio in rng.choice((1.0, 1.2, 1.25, 1.5, 2.0, 3.0), int(rng.integers(1, 4)), replace=False):
            depth = float(rng.uniform(0, 0.006)) / 5.5
            phase = 2 * np.pi * root * ratio * (times + depth / 6.28 * np.sin(2 * np.pi * 5.5 * times + rng.random()))
            for partial in range(1, int(min(20, 7500 / (root * ratio))) + 1):
                out += shape * partial**-steepness * np.sin(partial * phase + 6.28 * rng.random())
        now += held_s * float(rng.uniform(0.4, 1.0))
    return _level_one(out)


def knocks(rng: np.random.Generator, count: int) -> np.ndarray:
    """[N] steps, knocks, clicks and rustle: short, of any colour, even in time or not."""
    out = np.zeros(count)
    every_s, even = float(rng.uniform(0.12, 1.5)), rng.random() < 0.5
    now, kind = float(rng.uniform(0, 0.5)), rng.uniform(size=3)
    while now < count / RATE_HZ:
        kind = kind if even else rng.uniform(size=3)
        length = int(RATE_HZ * 10 ** (-2.5 + 2.0 * kind[0]))
        start = int(now * RATE_HZ)
        hit = rng.standard_normal(length) * np.exp(-5 * np.arange(length) / length)
        pole, hertz = 0.3 + 0.69 * kind[1], 100 * 50 ** kind[2]
        hit = lfilter([1 - pole], [1, -2 * pole * np.cos(2 * np.pi * hertz / RATE_HZ), pole**2], hit)
        kept = hit[: count - start]
        out[start : start + len(kept)] += float(rng.uniform(0.3, 1)) * kept / (np.abs(hit).max() + 1e-9)
        now += every_s * (float(rng.uniform(0.9, 1.1)) if even else float(rng.exponential(1.0)) + 0.03)
    return _level_one(out)


def chirps(rng: np.random.Generator, count: int) -> np.ndarray:
    """[N] birds, whistles and beeps: single tones that glide or stay."""
    out, now = np.zeros(count), float(rng.uniform(0, 1))
    while now < count / RATE_HZ:
        length_s, start = 10 ** float(rng.uniform(-1.5, 0)), int(now * RATE_HZ)
        times = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
        first, last = rng.uniform(500, 6000), rng.uniform(500, 6000)
        last = first if rng.random() < 0.4 else last
        tone = (
            np.sin(2 * np.pi * (first * times + (last - first) * times**2 / (2 * length_s))) * np.hanning(len(times)) ** 0.5
        )
        kept = tone[: count - start]
        out[start : start + len(kept)] += float(rng.uniform(0.2, 1)) * kept
        now += length_s + float(rng.exponential(0.5))
    return _level_one(out)


def _slow(rng: np.random.Generator, count: int, *, hertz: float) -> np.ndarray:
    """[N] a random curve about 0, of spread 1, that changes that many times a second."""
    knots = rng.standard_normal(int(count / RATE_HZ * hertz) + 3)
    return np.interp(np.arange(count) / RATE_HZ * hertz, np.arange(len(knots)), knots)


def _level_one(sound: np.ndarray) -> np.ndarray:
    return np.asarray(sound / (np.sqrt(np.mean(sound**2)) + 1e-9), dtype=np.float32)
