"""Held-out characters who turn round twice and do the same in both turns, with pictures of all their sides.

Whatever differs between a frame and the one a whole turn later was not in the motion: it is how well a video keeps what
the first picture does not show. The camera stands still.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import torch
from torch import Tensor

from dreamactor.data.actors import (
    FIRST_HELD_OUT_SEED,
    Framing,
    Performance,
    neutral_performance,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import build_figure
from dreamactor.data.actors.motion import CHANNEL
from dreamactor.data.actors.scene import place_camera
from dreamactor.types.guidance import ReferenceImage
from dreamactor.types.track import PersonTrack

FIRST_SEED: Final = FIRST_HELD_OUT_SEED + 60_000
"""Beyond all seeds of ActorBench."""
DRIVER_SEEDS: Final = 1_000_000
SIZE: Final = 256
TURN_S: Final = 2.0
"""A whole turn takes so long."""
TURNS: Final = 2
SIDES_DEG: Final = (0.0, 180.0, 90.0, -90.0)
"""Yaw of the pictures; the first is the single reference."""
TurningSet = Literal["full", "half"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TurningCase:
    """One case, drawn.

    Attributes:
        name: of set and seed.
        pictures: the character at ease at each of `SIDES_DEG`, with exact tracks and masks.
        driving: exact track of another actor doing the motion, always seen from head to foot.
        truth: [T, H, W, 3] uint8; mask: [T, H, W] uint8; track: exact track of the truth.
        period: frames of one turn; T is twice as much.
    """

    name: str
    pictures: tuple[ReferenceImage, ...]
    driving: PersonTrack
    truth: Tensor
    mask: Tensor
    track: PersonTrack
    period: int


def draw_turning(which: TurningSet, index: int, *, period: int) -> TurningCase:
    """Draws a case.

    Args:
        which: `full` bodies, or `half` bodies whose driver is seen from head to foot all the same.
        index: of the case; each has a character of its own.
        period: frames of a turn, an even number.
    """
    seed = FIRST_SEED + index
    framing: Framing = "full" if which == "full" else "upper"
    character, driver = sample_actor(seed), sample_actor(seed + DRIVER_SEEDS)
    performance = twice_round(
        sample_performance(seed, num_frames=period // 2 + 1, fps=period / TURN_S, framing=framing, kind="gesture"),
        clockwise=index % 2 == 0,
    )
    scene, stage = sample_scene(seed, framing=framing), sample_scene(seed + DRIVER_SEEDS, framing="full")
    at_ease = neutral_performance(framing=framing)
    joints = build_figure(character, performance if which == "full" else at_ease).joints
    camera = place_camera(scene, character.body, joints, framing, width=SIZE, height=SIZE)
    drawn = render(character, performance, scene, width=SIZE, height=SIZE, camera=camera)
    pictures = []
    for yaw_deg in SIDES_DEG:
        still = neutral_performance(framing=framing, yaw_deg=yaw_deg)
        seen = render(character, still, scene, width=SIZE, height=SIZE, camera=camera)
        pictures.append(ReferenceImage(image=seen.frames[0], person=seen.track, mask=seen.mask[0]))
    figure = build_figure(driver, performance)
    view = place_camera(stage, driver.body, figure.joints, "full", width=SIZE, height=SIZE)
    return TurningCase(
        name=f"{which}_{seed}",
        pictures=tuple(pictures),
        driving=exact_track(driver, figure, performance, view, width=SIZE, height=SIZE),
        truth=drawn.frames,
        mask=drawn.mask,
        track=drawn.track,
        period=period,
    )


def twice_round(performance: Performance, *, clockwise: bool) -> Performance:
    """A performance of n + 1 frames forth and back, over and over, while its actor turns round twice: 4 n frames.

    Pose, place and face are the same in both turns.
    """
    last = performance.num_frames - 1
    time = torch.arange(TURNS * 2 * last)
    there = last - (time % (2 * last) - last).abs()
    channels = performance.channels[there].clone()
    channels[:, CHANNEL["root_yaw"]] = 360.0 * time / (2 * last) * (1.0 if clockwise else -1.0)
    return replace(performance, channels=channels, expression=performance.expression[there])
