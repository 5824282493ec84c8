"""Procedural actors: 3D cartoon people that no camera ever saw, drawn with the exact truth beside them."""

from dreamactor.data.actors.acting.sample import sample_performance
from dreamactor.data.actors.cast import CASTS, DEFAULT_CAST, Cast
from dreamactor.data.actors.coefficients import EXPRESSION, NUM_EXPRESSION
from dreamactor.data.actors.figure import Actor, sample_actor
from dreamactor.data.actors.motion import FRAMINGS, Framing, Performance, neutral_performance
from dreamactor.data.actors.render import Rendering, render
from dreamactor.data.actors.scene import Scene, sample_scene

ACTOR_VERSION = "3"
"""Of the whole actor set: changes whenever equal seeds draw other pictures. Weights and benches record it."""

FIRST_HELD_OUT_SEED = 900_000
"""Seeds from here on are never used in training."""

__all__ = [
    "ACTOR_VERSION",
    "CASTS",
    "DEFAULT_CAST",
    "EXPRESSION",
    "FIRST_HELD_OUT_SEED",
    "FRAMINGS",
    "NUM_EXPRESSION",
    "Actor",
    "Cast",
    "Framing",
    "Performance",
    "Rendering",
    "Scene",
    "neutral_performance",
    "render",
    "sample_actor",
    "sample_performance",
    "sample_scene",
]
