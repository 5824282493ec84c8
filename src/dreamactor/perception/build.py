"""Backend name -> estimator. Imports only the backend that was asked for, so the others need not be installed."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from dreamactor.errors import ConfigError
from dreamactor.perception.base import PersonEstimator

BACKENDS = ("mediapipe", "rtmlib")
"""Known backends, the default first."""


def build_estimator(backend: str = "mediapipe", *, static: bool = False, weights: Path | None = None) -> PersonEstimator:
    """Builds an estimator.

    Args:
        backend: one of `BACKENDS`.
        static: True for pictures that have nothing to do with each other (and for the person's mask), False for the
            frames of a video in order.
        weights: folder with the networks of a backend that does not bring its own.

    Raises:
        ConfigError: no such backend, its library is not installed, or its networks are missing.
    """
    if backend not in BACKENDS:
        close = get_close_matches(backend.lower(), BACKENDS, n=1)
        hint = f"Did you mean '{close[0]}'? " if close else ""
        raise ConfigError(f"Unknown perception backend '{backend}'. {hint}Known: {', '.join(BACKENDS)}.")
    if backend == "rtmlib":
        try:
            from dreamactor.perception.rtmpose import RtmlibEstimator
        except ImportError as error:
            raise ConfigError(
                f"The estimator rtmlib is not installed ({error}). Install it with: pip install 'dreamactor[rtmlib]'"
            ) from error
        return RtmlibEstimator(static=static, weights=weights)
    if weights is not None:
        raise ConfigError("The estimator mediapipe brings its own networks. Leave --estimator-weights out.")
    try:
        from dreamactor.perception.mediapipe import MediaPipeEstimator
    except ImportError as error:
        raise ConfigError(
            f"Perception needs mediapipe 0.10.21 and OpenCV, but they cannot be imported ({error}). "
            "Install them with: pip install 'dreamactor[mediapipe]'"
        ) from error
    return MediaPipeEstimator(static=static)
