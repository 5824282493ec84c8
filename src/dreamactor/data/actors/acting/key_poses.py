"""Performances of cast 2: smooth walks through random key poses."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from dreamactor.data.actors.coefficients import COEFFICIENT, EXPRESSION_OF
from dreamactor.data.actors.motion import ANGLES, AT_EASE, CHANNEL, FRAMINGS, Framing, Performance

KINDS: Final = ("talk", "gesture", "dance", "walk", "turn", "wave", "arms_cross", "bow", "kick", "idle")


_EXPRESSION: Final = EXPRESSION_OF["2"]


def _random_pose(rng: np.random.Generator, kind: str, framing: Framing) -> dict[str, float]:
    pose = dict(AT_EASE)
    normal = rng.normal
    pose |= {"head_yaw": normal(0, 16), "head_pitch": normal(2, 7), "head_roll": normal(0, 6)}
    pose |= {"spine_yaw": normal(0, 6), "spine_pitch": normal(2, 4), "spine_roll": normal(0, 4)}
    for side in ("left", "right"):
        pose[f"{side}_hand_roll"] = normal(0, 25)
        pose[f"{side}_hand_bend"] = normal(0, 14)
        pose[f"{side}_curl"] = float(np.clip(rng.beta(1.2, 2.2), 0, 1))
        pose[f"{side}_spread"] = float(rng.uniform(0, 1))
        if kind in ("gesture", "talk", "dance", "wave") and rng.random() < (0.85 if kind != "talk" else 0.45):
            pose[f"{side}_raise"] = float(rng.uniform(5, 60 if kind != "dance" else 150))
            pose[f"{side}_forward"] = float(rng.uniform(-15, 70))
            pose[f"{side}_twist"] = float(rng.uniform(-40, 70))
            pose[f"{side}_elbow"] = float(rng.uniform(10, 125))
        if kind == "wave" and side == "right":
            pose |= {
                "right_raise": rng.uniform(70, 120),
                "right_forward": rng.uniform(0, 25),
                "right_twist": rng.uniform(-80, -50),
                "right_elbow": rng.uniform(60, 110),
                "right_curl": 0.05,
            }
        if kind == "arms_cross":
            pose |= {
                f"{side}_raise": rng.uniform(5, 25),
                f"{side}_forward": rng.uniform(25, 75),
                f"{side}_twist": rng.uniform(35, 75),
                f"{side}_elbow": rng.uniform(70, 130),
            }
        if framing == "full":
            active = kind in ("dance", "kick", "gesture") and rng.random() < 0.75
            pose[f"{side}_hip_forward"] = float(rng.uniform(-18, 45 if kind == "dance" else 85)) if active else 0.0
            pose[f"{side}_hip_out"] = float(rng.uniform(2, 28)) if active else 4.0
            pose[f"{side}_knee"] = float(rng.uniform(0, 75)) if active else float(rng.uniform(0, 6))
    if kind == "bow":
        pose["spine_pitch"] = float(rng.uniform(0, 60))
        pose["head_pitch"] = float(rng.uniform(-5, 20))
    if kind in ("dance", "gesture", "kick", "idle", "wave"):
        pose["root_yaw"] = normal(0, 26 if kind == "dance" else 16)
        pose["travel_x"] = normal(0, 0.22) if framing == "full" else normal(0, 0.04)
    return pose


def _smooth_path(keys: np.ndarray, times: np.ndarray, key_times: np.ndarray) -> np.ndarray:
    """Monotone ease between key poses [K, A] at `key_times`, evaluated at `times` -> [T, A]."""
    index = np.clip(np.searchsorted(key_times, times, side="right") - 1, 0, len(key_times) - 2)
    share = np.clip((times - key_times[index]) / (key_times[index + 1] - key_times[index]), 0, 1)[:, None]
    eased = share * share * (3 - 2 * share)
    return keys[index] * (1 - eased) + keys[index + 1] * eased


def _drift(rng: np.random.Generator, times: np.ndarray, amount: float) -> np.ndarray:
    """Slow band-limited wander: a few sines below 0.8 Hz."""
    wave = np.zeros_like(times)
    for _ in range(3):
        wave += rng.normal() * np.sin(2 * np.pi * (rng.uniform(0.1, 0.8) * times + rng.random()))
    return amount * wave / 1.7


def _pulse(times: np.ndarray, middle: float, rise: float) -> np.ndarray:
    return np.clip(1 - np.abs(times - middle) / rise, 0, 1)


def sample_expression(rng: np.random.Generator, times: np.ndarray, *, talking: bool) -> np.ndarray:
    """A face over time: moods, speech-like jaw and lips, blinks, winks and glances. [T, E]."""
    out = np.zeros((len(times), len(_EXPRESSION)))

    def put(name: str, value: np.ndarray) -> None:
        out[:, COEFFICIENT[name]] += value

    duration = max(float(times[-1]), 0.5)
    key_times = np.concatenate([[0.0], np.cumsum(rng.uniform(0.35, 1.4, size=int(duration / 0.35) + 4))])
    moods = []
    for _ in key_times:
        mood = dict.fromkeys(_EXPRESSION, 0.0)
        draw = rng.random()
        if draw < 0.4:
            both, skew = rng.uniform(0.2, 1), rng.normal(0, 0.15)
            mood |= {"smile_left": both + skew, "smile_right": both - skew, "squint": rng.uniform(0, 0.4)}
        elif draw < 0.5:
            mood |= {"smile_left" if rng.random() < 0.5 else "smile_right": rng.uniform(0.5, 1)}
        elif draw < 0.62:
            mood |= {"frown": rng.uniform(0.4, 1), "brow_furrow": rng.uniform(0, 1)}
        elif draw < 0.74:
            mood |= {
                "brow_raise_left": rng.uniform(0.4, 1),
                "brow_raise_right": rng.uniform(0.4, 1),
                "eye_wide": rng.uniform(0, 1),
                "jaw_open": rng.uniform(0, 0.7),
            }
        elif draw < 0.82:
            mood |= {"lip_pucker": rng.uniform(0.4, 1)}
        elif draw < 0.88:
            mood |= {"mouth_shift": rng.uniform(-1, 1), "cheek_puff": rng.uniform(0, 1)}
        elif draw < 0.93:
            mood |= {"jaw_open": rng.uniform(0.5, 1), "mouth_wide": rng.uniform(0, 0.6)}
        elif draw < 0.97:
            mood |= {"upper_lip_raise": rng.uniform(0.4, 1), "lower_lip_drop": rng.uniform(0, 1)}
        if rng.random() < 0.3:
            mood["brow_raise_left" if rng.random() < 0.5 else "brow_raise_right"] = rng.uniform(0.3, 1)
        mood |= {
            "gaze_x": float(np.clip(rng.normal(0, 0.45), -1, 1)),
            "gaze_y": float(np.clip(rng.normal(0, 0.3), -1, 1)),
        }
        moods.append([mood[name] for name in _EXPRESSION])
    out += _smooth_path(np.array(moods), times, key_times)
    if talking:
        beat = np.cumsum(rng.uniform(0.09, 0.22, size=int(duration / 0.09) + 6))
        ease = ((1.1, 1.6), (0.7, 2), (0.7, 2), (0.6, 2.5), (0.6, 2.5))
        shapes = np.stack([rng.beta(a, b, len(beat)) for a, b in ease], 1)
        shapes[rng.random(len(beat)) < 0.25] = 0
        spoken = _smooth_path(shapes, times, np.concatenate([[0.0], beat[:-1]]))
        put("jaw_open", 0.75 * spoken[:, 0])
        put("lip_pucker", 0.7 * spoken[:, 1])
        put("mouth_wide", 0.7 * spoken[:, 2])
        put("upper_lip_raise", 0.7 * spoken[:, 3])
        put("lower_lip_drop", 0.8 * spoken[:, 4])
        put("lip_press", 0.6 * (spoken.sum(axis=1) < 0.05))
    moment = rng.uniform(0.2, 1.5)
    while moment < duration + 1:
        blink = _pulse(times, moment, rng.uniform(0.07, 0.16)) * 1.6
        wink = rng.random()
        if wink > 0.12:
            put("blink_left", blink)
        if wink < 0.06 or wink > 0.12:
            put("blink_right", blink)
        moment += rng.uniform(0.8, 3.0)
    signed = [COEFFICIENT[name] for name in ("mouth_shift", "gaze_x", "gaze_y")]
    low = np.zeros(len(_EXPRESSION))
    low[signed] = -1
    return np.clip(out, low, 1)


def walk_through_key_poses(
    seed: int, *, num_frames: int, fps: float, framing: Framing | None, kind: str | None
) -> Performance:
    """A random performance of cast 2; arguments as of `sample_performance`."""
    rng = np.random.Generator(np.random.PCG64([seed, 0x9E37]))
    drawn: Framing = FRAMINGS[rng.choice(3, p=(0.3, 0.3, 0.4))]
    framing = drawn if framing is None else framing
    suited = {
        "portrait": (("talk", "idle", "gesture"), (0.6, 0.3, 0.1)),
        "upper": (
            ("talk", "gesture", "wave", "arms_cross", "dance", "turn", "idle"),
            (0.25, 0.3, 0.1, 0.1, 0.15, 0.06, 0.04),
        ),
        "full": (
            ("dance", "gesture", "walk", "turn", "kick", "bow", "arms_cross", "wave"),
            (0.3, 0.16, 0.12, 0.14, 0.08, 0.06, 0.06, 0.08),
        ),
    }[framing]
    drawn_kind = str(rng.choice(suited[0], p=suited[1]))
    kind = kind or drawn_kind
    times = np.arange(num_frames) / fps
    duration = max(num_frames / fps, 0.5)
    pace = {"dance": (0.28, 0.7), "talk": (0.6, 1.6), "idle": (1.0, 2.2)}.get(kind, (0.4, 1.1))
    key_times = np.concatenate([[0.0], np.cumsum(rng.uniform(*pace, size=int(duration / pace[0]) + 3))])
    poses = [_random_pose(rng, kind, framing) for _ in key_times]
    keys = np.array([[pose.get(name, 0.0) for name in ANGLES] for pose in poses])
    path = _smooth_path(keys, times, key_times)

    def put(name: str, value: np.ndarray | float) -> None:
        path[:, CHANNEL[name]] += value

    for name in ("head_yaw", "head_pitch", "head_roll", "spine_yaw", "spine_roll"):
        put(name, _drift(rng, times, 2.5))
    if kind == "turn":
        whole = rng.uniform(120, 400) * rng.choice((-1, 1))
        start = rng.uniform(-60, 60)
        put("root_yaw", start + whole * np.clip(times / max(duration, 1e-3), 0, 1))
    elif kind == "walk":
        phase = 2 * np.pi * (rng.uniform(0.7, 1.1) * times + rng.random())
        swing = rng.uniform(18, 32)
        for side, sign in (("left", 1.0), ("right", -1.0)):
            put(f"{side}_hip_forward", sign * swing * np.sin(phase))
            put(f"{side}_knee", 8 + 26 * np.clip(np.sin(phase + sign * 0.9 + (0 if sign > 0 else np.pi)), 0, 1))
            put(f"{side}_forward", -sign * 0.8 * swing * np.sin(phase))
        put("root_yaw", rng.choice((-70, -35, 0, 35, 70)) + rng.normal(0, 10))
        put("lift", 0.02 * np.cos(2 * phase))
    elif rng.random() < 0.6:
        put("root_yaw", rng.normal(0, 22 if framing != "portrait" else 14))
    if kind == "wave":
        put("right_twist", 22 * np.sin(2 * np.pi * rng.uniform(1.0, 2.2) * times))
    expression = sample_expression(rng, times, talking=kind == "talk" or rng.random() < 0.5)
    return Performance(
        channels=torch.tensor(path, dtype=torch.float32),
        expression=torch.tensor(expression, dtype=torch.float32),
        fps=fps,
        framing=framing,
        kind=kind,
    )
