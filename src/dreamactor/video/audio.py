"""Sound of any audio or video file, kept on the video's clock."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from torch import Tensor

from dreamactor.errors import MediaError
from dreamactor.types.video import AudioClip
from dreamactor.video.output import atomic_path

_GAP_S = 0.02
"""Time stamps may jitter by less than this without being a gap."""

_REFUSED_FORMATS = ("tty", "concat", "hls", "ffmetadata", "lavfi")
"""Demuxers that accept plain text or pull in other files."""


def open_media(path: Path) -> InputContainer:
    """Opens a media file for reading, or says in one line why that cannot be done. Never opens a network address."""
    path = Path(path)
    if path.is_dir():
        raise MediaError(f"{path} is a folder. Give a media file.")
    if not path.is_file():
        raise MediaError(f"No such file: {path}. Check the path.")
    try:
        if path.stat().st_size == 0:
            raise MediaError(f"{path} is empty (0 bytes). Copy or download it again.")
        container = av.open(f"file:{path.resolve()}", options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, OSError) as error:
        if isinstance(error, PermissionError):
            raise MediaError(f"{path} may not be read: permission denied. Change its permissions.") from error
        raise MediaError(
            f"{path} is not a readable media file: it is cut off, damaged or of another kind. "
            "Give a file that a player can play."
        ) from error
    if container.format.name in _REFUSED_FORMATS:
        container.close()
        raise MediaError(f"{path} is not a media file. Give a video such as mp4, mov, mkv or webm.")
    return container


def read_audio(path: Path, *, rate_hz: int | None = None, mono: bool = False) -> AudioClip | None:
    """Reads the first sound stream of an audio or video file.

    Args:
        path: any file with sound.
        rate_hz: wanted sample rate; None keeps the file's.
        mono: mixes to one channel; otherwise one or two channels come out (more are mixed to stereo).

    Returns:
        The sound with its start on the video's clock, or None when the file has no sound. Gaps are filled with silence.
    """
    pieces = list(iter_audio(path, rate_hz=rate_hz, mono=mono))
    if not pieces:
        return None
    return replace(pieces[0], samples=torch.cat([piece.samples for piece in pieces], dim=1))


def iter_audio(path: Path, *, rate_hz: int | None = None, mono: bool = False) -> Iterator[AudioClip]:
    """Like `read_audio`, but in consecutive short pieces, so that memory does not grow with the length."""
    with open_media(path) as container:
        streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
        if streams:
            pieces = _gapless(_decoded(container, mono=mono))
            yield from pieces if rate_hz is None else resample_pieces(pieces, rate_hz)


def cut_audio(clip: AudioClip, start_s: float, end_s: float) -> AudioClip:
    """The part of a sound between two times of the video's clock; it keeps its place on that clock."""
    length = clip.samples.shape[1]
    first = round(min(max((start_s - clip.start_s) * clip.rate_hz, 0), length))
    last = round(min(max((end_s - clip.start_s) * clip.rate_hz, first), length))
    return replace(clip, samples=clip.samples[:, first:last], start_s=clip.start_s + first / clip.rate_hz)


def write_audio(path: Path, clip: AudioClip) -> None:
    """Writes a 16-bit wav file. Wav has no start time: a late start becomes silence, sound before zero is dropped."""
    offset = round(clip.start_s * clip.rate_hz)
    samples = torch.nn.functional.pad(clip.samples, (max(offset, 0), 0))[:, max(-offset, 0) :]
    levels = (samples.clamp(-1.0, 1.0) * 32767.0).round().to(torch.int16)
    with atomic_path(Path(path)) as part, wave.open(str(part), "wb") as file:
        file.setnchannels(levels.shape[0])
        file.setsampwidth(2)
        file.setframerate(clip.rate_hz)
        file.writeframes(levels.T.contiguous().numpy().astype("<i2").tobytes())


def resample_pieces(pieces: Iterator[AudioClip], rate_hz: int) -> Iterator[AudioClip]:
    """Changes the sample rate of consecutive pieces, as one sound."""
    resampler: AudioResampler | None = None
    start_s, given = 0.0, 0
    for piece in pieces:
        if resampler is None:
            resampler = AudioResampler(format="fltp", rate=rate_hz)
            start_s = piece.start_s
        for frame in resampler.resample(to_audio_frame(piece)):
            yield AudioClip(samples=_samples(frame), rate_hz=rate_hz, start_s=start_s + given / rate_hz)
            given += frame.samples
    if resampler is not None:
        for frame in resampler.resample(None):
            yield AudioClip(samples=_samples(frame), rate_hz=rate_hz, start_s=start_s + given / rate_hz)
            given += frame.samples


def to_audio_frame(clip: AudioClip) -> AudioFrame:
    """A decoded-sound frame for encoders and resamplers; its pts counts samples on the video's clock."""
    layout = "mono" if clip.samples.shape[0] == 1 else "stereo"
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(clip.samples.numpy()), format="fltp", layout=layout)
    frame.sample_rate = clip.rate_hz
    frame.time_base = Fraction(1, clip.rate_hz)
    frame.pts = round(clip.start_s * clip.rate_hz)
    return frame


def _samples(frame: AudioFrame) -> Tensor:
    return torch.from_numpy(frame.to_ndarray())


def _decoded(container: InputContainer, *, mono: bool) -> Iterator[AudioClip]:
    """Decoded frames as they come; damaged packets are left out, which makes a gap."""
    stream = container.streams.audio[0]
    resampler: AudioResampler | None = None
    end_s = 0.0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            continue
        for frame in frames:
            if resampler is None:
                layout = "mono" if frame.layout.nb_channels == 1 else "stereo"
                resampler = AudioResampler(format="fltp", layout=layout, rate=frame.sample_rate)
            start_s = end_s if frame.time is None else frame.time
            for same_time in resampler.resample(frame):
                end_s = start_s + same_time.samples / same_time.sample_rate
                samples = _samples(same_time)
                if mono:
                    samples = samples.mean(dim=0, keepdim=True)
                yield AudioClip(samples=samples, rate_hz=same_time.sample_rate, start_s=start_s)
                start_s = end_s


def _gapless(pieces: Iterator[AudioClip]) -> Iterator[AudioClip]:
    """Fills gaps with silence and drops overlaps, so that sample n sits at start + n / rate."""
    start_s, given = 0.0, -1
    for piece in pieces:
        if given < 0:
            start_s, given = piece.start_s, 0
        expected_s = start_s + given / piece.rate_hz
        samples = piece.samples
        if abs(piece.start_s - expected_s) > _GAP_S:
            missing = round((piece.start_s - expected_s) * piece.rate_hz)
            samples = torch.nn.functional.pad(samples, (missing, 0)) if missing > 0 else samples[:, -missing:]
        if samples.shape[1]:
            yield AudioClip(samples=samples, rate_hz=piece.rate_hz, start_s=expected_s)
            given += samples.shape[1]
