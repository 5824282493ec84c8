"""Cuts a driving track into segments that are chained by the last latent (section 4.1: 73 frames)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.types.latent import LatentGrid


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One piece of work.

    Attributes:
        start, stop: frames of the driving track that this segment shows for the first time.
        first_frames: frames that its first latent stands for: 1 at the very start, s where it was handed over.
        carries: whether the first latent is handed over from the segment before (and so is not decoded again).
        num_latents: F, the handed-over one included.
    """

    start: int
    stop: int
    first_frames: int
    carries: bool
    num_latents: int

    def control_frames(self, grid: LatentGrid) -> Tensor:
        """[T] int64 frames of the track whose controls this segment sees: for a handed-over latent exactly the frames it
        stands for; a last latent that is not full repeats the last frame."""
        begin = self.start - (self.first_frames if self.carries else 0)
        count = self.first_frames + (self.num_latents - 1) * grid.temporal
        return torch.arange(begin, begin + count).clamp(max=self.stop - 1)


def plan_segments(
    num_frames: int, segment_frames: int, grid: LatentGrid, *, cuts: Sequence[int] = ()
) -> tuple[Segment, ...]:
    """Segments that show every frame exactly once. Nothing is handed over a cut: motion starts anew there.

    Args:
        num_frames: of the driving track.
        segment_frames: frames of a first segment, s n + 1; later ones show one frame less.
        grid: of the model.
        cuts: first frame after each cut, rising.

    Raises:
        ConfigError: `segment_frames` is not of the form s n + 1 with n at least 1.
    """
    s = grid.temporal
    if segment_frames <= s or (segment_frames - 1) % s:
        raise ConfigError(f"A segment must have {s} n + 1 frames with n >= 1, got {segment_frames}.")
    segments = []
    for begin, end in itertools.pairwise((0, *cuts, num_frames)):
        stop = min(begin + segment_frames, end)
        latents = grid.num_latents(stop - begin)
        segments.append(Segment(start=begin, stop=stop, first_frames=1, carries=False, num_latents=latents))
        while stop < end:
            start, stop = stop, min(stop + segment_frames - 1, end)
            latents = 1 + -(-(stop - start) // s)
            segments.append(Segment(start=start, stop=stop, first_frames=s, carries=True, num_latents=latents))
    return tuple(segments)
