"""The guidance bench runs from the command line, part by part."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dreamactor.app.bench import guidance_camera, guidance_heads, guidance_joints, guidance_lengths, guidance_skeleton
from dreamactor.app.main import run


def test_heads_keep_their_size_against_the_shoulders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidance_heads, "PAIRS", 1)
    monkeypatch.setattr(guidance_heads, "NUM_FRAMES", 3)
    file = tmp_path / "scores.json"
    assert run(["bench", "guidance", "--only", "heads", "--json", str(file)]) == 0
    rows = json.loads(file.read_text())["rows"]
    assert {row["part"] for row in rows} == {"heads"}
    assert len({row["set"] for row in rows}) == 9
    assert all(row["value"] < 5 for row in rows)


def test_a_known_camera_is_taken_out_whoever_finds_the_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidance_camera, "CLIPS", 1)
    monkeypatch.setattr(guidance_camera, "NUM_FRAMES", 6)
    monkeypatch.setattr(guidance_camera, "PATHS", ("pan",))
    file = tmp_path / "scores.json"
    assert run(["bench", "guidance", "--only", "camera", "--json", str(file)]) == 0
    rows = {(row["set"], row["metric"]): row["value"] for row in json.loads(file.read_text())["rows"]}
    for outline in ("exact outline", "perceived"):
        assert rows[f"pan, {outline}", "way_error_worst_percent"] < 0.5
    assert rows["pan, uncorrected", "way_error_median_percent"] > 5


def test_motion_survives_joint_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidance_joints, "NUM_ACTORS", 3)
    monkeypatch.setattr(guidance_joints, "NUM_FRAMES", 5)
    file = tmp_path / "scores.json"
    assert run(["bench", "guidance", "--only", "joints", "--json", str(file)]) == 0
    rows = json.loads(file.read_text())["rows"]
    carried = [row["value"] for row in rows if row["metric"].startswith("carried")]
    assert len(carried) == 8
    assert max(carried) < 0.01
    angles = [row["value"] for row in rows if row["metric"].endswith("deg_median")]
    assert len(angles) == 27
    assert max(angles) < 15


def test_a_part_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "guidance", "--only", "feet"]) == 2
    assert "Unknown part 'feet' of the guidance bench. Known: heads" in capsys.readouterr().err


def test_lengths_are_scored_per_bone_and_kind_of_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidance_lengths, "ACTORS", 2)
    file = tmp_path / "scores.json"
    assert run(["bench", "guidance", "--only", "lengths", "--json", str(file)]) == 0
    rows = json.loads(file.read_text())["rows"]
    assert {row["set"] for row in rows} == {"A-pose", "random pose", "3 pictures"}
    assert {"thigh_median_percent", "thigh_p90_percent", "head_radius_median_percent"} <= {row["metric"] for row in rows}


def test_the_adjusted_exact_skeleton_is_the_truths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidance_skeleton, "SETS", {"differ >50 %": (0.5, 0.9)})
    monkeypatch.setattr(guidance_skeleton, "FREE_KINDS", ("kick",))
    monkeypatch.setattr(guidance_skeleton, "TOUCH_KINDS", ())
    monkeypatch.setattr(guidance_skeleton, "NUM_FRAMES", 6)
    file = tmp_path / "scores.json"
    assert run(["bench", "guidance", "--only", "skeleton", "--json", str(file)]) == 0
    scores = {row["metric"]: row["value"] for row in json.loads(file.read_text())["rows"]}
    assert scores["exact_median_percent"] < 2
    assert scores["exact_floor_median_percent"] < 2
    assert scores["unadjusted_median_percent"] > 5
