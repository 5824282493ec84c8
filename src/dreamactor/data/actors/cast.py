"""Which procedural actors are meant.

Equal seeds of one cast draw equal pictures and equal performances, today and later; another cast draws others. The shipped
model and its benches were made with the default one.
"""

from __future__ import annotations

from typing import Final, Literal

Cast = Literal["2", "3"]
CASTS: Final[tuple[Cast, ...]] = ("2", "3")
DEFAULT_CAST: Final[Cast] = "3"
