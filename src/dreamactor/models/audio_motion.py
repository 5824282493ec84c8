"""Speech -> face motion tokens: log-mel spectrogram and a small convolutional network (section 3.2).

The network tells what the mouth does, in named expression coefficients; a linear map makes them tokens of the space that the
face encoders share. So the map can be fitted again to other face encoders in seconds while the network stays. A second
linear map tells how the coefficients move face points, for what is drawn by face points.

Axis letters: N samples at 16 kHz, S moments at 50 Hz (sample 320 s belongs to moment s), L mel bands, V spoken coefficients,
E coefficients of a token, c numbers of a token, P face points.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dreamactor.geometry.skeleton import NUM_FACE_POINTS
from dreamactor.types.shapes import expect_shape

RATE_HZ: Final = 16000
MOMENTS_HZ: Final = 50
SAMPLES_PER_MOMENT: Final = RATE_HZ // MOMENTS_HZ
NUM_MELS: Final = 48
_HOP, _WINDOW, _FFT = 160, 400, 512
_FLOOR: Final = 1e-8
_HEARD_FLOOR: Final = -13.8
"""Natural logarithm of power below which loudness says nothing."""
LEVEL_S: Final = 3.0
"""So much sound to either side says what is loud in each band."""
_FAINTEST: Final = -7.0
_DILATIONS: Final = (1, 2, 4, 8, 12, 1)
CONTEXT_S: Final = 0.66
"""What the network sees to either side of a moment; what is heard farther away than this and `LEVEL_S` leaves no trace."""
_CHUNK_S: Final = 20


def mel_filters() -> Tensor:
    """[L, 257] triangles on the HTK mel scale from 60 Hz to 7600 Hz, each of height one."""

    corners = _corners()
    hz = torch.linspace(0, RATE_HZ / 2, _FFT // 2 + 1)
    rise = (hz - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    fall = (corners[2:, None] - hz) / (corners[2:] - corners[1:-1])[:, None]
    return torch.minimum(rise, fall).clamp(min=0)


def band_hertz() -> Tensor:
    """[L] the middle of each band."""
    return _corners()[1:-1]


def _corners() -> Tensor:
    low, high = (2595 * math.log10(1 + hz / 700) for hz in (60.0, 7600.0))
    return 700 * (10 ** (torch.linspace(low, high, NUM_MELS + 2) / 2595) - 1)


def log_mel(samples: Tensor) -> Tensor:
    """[L, K] natural logarithm of mel power, from sound [N] in -1..1; column k is about sample 160 k, silence around."""
    expect_shape("samples", samples, "N")
    spectrum = torch.stft(
        samples, _FFT, hop_length=_HOP, win_length=_WINDOW, window=torch.hann_window(_WINDOW), center=True,
        pad_mode="constant", return_complex=True,
    )  # fmt: skip
    return (mel_filters() @ (spectrum.abs().square()) + _FLOOR).log()


def levelled(mels: Tensor) -> Tensor:
    """[..., L, K] log-mel against what is loud in its own band within `LEVEL_S`: level and colour of the recording are gone.

    The mean over time counts every moment by its sound's amplitude, so that it is that of the voice and not of the pauses.
    """
    reach, columns = round(LEVEL_S * RATE_HZ / _HOP), torch.arange(mels.shape[-1])
    first, last = (columns - reach).clamp(min=0), (columns + reach + 1).clamp(max=len(columns))

    def around(values: Tensor) -> Tensor:
        sums = F.pad(values.double().cumsum(dim=-1), (1, 0))
        return sums[..., last] - sums[..., first]

    weight = (mels.exp().mean(dim=-2, keepdim=True) - 2 * _FLOOR).clamp(min=0).sqrt() + 1e-5
    mean = (around(weight * mels) / around(weight)).to(mels.dtype)
    return (mels - mean).clamp(min=_FAINTEST)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoken:
    """What speech does to a face, at 50 Hz from the start of the sound.

    Attributes:
        mouth: [S, E] expression coefficients; those that speech does not move are zero.
        loudness: [S] natural logarithm of the speech band's power where somebody speaks, the floor elsewhere.
        voice: [S] 0..1, how surely somebody speaks.
    """

    mouth: Tensor
    loudness: Tensor
    voice: Tensor


class AudioMotionEncoder(nn.Module):
    """Sound -> what the mouth does -> face motion tokens."""

    token_matrix: Tensor
    token_shift: Tensor
    point_matrix: Tensor
    columns: Tensor

    def __init__(
        self, *, code_dim: int, coefficients: Sequence[str], spoken: Sequence[str], width: int = 96, levels: bool = True
    ) -> None:
        """
        Args:
            code_dim: c, size of a token.
            coefficients: names of the E coefficients that a token starts with.
            spoken: those of them that speech moves.
            width: channels of the network.
            levels: whether sound is `levelled` and channels are normalised, as in all but the first trained encoders.
        """
        super().__init__()
        self.code_dim, self.width, self.levels = code_dim, width, levels
        self.coefficients, self.spoken = tuple(coefficients), tuple(spoken)
        count = len(self.coefficients)
        places = torch.tensor([self.coefficients.index(name) for name in spoken])
        self.register_buffer("columns", places, persistent=False)
        self.register_buffer("token_matrix", torch.zeros(code_dim - count, count))
        self.register_buffer("token_shift", torch.zeros(code_dim - count))
        self.register_buffer("point_matrix", torch.zeros(NUM_FACE_POINTS * 3, count))
        self.stem = nn.Conv1d(NUM_MELS, width, 5, stride=2, padding=2)
        self.mix = nn.ModuleList([nn.Conv1d(width, width, 3, padding=d, dilation=d) for d in _DILATIONS])
        if levels:
            self.gains = nn.Parameter(torch.ones(len(_DILATIONS) + 1, width))
        self.head = nn.Conv1d(width, len(self.spoken) + 1, 1)

    def described(self) -> dict[str, object]:
        """What `__init__` takes."""
        return {
            "code_dim": self.code_dim, "coefficients": list(self.coefficients), "spoken": list(self.spoken),
            "width": self.width, "levels": self.levels,
        }  # fmt: skip

    def prepared(self, mels: Tensor) -> Tensor:
        """What the network takes, from log-mel [..., L, K]."""
        return (levelled(mels) + 1.5) / 2.5 if self.levels else (mels.clamp(min=_HEARD_FLOOR) + 6.0) / 4.0

    def forward(self, heard: Tensor) -> Tensor:
        """[B, L, K] of `prepared` -> [B, V + 1, ceil(K / 2)] coefficients, and the logit of speech; not limited to 0..1."""
        hidden = self.stem(heard)
        for layer, mix in enumerate(self.mix):
            hidden = hidden + mix(F.silu(self._even(hidden, layer)))
        return self.head(F.silu(self._even(hidden, len(self.mix))))

    def _even(self, hidden: Tensor, layer: int) -> Tensor:
        """[B, C, T] with channels of mean square one at every moment, times the layer's gains."""
        if not self.levels:
            return hidden
        return hidden * (hidden.square().mean(dim=1, keepdim=True) + 1e-5).rsqrt() * self.gains[layer][:, None]

    def tokens(self, coefficients: Tensor) -> Tensor:
        """Face motion tokens [..., c] of a face with expression coefficients [..., E]."""
        free = coefficients @ self.token_matrix.T + self.token_shift
        return torch.cat([coefficients, free], dim=-1)

    def free_change(self, change: Tensor) -> Tensor:
        """How a token [..., c] changes with a change of the coefficients [..., E]."""
        return torch.cat([change, change @ self.token_matrix.T], dim=-1)

    def point_moves(self, change: Tensor) -> Tensor:
        """How pose-normalised face points [..., P, 3] (unit: face height) move with a change of coefficients [..., E]."""
        return (change @ self.point_matrix.T).unflatten(-1, (NUM_FACE_POINTS, 3))

    @torch.no_grad()
    def hear(self, pieces: Iterable[Tensor]) -> Spoken:
        """Hears a sound that comes in pieces [n] at 16 kHz; cut in whatever way, the same comes out.

        Needs the memory of what it returns, and of some seconds of sound.
        """
        found = list(self.stream(pieces))
        if not found:
            found = [self._read(torch.zeros(SAMPLES_PER_MOMENT), slice(0, 1))]
        return Spoken(
            mouth=torch.cat([one.mouth for one in found]),
            loudness=torch.cat([one.loudness for one in found]),
            voice=torch.cat([one.voice for one in found]),
        )

    @torch.no_grad()
    def stream(self, pieces: Iterable[Tensor]) -> Iterator[Spoken]:
        """The same in consecutive parts of some seconds."""
        around = round((CONTEXT_S * 1.1 + LEVEL_S) * MOMENTS_HZ)
        margin, chunk = around * SAMPLES_PER_MOMENT, _CHUNK_S * RATE_HZ
        waiting = torch.zeros(margin)  # silence before the start
        total, given = 0, 0
        for piece in pieces:
            total += len(piece)
            waiting = torch.cat([waiting, piece])
            while len(waiting) >= chunk + 2 * margin:
                yield self._read(waiting[: chunk + 2 * margin], slice(around, around + chunk // SAMPLES_PER_MOMENT))
                given += chunk // SAMPLES_PER_MOMENT
                waiting = waiting[chunk:]
        left = -(-total // SAMPLES_PER_MOMENT) - given
        if left > 0:
            needed = left * SAMPLES_PER_MOMENT + 2 * margin
            yield self._read(F.pad(waiting, (0, max(0, needed - len(waiting))))[:needed], slice(around, around + left))

    def _read(self, samples: Tensor, kept: slice) -> Spoken:
        mels = log_mel(samples)
        out = self(self.prepared(mels)[None])[0].T[kept]
        voice = out[:, -1].sigmoid()
        open_ = ((voice - 0.25) / 0.35).clamp(0, 1)  # the mouth rests where surely nobody speaks
        mouth = torch.zeros(len(out), len(self.coefficients))
        mouth[:, self.columns] = out[:, :-1].clamp(0, 1) * open_[:, None]
        band = mels.clamp(min=_HEARD_FLOOR)[4:36, ::2].logsumexp(dim=0)[kept]
        quiet = torch.full_like(band, _HEARD_FLOOR + math.log(32))
        return Spoken(mouth=mouth, loudness=torch.where(voice > 0.5, band, quiet), voice=voice)
