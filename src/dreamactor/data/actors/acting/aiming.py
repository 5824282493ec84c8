"""What has a goal in space: pointing, reaching, throwing. The head looks where the hand goes.

Every function writes one act on a stage from a start to about an end and returns the moment it is over.
"""

from __future__ import annotations

from dataclasses import replace

from dreamactor.data.actors.acting.stage import Stage


def point(stage: Stage, start_s: float, end_s: float) -> float:
    """Points ahead, up, down, across, to a side or at oneself; the head looks where the finger points."""
    side = stage.either("left", "right")
    sign = 1.0 if side == "left" else -1.0
    name = stage.either("point_ahead", "point_side", "point_up", "point_down", "point_across", "point_self")
    yaw, pitch = {
        "point_ahead": (0, 0), "point_side": (34, 0), "point_up": (14, -24), "point_down": (10, 22),
        "point_across": (-26, 0), "point_self": (0, 6),
    }[name]  # fmt: skip
    return _aim(stage, start_s, end_s, side, name, yaw_deg=sign * yaw, pitch_deg=float(pitch), jab=stage.chance(0.5))


def reach(stage: Stage, start_s: float, end_s: float) -> float:
    """Reaches for something, takes it and brings it in; head and trunk go along."""
    now = start_s
    while now < end_s - 1.0 or now == start_s:
        side = stage.either("left", "right")
        sign = 1.0 if side == "left" else -1.0
        name = stage.either("reach_ahead", "reach_up", "reach_low", "reach_across", "reach_side")
        yaw, pitch, lean = {
            "reach_ahead": (4, 4, 8), "reach_up": (10, -22, -4), "reach_low": (8, 24, 26), "reach_across": (-28, 6, 4),
            "reach_side": (34, 2, 0),
        }[name]  # fmt: skip
        go, stay, back = stage.seconds(0.5, 0.8), stage.seconds(0.1, 0.3), stage.seconds(0.5, 0.8)
        arm = stage.arms[side]
        arm.move(now, now + go, stage.pose(name, 0.03))
        arm.hold(now + go + 0.06)
        arm.key(now + go + 0.06 + stay, stage.pose(name, 0.01), hand="grasp")
        arm.move(now + go + 0.1 + stay, now + go + stay + back, stage.pose("held"))
        stage.trunk.hold(now)
        stage.bend_trunk(
            now + go + 0.05, yaw=0.6 * sign * yaw, pitch=lean, left=0.35 * (side == "left"), right=0.35 * (side == "right")
        )
        stage.trunk.hold(now + go + stay)
        stage.head.hold(now)
        stage.bend_head(now + 0.7 * go, yaw=0.6 * sign * yaw, pitch=pitch)
        stage.head.hold(now + go + stay)
        stage.bend_trunk(now + go + stay + back)
        stage.bend_head(now + go + stay + back, pitch=8)
        now = now + go + stay + back + stage.seconds(0.1, 0.4)
        arm.hold(now)
        if stage.chance(0.5):
            stage.arms_home(now, now + 0.5)
            now += 0.5
        stage.bend_head(now + 0.1)
    stage.arms_home(now, now + 0.5)
    return now + 0.5


def throw(stage: Stage, start_s: float, end_s: float) -> float:
    """Winds up, steps, throws overarm or underarm with either hand, follows through."""
    rng, feet = stage.rng, stage.feet
    now = start_s
    while now < end_s - 1.4 or now == start_s:
        side = stage.either("left", "right")
        other = "right" if side == "left" else "left"
        sign = 1.0 if side == "left" else -1.0
        over = stage.chance(0.65)
        wind, swing, follow = stage.seconds(0.45, 0.7), stage.seconds(0.2, 0.32), stage.seconds(0.2, 0.35)
        arm = stage.arms[side]
        back, out = ("wound_up", "released") if over else ("under_back", "under_front")
        arm.move(now, now + wind, stage.pose(back))
        release = now + wind + 0.05 + swing
        arm.key(now + wind + 0.05, stage.pose(back, 0.01))
        arm.key(release, stage.pose(out))
        arm.key(release + follow, stage.pose("followed" if over else "up_bent"))
        stage.arms[other].move(now, now + wind, stage.pose("reach_ahead" if over else "side_low"), hand="relaxed")
        stage.arms[other].key(release + 0.1, stage.pose("pump_back"))
        stage.trunk.hold(now)
        stage.bend_trunk(now + wind, yaw=28 * sign, pitch=-8 if over else 10)
        stage.bend_trunk(release, yaw=-18 * sign, pitch=10)
        stage.bend_trunk(release + follow, yaw=-26 * sign, pitch=18 if over else 0)
        feet.hold_pelvis(now)
        stride = float(rng.uniform(0.18, 0.34)) if stage.whole else 0.08
        feet.pelvis(now + wind, ahead=-0.06, left=0.4 * sign * feet.width, turned_deg=18 * sign, height=1.06)
        feet.step(
            other,
            now + 0.55 * wind,
            now + wind + 0.04,
            feet.footprint(other, feet.base, ahead=stride),
            height=0.10,
            strike_deg=10,
        )
        feet.pelvis(
            release + 0.08,
            ahead=0.55 * stride,
            left=-0.2 * sign * feet.width,
            turned_deg=-12 * sign,
            height=1.05,
            pitch_deg=6,
        )
        end = release + follow + stage.seconds(0.5, 0.8)
        feet.hold_pelvis(release + follow)
        feet.step(other, release + follow + 0.05, end - 0.05, feet.footprint(other, feet.base), height=0.05)
        feet.pelvis(end)
        stage.bend_trunk(end)
        stage.arms_home(release + follow + 0.05, end + 0.05)
        now = end + stage.seconds(0.05, 0.4)
    return now


def _aim(
    stage: Stage, start_s: float, end_s: float, side: str, name: str, *, yaw_deg: float, pitch_deg: float, jab: bool
) -> float:
    rise = stage.seconds(0.35, 0.6)
    arm, pose = stage.arms[side], stage.pose(name, 0.03)
    arm.move(start_s, start_s + rise, pose)
    if jab:
        out, up, ahead = pose.wrist
        for _ in range(int(stage.rng.integers(1, 4))):
            arm.hold(arm.end_s + 0.1)
            arm.key(arm.end_s + 0.12, replace(pose, wrist=(0.8 * out, up - 0.03, 0.8 * ahead)))
            arm.key(arm.end_s + 0.12, pose)
    end_s = max(end_s, arm.end_s + 0.6)
    arm.hold(end_s - 0.5)
    stage.head.hold(start_s)
    stage.bend_head(start_s + 0.8 * rise, yaw=0.7 * yaw_deg, pitch=pitch_deg)
    stage.trunk.hold(start_s)
    stage.bend_trunk(start_s + rise, yaw=0.35 * yaw_deg, pitch=0.2 * pitch_deg)
    stage.hold_upper(end_s - 0.5)
    stage.bend_head(end_s)
    stage.bend_trunk(end_s)
    stage.arms_home(end_s - 0.5, end_s)
    return end_s
