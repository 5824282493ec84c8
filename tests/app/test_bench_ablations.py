"""The ablation runner: both sides on equal terms, resumable to the digit, and verdicts that the numbers carry."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from dreamactor.app import main
from dreamactor.app.bench.ablations import AblationResult, ablation_table, bench_ablations, comparison_rows
from dreamactor.data.build import list_samples
from dreamactor.errors import ConfigError
from dreamactor.recipes.ablations import networks, run, variants
from dreamactor.recipes.ablations.networks import read_record
from dreamactor.recipes.ablations.variants import COMPARISONS, AblationBudget, tiny_budget
from dreamactor.training.guided import load_guided
from dreamactor.training.loop import LoopConfig, TrainingLoop

TWO = ("bone_lengths", "reference_mode")


def _smallest() -> AblationBudget:
    return replace(
        tiny_budget(), num_samples=2, vae_steps=2, face_steps=2, dit_steps=3, decoder_steps=2, cases=1, case_frames=5
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(variants.PRESETS, "tiny", _smallest)


def _bench(folder: Path, *, only: tuple[str, ...] = TWO, seeds: int = 2) -> AblationResult:
    return bench_ablations(folder, only=only, preset="tiny", seeds=seeds, report=lambda stage, done, total: None)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, AblationResult]:
    folder = tmp_path_factory.mktemp("ablations") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(variants.PRESETS, "tiny", _smallest)
        return folder, _bench(folder)


@pytest.fixture
def ablations():
    """Runs `dreamactor bench ablations` with these options and returns the exit code."""
    return lambda *options: main.run(["bench", "ablations", *options])


def test_both_sides_took_the_same_steps_on_the_same_samples(finished: tuple[Path, AblationResult]) -> None:
    folder, _ = finished
    sides = [side.variant for side in COMPARISONS["reference_mode"].sides]
    clips = [path.stem for path in list_samples(folder / "samples")]
    assert len(clips) == _smallest().num_samples
    for seed in (0, 1):
        dit, decoder = (
            [read_record(folder / "networks" / side.trained / f"seed_{seed}" / stage) for side in sides]
            for stage in ("dit", "decoder")
        )
        assert dit == [{"steps": _smallest().dit_steps, "learnt_from": clips}] * 2
        assert decoder == [{"steps": _smallest().decoder_steps, "learnt_from": clips}] * 2


def test_what_both_comparisons_start_from_is_trained_once(finished: tuple[Path, AblationResult]) -> None:
    folder, _ = finished
    assert len(list((folder / "networks").glob("*/seed_*"))) == 2 * 2


def test_rows_name_side_metric_interval_and_verdict(finished: tuple[Path, AblationResult]) -> None:
    _, result = finished
    assert result.not_run == {}
    sides = [row for row in result.rows if "set" in row]
    differences = [row for row in result.rows if "comparison" in row]
    assert {(row["set"], row["method"]) for row in sides} == {
        ("bone_lengths", "adjusted"), ("bone_lengths", "unadjusted"), ("reference_mode", "symmetric"),
        ("reference_mode", "one_way"),
    }  # fmt: skip
    assert {row["metric"] for row in differences} == {"psnr_person", "ssim_person", "psnr_head"}
    assert all(row["n"] == 2 and row["verdict"] == "inconclusive" for row in differences)
    means = {(row["set"], row["method"], row["metric"]): row["value"] for row in sides}
    for row in differences:
        a, b = (means[row["comparison"], row[side], row["metric"]] for side in "ab")
        assert row["difference"] == pytest.approx(a - b)
        assert row["ci95"][0] <= row["difference"] <= row["ci95"][1]


def test_a_finished_run_is_not_trained_or_measured_again(
    finished: tuple[Path, AblationResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, result = finished
    monkeypatch.setattr(run, "animate_case", None)
    monkeypatch.setattr(run, "train_generator", None)
    assert _bench(folder) == result


@pytest.mark.parametrize("moment", [5, 7])
def test_a_run_interrupted_between_two_steps_ends_with_the_same_numbers(
    finished: tuple[Path, AblationResult], moment: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, rate, plain = 0, TrainingLoop.learning_rate, networks.loop_config

    def interrupted(loop: TrainingLoop) -> float:
        nonlocal taken
        taken += 1
        if taken == moment:
            raise KeyboardInterrupt
        return rate(loop)

    def often_saved(*given: float, **named: float) -> LoopConfig:
        return replace(plain(*given, **named), save_every_s=0.0)

    with monkeypatch.context() as patch:
        patch.setattr(run, "loop_config", often_saved)
        patch.setattr(networks, "loop_config", often_saved)
        patch.setattr(TrainingLoop, "learning_rate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            _bench(tmp_path / "run")
    assert not list((tmp_path / "run").rglob("*.part*"))
    assert _bench(tmp_path / "run") == finished[1]


def test_more_seeds_keep_the_first_ones(finished: tuple[Path, AblationResult]) -> None:
    folder, _ = finished
    before = {path: path.read_text() for path in folder.glob("scores/*/seed_0/*.json")}
    assert before
    _bench(folder, only=("bone_lengths",), seeds=1)
    assert {path: path.read_text() for path in folder.glob("scores/*/seed_0/*.json")} == before


def test_a_folder_of_another_budget_is_refused(
    finished: tuple[Path, AblationResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(variants.PRESETS, "tiny", lambda: replace(_smallest(), dit_steps=4))
    with pytest.raises(ConfigError, match="another --output"):
        _bench(finished[0])


def test_a_comparison_that_cannot_run_is_listed_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dreamactor.recipes.ablations.faces.FEWEST_FACES", 10_000)
    result = _bench(tmp_path / "run", only=("bone_lengths",), seeds=1)
    assert result.rows == []
    assert "show a face" in result.not_run["bone_lengths"]
    assert "bone_lengths: not run (Only" in ablation_table(result)


def _verdicts(differences: list[float]) -> set[str]:
    """Of side A with these numbers more than side B's."""
    b = {(seed, f"case {seed}"): {"psnr_person": 20.0 + seed} for seed in range(len(differences))}
    a = {key: {"psnr_person": b[key]["psnr_person"] + more} for key, more in zip(b, differences, strict=True)}
    rows = comparison_rows(COMPARISONS["references"], a, b)
    return {row["verdict"] for row in rows if "verdict" in row}


@pytest.mark.parametrize(
    ("differences", "said"),
    [
        ([0.5, 0.6, 0.4, 0.5, 0.7, 0.5], "A better"),
        ([-0.5, -0.6, -0.4, -0.5, -0.7, -0.5], "B better"),
        ([0.5, -0.6, 0.4, -0.5, 0.7, -0.5], "inconclusive"),
        ([0.0] * 12, "inconclusive"),
        ([0.5, 0.6, 0.4, 0.5, 0.7], "inconclusive"),
    ],
)
def test_a_verdict_needs_six_pairs_and_an_interval_without_zero(differences: list[float], said: str) -> None:
    assert _verdicts(differences) == {said}


def test_a_case_that_one_side_lacks_is_no_pair() -> None:
    a = {(0, "x"): {"psnr_person": 1.0}, (0, "y"): {"psnr_person": 5.0}}
    rows = comparison_rows(COMPARISONS["references"], a, {(0, "x"): {"psnr_person": 3.0}})
    assert [(row["difference"], row["n"]) for row in rows if "comparison" in row] == [(-2.0, 1)]


def test_the_verb_prints_the_table_and_writes_the_rows(
    ablations, finished: tuple[Path, AblationResult], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, result = finished
    file = tmp_path / "rows.json"
    assert ablations("--output", str(folder), "--only", TWO[0], "--only", TWO[1], "--json", str(file)) == 0
    written = json.loads(file.read_text())
    assert written["rows"] == result.rows
    assert written["not_run"] == {}
    assert "A = adjusted, B = unadjusted" in capsys.readouterr().out


@pytest.mark.parametrize("options", [["--only", "reference_modes"], ["--preset", "large"], ["--seeds", "0"]])
def test_a_bad_option_is_one_line_and_exit_code_2(
    ablations, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ablations("--output", str(tmp_path / "run"), *options) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert not (tmp_path / "run").exists()


def test_an_unknown_comparison_is_told_the_known_ones(ablations, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ablations("--output", str(tmp_path / "run"), "--only", "reference_modes")
    said = capsys.readouterr().err
    assert "Did you mean 'reference_mode'?" in said
    assert all(name in said for name in COMPARISONS)


@pytest.mark.slow
def test_every_comparison_trains_both_sides_and_its_switch_reaches_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(variants.PRESETS, "tiny", tiny_budget)
    result = _bench(tmp_path / "run", only=())
    assert result.not_run == {}
    for comparison in COMPARISONS.values():
        a, b = (
            [
                json.loads(path.read_text())
                for path in sorted((tmp_path / "run" / "scores" / side.variant.key).glob(f"seed_*/{comparison.cases}_*"))
            ]
            for side in comparison.sides
        )
        assert len(a) == len(b) == 2 * tiny_budget().cases
        assert a != b, comparison.name
        shown = [row for row in result.rows if row.get("comparison") == comparison.name]
        assert all(row["n"] == len(a) for row in shown if row["metric"] == "psnr_person")
    plain, mesh = (sorted((tmp_path / "run" / "guided" / pose).iterdir()) for pose in ("skeleton", "mesh"))
    for one, other in zip(plain, mesh, strict=True):
        same, drawn = load_guided(one), load_guided(other)
        differing = {f.name for f in fields(same) if not torch.equal(getattr(same, f.name), getattr(drawn, f.name))}
        assert differing == {"maps", "reference_maps"}
