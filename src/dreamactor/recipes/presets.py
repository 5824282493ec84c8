"""All presets of the progressive training by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dreamactor.recipes.actor import ActorRecipe, actor_preset
from dreamactor.recipes.paper import paper
from dreamactor.recipes.stages import Preset
from dreamactor.recipes.tiny import tiny_recipe
from dreamactor.recipes.wan import wan_1_3b

PRESETS: Final[dict[str, Callable[[], Preset]]] = {
    "actor": lambda: actor_preset(ActorRecipe()),
    "tiny": lambda: actor_preset(tiny_recipe(), name="tiny"),
    "paper": paper,
    "wan-1.3b": wan_1_3b,
}
