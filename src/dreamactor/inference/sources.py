"""Where body, head and face get their motion: reads each source once, and joins them into one track.

One clip sets frame times, length and sound: `--driving` where it is given, else the first of body's, head's and face's
source that is a clip. All clips start together; the others are resampled to its times, and one that ends early holds its
last frame. A part that is `reference` is held as in the first reference picture: a body in its pose, a head as it sits on
its own chest, a face with its expression.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from dreamactor.errors import InputError
from dreamactor.guidance.mix import mix_tracks
from dreamactor.guidance.resample import nearest_frames
from dreamactor.inference.request import PARTS, AnimateRequest, Part, Progress
from dreamactor.perception.build import build_estimator
from dreamactor.perception.cache import cached_track
from dreamactor.perception.perceive import perceive_video
from dreamactor.perception.track_file import load_track
from dreamactor.types.guidance import ReferenceSet
from dreamactor.types.track import PersonTrack, take_frames
from dreamactor.types.video import FrameTimes
from dreamactor.video.reader import VideoReader, probe

Report = Callable[[Progress], None]
Source = Path | Literal["reference", "none"]
MOTION_SUFFIX = ".npz"
_WORDS = {"reference": "held as in the reference", "none": "none"}


def perceive_driving(
    path: Path, *, person: int | None, report: Report, backend: str = "mediapipe", weights: Path | None = None
) -> PersonTrack:
    """The motion of a video or motion file; a video's is cached by its content.

    Args:
        path: the file.
        person: which person of a video, 1 for the largest.
        report: told of the progress.
        backend, weights: the estimator, as in `build_estimator`.

    Raises:
        MediaError, MotionFileError: not a usable file.
        NoPersonError: nobody in the whole clip.
    """
    if is_motion_file(path):
        return load_track(path)
    info = probe(path)

    def compute() -> PersonTrack:
        with closing(build_estimator(backend, weights=weights)) as estimator, VideoReader(path) as reader:
            return perceive_video(
                ((frame.image, frame.pts) for frame in reader),
                time_base=Fraction(reader.time_base),
                estimator=estimator,
                source=path.name,
                num_frames=info.num_frames,
                person=person,
                progress=lambda done, total: report(Progress(stage="perceive", done=done, total=total)),
            )

    networks = "" if weights is None else f" {weights.resolve()}"
    return cached_track(path, f"{backend} person={person}{networks}", compute)


def is_motion_file(path: Path) -> bool:
    return path.suffix.lower() == MOTION_SUFFIX


@dataclass(frozen=True, kw_only=True, slots=True)
class MotionSources:
    """The clips of a request, perceived, and which part each drives.

    Attributes:
        chosen: part -> its source.
        tracks: file -> its motion, in pixels of its own picture.
        clock: the file that sets frame times, length and sound.
    """

    chosen: dict[Part, Source]
    tracks: dict[Path, PersonTrack]
    clock: Path

    @property
    def times(self) -> FrameTimes:
        """Of every frame of the result."""
        return self.tracks[self.clock].times

    def join(self, references: ReferenceSet) -> PersonTrack:
        """One track for all parts, at `times`. A part that is `none` moves along with another; dropping it is the caller's.

        Raises:
            InputError: a part is to be held as in the reference picture, which does not show it.
        """
        person = references.images[0].person
        for part, source in self.chosen.items():
            if source == "reference" and not bool(getattr(person, part).tracked[0]):
                raise InputError(_not_in_reference(part))
        held = take_frames(person, torch.zeros(len(self.times), dtype=torch.int64), self.times)
        named = {
            part: self.tracks[source] if isinstance(source, Path) else held if source == "reference" else None
            for part, source in self.chosen.items()
        }
        carrier = next(track for track in named.values() if track is not None)
        body, head, face = (named[part] or carrier for part in PARTS)
        return mix_tracks(body=body, head=head, face=face, times=self.times)

    def pictures(self, path: Path) -> Tensor:
        """[T] int64: which frame of a clip is shown at each of `times`."""
        return nearest_frames(self.tracks[path].times, self.times)

    def describe(self) -> str:
        """One line for people: what comes from where, and how lengths and rates were made to agree."""
        times = self.times
        length = _seconds(times)
        said = [f"length and times of {self.clock.name} ({len(times)} frames, {length:.2f} s)"]
        for part, source in self.chosen.items():
            if isinstance(source, Path):
                note = source.name + self._note(source, length)
            else:
                note = _WORDS[source]
                if (part, source) == ("body", "none"):
                    note += " (no skeleton, and the reference's own pixels are not carried along)"
            said.append(f"{part}: {note}")
        return "; ".join(said)

    def _note(self, path: Path, length: float) -> str:
        own = self.tracks[path].times
        changes = []
        if abs(float(own.fps) / float(self.times.fps) - 1) > 1e-3:
            changes.append(f"{float(own.fps):.4g} -> {float(self.times.fps):.4g} fps")
        if _seconds(own) < length - 0.5 / float(self.times.fps):
            changes.append(f"ends at {_seconds(own):.2f} s, then holds its last frame")
        elif _seconds(own) > length + 0.5 / float(self.times.fps):
            changes.append(f"its first {length:.2f} of {_seconds(own):.2f} s")
        return f" ({', '.join(changes)})" if changes else ""


def _not_in_reference(part: Part) -> str:
    mend = "Pass none, or another source." if part == "face" else "Describe the person with --reference-json."
    return f"--{part}-from reference: no {part} was found in the first reference picture. {mend}"


def read_sources(request: AnimateRequest, report: Report = lambda progress: None) -> MotionSources:
    """Perceives every clip that a request names, each once.

    Raises:
        MediaError, MotionFileError, NoPersonError: a source cannot be used.
    """
    chosen: dict[Part, Source] = {part: request.source(part) for part in PARTS}
    files = [source for source in chosen.values() if isinstance(source, Path)]
    tracks = {
        path: perceive_driving(path, person=request.person if path == request.driving else None, report=report)
        for path in dict.fromkeys(files)
    }
    return MotionSources(chosen=chosen, tracks=tracks, clock=request.driving or files[0])


def _seconds(times: FrameTimes) -> float:
    """Length, the last frame shown for one mean step."""
    return len(times) / float(times.fps)
