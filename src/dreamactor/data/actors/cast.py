"""Casts: who can be drawn, and what they can do.

Equal seeds of one cast draw equal pictures on any machine, for ever; a richer cast is a new one. The shipped model was
trained on the default.
"""

from __future__ import annotations

from typing import Final, Literal

Cast = Literal["2", "3"]
CASTS: Final[tuple[Cast, ...]] = ("2", "3")
DEFAULT_CAST: Final[Cast] = "2"
"""What the shipped weights and ActorBench were made with; "3" is richer in looks and motions."""
