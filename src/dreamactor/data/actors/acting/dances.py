"""Dances: a beat, a style, and phrases of eight beats that come back mirrored.

Every style says what arms, feet and trunk do on a beat; music is imagined, rhythm is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dreamactor.data.actors.acting.bodywork import turn
from dreamactor.data.actors.acting.legs import STANDING
from dreamactor.data.actors.acting.stage import Stage


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """A way to dance.

    Attributes:
        phrases: per phrase, per beat: the poses of the leading arm and the other one.
        feet: name of the footwork: step_touch, bounce, march, sway, twist, kick, hop.
        bounce: how deep knees give, in leg lengths.
        sharp: 0 flowing from pose to pose, 1 snapping and holding.
        slow: beats per pose.
        bpm: slowest and fastest.
    """

    phrases: tuple[tuple[tuple[str, str], ...], ...]
    feet: str
    bounce: float
    sharp: float
    slow: int
    bpm: tuple[float, float]


STYLES: Final = {
    "groove": Style(
        phrases=(
            (("pump_front", "pump_back"), ("pump_back", "pump_front")),
            (("side_low", "across_low"), ("across_low", "side_low")),
            (("up_bent", "hip"), ("side_low", "hip")),
        ),
        feet="step_touch", bounce=0.035, sharp=0.1, slow=1, bpm=(92, 122),
    ),
    "bounce": Style(
        phrases=(
            (("pump_front", "pump_front"), ("pump_back", "pump_back")),
            (("cactus", "cactus"), ("guard", "guard")),
            (("fist_high", "pump_back"), ("pump_back", "fist_high")),
        ),
        feet="bounce", bounce=0.075, sharp=0.35, slow=1, bpm=(84, 104),
    ),
    "disco": Style(
        phrases=(
            (("point_up", "hip"), ("across_low", "hip")),
            (("point_up", "side_low"), ("side_low", "point_up")),
            (("clap_shut", "clap_shut"), ("side", "side")),
        ),
        feet="step_touch", bounce=0.03, sharp=0.5, slow=1, bpm=(108, 128),
    ),
    "hands_up": Style(
        phrases=(
            (("up", "up"), ("up_bent", "up_bent")),
            (("wave_high_in", "wave_high_out"), ("wave_high_out", "wave_high_in")),
        ),
        feet="hop", bounce=0.05, sharp=0.1, slow=1, bpm=(112, 134),
    ),
    "robot": Style(
        phrases=(
            (("robot_up", "robot_down"), ("robot_down", "robot_up"), ("robot_up", "robot_up"), ("side", "robot_down")),
            (("chop", "chop"), ("robot_up", "chop"), ("cactus", "robot_down"), ("robot_down", "cactus")),
        ),
        feet="sway", bounce=0.012, sharp=0.9, slow=1, bpm=(84, 112),
    ),
    "twist": Style(
        phrases=((("pump_front", "pump_back"), ("pump_back", "pump_front")), (("held", "side_low"), ("side_low", "held"))),
        feet="twist", bounce=0.09, sharp=0.0, slow=1, bpm=(120, 150),
    ),
    "ballet": Style(
        phrases=(
            (("oval_low", "oval_low"), ("oval_front", "oval_front"), ("oval_high", "oval_high"), ("side", "side")),
            (("oval_high", "side"), ("side", "oval_high"), ("oval_front", "side"), ("oval_low", "oval_low")),
        ),
        feet="extend", bounce=0.02, sharp=0.0, slow=2, bpm=(96, 120),
    ),
    "march": Style(
        phrases=((("pump_front", "pump_back"), ("pump_back", "pump_front")), (("up", "hip"), ("hip", "up"))),
        feet="march", bounce=0.02, sharp=0.3, slow=1, bpm=(100, 126),
    ),
    "folk": Style(
        phrases=((("hip", "hip"), ("hip", "hip")), (("folded_over", "folded_under"), ("folded_over", "folded_under")),
                 (("hip", "up"), ("hip", "up"))),
        feet="kick", bounce=0.03, sharp=0.3, slow=2, bpm=(112, 136),
    ),
}  # fmt: skip


def dance(stage: Stage, start_s: float, end_s: float) -> float:
    """Dances in one style, with a spin now and then."""
    rng = stage.rng
    style = STYLES[str(rng.choice(list(STYLES)))]
    beat = 60.0 / float(rng.uniform(*style.bpm)) / (1.0 if stage.tempo < 1.2 else 1.1)
    size = float(rng.uniform(0.7, 1.25))
    now, phrase = start_s, 0
    while now < end_s - beat:
        moves = style.phrases[int(rng.integers(len(style.phrases)))]
        number = int(min(8 if stage.chance(0.7) else 4, max(1, (end_s - now) // beat)))
        lead = "left" if phrase % 2 == 0 else "right"
        _arms(stage, style, moves, now, beat, number, lead)
        _FEET[style.feet](stage, now, beat, number, 1.0 if lead == "left" else -1.0, style.bounce * size)
        _trunk(stage, now, beat, number, 1.0 if lead == "left" else -1.0, size)
        now += number * beat
        phrase += 1
        if stage.whole and end_s - now > 4 * beat and stage.chance(0.16):
            degrees = float(rng.choice((-360, 360)))
            for arm in stage.arms.values():
                arm.move(now, now + beat, stage.pose("oval_front" if stage.chance(0.5) else "side_low"))
            now = turn(stage, now, now + float(rng.uniform(2.5, 4)) * beat, degrees=degrees)
    settle = now + 0.5
    stage.feet.pelvis(settle)
    stage.bend_trunk(settle)
    stage.bend_head(settle)
    stage.arms_home(now, settle)
    return settle


def _arms(
    stage: Stage, style: Style, moves: tuple[tuple[str, str], ...], start_s: float, beat: float, number: int, lead: str
) -> None:
    other = "right" if lead == "left" else "left"
    poses = [tuple(stage.pose(name, 0.035) for name in pair) for pair in moves]
    for index in range(0, number, style.slow):
        on = start_s + (index + style.slow) * beat - 0.45 * beat
        for arm, pose in zip((stage.arms[lead], stage.arms[other]), poses[index // style.slow % len(poses)], strict=True):
            if style.sharp > 0.25:
                arm.hold(on - max(0.34, (1 - 0.75 * style.sharp) * 0.75 * beat))
            arm.key(on, pose)
            if style.sharp > 0.6:
                arm.hold(on + 0.3 * beat)


def _trunk(stage: Stage, start_s: float, beat: float, number: int, sign: float, size: float) -> None:
    twist, lean, nod = (float(stage.rng.uniform(low, high)) * size for low, high in ((4, 13), (1, 6), (1, 7)))
    for index in range(number):
        side = sign if index % 2 == 0 else -sign
        on = start_s + (index + 0.5) * beat
        stage.bend_trunk(on, yaw=twist * side, roll=lean * side, pitch=3)
        stage.bend_head(on, pitch=nod, roll=-0.6 * lean * side, yaw=-0.4 * twist * side)
        stage.bend_head(on + 0.45 * beat, pitch=-0.3 * nod, roll=0.2 * lean * side)


def _dip(
    stage: Stage, on_s: float, beat: float, depth: float, *, left: float = 0.0, roll: float = 0.0, turned: float = 0.0
) -> None:
    """Down on the beat, up after it."""
    stage.feet.pelvis(on_s, left=left, height=STANDING - depth, roll_deg=roll, turned_deg=turned, pitch_deg=20 * depth)
    stage.feet.pelvis(
        on_s + 0.5 * beat, left=0.85 * left, height=STANDING - 0.2 * depth, roll_deg=0.4 * roll, turned_deg=turned
    )


def _sway(stage: Stage, start_s: float, beat: float, number: int, sign: float, bounce: float) -> None:
    for index in range(number):
        side = sign if index % 2 == 0 else -sign
        _dip(stage, start_s + (index + 0.5) * beat, beat, bounce + 0.02, left=0.06 * side, roll=4 * side)


def _bounce(stage: Stage, start_s: float, beat: float, number: int, sign: float, bounce: float) -> None:
    for index in range(number):
        side = sign if (index // 2) % 2 == 0 else -sign
        _dip(stage, start_s + (index + 0.5) * beat, beat, bounce + 0.02, left=0.03 * side, roll=2 * side, turned=5 * side)


def _twist(stage: Stage, start_s: float, beat: float, number: int, sign: float, bounce: float) -> None:
    for index in range(number):
        side = sign if index % 2 == 0 else -sign
        on = start_s + (index + 0.5) * beat
        stage.feet.pelvis(
            on, left=0.05 * side, height=STANDING - bounce - 0.03 * (index % 4), turned_deg=26 * side, roll_deg=2 * side
        )


def _step_touch(stage: Stage, start_s: float, beat: float, number: int, sign: float, bounce: float) -> None:
    feet = stage.feet
    wide = float(stage.rng.uniform(0.16, 0.30)) * (1.0 if stage.whole else 0.35)
    for index in range(number):
        on = start_s + (index + 0.5) * beat
        side = sign if (index // 2) % 2 == 0 else -sign
        name, other = ("left", "right") if side > 0 else ("right", "left")
        if index % 2 == 0:  # a step to the side
            feet.base = feet.base.moved(left=side * wide)
            feet.step(name, on - 0.55 * beat, on, feet.footprint(name, feet.base), height=0.05)
            _dip(stage, on, beat, bounce + 0.02, left=0.05 * side, roll=3 * side)
        else:  # the other foot joins
            feet.step(other, on - 0.5 * beat, on, feet.footprint(other, feet.base, out=-0.04), height=0.05, push_deg=18)
            _dip(stage, on, beat, 0.8 * bounce + 0.01, left=0.06 * side, roll=3 * side)


def _march(stage: Stage, start_s: float, beat: float, number: int, sign: float, bounce: float) -> None:
    feet = stage.feet
    high = float(stage.rng.uniform(0.12, 0.34))
    for index in range(number):
        side = sign if index % 2 == 0 else -sign
        name = "left" if side > 0 else "right"
        on = start_s + (index + 0.5) * beat
        feet.step(name, on - 0.48 * beat, on + 0.3 * beat, feet.footprint(name, feet.base), height=high, push_deg=26)
        _dip(stage, on, beat, bounce, left=-0.07 * side, roll=-3 * side)


def _hop(stage: Stage, start_s: float, beat: float, number: int, sign: float, bounce: float) -> None:
    feet = stage.feet
    height = min(0.5 * bounce + 0.02, 0.9 * (0.42 * beat) ** 2 * 10.9 / 8)
    for index in range(number):
        on = start_s + (index + 0.45) * beat
        feet.pelvis(on - 0.12 * beat, height=STANDING - bounce - 0.03, turned_deg=6 * sign * (-1) ** index, pitch_deg=3)
        feet.pelvis(on + 0.08 * beat, height=STANDING + 0.005)
        land = feet.hop(on + 0.08 * beat, height=height, push_deg=22)
        feet.pelvis(land, height=STANDING - 0.02)


def _kick(stage: Stage, start_s: float, beat: float, number: int, sign: float, bounce: float) -> None:
    feet = stage.feet
    high = float(stage.rng.uniform(0.12, 0.42))
    for index in range(0, number - 1, 2):
        side = sign if (index // 2) % 2 == 0 else -sign
        name = "left" if side > 0 else "right"
        on = start_s + (index + 0.5) * beat
        over = -side * 0.9 * feet.width
        feet.pelvis(on - 0.1 * beat, left=over, height=STANDING - bounce)
        feet.hold_foot(name, on - 0.2 * beat)
        feet.raised(name, on + 0.3 * beat, ahead=0.12, left=0.3 * over, up=0.22, tilt_deg=30)
        feet.raised(name, on + 0.75 * beat, ahead=0.42, left=0.4 * over, up=high, tilt_deg=32)
        feet.pelvis(on + 0.75 * beat, left=over, height=STANDING - 0.2 * bounce, pitch_deg=-5)
        feet.raised(name, on + 1.4 * beat)
        feet.pelvis(on + 1.35 * beat, height=STANDING - bounce)
    if number % 2:
        _dip(stage, start_s + (number - 0.5) * beat, beat, bounce)


def _extend(stage: Stage, start_s: float, beat: float, number: int, sign: float, bounce: float) -> None:
    """A leg goes out and comes back over four beats, toes pointed, the other knee straight."""
    feet = stage.feet
    for index in range(0, number - 3, 4):
        side = sign if (index // 4) % 2 == 0 else -sign
        name = "left" if side > 0 else "right"
        on = start_s + index * beat
        over = -side * 0.95 * feet.width
        feet.pelvis(on + 0.8 * beat, left=over, height=STANDING - bounce)
        feet.hold_foot(name, on + 0.7 * beat)
        where = stage.either("side", "back", "front")
        far, up = float(stage.rng.uniform(0.3, 0.5)), float(stage.rng.uniform(0.08, 0.45))
        left, ahead = {"side": (far * side, 0.0), "back": (0.5 * over, -far), "front": (0.5 * over, far)}[where]
        lean = {"side": 0.0, "back": 18 * up, "front": -6.0}[where]
        feet.raised(name, on + 2.0 * beat, left=left, ahead=ahead, up=up, tilt_deg=55)
        feet.pelvis(on + 2.0 * beat, left=over, height=STANDING, pitch_deg=lean, roll_deg=8 * side * up * (where == "side"))
        feet.raised(name, on + 2.6 * beat, left=left, ahead=ahead, up=up, tilt_deg=55)
        feet.pelvis(on + 2.6 * beat, left=over, height=STANDING, pitch_deg=lean)
        feet.raised(name, on + 3.7 * beat)
        feet.pelvis(on + 3.9 * beat, height=STANDING - bounce)
    if number < 4:
        _sway(stage, start_s, beat, number, sign, bounce)


_FEET: Final[dict[str, Callable[[Stage, float, float, int, float, float], None]]] = {
    "sway": _sway, "bounce": _bounce, "twist": _twist, "step_touch": _step_touch, "march": _march, "hop": _hop,
    "kick": _kick, "extend": _extend,
}  # fmt: skip
