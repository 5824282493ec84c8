"""The published training (sections 3.4, 4.1), number by number; what the paper leaves open is chosen here and says so."""

from __future__ import annotations

from typing import Final

from dreamactor.flow.guidance import Guidance
from dreamactor.models.dit import DiTConfig
from dreamactor.recipes.stages import Preset, plan_stages
from dreamactor.training.loop import LoopConfig

STEPS: Final = {"warm-up": 2_000, "stage-1": 20_000, "stage-2": 20_000, "stage-3": 30_000}
"""Published, but for the warm-up, whose length is ours."""
LOOP: Final = LoopConfig(
    num_steps=0, learning_rate=5e-6, warmup=500, cooldown=0, ema_decay=0.9999, save_every_s=1800.0, log_every=50,
    bfloat16=True,
)  # fmt: skip
"""AdamW at 5e-6, published; the rest is ours. No cool-down: the paper names one rate."""
GPUS: Final = 8
"""Published (H20); one clip each, which is ours."""


def paper() -> Preset:
    """The paper's own. Its base (Seaweed) is not public: width and depth are ours, of about its seven billion parameters."""
    return Preset(
        name="paper",
        dit=DiTConfig(
            latent_channels=16, width=3072, num_layers=36, num_heads=24, ffn_width=12_288, patch=2, temporal=4, spatial=8,
            pose_channels=128, face_code_dim=512, reference_mode="symmetric", uses_proxy=False, prediction="velocity",
        ),
        stages=plan_stages(STEPS, loop=LOOP, batch_size=GPUS, proxy=False, gradient_checkpointing=True),
        starts_from="an image-to-video DiT trained elsewhere (not public)",
        min_frames=25, max_frames=121, width=960, height=640, max_references=4,
        guidance=Guidance(reference=2.5, motion=2.5), segment_frames=73, processes=GPUS,
    )  # fmt: skip
