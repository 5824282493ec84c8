"""Backend name -> estimator. Imports only the backend that was asked for, so the others need not be installed."""

from __future__ import annotations

from difflib import get_close_matches

from dreamactor.errors import ConfigError
from dreamactor.perception.base import PersonEstimator

BACKENDS = ("mediapipe",)
"""Known backends, the default first."""


def build_estimator(backend: str = "mediapipe", *, static: bool = False) -> PersonEstimator:
    """Builds an estimator.

    Args:
        backend: one of `BACKENDS`.
        static: True for pictures that have nothing to do with each other (and for the person's mask), False for the
            frames of a video in order.

    Raises:
        ConfigError: no such backend, or its library is not installed.
    """
    if backend not in BACKENDS:
        close = get_close_matches(backend.lower(), BACKENDS, n=1)
        hint = f"Did you mean '{close[0]}'? " if close else ""
        raise ConfigError(f"Unknown perception backend '{backend}'. {hint}Known: {', '.join(BACKENDS)}.")
    try:
        from dreamactor.perception.mediapipe import MediaPipeEstimator
    except ImportError as error:
        raise ConfigError(
            f"Perception needs mediapipe 0.10.21 and OpenCV, but they cannot be imported ({error}). "
            "Install them with: pip install 'dreamactor[mediapipe]'"
        ) from error
    return MediaPipeEstimator(static=static)
