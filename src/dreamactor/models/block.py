"""The DiT block: Face Attn, Self Attn, Ref Attn, MLP (section 3.1, figure 2), in Wan's layout of norms and modulation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn

from dreamactor.models.attention import Attention
from dreamactor.models.caches import KeyValue


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockContext:
    """What every block needs beside its tokens.

    Attributes:
        num_latents: F; noise tokens are [B, F hw, D].
        noise_time, ref_time: [B, F, 6, D] and [B, 1, 6, D] time projections, one per latent frame; references sit at 0.
        noise_rope, ref_rope: rotary angles.
        present: [B, R] bool, reference tokens that exist; None: all.
        face_tracked: [B F, s] bool.
    """

    num_latents: int
    noise_time: Tensor
    ref_time: Tensor
    noise_rope: Tensor
    ref_rope: Tensor | None
    present: Tensor | None
    face_tracked: Tensor | None


class Modulation:
    """Shift, scale and gate for attention and MLP from one time projection, per latent frame."""

    def __init__(self, table: Tensor, time: Tensor, tokens_per_frame: int) -> None:
        parts = (table + time.float()).unbind(2)  # 6 x [B, F, D]
        wide = [part.repeat_interleave(tokens_per_frame, dim=1) for part in parts]
        self.shift_attention, self.scale_attention, self.gate_attention = wide[:3]
        self.shift_mlp, self.scale_mlp, self.gate_mlp = wide[3:]


class DiTBlock(nn.Module):
    """One block; reference tokens share its self attention and MLP."""

    def __init__(self, width: int, num_heads: int, ffn_width: int, *, face: bool) -> None:
        super().__init__()
        self.face_norm = nn.LayerNorm(width, eps=1e-6) if face else None
        self.face_attention = Attention(width, num_heads, zero_output=True) if face else None
        self.norm1 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.self_attention = Attention(width, num_heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.ref_norm = nn.LayerNorm(width, eps=1e-6)
        self.ref_attention = Attention(width, num_heads, zero_output=True)
        self.norm3 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.mlp = nn.Sequential(nn.Linear(width, ffn_width), nn.GELU(approximate="tanh"), nn.Linear(ffn_width, width))
        self.scale_shift_table = nn.Parameter(torch.randn(1, 1, 6, width) / width**0.5)

    def _modulate(self, norm: nn.Module, tokens: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        return (norm(tokens.float()) * (1 + scale) + shift).to(tokens.dtype)

    def prepare_face(self, tokens: Tensor) -> KeyValue | None:
        """Keys and values of face motion tokens [B F, s, D]."""
        return None if self.face_attention is None else self.face_attention.key_value(tokens)

    def prepare_reference(self, ref: Tensor, at: BlockContext) -> tuple[Tensor, KeyValue, KeyValue]:
        """One-way mode: reference tokens [B, R, D] look at references only. Returns them after this block, and what noise
        tokens will look at: self and cross keys and values."""
        modulation = Modulation(self.scale_shift_table, at.ref_time, ref.shape[1])
        normed = self._modulate(self.norm1, ref, modulation.scale_attention, modulation.shift_attention)
        own = self.self_attention.key_value(normed, at.ref_rope)
        mask = None if at.present is None else _at_least_one(at.present)[:, None, None, :]
        ref = ref + self.self_attention(normed, own, rope=at.ref_rope, mask=mask) * modulation.gate_attention
        cross = self.ref_attention.key_value(self.ref_norm(ref))
        return self._mlp(ref, modulation), own, cross

    def forward(
        self, noise: Tensor, ref: Tensor | None, at: BlockContext, *,
        face: KeyValue | None, ref_self: KeyValue | None, ref_cross: KeyValue | None,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """Noise tokens [B, F hw, D]; `ref` [B, R, D] only in symmetric mode, cached keys and values only in one-way mode."""
        frames = at.num_latents
        modulation = Modulation(self.scale_shift_table, at.noise_time, noise.shape[1] // frames)
        if self.face_attention is not None and self.face_norm is not None and face is not None:
            noise = noise + self._face(noise, at, face)
        normed = self._modulate(self.norm1, noise, modulation.scale_attention, modulation.shift_attention)
        own = self.self_attention.key_value(normed, at.noise_rope)
        if ref is not None:
            ref_modulation = Modulation(self.scale_shift_table, at.ref_time, ref.shape[1])
            ref_normed = self._modulate(self.norm1, ref, ref_modulation.scale_attention, ref_modulation.shift_attention)
            ref_self = self.self_attention.key_value(ref_normed, at.ref_rope)
        contexts = (own,) if ref_self is None else (own, ref_self)
        mask = self._mask(at, own.key.shape[2]) if ref_self is not None else None
        seen = self.self_attention(normed, *contexts, rope=at.noise_rope, mask=mask)
        noise = noise + seen * modulation.gate_attention
        if ref is not None and ref_self is not None:
            ref_seen = self.self_attention(ref_normed, own, ref_self, rope=at.ref_rope, mask=mask)
            ref = ref + ref_seen * ref_modulation.gate_attention
            ref_cross = self.ref_attention.key_value(self.ref_norm(ref))
            ref = self._mlp(ref, ref_modulation)
        if ref_cross is not None:
            noise = noise + self._look_at_references(noise, ref_cross, at)
        return self._mlp(noise, modulation), ref

    def _mlp(self, tokens: Tensor, modulation: Modulation) -> Tensor:
        return (
            tokens
            + self.mlp(self._modulate(self.norm3, tokens, modulation.scale_mlp, modulation.shift_mlp)) * modulation.gate_mlp
        )

    def _mask(self, at: BlockContext, num_noise: int) -> Tensor | None:
        if at.present is None:
            return None
        everywhere = torch.ones(at.present.shape[0], num_noise, dtype=torch.bool, device=at.present.device)
        return torch.cat([everywhere, at.present], dim=1)[:, None, None, :]

    def _look_at_references(self, noise: Tensor, cross: KeyValue, at: BlockContext) -> Tensor:
        # Every latent frame looks at all reference tokens: one query set, since all frames share keys and values.
        mask = None if at.present is None else _at_least_one(at.present)[:, None, None, :]
        seen = self.ref_attention(self.norm2(noise), cross, mask=mask)
        return seen if at.present is None else seen * at.present.any(dim=1)[:, None, None]

    def _face(self, noise: Tensor, at: BlockContext, face: KeyValue) -> Tensor:
        """A latent frame looks at its own face motion tokens only; without any it stays as it is."""
        assert self.face_attention is not None
        assert self.face_norm is not None
        assert at.face_tracked is not None
        queries = rearrange(self.face_norm(noise), "b (f l) d -> (b f) l d", f=at.num_latents)
        seen = self.face_attention(queries, face, mask=_at_least_one(at.face_tracked)[:, None, None, :])
        seen = seen * at.face_tracked.any(dim=1)[:, None, None]
        return rearrange(seen, "(b f) l d -> b (f l) d", f=at.num_latents)


def _at_least_one(present: Tensor) -> Tensor:
    """Opens the first place of rows that have none, so that softmax stays finite; the caller zeroes those rows."""
    first = torch.zeros_like(present)
    first[:, 0] = ~present.any(dim=1)
    return present | first
