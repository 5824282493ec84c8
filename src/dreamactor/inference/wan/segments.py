"""Long videos in pieces of one length, the last frame of each handed to the next, as Wan-Animate chains them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CARRIED_FRAMES: Final = 1


@dataclass(frozen=True, slots=True)
class WanSegment:
    """One piece.

    Attributes:
        index: frames whose controls it gets, as many as a segment has; past the video's end they run backwards.
        first: the first frame that is new; start and stop of what is shown are frames of the video.
        stop: one past the last frame that is shown.
    """

    index: tuple[int, ...]
    first: int
    stop: int


def plan_wan_segments(num_frames: int, segment_frames: int) -> tuple[WanSegment, ...]:
    """All segments of a video of two frames or more; shown frames follow each other without gap or repeat."""
    step = segment_frames - CARRIED_FRAMES
    count = max(1, -(-(num_frames - CARRIED_FRAMES) // step))
    return tuple(
        WanSegment(
            index=tuple(mirrored(frame, num_frames) for frame in range(number * step, number * step + segment_frames)),
            first=number * step + (CARRIED_FRAMES if number else 0),
            stop=min(number * step + segment_frames, num_frames),
        )
        for number in range(count)
    )


def mirrored(frame: int, num_frames: int) -> int:
    """The frame that is shown for a number past the end: backwards from the last one, then forwards again."""
    period = 2 * (num_frames - 1)
    place = frame % period
    return place if place < num_frames else period - place
