"""What arms do: talking hands, signs, waves, touches of body and face.

Every function writes one act on a stage from a start to about an end and returns the moment it is over; arms go home last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from dreamactor.data.actors.acting import aiming
from dreamactor.data.actors.acting.hands import COUNTING
from dreamactor.data.actors.acting.stage import Stage

_TALKING: Final = ("low_front", "mid_front", "palm_up", "palm_up_wide", "palm_down", "chop", "fist_low", "ring", "pinched")
_SIGNS: Final = (
    ("thumb", None), ("sign_high", "victory"), ("sign_high", "horns"), ("sign_high", "ok"), ("ring", None), ("stop", None),
    ("fist_high", None), ("sign_high", "three"), ("sign_high", "four"), ("sign_high", "spread"), ("ear", "phone"),
    ("sign_high", "point"), ("mid_front", "claw"), ("mid_front", "grasp"),
)  # fmt: skip
_TOUCHES: Final = (
    "chin", "cheek", "mouth", "forehead", "hair", "ear", "neck", "glasses", "heart", "shoulder_across", "salute",
)  # fmt: skip
_BOTH: Final = (
    "hip", "behind_head", "hair", "clasped", "clasped_chest", "behind_back", "cheek", "mouth", "forehead", "heart",
)  # fmt: skip


def talk_with_hands(stage: Stage, start_s: float, end_s: float, *, stresses_s: list[float], lively: float) -> float:
    """Hands that beat with stressed syllables and rest in the pauses.

    Args:
        stage: what to write on.
        start_s, end_s: from when to when.
        stresses_s: moments of stress.
        lively: 0..1, how often and how far.
    """
    rng = stage.rng
    sides = [side for side in stage.arms if stage.chance(0.4 + 0.6 * lively)]
    beats = [one for one in stresses_s if start_s + 0.3 < one < end_s - 0.4]
    for side in sides:
        arm = stage.arms[side]
        base = stage.pose(str(rng.choice(_TALKING)), 0.05)
        for beat in beats:
            if beat - arm.end_s < 0.22 or rng.random() > 0.35 + 0.6 * lively:
                continue
            if stage.chance(0.35):
                base = stage.pose(str(rng.choice(_TALKING)), 0.05)
            rise = min(0.28, 0.5 * (beat - arm.end_s))
            size = float(rng.uniform(0.03, 0.10)) * (0.4 + lively)
            out, up, ahead = base.wrist
            arm.hold(beat - 2.2 * rise)
            arm.key(beat - 0.6 * rise, replace(base, wrist=(out, up + size, ahead - 0.3 * size)))
            arm.key(beat + 0.07, replace(base, wrist=(out + 0.2 * size, up - size, ahead + 0.3 * size)))
            arm.key(beat + 0.26, base)
            if stage.chance(0.12):
                arm.move(beat + 0.5, beat + 1.0, stage.home[side])
    stage.arms_home(end_s - 0.6, end_s)
    return end_s


def gesture(stage: Stage, start_s: float, end_s: float) -> float:
    """Signs with one hand or both, counting, shrugs, touches: one after another."""
    now = start_s
    while now < end_s - 0.7 or now == start_s:
        act = stage.either(
            "sign", "both", "count", "shrug", "touch", "talk", "point", p=(0.26, 0.14, 0.1, 0.1, 0.16, 0.14, 0.1)
        )
        until = min(max(end_s, now + 1.0), now + stage.seconds(1.4, 2.4))
        if act == "sign":
            now = _sign(stage, now, until, [stage.either("left", "right")])
        elif act == "both":
            now = _sign(stage, now, until, ["left", "right"])
        elif act == "count":
            now = count(stage, now, until)
        elif act == "shrug":
            now = shrug(stage, now, until)
        elif act == "touch":
            now = touch(stage, now, until)
        elif act == "point":
            now = aiming.point(stage, now, until)
        else:
            beats = list(np.arange(now + 0.4, until - 0.3, 0.55))
            now = talk_with_hands(stage, now, until, stresses_s=beats, lively=1.0)
    return now


def _sign(stage: Stage, start_s: float, end_s: float, sides: list[str]) -> float:
    name, hand = _SIGNS[int(stage.rng.integers(len(_SIGNS)))]
    rise = stage.seconds(0.35, 0.6)
    for index, side in enumerate(sides):
        arm, late = stage.arms[side], 0.05 * index
        pose = stage.pose(name)
        arm.move(start_s + late, start_s + rise + late, pose, hand=hand)
        out, up, ahead = pose.wrist
        if stage.chance(0.5):  # shown twice
            middle = 0.5 * (start_s + rise + end_s - rise)
            arm.key(max(middle, arm.end_s + 0.12), replace(pose, wrist=(out + 0.02, up - 0.05, ahead + 0.04)), hand=hand)
            arm.key(arm.end_s + 0.16, pose, hand=hand)
        arm.hold(end_s - rise)
    stage.bend_head(start_s + rise, pitch=float(stage.rng.normal(0, 5)), roll=float(stage.rng.normal(0, 5)))
    stage.head.hold(end_s - rise)
    stage.bend_head(end_s)
    stage.arms_home(end_s - rise, end_s)
    return end_s


def rest(stage: Stage, start_s: float, end_s: float) -> float:
    """Does nothing much: trunk and head change their minds, arms lie where they lie."""
    rng, now = stage.rng, start_s
    stage.arms_home(start_s, start_s + 0.5)
    while now < end_s - 0.8:
        now += stage.seconds(0.6, 1.6)
        stage.bend_trunk(now, yaw=float(rng.normal(0, 4)), pitch=float(rng.normal(0, 1.5)), roll=float(rng.normal(0, 1.5)))
        stage.bend_head(now - 0.2, yaw=float(rng.normal(0, 9)), pitch=float(rng.normal(0, 4)), roll=float(rng.normal(0, 3)))
        now += stage.seconds(0.2, 1.2)
        stage.hold_upper(now)
    return max(now, end_s)


def count(stage: Stage, start_s: float, end_s: float) -> float:
    """Counts on the fingers of one hand."""
    side = stage.either("left", "right")
    arm, rise = stage.arms[side], stage.seconds(0.35, 0.5)
    pose = stage.pose("count")
    first = int(stage.rng.integers(0, 3))
    arm.move(start_s, start_s + rise, pose, hand=COUNTING[first])
    for hand in COUNTING[first + 1 :]:
        if arm.end_s + 0.5 > end_s - 0.2:
            break
        out, up, ahead = pose.wrist
        arm.hold(arm.end_s + stage.seconds(0.15, 0.35))
        arm.key(arm.end_s + 0.12, replace(pose, wrist=(out, up - 0.04, ahead)), hand=hand)
        arm.key(arm.end_s + 0.12, pose, hand=hand)
    arm.hold(end_s - 0.5)
    stage.arms_home(end_s - 0.5, max(end_s, arm.end_s + 0.4))
    return max(end_s, arm.end_s)


def shrug(stage: Stage, start_s: float, end_s: float) -> float:
    """Shoulders up, palms open, head to one side; now and then one shoulder alone."""
    rise = stage.seconds(0.3, 0.45)
    both = stage.chance(0.8)
    left = float(stage.rng.uniform(0.7, 1.0))
    right = left if both else 0.1
    stage.trunk.hold(start_s)
    stage.bend_trunk(start_s + rise, left=left, right=right, pitch=2)
    stage.head.hold(start_s)
    stage.bend_head(start_s + rise, roll=float(stage.rng.choice((-1, 1))) * 9, pitch=3)
    if stage.chance(0.75):
        for side, arm in stage.arms.items():
            if both or side == "left":
                arm.move(start_s, start_s + rise, stage.pose("shrugged"))
    until = max(end_s - 0.4, start_s + rise + 0.2)
    stage.hold_upper(until)
    stage.bend_trunk(until + 0.3)
    stage.bend_head(until + 0.35)
    stage.arms_home(until, until + 0.45)
    return until + 0.45


def wave(stage: Stage, start_s: float, end_s: float) -> float:
    """Waves with either hand or both: small from the wrist, or large overhead."""
    rng = stage.rng
    sides = {"left": ["left"], "right": ["right"], "both": ["left", "right"]}[
        stage.either("left", "right", "both", p=(0.42, 0.42, 0.16))
    ]
    high = stage.chance(0.35)
    inward, outward = ("wave_high_in", "wave_high_out") if high else ("wave_in", "wave_out")
    beat = stage.seconds(0.16, 0.30) * (1.3 if high else 1.0)
    for side in sides:
        arm = stage.arms[side]
        size = float(rng.uniform(0.45, 1.0))
        poses = [stage.pose(inward), stage.pose(outward)]
        out, up, ahead = (a + size * (b - a) for a, b in zip(poses[0].wrist, poses[1].wrist, strict=True))
        poses[1] = replace(poses[1], wrist=(out, up, ahead))
        arm.move(start_s, start_s + stage.seconds(0.4, 0.6), poses[1])
        index = 0
        while arm.end_s < end_s - 0.6:
            arm.key(arm.end_s + beat, poses[index])
            index = 1 - index
    lean = 3.0 if sides == ["left"] else -3.0 if sides == ["right"] else 0.0
    stage.bend_trunk(start_s + 0.5, roll=-lean)
    stage.bend_head(start_s + 0.5, roll=lean)
    stage.hold_upper(end_s - 0.4)
    stage.bend_trunk(end_s)
    stage.bend_head(end_s)
    stage.arms_home(end_s - 0.5, max(end_s, max(stage.arms[side].end_s for side in sides) + 0.4))
    return max(end_s, max(arm.end_s for arm in stage.arms.values()))


def touch(stage: Stage, start_s: float, end_s: float) -> float:
    """A hand or both at face, hair, neck, hips, chest; it moves a little where it lies."""
    rng = stage.rng
    both = stage.chance(0.4)
    sides = ["left", "right"] if both else [stage.either("left", "right")]
    name = str(rng.choice(_BOTH if both else (*_TOUCHES, "hip")))
    rise = stage.seconds(0.45, 0.8)
    for index, side in enumerate(sides):
        arm = stage.arms[side]
        late = 0.06 * index * float(rng.uniform(0, 2))
        pose = stage.pose(name, 0.008)
        arm.move(start_s + late, start_s + rise + late, pose)
        while arm.end_s < end_s - rise - 0.3:
            if stage.chance(0.45):  # a stroke
                out, up, ahead = pose.wrist
                shift = rng.normal(0, 0.022, 3)
                arm.key(
                    arm.end_s + stage.seconds(0.2, 0.35),
                    replace(pose, wrist=(out + shift[0], up + shift[1], ahead + abs(shift[2]))),
                )
                arm.key(arm.end_s + stage.seconds(0.2, 0.35), pose)
            else:
                arm.hold(min(end_s - rise, arm.end_s + stage.seconds(0.3, 0.8)))
        arm.hold(end_s - rise)
    tilt = float(rng.normal(0, 6))
    stage.bend_head(start_s + rise, pitch=float(rng.normal(3, 4)), roll=tilt, yaw=float(rng.normal(0, 8)))
    stage.head.hold(end_s - rise)
    stage.bend_head(end_s)
    stage.arms_home(end_s - rise, max(end_s, max(stage.arms[side].end_s for side in sides) + 0.4))
    return max(end_s, max(arm.end_s for arm in stage.arms.values()))


def cross_arms(stage: Stage, start_s: float, end_s: float) -> float:
    """Arms before the body: folded, a hug of oneself, hands clasped, clapping, a hand to the other shoulder or heart."""
    style = stage.either("folded", "hug", "clap", "clasp", "across", "touch", p=(0.3, 0.12, 0.2, 0.12, 0.12, 0.14))
    if style == "touch":
        return touch(stage, start_s, end_s)
    if style == "clap":
        return clap(stage, start_s, end_s)
    over = stage.either("left", "right")
    rise = stage.seconds(0.6, 0.95)
    for side, arm in stage.arms.items():
        front = side == over
        name = {
            "folded": "folded_over" if front else "folded_under",
            "hug": "shoulder_across",
            "clasp": "clasped_chest",
            "across": "point_across" if front else "hip",
        }[style]
        late = 0.12 if front else 0.0
        arm.move(start_s + late, start_s + rise + late, stage.pose(name, 0.008))
        arm.hold(end_s - rise)
    stage.bend_trunk(start_s + rise, yaw=float(stage.rng.normal(0, 6)), pitch=float(stage.rng.normal(2, 3)))
    stage.bend_head(start_s + rise, roll=float(stage.rng.normal(0, 5)))
    stage.hold_upper(end_s - rise)
    stage.bend_trunk(end_s)
    stage.bend_head(end_s)
    stage.arms_home(end_s - rise, end_s)
    return end_s


def clap(stage: Stage, start_s: float, end_s: float) -> float:
    """Claps, at chest height or overhead."""
    beat = stage.seconds(0.14, 0.26)
    lift = 0.62 if stage.chance(0.2) else float(stage.rng.uniform(-0.05, 0.08))
    for arm in stage.arms.values():
        poses = []
        for name in ("clap_shut", "clap_open"):
            pose = stage.pose(name, 0.0)
            out, up, ahead = pose.wrist
            poses.append(replace(pose, wrist=(out, up + lift, ahead - 0.35 * max(0.0, lift))))
        arm.move(start_s, start_s + stage.seconds(0.4, 0.5), poses[1])
    times = max(arm.end_s for arm in stage.arms.values())
    index = 0
    while times < end_s - 0.6:
        times += beat * (0.8 if index == 0 else 1.2)
        for side, arm in stage.arms.items():
            pose = stage.pose("clap_shut" if index == 0 else "clap_open", 0.0)
            out, up, ahead = pose.wrist
            arm.key(
                times,
                replace(pose, wrist=(out, up + lift + (0.01 if side == "left" else 0.0), ahead - 0.35 * max(0.0, lift))),
            )
        index = 1 - index
    stage.arms_home(times, max(end_s, times + 0.5))
    return max(end_s, times + 0.5)


def look_around(stage: Stage, start_s: float, end_s: float) -> float:
    """Head and then shoulders turn to one thing after another."""
    rng, now = stage.rng, start_s
    stage.head.hold(start_s)
    while now < end_s - 0.7:
        yaw, pitch = float(np.clip(rng.normal(0, 38), -68, 68)), float(np.clip(rng.normal(0, 14), -28, 30))
        go = 0.25 + abs(yaw) / 160 / stage.tempo
        stage.bend_head(now + go, yaw=0.75 * yaw, pitch=pitch, roll=float(rng.normal(0, 3)))
        stage.bend_trunk(now + go + 0.25, yaw=0.3 * yaw, pitch=0.15 * pitch)
        now += go + stage.seconds(0.3, 1.1)
        stage.head.hold(now)
    stage.bend_head(max(end_s, now + 0.3))
    stage.bend_trunk(max(end_s, now + 0.35))
    return max(end_s, now + 0.35)
