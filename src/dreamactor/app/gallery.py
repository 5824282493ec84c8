"""Galleries for identity retrieval: drawn once per actor and judge, read by the judge, kept in the cache."""

from __future__ import annotations

from functools import lru_cache

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from dreamactor.data.actors import ACTOR_VERSION, FRAMINGS, Framing
from dreamactor.data.gallery import draw_portrait, gallery_actors
from dreamactor.errors import InputError
from dreamactor.evaluation.judge import Gallery, Judge
from dreamactor.perception.cache import cache_folder


def gallery_of(actor: int, framing: str, judge: Judge) -> Gallery:
    """Fifty actors in one framing, `actor` among them.

    Raises:
        InputError: no such framing.
    """
    if framing not in FRAMINGS:
        raise InputError(f"Unknown framing '{framing}'. Known: {', '.join(FRAMINGS)}.")
    actors = gallery_actors(actor)
    chosen: Framing = next(known for known in FRAMINGS if known == framing)
    crowd = _crowd(chosen, judge)
    own = crowd[actor] if actor in crowd else _identity(actor, chosen, judge)
    return Gallery(actors=actors, who=torch.stack([own, *(crowd[other] for other in actors[1:])]))


def _identity(actor: int, framing: Framing, judge: Judge) -> Tensor:
    portrait = draw_portrait(actor, framing)
    return judge.read(portrait.frames, portrait.track).who[0]


@lru_cache(maxsize=8)
def _crowd(framing: Framing, judge: Judge) -> dict[int, Tensor]:
    """Seed -> identity of those the actor is told apart from."""
    actors = gallery_actors(-1)[1:]
    name = f"{framing}-{len(actors)}-{ACTOR_VERSION}-{judge.sha256[:24]}.safetensors"
    path = cache_folder() / "galleries" / name
    try:
        stored = load_file(path)
        if judge.sha256:
            return {int(name): value for name, value in stored.items()}
    except (OSError, ValueError, SafetensorError):
        pass  # it was never made, or is damaged
    crowd = {actor: _identity(actor, framing, judge) for actor in (*actors, actors[-1] + 1)}
    if judge.sha256:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        save_file({str(actor): value.contiguous() for actor, value in crowd.items()}, part)
        part.rename(path)
    return crowd
