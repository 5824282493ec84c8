"""Sound becomes tokens: in time, whatever pieces it comes in, and linearly once the mouth is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from dreamactor.models.audio_motion import (
    CONTEXT_S,
    LEVEL_S,
    MOMENTS_HZ,
    RATE_HZ,
    SAMPLES_PER_MOMENT,
    AudioMotionEncoder,
    levelled,
    log_mel,
    mel_filters,
)

NAMES = ("jaw_open", "lip_press", "blink_left", "blink_right")


def _encoder() -> AudioMotionEncoder:
    torch.manual_seed(3)
    encoder = AudioMotionEncoder(code_dim=8, coefficients=NAMES, spoken=NAMES[:2], width=8)
    for buffer in (encoder.token_matrix, encoder.token_shift, encoder.point_matrix):
        buffer.normal_()
    with torch.no_grad():
        encoder.head.bias.copy_(torch.tensor([0.4, 0.5, 3.0]))  # somebody speaks, and the mouth is half open
    return encoder.requires_grad_(False).eval()


def test_a_click_is_heard_in_its_own_column() -> None:
    samples = torch.zeros(8000)
    samples[30 * 160] = 1.0
    assert int(log_mel(samples).sum(dim=0).argmax()) == 30


@pytest.mark.parametrize("hertz", [200.0, 1000.0, 4000.0])
def test_a_tone_is_loudest_in_the_band_about_it(hertz: float) -> None:
    tone = torch.sin(2 * math.pi * hertz * torch.arange(RATE_HZ) / RATE_HZ)
    band = int(log_mel(tone)[:, 50].argmax())
    centre = float(mel_filters()[band].argmax()) * RATE_HZ / 512
    assert abs(centre - hertz) < 0.12 * hertz + RATE_HZ / 512


def test_pieces_of_any_size_are_heard_as_one_sound() -> None:
    encoder = _encoder()
    sound = torch.randn(RATE_HZ * 47 + 77, generator=torch.Generator().manual_seed(0)) * 0.1
    around = 200
    whole = encoder._read(
        torch.nn.functional.pad(sound, (around * SAMPLES_PER_MOMENT, (around + 4) * SAMPLES_PER_MOMENT)),
        slice(around, around + math.ceil(len(sound) / SAMPLES_PER_MOMENT)),
    )
    for size in (4000, RATE_HZ * 30, len(sound)):
        heard = encoder.hear(sound.split(size))
        assert len(heard.voice) == math.ceil(len(sound) / SAMPLES_PER_MOMENT) == 47 * MOMENTS_HZ + 1
        assert_close(heard.mouth, whole.mouth, atol=1e-5, rtol=1e-5)
        assert_close(heard.loudness, whole.loudness, atol=1e-4, rtol=1e-4)


def test_level_and_colour_of_a_recording_are_not_heard() -> None:
    generator = torch.Generator().manual_seed(2)
    swells = torch.sin(torch.arange(600) / 9)
    mels = torch.randn(48, 600, generator=generator) + 3 * swells
    colour = torch.linspace(-2, 1, 48)[:, None]
    assert_close(levelled(mels + 1.5), levelled(mels), atol=1e-3, rtol=0)
    difference = levelled(mels + colour) - levelled(mels)  # the weights of moments alone may differ a little
    assert float(difference.abs().max()) < 0.15
    assert_close(levelled(torch.full((48, 300), -18.42)), torch.zeros(48, 300), atol=1e-4, rtol=0)


def test_no_sound_at_all_is_one_moment() -> None:
    assert len(_encoder().hear([]).voice) == 1


def test_what_is_far_away_leaves_no_trace() -> None:
    encoder = _encoder()
    sound = torch.randn(8 * RATE_HZ, generator=torch.Generator().manual_seed(0)) * 0.1
    other = sound.clone()
    other[: RATE_HZ // 2] = torch.randn(RATE_HZ // 2, generator=torch.Generator().manual_seed(1))
    a, b = encoder.hear([sound]).mouth, encoder.hear([other]).mouth
    far = math.ceil((0.5 + CONTEXT_S + LEVEL_S) * MOMENTS_HZ)
    assert far < len(a) - MOMENTS_HZ
    assert_close(a[far:], b[far:], rtol=0, atol=1e-6)
    assert float((a[:25] - b[:25]).abs().max()) > 1e-3


def test_a_mouth_rests_where_nobody_speaks() -> None:
    encoder = _encoder()
    with torch.no_grad():
        encoder.head.bias[-1] = -4.0
        encoder.head.weight[-1] = 0.0
    assert float(encoder.hear([torch.randn(RATE_HZ)]).mouth.abs().max()) == 0.0


def test_tokens_change_as_their_coefficients_do() -> None:
    encoder = _encoder()
    before, change = torch.rand(5, 4), torch.rand(5, 4)
    assert_close(encoder.tokens(before + change), encoder.tokens(before) + encoder.free_change(change))
    assert_close(encoder.tokens(before)[:, :4], before)
    assert_close(encoder.point_moves(2 * change), 2 * encoder.point_moves(change))
