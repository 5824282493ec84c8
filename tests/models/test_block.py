"""Laws of the DiT block: its split and folded attentions are the paper's dense ones, written out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.models.attention import Attention
from dreamactor.models.block import BlockContext, DiTBlock
from dreamactor.models.caches import KeyValue
from dreamactor.models.rope import rope_turns

WIDTH, FRAMES, PICTURES, CELLS = 24, 3, 2, 4


def _randn(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def block() -> DiTBlock:
    torch.manual_seed(0)
    made = DiTBlock(WIDTH, 2, 48, face=True)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return made.requires_grad_(False)


NOISE, REF = _randn(2, FRAMES * CELLS, WIDTH, seed=1), _randn(2, PICTURES * CELLS, WIDTH, seed=2)
FACE = _randn(2 * FRAMES, 4, WIDTH, seed=3)


def context() -> BlockContext:
    return BlockContext(
        num_latents=FRAMES,
        noise_time=_randn(2, FRAMES, 6, WIDTH, seed=4),
        noise_turns=rope_turns(torch.arange(FRAMES), 2, 2, WIDTH // 2),
        ref_time=_randn(1, 1, 6, WIDTH, seed=5),
        ref_turns=rope_turns(torch.tensor([-1, -2]), 2, 2, WIDTH // 2),
        present=None,
        face_tracked=None,
    )


def _turned(tokens: Tensor, turns: Tensor | None) -> Tensor:
    """[B, L, 2, d] turned channel pair by channel pair."""
    if turns is None:
        return tokens
    even, odd = tokens[..., 0::2], tokens[..., 1::2]
    cos, sin = turns.real[:, None], turns.imag[:, None]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def _dense(attention: Attention, queries: Tensor, keys: Tensor, turns: Tensor | None, blocked: Tensor | None) -> Tensor:
    """Attention with all weights written out."""
    q = _turned(attention.norm_q(attention.to_q(queries)).unflatten(-1, (2, -1)), turns)
    k = _turned(attention.norm_k(attention.to_k(keys)).unflatten(-1, (2, -1)), turns)
    v = attention.to_v(keys).unflatten(-1, (2, -1))
    scores = torch.einsum("bqnd,bknd->bnqk", q, k) / (WIDTH // 2) ** 0.5
    if blocked is not None:
        scores = scores.masked_fill(blocked, float("-inf"))
    return attention.to_out(torch.einsum("bnqk,bknd->bqnd", scores.softmax(-1), v).flatten(2))


def _norm(tokens: Tensor) -> Tensor:
    return F.layer_norm(tokens, (WIDTH,), eps=1e-6)


def written_out(block: DiTBlock, *, references_see_noise: bool) -> tuple[Tensor, Tensor]:
    """Figure 2, one step after the other, on tokens in one row: references, then noise."""
    at = context()
    noise = NOISE.clone().unflatten(1, (FRAMES, CELLS))
    assert block.face_attention is not None
    assert block.face_norm is not None
    for frame in range(FRAMES):
        own_tokens = FACE.unflatten(0, (2, FRAMES))[:, frame]
        noise[:, frame] += _dense(block.face_attention, block.face_norm(noise[:, frame]), own_tokens, None, None)
    assert at.ref_time is not None
    assert at.ref_turns is not None
    times = torch.cat([at.ref_time.expand(2, PICTURES, -1, -1), at.noise_time], dim=1)
    shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = (
        part.repeat_interleave(CELLS, dim=1) for part in (block.scale_shift_table + times).unbind(2)
    )
    row = torch.cat([REF, noise.flatten(1, 2)], dim=1)
    is_ref = torch.arange(row.shape[1]) < PICTURES * CELLS
    blocked = None if references_see_noise else is_ref[:, None] & ~is_ref[None, :]
    normed = _norm(row) * (1 + scale) + shift
    turns = torch.cat([at.ref_turns, at.noise_turns])
    row = row + _dense(block.self_attention, normed, normed, turns, blocked) * gate
    ref, noise = row[:, is_ref], row[:, ~is_ref].unflatten(1, (FRAMES, CELLS))
    for frame in range(FRAMES):  # t_D x (h w) x c looks at 1 x (h w t_R) x c
        noise[:, frame] += _dense(block.ref_attention, block.norm2(noise[:, frame]), block.ref_norm(ref), None, None)
    row = torch.cat([ref, noise.flatten(1, 2)], dim=1)
    row = row + block.mlp(_norm(row) * (1 + mlp_scale) + mlp_shift) * mlp_gate
    return row[:, ~is_ref], row[:, is_ref]


def face_kv(block: DiTBlock) -> KeyValue | None:
    return block.prepare_face(FACE)


def test_symmetric_is_the_papers_block_written_out(block: DiTBlock) -> None:
    noise, ref = block(NOISE.clone(), REF, context(), face=face_kv(block), ref_self=None, ref_cross=None)
    expected_noise, expected_ref = written_out(block, references_see_noise=True)
    torch.testing.assert_close(noise, expected_noise, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ref, expected_ref, atol=1e-5, rtol=1e-5)


def test_one_way_is_joint_attention_in_which_references_are_masked_from_noise(block: DiTBlock) -> None:
    ref, own, cross = block.prepare_reference(REF, context())
    noise, none = block(NOISE.clone(), None, context(), face=face_kv(block), ref_self=own, ref_cross=cross)
    expected_noise, expected_ref = written_out(block, references_see_noise=False)
    assert none is None
    torch.testing.assert_close(noise, expected_noise, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ref, expected_ref, atol=1e-5, rtol=1e-5)


def test_training_in_bfloat16_follows_training_in_float32(block: DiTBlock) -> None:
    gradients = []
    for enabled in (False, True):
        block.requires_grad_(True)
        block.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            noise, _ = block(NOISE.clone(), REF, context(), face=face_kv(block), ref_self=None, ref_cross=None)
        assert noise.dtype == torch.float32
        noise.square().mean().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in block.parameters() if p.grad is not None]))
    block.requires_grad_(False)
    exact, rough = gradients
    assert float(F.cosine_similarity(exact, rough, dim=0)) > 0.999
    assert not torch.equal(exact, rough)
