"""What each source of a motion showed at every frame of the result: its video's pictures, or its motion drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import torch
from torch import Tensor

from dreamactor.guidance.motion_picture import draw_motion
from dreamactor.inference.sources import MotionSources, is_motion_file
from dreamactor.types.track import take_frames
from dreamactor.video.reader import VideoReader

DRAWN_HEIGHT = 360


def pictures_at(path: Path, index: Tensor, stack: ExitStack) -> Iterator[Tensor]:
    """Pictures [H, W, 3] uint8 of a video at frames `index` [N], which never go back; the file is closed with `stack`."""
    frames = iter(stack.enter_context(VideoReader(path)))
    frame = next(frames)
    for wanted in index.tolist():
        while frame.index < wanted:
            frame = next(frames)
        yield frame.image


class SourcePictures:
    """All clips of a request beside each other in time, each once: the one that sets the times first."""

    def __init__(self, sources: MotionSources, stack: ExitStack) -> None:
        self._sources = sources
        clock = [sources.clock] if sources.clock in sources.tracks else []  # a sound has no pictures
        paths = dict.fromkeys([*clock, *sources.tracks])
        self._videos = {p: pictures_at(p, sources.pictures(p), stack) for p in paths if not is_motion_file(p)}
        self._motions = {p: sources.tracks[p] for p in paths if is_motion_file(p)}
        self._paths = list(paths)

    def take(self, span: slice) -> list[Tensor]:
        """One clip [T, H, W, 3] per source for the next frames; `span` must go on where the last one ended."""
        return [self._clip(path, span) for path in self._paths]

    def _clip(self, path: Path, span: slice) -> Tensor:
        if path in self._videos:
            return torch.stack([next(self._videos[path]) for _ in range(span.stop - span.start)])
        return draw_motion(take_frames(self._motions[path], self._sources.pictures(path)[span]), height=DRAWN_HEIGHT)
