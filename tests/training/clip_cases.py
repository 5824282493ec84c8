"""Encoded clips made of random numbers, and a DiT that takes them."""

from __future__ import annotations

from dataclasses import replace

import torch

from dreamactor.models.dit import DiT
from dreamactor.recipes.tiny import DIT, FACE_CODE_DIM
from dreamactor.training.encoded import EncodedSample

LATENTS, SIDE = 3, 4


def random_clip(seed: int, *, references: int = 2, latents: int = LATENTS) -> EncodedSample:
    generator = torch.Generator().manual_seed(seed)
    frames = 1 + 4 * (latents - 1)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)

    return EncodedSample(
        clean=normal(4, latents, SIDE, SIDE), proxy=normal(4, latents, SIDE, SIDE),
        references=normal(references, 4, SIDE, SIDE), reference_maps=drawn(references, 6, 16 * SIDE, 16 * SIDE),
        seen=torch.rand(1, latents, SIDE, SIDE, generator=generator), weight=torch.ones(1, latents, SIDE, SIDE),
        maps=drawn(6, frames, 16 * SIDE, 16 * SIDE), expression=normal(frames, FACE_CODE_DIM),
        face_tracked=torch.ones(frames, dtype=torch.bool),
    )  # fmt: skip


def small_dit(seed: int = 0) -> DiT:
    """Two blocks, every layer awake, so that no law holds for want of an effect."""
    torch.manual_seed(seed)
    dit = DiT.from_dataclass(replace(DIT, num_layers=2))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in dit.parameters():
            if not parameter.any():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return dit.requires_grad_(True).train()
