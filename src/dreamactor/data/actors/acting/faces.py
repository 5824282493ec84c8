"""Acting with the face: moods, speech, blinks and winks, glances, trembling lips; whatever the body does meanwhile."""

from __future__ import annotations

from typing import Final

import numpy as np

from dreamactor.data.actors.acting.speech import Speech, spoken_mouth
from dreamactor.data.actors.acting.timing import Track, wander
from dreamactor.data.actors.coefficients import COEFFICIENT, SCHEMA

Mood = dict[str, float]

MOODS: Final[dict[str, Mood]] = {
    "neutral": {},
    "content": {"smile_left": 0.35, "smile_right": 0.35, "squint": 0.1},
    "joy": {
        "smile_left": 0.95,
        "smile_right": 0.95,
        "squint": 0.45,
        "jaw_open": 0.12,
        "upper_lip_raise": 0.35,
        "brow_raise_left": 0.15,
        "brow_raise_right": 0.15,
    },
    "laugh": {
        "smile_left": 1.0,
        "smile_right": 1.0,
        "squint": 0.75,
        "jaw_open": 0.55,
        "upper_lip_raise": 0.4,
        "mouth_wide": 0.3,
    },
    "smirk": {"smile_left": 0.8, "corner_out_left": 0.5, "squint": 0.2, "brow_raise_right": 0.35, "mouth_shift": 0.2},
    "sad": {
        "frown": 0.8,
        "brow_raise_left": 0.3,
        "brow_raise_right": 0.3,
        "brow_furrow": 0.35,
        "chin_raise": 0.4,
        "gaze_y": -0.3,
    },
    "crying": {"frown": 0.8, "squint": 0.7, "brow_furrow": 0.6, "chin_raise": 0.6, "mouth_wide": 0.4, "lower_lip_drop": 0.3},
    "angry": {"brow_furrow": 1.0, "squint": 0.4, "lip_press": 0.6, "frown": 0.4, "nose_sneer": 0.3},
    "shouting": {"brow_furrow": 1.0, "jaw_open": 0.85, "upper_lip_raise": 0.6, "lower_lip_drop": 0.6, "nose_sneer": 0.5},
    "surprise": {"brow_raise_left": 0.9, "brow_raise_right": 0.9, "eye_wide": 0.9, "jaw_open": 0.5, "mouth_funnel": 0.2},
    "fear": {
        "brow_raise_left": 0.7,
        "brow_raise_right": 0.7,
        "eye_wide": 1.0,
        "mouth_wide": 0.6,
        "jaw_open": 0.2,
        "lower_lip_drop": 0.4,
    },
    "disgust": {"nose_sneer": 1.0, "upper_lip_raise": 0.5, "squint": 0.5, "frown": 0.4, "brow_furrow": 0.5},
    "doubt": {"brow_raise_left": 0.9, "brow_furrow": 0.15, "squint": 0.3, "mouth_shift": 0.4, "corner_out_right": 0.3},
    "pout": {"chin_raise": 0.9, "lip_pucker": 0.35, "brow_furrow": 0.4, "lower_lip_drop": 0.2},
    "kiss": {"lip_pucker": 1.0, "squint": 0.25},
    "thinking": {"lip_roll": 0.6, "brow_furrow": 0.4, "mouth_shift": 0.25, "gaze_y": 0.5, "gaze_x": 0.4},
    "puffed": {"cheek_puff": 1.0, "lip_press": 0.6, "eye_wide": 0.2},
    "skewed": {"mouth_shift": 0.9, "corner_out_left": 0.6, "nose_sneer": 0.2},
    "jaw_aside": {"jaw_shift": 1.0, "lip_press": 0.2, "squint": 0.2},
    "tongue": {"tongue_out": 1.0, "jaw_open": 0.45, "smile_left": 0.4, "smile_right": 0.4, "squint": 0.2},
    "yawn": {
        "jaw_open": 1.0,
        "squint": 0.7,
        "brow_raise_left": 0.4,
        "brow_raise_right": 0.4,
        "blink_left": 0.6,
        "blink_right": 0.6,
    },
    "tired": {"blink_left": 0.35, "blink_right": 0.35, "frown": 0.2},
    "wince": {
        "squint": 0.9,
        "blink_left": 0.5,
        "blink_right": 0.5,
        "mouth_wide": 0.6,
        "corner_out_left": 0.5,
        "corner_out_right": 0.5,
    },
    "whistle": {"mouth_funnel": 0.5, "lip_pucker": 0.9, "brow_raise_left": 0.3, "brow_raise_right": 0.3},
    "bite": {"lip_tuck": 0.9, "squint": 0.2, "brow_furrow": 0.3},
}
_COMMON: Final = ("neutral", "content", "joy", "smirk", "surprise", "doubt", "sad", "angry")
_MOUTH: Final = [
    COEFFICIENT[name]
    for name in (
        "jaw_open", "lip_pucker", "mouth_wide", "upper_lip_raise", "lower_lip_drop", "lip_press", "mouth_funnel", "lip_roll",
        "lip_tuck", "chin_raise", "tongue_out", "tongue_up", "cheek_puff", "jaw_shift", "frown",
    )
]  # fmt: skip
"""What speech needs for itself."""


def act_face(rng: np.random.Generator, times_s: np.ndarray, speech: Speech | None) -> np.ndarray:
    """A face over time: [T, E] coefficients of cast 3 at moments [T]."""
    duration_s = float(times_s[-1])
    face = _moods(rng, times_s, duration_s, talking=speech is not None)
    if speech is not None:
        spoken = spoken_mouth(speech, times_s)
        face[:, _MOUTH] = 0.22 * face[:, _MOUTH] + spoken[:, _MOUTH] * (1 - 0.22 * face[:, _MOUTH])
        rest = [index for index in range(len(SCHEMA)) if index not in _MOUTH]
        face[:, rest] += spoken[:, rest]
        _emphasise(rng, face, times_s, speech)
    _blink(rng, face, times_s, duration_s)
    _look(rng, face, times_s, duration_s)
    _tremble(rng, face, times_s, duration_s)
    for name, amount in (("smile_left", 0.012), ("smile_right", 0.012), ("mouth_shift", 0.015), ("brow_raise_left", 0.015),
                         ("brow_raise_right", 0.015), ("squint", 0.01)):  # fmt: skip
        face[:, COEFFICIENT[name]] += wander(rng, times_s, amount=amount, low_hz=0.2, high_hz=1.2)
    return np.clip(face, [one.low for one in SCHEMA], 1.0)


def mirrored(mood: Mood) -> Mood:
    """The same with the sides of the face exchanged."""
    swap = {"left": "right", "right": "left"}
    out = {}
    for name, value in mood.items():
        stem, _, side = name.rpartition("_")
        signed = name in ("mouth_shift", "jaw_shift", "gaze_x")
        out[f"{stem}_{swap[side]}" if side in swap else name] = -value if signed else value
    return out


def _moods(rng: np.random.Generator, times_s: np.ndarray, duration_s: float, *, talking: bool) -> np.ndarray:
    """Moods that come, stay and go; each a little lopsided, some mirrored, some mixed."""

    def draw() -> np.ndarray:
        names = [str(rng.choice(_COMMON if talking or rng.random() < 0.45 else list(MOODS)))]
        if rng.random() < 0.15:
            names.append(str(rng.choice(list(MOODS))))
        key = np.zeros(len(SCHEMA))
        for name in names:
            size = float(rng.uniform(0.35, 1.1)) / len(names) ** 0.5
            mood = mirrored(MOODS[name]) if rng.random() < 0.5 else MOODS[name]
            for coefficient, value in mood.items():
                key[COEFFICIENT[coefficient]] += size * value
        for stem in ("smile", "brow_raise"):
            skew = 1 + float(rng.normal(0, 0.12))
            key[COEFFICIENT[f"{stem}_left"]] *= skew
            key[COEFFICIENT[f"{stem}_right"]] *= 2 - skew
        return key

    track = Track(draw(), at_s=-1.0)
    now = float(rng.uniform(0.0, 1.2))
    while now < duration_s + 0.5:
        change = float(rng.uniform(0.18, 0.7))
        track.move(now, now + change, draw())
        now += change + float(rng.uniform(0.4, 2.2))
    return track.at(times_s)


def _emphasise(rng: np.random.Generator, face: np.ndarray, times_s: np.ndarray, speech: Speech) -> None:
    """Brows that go up with some of the stressed syllables, lids that widen."""
    lively = float(rng.uniform(0.1, 0.6))
    for stress in speech.stresses_s:
        if rng.random() < lively:
            size = float(rng.uniform(0.15, 0.6))
            bump = size * np.exp(-(((times_s - stress) / rng.uniform(0.10, 0.22)) ** 2))
            names = (
                ("brow_raise_left", "brow_raise_right")
                if rng.random() < 0.85
                else (str(rng.choice(("brow_raise_left", "brow_raise_right"))),)
            )
            for name in names:
                face[:, COEFFICIENT[name]] += bump
            if rng.random() < 0.3:
                face[:, COEFFICIENT["eye_wide"]] += 0.6 * bump


def _shut(times_s: np.ndarray, start_s: float, down_s: float, stay_s: float, up_s: float) -> np.ndarray:
    """[T] lid over time: quick down, slower up."""
    down = np.clip((times_s - start_s) / down_s, 0, 1)
    up = np.clip((times_s - start_s - down_s - stay_s) / up_s, 0, 1)
    return down * down * (3 - 2 * down) * (1 - up) ** 1.7


def _blink(rng: np.random.Generator, face: np.ndarray, times_s: np.ndarray, duration_s: float) -> None:
    """Blinks at this person's own rate (12 to 35 a minute), some double, slow or half; winks of either eye."""
    left, right = COEFFICIENT["blink_left"], COEFFICIENT["blink_right"]
    gap = 60.0 / float(rng.uniform(12, 35))
    now = float(rng.uniform(0.0, gap))
    while now < duration_s + 0.1:
        kind = rng.random()
        if kind < 0.16:  # a wink, which pulls the corner of the mouth along
            side, name = (left, "left") if rng.random() < 0.5 else (right, "right")
            lid = _shut(times_s, now, 0.10, float(rng.uniform(0.08, 0.35)), 0.16)
            face[:, side] = np.maximum(face[:, side], lid)
            face[:, COEFFICIENT[f"smile_{name}"]] += float(rng.uniform(0, 0.6)) * lid
            face[:, COEFFICIENT["squint"]] += 0.25 * lid
            now += 0.4
        else:
            deep = 1.0 if kind < 0.9 else float(rng.uniform(0.5, 0.85))
            slow = float(rng.uniform(1.8, 4.0)) if kind > 0.82 else float(rng.uniform(0.85, 1.2))
            for lid_index in (left, right):
                lid = deep * _shut(times_s, now + float(rng.uniform(0, 0.008)), 0.075 * slow, 0.03 * slow, 0.15 * slow)
                face[:, lid_index] = np.maximum(face[:, lid_index], lid)
            if rng.random() < 0.14:  # and once more
                now += 0.28 * slow + 0.05
                continue
        now += 0.25 + float(rng.exponential(gap))


def _look(rng: np.random.Generator, face: np.ndarray, times_s: np.ndarray, duration_s: float) -> None:
    """Fixations and the quick jumps between them: mostly near the viewer, now and then far aside."""
    x, y = COEFFICIENT["gaze_x"], COEFFICIENT["gaze_y"]
    now, spot = -1.0, np.array([0.0, 0.0])
    track = Track(spot, at_s=now)
    while now < duration_s:
        now += float(rng.gamma(2.0, 0.33)) + 0.12
        kind = rng.random()
        if kind < 0.4:  # small: from eye to eye
            aim = spot + rng.normal(0, 0.08, 2)
        elif kind < 0.75:
            aim = rng.normal(0, (0.22, 0.14))
        else:
            aim = rng.normal(0, (0.65, 0.4))
        aim = np.clip(aim, -1, 1)
        jump_s = 0.03 + 0.05 * float(np.abs(aim - spot).max())
        track.move(now, now + jump_s, aim)
        spot = aim
    gaze = track.at(times_s)
    face[:, x] += gaze[:, 0]
    face[:, y] += gaze[:, 1]
    # Upper lids follow the eyes down.
    for name in ("blink_left", "blink_right"):
        face[:, COEFFICIENT[name]] = np.maximum(face[:, COEFFICIENT[name]], 0.38 * np.clip(-face[:, y], 0, 1))


def _tremble(rng: np.random.Generator, face: np.ndarray, times_s: np.ndarray, duration_s: float) -> None:
    """Lips that tremble at about 6 Hz for a while, in one performance of six."""
    if rng.random() > 1 / 6:
        return
    middle, half = float(rng.uniform(0, duration_s)), float(rng.uniform(0.5, 1.5))
    window = np.clip(1.5 - np.abs(times_s - middle) / half, 0, 1)
    wave = np.sin(2 * np.pi * (float(rng.uniform(5.2, 6.8)) * times_s + rng.random()))
    size = float(rng.uniform(0.12, 0.4))
    face[:, COEFFICIENT["lower_lip_drop"]] += window * size * (0.5 + 0.5 * wave)
    face[:, COEFFICIENT["chin_raise"]] += window * size * (0.5 - 0.5 * wave)
    face[:, COEFFICIENT["frown"]] += 0.3 * window
