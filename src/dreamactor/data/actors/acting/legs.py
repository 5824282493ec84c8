"""Footwork: where the pelvis goes, when which foot stands where, and the channels of the legs that follow.

A planted foot stays where it is: legs are bent so that they reach from the moving pelvis to the standing feet. Lengths are
leg lengths; the floor's axes are x to the image right, z to the viewer; a heading of 0 degrees faces the viewer.

Axis letters: T moments; sides left, right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dreamactor.data.actors.acting.limbs import (
    ANKLE,
    HEEL_PLACE,
    HIP_HALF,
    LEVEL_LIMIT_DEG,
    SHIN,
    SOLE,
    THIGH,
    TOE_PLACE,
    about,
    bend_leg,
    limb_angles,
)
from dreamactor.data.actors.acting.timing import Track, ease, soft_min

SIDES: Final = (("left", 1.0), ("right", -1.0))
STANDING: Final = 0.985 + ANKLE
"""Height of the pelvis of somebody who stands at ease."""
SEATED: Final = 0.50 + ANKLE
GRAVITY: Final = 9.81 / 0.9
"""Leg lengths per second squared, for a leg of 0.9 m."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """A place on the floor and a heading in degrees."""

    x: float
    z: float
    heading_deg: float

    def moved(self, *, left: float = 0.0, ahead: float = 0.0, turned_deg: float = 0.0) -> Spot:
        angle = np.deg2rad(self.heading_deg)
        return Spot(
            x=self.x + float(left * np.cos(angle) + ahead * np.sin(angle)),
            z=self.z + float(ahead * np.cos(angle) - left * np.sin(angle)),
            heading_deg=self.heading_deg + turned_deg,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Swing:
    start_s: float
    end_s: float
    before: Spot
    after: Spot
    height: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Hop:
    start_s: float
    end_s: float
    height: float


class Footwork:
    """Feet and pelvis over time, written from start to end."""

    def __init__(self, *, heading_deg: float, width: float, toes_out_deg: float) -> None:
        self.width, self.toes_out_deg = width, toes_out_deg
        self.base = Spot(x=0.0, z=0.0, heading_deg=heading_deg)
        """Where the actor stands at the end of what is written: between the feet."""
        self._pelvis = Track([0.0, 0.0, heading_deg, STANDING, 0.0, 0.0])
        self._first = {side: self.footprint(side, self.base) for side, _ in SIDES}
        self._swings: dict[str, list[_Swing]] = {side: [] for side, _ in SIDES}
        self._tilt = {side: Track([0.0]) for side, _ in SIDES}
        self._air = {side: Track([0.0, 0.0, 0.0]) for side, _ in SIDES}  # x, z and up from where the foot stands
        self._hops: list[_Hop] = []
        self._stride = Track([0.0, 0.0])  # phase of the gait in half cycles, how much of it shows

    def footprint(self, side: str, base: Spot, *, out: float = 0.0, ahead: float = 0.0, turned_deg: float = 0.0) -> Spot:
        """Where a foot stands beside a base."""
        sign = 1.0 if side == "left" else -1.0
        return base.moved(left=sign * (self.width + out), ahead=ahead, turned_deg=sign * (self.toes_out_deg + turned_deg))

    def standing(self, side: str) -> Spot:
        """Where a foot stands at the end of what is written."""
        return self._swings[side][-1].after if self._swings[side] else self._first[side]

    def free_from_s(self, side: str) -> float:
        return self._swings[side][-1].end_s if self._swings[side] else 0.0

    def pelvis(
        self,
        at_s: float,
        *,
        left: float = 0.0,
        ahead: float = 0.0,
        turned_deg: float = 0.0,
        height: float = STANDING,
        pitch_deg: float = 0.0,
        roll_deg: float = 0.0,
    ) -> None:
        """A key of the pelvis about the base; positive roll lifts the left hip."""
        spot = self.base.moved(left=left, ahead=ahead, turned_deg=turned_deg)
        self._pelvis.add(at_s, [spot.x, spot.z, spot.heading_deg, height, pitch_deg, roll_deg])

    def hold_pelvis(self, until_s: float) -> None:
        self._pelvis.hold(until_s)

    def step(
        self,
        side: str,
        start_s: float,
        end_s: float,
        to: Spot,
        *,
        height: float,
        push_deg: float = 8.0,
        strike_deg: float = 0.0,
    ) -> None:
        """Lifts a foot and puts it down elsewhere; the heel leaves last by `push_deg` and lands first by `strike_deg`."""
        start_s = max(start_s, self.free_from_s(side) + 0.04)
        end_s = max(end_s, start_s + 0.10)
        self._swings[side].append(_Swing(start_s=start_s, end_s=end_s, before=self.standing(side), after=to, height=height))
        tilt = self._tilt[side]
        tilt.move(start_s - min(0.25, 0.6 * (end_s - start_s)), start_s, [push_deg])
        tilt.add(start_s + 0.3 * (end_s - start_s), [0.9 * push_deg])
        tilt.add(end_s, [-strike_deg])
        tilt.add(end_s + 0.10, [0.0])

    def raised(
        self, side: str, at_s: float, *, left: float = 0.0, ahead: float = 0.0, up: float = 0.0, tilt_deg: float = 0.0
    ) -> None:
        """A key of a foot held away from where it stands; the foot is back where all are zero."""
        spot = self.base.moved(left=left, ahead=ahead)
        self._air[side].add(at_s, [spot.x - self.base.x, spot.z - self.base.z, up])
        self._tilt[side].add(at_s, [tilt_deg])

    def hold_foot(self, side: str, until_s: float) -> None:
        self._air[side].hold(until_s)
        self._tilt[side].hold(until_s)

    def tilt(self, side: str, at_s: float, degrees: float) -> None:
        """Raises the heel (positive) or the toes of a standing foot."""
        self._tilt[side].add(at_s, [degrees])

    def hop(
        self, start_s: float, *, height: float, to: Spot | None = None, tuck: float = 0.0, push_deg: float = 35.0
    ) -> float:
        """Both feet leave the floor and land about `to`; returns the moment of landing."""
        end_s = start_s + float(np.sqrt(8 * height / GRAVITY))
        self._hops.append(_Hop(start_s=start_s, end_s=end_s, height=height))
        landing = to or self.base
        for side, _ in SIDES:
            self.step(side, start_s, end_s, self.footprint(side, landing), height=tuck, push_deg=push_deg, strike_deg=-12)
        self.base = landing
        return end_s

    def walk(self, start_s: float, bases: list[Spot], *, period_s: float, stride: float, first: str) -> float:
        """Steps through bases, one step each, the last one bringing the feet together; returns the moment of standing.

        Args:
            start_s: when the first foot is lifted.
            bases: where the pelvis is when it passes over each step's foot.
            period_s: time from step to step.
            stride: 0..1, how much hips, heels and arms take part.
            first: side of the first step.
        """
        order = [first, "right" if first == "left" else "left"]
        swing_s = 0.74 * period_s
        phase = 0.0 if first == "left" else 1.0
        self._stride.hold(start_s)
        self._stride.add(start_s + 0.05, [phase - 0.9, 0.0])
        self.hold_pelvis(start_s)
        for number, base in enumerate(bases):
            side = order[number % 2]
            sign = 1.0 if side == "left" else -1.0
            down_s = start_s + swing_s + number * period_s
            self.base = base
            last = number == len(bases) - 1
            far = 0.0 if last else stride
            self.step(
                side,
                down_s - swing_s,
                down_s,
                self.footprint(side, base, out=-0.35 * self.width * far),
                height=0.05 + 0.04 * stride,
                push_deg=8 + 30 * stride * (number > 0),
                strike_deg=16 * far,
            )
            over_s = down_s + 0.54 * period_s
            if last:
                self.pelvis(down_s + 0.5 * period_s)
                self._stride.add(down_s + 0.5 * period_s, [phase + number, 0.0])
            else:
                self.pelvis(
                    over_s,
                    left=sign * (0.03 + 0.03 * stride),
                    height=STANDING - 0.012 * stride,
                    roll_deg=sign * 3.0 * stride,
                    pitch_deg=3.0 * stride,
                )
                self._stride.add(over_s, [phase + number, stride])
        return start_s + swing_s + (len(bases) - 0.5) * period_s

    def stride(self, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[T] phase of the gait in radians (0 where the left foot carries, pi where the right one does) and [T] strength."""
        phase, strength = self._stride.at(times_s).T
        return np.pi * phase, strength

    def heading_deg(self, times_s: np.ndarray) -> np.ndarray:
        return self._pelvis.at(times_s)[:, 2]

    def solve(self, times_s: np.ndarray) -> dict[str, np.ndarray]:
        """The channels of root and legs at moments [T]."""
        x, z, yaw, height, pitch, roll = self._pelvis.at(times_s).T
        phase, strength = self.stride(times_s)
        hop = np.zeros_like(times_s)
        for one in self._hops:
            share = np.clip((times_s - one.start_s) / (one.end_s - one.start_s), 0, 1)
            hop += 4 * one.height * share * (1 - share)
        feet = {side: self._foot(side, times_s) for side, _ in SIDES}
        yaw = yaw + 5.0 * strength * np.sin(phase)
        root = about("y", yaw) @ about("x", pitch) @ about("z", roll)
        for side, sign in SIDES:
            hip = root @ np.array([sign * HIP_HALF, 0, 0])
            foot = feet[side]
            away2 = (x + hip[:, 0] - foot.ankle[:, 0]) ** 2 + (z + hip[:, 2] - foot.ankle[:, 2]) ** 2
            reach = foot.ankle[:, 1] - hip[:, 1] + np.sqrt(np.clip(0.998**2 - away2, 0.04, None))
            height = soft_min(height, reach + 0.5 * foot.off_floor, 0.03)
        out = {"root_yaw": yaw, "root_pitch": pitch, "root_roll": roll, "travel_x": x, "travel_z": z}
        lowest = np.full_like(times_s, np.inf)
        for side, sign in SIDES:
            foot = feet[side]
            hip = np.stack([x, height, z], -1) + root @ np.array([sign * HIP_HALF, 0, 0])
            back = root.transpose(0, 2, 1)
            ahead = np.stack([np.sin(np.deg2rad(foot.heading_deg)), 0 * x, np.cos(np.deg2rad(foot.heading_deg))], -1)
            thigh, knee = bend_leg((back @ (foot.ankle - hip)[..., None])[..., 0], (back @ ahead[..., None])[..., 0])
            sideways, forward, turn = limb_angles(thigh, sign)
            shin = root @ thigh @ about("x", knee)
            dip = np.deg2rad(foot.tilt_deg)[:, None]
            pointing = np.cos(dip) * ahead - np.sin(dip) * np.array([0.0, 1.0, 0.0])
            local = (shin.transpose(0, 2, 1) @ pointing[..., None])[..., 0]
            bend = np.clip(np.rad2deg(np.arctan2(-local[:, 1], local[:, 2])), -52, 62)
            level = np.clip(forward - knee, -LEVEL_LIMIT_DEG, LEVEL_LIMIT_DEG)
            sole = shin @ about("x", bend)
            # Standing feet lie flat however far the legs are apart.
            roll = np.rad2deg(np.arctan2(-sole[:, 1, 0], np.abs(sole[:, 1, 1]))) * np.exp(-foot.off_floor / 0.12)
            roll = np.clip(roll, -30, 30)
            sole = sole @ about("z", roll)
            out |= {
                f"{side}_hip_forward": forward,
                f"{side}_hip_out": sideways,
                f"{side}_hip_turn": turn,
                f"{side}_knee": knee,
                f"{side}_foot": bend - level,
                f"{side}_foot_roll": sign * roll,
            }
            ankle = hip + ((root @ thigh) @ np.array([0, -THIGH, 0])) + shin @ np.array([0, -SHIN, 0])
            for ahead_by, up_by in (HEEL_PLACE, TOE_PLACE):
                lowest = np.minimum(lowest, (ankle + sole @ np.array([0, up_by, ahead_by]))[:, 1])
        # What the standard body's soles leave as a gap: flight, and rounding where both feet stand.
        gap = lowest - SOLE
        out["lift"] = np.where(hop > 0, np.clip(gap, 0, None), 0.0)
        return out

    def _foot(self, side: str, times_s: np.ndarray) -> _Foot:
        first = self._first[side]
        place = np.tile([first.x, first.z, first.heading_deg], (len(times_s), 1))
        clear = np.zeros_like(times_s)
        for swing in self._swings[side]:
            share = np.clip((times_s - swing.start_s) / (swing.end_s - swing.start_s), 0, 1)
            step = np.array(
                [
                    swing.after.x - swing.before.x,
                    swing.after.z - swing.before.z,
                    swing.after.heading_deg - swing.before.heading_deg,
                ]
            )
            place += ease(share)[:, None] * step
            clear += swing.height * np.sin(np.pi * share) ** 1.3
        for one in self._hops:
            share = np.clip((times_s - one.start_s) / (one.end_s - one.start_s), 0, 1)
            clear += 4 * one.height * share * (1 - share)
        air = self._air[side].at(times_s)
        place[:, :2] += air[:, :2]
        clear += air[:, 2]
        tilt = self._tilt[side].at(times_s)[:, 0]
        angle = np.deg2rad(np.abs(tilt))
        cosine, sine = np.cos(angle), np.sin(angle)
        toe, heel = -np.array(TOE_PLACE), -np.array(HEEL_PLACE)
        # Turned about the ball of the foot where the heel is up, about the heel where the toes are up.
        ahead_by = np.where(tilt > 0, toe[0] * cosine + toe[1] * sine - toe[0], heel[0] * cosine - heel[1] * sine - heel[0])
        up_by = np.where(tilt > 0, -toe[0] * sine + toe[1] * cosine, heel[0] * sine + heel[1] * cosine)
        heading = np.deg2rad(place[:, 2])
        ankle = np.stack(
            [place[:, 0] + ahead_by * np.sin(heading), up_by + SOLE + clear, place[:, 1] + ahead_by * np.cos(heading)], -1
        )
        return _Foot(ankle=ankle, heading_deg=place[:, 2], tilt_deg=tilt, off_floor=clear)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Foot:
    """A foot over time: ankle [T, 3], heading and tilt [T] in degrees, clearance [T]."""

    ankle: np.ndarray
    heading_deg: np.ndarray
    tilt_deg: np.ndarray
    off_floor: np.ndarray
