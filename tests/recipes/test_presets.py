"""Presets: the published numbers, shapes that fit open weights, estimates that count, and the command that walks them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import WanTransformer3DModel
from torch.utils.flop_counter import FlopCounterMode

from dreamactor.app.main import run
from dreamactor.errors import ConfigError
from dreamactor.inference.bundle import load_bundle
from dreamactor.models.dit import DiT, DiTConfig
from dreamactor.models.inputs import DriveInput, ReferenceInput
from dreamactor.models.weights import wan_key_map
from dreamactor.recipes.actor import TOGETHER, ActorRecipe
from dreamactor.recipes.estimate import build_empty, describe, estimate, forward_flops, tokens
from dreamactor.recipes.paper import paper
from dreamactor.recipes.presets import PRESETS
from dreamactor.recipes.stages import choose_stage
from dreamactor.recipes.tiny import DIT
from dreamactor.recipes.wan import wan_1_3b
from dreamactor.training.stages import FACE


def test_the_paper_preset_is_as_published() -> None:
    preset = paper()
    stages = {stage.name: stage for stage in preset.stages}
    assert [(name, stages[name].loop.num_steps) for name in ("stage-1", "stage-2", "stage-3")] == [
        ("stage-1", 20_000), ("stage-2", 20_000), ("stage-3", 30_000),
    ]  # fmt: skip
    assert {stage.loop.learning_rate for stage in preset.stages} == {5e-6}
    assert (preset.min_frames, preset.max_frames, preset.width * preset.height) == (25, 121, 960 * 640)
    assert (preset.guidance.reference, preset.guidance.motion, preset.segment_frames) == (2.5, 2.5, 73)
    assert (preset.max_references, preset.processes) == (4, 8)
    assert stages["stage-1"].ratios.face.first == stages["stage-1"].ratios.face.last == 0
    assert stages["stage-2"].trainable == FACE
    assert stages["stage-3"].trainable == ("*",)
    assert (preset.dit.reference_mode, preset.dit.prediction, preset.dit.uses_proxy) == ("symmetric", "velocity", False)
    assert all(ratio.last == 0 for ratio in (stage.ratios.proxy for stage in preset.stages))


def test_the_rate_is_the_same_from_warm_up_to_the_end() -> None:
    loop = paper().stages[1].loop
    assert loop.cooldown == 0


def test_in_the_warm_up_the_stronger_condition_has_the_lower_ratio() -> None:
    for build in PRESETS.values():
        ratios = next(stage.ratios for stage in build().stages if stage.name == "warm-up")
        assert 0 < ratios.references.first < ratios.references.last
        for pose in (ratios.skeleton, ratios.sphere):
            assert pose.first < ratios.references.first
            assert pose.first < pose.last < ratios.references.last


def test_wan_weights_fit_the_wan_preset() -> None:
    with torch.device("meta"):
        wan = WanTransformer3DModel(
            num_attention_heads=12, attention_head_dim=128, num_layers=30, ffn_dim=8960, text_dim=4096, freq_dim=256
        )
    dit, theirs = build_empty(wan_1_3b().dit).state_dict(), wan.state_dict()
    for name, own in wan_key_map(30).items():
        assert theirs[name].numel() == dit[own].numel(), name


def _multiplied(config: DiTConfig, latents: int, references: int, cells: int) -> int:
    dit = DiT.from_dataclass(config)
    with FlopCounterMode(display=False) as counter:  # with gradients: the plain products of few keys, which it can count
        drive = DriveInput(num_latents=latents, first_frames=4, face=torch.zeros(1, 4 * latents, config.face_code_dim))
        maps = torch.full((1, references, 6, 16 * cells, 16 * cells), -1.0)
        pictures = ReferenceInput(latents=torch.zeros(1, references, 4, cells, cells), pose_maps=maps)
        noisy, times = torch.zeros(1, 4, latents, cells, cells), torch.ones(1, latents)
        dit(noisy, times, dit.prepare_references(pictures), dit.prepare_drive(drive))
    return counter.get_total_flops()


@pytest.mark.parametrize("mode", ["symmetric", "one_way"])
def test_the_formula_counts_what_the_blocks_multiply(mode: str) -> None:
    one = replace(DIT, width=64, ffn_width=256, num_layers=1, reference_mode=mode)
    four = replace(one, num_layers=4)
    counted = _multiplied(four, 4, 2, 8) - _multiplied(one, 4, 2, 8)
    assert forward_flops(four, 64, 32) - forward_flops(one, 64, 32) == pytest.approx(counted, rel=0.05)


def test_every_preset_can_be_described_and_counted() -> None:
    for name, build in PRESETS.items():
        preset = build()
        rows = estimate(preset)
        face = next(row for row in rows if row.stage.name == "stage-2")
        assert 0 < face.trained < rows[-1].trained
        said = describe(preset)
        assert said.startswith(name)
        assert all(stage.name in said for stage in preset.stages)
    assert tokens(paper(), 73) == (19 * 60 * 40, 4 * 60 * 40)


def test_an_unknown_stage_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="Known: together, pretrain, warm-up, stage-1, stage-2, stage-3, or all"):
        choose_stage("actor", ActorRecipe().stages(), "stage-4")
    assert ActorRecipe().stages()[0].name == TOGETHER


def test_dry_run_prints_and_trains_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "paper", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "6,888.2 M parameters" in said
    assert "20,000" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["paper"], "--dry-run"),
        (["face", "--stage", "all"], "--stage does not apply to face"),
        (["large"], "Unknown preset"),
        (["tiny", "--stage", "stage-9"], "no stage 'stage-9'"),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", *options, "--output", str(tmp_path / "run")]) == 2
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 1
    assert said in errors[0]
    assert not (tmp_path / "run").exists()
    assert run(["train"]) == 2


def test_tiny_walks_the_whole_road_by_stages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "tiny", "--output", str(tmp_path)]
    assert run([*command, "--stage", "stage-1"]) == 2
    assert "--stage warm-up" in capsys.readouterr().err
    assert run(command) == 0
    logs = {path: path.read_text() for path in tmp_path.rglob("log.jsonl")}
    assert {path.parent.name for path in logs} >= {"pretrain", "warm-up", "stage-1", "stage-2", "stage-3", "decoder"}
    assert (tmp_path / "model" / "model.json").exists()


@pytest.mark.slow
def test_a_model_goes_on_with_clips_in_shards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, clips, more = (str(tmp_path / name) for name in ("first", "clips", "more"))
    assert run(["train", "tiny", "--output", model]) == 0
    assert run(["build-data", clips, "--actors", "0-1", "--frames", "9-9", "--size", "64", "--workers", "1"]) == 0
    command = ["train", "tiny", "--output", more, "--data", clips, "--scale", "0.0005"]
    assert run(command) == 2
    assert "--start-from" in capsys.readouterr().err
    assert run([*command, "--start-from", f"{model}/model", "--stage", "together"]) == 0
    assert load_bundle(f"{more}/model").metadata["clips"] > 0
    before, after = (load_bundle(f"{folder}/model") for folder in (model, more))
    for name, part in before.parts().items():
        same = all(torch.equal(a, b) for a, b in zip(part.parameters(), after.parts()[name].parameters(), strict=True))
        assert same == (name != "dit")
