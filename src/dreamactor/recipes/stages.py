"""The progressive training as a plan (sections 3.4, 4.1), and what walks it: each stage starts from the one before.

pretrain    image to video without control; the reference is the first frame
warm-up     references and motion enter at low, rising ratios, the stronger condition at the lower one (OmniHuman-1)
stage-1     skeleton and sphere (and proxy, where the network knows one), no face
stage-2     the face motion MLP and the face attention alone; all else is frozen
stage-3     everything

`together` is one stage that does what stage-3 does, from nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.flow.guidance import Guidance
from dreamactor.models.dit import DiT, DiTConfig
from dreamactor.training.clips import ClipSource
from dreamactor.training.conditions import Ratio, Ratios, steady
from dreamactor.training.distributed import Workers
from dreamactor.training.loop import LoopConfig
from dreamactor.training.stages import FACE, StageConfig, train_stage
from dreamactor.video.output import atomic_path

log = logging.getLogger(__name__)

FINISHED: Final = "finished.safetensors"
ALL: Final = "all"
_NEVER: Final = steady(0.0)
NO_MOTION: Final = Ratios(references=steady(0.9), skeleton=_NEVER, sphere=_NEVER, face=_NEVER, proxy=_NEVER)
RISING: Final = Ratios(
    references=Ratio(first=0.1, last=0.5), skeleton=Ratio(first=0.05, last=0.25), sphere=Ratio(first=0.05, last=0.25),
    face=_NEVER, proxy=Ratio(first=0.02, last=0.1),
)  # fmt: skip
"""Of the warm-up. OmniHuman-1 gives the principle; the numbers are ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """A training at one scale.

    Attributes:
        name: of the preset.
        dit: shape of the network.
        stages: in the order in which they are trained.
        starts_from: what the first stage's weights come from, in words.
        min_frames, max_frames: of a clip, both of the form s n + 1.
        width, height: whose product is a clip's area; its aspect is the video's own.
        max_references: most pictures of the character that a clip is shown.
        guidance: scales of sampling; segment_frames: frames of a segment.
        processes: as many GPUs; 1 for a processor.
    """

    name: str
    dit: DiTConfig
    stages: tuple[StageConfig, ...]
    starts_from: str
    min_frames: int
    max_frames: int
    width: int
    height: int
    max_references: int
    guidance: Guidance
    segment_frames: int
    processes: int


def plan_stages(
    steps: Mapping[str, int], *, loop: LoopConfig, batch_size: int, proxy: bool, time_shift: float = 1.0,
    gradient_checkpointing: bool = False, lora_rank: int = 0,
) -> tuple[StageConfig, ...]:  # fmt: skip
    """Stages in their order.

    Args:
        steps: stage -> optimizer steps; stages that are not named are left out.
        loop: of every stage, but for the steps.
        batch_size, time_shift, gradient_checkpointing, lora_rank: of every stage.
        proxy: whether the network knows the textured proxy.
    """
    both = Ratios() if proxy else Ratios(proxy=_NEVER)
    base = StageConfig(
        name="together", loop=loop, batch_size=batch_size, ratios=both, time_shift=time_shift,
        gradient_checkpointing=gradient_checkpointing, lora_rank=lora_rank,
    )  # fmt: skip
    rising = RISING if proxy else replace(RISING, proxy=_NEVER)
    known = {
        "together": base,
        "pretrain": replace(base, ratios=NO_MOTION, first_frame_reference=True, frozen=FACE),
        "warm-up": replace(base, ratios=rising, frozen=FACE),
        "stage-1": replace(base, ratios=replace(both, face=_NEVER), frozen=FACE),
        "stage-2": replace(base, trainable=FACE),
        "stage-3": base,
    }
    return tuple(
        replace(stage, name=name, loop=replace(loop, num_steps=steps[name]))
        for name, stage in known.items()
        if steps.get(name)
    )


def choose_stage(preset: str, stages: Sequence[StageConfig], name: str) -> None:
    """Checks the name of a stage, or `ALL`.

    Raises:
        ConfigError: no such stage.
    """
    names = [stage.name for stage in stages]
    if name not in (*names, ALL):
        raise ConfigError(f"{preset} has no stage '{name}'. Known: {', '.join(names)}, or {ALL} of them in turn.")


def train_stages(
    build: Callable[[], DiT], stages: Sequence[StageConfig], sources: Callable[[StageConfig], ClipSource], run: Path, *,
    only: str = ALL, warm: bool = False, seed: int, channel_weight: Tensor | None = None, workers: Workers | None = None,
    sheet: Callable[[DiT, Path, int], None] | None = None, sheet_every: int = 0,
) -> DiT:  # fmt: skip
    """Trains all stages in turn, or one that starts from the newest one before it; what is finished is not trained again.

    Args:
        build: the network before its first stage, the same every time.
        stages: the plan.
        sources: where a stage's clips come from, from the beginning.
        run: a folder for each stage.
        only: name of a stage, or `ALL`.
        warm: `build` gives weights that any stage may start from.
        seed: see `train_stage`.
        channel_weight, workers: see `train_stage`.
        sheet: draws a sample sheet into a folder at a step, every `sheet_every` steps.

    Returns:
        The network after its last stage, whole.

    Raises:
        ConfigError: the stage before is not finished.
    """
    dit = build()
    for index, stage in enumerate(stages):
        folder = run / stage.name
        if only not in (ALL, stage.name):
            continue
        if not _is_finished(folder / FINISHED, stage.loop.num_steps):
            dit = build()
            _start(dit, stages[:index], run, stage, warm=warm)

            def draw(step: int, dit: DiT = dit, folder: Path = folder) -> None:
                if sheet is not None:
                    sheet(dit, folder, step)

            weights = train_stage(
                dit, sources(stage), folder, stage, seed=seed, channel_weight=channel_weight, workers=workers, sheet=draw,
                sheet_every=sheet_every if sheet else 0,
            )  # fmt: skip
            if workers is None or workers.main:
                with atomic_path(folder / FINISHED) as part:
                    save_file(weights, part, metadata={"stage": stage.name, "num_steps": str(stage.loop.num_steps)})
        else:
            weights = load_file(folder / FINISHED)
        dit = build()
        dit.load_state_dict(weights)
    return dit


def _start(dit: DiT, before: Sequence[StageConfig], run: Path, stage: StageConfig, *, warm: bool) -> None:
    """Loads the newest finished stage before this one."""
    for earlier in reversed(before):
        finished = run / earlier.name / FINISHED
        if finished.exists():
            dit.load_state_dict(load_file(finished))
            log.info("%s starts from %s.", stage.name, earlier.name)
            return
    if before and not warm:
        raise ConfigError(
            f"{stage.name} starts from {before[-1].name}, which is not finished in {run}. Train that one first "
            f"(--stage {before[-1].name}), all in turn (--stage {ALL}), or go on from a model (--start-from)."
        )


def _is_finished(file: Path, num_steps: int) -> bool:
    """Whether a stage was trained for at least so many steps; a shorter one goes on."""
    if not file.exists():
        return False
    with safe_open(file, framework="pt") as opened:
        return int(opened.metadata()["num_steps"]) >= num_steps


def draw_sheet(frames: Sequence[Tensor]) -> Tensor:
    """Clips [T, H, W, 3] uint8 of equal sizes as rows of their frames: [rows H, T W, 3]."""
    return torch.cat([torch.cat(list(clip), dim=1) for clip in frames], dim=0)
