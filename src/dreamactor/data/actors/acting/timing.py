"""Timing: keys that motion flows through, beats of a swing, wander and tremor. Numbers over time, no bodies.

Axis letters: T moments, C columns.
"""

from __future__ import annotations

import numpy as np


class Track:
    """Keys over time; between them a curve that neither overshoots nor stops at a key it only passes.

    A key that repeats the one before is a hold.
    """

    def __init__(self, start: np.ndarray | list[float], *, at_s: float = 0.0) -> None:
        self._times = [at_s]
        self._keys = [np.asarray(start, dtype=np.float64)]

    @property
    def end_s(self) -> float:
        return self._times[-1]

    @property
    def last(self) -> np.ndarray:
        return self._keys[-1]

    def add(self, at_s: float, key: np.ndarray | list[float]) -> None:
        """A key [C]; one that would come before the last key comes just after it."""
        self._times.append(max(at_s, self.end_s + 0.03))
        self._keys.append(np.asarray(key, dtype=np.float64))

    def hold(self, until_s: float) -> None:
        if until_s > self.end_s + 0.03:
            self.add(until_s, self.last)

    def move(self, start_s: float, end_s: float, key: np.ndarray | list[float]) -> None:
        """Stays where it is until the start, and arrives at the end; who is late takes at least two thirds of the time."""
        self.hold(start_s)
        self.add(max(end_s, self.end_s + 0.67 * (end_s - start_s)), key)

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """[T, C] the curve at moments [T]; constant outside the keys."""
        return flow(np.array(self._times), np.stack(self._keys), times_s)


def flow(key_times_s: np.ndarray, keys: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Monotone cubic (Fritsch and Carlson) through keys [K, C] at moments [T] -> [T, C]; flat at both ends."""
    if len(keys) == 1:
        return np.repeat(keys, len(times_s), axis=0)
    step = np.diff(key_times_s)[:, None]
    slope = np.diff(keys, axis=0) / step
    tangent = np.zeros_like(keys)
    before, after = slope[:-1], slope[1:]
    w0, w1 = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
    same = before * after > 0
    safe = [np.where(same, one, 1.0) for one in (before, after)]
    tangent[1:-1] = np.where(same, (w0 + w1) / (w0 / safe[0] + w1 / safe[1]), 0.0)
    now = np.clip(times_s, key_times_s[0], key_times_s[-1])
    index = np.clip(np.searchsorted(key_times_s, now, side="right") - 1, 0, len(keys) - 2)
    h = step[index]
    t = ((now - key_times_s[index]) / h[:, 0])[:, None]
    t2, t3 = t * t, t * t * t
    return (
        (2 * t3 - 3 * t2 + 1) * keys[index]
        + (t3 - 2 * t2 + t) * h * tangent[index]
        + (3 * t2 - 2 * t3) * keys[index + 1]
        + (t3 - t2) * h * tangent[index + 1]
    )


def ease(share: np.ndarray) -> np.ndarray:
    """Minimum-jerk share of a movement done, from the share of its time that has passed."""
    s = np.clip(share, 0, 1)
    return s**3 * (10 - 15 * s + 6 * s * s)


def wander(rng: np.random.Generator, times_s: np.ndarray, *, amount: float, low_hz: float, high_hz: float) -> np.ndarray:
    """[T] band-limited noise of about the given standard deviation: a few sines."""
    count = 5
    wave = np.zeros_like(times_s, dtype=np.float64)
    for _ in range(count):
        wave += rng.normal() * np.sin(2 * np.pi * (rng.uniform(low_hz, high_hz) * times_s + rng.random()))
    return amount * wave * np.sqrt(2 / count)


def soft_min(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    """Smaller of two, rounded where they cross."""
    h = np.clip(width - np.abs(a - b), 0, None) / width
    return np.minimum(a, b) - h * h * width / 4
