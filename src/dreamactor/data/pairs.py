"""Two actors of different build doing the same: what bone length adjustment is judged by.

The truth is the second actor performing what the first performs: the same joint angles, hips as high as its own legs put
them, feet on the floor. Where two seeds do not differ enough, arms and legs are made longer on one and shorter on the other.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from torch import Tensor

from dreamactor.data.actors import neutral_performance, render, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.body import BodyShape
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import Actor, build_figure
from dreamactor.data.actors.scene import place_camera
from dreamactor.types.track import PersonTrack

SIZE: Final = 256
LIMBS: Final = ("upper_arm", "forearm", "thigh", "shin")
_COMPARED: Final = (*LIMBS, "shoulder_half", "hip_half")
_MOST: Final = 3.0
"""Arms and legs are never stretched against each other by more than this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildPair:
    """A driver and a character of another build.

    Attributes:
        driver, character: who.
        difference: see `build_difference`.
        seed: of the performance.
    """

    driver: Actor
    character: Actor
    difference: float
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnPair:
    """A pair, drawn.

    Attributes:
        frames: [T, 256, 256, 3] uint8, the driver before its own camera; `driving` is its exact track.
        picture: [256, 256, 3] uint8, the character standing before the camera of the truth; `reference` is its exact track.
        truth: exact track of the character doing what the driver does.
    """

    frames: Tensor
    driving: PersonTrack
    picture: Tensor
    reference: PersonTrack
    truth: PersonTrack


def _build(body: BodyShape) -> np.ndarray:
    """Logarithms of the compared lengths over the torso."""
    return np.log(np.array([getattr(body, name) for name in _COMPARED]) / body.torso)


def build_difference(first: BodyShape, second: BodyShape) -> float:
    """How much two builds differ: mean over upper arm, forearm, thigh, shin, shoulders and hips, each in units of the torso.

    0.5 means that these are 1.5 times longer or shorter on (geometric) average.
    """
    return float(np.exp(np.abs(_build(first) - _build(second)).mean()) - 1)


def stretched(actor: Actor, factor: float) -> Actor:
    """The same actor with arms and legs of other lengths."""
    return replace(actor, body=replace(actor.body, **{name: getattr(actor.body, name) * factor for name in LIMBS}))


def find_pairs(count: int, *, least: float, most: float, first_seed: int) -> list[BuildPair]:
    """Pairs of actors whose builds differ by `least` to `most`; equal arguments give equal pairs.

    Args:
        count: how many.
        first_seed: two consecutive seeds from here on make a pair. One that differs too much is left out; one that does not
            differ enough is stretched to a difference drawn evenly from the range.
    """
    rng = np.random.Generator(np.random.PCG64([first_seed, round(1000 * least), 0xB0DE]))
    found: list[BuildPair] = []
    for seed in itertools.count(first_seed, 2):
        driver, character = sample_actor(seed), sample_actor(seed + 1)
        wanted = float(rng.uniform(least, most))
        if build_difference(driver.body, character.body) < least:
            driver, character = _stretched_apart(driver, character, wanted)
        difference = build_difference(driver.body, character.body)
        if least <= difference < most:
            found.append(BuildPair(driver=driver, character=character, difference=difference, seed=seed))
        if len(found) == count:
            return found
    raise AssertionError("seeds never end")


def _stretched_apart(driver: Actor, character: Actor, wanted: float) -> tuple[Actor, Actor]:
    """Both with longer limbs on the one that has longer ones, and shorter on the other, until they differ as wanted."""
    longer = 1 if float((_build(character.body) - _build(driver.body))[: len(LIMBS)].mean()) > 0 else -1
    factors = np.exp(longer * np.linspace(0, np.log(_MOST), 200) / 2)
    stretches = [(stretched(driver, float(1 / f)), stretched(character, float(f))) for f in factors]
    return min(stretches, key=lambda pair: abs(build_difference(pair[0].body, pair[1].body) - wanted))


def draw_pair(pair: BuildPair, *, kind: str, num_frames: int) -> DrawnPair:
    """Draws the driver's performance, the character's picture, and the truth; both are seen from head to foot."""
    performance = sample_performance(pair.seed, num_frames=num_frames, framing="full", kind=kind)
    shot = render(pair.driver, performance, sample_scene(pair.seed, framing="full"), width=SIZE, height=SIZE)
    stage = sample_scene(pair.seed + 1, framing="full")
    figure = build_figure(pair.character, performance)
    camera = place_camera(stage, pair.character.body, figure.joints, "full", width=SIZE, height=SIZE)
    yaw_deg = float(np.random.Generator(np.random.PCG64([pair.seed, 0x9A12])).normal(0, 15))
    ease = neutral_performance(framing="full", yaw_deg=yaw_deg, seed=pair.seed)
    still = render(pair.character, ease, stage, width=SIZE, height=SIZE, camera=camera)
    return DrawnPair(
        frames=shot.frames,
        driving=shot.track,
        picture=still.frames[0],
        reference=still.track,
        truth=exact_track(pair.character, figure, performance, camera, width=SIZE, height=SIZE),
    )
