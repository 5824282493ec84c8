"""Twenty steps on random clips, in as many processes as torchrun started: sharded_run.py FOLDER [STEP].

With a step, the last process is told to stop there.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch
from clip_cases import random_clip, small_dit
from safetensors.torch import save_file

from dreamactor.training.clips import MemoryClips
from dreamactor.training.distributed import Workers, open_workers
from dreamactor.training.loop import LoopConfig
from dreamactor.training.stages import StageConfig, train_stage

LOOP = LoopConfig(num_steps=20, learning_rate=3e-3, warmup=2, cooldown=4, log_every=1)


def twenty_steps(folder: Path, workers: Workers, stop_at: int = 0) -> None:
    torch.set_num_threads(1)
    stage = StageConfig(name="test", loop=LOOP, batch_size=4)
    source = MemoryClips([random_clip(seed, references=1 + seed % 4) for seed in range(6)], seed=0)

    def stop(step: int) -> None:
        if workers.rank == workers.count - 1:
            os.kill(os.getpid(), signal.SIGTERM)

    weights = train_stage(
        small_dit(), source, folder, stage, seed=0, workers=workers, sheet=stop if stop_at else None, sheet_every=stop_at
    )
    if workers.main:
        save_file(weights, folder / "weights.safetensors")


if __name__ == "__main__":
    with open_workers() as processes:
        twenty_steps(Path(sys.argv[1]), processes, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
