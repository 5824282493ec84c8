"""Tests that need the speech synthesiser, which only training uses."""

import pytest

from dreamactor.data.speech.espeak import say
from dreamactor.errors import ConfigError


def _is_there() -> bool:
    try:
        say("a", voice="en-us")
    except ConfigError:
        return False
    return True


needs_espeak = pytest.mark.skipif(
    not _is_there(), reason="espeak-ng, which makes the voices of the audio encoder's training, is not installed"
)
