"""Performances out of video files: each shot is one, seen by perception as any driving video is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.buckets import canvas_for
from dreamactor.data.canvas import carry_track
from dreamactor.data.clips import seed_of
from dreamactor.data.takes.base import Performance, Still
from dreamactor.errors import MediaError
from dreamactor.perception.build import build_estimator
from dreamactor.perception.cache import cached_track
from dreamactor.perception.masks import PersonMasker
from dreamactor.perception.perceive import perceive_video
from dreamactor.types.guidance import ReferenceImage
from dreamactor.types.track import PersonTrack, shots_of
from dreamactor.video.reader import Frame, VideoReader
from dreamactor.video.resize import cover_canvas, crop_box

VIDEO_SUFFIXES: Final = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv")
_BACKEND: Final = "mediapipe"
_EARLY_S: Final = 1e-4
"""Seeking starts so much before a frame, so that rounding does not lose it."""


def find_videos(folder: Path) -> list[Path]:
    """All files in a folder and below it whose ending is a video's, in the order of their names."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES)


def perceive_file(path: Path) -> PersonTrack:
    """The motion of the largest person in a video, cached by the file's content as for every other command.

    Raises:
        MediaError, NoPersonError: no video, or nobody in it.
    """

    def compute() -> PersonTrack:
        with closing(build_estimator(_BACKEND)) as estimator, VideoReader(path) as reader:
            return perceive_video(
                ((frame.image, frame.pts) for frame in reader),
                time_base=reader.time_base,
                estimator=estimator,
                source=path.name,
                num_frames=reader.info.num_frames,
            )

    return cached_track(path, f"{_BACKEND} person=None", compute)


def video_performances(
    path: Path, *, name: str, source: str, size: int, masker: Callable[[], PersonMasker]
) -> list[Performance]:
    """One performance per shot of a video.

    Args:
        path: the file; name: of the source, in keys; source: for people.
        size: side of a square of the canvas's area.
        masker: gives the masker when it is first needed.

    Raises:
        MediaError, NoPersonError: as of `perceive_file`.
    """
    track = perceive_file(path)
    return [
        Performance(
            name=f"{name}-s{number:03d}",
            source=source,
            kind="video",
            takes=(take := VideoTake(path, track, shot, size=size, masker=masker),),
            exact=False,
            seed=seed_of(f"{name}-s{number:03d}"),
            magnification=take.magnification,
        )
        for number, shot in enumerate(shots_of(track.cut))
    ]


class VideoTake:
    """One shot of a file."""

    def __init__(
        self,
        path: Path,
        track: PersonTrack,
        shot: slice,
        *,
        size: int,
        masker: Callable[[], PersonMasker],
        camera: str = "",
    ) -> None:
        self.camera, self.start_frame = camera, int(shot.start)
        self.spans: tuple[slice, ...] | None = None
        self.expression: Tensor | None = None
        self.origin_s = float(track.times.seconds[0])
        self._path, self._source, self._masker = path, track[shot], masker
        self._width, self._height = canvas_for(track.width, track.height, size=size)
        blank = torch.zeros(track.height, track.width, 3, dtype=torch.uint8)
        _, matrix = cover_canvas(blank, width=self._width, height=self._height)
        self.magnification = float(matrix[0, 0])
        self._matrix = matrix
        moved = carry_track(self._source, matrix, width=self._width, height=self._height)
        self.track = replace(moved, cut=torch.zeros_like(moved.cut))

    def stills(self, wanted: Sequence[Still]) -> list[ReferenceImage]:
        """Pictures of the shot, half-body crops cut out of the file's own pixels."""
        pictures: dict[int, Tensor] = {}
        frames = sorted({still.frame for still in wanted})
        for frame in frames:
            pictures[frame] = next(self._frames(frame, frame + 1)).image
        return [self._still(still, pictures[still.frame]) for still in wanted]

    def clips(self, spans: Sequence[slice]) -> Iterator[tuple[Tensor, Tensor]]:
        """Decodes each stretch, scales it to the canvas and finds the person's pixels."""
        for span in spans:
            frames = torch.stack([self._placed(frame.image) for frame in self._frames(span.start, span.stop)])
            yield frames, self._masker().masks(frames)

    def _placed(self, picture: Tensor) -> Tensor:
        return cover_canvas(picture, width=self._width, height=self._height)[0]

    def _still(self, still: Still, picture: Tensor) -> ReferenceImage:
        width, height = self._width, self._height
        person = self.track[still.frame : still.frame + 1]
        if still.box is None:
            image = self._placed(picture)
        else:
            scale, shift = self._matrix.diagonal()[:2], self._matrix[:2, 2]
            corners = (still.box.double().view(2, 2) - shift) / scale  # in the file's pixels
            image, _ = crop_box(picture, corners.flatten(), width=width, height=height)
            person = carry_track(person, zoom_matrix(still.box, width=width, height=height), width=width, height=height)
        return ReferenceImage(image=image, person=person, mask=self._masker().masks(image[None])[0])

    def _frames(self, start: int, stop: int) -> Iterator[Frame]:
        """Frames `start` to `stop` of the shot, told by their times."""
        times = self._source.times
        wanted = set(times.pts[start:stop].tolist())
        seconds = times.seconds - self.origin_s
        begin = float(seconds[start]) - _EARLY_S
        found = 0
        with VideoReader(self._path, start_s=begin if begin > 0 else None) as reader:
            for frame in reader:
                if frame.pts in wanted:
                    found += 1
                    yield frame
                    if found == len(wanted):
                        return
        raise MediaError(
            f"{self._path} gives other frame times when it is read from its middle. Export it again, with a constant rate."
        )


def zoom_matrix(box: Tensor, *, width: int, height: int) -> Tensor:
    """[3, 3] from the canvas to a box of it, enlarged to the canvas's size."""
    x0, y0, x1, y1 = box.double().tolist()
    across, down = width / (x1 - x0), height / (y1 - y0)
    return torch.tensor([[across, 0, -across * x0], [0, down, -down * y0], [0, 0, 1]], dtype=torch.float64)
