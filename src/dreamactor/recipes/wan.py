"""The paper's stages on the open weights of Wan2.1: its shape, our layers beside, and what trains them on clips in shards.

dit/STAGE/    checkpoint, log and weights of each stage
loaded.txt    which of Wan's weights went where
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from dreamactor.data.shards import ShardIndex, ShardSampler
from dreamactor.errors import ConfigError, InputError
from dreamactor.inference.bundle import load_face_encoders
from dreamactor.inference.face_encoders import FaceEncoders
from dreamactor.models.dit import DiT, DiTConfig
from dreamactor.models.wan_vae import WanVAE
from dreamactor.models.weights import load_wan
from dreamactor.recipes.own_clips import shares
from dreamactor.recipes.paper import GPUS, LOOP, STEPS, paper
from dreamactor.recipes.stages import ALL, Preset, choose_stage, plan_stages, train_stages
from dreamactor.training.clips import ClipSource
from dreamactor.training.distributed import Workers, alone
from dreamactor.training.loop import bfloat16_pays
from dreamactor.training.shard_clips import ShardClips
from dreamactor.training.stages import StageConfig
from dreamactor.video.output import atomic_path

log = logging.getLogger(__name__)

DIT: Final = DiTConfig(
    latent_channels=16, width=1536, num_layers=30, num_heads=12, ffn_width=8960, patch=2, temporal=4, spatial=8,
    pose_channels=64, face_code_dim=512, face_every=5, reference_mode="symmetric", uses_proxy=False, prediction="velocity",
    text_constant=True,
)  # fmt: skip
"""Wan2.1-T2V-1.3B; a face attention in every fifth block is enough for Wan-Animate."""
NEW: Final = (
    "pose_encoder.*", "drive_embedding.*", "input_mlp.*", "reference_mark", "face_mlp.*", "blocks.*.face_*",
    "blocks.*.ref_*", "blocks.*.text_constant",
)  # fmt: skip
"""Names of what Wan has not: with LoRA it learns whole."""


def wan_1_3b() -> Preset:
    """As published, at the 480p that these weights know, and from a higher rate: new layers are most of what learns."""
    loop = replace(LOOP, learning_rate=1e-5)
    return replace(
        paper(), name="wan-1.3b", dit=DIT, width=832, height=480,
        stages=plan_stages(STEPS, loop=loop, batch_size=GPUS, proxy=False, gradient_checkpointing=True),
        starts_from="Wan2.1-T2V-1.3B (dreamactor models pull wan2.1-t2v-1.3b; models.weights.load_wan)",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class WanRecipe:
    """A training from Wan's weights.

    Attributes:
        start: folder with `transformer` and `vae` in diffusers' layout.
        scale: multiplies the preset's steps.
        lora_rank: of low-rank layers beside Wan's own, which then stay as they are; new layers learn whole. 0: all learns.
        seed: of everything.
    """

    start: Path
    scale: float = 1.0
    lora_rank: int = 0
    seed: int = 0

    def stages(self, *, batch_size: int, bfloat16: bool) -> tuple[StageConfig, ...]:
        """The preset's, one clip a process and step."""
        return tuple(
            replace(
                stage,
                batch_size=batch_size,
                lora_rank=self.lora_rank,
                lora_whole=NEW if self.lora_rank else (),
                loop=replace(stage.loop, num_steps=max(2, round(stage.loop.num_steps * self.scale)), bfloat16=bfloat16),
            )
            for stage in wan_1_3b().stages
        )


def wan_config(folder: Path, *, face_code_dim: int) -> DiTConfig:
    """Our DiT in the shape of a Wan transformer.

    Raises:
        InputError: there is none in the folder, or one of another kind.
    """
    try:
        said = json.loads((folder / "transformer" / "config.json").read_text())
        width = said["num_attention_heads"] * said["attention_head_dim"]
        return replace(
            DIT, latent_channels=said["in_channels"], width=width, num_layers=said["num_layers"],
            num_heads=said["num_attention_heads"], ffn_width=said["ffn_dim"], patch=said["patch_size"][-1],
            face_code_dim=face_code_dim,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder} has no Wan transformer in diffusers' layout ({type(error).__name__}). Use dreamactor models pull "
            "wan2.1-t2v-1.3b, or name another folder."
        ) from error


def read_transformer(folder: Path) -> dict[str, Tensor]:
    """All weights of a transformer, of one file or several.

    Raises:
        InputError: none, or damaged ones.
    """
    files = sorted((folder / "transformer").glob("*.safetensors"))
    if not files:
        raise InputError(f"{folder / 'transformer'} has no weights (*.safetensors). Pull the model again.")
    found: dict[str, Tensor] = {}
    for file in files:
        try:
            found |= load_file(file)
        except (OSError, SafetensorError) as error:
            raise InputError(f"{file} is damaged or only half there ({error}). Pull the model again.") from error
    return found


def build_wan_dit(folder: Path, *, face_code_dim: int, seed: int, said: Path | None = None) -> DiT:
    """Our DiT with Wan's weights; what is new is drawn by the seed, most of it zero.

    Args:
        said: file for the report of all weights.

    Raises:
        ConfigError, InputError: the weights do not fit or cannot be read; one of them is unexplained.
    """
    torch.manual_seed(seed)
    dit = DiT.from_dataclass(wan_config(folder, face_code_dim=face_code_dim))
    report = load_wan(dit, {name: value.float() for name, value in read_transformer(folder).items()})
    log.info("%s", report)
    if report.unexplained:
        raise ConfigError(
            f"{folder} has {len(report.unexplained)} weights that Wan2.1-T2V has not, such as '{report.unexplained[0]}'. "
            "Start from a text-to-video model."
        )
    if said is not None:
        kinds = ("loaded", "baked", "needless", "new")
        with atomic_path(said) as part:
            part.write_text("".join(f"{kind} {name}\n" for kind in kinds for name in getattr(report, kind)))
    return dit


def train_wan(
    run: Path, folders: Sequence[Path], recipe: WanRecipe, *, stage: str = ALL, workers: Workers | None = None,
    faces: FaceEncoders | None = None,
) -> Path:  # fmt: skip
    """Trains on shards; returns the folder of the last stage that was trained.

    Args:
        run: folder of everything.
        folders: of shards.
        recipe: how much, and from what.
        stage: name of one, or `ALL` in turn.
        workers: the processes that share batches, one clip each; None: this one alone.
        faces: give the face tokens; None: those of the embedded model.

    Raises:
        ConfigError, InputError: weights or clips cannot be used.
    """
    workers = workers or alone()
    faces = faces or load_face_encoders("actor")
    plan = recipe.stages(batch_size=workers.count, bfloat16=bfloat16_pays(workers.device))
    choose_stage("wan-1.3b", plan, stage)
    index = ShardIndex.load(*folders)
    vae = WanVAE.from_folder(recipe.start).to(workers.device)
    run.mkdir(parents=True, exist_ok=True)

    def build() -> DiT:
        report = run / "loaded.txt" if workers.main else None
        return build_wan_dit(recipe.start, face_code_dim=faces.landmarks.code_dim, seed=recipe.seed, said=report)

    def source(chosen: StageConfig) -> ClipSource:
        full, heads = shares(index, chosen)
        settings: dict[str, Any] = {"full_share": full, "heads_share": heads}
        sampler = ShardSampler(index, batch_size=chosen.batch_size, seed=recipe.seed, **settings)
        return ShardClips(sampler, vae=vae, faces=faces, seed=recipe.seed)

    torch.manual_seed(recipe.seed)
    train_stages(build, plan, source, run / "dit", only=stage, warm=True, seed=recipe.seed, workers=workers)
    return run / "dit" / (plan[-1].name if stage == ALL else stage)
