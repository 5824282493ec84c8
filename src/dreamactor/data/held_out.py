"""Held-out cases: a character performing what somebody of another build performs, with the truth drawn.

The driver's whole performance is given; the reference is one moment of the character's own performance outside the frames
that are judged, so that it says where the character stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dreamactor.data.actors import FIRST_HELD_OUT_SEED, render, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import build_figure
from dreamactor.data.actors.scene import place_camera
from dreamactor.types.guidance import ReferenceImage
from dreamactor.types.track import PersonTrack

CASE_FRAMES = 73
JUDGED = slice(24, 49)
CAST_OFFSET = 50_000
"""The driver of case n is the actor this many seeds later."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOutCase:
    """One cross-identity case.

    Attributes:
        seed: of the case.
        framing: portrait, upper or full.
        reference: picture of the character.
        driving: exact track of the driver's whole performance, before the driver's own camera.
        judged: frames of it that are judged.
        truth: [T, H, W, 3] uint8, the character doing the same; mask: [T, H, W] uint8.
    """

    seed: int
    framing: str
    reference: ReferenceImage
    driving: PersonTrack
    judged: slice
    truth: Tensor
    mask: Tensor


def draw_case(seed: int, *, size: int) -> HeldOutCase:
    """Draws a case; seeds are held out.

    Raises:
        ValueError: a training seed.
    """
    if seed < FIRST_HELD_OUT_SEED:
        raise ValueError(f"Held-out seeds start at {FIRST_HELD_OUT_SEED}, got {seed}.")
    character, driver = sample_actor(seed), sample_actor(seed + CAST_OFFSET)
    performance = sample_performance(seed, num_frames=CASE_FRAMES)
    framing = performance.framing
    scene, stage = sample_scene(seed, framing=framing), sample_scene(seed + CAST_OFFSET, framing=framing)
    figure = build_figure(character, performance)
    camera = place_camera(scene, character.body, figure.joints, framing, width=size, height=size)
    moment = _most_different(performance.channels)
    drawn = render(character, performance, scene, width=size, height=size, frames=JUDGED, camera=camera)
    still = render(character, performance, scene, width=size, height=size, frames=slice(moment, moment + 1), camera=camera)
    cast = build_figure(driver, performance)
    view = place_camera(stage, driver.body, cast.joints, framing, width=size, height=size)
    return HeldOutCase(
        seed=seed,
        framing=framing,
        reference=ReferenceImage(image=still.frames[0], person=still.track, mask=still.mask[0]),
        driving=exact_track(driver, cast, performance, view, width=size, height=size),
        judged=JUDGED,
        truth=drawn.frames,
        mask=drawn.mask,
    )


def _most_different(channels: Tensor) -> int:
    """The moment outside the judged frames whose pose is farthest from all of them."""
    judged = channels[JUDGED]
    outside = [index for index in range(len(channels)) if not JUDGED.start <= index < JUDGED.stop]
    apart = [float((judged - channels[index]).abs().mean(dim=1).min()) for index in outside]
    return outside[int(torch.tensor(apart).argmax())]
