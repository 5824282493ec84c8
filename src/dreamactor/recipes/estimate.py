"""What a preset would take, without training it: parameters by building it without memory, FLOPs and memory by formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch

from dreamactor.models.dit import DiT, DiTConfig
from dreamactor.recipes.stages import Preset
from dreamactor.training.conditions import Ratio
from dreamactor.training.stages import StageConfig
from dreamactor.types.latent import LatentGrid

_GIGA, _TERA = 1e9, 1e12


@dataclass(frozen=True, kw_only=True, slots=True)
class StageEstimate:
    """Of one stage.

    Attributes:
        stage: its configuration.
        trained: numbers that learn.
        step_flops: of one step, all processes together, at the mean length of clips.
        process_bytes: weights, gradients, AdamW and averaged weights of one process, in float32, and activations of the
            longest clips.
    """

    stage: StageConfig
    trained: int
    step_flops: float
    process_bytes: float


@lru_cache(maxsize=4)
def build_empty(config: DiTConfig) -> DiT:
    """The network on the meta device: shapes and no memory. To be looked at only."""
    with torch.device("meta"):
        return DiT.from_dataclass(config)


def tokens(preset: Preset, num_frames: int) -> tuple[int, int]:
    """Tokens of a clip, and of all its references."""
    grid = LatentGrid(temporal=preset.dit.temporal, spatial=preset.dit.spatial, patch=preset.dit.patch)
    per_frame = grid.tokens_per_frame(height=preset.height, width=preset.width)
    return grid.num_latents(num_frames) * per_frame, preset.max_references * per_frame


def forward_flops(dit: DiTConfig, num_tokens: int, num_references: int) -> float:
    """Of one clip: linears and attention of all blocks; a multiply-add counts as two.

    Per block, with N tokens, R reference tokens and width c, all else being small: 8 (N + R) c^2 of the self attention,
    4 (N + R) c f of the MLP of width f, 4 (N + R) c^2 of the reference attention and 4 N c^2 of the face attention where
    there is one; 4 c (N + R)^2 and 4 c N R of attention itself.
    """
    n, r, c = num_tokens, num_references, dit.width
    linear = 8 * (n + r) * c**2 + 4 * (n + r) * c * dit.ffn_width + 4 * (n + r) * c**2
    faces = -(-dit.num_layers // dit.face_every) if dit.face_code_dim else 0
    pairs = (n + r) ** 2 if dit.reference_mode == "symmetric" else n * (n + r) + r**2
    return dit.num_layers * (linear + 4 * c * (pairs + n * r)) + faces * 4 * n * c**2


def estimate(preset: Preset) -> list[StageEstimate]:
    """Of every stage. Gradients cost as much again twice, activations that are computed again a third time."""
    dit = build_empty(preset.dit)
    total = sum(parameter.numel() for parameter in dit.parameters())
    mean_frames = (preset.min_frames + preset.max_frames) // 2
    found = []
    for stage in preset.stages:
        trained = sum(value.numel() for name, value in dit.named_parameters() if stage.learns(name))
        passes = 4 if stage.gradient_checkpointing else 3
        flops = passes * stage.batch_size * forward_flops(preset.dit, *tokens(preset, mean_frames))
        n, r = tokens(preset, preset.max_frames)
        own = -(-stage.batch_size // preset.processes)
        wide = 2 if stage.loop.bfloat16 else 4
        # What a block keeps: about 16 rows of its width a token, and twice the MLP's; all blocks, or one and all inputs.
        block = (n + r) * (16 * preset.dit.width + 2 * preset.dit.ffn_width) * wide
        inputs = (n + r) * preset.dit.width * 4 * preset.dit.num_layers
        activations = block + inputs if stage.gradient_checkpointing else block * preset.dit.num_layers
        found.append(
            StageEstimate(
                stage=stage, trained=trained, step_flops=flops,
                process_bytes=(8 * total + 12 * trained) / preset.processes + own * activations,
            )
        )  # fmt: skip
    return found


def describe(preset: Preset) -> str:
    """A preset in plain text, with every estimate named as one."""
    dit, rows = preset.dit, estimate(preset)
    total = sum(parameter.numel() for parameter in build_empty(dit).parameters())
    lines = [
        f"{preset.name}: {dit.width} wide, {dit.num_layers} blocks, {dit.num_heads} heads, {total / 1e6:,.1f} M parameters",
        f"clips of {preset.min_frames} to {preset.max_frames} frames, area {preset.width}x{preset.height}, "
        f"1 to {preset.max_references} references, {preset.processes} process(es)",
        f"starts from {preset.starts_from}",
        f"guidance {preset.guidance.reference} (references) and {preset.guidance.motion} (motion), "
        f"segments of {preset.segment_frames} frames",
        "",
        *_table([_head(), *(_row(row) for row in rows)]),
        "",
        f"all stages: {sum(row.step_flops * row.stage.loop.num_steps for row in rows):.2e} FLOP (estimate, clips of mean "
        "length and all references)",
        "memory: weights, gradients, AdamW and averaged weights in float32 over all processes, and activations of the "
        "longest clips (estimate)",
        "",
        "share of clips that keep each condition, at the first and the last step:",
        *(f"  {row.stage.name:9} {_ratios(row.stage)}" for row in rows),
    ]
    return "\n".join(lines)


def _head() -> list[str]:
    return ["stage", "steps", "clips", "rate", "trained", "TFLOP/step", "GB/process"]


def _row(row: StageEstimate) -> list[str]:
    stage = row.stage
    return [
        stage.name, f"{stage.loop.num_steps:,}", str(stage.batch_size), f"{stage.loop.learning_rate:g}",
        f"{row.trained / 1e6:,.1f} M", f"{row.step_flops / _TERA:,.2f}", f"{row.process_bytes / _GIGA:,.1f}",
    ]  # fmt: skip


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _ratios(stage: StageConfig) -> str:
    def said(ratio: Ratio) -> str:
        return f"{ratio.first:g}" if ratio.first == ratio.last else f"{ratio.first:g}-{ratio.last:g}"

    names = ("references", "skeleton", "sphere", "proxy", "face", "motion", "anything")
    return ", ".join(f"{name} {said(getattr(stage.ratios, name))}" for name in names)
