"""A voice as it might be heard: another vocal tract, room, recorder and level, with other sounds behind it; or only these.

All of it is done to mel power, so that every step hears something new. Axis letters: B voices, L mel bands, K columns of
10 ms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.models.audio_motion import NUM_MELS, band_hertz

_FLOOR: Final = 1e-8
_TRACT: Final = 0.14
"""Natural logarithm of the factor by which formants are moved up or down."""
_COLOUR_NATS, _TILT_NATS = 1.2, 2.0
_REVERB_RATE, _BEHIND_RATE, _BABBLE_RATE, _HISS_RATE, _CUT_RATE = 0.3, 0.45, 0.15, 0.6, 0.2
_REVERB_S: Final = (0.15, 0.9)
_NEPERS: Final = math.log(10) / 10
"""Natural logarithm of power, of a decibel."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Random numbers, one for each voice of a batch."""

    batch: int
    generator: torch.Generator

    def uniform(self, low: float, high: float) -> Tensor:
        """[B, 1, 1]."""
        return low + (high - low) * torch.rand(self.batch, 1, 1, generator=self.generator)

    def chance(self, rate: float) -> Tensor:
        """[B, 1, 1] of 0 and 1."""
        return (torch.rand(self.batch, 1, 1, generator=self.generator) < rate).float()


def as_heard(voice: Tensor, background: Tensor, babble: Tensor, *, generator: torch.Generator) -> Tensor:
    """Mixes voices with what is behind them.

    Args:
        voice: [B, L, K] log-mel of somebody alone; silence where only what is behind is to be heard.
        background: [B, L, K] log-mel of other sounds.
        babble: [B, L, K] log-mel of many who talk at once.
        generator: of everything.

    Returns:
        [B, L, K] log-mel, not levelled.
    """
    draw = Draw(len(voice), generator)
    power = _coloured(_squeezed(_another_tract(voice, draw), draw), draw).exp()
    power = _echoing(power, draw)
    loud = _level(power)
    behind = _coloured(background, draw).exp()
    quieter = (-draw.uniform(2, 40) * _NEPERS).exp()
    present = torch.maximum(draw.chance(_BEHIND_RATE), (power.amax(dim=(1, 2), keepdim=True) < 1e-5).float())
    power = power + present * loud * quieter * behind / _level(behind)
    chatter = _coloured(babble, draw).exp()
    quieter = (-draw.uniform(8, 30) * _NEPERS).exp()
    power = power + draw.chance(_BABBLE_RATE) * loud * quieter * chatter / _level(chatter)
    power = power + _hiss(power, draw) * loud
    gain = draw.uniform(-5, 2)
    cut = _cut(draw)
    return (power * (gain + cut).exp() + _FLOOR).log()


def _level(power: Tensor) -> Tensor:
    """[B, 1, 1] mean power of the loudest fifth of the time; what is silent counts as being of common loudness."""
    mean = power.mean(dim=1, keepdim=True)
    loud = mean.topk(max(1, mean.shape[-1] // 5), dim=-1).values.mean(dim=-1, keepdim=True)
    return torch.where(loud > 100 * _FLOOR, loud, torch.full_like(loud, 0.3))


def _another_tract(mels: Tensor, draw: Draw) -> Tensor:
    """Formants higher or lower: bands are read at other frequencies."""
    factor = draw.uniform(-_TRACT, _TRACT).exp()[:, :, 0]  # [B, 1]
    hertz = band_hertz()
    place = torch.searchsorted(hertz, (hertz * factor).clamp(float(hertz[0]) + 0.1, float(hertz[-1])))  # [B, L], from 1
    place = place.clamp(1, NUM_MELS - 1)
    share = ((hertz * factor - hertz[place - 1]) / (hertz[place] - hertz[place - 1])).clamp(0, 1)
    matrix = F.one_hot(place - 1, NUM_MELS) * (1 - share)[..., None] + F.one_hot(place, NUM_MELS) * share[..., None]
    return matrix.to(mels.dtype) @ mels


def _squeezed(mels: Tensor, draw: Draw) -> Tensor:
    """Dynamics pressed together or pulled apart a little."""
    loudness = F.avg_pool1d(mels.logsumexp(dim=1, keepdim=True), 15, 1, 7)
    below = (loudness - loudness.amax(dim=-1, keepdim=True)).clamp(min=-8)
    return mels + draw.chance(0.5) * draw.uniform(-0.35, 0.2) * below


def _coloured(mels: Tensor, draw: Draw) -> Tensor:
    knots = torch.randn(draw.batch, 1, 7, generator=draw.generator) * _COLOUR_NATS
    smooth = F.interpolate(knots, NUM_MELS, mode="linear", align_corners=True).transpose(1, 2)
    return mels + smooth + draw.uniform(-_TILT_NATS, _TILT_NATS) * torch.linspace(-1, 1, NUM_MELS)[:, None]


def _echoing(power: Tensor, draw: Draw) -> Tensor:
    """The power of a room's echo, after every sound."""
    count = 90
    decay = 13.8 / (100 * draw.uniform(*_REVERB_S)[:, :, 0])  # [B, 1] nats a column
    tail = torch.exp(-decay * torch.arange(1, count + 1))
    tail = tail / tail.sum(dim=1, keepdim=True) * (draw.chance(_REVERB_RATE) * draw.uniform(0.02, 0.6))[:, :, 0]
    kernel = torch.cat([torch.ones(draw.batch, 1), tail], dim=1).flip(1)[:, None, None]  # [B, 1, 1, J]
    return F.conv2d(F.pad(power, (count, 0))[None], kernel, groups=draw.batch)[0]


def _hiss(power: Tensor, draw: Draw) -> Tensor:
    """A recording's even noise 20 to 60 dB below what is loud, of any colour."""
    quieter = (-draw.uniform(15, 60) * _NEPERS).exp()
    grain = -torch.rand(power.shape, generator=draw.generator).clamp(min=1e-6).log()  # as one bin of noise has
    shape = _coloured(torch.zeros(draw.batch, NUM_MELS, 1), draw).exp()
    return draw.chance(_HISS_RATE) * quieter * shape * (0.3 * grain + 0.7)


def _cut(draw: Draw) -> Tensor:
    """[B, L, 1] what a telephone or a coder leaves out, in nats."""
    hertz = band_hertz()[:, None]
    chosen = torch.randint(5, (draw.batch, 1, 1), generator=draw.generator)
    high = torch.tensor([3400.0, 4000.0, 5000.0, 5700.0, 7000.0])[chosen]
    low = draw.uniform(60, 320)
    return -12.0 * draw.chance(_CUT_RATE) * ((hertz > high).float() + (hertz < low).float() * draw.chance(0.4))
