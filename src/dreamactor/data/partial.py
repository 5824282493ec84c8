"""Body, head and face of several performances in one: what partial transfer should come to.

The truth of `guidance.mix`: a performance's head turns against its own chest, and its face knows nothing of either, so that
performances can be mixed exactly.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dreamactor.data.actors.motion import CHANNEL, Performance

_HEAD: Final = [CHANNEL[f"head_{axis}"] for axis in ("yaw", "pitch", "roll")]


def mix_performances(*, body: Performance, head: Performance, face: Performance) -> Performance:
    """Whoever moves as `body`, turns the head against the chest as `head` and makes the face of `face`.

    Raises:
        ValueError: they have other lengths or frame rates.
    """
    every = (body, head, face)
    if len({(one.num_frames, one.fps) for one in every}) > 1:
        raise ValueError(f"frames and rates must agree, got {[(one.num_frames, one.fps) for one in every]}")
    channels = body.channels.clone()
    channels[:, _HEAD] = head.channels[:, _HEAD]
    return replace(body, channels=channels, expression=face.expression)
