"""How much of a person the camera sees: portrait, upper body or all of it."""

from __future__ import annotations

from typing import Final

from torch import Tensor

from dreamactor.data.actors import Framing
from dreamactor.data.clips import Category
from dreamactor.geometry.skeleton import JOINT
from dreamactor.types.track import PersonTrack

_SURE: Final = 0.5
"""Confidence of a joint that counts as seen."""
_MOSTLY: Final = 0.5
"""Share of the frames in which a joint must be seen."""


def framing_of(track: PersonTrack) -> Framing:
    """Full where an ankle is seen in most frames, upper where a hip is, else portrait.

    Frames in which nobody was found do not count; a track of those alone is a portrait.
    """
    seen = _inside(track) & (track.body.confidence > _SURE)  # [T, J]
    seen = seen[track.body.tracked]

    def mostly(joint: str) -> bool:
        either = seen[:, [JOINT[f"left_{joint}"], JOINT[f"right_{joint}"]]].any(dim=1)
        return len(seen) > 0 and float(either.float().mean()) >= _MOSTLY

    return "full" if mostly("ankle") else "upper" if mostly("hip") else "portrait"


def category_of(framing: Framing) -> Category:
    """What training balances: full against all else."""
    return "full" if framing == "full" else "half"


def _inside(track: PersonTrack) -> Tensor:
    """[T, J] bool: joints within the picture."""
    x, y = track.body.joints[..., 0], track.body.joints[..., 1]
    return (x >= 0) & (x < track.width) & (y >= 0) & (y < track.height)
