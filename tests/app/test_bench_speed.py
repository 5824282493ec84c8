"""The speed bench measures everything it names, on a tiny model; no test asserts a speed."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from dreamactor.app import main
from dreamactor.app.bench import speed as measuring
from dreamactor.app.bench import speed_actors
from dreamactor.app.bench.speed import LENGTHS, NETWORK_STAGES, STAGES, MeteredAnimator, SpeedOptions, animate
from dreamactor.app.bench.speed_meter import PeakMemory, count_gflop, gflops, race, resident_mb
from dreamactor.app.bench.speed_peers import build_wan, build_wan_animate, run_wan, run_wan_animate
from dreamactor.app.bench.speed_scene import draw_scene, ready, with_mode
from dreamactor.data.actors import FRAMINGS
from dreamactor.errors import ConfigError
from dreamactor.inference.animator import Animator
from dreamactor.inference.request import AnimateRequest
from dreamactor.recipes.tiny import tiny_bundle


@pytest.fixture
def speed():
    """Runs `dreamactor bench speed` with these options and returns the exit code."""
    return lambda *options: main.run(["bench", "speed", *options])


def few_actors(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACTORS", 1), ("NUM_FRAMES", 2), ("SIZES_PX", (32, 48)), ("MATMUL_REPEATS", 1)):
        monkeypatch.setattr(speed_actors, name, value)


def test_one_part_alone_is_measured(speed, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few_actors(monkeypatch)
    file, threads = tmp_path / "speed.json", torch.get_num_threads()
    assert speed("--model", str(shared / "model"), "--only", "actors", "--repeats", "1", "--json", str(file)) == 0
    rows = json.loads(file.read_text())["rows"]
    assert {row["set"] for row in rows} == {"actors"}
    assert {row["method"] for row in rows} == {"dressing", *(f"{s} px {f}" for s in (32, 48) for f in FRAMINGS)}
    assert all(row["value"] > 0 for row in rows)
    assert torch.get_num_threads() == threads


def test_every_set_is_measured_printed_and_written(
    speed, shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "FILM_S", 0.2)
    few_actors(monkeypatch)
    file = tmp_path / "speed.json"
    assert speed("--model", str(shared / "model"), "--frames", "25", "--repeats", "1", "--json", str(file)) == 0
    written = json.loads(file.read_text())
    rows = written["rows"]
    taken = [row for row in rows if row["value"] is not None]
    assert all(math.isfinite(row["value"]) and row["value"] > 0 and row["n"] >= 1 for row in taken)
    assert {row["set"] for row in taken} == {"actors", "stage", "length", "references", "reference_mode", "peers"}
    assert {row["method"] for row in taken if row["set"] == "stage"} == {"perceive", *STAGES, "whole"}
    left_out = [row for row in rows if row["value"] is None]
    assert {row["method"] for row in left_out} == {f"{length} frames" for length in LENGTHS if length > 25}
    assert all("not measured (longer than --frames 25)" in row["note"] for row in left_out)
    assert written["machine"]["matmul_gflops"] > 0
    assert written["machine"]["torch"] == torch.__version__
    said = capsys.readouterr().out
    assert all(row["method"] in said and row["metric"] in said for row in rows)


@pytest.mark.parametrize(
    "options",
    [
        ["--frames", "5"],
        ["--frames", "731"],
        ["--repeats", "0"],
        ["--model", "acter"],
        ["--json", "nowhere/speed.json"],
        ["--only", "walking"],
    ],
)
def test_a_bad_option_is_one_line_and_exit_code_2(speed, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert speed(*options) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_without_an_estimator_perception_is_listed_as_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ConfigError("Perception needs mediapipe.")

    monkeypatch.setattr(measuring, "build_estimator", missing)
    rows = measuring.perceive_rows(SpeedOptions(max_frames=25, repeats=1), lambda *_: None)
    assert {row["note"] for row in rows} == {"not measured (Perception needs mediapipe.)"}
    assert all(row["value"] is None for row in rows)


@torch.no_grad()
def test_two_runs_count_the_same_arithmetic_in_every_stage() -> None:
    bundle = tiny_bundle(segment_frames=9)
    scene = draw_scene(bundle, 13)
    counts = []
    for _ in range(2):
        animator = MeteredAnimator(bundle, gflops)
        animate(animator, scene, 13)
        counts.append(animator.totals)
    assert counts[0] == counts[1]
    assert all(counts[0][stage] > 0 for stage in NETWORK_STAGES)


@torch.no_grad()
def test_a_metered_animator_draws_the_same_video() -> None:
    bundle = tiny_bundle(segment_frames=9)
    scene = draw_scene(bundle, 13)
    request = AnimateRequest(references=(Path("a"),), driving=Path("b"))
    plain, metered = (
        torch.cat([clip.frames for clip in animator.animate_track(scene.driving, scene.references(), request)])
        for animator in (Animator(bundle), MeteredAnimator(bundle, gflops))
    )
    assert torch.equal(plain, metered)


@torch.no_grad()
def test_one_way_references_cost_a_forward_less_than_symmetric_ones() -> None:
    bundle = tiny_bundle(segment_frames=9)
    scene = draw_scene(bundle, 9)
    cost = {
        (mode, count): count_gflop(ready(with_mode(bundle, mode), scene, count).forward)
        for mode in ("one_way", "symmetric")
        for count in (1, 4)
    }
    assert cost["one_way", 1] < cost["symmetric", 1]
    assert cost["one_way", 4] < cost["symmetric", 4]
    assert cost["one_way", 1] < cost["one_way", 4]


@pytest.mark.parametrize(("build", "run"), [(build_wan, run_wan), (build_wan_animate, run_wan_animate)])
@torch.no_grad()
def test_peers_have_our_width_and_tokens(build, run) -> None:
    config = replace(tiny_bundle().dit_config, num_layers=5, face_every=2)
    noisy = torch.randn(1, config.latent_channels, 3, 4, 4)
    network = build(config)
    seen: list[Tensor] = []
    network.blocks[0].register_forward_pre_hook(lambda block, inputs: seen.append(inputs[0]))
    out = run(network, noisy)
    assert seen[0].shape == (1, 3 * 2 * 2, config.width)
    assert len(network.blocks) == config.num_layers
    assert out.shape == (1, 2 * config.latent_channels, 3, 4, 4)


def test_products_convolutions_and_attention_are_counted() -> None:
    q = torch.zeros(1, 2, 8, 16)
    linear = nn.Linear(16, 4)
    conv = nn.Conv2d(3, 5, 3, padding=1)
    attend = nn.functional.scaled_dot_product_attention
    with torch.no_grad():
        assert count_gflop(lambda: linear(torch.zeros(2, 4, 16))) == pytest.approx(2 * 8 * 16 * 4 / 1e9)
        assert count_gflop(lambda: conv(torch.zeros(1, 3, 6, 6))) == pytest.approx(2 * 36 * 5 * 3 * 9 / 1e9)
        assert count_gflop(lambda: attend(q, q, q)) == pytest.approx(2 * 2 * 2 * 8 * 8 * 16 / 1e9)


def test_a_race_gives_every_runner_as_many_turns_and_one_to_warm_up() -> None:
    order: list[str] = []
    fastest = race({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, repeats=2)
    assert order == ["a", "b"] * 3
    assert set(fastest) == {"a", "b"}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="elsewhere the system keeps only the process's own peak")
def test_the_peak_of_memory_is_seen_after_it_has_passed() -> None:
    before = resident_mb()
    with PeakMemory() as memory:
        block = torch.ones(64 * 2**18)  # 64 MiB
        for _ in range(10):
            block.add_(1)
        del block
        memory.lap()
        memory.lap()
    assert memory.mb == memory.laps_mb[0] > before + 48
    assert memory.laps_mb[1] < memory.mb - 48
