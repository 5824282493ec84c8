"""Stages of the DiT's training: what learns and what stays, to the bit; one process or two; resumed anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from clip_cases import random_clip, small_dit
from safetensors.torch import load_file
from sharded_run import LOOP, twenty_steps
from torch import Tensor
from torch.testing import assert_close

from dreamactor.errors import ConfigError, TrainingError
from dreamactor.models.dit import DiT
from dreamactor.recipes.stages import plan_stages, train_stages
from dreamactor.training.checkpoint import read_checkpoint
from dreamactor.training.clips import MemoryClips
from dreamactor.training.distributed import Workers, alone
from dreamactor.training.loop import LoopConfig
from dreamactor.training.signals import TrainingStopped
from dreamactor.training.stages import FACE, StageConfig, train_stage

FEW = LoopConfig(num_steps=3, learning_rate=1e-2, warmup=1, log_every=1)
STEPS = dict.fromkeys(("pretrain", "warm-up", "stage-1", "stage-2", "stage-3"), 2)


def _source(stage: StageConfig | None = None) -> MemoryClips:
    return MemoryClips([random_clip(index) for index in range(4)], seed=0)


def _plan(loop: LoopConfig = FEW) -> dict[str, StageConfig]:
    return {stage.name: stage for stage in plan_stages(STEPS, loop=loop, batch_size=2, proxy=True)}


def _moved(dit: DiT, stage: StageConfig, run: Path) -> set[str]:
    """Names of what a stage changed, in weights and in the averaged weights that it hands on."""
    before = {name: value.clone() for name, value in dit.state_dict().items()}
    after = train_stage(dit, _source(), run, stage, seed=0)
    own = read_checkpoint(run / "checkpoint.pt")["weights"]
    same = {
        name for name in before if torch.equal(before[name], after[name]) and torch.equal(before[name], own[f"dit.{name}"])
    }
    return set(before) - same


def _is_face(name: str) -> bool:
    return "face_" in name


def test_stage_2_changes_the_face_and_leaves_all_else_bit_identical(tmp_path: Path) -> None:
    dit = small_dit()
    moved = _moved(dit, _plan()["stage-2"], tmp_path)
    assert moved == {name for name in dit.state_dict() if _is_face(name)}
    assert all(parameter.grad is None for name, parameter in dit.named_parameters() if not _is_face(name))


@pytest.mark.parametrize("name", ["pretrain", "warm-up", "stage-1", "stage-3"])
def test_no_stage_before_the_second_touches_the_face_and_the_third_trains_all(name: str, tmp_path: Path) -> None:
    dit = small_dit()
    moved = _moved(dit, _plan()[name], tmp_path)
    if name == "stage-3":
        assert moved == set(dit.state_dict())
    else:
        assert moved == {key for key in dit.state_dict() if not _is_face(key)}


def _losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_stage_stopped_by_a_signal_goes_on_with_the_same_clips_and_losses(tmp_path: Path) -> None:
    stage = replace(_plan()["warm-up"], loop=replace(FEW, num_steps=6))

    def run(folder: str, stop_at: int = 0) -> dict[str, Tensor]:
        def stop(step: int) -> None:
            if step == stop_at:
                os.kill(os.getpid(), signal.SIGTERM)

        return train_stage(small_dit(), _source(), tmp_path / folder, stage, seed=0, sheet=stop, sheet_every=1)

    whole = run("whole")
    with pytest.raises(TrainingStopped):
        run("parts", 3)
    parts = run("parts")
    assert _losses(tmp_path / "parts") == _losses(tmp_path / "whole")
    for name, value in whole.items():
        assert_close(parts[name], value, atol=0, rtol=0)


def test_activations_that_are_computed_again_change_nothing(tmp_path: Path) -> None:
    stage = _plan()["stage-3"]
    for folder, again in (("kept", False), ("again", True)):
        train_stage(small_dit(), _source(), tmp_path / folder, replace(stage, gradient_checkpointing=again), seed=0)
    assert_close(torch.tensor(_losses(tmp_path / "again")), torch.tensor(_losses(tmp_path / "kept")), atol=1e-6, rtol=1e-5)


def test_a_loss_that_is_not_finite_leaves_the_clips_behind(tmp_path: Path) -> None:
    clips = [random_clip(index) for index in range(4)]
    clips[2].clean[0, 1, 0, 0] = torch.nan
    with pytest.raises(TrainingError):
        train_stage(small_dit(), MemoryClips(clips, seed=0), tmp_path, _plan()["stage-1"], seed=0)
    assert bool(read_checkpoint(tmp_path / "failed_step.pt")["batch"]["clean"].isnan().any())


def test_each_stage_by_its_own_command_is_all_by_one(tmp_path: Path) -> None:
    stages = plan_stages(STEPS, loop=FEW, batch_size=2, proxy=True)
    whole = train_stages(small_dit, stages, _source, tmp_path / "whole", seed=0)
    with pytest.raises(ConfigError, match=r"stage-2 starts from stage-1, .*--stage stage-1"):
        train_stages(small_dit, stages, _source, tmp_path / "parts", only="stage-2", seed=0)
    for stage in stages:
        parts = train_stages(small_dit, stages, _source, tmp_path / "parts", only=stage.name, seed=0)
    for name, value in whole.state_dict().items():
        assert_close(parts.state_dict()[name], value, atol=0, rtol=0)
    logs = {path: path.read_text() for path in tmp_path.rglob("log.jsonl")}
    train_stages(small_dit, stages, _source, tmp_path / "whole", seed=0)
    assert {path: path.read_text() for path in tmp_path.rglob("log.jsonl")} == logs


def test_a_batch_that_does_not_divide_over_the_processes_is_refused() -> None:
    with pytest.raises(ConfigError, match="5 clips"):
        Workers(rank=0, count=2).share(range(5))
    assert [Workers(rank=rank, count=2).share(range(4)) for rank in (0, 1)] == [[0, 2], [1, 3]]


def test_only_face_patterns_name_the_face() -> None:
    stage = StageConfig(name="x", loop=FEW, batch_size=1, trainable=FACE)
    names = [name for name, _ in small_dit().named_parameters()]
    assert {name for name in names if stage.learns(name)} == {name for name in names if _is_face(name)}


@pytest.mark.slow
def test_two_processes_with_fsdp2_give_the_losses_of_one_and_one_goes_on_where_two_were_stopped(tmp_path: Path) -> None:
    twenty_steps(tmp_path / "one", alone())
    script = Path(__file__).with_name("sharded_run.py")

    def two(folder: str, *more: str) -> int:
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [*torchrun, str(script), str(tmp_path / folder), *more], env=environment, check=False
        ).returncode

    assert two("two") == 0
    assert two("stopped", "11") != 0
    assert read_checkpoint(tmp_path / "stopped" / "checkpoint.pt")["step"] == 11
    twenty_steps(tmp_path / "stopped", alone())
    one = torch.tensor(_losses(tmp_path / "one"))
    assert len(one) == LOOP.num_steps
    for folder in ("two", "stopped"):
        assert_close(torch.tensor(_losses(tmp_path / folder)), one, atol=1e-4, rtol=0)
        for name, value in load_file(tmp_path / "one" / "weights.safetensors").items():
            assert_close(load_file(tmp_path / folder / "weights.safetensors")[name], value, atol=1e-4, rtol=0)
