"""Rates and lengths around whole segments: as many frames out as in, at their exact times, with all of the sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from dreamactor.app.main import run
from dreamactor.perception.cache import cached_track
from dreamactor.types.video import AudioClip, FrameTimes
from dreamactor.video.image import write_image
from dreamactor.video.reader import read_clip
from dreamactor.video.writer import VideoWriter
from factories import make_track

SIDE, SEGMENT = 32, 73
RATES = ("25", "30000/1001", "50", "variable")
LENGTHS = (SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * (SEGMENT - 1) + SEGMENT // 2)
"""The last is three and a half segments."""
RATE_HZ = 16000


def _times(rate: str, num_frames: int) -> FrameTimes:
    if rate != "variable":
        return FrameTimes.constant(num_frames, Fraction(rate))
    steps = torch.tensor([1, 3, 2, 2, 5, 1]).repeat(num_frames // 6 + 1)[:num_frames]
    return FrameTimes(pts=steps.cumsum(0), time_base=Fraction(1, 60))


def _grid() -> Iterator[object]:
    """Every rate with every length; each rate and each length once in the ordinary run, the others in the slow one."""
    for row, rate in enumerate(RATES):
        for column, num_frames in enumerate(LENGTHS):
            yield pytest.param(rate, num_frames, marks=() if row == column else pytest.mark.slow)


@pytest.mark.parametrize(("rate", "num_frames"), _grid())
def test_frames_times_and_sound_are_the_drivers(shared: Path, tmp_path: Path, rate: str, num_frames: int) -> None:
    times, driving, output = _times(rate, num_frames), tmp_path / "driving.mp4", tmp_path / "out.mp4"
    length_s = float(times.seconds[-1]) + 1 / float(times.fps)
    tone = 0.5 * torch.sin(torch.arange(round(length_s * RATE_HZ)) * 0.17)[None]
    with VideoWriter(
        driving, width=SIDE, height=SIDE, times=times, audio=AudioClip(samples=tone, rate_hz=RATE_HZ)
    ) as writer:
        writer.write(torch.zeros(num_frames, SIDE, SIDE, 3, dtype=torch.uint8))
    given = read_clip(driving)
    track = replace(
        make_track(num_frames=num_frames, width=SIDE, height=SIDE, scale_px=15, pelvis_px=(16, 16)), times=given.times
    )
    cached_track(driving, "mediapipe person=None", lambda: track)  # perceived already
    write_image(tmp_path / "person.png", torch.full((64, 64, 3), 90, dtype=torch.uint8))
    (tmp_path / "person.json").write_text('{"head_box": [26, 6, 38, 20], "joints": {"neck": [32, 22], "pelvis": [32, 40]}}')
    files = [str(tmp_path / "person.png"), "--driving", str(driving), "-o", str(output), "--model", str(shared / "model")]
    settings = [
        "--reference-json",
        str(tmp_path / "person.json"),
        "--face-encoder",
        "landmarks",
        "--steps",
        "1",
        "--no-proxy",
    ]
    assert run(["animate", *files, *settings]) == 0
    made = read_clip(output)
    assert made.num_frames == given.num_frames == num_frames
    torch.testing.assert_close(made.times.seconds, given.times.seconds, rtol=0, atol=1e-9)
    sound, kept = given.audio, made.audio
    assert sound is not None
    assert kept is not None
    assert kept.samples.shape == sound.samples.shape
    torch.testing.assert_close(kept.samples, sound.samples)
    assert not (tmp_path / "out.mp4.unfinished").exists()
