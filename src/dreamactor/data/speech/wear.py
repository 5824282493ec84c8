"""What happens to speech before it is heard: rooms, channels, noise, music, levels. All made here, from random numbers."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.signal import fftconvolve, lfilter, resample

RATE_HZ: Final = 16000
"""Of everything the audio encoder hears."""


def to_rate(samples: np.ndarray, rate_hz: int, *, faster: float = 1.0) -> np.ndarray:
    """Resamples [N] to `RATE_HZ`; `faster` plays it faster and higher by that factor."""
    count = round(len(samples) * RATE_HZ / (rate_hz * faster))
    padded = np.pad(samples, (0, -len(samples) % 441))  # a length that Fourier transforms take quickly
    grown = round(len(padded) * count / len(samples))
    return np.asarray(resample(padded, grown)[:count], dtype=np.float32)


def level_of(samples: np.ndarray) -> float:
    """Root mean square of what is not silence."""
    loud = np.abs(samples) > 1e-3
    return float(np.sqrt(np.mean(np.square(samples[loud])))) if loud.any() else 0.0


def coloured_noise(rng: np.random.Generator, count: int) -> np.ndarray:
    """[N] noise of level one with a random slope, humps and slow swells, now and then with a mains hum."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / RATE_HZ)
    shape = (frequency + 30.0) ** (-float(rng.uniform(-0.2, 1.2)))
    for _ in range(int(rng.integers(0, 3))):
        middle = float(rng.uniform(100, 6000))
        shape = shape * (1 + float(rng.uniform(0.5, 4)) * np.exp(-(((frequency - middle) / (0.3 * middle)) ** 2)))
    noise = np.fft.irfft(spectrum * shape, count)
    noise /= np.sqrt(np.mean(noise**2)) + 1e-9
    times = np.arange(count) / RATE_HZ
    noise *= 1 + float(rng.uniform(0, 0.6)) * np.sin(2 * np.pi * (float(rng.uniform(0.1, 1.5)) * times + rng.random()))
    if rng.random() < 0.25:
        hum = float(rng.choice((50.0, 60.0)))
        noise += 0.7 * sum(np.sin(2 * np.pi * hum * k * times + k) / k for k in (1, 2, 3, 5))
    return np.asarray(noise, dtype=np.float32)


def music(rng: np.random.Generator, count: int) -> np.ndarray:
    """[N] instrumental music of level one: chords, a melody, a bass and drums of a random key, beat and timbre."""
    beat = int(RATE_HZ * 60 / float(rng.uniform(70, 150)))
    out = np.zeros(count + 4 * beat)
    scale = np.array((0, 2, 4, 5, 7, 9, 11) if rng.random() < 0.5 else (0, 2, 3, 5, 7, 8, 10))
    root = float(rng.uniform(36, 48))
    partials = np.arange(1, int(rng.integers(3, 9)))
    weights = partials ** -float(rng.uniform(0.8, 2.2)) * (1 - float(rng.uniform(0, 0.8)) * (partials % 2 == 0))
    plucked, vibrato = float(rng.uniform(0.15, 1.5)), float(rng.uniform(0, 0.006))
    parts = {name: rng.random() < share for name, share in (("chords", 0.8), ("melody", 0.7), ("bass", 0.6), ("drums", 0.5))}
    parts["chords"] |= not any(parts.values())

    def note(start: int, length: int, pitch: float, size: float) -> None:
        times = np.arange(length) / RATE_HZ
        phase = 2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * (times + vibrato * np.sin(2 * np.pi * 5.5 * times) / 35)
        envelope = np.minimum(times / 0.012, 1) * np.exp(-times / plucked) * np.minimum((length / RATE_HZ - times) / 0.03, 1)
        out[start : start + length] += size * envelope * (weights[:, None] * np.sin(partials[:, None] * phase)).sum(axis=0)

    for start in range(0, count, beat):
        if start % (4 * beat) == 0:
            degree = int(rng.integers(0, 7))
            if parts["chords"]:
                for third in (0, 2, 4):
                    pitch = root + 12 + scale[(degree + third) % 7] + 12 * ((degree + third) // 7)
                    note(start, min(4 * beat, len(out) - start), pitch, 0.5)
        if parts["bass"]:
            note(start, min(beat, len(out) - start), root - 12 + scale[degree], 0.8)
        if parts["melody"]:
            for half in range(int(rng.integers(1, 3))):
                at = start + half * beat // 2
                note(at, min(beat, len(out) - at), root + 24 + scale[int(rng.integers(0, 7))], 0.6)
        if parts["drums"]:
            for at, bright in ((start, 0.2), (start + beat // 2, 0.9)):
                hit = rng.standard_normal(min(beat // 3, len(out) - at)) * np.exp(
                    -np.arange(min(beat // 3, len(out) - at)) / 700
                )
                out[at : at + len(hit)] += 0.8 * lfilter([bright], [1, bright - 1], hit)
    found = out[:count]
    return np.asarray(found / (np.sqrt(np.mean(found**2)) + 1e-9), dtype=np.float32)


def room(rng: np.random.Generator, samples: np.ndarray) -> np.ndarray:
    """[N] in a room of 0.1 to 0.7 seconds of echo; what is heard directly does not move in time."""
    decay_s = float(rng.uniform(0.1, 0.7))
    times = np.arange(int(RATE_HZ * decay_s)) / RATE_HZ
    echo = rng.standard_normal(len(times)) * np.exp(-6.9 * times / decay_s)
    echo *= float(rng.uniform(0.1, 0.9)) / (np.sqrt(np.sum(echo**2)) + 1e-9)
    echo[: int(0.002 * RATE_HZ)] = 0
    echo[0] = 1.0
    return np.asarray(fftconvolve(samples, echo)[: len(samples)], dtype=np.float32)


def channel(rng: np.random.Generator, samples: np.ndarray) -> np.ndarray:
    """[N] through a microphone: a smooth random colour of up to 10 dB, and cut at both ends like a telephone, some of it."""
    spectrum = np.fft.rfft(samples)
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    octave = np.log2(np.maximum(frequency, 40) / 40)
    knots = np.linspace(0, octave.max(), 7)
    gain = 10 ** (np.interp(octave, knots, rng.normal(0, 5, 7)) / 20)
    low, high = float(rng.uniform(20, 200)), float(rng.choice((3400.0, 5000.0, 7000.0, 8000.0), p=(0.15, 0.15, 0.3, 0.4)))
    gain /= np.sqrt(1 + (low / np.maximum(frequency, 1)) ** 4) * np.sqrt(1 + (frequency / high) ** 12)
    return np.asarray(np.fft.irfft(spectrum * gain, len(samples)), dtype=np.float32)


def breathy(rng: np.random.Generator, samples: np.ndarray, share: float) -> np.ndarray:
    """[N] with noise of the speech's own loudness and colour: a hoarse voice, which no synthesiser has."""
    noise = lfilter([1.0], [1.0, -0.5], rng.standard_normal(len(samples)))
    loudness = np.sqrt(np.convolve(np.square(samples), np.ones(200) / 200, mode="same"))
    return np.asarray(samples * (1 - share) + share * 0.8 * loudness * noise, dtype=np.float32)


def trembling(rng: np.random.Generator, samples: np.ndarray) -> np.ndarray:
    """[N] played a little faster and slower, several times a second, by up to 5 ms: a voice that is not quite even."""
    places = np.arange(len(samples), dtype=np.float64)
    knots = rng.standard_normal(int(len(samples) / RATE_HZ * 8) + 3)
    moved = np.interp(places / RATE_HZ * 8, np.arange(len(knots)), knots).clip(-2.5, 2.5)
    smooth = fftconvolve(moved, np.hanning(801) / np.hanning(801).sum(), mode="same")
    away = float(rng.uniform(0.2, 2.0)) / 1000 * RATE_HZ * smooth
    return np.asarray(np.interp(places + away, places, samples), dtype=np.float32)


def worn(rng: np.random.Generator, samples: np.ndarray, *, clean: float = 0.2) -> np.ndarray:
    """[N] as a voice might sound, without what is heard behind it: hoarse, uneven, in a room, through a microphone, at any
    level; `clean` is the share that stays as it is but for the level."""
    out = samples.copy()
    if rng.random() >= clean:
        if rng.random() < 0.5:
            out = trembling(rng, out)
        if rng.random() < 0.5:
            out = breathy(rng, out, float(rng.uniform(0.05, 0.7)))
        if rng.random() < 0.5:
            out = room(rng, out)
        if rng.random() < 0.5:
            out = channel(rng, out)
    peak = float(np.abs(out).max())
    if peak > 0:
        out = out * (10 ** (-float(rng.uniform(0, 26)) / 20) / peak)
    return np.asarray(out, dtype=np.float32)


def noisy(rng: np.random.Generator, samples: np.ndarray, *, snr_db: float) -> np.ndarray:
    """[N] with coloured noise and music, both together `snr_db` below the speech."""
    disturbed = coloured_noise(rng, len(samples)) + music(rng, len(samples))
    disturbed /= np.sqrt(np.mean(disturbed**2)) + 1e-9
    return np.asarray(samples + level_of(samples) * 10 ** (-snr_db / 20) * disturbed, dtype=np.float32)
