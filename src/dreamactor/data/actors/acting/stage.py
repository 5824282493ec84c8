"""What one performance is written on: footwork, two arms, trunk and head over time; and the channels they make.

Root leads, hands follow: what is farther from the pelvis runs a little behind. Breath, wander and a faint tremor lie over
everything, so that nobody ever stands like a statue.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dreamactor.data.actors.acting.arm_poses import ARM_POSES, ArmPose, varied
from dreamactor.data.actors.acting.arms import Arm
from dreamactor.data.actors.acting.legs import SIDES, Footwork
from dreamactor.data.actors.acting.timing import Track, wander
from dreamactor.data.actors.motion import ANGLES, Framing

TRUNK: Final = ("spine_yaw", "spine_pitch", "spine_roll", "left_shrug", "right_shrug")
HEAD: Final = ("head_yaw", "head_pitch", "head_roll")
_SWING_DEG: Final = 24.0


class Stage:
    """Everything that moves, written kind by kind from start to end.

    Attributes:
        rng: of this performance.
        framing: what the camera sees; little travel where it is not everything.
        tempo: how fast this performer moves; 1 is usual.
        feet, arms, trunk, head: what is written on.
        facing: 0..1, how much the head turns to the viewer when the body turns away.
    """

    def __init__(self, rng: np.random.Generator, framing: Framing, *, tempo: float, heading_deg: float) -> None:
        self.rng, self.framing, self.tempo = rng, framing, tempo
        self.feet = Footwork(
            heading_deg=heading_deg, width=float(rng.uniform(0.12, 0.19)), toes_out_deg=float(rng.uniform(2, 14))
        )
        self.home = {side: varied(ARM_POSES[name], rng, 0.012) for (side, _), name in zip(SIDES, self._homes(), strict=True)}
        """Where arms return to."""
        self.nods: list[tuple[float, float, float]] = []
        """Nods of the head: moment, size in degrees, width in seconds."""
        self.arms = {side: Arm(self.home[side]) for side, _ in SIDES}
        self.trunk = Track([0.0, float(rng.normal(1, 2)), 0.0, 0.0, 0.0])
        self.head = Track([0.0, float(rng.normal(1, 3)), float(rng.normal(0, 2.5))])
        self._ease = (self.trunk.last.copy(), self.head.last.copy())
        self.facing = float(rng.uniform(0.3, 0.9))

    def _homes(self) -> tuple[str, str]:
        kind = self.rng.random()
        if kind < 0.76:
            return "hang", "hang"
        if kind < 0.90:
            both = self.either("clasped", "behind_back", "hip", p=(0.5, 0.25, 0.25))
            return both, both
        return ("hip", "hang") if self.chance(0.5) else ("hang", "hip")

    @property
    def whole(self) -> bool:
        """Whether the camera sees the feet."""
        return self.framing == "full"

    def seconds(self, low: float, high: float) -> float:
        """A time for a movement, shorter for the brisk."""
        return float(self.rng.uniform(low, high)) / self.tempo

    def either(self, *choices: str, p: tuple[float, ...] | None = None) -> str:
        return str(self.rng.choice(choices, p=p))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def pose(self, name: str, amount: float = 0.02) -> ArmPose:
        """A pose by name, a little this performer's own."""
        return varied(ARM_POSES[name], self.rng, amount)

    def bend_trunk(
        self, at_s: float, *, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, left: float = 0.0, right: float = 0.0
    ) -> None:
        """A key of the trunk about its ease, in degrees; left and right shrug 0..1."""
        self.trunk.add(at_s, self._ease[0] + np.array([yaw, pitch, roll, left, right]))

    def bend_head(self, at_s: float, *, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> None:
        self.head.add(at_s, self._ease[1] + np.array([yaw, pitch, roll]))

    def arms_home(self, start_s: float, end_s: float) -> None:
        for side, _ in SIDES:
            arm = self.arms[side]
            if arm.end_s < end_s:
                arm.move(max(start_s, arm.end_s), end_s, self.home[side])

    def hold_upper(self, until_s: float) -> None:
        """Trunk, head and arms stay as they are."""
        self.trunk.hold(until_s)
        self.head.hold(until_s)
        for arm in self.arms.values():
            arm.hold(until_s)

    def channels(self, times_s: np.ndarray) -> np.ndarray:
        """[T, A] pose channels in the order of `ANGLES`."""
        rng, lag_s = self.rng, 0.035 / self.tempo
        out = {name: np.zeros_like(times_s) for name in ANGLES}
        out |= self.feet.solve(times_s)
        out |= dict(zip(TRUNK, self.trunk.at(times_s - lag_s).T, strict=True))
        out |= dict(zip(HEAD, self.head.at(times_s - 0.5 * lag_s).T, strict=True))
        phase, strength = self.feet.stride(times_s - lag_s)
        for side, sign in SIDES:
            arm = self.arms[side].channels(times_s - lag_s, lag_s=lag_s)
            # Arms that hang swing against the legs; arms that are busy do not.
            hanging = np.exp(
                -((arm["raise"] / 45) ** 2) - (arm["forward"] / 50) ** 2 - (np.clip(arm["elbow"] - 30, 0, None) / 50) ** 2
            )
            swing = sign * np.sin(phase) * strength * hanging
            arm["forward"] = arm["forward"] + _SWING_DEG * swing
            arm["elbow"] = arm["elbow"] + 16 * strength * hanging * (0.6 + sign * np.sin(phase - 0.5))
            for name in ("forward", "twist", "elbow", "hand_bend"):
                arm[name] = arm[name] + wander(rng, times_s, amount=1.1, low_hz=0.1, high_hz=0.7)
                arm[name] += wander(rng, times_s, amount=0.16, low_hz=5, high_hz=9)
            out |= {f"{side}_{name}": value for name, value in arm.items()}
        for moment, size, width in self.nods:
            out["head_pitch"] = out["head_pitch"] + size * np.exp(-(((times_s - moment) / width) ** 2))
        breath = np.sin(2 * np.pi * (rng.uniform(0.2, 0.34) * times_s + rng.random()))
        out["spine_pitch"] = out["spine_pitch"] - 0.7 * breath
        for side, _ in SIDES:
            out[f"{side}_shrug"] = out[f"{side}_shrug"] + 0.04 * breath
        out["spine_yaw"] = out["spine_yaw"] - 9.0 * strength * np.sin(phase)
        # The pelvis leans, the trunk stays upright.
        out["spine_roll"] = out["spine_roll"] - 0.9 * out["root_roll"]
        heading = self.feet.heading_deg(times_s)
        away = (heading + out["spine_yaw"] + 180) % 360 - 180
        ahead = np.clip(self.feet.heading_deg(times_s + 0.25) - heading, -45, 45)
        turned = 0.9 * ahead - self.facing * away * np.exp(-((away / 75) ** 4))
        kernel = np.hanning(max(3, 2 * round(0.15 / max(times_s[1] - times_s[0], 1e-3)) + 1) if len(times_s) > 1 else 3)
        smooth = np.convolve(np.pad(turned, len(kernel) // 2, mode="edge"), kernel / kernel.sum(), mode="valid")
        out["head_yaw"] = np.clip(out["head_yaw"] + smooth, -75, 75)
        out["head_roll"] = out["head_roll"] - 0.5 * out["spine_roll"]
        for name, amount in (
            ("head_yaw", 2.2),
            ("head_pitch", 1.6),
            ("head_roll", 1.2),
            ("spine_yaw", 1.0),
            ("spine_roll", 0.7),
        ):
            out[name] = out[name] + wander(rng, times_s, amount=amount, low_hz=0.1, high_hz=0.7)
            out[name] += wander(rng, times_s, amount=0.08, low_hz=4, high_hz=8)
        return np.stack([out[name] for name in ANGLES], axis=-1)
