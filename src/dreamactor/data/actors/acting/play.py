"""Performances of cast 3: acts, one or several after another, with a face of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import torch

from dreamactor.data.actors.acting import aiming, bodywork, gestures
from dreamactor.data.actors.acting.dances import dance
from dreamactor.data.actors.acting.faces import act_face
from dreamactor.data.actors.acting.speech import Speech, speak
from dreamactor.data.actors.acting.stage import Stage
from dreamactor.data.actors.motion import FRAMINGS, Framing, Performance

KINDS: Final = (
    "talk", "gesture", "dance", "walk", "turn", "wave", "arms_cross", "bow", "kick", "idle", "jump", "throw", "sit", "touch",
    "reach", "point", "crouch", "look_around", "shrug", "scene",
)  # fmt: skip
_SUITED: Final[dict[Framing, dict[str, float]]] = {
    "portrait": {"talk": 0.5, "idle": 0.14, "look_around": 0.1, "gesture": 0.08, "touch": 0.1, "shrug": 0.04, "scene": 0.04},
    "upper": {
        "talk": 0.17, "gesture": 0.16, "dance": 0.13, "touch": 0.08, "arms_cross": 0.09, "wave": 0.06, "turn": 0.06,
        "point": 0.05, "reach": 0.05, "look_around": 0.04, "shrug": 0.03, "throw": 0.03, "scene": 0.05,
    },
    "full": {
        "dance": 0.24, "walk": 0.13, "turn": 0.09, "gesture": 0.07, "kick": 0.05, "jump": 0.06, "throw": 0.04, "sit": 0.05,
        "bow": 0.04, "crouch": 0.04, "arms_cross": 0.04, "wave": 0.04, "touch": 0.02, "reach": 0.03, "point": 0.03,
        "idle": 0.01, "talk": 0.02,
    },
}  # fmt: skip
_SCENES: Final[dict[Framing, tuple[str, ...]]] = {
    "portrait": ("talk", "look_around", "touch", "shrug", "idle"),
    "upper": ("talk", "gesture", "touch", "arms_cross", "wave", "point", "reach", "look_around", "shrug", "turn"),
    "full": (
        "walk", "turn", "wave", "gesture", "jump", "kick", "bow", "sit", "crouch", "dance", "throw", "point", "reach",
        "arms_cross", "look_around", "shrug", "touch",
    ),
}  # fmt: skip
_SCENE_ACT_S: Final = (1.6, 3.2)
_SHORT: Final = ("wave", "arms_cross", "touch", "point", "shrug")
_SHORT_ACT_S: Final = (1.3, 3.4)
"""Acts that are over soon and come again."""
_LEGS_BUSY: Final = ("dance", "walk", "turn", "jump", "kick", "crouch", "bow", "sit", "throw")


def play(seed: int, *, num_frames: int, fps: float, framing: Framing | None, kind: str | None) -> Performance:
    """A random performance of cast 3; arguments as of `sample_performance`."""
    rng = np.random.Generator(np.random.PCG64([seed, 0xAC7]))
    drawn: Framing = FRAMINGS[rng.choice(3, p=(0.3, 0.3, 0.4))]
    framing = drawn if framing is None else framing
    suited = _SUITED[framing]
    drawn_kind = str(rng.choice(list(suited), p=np.array(list(suited.values())) / sum(suited.values())))
    kind = kind or drawn_kind
    times_s = np.arange(num_frames) / fps
    length_s = float(rng.uniform(0, 1.5))  # acts begin before the first frame and go on behind the last one
    start_s, end_s = -length_s, float(times_s[-1]) + 1.0
    heading = float(rng.normal(0, 22 if framing == "full" else 14)) if rng.random() < 0.7 else 0.0
    stage = Stage(rng, framing, tempo=float(np.exp(rng.normal(0.05, 0.22))), heading_deg=heading)
    speech = speak(rng, end_s + length_s) if kind in ("talk", "sit") or rng.random() < 0.4 else None
    clock_s = times_s - start_s  # the stage's own time starts at zero
    _perform(stage, kind, float(clock_s[-1]) + 1.0, speech)
    if speech is not None:
        _nod(stage, clock_s, speech)
    channels = stage.channels(clock_s)
    expression = act_face(rng, clock_s, speech)
    return Performance(
        channels=torch.tensor(channels, dtype=torch.float32),
        expression=torch.tensor(expression, dtype=torch.float32),
        fps=fps,
        framing=framing,
        kind=kind,
    )


def _perform(stage: Stage, kind: str, end_s: float, speech: Speech | None) -> None:
    now = 0.0
    if kind != "scene":
        while now < end_s - 0.6:
            until = now + stage.seconds(*_SHORT_ACT_S) if kind in _SHORT else end_s
            over = _act(stage, kind, now, min(until, max(end_s, now + _SHORT_ACT_S[0])), speech)
            now = bodywork.stand_by(stage, over, over + stage.seconds(0.1, 0.9)) if kind in _SHORT else over
        return
    previous = ""
    while now < end_s - 0.6:
        choices = [one for one in _SCENES[stage.framing] if one != previous]
        previous = str(stage.rng.choice(choices))
        now = _act(stage, previous, now, now + stage.seconds(*_SCENE_ACT_S), speech) + stage.seconds(0.0, 0.35)


def _act(stage: Stage, kind: str, start_s: float, end_s: float, speech: Speech | None) -> float:
    """One act; legs that it leaves free do something quiet, and arms that a walk leaves free sometimes something else."""
    if kind == "sit":
        return _sit(stage, start_s, end_s, speech)
    if kind == "talk":
        lively = float(stage.rng.uniform(0, 1)) * (0.5 if stage.framing == "portrait" else 1.0)
        over = gestures.talk_with_hands(stage, start_s, end_s, stresses_s=_beats(speech), lively=lively)
    else:
        over = _DOERS[kind](stage, start_s, end_s)
    if kind == "walk" and over - start_s > 2.5 and stage.chance(0.25):
        gestures.wave(stage, start_s + 0.4, over) if stage.chance(0.4) else gestures.gesture(
            stage, start_s + 0.4, over - 0.5
        )
    if kind not in _LEGS_BUSY:
        over = max(over, bodywork.stand_by(stage, start_s, over))
    return over


def _beats(speech: Speech | None) -> list[float]:
    return list(speech.stresses_s) if speech else []


def _sit(stage: Stage, start_s: float, end_s: float, speech: Speech | None) -> float:
    """Down, a talk, up; long performances do it again."""
    now = bodywork.sit_down(stage, start_s)
    until = max(now + 0.8, min(end_s - 1.3, now + stage.seconds(2.0, 6.0)))
    bodywork.seated(stage, now, until)
    home, stage.home = stage.home, {side: stage.pose("knee") for side in stage.home}
    gestures.talk_with_hands(stage, now, until, stresses_s=_beats(speech), lively=float(stage.rng.uniform(0.3, 1)))
    stage.home = home
    return bodywork.stand_up(stage, until) + stage.seconds(0.2, 1.0)


_DOERS: Final[dict[str, Callable[[Stage, float, float], float]]] = {
    "gesture": gestures.gesture, "dance": dance, "walk": bodywork.walk, "turn": bodywork.turn, "wave": gestures.wave,
    "arms_cross": gestures.cross_arms, "bow": bodywork.bow, "kick": bodywork.kick, "idle": gestures.rest,
    "jump": bodywork.jump, "throw": aiming.throw, "touch": gestures.touch, "reach": aiming.reach,
    "point": aiming.point, "crouch": bodywork.crouch, "look_around": gestures.look_around, "shrug": gestures.shrug,
}  # fmt: skip


def _nod(stage: Stage, times_s: np.ndarray, speech: Speech) -> None:
    """Small nods with stressed syllables, on top of what the head does."""
    rng = stage.rng
    lively = float(rng.uniform(0.15, 0.8))
    for stress in speech.stresses_s:
        if rng.random() < lively:
            stage.nods.append((stress, float(rng.uniform(1.0, 6.0)), float(rng.uniform(0.07, 0.14))))
