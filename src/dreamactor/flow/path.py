"""The straight path between clean and noise, and its velocity (flow matching, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

from einops import rearrange
from torch import Tensor

from dreamactor.types.shapes import expect_shape


@dataclass(frozen=True, kw_only=True, slots=True)
class NoisedLatent:
    """A point on the path.

    Attributes:
        noisy, velocity: [B, C, F, h, w]; velocity = noise - clean.
        times: [B, F] flow time per latent frame.
    """

    noisy: Tensor
    velocity: Tensor
    times: Tensor


def add_noise(clean: Tensor, noise: Tensor, times: Tensor) -> NoisedLatent:
    """Walks from clean (t = 0) to noise (t = 1).

    Args:
        clean, noise: [B, C, F, h, w].
        times: [B, F] in 0..1, one time per latent frame.
    """
    sizes = expect_shape("clean", clean, "B C F h w")
    expect_shape("noise", noise, "B C F h w", **sizes)
    expect_shape("times", times, "B F", B=sizes["B"], F=sizes["F"])
    wide = rearrange(times, "b f -> b 1 f 1 1")
    return NoisedLatent(noisy=clean + (noise - clean) * wide, velocity=noise - clean, times=times)
