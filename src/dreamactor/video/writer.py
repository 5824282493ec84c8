"""Frames -> H.264 mp4 with exact times and sound. Streams: memory does not grow with the length of the video."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import torch
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from torch import Tensor

from dreamactor.errors import ConfigError, OutputError
from dreamactor.types.shapes import expect_shape
from dreamactor.types.video import AudioClip, FrameTimes
from dreamactor.video.audio import cut_audio, iter_audio, open_media, resample_pieces, to_audio_frame
from dreamactor.video.output import check_output, part_path
from dreamactor.video.provenance import Provenance, sign_file

__all__ = ["VIDEO_SUFFIXES", "VideoWriter", "check_output"]

log = logging.getLogger(__name__)

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov")
"""Containers whose clock is fine enough to keep every frame time exactly."""

_COPIED_CODECS = ("aac", "alac", "opus", "flac", "mp3", "ac3", "eac3")
_SELF_DESCRIBING_CODECS = ("mp3", "ac3", "eac3")
_AAC_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_REPEATABLE = {"x264-params": "mbtree=0"}
"""With macroblock-tree rate control, equal frames do not always give equal files."""
_AUDIO_LEAD_S = 1.0
"""Sound is written this far ahead of the pictures, so that players never wait for it."""


class VideoWriter:
    """Writes one video file. It appears under its name only after a clean exit; an exception leaves nothing behind.

        with VideoWriter(path, width=640, height=480, times=clip.times, audio=source) as writer:
            writer.write(frames)

    Args:
        path: ends in .mp4, .m4v or .mov.
        width, height: even numbers of pixels.
        times: time of every frame that will be written; kept exactly. A start below zero moves to zero, sound included.
        fps: constant rate from zero, instead of `times`.
        audio: sound on the same clock, or a file whose sound is copied (re-encoded to AAC where mp4 cannot hold it).
        crf: quality of H.264, 0 (best) to 51.
        lossless: stores RGB without any loss (High 4:4:4; few players show it).
        provenance: what the file says of how it was made, in its metadata and in signed content credentials.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        times: FrameTimes | None = None,
        fps: Fraction | None = None,
        audio: AudioClip | Path | None = None,
        crf: int = 18,
        lossless: bool = False,
        provenance: Provenance | None = None,
    ) -> None:
        self.path = Path(path)
        if width < 2 or height < 2 or width % 2 or height % 2:
            raise ConfigError(f"Video size must be even and at least 2x2, got {width}x{height}. Use even numbers.")
        if not 0 <= crf <= 51:
            raise ConfigError(f"crf must be from 0 (best) to 51 (worst), got {crf}.")
        if (times is None) == (fps is None):
            raise ValueError("give either times or fps")
        if fps is not None and fps <= 0:
            raise ConfigError(f"The frame rate must be above 0, got {fps}.")
        if times is not None and len(times) > 1 and not bool((times.pts.diff() > 0).all()):
            raise ValueError("times must be strictly increasing")
        if isinstance(audio, AudioClip) and audio.samples.shape[0] not in (1, 2):
            raise ConfigError(f"Sound must have 1 or 2 channels, got {audio.samples.shape[0]}. Mix it down first.")
        check_output(self.path, [audio] if isinstance(audio, Path) else [], suffixes=VIDEO_SUFFIXES)
        self._size = (width, height)
        self._clock = _Clock(times, fps)
        self._audio = audio
        self._crf, self._lossless = crf, lossless
        self._provenance = provenance
        self._num_written = 0

    def __enter__(self) -> Self:
        self._part = part_path(self.path)
        self._source: InputContainer | None = None
        ticks = str(self._clock.ticks_per_s)
        options = {"movflags": "+faststart", "video_track_timescale": ticks, "movie_timescale": ticks}
        try:
            self._container: OutputContainer = av.open(str(self._part), "w", options=options)
            if self._provenance is not None:
                self._container.metadata["comment"] = self._provenance.sentence()
            self._video = self._add_video()
            self._sound = self._add_audio()
            self._next_sound = next(self._sound, None)
        except BaseException:
            self._discard()
            raise
        return self

    def write(self, frames: Tensor) -> None:
        """Appends frames, [t, H, W, 3] uint8 RGB."""
        expect_shape("frames", frames, "t H W 3", H=self._size[1], W=self._size[0])
        if frames.dtype != torch.uint8:
            raise ValueError(f"frames must be uint8, got {frames.dtype}")
        for image in frames.cpu():
            picture = VideoFrame.from_ndarray(image.contiguous().numpy(), format="rgb24")
            if not self._lossless:
                picture = picture.reformat(
                    format="yuv420p",
                    dst_colorspace=Colorspace.ITU709,
                    dst_color_range=ColorRange.MPEG,
                    interpolation="BICUBIC",
                )
            picture.pts = self._clock.tick(self._num_written)
            picture.time_base = Fraction(1, self._clock.ticks_per_s)
            self._encode(picture)
            self._num_written += 1
        self._write_sound(until_s=self._clock.tick(self._num_written - 1) / self._clock.ticks_per_s + _AUDIO_LEAD_S)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            self._finish()
        except BaseException:
            self._discard()
            raise

    def _finish(self) -> None:
        promised = self._clock.num_frames
        if self._num_written == 0 or (promised is not None and self._num_written != promised):
            raise RuntimeError(f"{self.path} got {self._num_written} frames, needed {promised or 'at least 1'}")
        self._encode(None)
        self._write_sound(until_s=float("inf"))
        try:
            self._container.close()
        except OSError as error:
            raise self._cannot_write(error) from error
        if self._source is not None:
            self._source.close()
        if self._provenance is not None:
            sign_file(self._part, self._provenance)
        self._part.replace(self.path.resolve())

    def _discard(self) -> None:
        try:
            if hasattr(self, "_container"):
                self._container.close()
        except (OSError, ValueError) as error:  # the file goes away in any case
            log.debug("closing %s: %s", self._part, error)
        finally:
            if self._source is not None:
                self._source.close()
            self._part.unlink(missing_ok=True)

    def _add_video(self) -> VideoStream:
        clock = Fraction(1, self._clock.ticks_per_s)
        stream: VideoStream = self._container.add_stream("libx264rgb" if self._lossless else "libx264")
        stream.width, stream.height = self._size
        stream.pix_fmt = "rgb24" if self._lossless else "yuv420p"
        stream.time_base = clock
        stream.codec_context.time_base = clock
        stream.codec_context.framerate = self._clock.fps.limit_denominator(1001)
        stream.options = {"preset": "veryfast", "crf": "0" if self._lossless else str(self._crf), **_REPEATABLE}
        if not self._lossless:
            stream.codec_context.colorspace = Colorspace.ITU709
            stream.codec_context.color_primaries = ColorPrimaries.BT709
            stream.codec_context.color_trc = ColorTrc.BT709
            stream.codec_context.color_range = ColorRange.MPEG
        return stream

    def _encode(self, picture: VideoFrame | None) -> None:
        try:
            for packet in self._video.encode(picture):
                assert packet.pts is not None
                packet.duration = self._clock.duration(packet.pts, packet.time_base)
                self._container.mux(packet)
        except OSError as error:
            raise self._cannot_write(error) from error

    def _add_audio(self) -> Iterator[av.Packet]:
        """Adds the sound stream; returns its packets, to be written as the pictures advance."""
        if isinstance(self._audio, Path):
            self._source = open_media(self._audio)
            streams = [stream for stream in self._source.streams.audio if stream.codec_context is not None]
            if not streams:
                return iter(())
            if _can_copy(streams[0]):
                return self._copied(streams[0], self._container.add_stream_from_template(streams[0]))
            pieces = iter_audio(self._audio)
        elif self._audio is not None:
            pieces = _in_seconds(self._audio)
        else:
            return iter(())
        first = next(pieces, None)
        if first is None:
            return iter(())
        rate_hz = first.rate_hz if first.rate_hz in _AAC_RATES_HZ else 48000
        layout = "mono" if first.samples.shape[0] == 1 else "stereo"
        return self._encoded(first, pieces, self._container.add_stream("aac", rate=rate_hz, layout=layout))

    def _copied(self, source: AudioStream, stream: AudioStream) -> Iterator[av.Packet]:
        assert self._source is not None
        for packet in self._source.demux(source):
            if packet.dts is None:
                continue
            shift = round(self._clock.shift_s / packet.time_base)
            packet.dts += shift
            packet.pts = None if packet.pts is None else packet.pts + shift
            packet.stream = stream
            yield packet

    def _encoded(self, first: AudioClip, rest: Iterator[AudioClip], stream: AudioStream) -> Iterator[av.Packet]:
        pieces = _chain(first, rest, shift_s=float(self._clock.shift_s))
        if first.rate_hz != stream.rate:
            pieces = resample_pieces(pieces, stream.rate)
        for piece in pieces:
            yield from stream.encode(to_audio_frame(piece))
        yield from stream.encode(None)

    def _write_sound(self, until_s: float) -> None:
        try:
            while (packet := self._next_sound) is not None and float((packet.dts or 0) * packet.time_base) <= until_s:
                self._container.mux(packet)
                self._next_sound = next(self._sound, None)
        except OSError as error:
            raise self._cannot_write(error) from error

    def _cannot_write(self, error: OSError) -> OutputError:
        return OutputError(f"Cannot write {self.path}: {error.strerror or error}. Free space or choose another folder.")


class _Clock:
    """Frame number -> whole ticks since zero, without rounding."""

    def __init__(self, times: FrameTimes | None, fps: Fraction | None) -> None:
        self.num_frames = None if times is None else len(times)
        unit = 1 / fps if fps is not None else (times.time_base if times is not None else Fraction(1, 25))
        self.fps = fps if fps is not None else (times.fps if times is not None else Fraction(25))
        refine = 1
        while unit.denominator * refine < 10000:  # players expect a clock at least this fine
            refine *= 2
        self.ticks_per_s = unit.denominator * refine
        self._unit_ticks = unit.numerator * refine
        self._pts = None if times is None else times.pts
        first = int(self._pts[0]) if self._pts is not None and len(self._pts) else 0
        self._shift = max(0, -first)
        self.shift_s = self._shift * unit
        """What is added to every time, so that none is below zero."""

    def tick(self, index: int) -> int:
        """Time of a frame in ticks."""
        if self._pts is None:
            return index * self._unit_ticks
        if index >= len(self._pts):
            raise ValueError(f"got more frames than times: {len(self._pts)} times")
        return (int(self._pts[index]) + self._shift) * self._unit_ticks

    def duration(self, pts: int, time_base: Fraction) -> int:
        """Units of `time_base` until the frame after `pts`; the last frame is shown for an average step."""
        step: int | Fraction = self._unit_ticks
        if self._pts is not None:
            at = round(pts * time_base * self.ticks_per_s) // self._unit_ticks - self._shift
            index = int(torch.searchsorted(self._pts, at))
            if index + 1 < len(self._pts):
                step = int(self._pts[index + 1] - self._pts[index]) * self._unit_ticks
            else:
                step = self.ticks_per_s / self.fps
        return max(1, round(Fraction(step) / self.ticks_per_s / time_base))


def _can_copy(stream: AudioStream) -> bool:
    """Whether mp4 can hold the packets as they are."""
    name = stream.codec_context.name.removesuffix("float")
    return name in _COPIED_CODECS and (name in _SELF_DESCRIBING_CODECS or bool(stream.codec_context.extradata))


def _in_seconds(clip: AudioClip) -> Iterator[AudioClip]:
    """A sound in pieces of a second; what lies before zero is left out."""
    end_s = clip.start_s + clip.samples.shape[1] / clip.rate_hz
    start_s = clip.start_s
    while start_s < end_s:
        piece = cut_audio(clip, start_s, start_s + 1.0)
        if piece.samples.shape[1] == 0:
            return
        yield piece
        start_s += 1.0


def _chain(first: AudioClip, rest: Iterator[AudioClip], *, shift_s: float) -> Iterator[AudioClip]:
    """Consecutive pieces on the output's clock, without what would lie before zero."""
    for group in (iter((first,)), rest):
        for piece in group:
            moved = AudioClip(samples=piece.samples, rate_hz=piece.rate_hz, start_s=piece.start_s + shift_s)
            kept = cut_audio(moved, 0.0, float("inf")) if moved.start_s < 0 else moved
            if kept.samples.shape[1]:
                yield kept
