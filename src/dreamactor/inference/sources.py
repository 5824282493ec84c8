"""Where body, head and face get their motion: reads each source once, and joins them into one track.

One clip sets frame times, length and sound: `--driving` where it is given, else the first of body's, head's and face's
source that is a clip. All clips start together; the others are resampled to its times, and one that ends early holds its
last frame. A part that is `reference` is held as in the first reference picture: a body in its pose, a head as it sits on
its own chest, a face with its expression. Where no clip is given but speech, the sound sets length and times; parts that are
`idle` or `audio` are then joined as they are in the picture, and `inference.speech` moves them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from dreamactor.errors import InputError, MediaError
from dreamactor.guidance.mix import mix_tracks
from dreamactor.guidance.resample import nearest_frames
from dreamactor.inference.request import PARTS, AnimateRequest, Made, Part, Progress
from dreamactor.perception.build import build_estimator
from dreamactor.perception.cache import cached_track
from dreamactor.perception.perceive import perceive_video
from dreamactor.perception.track_file import load_track
from dreamactor.types.guidance import ReferenceSet
from dreamactor.types.track import PersonTrack, take_frames
from dreamactor.types.video import FrameTimes
from dreamactor.video.audio import iter_audio
from dreamactor.video.reader import VideoReader, probe

Report = Callable[[Progress], None]
Source = Path | Made
MOTION_SUFFIX = ".npz"
SPEECH_FPS: Final = 25
"""Of a video that has no clip to take its times from."""
_WORDS: Final[dict[Made, str]] = {
    "reference": "held as in the reference", "none": "none", "idle": "at ease as in the reference", "audio": "speech",
}  # fmt: skip


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
        clock: the file that sets frame times and length, and the sound unless there is speech.
        speech: the file that is spoken, or None.
        speech_times: frame times of that sound, where it is the clock.
    """

    chosen: dict[Part, Source]
    tracks: dict[Path, PersonTrack]
    clock: Path
    speech: Path | None = None
    speech_times: FrameTimes | None = None

    @property
    def times(self) -> FrameTimes:
        """Of every frame of the result."""
        return self.speech_times or self.tracks[self.clock].times

    def join(self, references: ReferenceSet) -> PersonTrack:
        """One track for all parts, at `times`. A part that is `none` moves along with another; dropping it is the caller's.

        Raises:
            InputError: a part is to be held as in the reference picture, which does not show it.
        """
        person = references.images[0].person
        for part, source in self.chosen.items():
            if source in ("reference", "idle", "audio") and not bool(getattr(person, part).tracked[0]):
                raise InputError(_not_in_reference(part))
        held = take_frames(person, torch.zeros(len(self.times), dtype=torch.int64), self.times)
        named = {
            part: self.tracks[source] if isinstance(source, Path) else None if source == "none" else held
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
        if self.speech is not None and self.chosen["face"] != "audio":
            said.append("mouth: speech")
        if self.speech is not None:
            said.append(f"sound: {self.speech.name}")
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
    clock = request.driving or (files[0] if files else request.audio)
    assert clock is not None  # a request in which nothing moves is refused
    times = None
    if clock == request.audio and clock not in tracks:
        count = math.ceil(sound_length_s(clock) * SPEECH_FPS - 1e-6)
        times = FrameTimes.constant(max(1, count), Fraction(SPEECH_FPS))
    return MotionSources(chosen=chosen, tracks=tracks, clock=clock, speech=request.audio, speech_times=times)


def sound_length_s(path: Path) -> float:
    """Where the sound of a file ends on its clock, found by listening to all of it.

    Raises:
        MediaError: not a media file, or one without sound.
    """
    end_s = 0.0
    for piece in iter_audio(path):
        end_s = piece.start_s + piece.samples.shape[1] / piece.rate_hz
    if end_s <= 0:
        raise MediaError(f"{path} has no sound. Give a sound file, or a video with sound.")
    return end_s


def _seconds(times: FrameTimes) -> float:
    """Length, the last frame shown for one mean step."""
    return len(times) / float(times.fps)
