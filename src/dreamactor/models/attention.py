"""Attention in Wan's layout (q/k RMS norm over all heads, biases), in two halves so that keys and values can be cached."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from dreamactor.models.caches import KeyValue
from dreamactor.models.rope import rotate

_FEW_KEYS = 256
"""On a CPU with gradients, plain matrix products beat the fused kernel below about so many keys: its backward pass costs
5 times as much at 64 keys, 10 times at 4, and as much at 512."""


def working_dtype(tokens: Tensor) -> torch.dtype:
    """What matrix products of `tokens` are computed in: autocast's choice, else the tokens' own."""
    device = tokens.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else tokens.dtype


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attention of [B, heads, L, d] to [B, heads, S, d]; the one entry to the kernels.

    Args:
        query, key, value: of one dtype.
        mask: bool, broadcast to [B, heads, L, S], True where a query may look; every query has one such place.
    """
    trains_on_cpu = query.device.type == "cpu" and torch.is_grad_enabled() and value.requires_grad
    if not trains_on_cpu or key.shape[2] > _FEW_KEYS:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return scores.softmax(dim=-1).to(value.dtype) @ value


class Attention(nn.Module):
    """Multi-head attention; names follow Wan's weights."""

    def __init__(self, width: int, num_heads: int, *, zero_output: bool = False) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.to_q = nn.Linear(width, width)
        self.to_k = nn.Linear(width, width)
        self.to_v = nn.Linear(width, width)
        self.to_out = nn.Linear(width, width)
        self.norm_q = nn.RMSNorm(width, eps=1e-6)
        self.norm_k = nn.RMSNorm(width, eps=1e-6)
        if zero_output:
            nn.init.zeros_(self.to_out.weight)
            nn.init.zeros_(self.to_out.bias)

    def _heads(self, tokens: Tensor) -> Tensor:
        return tokens.unflatten(-1, (self.num_heads, -1))

    def _normed(self, norm: nn.RMSNorm, tokens: Tensor, turns: Tensor | None) -> Tensor:
        """Normed, cut into heads, turned: [B, heads, L, d] in the dtype of the tokens; between in float32."""
        weight = norm.weight.float()
        heads = self._heads(F.rms_norm(tokens.float(), weight.shape, weight, norm.eps))
        if turns is not None:
            heads = rotate(heads, turns)
        return heads.to(tokens.dtype).transpose(1, 2)

    def key_value(self, context: Tensor, turns: Tensor | None = None) -> KeyValue:
        """Keys and values of context [B, L, D], at the rotary positions `turns` [L, d / 2]."""
        return KeyValue(
            key=self._normed(self.norm_k, self.to_k(context), turns),
            value=self._heads(self.to_v(context)).transpose(1, 2),
        )

    def forward(
        self, tokens: Tensor, *contexts: KeyValue, turns: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Tokens [B, L, D] look at the joined contexts.

        Args:
            tokens: queries before their projection.
            contexts: keys and values, joined in this order.
            turns: [L, d / 2] rotary positions of the queries.
            mask: bool, broadcast to [B, heads, L, S], True where a query may look.
        """
        query = self._normed(self.norm_q, self.to_q(tokens), turns)
        key, value = contexts[0].key, contexts[0].value
        if len(contexts) > 1:
            key = torch.cat([context.key for context in contexts], dim=2)
            value = torch.cat([context.value for context in contexts], dim=2)
        seen = attend(query, key, value, mask)
        return self.to_out(rearrange(seen, "b n l d -> b l (n d)"))
