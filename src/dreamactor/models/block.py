"""The DiT block: Face Attn, Self Attn, Ref Attn, MLP (section 3.1, figure 2), in Wan's layout of norms and modulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from einops import rearrange
from torch import Tensor, nn

from dreamactor.models.attention import Attention, working_dtype
from dreamactor.models.caches import KeyValue
from dreamactor.models.modulation import add_gated, modulate


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockContext:
    """What every block needs beside its tokens.

    Attributes:
        num_latents: F; noise tokens are [B, F hw, D].
        noise_time: [B, F, 6, D] time projections, one per latent frame.
        noise_turns: [F hw, d / 2] rotary positions.
        ref_time, ref_turns: the same of reference tokens, [B, 1, 6, D] at t = 0 and [R, d / 2]; None where no reference
            tokens run through the blocks.
        present: [B, R] bool, reference tokens that exist; None: all.
        face_tracked: [B F, s] bool, face motion tokens that exist; None: all.
    """

    num_latents: int
    noise_time: Tensor
    noise_turns: Tensor
    ref_time: Tensor | None
    ref_turns: Tensor | None
    present: Tensor | None
    face_tracked: Tensor | None


@dataclass(frozen=True, slots=True)
class Modulation:
    """Shift, scale and gate for attention and MLP from one time projection: [B, F, 1, D] float32 each."""

    shift_attention: Tensor
    scale_attention: Tensor
    gate_attention: Tensor
    shift_mlp: Tensor
    scale_mlp: Tensor
    gate_mlp: Tensor

    @classmethod
    def of(cls, table: Tensor, time: Tensor) -> Self:
        """Table [1, 1, 6, D] and time projection [B, F, 6, D]."""
        return cls(*(table.float() + time.float()).split(1, dim=2))


class DiTBlock(nn.Module):
    """One block; reference tokens share its self attention and MLP."""

    def __init__(self, width: int, num_heads: int, ffn_width: int, *, face: bool, text: bool = False) -> None:
        super().__init__()
        self.face_norm = nn.LayerNorm(width, eps=1e-6) if face else None
        self.face_attention = Attention(width, num_heads, zero_output=True) if face else None
        self.self_attention = Attention(width, num_heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.ref_norm = nn.LayerNorm(width, eps=1e-6)
        self.ref_attention = Attention(width, num_heads, zero_output=True)
        self.text_constant = nn.Parameter(torch.zeros(width)) if text else None
        self.mlp = nn.Sequential(nn.Linear(width, ffn_width), nn.GELU(approximate="tanh"), nn.Linear(ffn_width, width))
        self.scale_shift_table = nn.Parameter(torch.randn(1, 1, 6, width) / width**0.5)

    def prepare_face(self, tokens: Tensor) -> KeyValue | None:
        """Keys and values of face motion tokens [B F, s, D]."""
        return None if self.face_attention is None else self.face_attention.key_value(tokens)

    def prepare_reference(self, ref: Tensor, at: BlockContext) -> tuple[Tensor, KeyValue, KeyValue]:
        """One-way mode: reference tokens [B, R, D] look at references only. Returns them after this block, and what noise
        tokens will look at: self and cross keys and values."""
        assert at.ref_time is not None
        own_time = Modulation.of(self.scale_shift_table, at.ref_time)
        normed = self._before_attention(ref, own_time)
        own = self.self_attention.key_value(normed, at.ref_turns)
        mask = None if at.present is None else _at_least_one(at.present)[:, None, None, :]
        ref = add_gated(ref, self.self_attention(normed, own, turns=at.ref_turns, mask=mask), own_time.gate_attention)
        cross = self.ref_attention.key_value(_norm(self.ref_norm, ref))
        return self._mlp(self._after_text(ref), own_time), own, cross

    def forward(
        self, noise: Tensor, ref: Tensor | None, at: BlockContext, *,
        face: KeyValue | None, ref_self: KeyValue | None, ref_cross: KeyValue | None,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """Noise tokens [B, F hw, D]; `ref` [B, R, D] only in symmetric mode, cached keys and values only in one-way mode."""
        time = Modulation.of(self.scale_shift_table, at.noise_time)
        if face is not None:
            noise = noise + self._face(noise, at, face)
        normed = self._before_attention(noise, time)
        own = self.self_attention.key_value(normed, at.noise_turns)
        if ref is not None:
            assert at.ref_time is not None
            ref_time = Modulation.of(self.scale_shift_table, at.ref_time)
            ref_normed = self._before_attention(ref, ref_time)
            ref_self = self.self_attention.key_value(ref_normed, at.ref_turns)
        contexts = (own,) if ref_self is None else (own, ref_self)
        mask = None if ref_self is None else _beside(at.present, own.key.shape[2])
        seen = self.self_attention(normed, *contexts, turns=at.noise_turns, mask=mask)
        noise = add_gated(noise, seen, time.gate_attention)
        if ref is not None:
            ref_seen = self.self_attention(ref_normed, *contexts, turns=at.ref_turns, mask=mask)
            ref = add_gated(ref, ref_seen, ref_time.gate_attention)
            ref_cross = self.ref_attention.key_value(_norm(self.ref_norm, ref))
            ref = self._mlp(self._after_text(ref), ref_time)
        if ref_cross is not None:
            noise = noise + self._look_at_references(noise, ref_cross, at)
        return self._mlp(self._after_text(noise), time), ref

    def _after_text(self, tokens: Tensor) -> Tensor:
        return tokens if self.text_constant is None else tokens + self.text_constant.to(tokens.dtype)

    def _before_attention(self, tokens: Tensor, time: Modulation) -> Tensor:
        return modulate(tokens, time.scale_attention, time.shift_attention, working_dtype(tokens))

    def _mlp(self, tokens: Tensor, time: Modulation) -> Tensor:
        update = self.mlp(modulate(tokens, time.scale_mlp, time.shift_mlp, working_dtype(tokens)))
        return add_gated(tokens, update, time.gate_mlp)

    def _look_at_references(self, noise: Tensor, cross: KeyValue, at: BlockContext) -> Tensor:
        # Every latent frame looks at all reference tokens: one query set, since all frames share keys and values.
        mask = None if at.present is None else _at_least_one(at.present)[:, None, None, :]
        seen = self.ref_attention(_norm(self.norm2, noise), cross, mask=mask)
        return seen if at.present is None else seen * at.present.any(dim=1)[:, None, None]

    def _face(self, noise: Tensor, at: BlockContext, face: KeyValue) -> Tensor:
        """A latent frame looks at its own face motion tokens only; without any it stays as it is."""
        assert self.face_attention is not None
        assert self.face_norm is not None
        queries = rearrange(_norm(self.face_norm, noise), "b (f l) d -> (b f) l d", f=at.num_latents)
        mask = None if at.face_tracked is None else _at_least_one(at.face_tracked)[:, None, None, :]
        seen = self.face_attention(queries, face, mask=mask)
        if at.face_tracked is not None:
            seen = seen * at.face_tracked.any(dim=1)[:, None, None]
        return rearrange(seen, "(b f) l d -> b (f l) d", f=at.num_latents)


def _norm(norm: nn.Module, tokens: Tensor) -> Tensor:
    """Layer norm with weights, in float32 where the weights are, handed on in the working dtype."""
    return norm(tokens).to(working_dtype(tokens))


def _beside(present: Tensor | None, num_noise: int) -> Tensor | None:
    """Mask over noise tokens, then reference tokens."""
    if present is None:
        return None
    everywhere = torch.ones(present.shape[0], num_noise, dtype=torch.bool, device=present.device)
    return torch.cat([everywhere, present], dim=1)[:, None, None, :]


def _at_least_one(present: Tensor) -> Tensor:
    """Opens the first place of rows that have none, so that softmax stays finite; the caller zeroes those rows."""
    first = torch.zeros_like(present)
    first[:, 0] = ~present.any(dim=1)
    return present | first
