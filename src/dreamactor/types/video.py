"""Pictures in time, and sound. Knows nothing about files."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from dreamactor.types.shapes import expect_shape


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameTimes:
    """Exact presentation times, one per frame.

    Attributes:
        pts: [T] int64, strictly increasing, in units of `time_base`.
        time_base: seconds per unit of `pts`.
    """

    pts: Tensor
    time_base: Fraction

    def __post_init__(self) -> None:
        expect_shape("pts", self.pts, "T")

    def __len__(self) -> int:
        return int(self.pts.shape[0])

    def __getitem__(self, span: slice) -> FrameTimes:
        return FrameTimes(pts=self.pts[span], time_base=self.time_base)

    @property
    def seconds(self) -> Tensor:
        """[T] float64 seconds."""
        return self.pts.to(torch.float64) * float(self.time_base)

    @property
    def fps(self) -> Fraction:
        """Average frame rate; 25 for a single frame."""
        if len(self) < 2:
            return Fraction(25)
        return Fraction(len(self) - 1) / (int(self.pts[-1] - self.pts[0]) * self.time_base)

    @staticmethod
    def constant(num_frames: int, fps: Fraction) -> FrameTimes:
        """`num_frames` frames at a constant rate, starting at zero."""
        return FrameTimes(pts=torch.arange(num_frames, dtype=torch.int64), time_base=1 / fps)


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioClip:
    """Sound.

    Attributes:
        samples: [C, N] float32 in -1..1.
        rate_hz: samples per second.
        start_s: time of the first sample on the video's clock.
    """

    samples: Tensor
    rate_hz: int
    start_s: float = 0.0

    def __post_init__(self) -> None:
        expect_shape("samples", self.samples, "C N")


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoInfo:
    """What a container says about its video before it is decoded.

    Attributes:
        width, height: pixels after the rotation flag is applied.
        fps: average frame rate.
        num_frames: frames the container promises; None where it does not say.
        duration_s: seconds; None where it does not say.
        has_audio: whether there is a decodable sound stream.
        rotation_deg: rotation flag that was applied: 0, 90, 180 or 270, counter-clockwise.
    """

    width: int
    height: int
    fps: Fraction
    num_frames: int | None
    duration_s: float | None
    has_audio: bool
    rotation_deg: int


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoClip:
    """Consecutive frames with their times.

    Attributes:
        frames: [T, H, W, 3] uint8 RGB.
        times: presentation time of each frame.
        audio: sound that belongs to these frames, if any.
    """

    frames: Tensor
    times: FrameTimes
    audio: AudioClip | None = None

    def __post_init__(self) -> None:
        dims = expect_shape("frames", self.frames, "T H W 3")
        expect_shape("times.pts", self.times.pts, "T", T=dims["T"])
        if self.frames.dtype != torch.uint8:
            raise ValueError(f"frames must be uint8, got {self.frames.dtype}")

    @property
    def num_frames(self) -> int:
        return int(self.frames.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return int(self.frames.shape[2]), int(self.frames.shape[1])
