"""One door to random performances, whatever the cast."""

from __future__ import annotations

from typing import Final

from dreamactor.data.actors.acting import key_poses, play
from dreamactor.data.actors.cast import DEFAULT_CAST, Cast
from dreamactor.data.actors.motion import Framing, Performance

KINDS_OF: Final[dict[Cast, tuple[str, ...]]] = {"2": key_poses.KINDS, "3": play.KINDS}
"""Kinds of motion that a cast knows."""


def sample_performance(
    seed: int,
    *,
    num_frames: int,
    fps: float = 25.0,
    framing: Framing | None = None,
    kind: str | None = None,
    cast: Cast = DEFAULT_CAST,
) -> Performance:
    """A random performance; equal seeds of one cast give equal performances on any machine.

    Args:
        seed: any non-negative integer.
        num_frames: T.
        fps: frames per second.
        framing: what the camera is meant to see; None draws one.
        kind: one of `KINDS_OF[cast]`; None draws one that suits the framing.
        cast: whose manner; see `cast`.

    Raises:
        ValueError: the cast does not know the kind.
    """
    if kind is not None and kind not in KINDS_OF[cast]:
        raise ValueError(f"cast {cast} knows no kind '{kind}'; it knows {', '.join(KINDS_OF[cast])}")
    if cast == "3":
        return play.play(seed, num_frames=num_frames, fps=fps, framing=framing, kind=kind)
    return key_poses.walk_through_key_poses(seed, num_frames=num_frames, fps=fps, framing=framing, kind=kind)
