"""What legs and trunk do: stand, walk, turn, jump, kick, sit, crouch, bow.

Every function writes one act on a stage from a start to about an end, and leaves the actor standing; it returns the moment
it is over.
"""

from __future__ import annotations

import numpy as np

from dreamactor.data.actors.acting.legs import SEATED, STANDING, Spot
from dreamactor.data.actors.acting.stage import Stage

_ROOM_X, _ROOM_Z = 1.15, 0.9
"""How far from the middle people walk, in leg lengths."""


def stand_by(stage: Stage, start_s: float, end_s: float) -> float:
    """Legs while only arms are busy: weight goes from leg to leg, and now and then there is a small step."""
    rng, feet = stage.rng, stage.feet
    now = start_s + stage.seconds(0.1, 1.2)
    feet.hold_pelvis(start_s)
    while now < end_s - 0.5:
        moving = min(stage.seconds(0.7, 1.5), end_s - now)
        if stage.whole and stage.chance(0.18) and end_s - now > 1.0:
            now = shuffle(stage, now)
            continue
        side = float(rng.choice((-1, 1)))
        lean = float(rng.uniform(0.02, 0.075))
        # The hip over the standing leg rises, the other knee gives.
        feet.pelvis(
            now + moving,
            left=side * lean,
            ahead=float(rng.normal(0, 0.008)),
            roll_deg=side * lean * 55,
            turned_deg=float(rng.normal(0, 3)),
            height=STANDING - 0.012,
        )
        now = min(now + moving + stage.seconds(0.5, 2.2), end_s)
        feet.hold_pelvis(now)
    return max(end_s, now)


def shuffle(stage: Stage, start_s: float) -> float:
    """Two small steps to a place nearby."""
    rng = stage.rng
    to = _kept_in_room(
        stage.feet.base.moved(
            left=float(rng.normal(0, 0.09)), ahead=float(rng.normal(0, 0.07)), turned_deg=float(rng.normal(0, 12))
        )
    )
    return stage.feet.walk(
        start_s, [to, to], period_s=stage.seconds(0.4, 0.6), stride=0.1, first=stage.either("left", "right")
    )


def _kept_in_room(spot: Spot) -> Spot:
    return Spot(
        x=float(np.clip(spot.x, -_ROOM_X, _ROOM_X)),
        z=float(np.clip(spot.z, -_ROOM_Z, _ROOM_Z)),
        heading_deg=spot.heading_deg,
    )


def _nearest_turn(degrees: float) -> float:
    return (degrees + 180) % 360 - 180


def walk(stage: Stage, start_s: float, end_s: float) -> float:
    """Walks through the room: across, towards the viewer or away, and back; on the spot before a camera that sees less."""
    rng, feet = stage.rng, stage.feet
    now = start_s
    period = float(np.clip(rng.normal(0.54, 0.07), 0.4, 0.72)) / stage.tempo**0.5
    length = float(rng.uniform(0.38, 0.72))
    goal = _goal(stage, feet.base)
    if end_s - start_s < 3 * period:
        return shuffle(stage, start_s)
    if not stage.whole:
        number = round((end_s - start_s) / period)
        return feet.walk(now, [feet.base] * number, period_s=period, stride=0.4, first=stage.either("left", "right"))
    while now < end_s - 2 * period:
        here, spot, bases = feet.base, feet.base, []
        for number in range(max(2, int((end_s - now) / period) - 1)):
            bearing = float(np.rad2deg(np.arctan2(goal.x - spot.x, goal.z - spot.z)))
            turn = float(np.clip(_nearest_turn(bearing - spot.heading_deg), -42, 42))
            straight = float(np.cos(np.deg2rad(min(90.0, 1.6 * abs(turn)))))
            step = length * (0.55 if number == 0 else 1.0) * (0.25 + 0.75 * straight)
            spot = spot.moved(turned_deg=turn).moved(ahead=step)
            bases.append(spot)
            if np.hypot(goal.x - spot.x, goal.z - spot.z) < 0.6 * length:
                break
        bases.append(bases[-1])
        now = feet.walk(now, bases, period_s=period, stride=min(1.0, length / 0.6), first=stage.either("left", "right"))
        goal = _goal(stage, here if stage.chance(0.3) else feet.base)
        if stage.chance(0.3):
            now = stand_by(stage, now, min(end_s, now + stage.seconds(0.3, 1.2)))
    return now


def _goal(stage: Stage, here: Spot) -> Spot:
    """Somewhere to walk to, not too near: mostly across the picture."""
    rng = stage.rng
    for _ in range(8):
        x, z = float(rng.uniform(-1, 1)) * _ROOM_X, float(rng.uniform(-1, 1)) * _ROOM_Z
        if np.hypot(x - here.x, z - here.z) > 0.9:
            break
    return Spot(x=x, z=z, heading_deg=0.0)


def turn(stage: Stage, start_s: float, end_s: float, *, degrees: float | None = None) -> float:
    """Turns on the spot in small steps, up to a full circle and more, either way, slow or fast."""
    rng, feet = stage.rng, stage.feet
    if degrees is None:
        degrees = float(
            rng.choice((-1, 1)) * rng.choice((rng.uniform(70, 190), 360.0, rng.uniform(400, 720)), p=(0.3, 0.55, 0.15))
        )
    time_s = max(0.5, end_s - start_s)
    number = max(2, round(abs(degrees) / rng.uniform(32, 58)))
    period = float(np.clip(time_s / (number + 1.2), 0.26, 0.62))
    number = max(2, min(number, round(time_s / period)))
    per_step = degrees / number
    bases = [feet.base.moved(turned_deg=per_step * (i + 1)) for i in range(number)]
    first = "left" if degrees > 0 else "right"
    over = feet.walk(start_s, [*bases, bases[-1]], period_s=period, stride=0.12, first=first)
    stage.bend_trunk(start_s + 0.2, yaw=float(np.sign(degrees)) * 6)
    stage.bend_trunk(over, yaw=0.0)
    return over


def jump(stage: Stage, start_s: float, end_s: float) -> float:
    """Crouch, arms back; flight; landing on soft knees. Straight, star or tucked, on the spot or away from it."""
    rng, feet = stage.rng, stage.feet
    now = start_s
    while now < end_s - 1.0 or now == start_s:
        height = float(rng.uniform(0.10, 0.34))
        style = stage.either("straight", "star", "tucked", "bouncing")
        down, push = stage.seconds(0.28, 0.5), 0.16
        if style == "bouncing":
            height, down = 0.5 * height, 0.7 * down
        depth = float(rng.uniform(0.16, 0.34))
        crouched = now + down
        feet.hold_pelvis(now)
        feet.pelvis(crouched, height=STANDING - depth, pitch_deg=40 * depth, ahead=-0.10 * depth)
        stage.trunk.hold(now)
        stage.bend_trunk(crouched, pitch=50 * depth)
        stage.bend_head(crouched, pitch=-30 * depth)
        up_pose = {
            "straight": stage.either("up", "up_bent"),
            "star": "up",
            "tucked": "reach_ahead",
            "bouncing": "pump_front",
        }[style]
        for arm in stage.arms.values():
            arm.move(now, crouched, stage.pose("jump_back" if style != "bouncing" else "pump_back"))
        leave = crouched + push
        feet.pelvis(leave, height=STANDING + 0.015)
        away = feet.base
        if stage.whole and stage.chance(0.4):
            turned = float(rng.choice((-1, 1)) * rng.choice((0, 90, 180), p=(0.5, 0.3, 0.2)))
            away = _kept_in_room(away.moved(ahead=float(rng.uniform(0, 0.45)), turned_deg=turned))
        land = feet.hop(leave, height=height, to=away, tuck=0.26 if style == "tucked" else 0.03)
        middle = (leave + land) / 2
        if style == "star":
            for side in ("left", "right"):
                feet.raised(side, leave, tilt_deg=35)
                feet.raised(side, middle, left=0.26 if side == "left" else -0.26, tilt_deg=35)
                feet.raised(side, land, tilt_deg=10)
        stage.bend_trunk(leave, pitch=-4)
        stage.bend_head(leave, pitch=-6)
        for arm in stage.arms.values():
            arm.key(leave + 0.16, stage.pose(up_pose))
            arm.hold(land - 0.05)
        feet.pelvis(land, height=STANDING - 0.02)
        feet.pelvis(land + 0.13, height=STANDING - 0.45 * depth - 0.35 * height, pitch_deg=10)
        stage.bend_trunk(land + 0.16, pitch=22 * depth + 20 * height)
        rest = land + 0.13 + stage.seconds(0.25, 0.4)
        feet.pelvis(rest)
        stage.bend_trunk(rest)
        stage.bend_head(rest)
        stage.arms_home(land + 0.02, rest + 0.08)
        now = rest + (0.1 if style == "bouncing" else stage.seconds(0.1, 0.8))
    return now


def kick(stage: Stage, start_s: float, end_s: float) -> float:
    """Weight on one leg, knee up, the foot goes out and comes back; forwards, sideways, or swung like at a ball."""
    rng, feet = stage.rng, stage.feet
    now = start_s
    while now < end_s - 1.2 or now == start_s:
        side = stage.either("left", "right")
        sign = 1.0 if side == "left" else -1.0
        style = stage.either("front", "side", "ball", p=(0.4, 0.25, 0.35))
        high = float(rng.uniform(0.25, 0.95)) if style != "ball" else float(rng.uniform(0.12, 0.4))
        shift, lift, out = stage.seconds(0.25, 0.45), stage.seconds(0.22, 0.36), stage.seconds(0.13, 0.26)
        guard = "guard" if style != "ball" else None
        feet.hold_pelvis(now)
        over = -sign * (feet.width + 0.01)
        lean = 0.0 if style == "ball" else -14 * high
        weight = now + shift
        feet.pelvis(weight, left=over, height=STANDING - 0.03)
        feet.hold_foot(side, weight - 0.1)
        knee = weight + lift
        hit = knee + out
        swung = stage.rng.uniform(-0.34, -0.2)
        if style == "ball":
            feet.raised(side, knee, ahead=swung, up=0.24, tilt_deg=45)
            feet.raised(side, hit, ahead=0.50, up=high, tilt_deg=20)
        elif style == "front":
            feet.raised(side, knee, ahead=0.10, left=-0.3 * sign * feet.width, up=0.42 + 0.1 * high, tilt_deg=25)
            feet.raised(
                side, hit, ahead=0.80 - 0.25 * high, left=-0.5 * sign * feet.width, up=high, tilt_deg=-35 + 50 * high
            )
        else:
            feet.raised(side, knee, ahead=0.06, left=0.08 * sign, up=0.46, tilt_deg=15)
            feet.raised(side, hit, ahead=0.05, left=sign * (0.68 - 0.25 * high), up=high, tilt_deg=0)
        feet.hold_foot(side, hit + 0.05)
        back = hit + 0.05 + stage.seconds(0.2, 0.35)
        feet.raised(side, back, ahead=0.06, up=0.34, tilt_deg=25)
        down = back + stage.seconds(0.22, 0.36)
        feet.raised(side, down)
        roll = 10 * sign * high if style == "side" else 0.0
        feet.pelvis(knee, left=over, height=STANDING - 0.02, pitch_deg=0.4 * lean)
        feet.pelvis(hit, left=over, ahead=0.02, height=STANDING - 0.01, pitch_deg=lean, roll_deg=2.2 * roll)
        feet.pelvis(back, left=over, height=STANDING - 0.03)
        feet.pelvis(down + 0.2)
        stage.trunk.hold(weight)
        stage.bend_trunk(knee, yaw=-10 * sign, pitch=6)
        stage.bend_trunk(hit, yaw=14 * sign, pitch=10 if style != "side" else 0, roll=-0.6 * roll)
        stage.bend_trunk(down)
        for name, arm in stage.arms.items():
            if guard:
                arm.move(now, weight, stage.pose(guard))
                arm.key(hit, stage.pose("side_low" if name == side else guard))
            else:
                arm.move(weight - 0.1, knee, stage.pose("pump_front" if name == side else "side_low"))
                arm.key(hit + 0.05, stage.pose("side_low" if name == side else "pump_front"))
        stage.arms_home(back, down + 0.35)
        now = down + 0.35 + stage.seconds(0.0, 0.5)
    return now


def crouch(stage: Stage, start_s: float, end_s: float) -> float:
    """Down on bent knees and up again: a squat for exercise, or a longer crouch."""
    rng, feet = stage.rng, stage.feet
    now = start_s
    squats = stage.chance(0.5)
    while now < end_s - 0.8 or now == start_s:
        depth = float(rng.uniform(0.25, 0.58))
        down = stage.seconds(0.5, 0.9)
        stay = stage.seconds(0.05, 0.25) if squats else float(np.clip(end_s - now - 2 * down, 0.3, 1.8))
        feet.hold_pelvis(now)
        feet.pelvis(now + down, height=STANDING - depth, ahead=-0.14 * depth, pitch_deg=36 * depth)
        feet.hold_pelvis(now + down + stay)
        for side in stage.arms:  # heels rise where ankles bend no further
            feet.hold_foot(side, now + 0.5 * down)
            feet.tilt(side, now + down, 150 * max(0.0, depth - 0.27))
            feet.hold_foot(side, now + down + stay)
            feet.tilt(side, now + 1.5 * down + stay, 0.0)
        stage.trunk.hold(now)
        stage.bend_trunk(now + down, pitch=34 * depth)
        stage.trunk.hold(now + down + stay)
        stage.head.hold(now)
        stage.bend_head(now + down, pitch=-40 * depth)
        stage.head.hold(now + down + stay)
        pose = (
            stage.either("reach_ahead", "clasped_chest", "guard")
            if squats
            else stage.either("knee", "clasped_chest", "reach_low")
        )
        for arm in stage.arms.values():
            arm.move(now, now + down, stage.pose(pose))
            arm.hold(now + down + stay)
        up = now + 2 * down + stay
        feet.pelvis(up)
        stage.bend_trunk(up)
        stage.bend_head(up)
        stage.arms_home(now + down + stay, up + 0.1)
        now = up + stage.seconds(0.1, 0.4)
    return now


def bow(stage: Stage, start_s: float, end_s: float) -> float:
    """Bends at the hips, the weight goes back over the feet; a nod, a bow or a deep one, an arm before the belly or not."""
    rng, feet = stage.rng, stage.feet
    now = start_s
    while now < end_s - 1.2 or now == start_s:
        deep = float(rng.choice((rng.uniform(15, 30), rng.uniform(35, 60), rng.uniform(65, 85)), p=(0.3, 0.45, 0.25)))
        down, stay, up = stage.seconds(0.6, 1.0), stage.seconds(0.15, 0.7), stage.seconds(0.6, 1.0)
        style = stage.either("sides", "belly", "flourish", "clasped")
        feet.hold_pelvis(now)
        feet.pelvis(now + down, ahead=-0.0022 * deep, height=STANDING - 0.02, pitch_deg=0.62 * deep)
        feet.hold_pelvis(now + down + stay)
        feet.pelvis(now + down + stay + up)
        for track, key in ((stage.trunk, stage.bend_trunk), (stage.head, stage.bend_head)):
            track.hold(now)
            key(now + down + 0.08, pitch=0.38 * deep if track is stage.trunk else 0.2 * deep)
            track.hold(now + down + stay)
            key(now + down + stay + up)
        one = stage.either("left", "right")
        poses: dict[str, str | None] = dict.fromkeys(stage.arms)
        if style == "belly":
            poses[one] = "clasped"
        elif style == "flourish":
            poses = {side: ("across_low" if side == one else "side") for side in poses}
        elif style == "clasped":
            poses = dict.fromkeys(poses, "clasped_chest")
        for side, pose in poses.items():
            if pose:
                stage.arms[side].move(now, now + 0.8 * down, stage.pose(pose))
                stage.arms[side].hold(now + down + stay)
        stage.arms_home(now + down + stay, now + down + stay + up)
        now += down + stay + up + stage.seconds(0.1, 0.6)
    return now


def sit_down(stage: Stage, start_s: float) -> float:
    """Leans forward, hips go back and down onto a seat; stays there until `stand_up`."""
    feet = stage.feet
    time_s = stage.seconds(0.9, 1.4)
    feet.hold_pelvis(start_s)
    feet.pelvis(start_s + 0.45 * time_s, ahead=-0.24, height=STANDING - 0.24, pitch_deg=34)
    feet.pelvis(start_s + time_s, **_SEAT)
    stage.trunk.hold(start_s)
    stage.bend_trunk(start_s + 0.5 * time_s, pitch=16)
    stage.bend_trunk(start_s + time_s + 0.2, pitch=5)
    stage.head.hold(start_s)
    stage.bend_head(start_s + 0.5 * time_s, pitch=-14)
    stage.bend_head(start_s + time_s)
    for arm in stage.arms.values():
        arm.move(start_s + 0.2 * time_s, start_s + time_s, stage.pose("knee"))
    return start_s + time_s


_SEAT = {"ahead": -0.50, "height": SEATED, "pitch_deg": -3.0}


def seated(stage: Stage, start_s: float, end_s: float) -> float:
    """Sits: small shifts of weight."""
    rng, now = stage.rng, start_s
    while now < end_s - 0.9:
        now = min(now + stage.seconds(0.7, 1.6), end_s - 0.1)
        lean = float(rng.uniform(-4, 9))
        stage.feet.pelvis(now, left=float(rng.normal(0, 0.012)), **_SEAT)
        stage.bend_trunk(now, yaw=float(rng.normal(0, 6)), pitch=5 + lean, roll=float(rng.normal(0, 2)))
    stage.feet.hold_pelvis(end_s)
    return end_s


def stand_up(stage: Stage, start_s: float) -> float:
    feet = stage.feet
    time_s = stage.seconds(0.9, 1.3)
    feet.hold_pelvis(start_s)
    feet.pelvis(start_s + 0.35 * time_s, ahead=-0.40, height=SEATED + 0.04, pitch_deg=38)
    feet.pelvis(start_s + time_s)
    stage.trunk.hold(start_s)
    stage.bend_trunk(start_s + 0.4 * time_s, pitch=16)
    stage.bend_trunk(start_s + time_s)
    stage.head.hold(start_s)
    stage.bend_head(start_s + 0.4 * time_s, pitch=-12)
    stage.bend_head(start_s + time_s)
    stage.arms_home(start_s + 0.5 * time_s, start_s + time_s + 0.2)
    return start_s + time_s
