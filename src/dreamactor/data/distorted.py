"""Rendered truth gone wrong on purpose, in known ways and known amounts: what a metric must notice, and what it must not.

Every distortion has five levels, 0 being the truth itself. The person's box and everything else that is known stays that of
the truth, as it is when generated video is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.data.actors import (
    FIRST_HELD_OUT_SEED,
    FRAMINGS,
    Framing,
    Performance,
    Rendering,
    Scene,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.figure import Actor, build_figure
from dreamactor.data.actors.motion import ANGLES
from dreamactor.data.actors.scene import Camera, place_camera

LEVELS: Final = 5
FIRST_SEED: Final = FIRST_HELD_OUT_SEED + 70_000
FRAMES: Final = 24
SIZE: Final = 256
LOOKS_SEED: Final = 40_000
"""The other looks are those of the actor this many seeds later."""
NOISE: Final = (0.0, 6.0, 12.0, 24.0, 48.0)
"""Standard deviation, of 255."""
BLUR_PX: Final = (0.0, 0.8, 1.6, 3.2, 6.4)
POSE_DEG: Final = (0.0, 2.0, 4.0, 6.0, 8.0)
"""Standard deviation of the turn of every joint."""
SHARE: Final = (0.0, 0.25, 0.5, 0.75, 1.0)

DISTORTIONS: Final = {
    "noise": "Gaussian noise, standard deviation 0, 6, 12, 24, 48 of 255",
    "blur": "Gaussian blur, standard deviation 0, 0.8, 1.6, 3.2, 6.4 px",
    "pose": "every joint turned by a fixed random angle, standard deviation 0, 2, 4, 6, 8 degrees",
    "identity": "blended towards the same body and face in somebody else's looks, by 0, 25, 50, 75, 100 %",
    "shuffle": "0, 25, 50, 75, 100 % of the frames change places at random",
    "frozen_face": "the expression moved towards that of the first frame by 0, 25, 50, 75, 100 %",
}
"""Name -> what is done."""


@dataclass(frozen=True, kw_only=True)
class Original:
    """One truth to distort.

    Attributes:
        seed: of everything.
        framing: of the camera.
        drawn: the truth.
        distort: (name of the distortion, level) -> [T, H, W, 3] uint8.
    """

    seed: int
    framing: Framing
    drawn: Rendering
    distort: Callable[[str, int], Tensor]


def draw_original(index: int) -> Original:
    """The truth number `index`; portraits, half and whole bodies take turns."""
    seed, framing = FIRST_SEED + index, FRAMINGS[index % 3]
    stage = _Stage.of(seed, framing)
    drawn = stage.film(stage.actor, stage.performance)
    return Original(seed=seed, framing=framing, drawn=drawn, distort=lambda name, level: _distort(stage, drawn, name, level))


@dataclass(frozen=True, kw_only=True)
class _Stage:
    """Who performs what and where, with the camera of the undistorted performance."""

    seed: int
    actor: Actor
    performance: Performance
    scene: Scene
    camera: Camera

    @staticmethod
    def of(seed: int, framing: Framing) -> _Stage:
        actor = sample_actor(seed)
        performance = sample_performance(
            seed, num_frames=FRAMES, framing=framing, kind="talk" if framing != "full" else None
        )
        scene = sample_scene(seed, framing=framing)
        joints = build_figure(actor, performance).joints
        camera = place_camera(scene, actor.body, joints, framing, width=SIZE, height=SIZE)
        return _Stage(seed=seed, actor=actor, performance=performance, scene=scene, camera=camera)

    def film(self, actor: Actor, performance: Performance) -> Rendering:
        return render(actor, performance, self.scene, width=SIZE, height=SIZE, camera=self.camera)

    def chance(self, what: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self.seed, what]))


def _distort(stage: _Stage, drawn: Rendering, name: str, level: int) -> Tensor:
    if level == 0:
        return drawn.frames
    match name:
        case "noise":
            noise = torch.tensor(stage.chance(1).standard_normal(drawn.frames.shape, dtype=np.float32))
            return (drawn.frames + NOISE[level] * noise).round().clamp(0, 255).to(torch.uint8)
        case "blur":
            return _blurred(drawn.frames, BLUR_PX[level])
        case "pose":
            return stage.film(stage.actor, _turned(stage, POSE_DEG[level])).frames
        case "identity":
            other = replace(stage.actor, look=sample_actor(stage.seed + LOOKS_SEED).look)
            swapped = stage.film(other, stage.performance).frames
            return torch.lerp(drawn.frames.float(), swapped.float(), SHARE[level]).round().to(torch.uint8)
        case "shuffle":
            return drawn.frames[_shuffled(stage, SHARE[level])]
        case "frozen_face":
            expression = stage.performance.expression
            frozen = torch.lerp(expression, expression[:1].expand_as(expression), SHARE[level])
            return stage.film(stage.actor, replace(stage.performance, expression=frozen)).frames
    raise ValueError(f"unknown distortion '{name}'")


def _blurred(frames: Tensor, sigma: float) -> Tensor:
    reach = int(3 * sigma + 1)
    place = torch.arange(-reach, reach + 1, dtype=torch.float32)
    taps = torch.exp(-(place**2) / (2 * sigma**2))
    taps = (taps / taps.sum()).expand(3, 1, 1, -1)
    planes = F.pad(frames.permute(0, 3, 1, 2).float(), (reach,) * 4, mode="replicate")
    smooth = F.conv2d(F.conv2d(planes, taps, groups=3), taps.mT, groups=3)
    return smooth.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def _turned(stage: _Stage, degrees: float) -> Performance:
    """Arms, legs, spine and head turned, each by its own angle, the same in all frames; where the body stands is kept."""
    kept = ("travel", "lift", "root", "curl", "spread", "roll", "across", "splay", "shrug", "hip_turn")
    angles = torch.tensor(
        [0.0 if any(word in name for word in kept) else stage.chance(2 + i).normal() for i, name in enumerate(ANGLES)],
        dtype=torch.float32,
    )
    return replace(stage.performance, channels=stage.performance.channels + degrees * angles)


def _shuffled(stage: _Stage, share: float) -> Tensor:
    """Frame numbers, of which a share changes places in pairs; a larger share keeps the pairs of a smaller one."""
    pairs = torch.tensor(stage.chance(1).permutation(FRAMES)[: FRAMES // 2 * 2].copy()).view(-1, 2)
    order = torch.arange(FRAMES)
    for one, other in pairs[: round(share * len(pairs))].tolist():
        order[one], order[other] = other, one
    return order
