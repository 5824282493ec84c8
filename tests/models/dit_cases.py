"""A small DiT with every layer awake, and conditions for it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from dreamactor.models.dit import DiT, DiTConfig
from dreamactor.models.inputs import DriveInput, ReferenceInput

CONFIG = DiTConfig(
    latent_channels=4, width=32, num_layers=2, num_heads=2, ffn_width=64, patch=1, temporal=4, spatial=16,
    pose_channels=16, face_code_dim=20, reference_mode="one_way", uses_proxy=True, prediction="clean_residual",
)  # fmt: skip
FRAMES, SIDE, REFS = 3, 2, 2
TIMES = torch.tensor([[0.3, 0.7, 0.9], [0.5, 0.5, 0.5]])
MODES = ["one_way", "symmetric"]


def _randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def awake(**changes: object) -> DiT:
    """A network whose zero-initialised layers say something, so that no law holds for want of an effect."""
    torch.manual_seed(0)
    dit = DiT.from_dataclass(replace(CONFIG, **changes))  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in dit.parameters():
            if not parameter.any():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return dit.requires_grad_(False).eval()


def references(count: int = REFS, present: Tensor | None = None) -> ReferenceInput:
    """Deterministic: the first pictures of a larger count are those of a smaller one."""
    latents, maps = _randn(2, 3, 4, SIDE, SIDE, seed=1), _randn(2, 3, 6, 16 * SIDE, 16 * SIDE, seed=2).clamp(-1, 1)
    return ReferenceInput(latents=latents[:, :count], pose_maps=maps[:, :count], present=present)


def driving(first_frames: int = 1, **changes: object) -> DriveInput:
    total = first_frames + 4 * (FRAMES - 1)
    whole = DriveInput(
        num_latents=FRAMES,
        first_frames=first_frames,
        pose_maps=_randn(2, 6, total, 16 * SIDE, 16 * SIDE, seed=3).clamp(-1, 1),
        face=_randn(2, total, 20, seed=4),
        face_tracked=torch.arange(total).expand(2, -1) != 2,
        proxy_latent=_randn(2, 4, FRAMES, SIDE, SIDE, seed=5),
        proxy_seen=torch.rand(2, 1, FRAMES, SIDE, SIDE, generator=torch.Generator().manual_seed(6)),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def noisy(seed: int = 7) -> Tensor:
    return _randn(2, 4, FRAMES, SIDE, SIDE, seed=seed)
