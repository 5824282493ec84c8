"""Laws of attention and rotary positions: every kernel gives the same, and only relative positions count."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.models.attention import Attention, attend
from dreamactor.models.rope import axis_split, rope_turns, rotate


def _randn(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("num_keys", [3, 300])
def test_values_and_gradients_are_those_of_the_fused_kernel(num_keys: int, masked: bool) -> None:
    query, key, value = (_randn(2, 2, length, 8, seed=i) for i, length in enumerate((5, num_keys, num_keys)))
    mask = None
    if masked:
        mask = torch.arange(num_keys).expand(2, 1, 1, -1) != 1
    results = []
    for kernel in (attend, lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, attn_mask=m)):
        inputs = [tensor.clone().requires_grad_() for tensor in (query, key, value)]
        seen = kernel(*inputs, mask)
        seen.square().sum().backward()
        results.append([seen.detach(), *(tensor.grad for tensor in inputs)])
    for ours, fused in zip(*results, strict=True):
        torch.testing.assert_close(ours, fused, atol=1e-5, rtol=1e-5)


def test_contexts_given_apart_are_one_context() -> None:
    torch.manual_seed(0)
    attention = Attention(16, 2)
    tokens, context = _randn(2, 5, 16, seed=1), _randn(2, 7, 16, seed=2)
    whole = attention(tokens, attention.key_value(context))
    parts = attention(tokens, attention.key_value(context[:, :3]), attention.key_value(context[:, 3:]))
    torch.testing.assert_close(parts, whole)


def test_only_the_way_from_query_to_key_counts() -> None:
    query, key = _randn(1, 1, 1, 20, seed=3), _randn(1, 1, 1, 20, seed=4)

    def score(query_at: int, key_at: int) -> Tensor:
        grid = rope_turns(torch.tensor([query_at, key_at]), 1, 1, 20)
        return (rotate(query, grid[:1]) * rotate(key, grid[1:])).sum()

    torch.testing.assert_close(score(5, 2), score(0, -3))
    assert abs(float(score(5, 2) - score(5, 1))) > 1e-3


def test_turns_keep_lengths_and_place_tokens_by_time_row_and_column() -> None:
    assert axis_split(64) == (24, 20, 20)
    turns = rope_turns(torch.arange(2), 3, 4, 12).view(2, 3, 4, 6)
    torch.testing.assert_close(turns.abs(), torch.ones(2, 3, 4, 6))
    time, rows, columns = turns.split([2, 2, 2], dim=-1)
    assert torch.equal(time[:, :1, :1].expand_as(time), time)
    assert torch.equal(rows[:1, :, :1].expand_as(rows), rows)
    assert torch.equal(columns[:1, :1].expand_as(columns), columns)
    assert float(turns[1, 0, 0, 0].angle()) == pytest.approx(1.0)
