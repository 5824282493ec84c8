"""Performances: joint rotations, travel and expression over time, independent of who performs them.

A performance is a smooth walk through key poses. It knows no lengths: travel is in leg lengths, so a child and a giant
can do the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors.expression import COEFFICIENT, NUM_EXPRESSION
from dreamactor.geometry.rotation import axis_rotation

Framing = Literal["portrait", "upper", "full"]
FRAMINGS: Final[tuple[Framing, ...]] = ("portrait", "upper", "full")

ANGLES: Final = (
    "root_yaw", "root_pitch", "root_roll",
    "spine_yaw", "spine_pitch", "spine_roll",
    "head_yaw", "head_pitch", "head_roll",
    "left_raise", "left_forward", "left_twist", "left_elbow",
    "right_raise", "right_forward", "right_twist", "right_elbow",
    "left_hand_bend", "left_hand_roll", "left_curl", "left_spread",
    "right_hand_bend", "right_hand_roll", "right_curl", "right_spread",
    "left_hip_forward", "left_hip_out", "left_knee", "left_foot",
    "right_hip_forward", "right_hip_out", "right_knee", "right_foot",
    "travel_x", "travel_z", "lift",
)  # fmt: skip
"""Channels of a pose. Rotations in degrees; curl 0 (flat) to 1 (fist); travel and lift in leg lengths. Arms hang at 0:
raise is sideways, forward is to the front, twist is about the upper arm (positive turns the elbow crease inward)."""
_CHANNEL: Final = {name: index for index, name in enumerate(ANGLES)}

_REST: Final = {
    "left_raise": 10.0, "right_raise": 10.0, "left_elbow": 14.0, "right_elbow": 14.0, "left_curl": 0.25,
    "right_curl": 0.25, "left_hip_out": 4.0, "right_hip_out": 4.0, "left_spread": 0.3, "right_spread": 0.3,
}  # fmt: skip

KINDS: Final = ("talk", "gesture", "dance", "walk", "turn", "wave", "arms_cross", "bow", "kick", "idle")


@dataclass(frozen=True, kw_only=True, slots=True)
class Performance:
    """What somebody does.

    Attributes:
        channels: [T, len(ANGLES)] float32 pose channels.
        expression: [T, E] float32 in the order of `EXPRESSION`.
        fps: frames per second.
        framing: what the camera is meant to see.
        kind: name of the motion.
    """

    channels: Tensor
    expression: Tensor
    fps: float
    framing: Framing
    kind: str

    @property
    def num_frames(self) -> int:
        return int(self.channels.shape[0])

    def channel(self, name: str) -> Tensor:
        """[T] one pose channel."""
        return self.channels[:, _CHANNEL[name]]

    def rotation(self, prefix: str) -> Tensor:
        """[T, 3, 3] from the yaw, pitch and roll channels of root, spine or head."""
        yaw, pitch, roll = (torch.deg2rad(self.channel(f"{prefix}_{axis}")) for axis in ("yaw", "pitch", "roll"))
        return axis_rotation("y", yaw) @ axis_rotation("x", pitch) @ axis_rotation("z", roll)


def pose_performance(pose: dict[str, float], *, framing: Framing = "full") -> Performance:
    """One frame in a given pose (channels that are not named are zero) with a neutral face."""
    return Performance(
        channels=torch.tensor([[float(pose.get(name, 0.0)) for name in ANGLES]]),
        expression=torch.zeros(1, NUM_EXPRESSION),
        fps=25.0,
        framing=framing,
        kind="pose",
    )


def _random_pose(rng: np.random.Generator, kind: str, framing: Framing) -> dict[str, float]:
    pose = dict(_REST)
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
    out = np.zeros((len(times), NUM_EXPRESSION))

    def put(name: str, value: np.ndarray) -> None:
        out[:, COEFFICIENT[name]] += value

    duration = max(float(times[-1]), 0.5)
    key_times = np.concatenate([[0.0], np.cumsum(rng.uniform(0.35, 1.4, size=int(duration / 0.35) + 4))])
    moods = []
    for _ in key_times:
        mood = dict.fromkeys(COEFFICIENT, 0.0)
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
        moods.append([mood[name] for name in COEFFICIENT])
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
    low = np.zeros(NUM_EXPRESSION)
    low[signed] = -1
    return np.clip(out, low, 1)


def sample_performance(
    seed: int, *, num_frames: int, fps: float = 25.0, framing: Framing | None = None, kind: str | None = None
) -> Performance:
    """A random performance; equal seeds give equal performances on any machine.

    Args:
        seed: any non-negative integer.
        num_frames: T.
        fps: frames per second.
        framing: what the camera is meant to see; None draws one.
        kind: one of `KINDS`; None draws one that suits the framing.
    """
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
        path[:, _CHANNEL[name]] += value

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


def neutral_performance(*, framing: Framing, yaw_deg: float = 0.0, seed: int | None = None) -> Performance:
    """One frame standing at ease, for reference pictures; with a seed, hands and face vary a little."""
    pose = dict(_REST)
    expression = np.zeros((1, NUM_EXPRESSION))
    if seed is not None:
        rng = np.random.Generator(np.random.PCG64([seed, 0x51AB]))
        for side in ("left", "right"):
            pose[f"{side}_raise"] = rng.uniform(8, 40)
            pose[f"{side}_elbow"] = rng.uniform(8, 50)
            pose[f"{side}_forward"] = rng.uniform(-5, 25)
            pose[f"{side}_hip_out"] = rng.uniform(3, 10)
        smile = rng.uniform(0, 0.6)
        expression[0, COEFFICIENT["smile_left"]] = expression[0, COEFFICIENT["smile_right"]] = smile
    pose["root_yaw"] = yaw_deg
    channels = np.array([[pose.get(name, 0.0) for name in ANGLES]])
    return Performance(
        channels=torch.tensor(channels, dtype=torch.float32),
        expression=torch.tensor(expression, dtype=torch.float32),
        fps=25.0,
        framing=framing,
        kind="neutral",
    )
