"""Clips with sound whose motion is known beforehand, so that no estimator has to look at them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import torch

from dreamactor.perception.cache import cached_track
from dreamactor.types.video import AudioClip, FrameTimes
from dreamactor.video.writer import VideoWriter
from factories import make_track


def write_driver(path: Path, num_frames: int, *, width: int = 64, height: int = 96) -> Path:
    """A clip of noise with sound at 25 frames a second; its track is in the cache already."""
    times = FrameTimes.constant(num_frames, Fraction(25))
    audio = AudioClip(samples=torch.sin(torch.arange(16_000 * num_frames // 25) * 0.1)[None] * 0.3, rate_hz=16_000)
    generator = torch.Generator().manual_seed(num_frames)
    with VideoWriter(path, width=width, height=height, times=times, audio=audio) as writer:
        for start in range(0, num_frames, 32):
            count = min(32, num_frames - start)
            writer.write(torch.randint(0, 256, (count, height, width, 3), dtype=torch.uint8, generator=generator))
    track = make_track(
        num_frames=num_frames, width=width, height=height, scale_px=45.0, pelvis_px=(32.0, 48.0), arm_swing_rad=1.0
    )
    cached_track(path, "mediapipe person=None", lambda: track)
    return path
