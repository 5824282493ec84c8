"""dreamactor: human image animation after DreamActor-M1. Heavy parts load when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Animator": "dreamactor.inference.animator",
    "AnimateRequest": "dreamactor.inference.request",
    "VideoClip": "dreamactor.types.video",
}

__all__ = ["AnimateRequest", "Animator", "VideoClip", "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'dreamactor' has no attribute '{name}'")
