"""The paper's stages on the open weights of Wan2.1 1.3B: its shape, and our layers beside."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dreamactor.models.dit import DiTConfig
from dreamactor.recipes.paper import GPUS, LOOP, STEPS, paper
from dreamactor.recipes.stages import Preset, plan_stages

DIT: Final = DiTConfig(
    latent_channels=16, width=1536, num_layers=30, num_heads=12, ffn_width=8960, patch=2, temporal=4, spatial=8,
    pose_channels=64, face_code_dim=512, face_every=5, reference_mode="symmetric", uses_proxy=False, prediction="velocity",
)  # fmt: skip
"""Wan2.1-T2V-1.3B; a face attention in every fifth block is enough for Wan-Animate."""


def wan_1_3b() -> Preset:
    """As published, at the 480p that these weights know, and from a higher rate: new layers are most of what learns."""
    loop = replace(LOOP, learning_rate=1e-5)
    return replace(
        paper(), name="wan-1.3b", dit=DIT, width=832, height=480,
        stages=plan_stages(STEPS, loop=loop, batch_size=GPUS, proxy=False, gradient_checkpointing=True),
        starts_from="Wan2.1-T2V-1.3B (diffusers' layout, models.weights.load_wan)",
    )  # fmt: skip
