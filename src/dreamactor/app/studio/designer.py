"""Draws an actor to order: somebody by seed, with some things changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from torch import Tensor

from dreamactor.data.actors import neutral_performance, render, sample_actor, sample_scene
from dreamactor.data.actors.wardrobe import HAIR
from dreamactor.errors import ConfigError
from dreamactor.video.provenance import Provenance

AS_DRAWN: Final = "as drawn"
HAIRCUTS: Final = (AS_DRAWN, *HAIR)
SMALLEST, LARGEST = 0.6, 1.6
MAX_SEED: Final = 899_999
"""Seeds above are kept for measurements."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """An actor to order.

    Attributes:
        seed: who.
        framing: what of the body is in the picture.
        head, legs, arms, girth: factors of size, 0.6 to 1.6.
        hair: one of `HAIRCUTS`.
    """

    seed: int
    framing: Literal["portrait", "upper", "full"] = "full"
    head: float = 1.0
    legs: float = 1.0
    arms: float = 1.0
    girth: float = 1.0
    hair: str = AS_DRAWN

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= MAX_SEED:
            raise ConfigError(f"The number of an actor must be from 0 to {MAX_SEED}, got {self.seed}.")
        if self.hair not in HAIRCUTS:
            raise ConfigError(f"Unknown haircut '{self.hair}'. Known: {', '.join(HAIRCUTS)}.")
        for name in ("head", "legs", "arms", "girth"):
            if not SMALLEST <= getattr(self, name) <= LARGEST:
                raise ConfigError(f"{name} must be from {SMALLEST} to {LARGEST}, got {getattr(self, name)}.")

    def provenance(self) -> Provenance:
        """What its picture says of itself."""
        return Provenance(origin="drawn", settings={"actor": self.seed, "framing": self.framing})


def draw_design(design: Design, *, size: int = 512) -> Tensor:
    """[size, size, 3] uint8: the actor, standing at ease."""
    actor = sample_actor(design.seed)
    body = replace(
        actor.body,
        head_radius=actor.body.head_radius * design.head,
        thigh=actor.body.thigh * design.legs,
        shin=actor.body.shin * design.legs,
        upper_arm=actor.body.upper_arm * design.arms,
        forearm=actor.body.forearm * design.arms,
        girth=actor.body.girth * design.girth,
        limb_girth=actor.body.limb_girth * design.girth,
    )
    look = actor.look if design.hair == AS_DRAWN else replace(actor.look, hair=design.hair)
    pose = neutral_performance(framing=design.framing, seed=design.seed)
    scene = sample_scene(design.seed, framing=design.framing)
    return render(replace(actor, body=body, look=look), pose, scene, width=size, height=size).frames[0]
