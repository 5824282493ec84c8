"""Attention in Wan's layout (q/k RMS norm over all heads, biases), in two halves so that keys and values can be cached."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from dreamactor.models.caches import KeyValue
from dreamactor.models.rope import rotate


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
        return rearrange(tokens, "b l (n d) -> b n l d", n=self.num_heads)

    def key_value(self, context: Tensor, rope: Tensor | None = None) -> KeyValue:
        """Keys and values of context [B, L, D]."""
        value = self._heads(self.to_v(context))
        key = self._heads(self.norm_k(self.to_k(context).float()).to(value.dtype))
        return KeyValue(key=key if rope is None else rotate(key, rope), value=value)

    def forward(self, tokens: Tensor, *contexts: KeyValue, rope: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Tokens [B, L, D] look at the joined contexts.

        Args:
            tokens: queries before their projection.
            contexts: keys and values, joined in this order.
            rope: [L, d / 2] angles of the queries.
            mask: bool, broadcast to [B, heads, L, S], True where a query may look.
        """
        query = self._heads(self.norm_q(self.to_q(tokens).float()))
        if rope is not None:
            query = rotate(query, rope)
        key, value = contexts[0].key, contexts[0].value
        if len(contexts) > 1:
            key = torch.cat([context.key for context in contexts], dim=2)
            value = torch.cat([context.value for context in contexts], dim=2)
        seen = F.scaled_dot_product_attention(query.to(value.dtype), key, value, attn_mask=mask)
        return self.to_out(rearrange(seen, "b n l d -> b l (n d)"))
