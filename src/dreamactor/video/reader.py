"""Video file -> frames with their exact times.

Every frame that decodes comes out once, upright, in RGB, with the time the file gives it (variable rate and start
offset included). Reading streams: memory does not grow with the length of the file, except in `read_clip`.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
import torch
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from torch import Tensor

from dreamactor.errors import ConfigError, MediaError
from dreamactor.types.video import FrameTimes, VideoClip, VideoInfo
from dreamactor.video.audio import open_media, read_audio

log = logging.getLogger(__name__)

_STILL_FORMATS = ("image2", "_pipe")
_STILL_BRANDS = ("heic", "heix", "mif1", "avif")
_DEFAULT_FPS = Fraction(25)


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One decoded frame.

    Attributes:
        image: [H, W, 3] uint8 RGB, upright.
        pts: presentation time in units of `time_base`, on the file's own clock.
        time_base: seconds per unit of `pts`.
        index: 0 for the first frame that this reader gave.
    """

    image: Tensor
    pts: int
    time_base: Fraction
    index: int

    @property
    def time_s(self) -> float:
        return float(self.pts * self.time_base)


class VideoReader:
    """Reads a video frame by frame, once.

        with VideoReader(path) as reader:
            for frame in reader: ...

    `start_s` and `end_s` choose a part, in seconds after the file's first frame: frames with start_s <= time < end_s.
    Their times stay those of the whole file.
    """

    def __init__(self, path: Path, *, start_s: float | None = None, end_s: float | None = None) -> None:
        first, last = start_s or 0.0, float("inf") if end_s is None else end_s
        if not 0.0 <= first < last:
            raise ConfigError(f"Start must be at least 0 and before the end, got start {start_s} s and end {end_s} s.")
        self.path = Path(path)
        self._start_s, self._end_s = first, last
        self._container = open_media(self.path)
        try:
            self._stream = _video_stream(self._container, self.path)
            self._stream.thread_type = "AUTO"
            self._decoded = self._decode()
            self._first = next(self._decoded, None)
            if self._first is None:
                raise MediaError(
                    f"No frame of {self.path} can be decoded. The file is damaged: export or download it again."
                )
            self.info = self._read_info(self._first)
            self._origin = self._first.pts if self._first.pts is not None else 0
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._container.close()

    @property
    def time_base(self) -> Fraction:
        """Seconds per unit of every frame's `pts`."""
        assert self._stream.time_base is not None
        return self._stream.time_base

    def __iter__(self) -> Iterator[Frame]:
        if self._first is None:
            raise RuntimeError(f"{self.path} was read already; open it again for a second pass")
        index = 0
        for picture, pts in self._timed_pictures():
            after_s = float((pts - self._origin) * self.time_base)
            if after_s >= self._end_s:
                break
            if after_s >= self._start_s:
                yield Frame(image=self._to_rgb(picture), pts=pts, time_base=self.time_base, index=index)
                index += 1

    def _timed_pictures(self) -> Iterator[tuple[VideoFrame, int]]:
        """Pictures with strictly increasing times; wrong or missing times are mended."""
        first, self._first = self._first, None
        assert first is not None
        if self._start_s > 0.0:
            target = self._origin + int(self._start_s / self.time_base)
            self._container.seek(target, stream=self._stream, backward=True)
            self._decoded = self._decode()
        else:
            yield first, self._origin
        step = max(1, round(1 / (self.info.fps * self.time_base)))
        previous = None if self._start_s > 0.0 else self._origin
        mended = 0
        for picture in self._decoded:
            pts = picture.pts
            if pts is None:
                pts = self._origin if previous is None else previous + step
                mended += 1
            elif previous is not None and pts <= previous:
                pts = previous + 1
                mended += 1
            previous = pts
            yield picture, pts
        if mended:
            log.warning("%s: %d frames had a missing or repeated time stamp; it was replaced", self.path, mended)

    def _decode(self) -> Iterator[VideoFrame]:
        """Every decodable picture; damaged packets are skipped and counted."""
        damaged = 0
        for packet in _packets(self._container, self._stream, self.path):
            try:
                yield from packet.decode()  # type: ignore[misc]
            except av.error.FFmpegError:
                damaged += 1
        if damaged:
            log.warning("%s: %d damaged packets were skipped", self.path, damaged)

    def _to_rgb(self, picture: VideoFrame) -> Tensor:
        """[H, W, 3] uint8: upright and of the size of the first frame."""
        quarter_turns = self.info.rotation_deg // 90
        stored = (self.info.width, self.info.height) if quarter_turns % 2 == 0 else (self.info.height, self.info.width)
        array = picture.reformat(width=stored[0], height=stored[1], format="rgb24").to_ndarray()
        if quarter_turns:
            return torch.from_numpy(np.ascontiguousarray(np.rot90(array, quarter_turns)))
        return torch.from_numpy(array)

    def _read_info(self, first: VideoFrame) -> VideoInfo:
        stream = self._stream
        rotation_deg = round(first.rotation / 90) * 90 % 360
        turned = rotation_deg in (90, 270)
        duration_s: float | None = None
        if stream.duration:
            duration_s = float(stream.duration * self.time_base)
        elif self._container.duration:
            duration_s = self._container.duration / av.time_base
        return VideoInfo(
            width=first.height if turned else first.width,
            height=first.width if turned else first.height,
            fps=stream.average_rate or stream.guessed_rate or _DEFAULT_FPS,
            num_frames=stream.frames or None,
            duration_s=duration_s,
            has_audio=any(sound.codec_context is not None for sound in self._container.streams.audio),
            rotation_deg=rotation_deg,
        )


def probe(path: Path) -> VideoInfo:
    """What a video file holds; its first frame is decoded to be sure.

    Raises:
        MediaError: one line that says why the file is no video for us and what to do.
    """
    with VideoReader(path) as reader:
        return reader.info


def read_clip(path: Path, *, with_audio: bool = True) -> VideoClip:
    """Reads a whole file into memory."""
    with VideoReader(path) as reader:
        pictures = torch.empty(reader.info.num_frames or 64, reader.info.height, reader.info.width, 3, dtype=torch.uint8)
        pts: list[int] = []
        for frame in reader:
            if frame.index == len(pictures):
                pictures = torch.cat([pictures, torch.empty_like(pictures)])
            pictures[frame.index] = frame.image
            pts.append(frame.pts)
        times = FrameTimes(pts=torch.tensor(pts, dtype=torch.int64), time_base=reader.time_base)
        has_audio = reader.info.has_audio
    audio = read_audio(path) if with_audio and has_audio else None
    return VideoClip(frames=pictures[: len(pts)], times=times, audio=audio)


def iter_clips(path: Path, frames_per_clip: int) -> Iterator[VideoClip]:
    """Streams a file as clips of `frames_per_clip` frames (the last may be shorter), without sound."""
    if frames_per_clip < 1:
        raise ValueError(f"frames_per_clip must be at least 1, got {frames_per_clip}")
    with VideoReader(path) as reader:
        pending: list[Frame] = []
        for frame in reader:
            pending.append(frame)
            if len(pending) == frames_per_clip:
                yield _to_clip(pending)
                pending = []
        if pending:
            yield _to_clip(pending)


def pictures_at(path: Path, index: Tensor) -> Generator[Tensor, None, None]:
    """Pictures [H, W, 3] uint8 of a video at frames `index` [N], which never go back; closing it closes the file."""
    with VideoReader(path) as reader:
        frames = iter(reader)
        frame = next(frames)
        for wanted in index.tolist():
            while frame.index < wanted:
                frame = next(frames)
            yield frame.image


def constant_rate_indices(times: FrameTimes, fps: Fraction) -> Tensor:
    """Which frame to show at each tick of a constant rate: the nearest in time, the earlier one on a tie.

    The ticks start with the first frame and cover the clip's duration, its last frame included; a clip that already has
    this constant rate gives 0, 1, 2, ...

    Returns:
        [N] int64 indices into the frames; frames may repeat or be left out.
    """
    if len(times) == 0:
        return torch.zeros(0, dtype=torch.int64)
    if fps <= 0:
        raise ConfigError(f"A frame rate must be above 0, got {fps}.")
    num_ticks = max(1, round(len(times) / times.fps * fps))
    seconds = times.seconds - times.seconds[0]
    ticks = torch.arange(num_ticks, dtype=torch.float64) / float(fps)
    middles = (seconds[1:] + seconds[:-1]) / 2
    return torch.searchsorted(middles, ticks - 1e-9)


def _to_clip(frames: list[Frame]) -> VideoClip:
    pts = torch.tensor([frame.pts for frame in frames], dtype=torch.int64)
    return VideoClip(
        frames=torch.stack([frame.image for frame in frames]),
        times=FrameTimes(pts=pts, time_base=frames[0].time_base),
    )


def _packets(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[av.Packet]:
    """Packets of one stream; a file that breaks off in the middle ends there."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError as error:
            log.warning("%s breaks off: %s", path, error.strerror)
            return
        if packet is None:
            return
        yield packet


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The moving picture of a file, or the error that says what the file is instead."""
    name = container.format.name
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams and container.streams.audio:
        raise MediaError(f"{path} holds sound only. Give a video file.")
    if not streams:
        raise MediaError(f"{path} holds no video. Give a video file such as mp4, mov, mkv or webm.")
    brand = container.metadata.get("major_brand", "").strip()
    if name.startswith(_STILL_FORMATS[0]) or name.endswith(_STILL_FORMATS[1]) or brand in _STILL_BRANDS:
        raise MediaError(f"{path} is a still picture, not a video. Pass it as REFERENCE, or give a video file here.")
    stream = streams[0]
    if stream.codec_context is None:
        raise MediaError(f"The video codec of {path} is unknown. Convert the file to H.264 mp4.")
    _check_complete(stream, path)
    return stream


def _check_complete(stream: VideoStream, path: Path) -> None:
    """An index that points behind the end of the file means that the file was cut off."""
    size = path.stat().st_size
    end = max((entry.pos + entry.size for entry in stream.index_entries), default=0)
    if end > size:
        raise MediaError(f"{path} is cut off: it has {size} of at least {end} bytes. Copy or download it again.")
