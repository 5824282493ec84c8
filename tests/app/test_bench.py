"""Every bench runs from the command line, on a tiny model and few small cases, and gives the same numbers twice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dreamactor.app.bench import actors, export, judge, metrics
from dreamactor.app.bench.partial import partial_rows
from dreamactor.app.main import run
from dreamactor.data import distorted
from dreamactor.data.held_out import CaseSpec, set_specs
from dreamactor.evaluation.known import load_known
from dreamactor.evaluation.scored import ScoredClip
from dreamactor.evaluation.scores import ClipScores
from dreamactor.video.image import read_image
from dreamactor.video.reader import read_clip


def _in_this_process(work, items, *, workers: int):
    """What a test changed holds here too."""
    return map(work, items)


def _small_specs(*, quick: bool) -> list[CaseSpec]:
    chosen = (set_specs("cross_identity", 2)[1], set_specs("partial", 1)[0], set_specs("perceived", 3)[2])
    return [replace(spec, width=64, height=64, num_frames=5) for spec in chosen]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actors, "in_parallel", _in_this_process)
    monkeypatch.setattr(actors, "bench_specs", _small_specs)
    monkeypatch.setattr(actors, "SIZE", 80)


def _bench(shared: Path, file: Path, *more: str) -> dict:
    arguments = ["bench", "actors", "--model", str(shared / "model"), "--quick", "--json", str(file), *more]
    assert run(arguments) == 0
    return json.loads(file.read_text())


def test_actors_gives_rows_for_every_method_and_the_same_twice(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DREAMACTOR_CACHE", str(tmp_path / "one"))
    page = tmp_path / "report.html"
    sheet = tmp_path / "sheet.png"
    first = _bench(shared, tmp_path / "first.json", "--html", str(page), "--sheet", str(sheet))
    assert read_image(sheet).shape[1] > 7 * 100
    rows = {(row["set"], row["method"], row["metric"]): row for row in first["rows"]}
    for method in ("model", "reference", "nearest_pose", "proxy", "no_motion"):
        row = rows["cross_identity", method, "psnr_person"]
        assert row["n"] == 1
        assert row["ci95"][0] <= row["value"] <= row["ci95"][1]
    assert ("cross_identity/upper", "model", "psnr_person") in rows
    assert rows["partial/face", "model", "psnr_person"]["n"] == 1
    assert rows["partial/face", "reference", "head_yaw_change"]["value"] == 0
    assert rows["cross_identity", "truth", "joint_error_body"]["value"] > 0
    assert 0 < rows["cross_identity", "model", "area"]["value"] < 1
    assert "not part of --quick" in first["not_computed"]["long"]
    assert "no audio" in first["not_computed"]["speech"]
    assert "ActorBench" in page.read_text()
    monkeypatch.setenv("DREAMACTOR_CACHE", str(tmp_path / "two"))
    assert _bench(shared, tmp_path / "second.json")["rows"] == first["rows"]


def test_a_bench_that_was_stopped_goes_on_where_it_was(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DREAMACTOR_CACHE", str(tmp_path / "cache"))
    first = _bench(shared, tmp_path / "first.json", "--limit", "1")

    def never(*args: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(actors, "draw_case", never)
    assert _bench(shared, tmp_path / "second.json", "--limit", "1")["rows"] == first["rows"]


def _scored(spec: CaseSpec | str, yaw_deg: float, **values: float) -> ScoredClip:
    angles = torch.zeros(4, 3)
    angles[:, 0] = torch.deg2rad(torch.tensor(yaw_deg))
    clip = spec if isinstance(spec, str) else spec.name
    return ScoredClip(scores=ClipScores(clip=clip, method="model", values=values), features={"made_angles": angles})


def test_parts_from_elsewhere_are_compared_with_the_same_case_undivided() -> None:
    specs = set_specs("partial", 6)
    clips = [_scored(spec, -179.0, joint_error_body=5.0, expression_error=0.2) for spec in specs]
    clips += [_scored(spec.undivided, 179.0, joint_error_body=4.0, expression_error=0.2) for spec in specs[::3]]
    rows = {(row["set"], row["metric"]): row for row in partial_rows(specs, clips, ["model", "reference"])}
    assert rows["partial/face", "head_yaw_change"]["value"] == pytest.approx(2.0, abs=1e-3)
    assert rows["partial/face", "joint_error_body_change"]["value"] == pytest.approx(25.0)
    assert rows["partial/body", "expression_error_change"]["value"] == pytest.approx(0.0)
    assert all(row["n"] == 2 and row["method"] == "model" for row in rows.values())
    assert ("partial/head", "head_yaw_change") not in rows
    assert partial_rows(specs, clips[:6], ["model"]) == []


def test_exported_cases_are_whole_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(set_specs("cross_identity", 3)[2], width=64, height=64, num_frames=3)
    monkeypatch.setattr(export, "export_specs", lambda *, quick: {"body": [spec]})
    folder = tmp_path / "cases"
    assert run(["bench", "export", str(folder)]) == 0
    case = folder / "body" / spec.name
    names = {"reference.png", "driving.mp4", "truth.mp4", "truth.npz", "truth.known.npz", "case.json"}
    assert {path.name for path in case.iterdir()} == names
    truth, known = read_clip(case / "truth.mp4"), load_known(case / "truth.mp4")
    assert truth.num_frames == read_clip(case / "driving.mp4").num_frames == 3
    assert known.track is not None
    assert known.track.num_frames == 3
    assert known.actor == spec.character
    stamps = {path.name: path.stat().st_mtime_ns for path in case.iterdir()}
    assert run(["bench", "export", str(folder)]) == 0
    assert {path.name: path.stat().st_mtime_ns for path in case.iterdir()} == stamps
    assert "dreamactor evaluate" in (folder / "README.txt").read_text()
    assert run(["bench", "export", str(folder / "README.txt")]) == 2


def test_the_judge_is_measured_on_rendered_pictures_and_round_trips(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "SIZE", 64)
    file = tmp_path / "judge.json"
    assert run(["bench", "judge", "--model", str(shared / "model"), "--actors", "2", "--json", str(file)]) == 0
    rows = json.loads(file.read_text())["rows"]
    assert {(row["set"], row["method"]) for row in rows} >= {("portrait", "rendered"), ("full", "vae"), ("all", "vae")}
    assert all(row["value"] == row["value"] for row in rows)


def test_metrics_are_tried_under_distortions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distorted, "SIZE", 96)
    monkeypatch.setattr(distorted, "FRAMES", 9)
    kinds = {name: distorted.DISTORTIONS[name] for name in ("noise", "shuffle")}
    monkeypatch.setattr(metrics, "DISTORTIONS", kinds)
    file = tmp_path / "metrics.json"
    assert run(["bench", "metrics", "--truths", "3", "--json", str(file)]) == 0
    rows = {(row["metric"], row["distortion"]): row for row in json.loads(file.read_text())["rows"]}
    for metric in ("psnr_person", "ssim_frame", "sharpness_person"):
        assert rows[metric, "noise"]["holds"]
        assert len(rows[metric, "noise"]["values"]) == distorted.LEVELS


@pytest.mark.parametrize("name", distorted.DISTORTIONS)
def test_a_distortion_grows_with_its_level_and_is_the_same_twice(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distorted, "SIZE", 64)
    monkeypatch.setattr(distorted, "FRAMES", 8)
    original = distorted.draw_original(0)
    truth = original.drawn.frames.float()
    apart = [float((original.distort(name, level).float() - truth).square().mean()) for level in range(distorted.LEVELS)]
    assert apart[0] == 0
    assert name == "pose" or apart == sorted(apart)  # limbs may swing back over where they were
    assert min(apart[1:]) > 0
    assert apart[-1] > apart[1]
    assert (original.distort(name, 2) == original.distort(name, 2)).all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["actors", "--model", "nonsense"], "unknown model"),
        (["actors", "--limit", "0"], "--limit"),
        (["actors", "--json", "scores.csv"], "must end in"),
        (["judge", "--judge", "nowhere"], "cannot be loaded"),
        (["metrics", "--truths", "1"], "--truths"),
        (["metrics", "--json", "nowhere/m.json"], "does not exist"),
    ],
)
def test_what_a_bench_cannot_do_is_one_line(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["bench", *arguments]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dreamactor: ")]
    assert len(lines) == 1
    assert says.lower() in lines[0].lower()
    assert list(tmp_path.iterdir()) == []


def test_a_trend_holds_when_every_level_is_worse_or_nothing_is_left_to_lose() -> None:
    assert metrics._holds("psnr_person", (40.0, 30.0, 20.0), "worse")
    assert not metrics._holds("psnr_person", (40.0, 30.0, 30.0), "worse")
    assert metrics._holds("identity_rank1", (100.0, 20.0, 0.0, 0.0), "worse")
    assert not metrics._holds("identity_rank1", (100.0, 20.0, 20.0, 0.0), "worse")
    assert metrics._holds("sharpness_person", (1.0, 0.8, 0.2), "worse")
    assert metrics._holds("joint_error_body", (3.0, 3.5, 2.0), "same")
    assert not metrics._holds("joint_error_body", (3.0, 5.5, 3.0), "same")
