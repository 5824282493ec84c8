"""What each source of a motion showed at every frame of the result: its video's pictures, or its motion drawn."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

import torch
from torch import Tensor

from dreamactor.guidance.motion_picture import draw_motion
from dreamactor.inference.sources import MotionSources, is_motion_file
from dreamactor.types.track import take_frames
from dreamactor.video.reader import pictures_at

DRAWN_HEIGHT = 360


class SourcePictures:
    """All clips of a request beside each other in time, each once: the one that sets the times first."""

    def __init__(self, sources: MotionSources, stack: ExitStack) -> None:
        self._sources = sources
        clock = [sources.clock] if sources.clock in sources.tracks else []  # a sound has no pictures
        paths = dict.fromkeys([*clock, *sources.tracks])
        self._videos = {
            p: stack.enter_context(closing(pictures_at(p, sources.pictures(p)))) for p in paths if not is_motion_file(p)
        }
        self._motions = {p: sources.tracks[p] for p in paths if is_motion_file(p)}
        self._paths = list(paths)

    def take(self, span: slice) -> list[Tensor]:
        """One clip [T, H, W, 3] per source for the next frames; `span` must go on where the last one ended."""
        return [self._clip(path, span) for path in self._paths]

    def _clip(self, path: Path, span: slice) -> Tensor:
        if path in self._videos:
            return torch.stack([next(self._videos[path]) for _ in range(span.stop - span.start)])
        return draw_motion(take_frames(self._motions[path], self._sources.pictures(path)[span]), height=DRAWN_HEIGHT)
