"""Pictures for identity retrieval: one of every actor of a fixed crowd, in a scene and a pose that no video shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torch import Tensor

from dreamactor.data.actors import FIRST_HELD_OUT_SEED, Framing, neutral_performance, render, sample_actor, sample_scene
from dreamactor.types.track import PersonTrack

GALLERY_SIZE: Final = 50
CROWD_SEEDS: Final = FIRST_HELD_OUT_SEED + 60_000
"""First of the seeds of those whom a video's actor is told apart from."""
SIZE: Final = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Portrait:
    """A picture of an actor.

    Attributes:
        actor: seed.
        frames: [1, H, W, 3] uint8.
        track: exact, of one frame.
    """

    actor: int
    frames: Tensor
    track: PersonTrack


def gallery_actors(actor: int) -> tuple[int, ...]:
    """Seeds of a gallery of fifty that has `actor` in it."""
    crowd = [seed for seed in range(CROWD_SEEDS, CROWD_SEEDS + GALLERY_SIZE) if seed != actor]
    return (actor, *crowd[: GALLERY_SIZE - 1])


def draw_portrait(actor: int, framing: Framing) -> Portrait:
    """Draws an actor for the gallery, turned a little, in a scene of its own."""
    pose = neutral_performance(framing=framing, yaw_deg=float(actor % 41 - 20), seed=actor + 7)
    scene = sample_scene(actor + 3_000_000, framing=framing)
    drawn = render(sample_actor(actor), pose, scene, width=SIZE, height=SIZE)
    return Portrait(actor=actor, frames=drawn.frames, track=drawn.track)
