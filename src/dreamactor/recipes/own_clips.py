"""A trained model goes on with clips in shards: its VAE, face encoders and decoder stay, the DiT learns.

dit/STAGE/    checkpoint, log and weights of each stage
model/        the finished bundle
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import torch

from dreamactor.data.shards import ShardIndex, ShardSampler
from dreamactor.errors import ConfigError
from dreamactor.inference.bundle import load_bundle, save_bundle
from dreamactor.models.dit import DiT
from dreamactor.models.warm_start import start_from
from dreamactor.recipes.actor import TOGETHER, ActorRecipe
from dreamactor.recipes.stages import ALL, choose_stage, train_stages
from dreamactor.training.clips import ClipSource
from dreamactor.training.distributed import Workers, alone
from dreamactor.training.loop import bfloat16_pays
from dreamactor.training.shard_clips import ShardClips
from dreamactor.training.stages import StageConfig

log = logging.getLogger(__name__)

HEADS_SHARE: Final = 0.1
"""Of multi-view heads among the clips, from stage 2 on, where there are any (section 4.1: NeRSemble)."""
_BEFORE_HEADS: Final = ("pretrain", "warm-up", "stage-1")


def shares(index: ShardIndex, stage: StageConfig) -> tuple[float, float]:
    """Shares of full bodies and of heads in a stage: half and half (section 4.1), as far as there are such clips."""
    kinds = {clip.kind for clip in index.clips}
    categories = {clip.category for clip in index.clips if clip.kind != "heads"}
    if not categories:
        raise ConfigError("The clips are multi-view heads alone. Add clips of people with build-data --videos.")
    full = 0.5 if len(categories) == 2 else float("full" in categories)
    heads = HEADS_SHARE if "heads" in kinds and stage.name not in _BEFORE_HEADS else 0.0
    return full, heads


def train_on_clips(
    run: Path, folders: Sequence[Path], recipe: ActorRecipe, *, stage: str = TOGETHER, workers: Workers | None = None
) -> Path:
    """Trains a model's DiT on shards; returns the folder of the bundle, or of one stage that others follow.

    Args:
        run: folder of everything.
        folders: of shards.
        recipe: steps, seed and the model to go on from.
        stage: see `train_actor`.
        workers: the processes that share batches; None: this one alone.

    Raises:
        ConfigError: no model to go on from, or no fitting clips.
    """
    if recipe.start is None:
        raise ConfigError("--data trains a finished model further: say which one with --start-from (such as actor).")
    workers = workers or alone()
    stages = recipe.stages(bfloat16=bfloat16_pays(workers.device))
    choose_stage("actor", stages, stage)
    plan = [one for one in stages if (one.name == TOGETHER) == (stage == TOGETHER)]
    model, index = load_bundle(recipe.start), ShardIndex.load(*folders)
    model.vae.requires_grad_(False).eval()

    def build() -> DiT:
        dit = DiT.from_dataclass(model.dit_config)
        start_from(dit, model.dit)
        return dit

    def source(chosen: StageConfig) -> ClipSource:
        full, heads = shares(index, chosen)
        log.info("%s: %d clips, %.0f %% full bodies, %.0f %% heads", chosen.name, len(index.clips), 100 * full, 100 * heads)
        sampler = ShardSampler(
            index, batch_size=chosen.batch_size, seed=recipe.seed, full_share=full, heads_share=heads
        )  # fmt: skip
        return ShardClips(sampler, vae=model.vae, faces=model.faces, seed=recipe.seed)

    torch.manual_seed(recipe.seed)
    dit = train_stages(
        build, plan, source, run / "dit", only=stage, warm=True, seed=recipe.seed, channel_weight=model.vae.latent_std,
        workers=workers,
    )  # fmt: skip
    if stage not in (ALL, plan[-1].name):
        return run / "dit" / stage
    if workers.main:
        described: dict[str, Any] = asdict(recipe)
        del described["shapes"]
        metadata = {"recipe": described, "clips": len(index.clips), "started_from": model.metadata}
        save_bundle(run / "model", replace(model, dit=dit.eval(), metadata=metadata))
    return run / "model"
