"""One stage of the progressive training (section 3.4): what clips show, which parameters learn, for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from dreamactor.models.dit import DiT
from dreamactor.training.batch import Draw, clip_generator, make_batch
from dreamactor.training.clips import ClipSource
from dreamactor.training.conditions import Ratios
from dreamactor.training.distributed import Workers
from dreamactor.training.dit import clip_losses
from dreamactor.training.loop import LoopConfig, TrainingLoop
from dreamactor.training.lora import add_lora, merged

EVERYTHING = ("*",)
FACE = ("face_mlp.*", "blocks.*.face_attention.*", "blocks.*.face_norm.*")
"""The face motion MLP and the face attention: all that stage 2 trains, and all that no earlier stage does."""
FSDP_METHODS = ("predict_clean", "prepare_references", "prepare_drive", "prepare_reference", "prepare_face")
"""Of the DiT and its blocks, beside `forward`: what uses parameters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StageConfig:
    """A stage.

    Attributes:
        name: of the stage and its folder.
        loop: how long and how fast.
        batch_size: clips a step, of all processes together.
        ratios: share of clips that keep each condition.
        first_frame_reference: image to video: the clip's first frame is the only reference.
        trainable: patterns of the names of parameters that learn; all others are frozen.
        frozen: patterns of those among them that do not.
        time_shift: moves training times towards noise.
        gradient_checkpointing: compute activations of blocks again instead of keeping them.
        lora_rank: of low-rank layers that learn instead of the blocks' own; 0: none.
        lora_whole: patterns of the names of parameters that learn themselves beside low-rank layers.
    """

    name: str
    loop: LoopConfig
    batch_size: int
    ratios: Ratios = field(default_factory=Ratios)
    first_frame_reference: bool = False
    trainable: tuple[str, ...] = EVERYTHING
    frozen: tuple[str, ...] = ()
    time_shift: float = 1.0
    gradient_checkpointing: bool = False
    lora_rank: int = 0
    lora_whole: tuple[str, ...] = ()

    def learns(self, name: str) -> bool:
        """Whether a parameter of this name gets gradients."""
        return _any(name, self.trainable) and not _any(name, self.frozen)


def _any(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def set_trainable(dit: nn.Module, stage: StageConfig) -> None:
    """Freezes what the stage does not train."""
    for name, parameter in dit.named_parameters():
        parameter.requires_grad_(stage.learns(name))


def keep_no_activations(dit: DiT) -> None:
    """Gradient checkpointing: every block is computed again in the backward pass."""
    for block in dit.blocks:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)  # type: ignore[method-assign]


def train_stage(
    dit: DiT, source: ClipSource, run: Path, stage: StageConfig, *, seed: int, channel_weight: Tensor | None = None,
    workers: Workers | None = None, sheet: Callable[[int], None] | None = None, sheet_every: int = 0,
) -> dict[str, Tensor]:  # fmt: skip
    """Trains the DiT in place (averaged weights); in many processes each holds a part of it, and gets the whole returned.

    Args:
        dit: the network.
        source: gives every process the same clips.
        run: folder for checkpoint and log.
        stage: what to do.
        seed: of times, noise and dropped conditions: of every clip its own.
        channel_weight: [C], how much each latent channel counts (a linear code's channels differ a hundredfold in what
            they do to the picture); all alike where not given.
        workers: the processes that share every batch; None: this one alone, on the processor.
        sheet, sheet_every: see `TrainingLoop.run`.
    """
    set_trainable(dit, stage)
    if stage.lora_rank:
        add_lora(dit, stage.lora_rank, whole=stage.lora_whole)
    if stage.gradient_checkpointing:
        keep_no_activations(dit)
    fixed = {name: value for name, value in asdict(stage).items() if name != "loop"}
    loop = TrainingLoop(
        {"dit": dit}, stage.loop, run, seed=seed, source=source, settings={"seed": seed, **fixed},
        workers=workers, parts=tuple(dit.blocks), methods=FSDP_METHODS,
    )  # fmt: skip
    channels = dit.config["latent_channels"]
    weight = torch.ones(channels) if channel_weight is None else channel_weight / channel_weight.mean()
    weight = weight.to(loop.workers.device)

    def loss_of(_: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        how = Draw(
            ratios=stage.ratios, progress=loop.step / max(stage.loop.num_steps - 1, 1),
            first_frame_reference=stage.first_frame_reference, time_shift=stage.time_shift,
        )  # fmt: skip
        own = loop.workers.share(list(enumerate(source.draw(stage.batch_size))))
        with torch.autocast(loop.workers.device.type, enabled=False):  # sources may encode: that is no part of the step
            clips = [source.load(drawn) for _, drawn in own]
            generators = [clip_generator(seed, loop.step, index) for index, _ in own]
            batch = make_batch(clips, generators, how, temporal=dit.config["temporal"]).to(loop.workers.device)
        loop.batch = batch.tensors()
        loss, clean_mse = clip_losses(dit, batch, weight)
        return loss.mean(), {"clean_mse": float(clean_mse.mean())}

    loop.run(loss_of, sheet=sheet, sheet_every=sheet_every)
    loop.load_averaged()
    weights = {name.removeprefix("dit."): value for name, value in loop.averaged().items()}
    return {name: value.contiguous().clone() for name, value in (merged(weights) if stage.lora_rank else weights).items()}
