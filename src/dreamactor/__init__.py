"""dreamactor: human image animation after DreamActor-M1. Heavy parts load when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "load": "dreamactor.app.python_api",
    "animate": "dreamactor.app.python_api",
    "frames": "dreamactor.app.python_api",
    "evaluate": "dreamactor.app.python_api",
    "look_at": "dreamactor.inference.look",
    "Animator": "dreamactor.inference.animator",
    "AnimateRequest": "dreamactor.inference.request",
    "Progress": "dreamactor.inference.request",
    "VideoClip": "dreamactor.types.video",
    "DreamActorError": "dreamactor.errors",
}

__all__ = [
    "AnimateRequest", "Animator", "DreamActorError", "Progress", "VideoClip", "__version__", "animate", "evaluate", "frames",
    "load", "look_at",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'dreamactor' has no attribute '{name}'")
