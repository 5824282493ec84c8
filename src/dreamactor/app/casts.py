"""Which cast of actors a command was asked for."""

from __future__ import annotations

from dreamactor.data.actors import CASTS, DEFAULT_CAST, Cast
from dreamactor.errors import ConfigError


def chosen_cast(name: str | None) -> Cast:
    """The cast of that name; None is the default one.

    Raises:
        ConfigError: there is no such cast.
    """
    if name is None:
        return DEFAULT_CAST
    for cast in CASTS:
        if cast == name:
            return cast
    raise ConfigError(f"Unknown cast '{name}'. Known: {', '.join(CASTS)}.")
