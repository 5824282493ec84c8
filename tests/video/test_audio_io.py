"""Laws of reading and writing sound."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dreamactor.errors import MediaError
from dreamactor.types.video import AudioClip
from dreamactor.video.audio import cut_audio, iter_audio, read_audio, write_audio


def tone(*, rate_hz: int = 16000, channels: int = 1, seconds: float = 2.0, start_s: float = 0.0) -> AudioClip:
    time_s = torch.arange(round(seconds * rate_hz)) / rate_hz
    wave = torch.stack([0.5 * torch.sin(2 * torch.pi * 220 * (channel + 1) * time_s) for channel in range(channels)])
    return AudioClip(samples=wave, rate_hz=rate_hz, start_s=start_s)


@pytest.mark.parametrize("channels", [1, 2])
def test_wav_keeps_samples(tmp_path: Path, channels: int) -> None:
    clip = tone(channels=channels)
    write_audio(tmp_path / "tone.wav", clip)
    back = read_audio(tmp_path / "tone.wav")
    assert back is not None
    assert (back.rate_hz, back.start_s) == (clip.rate_hz, 0.0)
    assert (back.samples - clip.samples).abs().max() < 1e-4


def test_wav_keeps_the_clock(tmp_path: Path) -> None:
    for start_s, silent in ((0.5, 8000), (-0.5, 0)):
        write_audio(tmp_path / "tone.wav", tone(start_s=start_s))
        back = read_audio(tmp_path / "tone.wav")
        assert back is not None
        assert back.samples.shape[1] == 32000 + round(start_s * 16000)
        assert back.samples[:, :silent].abs().sum() == 0


def test_resampling_keeps_the_wave_in_place(tmp_path: Path) -> None:
    write_audio(tmp_path / "tone.wav", tone(rate_hz=44100))
    back = read_audio(tmp_path / "tone.wav", rate_hz=16000)
    assert back is not None
    assert abs(back.samples.shape[1] - 32000) <= 1
    middle = slice(1000, 30000)
    assert (back.samples[:, middle] - tone().samples[:, middle]).abs().max() < 0.01


def test_mono_is_the_mean(tmp_path: Path) -> None:
    clip = tone(channels=2)
    write_audio(tmp_path / "tone.wav", clip)
    back = read_audio(tmp_path / "tone.wav", mono=True)
    assert back is not None
    assert (back.samples - clip.samples.mean(dim=0, keepdim=True)).abs().max() < 1e-3


def test_pieces_join_without_seam(tmp_path: Path) -> None:
    write_audio(tmp_path / "tone.wav", tone())
    position = 0
    for piece in iter_audio(tmp_path / "tone.wav"):
        assert piece.start_s == pytest.approx(position / 16000)
        position += piece.samples.shape[1]
    assert position == 32000


def test_cut_keeps_its_place_on_the_clock() -> None:
    clip = tone(start_s=0.25)
    part = cut_audio(clip, 1.0, 1.5)
    assert part.start_s == pytest.approx(1.0)
    assert torch.equal(part.samples, clip.samples[:, 12000:20000])
    assert cut_audio(clip, 5.0, 6.0).samples.shape[1] == 0


def test_no_sound_is_none_and_no_file_is_an_error(tmp_path: Path) -> None:
    from fractions import Fraction

    from dreamactor.video.writer import VideoWriter

    with VideoWriter(tmp_path / "mute.mp4", width=16, height=16, fps=Fraction(25)) as writer:
        writer.write(torch.zeros(2, 16, 16, 3, dtype=torch.uint8))
    assert read_audio(tmp_path / "mute.mp4") is None
    with pytest.raises(MediaError, match="No such file"):
        read_audio(tmp_path / "absent.wav")
